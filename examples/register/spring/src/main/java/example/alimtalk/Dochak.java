// SPDX-License-Identifier: MIT
package example.alimtalk;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.JsonNode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;
import org.springframework.web.client.HttpServerErrorException;
import org.springframework.web.client.ResourceAccessException;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestClientException;

/** Tells dochak what a send API has answered. Copy this class; it needs dochak.url and dochak.key. */
@Component
public class Dochak {

    private static final Logger log = LoggerFactory.getLogger(Dochak.class);
    private static final int ATTEMPTS = 3;

    private final RestClient client;

    Dochak(RestClient.Builder builder, @Value("${dochak.url}") String url, @Value("${dochak.key}") String key) {
        client = builder.baseUrl(url).defaultHeader(HttpHeaders.AUTHORIZATION, "Bearer " + key).build();
    }

    /**
     * Returns when it is durable. A failure is only logged, since the message is sent: its report is stored all the same, but nobody will notice
     * if there is none. Where that is too little, use an outbox (../kafka).
     */
    public void register(String provider, JsonNode response, String recipient, String reference) {
        Registration registration = new Registration(provider, response, recipient, reference);
        for (int attempt = 1; ; attempt++) {
            try {
                post(registration);
                return;
            } catch (HttpServerErrorException | ResourceAccessException e) { // the same acceptance twice is one acceptance
                if (attempt == ATTEMPTS) {
                    log.error("not registered at dochak: {} {}: {}", provider, reference, e.getMessage());
                    return;
                }
            } catch (RestClientException e) {
                log.error("dochak refuses the registration of {} {}: {}", provider, reference, e.getMessage());
                return;
            }
        }
    }

    private void post(Registration registration) {
        client.post().uri("/v1/notifications").contentType(MediaType.APPLICATION_JSON).body(registration).retrieve().toBodilessEntity();
    }

    @JsonInclude(JsonInclude.Include.NON_NULL)
    private record Registration(String provider, JsonNode response, String recipient, String reference) {
    }
}
