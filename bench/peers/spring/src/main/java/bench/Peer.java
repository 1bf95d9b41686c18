// SPDX-License-Identifier: MIT
package bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.kafka.KafkaException;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/** A webhook receiver in Java: Spring Boot and spring-kafka, answering when Kafka has acknowledged the record. */
@SpringBootApplication
@RestController
public class Peer {
    private static final long DEADLINE_SECONDS = 5; // the provider's

    private final KafkaTemplate<String, String> kafka;
    private final ObjectMapper mapper;
    private final String topic;

    public Peer(KafkaTemplate<String, String> kafka, ObjectMapper mapper, @Value("${bench.topic}") String topic) {
        this.kafka = kafka;
        this.mapper = mapper;
        this.topic = topic;
    }

    @PostMapping("/webhook/bizgo")
    public ResponseEntity<Map<String, String>> receive(@RequestBody String body) throws Exception {
        JsonNode key = mapper.readTree(body).get("msgKey");
        if (key == null) {
            return ResponseEntity.badRequest().build();
        }
        try {
            kafka.send(topic, key.asText(), body).get(DEADLINE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException | KafkaException e) {
            return ResponseEntity.status(HttpStatus.SERVICE_UNAVAILABLE).build();
        }
        return ResponseEntity.ok(Map.of("msgKey", key.asText()));
    }

    public static void main(String[] args) {
        SpringApplication.run(Peer.class, args);
    }
}
