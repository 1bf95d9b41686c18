// SPDX-License-Identifier: MIT
package example.alerts;

import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.messaging.handler.annotation.Payload;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/**
 * Shows each alert once. The application may be killed at any moment: what it writes to its database for an alert and the row that remembers
 * the alert are one transaction, so an alert comes again until that is committed, and has no effect after it.
 */
@Component
public class AlertListener {

    private final JdbcClient jdbc;

    AlertListener(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    @Transactional
    @KafkaListener(topics = "${ALERTS_TOPIC:dochak.alerts}")
    public void onAlert(@Header("ce_id") String id, @Header("ce_type") String type, @Payload String alert) {
        int rows = jdbc.sql("INSERT INTO seen_alert (ce_id) VALUES (?::uuid) ON CONFLICT DO NOTHING").param(id).update();
        if (rows == 1) {
            handle(type, alert);
        }
    }

    /** What you do with an alert. */
    private void handle(String type, String alert) {
        System.out.println(type + " " + alert);
    }
}
