// SPDX-License-Identifier: MIT
#include "common/kafka/kafka.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "common/kafka/kafka_properties.h"
#include <pthread.h>
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

// Limits the lines about a broker that is down. All clients log the same text, so that the key is the text
// without its end, "(after 3ms in state CONNECT)".
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text) {
  const char *detail = strstr(text, " (after ");
  AUTO_FREE char *key = mem_strndup(text, detail ? (size_t)(detail - text) : strlen(text));
  const struct log_field fields[] = {LOG_STR("client", rk ? rd_kafka_name(rk) : ""),
                                     LOG_STR("facility", facility), LOG_STR("text", text)};
  log_write_rarely(level_of(level), key, "librdkafka", fields, COUNT_OF(fields));
}

// ---- configuration ----

static const struct kafka_setting base[] = {
    {"client.id", "dochak"},
    {"socket.nagle.disable", "true"}, // a request waits for its acknowledgement
    {"socket.keepalive.enable", "true"},
    {"reconnect.backoff.ms", "50"},
    {"reconnect.backoff.max.ms", "1000"},            // back within a second of the broker
    {"topic.metadata.refresh.interval.ms", "60000"}, // a moved leader is found without an error, too
    {"log.connection.close", "false"},               // brokers close idle connections
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

rd_kafka_conf_t *kafka_conf_new(const struct settings *settings, const struct kafka_setting *ours, size_t n,
                                struct err *err) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set_log_cb(conf, on_log);
  if (!set_all(conf, base, COUNT_OF(base), err)) goto fail;
  if (!set_one(conf, "bootstrap.servers", settings->kafka_bootstrap, err)) goto fail;
  if (!set_all(conf, ours, n, err)) goto fail;
  if (!kafka_properties_set(conf, settings->kafka_properties, err)) goto fail;
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

static void *destroy(void *rk) {
  rd_kafka_destroy(rk);
  return NULL;
}

void kafka_client_free(rd_kafka_t *rk) {
  enum { PATIENCE_MS = 3000 };
  pthread_t thread;
  if (!rk) return;
  if (rd_kafka_type(rk) == RD_KAFKA_CONSUMER)
    rd_kafka_consumer_close(rk); // calls the rebalance callback, which belongs to this thread
  char *name = mem_strdup(rd_kafka_name(rk));
  if (pthread_create(&thread, NULL, destroy, rk) == 0) {
    struct timespec until = clock_timespec_at(clock_mono_ms() + PATIENCE_MS);
    if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) != 0) {
      pthread_detach(thread);
      log_warn("kafka client did not close in time and was abandoned", LOG_STR("client", name));
    }
  } else {
    rd_kafka_destroy(rk);
  }
  free(name);
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

static const struct kafka_setting producer_base[] = {
    {"partitioner", "murmur2_random"}, // the same partition for a key as every Java client chooses
    {"batch.size", KAFKA_BATCH_SIZE},
};

// The operator's file may change the defaults, and not the fixed settings.
static const struct kafka_setting plain_defaults[] = {
    // A produce request holds the records of one partition, so a short wait halves the number of requests and
    // what they cost the broker. Two requests in flight keep the broker busy.
    {"linger.ms", "1"},
    {"max.in.flight.requests.per.connection", "2"},
    {"queue.buffering.max.messages", "100000"}, // bounds memory while Kafka is away
    {"queue.buffering.max.kbytes", "65536"},
};

static const struct kafka_setting plain_fixed[] = {
    {"acks", "all"},                 // a 2xx rests on it
    {"enable.idempotence", "false"}, // such a producer can fail for good after a disconnect; the processor
                                     // absorbs duplicates
};

static const struct kafka_setting transactional_defaults[] = {
    {"linger.ms", "0"},
    {"retry.backoff.ms", "5"}, // the first produce waits for the end of the transaction before it
};

