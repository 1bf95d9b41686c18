// SPDX-License-Identifier: MIT
#include "ingress/counters.h"

const struct metric counters[COUNTER_COUNT] = {
    [COUNTER_ANSWERS] = {"dochak_ingress_answers_total",
                         "Answers on the public listener, by endpoint (none: no such endpoint), HTTP status, "
                         "and what made the events durable: kafka, spool (at least one of them), or none.",
                         METRIC_COUNTER, "endpoint,status,way"},
    [COUNTER_ACK_SECONDS] = {"dochak_ingress_ack_seconds",
                             "From a connection, or from a later request's head on it, to the answer that "
                             "the events are durable.",
                             METRIC_SECONDS, "endpoint"},
    [COUNTER_ELEMENTS] = {"dochak_ingress_elements_total",
                          "Elements made durable: receipt, other, quarantined, accepted, rejected.",
                          METRIC_COUNTER, "kind"},
    [COUNTER_QUARANTINED] = {"dochak_ingress_quarantined_total", "Elements and bodies put in quarantine.",
                             METRIC_COUNTER, "endpoint"},
    [COUNTER_REFUSED] = {"dochak_ingress_refused_total", "Requests of a sender that was refused.",
                         METRIC_COUNTER, "endpoint"},
    [COUNTER_REFUSALS] = {"dochak_ingress_refusals_total",
                          "Requests of a sender that was refused, by the check that refused it.",
                          METRIC_COUNTER, "check"},
    [COUNTER_KAFKA_ERRORS] = {"dochak_ingress_kafka_errors_total",
                              "Records Kafka did not take, by librdkafka's name of the error.",
                              METRIC_COUNTER, "error"},
    [COUNTER_DURABLE] = {"dochak_ingress_durable_total",
                         "Events that became durable, by way: kafka (acks=all) or spool (on disk).",
                         METRIC_COUNTER, "way"},
    [COUNTER_MINUTES_LATE] = {"dochak_ingress_minute_records_late_total",
                              "Minutes at whose end the records about them could not be made durable: they "
                              "are sent later, and the "
                              "calls are in them or in later ones.",
                              METRIC_COUNTER, NULL},
    [COUNTER_SPOOL_EVENTS] = {"dochak_ingress_spool_events", "Events in the spool.", METRIC_GAUGE, NULL},
    [COUNTER_SPOOL_BYTES] = {"dochak_ingress_spool_bytes", "Bytes of DOCHAK_SPOOL_MAX_BYTES in use.",
                             METRIC_GAUGE, NULL},
    [COUNTER_SPOOL_ROOM] =
        {"dochak_ingress_spool_room_bytes",
         "Bytes that the spool may use: DOCHAK_SPOOL_MAX_BYTES, or less where its disk has "
         "less; 0 without a spool.",
         METRIC_GAUGE, NULL},
    [COUNTER_SPOOL_AGE] = {"dochak_ingress_spool_oldest_age_seconds",
                           "How long ago the oldest event in the spool was received.", METRIC_GAUGE, NULL},
    [COUNTER_SPOOL_COMMITS] =
        {"dochak_ingress_spool_commits_total",
         "Transactions of the spool; each stores the events of all requests that waited.", METRIC_COUNTER,
         NULL},
    [COUNTER_SPOOL_DRAINED] = {"dochak_ingress_spool_drained_total",
                               "Events that went from the spool to Kafka.", METRIC_COUNTER, NULL},
    [COUNTER_SPOOL_ERRORS] =
        {"dochak_ingress_spool_errors_total",
         "Errors of the spool: open, write, read; refused, late, busy (requests that it did not store); "
         "set_aside (a damaged file).",
         METRIC_COUNTER, "what"},
    [COUNTER_BREAKER] = {"dochak_ingress_breaker_open",
                         "Partitions, topics or the cluster with an open breaker; 1 until the topics have "
                         "been seen.",
                         METRIC_GAUGE, NULL},
    [COUNTER_SURVIVES] =
        {"dochak_ingress_ack_survives",
         "1 where every 2xx survives it: the crash of a process, of a machine, the loss of a broker.",
         METRIC_GAUGE, "level"},
    [COUNTER_IN_FLIGHT] = {"dochak_ingress_in_flight", "Requests being worked on.", METRIC_GAUGE, NULL},
    [COUNTER_CONNECTIONS] = {"dochak_ingress_connections", "Connections on the public listener.",
                             METRIC_GAUGE, NULL},
    [COUNTER_READY] = {"dochak_ingress_ready", "1 when /readyz says so.", METRIC_GAUGE, NULL},
};
