// SPDX-License-Identifier: MIT
#include "ingress/counters.h"

const struct metric counters[COUNTER_COUNT] = {
    [COUNTER_ANSWERS] = {"dochak_ingress_answers_total", "Answers on the public listener, by HTTP status.",
                         METRIC_COUNTER, "status"},
    [COUNTER_REQUESTS] = {"dochak_ingress_requests_total", "Requests to an endpoint that exists.",
                          METRIC_COUNTER, "endpoint"},
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
    [COUNTER_IN_FLIGHT] = {"dochak_ingress_in_flight", "Requests being worked on.", METRIC_GAUGE, NULL},
    [COUNTER_READY] = {"dochak_ingress_ready", "1 when /readyz says so.", METRIC_GAUGE, NULL},
};