static const struct kafka_setting transactional_fixed[] = {
    {"transaction.timeout.ms",
     "10000"}, // a batch is short; the transaction of a dead process is aborted soon
};

static bool set_patience(rd_kafka_conf_t *conf, int64_t ms, struct err *err) {
  enum { LEAST_MS = 5000 };
  AUTO_FREE char *text = mem_printf("%lld", (long long)(ms > LEAST_MS ? ms : LEAST_MS));
  return set_one(conf, "message.timeout.ms", text, err);
}

static bool set_plain(rd_kafka_conf_t *conf, const struct settings *settings, int64_t patience_ms,
                      struct err *err) {
  return set_all(conf, plain_defaults, COUNT_OF(plain_defaults), err) &&
         set_patience(conf, patience_ms, err) &&
         kafka_properties_set(conf, settings->kafka_properties, err) &&
         set_all(conf, plain_fixed, COUNT_OF(plain_fixed), err);
}

static bool set_transactional(rd_kafka_conf_t *conf, const struct settings *settings, const char *id,
                              struct err *err) {
  return set_all(conf, transactional_defaults, COUNT_OF(transactional_defaults), err) &&
         kafka_properties_set(conf, settings->kafka_properties, err) &&
         set_all(conf, transactional_fixed, COUNT_OF(transactional_fixed), err) &&
         set_one(conf, "transactional.id", id, err);
}

static rd_kafka_conf_t *producer_conf(const struct settings *settings,
                                      const struct kafka_producer_options *options, struct err *err) {
  rd_kafka_conf_t *conf = kafka_conf_new(settings, NULL, 0, err);
  if (!conf) return NULL;
  if (options->on_report) rd_kafka_conf_set_dr_msg_cb(conf, options->on_report);
  if (options->on_error) rd_kafka_conf_set_error_cb(conf, options->on_error);
  rd_kafka_conf_set_opaque(conf, options->opaque);
  const char *id = options->transactional_id;
  if (set_all(conf, producer_base, COUNT_OF(producer_base), err) &&
      (id ? set_transactional(conf, settings, id, err)
          : set_plain(conf, settings, options->patience_ms, err)))
    return conf;
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

static rd_kafka_resp_err_t topic_state(rd_kafka_t *rk, rd_kafka_topic_t *rkt, int timeout_ms) {
  const struct rd_kafka_metadata *metadata;
  rd_kafka_resp_err_t state = rd_kafka_metadata(rk, 0, rkt, &metadata, timeout_ms);
  if (state) return state;
  state = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  if (metadata->topic_cnt == 1 && metadata->topics[0].partition_cnt > 0) state = metadata->topics[0].err;
  rd_kafka_metadata_destroy(metadata);
  return state;
}

static bool fail_topic(const char *topic, rd_kafka_resp_err_t state, struct err *err) {
  bool missing = state == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  return err_set(err, "topic %s: %s%s", topic, rd_kafka_err2str(state),
                 missing ? "; \"dochak-processor migrate\" creates it" : "");
}

// Repeats the request until the topic exists, unless too little time is left for a response: its error says
// more than a timeout would.
static bool wait_for_topic(rd_kafka_t *rk, const char *topic, int64_t deadline_ms, struct err *err) {
  enum { ASK_MOST_MS = 500, ASK_LEAST_MS = 100, PAUSE_MS = 100 };
  rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, topic, NULL);
  if (!rkt) return fail_topic(topic, rd_kafka_last_error(), err);
  rd_kafka_resp_err_t state;
  int64_t left_ms;
  do {
    left_ms = deadline_ms - clock_mono_ms();
    int ask_ms = left_ms > ASK_MOST_MS ? ASK_MOST_MS : left_ms < ASK_LEAST_MS ? ASK_LEAST_MS : (int)left_ms;
    state = topic_state(rk, rkt, ask_ms);
    left_ms = deadline_ms - clock_mono_ms();
  } while (state && left_ms > PAUSE_MS + ASK_LEAST_MS && !stop_wait_ms(PAUSE_MS));
  rd_kafka_topic_destroy(rkt);
  return !state || fail_topic(topic, state, err);
}

