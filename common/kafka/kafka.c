// SPDX-License-Identifier: MIT
#include "common/kafka/kafka.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "common/kafka/kafka_hint.h"
#include "common/kafka/kafka_properties.h"
#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_SIZE = 256 };

static const char *const short_names[KAFKA_TOPIC_COUNT] = {[KAFKA_TOPIC_EVENTS] = "events",
                                                           [KAFKA_TOPIC_ALERTS] = "alerts",
                                                           [KAFKA_TOPIC_QUARANTINE] = "quarantine"};

const char *kafka_topic_short_name(enum kafka_topic topic) {
  return short_names[topic];
}

bool kafka_topic_from_short_name(const char *name, enum kafka_topic *out) {
  for (enum kafka_topic topic = 0; topic < KAFKA_TOPIC_COUNT; topic++) {
    if (strcmp(short_names[topic], name) != 0) continue;
    *out = topic;
    return true;
  }
  return false;
}

char *kafka_topic_name(const char *prefix, enum kafka_topic topic) {
  return mem_printf("%s%s", prefix, short_names[topic]);
}

// ---- librdkafka's log lines ----

// librdkafka's levels are syslog's.
static enum log_level level_of(int syslog_level) {
  static const enum log_level levels[] = {LOG_LEVEL_ERROR, LOG_LEVEL_ERROR, LOG_LEVEL_ERROR, LOG_LEVEL_ERROR,
                                          LOG_LEVEL_WARN,  LOG_LEVEL_INFO,  LOG_LEVEL_INFO};
  return syslog_level >= 0 && (size_t)syslog_level < COUNT_OF(levels) ? levels[syslog_level]
                                                                      : LOG_LEVEL_DEBUG;
}

// A broker makes the topic of its transactions when the first one is begun, so at a first start there is no
// producer id for a moment. librdkafka asks again, and rd_kafka_init_transactions() returns the error that
// lasts.
static bool is_retry_of_producer_id(const char *facility, const char *text) {
  return strcmp(facility, "GETPID") == 0 && strstr(text, ": retrying");
}

// Limits the lines about a broker that is down. All clients log the same text but for its end, "(after 3ms in
// state CONNECT)"; the text before it is the key.
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text) {
  const char *detail = strstr(text, " (after ");
  AUTO_FREE char *key = mem_strndup(text, detail ? (size_t)(detail - text) : strlen(text));
  const char *hint = kafka_hint(RD_KAFKA_RESP_ERR_NO_ERROR, text);
  const struct log_field fields[] = {LOG_STR("client", rk ? rd_kafka_name(rk) : ""),
                                     LOG_STR("facility", facility), LOG_STR("text", text),
                                     LOG_STR("hint", hint)};
  log_write_rarely(is_retry_of_producer_id(facility, text) ? LOG_LEVEL_DEBUG : level_of(level), key,
                   "librdkafka", fields, COUNT_OF(fields) - !hint);
}

// librdkafka's own error about a certificate gives no reason. It logs this one, with the subject.
static int on_certificate(rd_kafka_t *rk, const char *broker, int32_t broker_id, int *x509_error, int depth,
                          const char *der, size_t der_len, char *reason, size_t size, void *opaque) {
  (void)rk, (void)broker, (void)broker_id, (void)depth, (void)der, (void)der_len, (void)opaque;
  if (*x509_error == X509_V_OK) return 1;
  snprintf(reason, size, "%s; %s", X509_verify_cert_error_string(*x509_error),
           kafka_hint_certificate(*x509_error));
  return 0;
}

// ---- configuration ----

static const struct kafka_setting base[] = {
    {"client.id", "dochak"},
    {"socket.nagle.disable", "true"}, // a request waits for its acknowledgement
    {"socket.keepalive.enable", "true"},
    {"reconnect.backoff.ms", "50"},
    {"reconnect.backoff.max.ms", "1000"}, // back within a second of the broker
    // An address that is gone, as that of a replaced pod, refuses nothing. The default is 30 s.
    {"socket.connection.setup.timeout.ms", "5000"},
    {"topic.metadata.refresh.interval.ms", "60000"}, // a moved leader is found without an error, too
    // Only "dochak-processor migrate" creates topics. A producer's default is true.
    {"allow.auto.create.topics", "false"},
};

