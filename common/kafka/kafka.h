// SPDX-License-Identifier: MIT
// Sets up librdkafka's clients: our settings, the operator's file over them, librdkafka's log lines in our
// log, topics by name. Not for: producing and consuming.
#pragma once
#include "common/base/err.h"
#include "common/config/settings.h"
#include <librdkafka/rdkafka.h>
#include <stdint.h>

enum kafka_topic { KAFKA_TOPIC_EVENTS, KAFKA_TOPIC_ALERTS, KAFKA_TOPIC_QUARANTINE, KAFKA_TOPIC_COUNT };
// The name behind the prefix ("events", "alerts", "quarantine"), and the topic of such a name.
const char *kafka_topic_short_name(enum kafka_topic topic);
MUST_CHECK bool kafka_topic_from_short_name(const char *name, enum kafka_topic *out);
// "<prefix>events" …; the caller frees.
char *kafka_topic_name(const char *prefix, enum kafka_topic topic);

struct kafka_setting {
  const char *name, *value;
};

// The most bytes of a produce request, unless one record alone is larger: a topic takes no larger request
// than its max.message.bytes.
#define KAFKA_BATCH_SIZE "524288"
enum { KAFKA_BATCH_MAX_BYTES = 524288 };

// A configuration with: our base (client id, reconnects, no creation of topics, log callback), then `ours`,
// then the operator's file (kafka_properties.h), read anew, then DOCHAK_KAFKA_PASSWORD. New, or NULL.
MUST_CHECK rd_kafka_conf_t *kafka_conf_new(const struct settings *settings, const struct kafka_setting *ours,
                                           size_t n, struct err *err);

// Takes the conf over, also on failure. A NULL conf is a failure whose error was set before.
MUST_CHECK rd_kafka_t *kafka_client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, struct err *err);

// Leaves the group, if it is a consumer, and frees the client. No callback is called. librdkafka may wait for
// ever: rd_kafka_destroy() of 2.0.2 does where a topic of the client was deleted. After 5 s the client is
// abandoned, with a line in the log. NULL is allowed.
void kafka_client_free(rd_kafka_t *rk);

// For --check: whether librdkafka accepts the configuration. Takes the conf over; a NULL conf is false. Does
// not connect and logs nothing.
MUST_CHECK bool kafka_client_check(rd_kafka_type_t type, rd_kafka_conf_t *conf, struct err *err);

// The order of places in Kafka: by topic, partition, offset. As strcmp().
int kafka_compare_place(const char *topic, int32_t partition, int64_t offset, const rd_kafka_message_t *rkm);

// A producer and its handles of all topics, which need not exist. Zeroed, it is closed.
struct kafka_producer {
  rd_kafka_t *rk;
  rd_kafka_topic_t *topics[KAFKA_TOPIC_COUNT];
};
struct kafka_producer_options {
  int64_t patience_ms; // a record is given up after so long, or 5 s if that is longer
  // Not NULL: a transactional producer of that id, for which patience_ms is not used. Else acks=all without
  // idempotence.
  const char *transactional_id;
  void (*on_report)(rd_kafka_t *rk, const rd_kafka_message_t *rkm, void *opaque); // or NULL
  // Or NULL. `code` is an error of a broker or of all of them (rd_kafka_conf_set_error_cb()).
  void (*on_error)(rd_kafka_t *rk, int code, const char *reason, void *opaque);
  void *opaque;
};
// Connects in the background. The settings are read here only.
MUST_CHECK bool kafka_producer_open(const struct settings *settings,
                                    const struct kafka_producer_options *options, struct kafka_producer *out,
                                    struct err *err);
// Throws away the queued records: flush first. May be closed already.
void kafka_producer_close(struct kafka_producer *producer);
// kafka_client_check() for such a producer.
MUST_CHECK bool kafka_producer_check(const struct settings *settings,
                                     const struct kafka_producer_options *options, struct err *err);

// Asks the cluster for the topics' metadata until all exist, at most timeout_ms, or until a stop is
// requested. False: the error names the topic that is missing, and the command that creates it.
MUST_CHECK bool kafka_warm_topics(rd_kafka_t *rk, const char *const *topics, size_t n, int64_t timeout_ms,
                                  struct err *err);

// Asks the cluster for the topic's metadata: `(*out)->topics[0]`, for rd_kafka_metadata_destroy(). NULL:
// there was no answer. An unknown topic is RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART.
rd_kafka_resp_err_t kafka_topic_metadata(rd_kafka_t *rk, const char *name, int timeout_ms,
                                         const struct rd_kafka_metadata **out);

struct kafka_topic_shape {
  int32_t partitions;
  int64_t replication; // the least number of replicas of a partition
};
// Likewise.
rd_kafka_resp_err_t kafka_topic_ask(rd_kafka_t *rk, const char *name, int timeout_ms,
                                    struct kafka_topic_shape *out);
// Sets the error: the topic, what kafka_topic_ask() returned, and the command that creates a missing topic
// (class "no_topic") or the ACL that is missing (class "access").
bool kafka_topic_fail(const char *topic, rd_kafka_resp_err_t code, struct err *err); // false
