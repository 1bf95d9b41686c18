// SPDX-License-Identifier: MIT
// One CloudEvents 1.0 event in Kafka's binary mode (CloudEvents Kafka protocol binding 1.0.2, section 3.2):
// attributes as ce_* headers, the data as the record's value, and two extension attributes, `provider` and
// `endpoint`. An event of a type that this program does not know is quarantined whole: the record there keeps
// its headers, each with "original_" in front of its name, its key and its value.
#pragma once
#include "common/base/err.h"
#include "common/base/uuid.h"
#include <librdkafka/rdkafka.h>
#include <stdint.h>

#define EVENT_ACCEPTED "dochak.notification.accepted.v1"
#define EVENT_RECEIPT  "dochak.receipt.received.v1"
#define EVENT_CONTACT  "dochak.contact.changed.v1"      // what a provider says about a person
#define EVENT_OTHER    "dochak.webhook.received.v1"     // neither: BizGo's MO and counsel talk
#define EVENT_OVERDUE  "dochak.notification.overdue.v1" // this one and those below: from the watch
#define EVENT_EXPIRED  "dochak.notification.expired.v1"
// An incident, as event and as alert: it opens, or (restored) it closes.
#define EVENT_FAILING       "dochak.provider.failing.v1"
#define EVENT_SILENT        "dochak.provider.silent.v1"
#define EVENT_SLOW          "dochak.provider.slow.v1"
#define EVENT_PROVIDER_GOOD "dochak.provider.restored.v1"
#define EVENT_REFUSING      "dochak.endpoint.refusing.v1"
#define EVENT_UNREACHABLE   "dochak.endpoint.unreachable.v1"
#define EVENT_AT_RISK       "dochak.endpoint.at_risk.v1"
#define EVENT_ENDPOINT_GOOD "dochak.endpoint.restored.v1"
#define EVENT_QUARANTINED   "dochak.payload.quarantined.v1"
#define EVENT_MINUTE        "dochak.endpoint.minute.v1" // from ingress: the calls of one endpoint in one minute
#define ALERT_DEAD_LETTERED "dochak.notification.dead_lettered.v1"
#define ALERT_RECOVERED     "dochak.notification.recovered.v1"
#define ALERT_OVERDUE       EVENT_OVERDUE
#define ALERT_QUARANTINED   EVENT_QUARANTINED
#define ALERT_EVENTS_LOST   "dochak.events.lost.v1"
#define ALERT_WITHDRAWN     "dochak.contact.consent_withdrawn.v1"

struct event_type {
  const char *name;
  bool is_event; // it belongs on the events topic, though an alert may have the same type
};
// NULL: not known to this program.
const struct event_type *event_type_find(const char *name);

enum { EVENT_TRACEPARENT_SIZE = 56, EVENT_REASON_SIZE = 256 };

struct event {
  struct uuid id;
  const char *type;          // one of the above, or another "dochak.…", which this program does not know
  const char *source;        // "/ingress/bizgo/alimtalk", "/processor"
  const char *subject;       // the id of the notification or contact, the endpoint of a minute, or NULL
  int64_t time_ms;           // received, Unix
  const char *provider;      // ce_provider, or NULL
  const char *endpoint;      // ce_endpoint, or NULL
  const char *traceparent;   // W3C Trace Context, or NULL
  const char *reason;        // ce_reason of a quarantined payload, or NULL
  const char *was_type;      // ce_wastype of an event that the processor has quarantined, or NULL
  const char *original_type; // ce_type of an event that was quarantined whole, or NULL
  const rd_kafka_headers_t *original; // only written: the headers of such an event, or NULL
  const rd_kafka_headers_t *headers;  // only written: all headers, in place of all of the above; or NULL
};

// New headers; content-type is application/json, but application/octet-stream for a quarantined payload,
// which is an EVENT_QUARANTINED with a reason. The reason is cut at EVENT_REASON_SIZE - 1 bytes.
// rd_kafka_produceva() takes them over when it succeeds, else the caller destroys them.
rd_kafka_headers_t *event_headers_new(const struct event *ev);
// Produces the event as one record. Key and value are copied. `key` is NULL or a string; the delivery report
// has `opaque`. An error means that librdkafka did not queue the record.
struct event_record {
  rd_kafka_topic_t *topic;
  int32_t partition; // RD_KAFKA_PARTITION_UA: the key's
  const char *key;
  const void *value;
  size_t len;
  void *opaque;
};
rd_kafka_resp_err_t event_produce(rd_kafka_t *rk, const struct event_record *record, const struct event *ev);
// Reads the headers. Strings are borrowed from the message; a known `type` is one of the constants above. All
// are UTF-8. An ill-formed traceparent is ignored. False: not one of our events; the error names the header
// and the fault.
MUST_CHECK bool event_from_message(const rd_kafka_message_t *rkm, struct event *ev, struct err *err);
// The same of headers alone.
MUST_CHECK bool event_from_headers(const rd_kafka_headers_t *headers, struct event *ev, struct err *err);
// The headers of the event that a quarantined record keeps whole: new, or NULL.
rd_kafka_headers_t *event_original_headers(const rd_kafka_message_t *rkm);
// Whether a traceparent header is well-formed (version 00,
// https://www.w3.org/TR/trace-context/#traceparent-header).
bool event_traceparent_ok(const char *value);