static bool set_one(rd_kafka_conf_t *conf, const char *name, const char *value, struct err *err) {
  char reason[REASON_SIZE];
  if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) == RD_KAFKA_CONF_OK) return true;
  return err_set(err, "%s", reason);
}

static bool set_all(rd_kafka_conf_t *conf, const struct kafka_setting *list, size_t n, struct err *err) {
  for (size_t i = 0; i < n; i++)
    if (!set_one(conf, list[i].name, list[i].value, err)) return false;
  return true;
}

static bool set_password(rd_kafka_conf_t *conf, const char *password, struct err *err) {
  char given[2] = "";
  size_t size = sizeof given;
  if (!password || !*password) return true;
  if (rd_kafka_conf_get(conf, "sasl.password", given, &size) == RD_KAFKA_CONF_OK && *given)
    return err_set(err,
                   "DOCHAK_KAFKA_PASSWORD: DOCHAK_KAFKA_PROPERTIES has sasl.password, too; one is enough");
  return set_one(conf, "sasl.password", password, err);
}

rd_kafka_conf_t *kafka_conf_new(const struct settings *settings, const struct kafka_setting *ours, size_t n,
                                struct err *err) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set_log_cb(conf, on_log);
  (void)rd_kafka_conf_set_ssl_cert_verify_cb(conf, on_certificate); // fails only in a build without TLS
  if (!set_all(conf, base, COUNT_OF(base), err)) goto fail;
  if (!set_one(conf, "bootstrap.servers", settings->kafka_bootstrap, err)) goto fail;
  if (!set_all(conf, ours, n, err)) goto fail;
  if (!kafka_properties_set(conf, settings->kafka_properties, err)) goto fail;
  if (!set_password(conf, settings->kafka_password, err)) goto fail;
  return conf;
fail:
  rd_kafka_conf_destroy(conf);
  return NULL;
}

// ---- clients ----

rd_kafka_t *kafka_client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, struct err *err) {
  char reason[REASON_SIZE];
  if (!conf) return NULL;
  rd_kafka_t *rk = rd_kafka_new(type, conf, reason, sizeof reason);
  if (rk) return rk;
  rd_kafka_conf_destroy(conf); // taken over only by a success
  err_set(err, "kafka %s: %s", type == RD_KAFKA_PRODUCER ? "producer" : "consumer", reason);
  return NULL;
}

// Leaves the group. Not by rd_kafka_consumer_close(), which waits without a bound, and closes nothing after a
// fatal error. Events are dropped here, so no callback is called.
static void leave(rd_kafka_t *rk) {
  enum { POLL_MS = 100 };
  rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
  rd_kafka_error_t *error = rd_kafka_consumer_close_queue(rk, queue);
  while (!error && !rd_kafka_consumer_closed(rk)) {
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, POLL_MS);
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE) rd_kafka_assign(rk, NULL);
    rd_kafka_event_destroy(event);
  }
  rd_kafka_error_destroy(error);
  rd_kafka_queue_destroy(queue);
}

static void *leave_and_destroy(void *rk) {
  if (rd_kafka_type(rk) == RD_KAFKA_CONSUMER) leave(rk);
  rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  return NULL;
}

void kafka_client_free(rd_kafka_t *rk) {
  enum { PATIENCE_MS = 5000 };
  pthread_t thread;
  if (!rk) return;
  AUTO_FREE char *name = mem_strdup(rd_kafka_name(rk));
  if (pthread_create(&thread, NULL, leave_and_destroy, rk) != 0) {
    leave_and_destroy(rk);
    return;
  }
  struct timespec until = clock_timespec_at(clock_mono_ms() + PATIENCE_MS);
  if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0) return;
  pthread_detach(thread);
  log_warn("kafka client did not close in time and was abandoned", LOG_STR("client", name));
}

// Without bootstrap servers the client does not connect; it would log a warning about it.
bool kafka_client_check(rd_kafka_type_t type, rd_kafka_conf_t *conf, struct err *err) {
  if (!conf) return false;
  rd_kafka_conf_set_log_cb(conf, NULL);
  rd_kafka_conf_set(conf, "bootstrap.servers", "", NULL, 0);
  rd_kafka_t *rk = kafka_client_new(type, conf, err);
  if (!rk) return false;
  rd_kafka_destroy(rk);
  return true;
}