bool kafka_warm_topics(rd_kafka_t *rk, const char *const *topics, size_t n, int64_t timeout_ms,
                       struct err *err) {
  int64_t deadline_ms = clock_mono_ms() + timeout_ms;
  for (size_t i = 0; i < n; i++)
    if (!wait_for_topic(rk, topics[i], deadline_ms, err)) return false;
  return true;
}

int32_t kafka_partition_count(rd_kafka_t *rk, rd_kafka_topic_t *rkt, int64_t timeout_ms) {
  const struct rd_kafka_metadata *metadata;
  if (rd_kafka_metadata(rk, 0, rkt, &metadata, (int)timeout_ms)) return 0;
  int32_t n = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
  rd_kafka_metadata_destroy(metadata);
  return n;
}

static bool describe_topics(const char *const *topics, size_t n, int64_t partitions, int64_t replication,
                            rd_kafka_NewTopic_t **out, struct err *err) {
  char reason[REASON_SIZE];
  for (size_t i = 0; i < n; i++) {
    out[i] = rd_kafka_NewTopic_new(topics[i], (int)partitions, (int)replication, reason, sizeof reason);
    if (!out[i]) return err_set(err, "topic %s: %s", topics[i], reason);
  }
  return true;
}

static bool read_results(rd_kafka_event_t *rkev, size_t *created, struct err *err) {
  if (rd_kafka_event_error(rkev))
    return err_set(err, "creating topics: %s", rd_kafka_event_error_string(rkev));
  size_t n;
  const rd_kafka_topic_result_t **results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(rkev), &n);
  for (size_t i = 0; i < n; i++) {
    rd_kafka_resp_err_t state = rd_kafka_topic_result_error(results[i]);
    if (state == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
    const char *reason = rd_kafka_topic_result_error_string(results[i]);
    if (state)
      return err_set(err, "topic %s: %s", rd_kafka_topic_result_name(results[i]),
                     reason ? reason : rd_kafka_err2str(state));
    ++*created;
  }
  return true;
}

static bool create(rd_kafka_t *rk, rd_kafka_NewTopic_t **topics, size_t n, int timeout_ms, size_t *created,
                   struct err *err) {
  enum { GRACE_MS = 1000 }; // the request's own timeout comes first, and its error says more
  char reason[REASON_SIZE];
  rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
  rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
  rd_kafka_event_t *rkev = NULL;
  bool ok = !rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, reason, sizeof reason) ||
            err_set(err, "creating topics: %s", reason);
  if (ok) {
    rd_kafka_CreateTopics(rk, topics, n, options, queue);
    rkev = rd_kafka_queue_poll(queue, timeout_ms + GRACE_MS);
    ok = rkev ? read_results(rkev, created, err)
              : err_set(err, "creating topics: no answer in %d ms", timeout_ms);
  }
  if (rkev) rd_kafka_event_destroy(rkev);
  rd_kafka_queue_destroy(queue);
  rd_kafka_AdminOptions_destroy(options);
  return ok;
}

bool kafka_create_topics(rd_kafka_t *rk, const char *const *topics, size_t n, int64_t partitions,
                         int64_t replication, int64_t timeout_ms, size_t *created, struct err *err) {
  AUTO_FREE rd_kafka_NewTopic_t **list = mem_array(n, sizeof(rd_kafka_NewTopic_t *));
  size_t count = 0;
  bool ok = describe_topics(topics, n, partitions, replication, list, err) &&
            create(rk, list, n, (int)timeout_ms, &count, err);
  for (size_t i = 0; i < n && list[i]; i++) rd_kafka_NewTopic_destroy(list[i]);
  if (ok && created) *created = count;
  return ok;
}
