// SPDX-License-Identifier: MIT
package example.alimtalk;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.web.client.RestTemplateBuilder;
import org.springframework.http.HttpEntity;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.stereotype.Service;
import org.springframework.web.client.RestTemplate;

/** Sends an alimtalk by BizGo, as it did before dochak, but for two lines. */
@Service
public class AlimtalkService {

    @Autowired private Dochak dochak; // the first line

    private final ObjectMapper objectMapper;
    private final RestTemplate restTemplate;
    private final String url;
    private final HttpHeaders headers = new HttpHeaders();

    AlimtalkService(RestTemplateBuilder restTemplate, ObjectMapper objectMapper,
                    @Value("${bizgo.url}") String url, @Value("${bizgo.token}") String token) {
        this.restTemplate = restTemplate.build();
        this.objectMapper = objectMapper;
        this.url = url;
        headers.setBearerAuth(token);
    }

    /** Whether BizGo has taken it ("A000"), which is not that it has arrived. */
    public boolean send(AlimtalkRequest request) throws Exception {
        HttpEntity<AlimtalkRequest> entity = new HttpEntity<>(request, headers);
        ResponseEntity<String> response = restTemplate.postForEntity(url, entity, String.class);
        if (response.getStatusCode() != HttpStatus.OK) {
            return false;
        }
        JsonNode responseJson = objectMapper.readTree(response.getBody());
        dochak.register("bizgo", responseJson, request.to(), request.ref()); // the second line
        return "A000".equals(responseJson.path("code").asText());
    }
}