// ---- producers ----

// The operator's file may change the defaults, but not the fixed settings.
static rd_kafka_conf_t *plain_conf(const struct settings *settings, int64_t patience_ms, struct err *err) {
  enum { LEAST_MS = 5000 };
  AUTO_FREE char *timeout = mem_printf("%lld", (long long)(patience_ms > LEAST_MS ? patience_ms : LEAST_MS));
  const struct kafka_setting defaults[] = {
      {"batch.size", KAFKA_BATCH_SIZE},
      {"message.timeout.ms", timeout},
      // A produce request holds the records of one partition, so a short wait halves the number of requests
      // and their cost for the broker. Two requests in flight keep the broker busy.
      {"linger.ms", "1"},
      {"max.in.flight.requests.per.connection", "2"},
      {"queue.buffering.max.messages", "100000"}, // bounds memory while Kafka is away
      {"queue.buffering.max.kbytes", "65536"},
  };
  return kafka_conf_new(settings, defaults, COUNT_OF(defaults), err);
}

static const struct kafka_setting transactional_defaults[] = {
    {"batch.size", KAFKA_BATCH_SIZE},
    {"linger.ms", "0"},
    {"retry.backoff.ms", "5"}, // the first produce waits for the end of the transaction before it
};

static bool set_fixed(rd_kafka_conf_t *conf, const char *transactional_id, struct err *err) {
  // The partition that every Java client chooses for the key.
  if (!set_one(conf, "partitioner", "murmur2_random", err)) return false;
  // A batch is short, and a dead process's transaction is aborted soon.
  if (transactional_id)
    return set_one(conf, "transaction.timeout.ms", "10000", err) &&
           set_one(conf, "transactional.id", transactional_id, err);
  // A 2xx rests on all acks. An idempotent producer can fail for good after a disconnect; the processor
  // absorbs duplicates.
  return set_one(conf, "acks", "all", err) && set_one(conf, "enable.idempotence", "false", err);
}

static rd_kafka_conf_t *producer_conf(const struct settings *settings,
                                      const struct kafka_producer_options *options, struct err *err) {
  const char *id = options->transactional_id;
  rd_kafka_conf_t *conf =
      id ? kafka_conf_new(settings, transactional_defaults, COUNT_OF(transactional_defaults), err)
         : plain_conf(settings, options->patience_ms, err);
  if (!conf) return NULL;
  if (options->on_report) rd_kafka_conf_set_dr_msg_cb(conf, options->on_report);
  if (options->on_error) rd_kafka_conf_set_error_cb(conf, options->on_error);
  rd_kafka_conf_set_opaque(conf, options->opaque);
  if (set_fixed(conf, id, err)) return conf;
  rd_kafka_conf_destroy(conf);
  return NULL;
}

bool kafka_producer_check(const struct settings *settings, const struct kafka_producer_options *options,
                          struct err *err) {
  return kafka_client_check(RD_KAFKA_PRODUCER, producer_conf(settings, options, err), err);
}

static bool open_topics(struct kafka_producer *producer, const char *prefix, struct err *err) {
  for (enum kafka_topic topic = 0; topic < KAFKA_TOPIC_COUNT; topic++) {
    AUTO_FREE char *name = kafka_topic_name(prefix, topic);
    producer->topics[topic] = rd_kafka_topic_new(producer->rk, name, NULL);
    if (!producer->topics[topic])
      return err_set(err, "topic %s: %s", name, rd_kafka_err2str(rd_kafka_last_error()));
  }
  return true;
}

bool kafka_producer_open(const struct settings *settings, const struct kafka_producer_options *options,
                         struct kafka_producer *out, struct err *err) {
  *out = (struct kafka_producer){0};
  out->rk = kafka_client_new(RD_KAFKA_PRODUCER, producer_conf(settings, options, err), err);
  if (out->rk && open_topics(out, settings->topic_prefix, err)) return true;
  kafka_producer_close(out);
  return false;
}

void kafka_producer_close(struct kafka_producer *producer) {
  for (enum kafka_topic topic = 0; topic < KAFKA_TOPIC_COUNT; topic++)
    if (producer->topics[topic]) rd_kafka_topic_destroy(producer->topics[topic]);
  kafka_client_free(producer->rk);
  *producer = (struct kafka_producer){0};
}

// ---- topics ----

rd_kafka_resp_err_t kafka_topic_metadata(rd_kafka_t *rk, const char *name, int timeout_ms,
                                         const struct rd_kafka_metadata **out) {
  *out = NULL;
  rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, name, NULL);
  if (!rkt) return rd_kafka_last_error();
  rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 0, rkt, out, timeout_ms);
  rd_kafka_topic_destroy(rkt);
  if (code) return code;
  if ((*out)->topic_cnt != 1) return RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  const struct rd_kafka_metadata_topic *topic = &(*out)->topics[0];
  return topic->err || topic->partition_cnt > 0 ? topic->err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

rd_kafka_resp_err_t kafka_topic_ask(rd_kafka_t *rk, const char *name, int timeout_ms,
                                    struct kafka_topic_shape *out) {
  const struct rd_kafka_metadata *metadata;
  rd_kafka_resp_err_t code = kafka_topic_metadata(rk, name, timeout_ms, &metadata);
  if (!metadata) return code;
  if (!code) {
    const struct rd_kafka_metadata_topic *topic = &metadata->topics[0];
    out->partitions = topic->partition_cnt;
    out->replication = topic->partitions[0].replica_cnt;
    for (int i = 1; i < topic->partition_cnt; i++)
      if (topic->partitions[i].replica_cnt < out->replication)
        out->replication = topic->partitions[i].replica_cnt;
  }
  rd_kafka_metadata_destroy(metadata);
  return code;
}

bool kafka_topic_fail(const char *topic, rd_kafka_resp_err_t code, struct err *err) {
  bool missing = code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  bool denied = code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
  const char *hint = missing ? "\"dochak-processor migrate\" creates it" : kafka_hint(code, NULL);
  const char *class = missing ? "no_topic" : NULL;
  err_set_class(err, denied ? "access" : class, "topic %s: %s", topic, rd_kafka_err2str(code));
  return err_hint(err, hint);
}

// Repeats the request until the topic exists, unless too little time is left for a response: its error says
// more than a timeout would.
static bool wait_for_topic(rd_kafka_t *rk, const char *topic, int64_t deadline_ms, struct err *err) {
  enum { ASK_MOST_MS = 500, ASK_LEAST_MS = 100, PAUSE_MS = 100 };
  struct kafka_topic_shape shape;
  rd_kafka_resp_err_t state;
  int64_t left_ms;
  do {
    left_ms = deadline_ms - clock_mono_ms();
    int ask_ms = left_ms > ASK_MOST_MS ? ASK_MOST_MS : left_ms < ASK_LEAST_MS ? ASK_LEAST_MS : (int)left_ms;
    state = kafka_topic_ask(rk, topic, ask_ms, &shape);
    left_ms = deadline_ms - clock_mono_ms();
  } while (state && left_ms > PAUSE_MS + ASK_LEAST_MS && !stop_wait_ms(PAUSE_MS));
  return !state || kafka_topic_fail(topic, state, err);
}

bool kafka_warm_topics(rd_kafka_t *rk, const char *const *topics, size_t n, int64_t timeout_ms,
                       struct err *err) {
  int64_t deadline_ms = clock_mono_ms() + timeout_ms;
  for (size_t i = 0; i < n; i++)
    if (!wait_for_topic(rk, topics[i], deadline_ms, err)) return false;
  return true;
}

// ---- places ----

int kafka_compare_place(const char *topic, int32_t partition, int64_t offset, const rd_kafka_message_t *rkm) {
  const char *other = rd_kafka_topic_name(rkm->rkt);
  int order = topic == other ? 0 : strcmp(topic, other); // mostly the same topic, whose name is one string
  if (order) return order;
  if (partition != rkm->partition) return partition < rkm->partition ? -1 : 1;
  return (offset > rkm->offset) - (offset < rkm->offset);
}
