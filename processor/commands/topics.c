// SPDX-License-Identifier: MIT
#include "processor/commands/topics.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/kafka/kafka_hint.h"

enum { REASON_SIZE = 256, MESSAGE_MIN_BYTES = 1048576 };

static int64_t retention_ms(const struct settings *settings) {
  enum { DAY_MS = 24 * 60 * 60 * 1000 };
  return settings->topic_retention_days * DAY_MS;
}

// ---- creating ----

// A broker's defaults for the two configs may delete records before they are read.
static bool describe_topics(const char *const *topics, size_t n, const struct settings *settings,
                            rd_kafka_NewTopic_t **out, struct err *err) {
  char reason[REASON_SIZE];
  AUTO_FREE char *retention = mem_printf("%lld", (long long)retention_ms(settings));
  for (size_t i = 0; i < n; i++) {
    out[i] = rd_kafka_NewTopic_new(topics[i], (int)settings->topic_partitions,
                                   (int)settings->topic_replication, reason, sizeof reason);
    if (!out[i]) return err_set(err, "topic %s: %s", topics[i], reason);
    rd_kafka_NewTopic_set_config(out[i], "cleanup.policy", "delete");
    rd_kafka_NewTopic_set_config(out[i], "retention.ms", retention);
  }
  return true;
}

// The results come in the order of the request.
static bool read_results(rd_kafka_event_t *rkev, bool *created, struct err *err) {
  if (rd_kafka_event_error(rkev))
    return err_set(err, "creating topics: %s", rd_kafka_event_error_string(rkev));
  size_t n;
  const rd_kafka_topic_result_t **results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(rkev), &n);
  for (size_t i = 0; i < n; i++) {
    rd_kafka_resp_err_t state = rd_kafka_topic_result_error(results[i]);
    const char *reason = rd_kafka_topic_result_error_string(results[i]);
    created[i] = !state;
    if (!state || state == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
    err_set(err, "creating topic %s: %s", rd_kafka_topic_result_name(results[i]),
            reason ? reason : rd_kafka_err2str(state));
    return err_hint(err, kafka_hint(state, NULL));
  }
  return true;
}

static bool set_options(rd_kafka_AdminOptions_t *admin, const struct topics_options *options,
                        struct err *err) {
  char reason[REASON_SIZE];
  if (!rd_kafka_AdminOptions_set_request_timeout(admin, (int)options->timeout_ms, reason, sizeof reason) &&
      !rd_kafka_AdminOptions_set_validate_only(admin, options->dry_run, reason, sizeof reason))
    return true;
  return err_set(err, "creating topics: %s", reason);
}

// A refused connection gets a sixth of the timeout: it may be accepted after all.
static rd_kafka_event_t *wait_for_answer(rd_kafka_t *rk, rd_kafka_queue_t *queue,
                                         const struct topics_options *options, struct err *err) {
  enum { TURN_MS = 100, GRACE_MS = 1000 }; // the request's own timeout comes first, and its error says more
  int64_t began_ms = clock_mono_ms(), waited_ms;
  do {
    rd_kafka_event_t *rkev = rd_kafka_queue_poll(queue, TURN_MS);
    if (rkev) return rkev;
    rd_kafka_poll(rk, 0); // serves the error callback
    waited_ms = clock_mono_ms() - began_ms;
    if (waited_ms > options->timeout_ms / 6 && options->refusal && *options->refusal->text) {
      err_set(err, "creating topics: %s", options->refusal->text);
      return NULL;
    }
  } while (waited_ms < options->timeout_ms + GRACE_MS);
  err_set(err, "creating topics: no answer in %lld ms", (long long)options->timeout_ms);
  return NULL;
}

static rd_kafka_event_t *create(rd_kafka_t *rk, rd_kafka_NewTopic_t **list, size_t n,
                                const struct topics_options *options, struct err *err) {
  rd_kafka_AdminOptions_t *admin = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
  rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
  rd_kafka_event_t *rkev = NULL;
  if (set_options(admin, options, err)) {
    rd_kafka_CreateTopics(rk, list, n, admin, queue);
    rkev = wait_for_answer(rk, queue, options, err);
  }
  rd_kafka_queue_destroy(queue);
  rd_kafka_AdminOptions_destroy(admin);
  return rkev;
}

bool topics_create(rd_kafka_t *rk, const char *const *topics, size_t n, const struct settings *settings,
                   const struct topics_options *options, bool *created, struct err *err) {
  AUTO_FREE rd_kafka_NewTopic_t **list = mem_array(n, sizeof(rd_kafka_NewTopic_t *));
  bool described = describe_topics(topics, n, settings, list, err);
  rd_kafka_event_t *rkev = described ? create(rk, list, n, options, err) : NULL;
  for (size_t i = 0; i < n; i++) created[i] = false;
  bool ok = rkev && read_results(rkev, created, err);
  if (rkev) rd_kafka_event_destroy(rkev);
  for (size_t i = 0; i < n && list[i]; i++) rd_kafka_NewTopic_destroy(list[i]);
  return ok;
}

// ---- comparing ----

static char *configs_command(const char *topic, const struct settings *settings, const char *config,
                             int64_t value) {
  return mem_printf("kafka-configs.sh --bootstrap-server %s --alter --topic %s --add-config %s=%lld",
                    settings->kafka_bootstrap, topic, config, (long long)value);
}

static void compare_shape(const char *topic, const struct kafka_facts *facts, const struct settings *settings,
                          struct faults *faults) {
  if (facts->shape.partitions < settings->topic_partitions)
    faults_warn(faults,
                "%s: partitions %lld, DOCHAK_TOPIC_PARTITIONS asks for %lld: kafka-topics.sh "
                "--bootstrap-server %s --alter --topic %s --partitions %lld",
                topic, (long long)facts->shape.partitions, (long long)settings->topic_partitions,
                settings->kafka_bootstrap, topic, (long long)settings->topic_partitions);
  if (facts->shape.replication < settings->topic_replication)
    faults_warn(faults,
                "%s: replication %lld, DOCHAK_TOPIC_REPLICATION asks for %lld: kafka-reassign-partitions.sh "
                "--bootstrap-server %s --execute --reassignment-json-file …",
                topic, (long long)facts->shape.replication, (long long)settings->topic_replication,
                settings->kafka_bootstrap);
}

static void compare_retention(const char *topic, const struct kafka_facts *facts,
                              const struct settings *settings, struct faults *faults) {
  AUTO_FREE char *by_time = configs_command(topic, settings, "retention.ms", retention_ms(settings));
  AUTO_FREE char *by_size = configs_command(topic, settings, "retention.bytes", -1);
  if (facts->retention_ms != KAFKA_FACTS_UNKNOWN && facts->retention_ms != retention_ms(settings))
    faults_warn(faults, "%s: retention.ms %lld, DOCHAK_TOPIC_RETENTION_DAYS asks for %lld days: %s", topic,
                (long long)facts->retention_ms, (long long)settings->topic_retention_days, by_time);
  if (facts->retention_bytes >= 0)
    faults_warn(faults, "%s: retention.bytes %lld: Kafka may delete records before their time: %s", topic,
                (long long)facts->retention_bytes, by_size);
}

static void compare_configs(const char *topic, const struct kafka_facts *facts,
                            const struct settings *settings, struct faults *faults) {
  compare_retention(topic, facts, settings, faults);
  if (facts->max_message_bytes && facts->max_message_bytes < MESSAGE_MIN_BYTES) {
    AUTO_FREE char *command = configs_command(topic, settings, "max.message.bytes", MESSAGE_MIN_BYTES);
    faults_warn(faults, "%s: max.message.bytes %lld, a record may need %d: %s", topic,
                (long long)facts->max_message_bytes, MESSAGE_MIN_BYTES, command);
  }
  if (facts->compacts)
    faults_error(faults,
                 "%s: cleanup.policy contains compact, so Kafka deletes all but the last record of a "
                 "notification: kafka-configs.sh --bootstrap-server %s --alter --topic %s --add-config "
                 "cleanup.policy=delete",
                 topic, settings->kafka_bootstrap, topic);
}

void topics_compare(const char *topic, const struct kafka_facts *facts, const struct settings *settings,
                    struct faults *faults) {
  compare_shape(topic, facts, settings, faults);
  if (facts->unread)
    faults_warn(faults, "%s: its settings may not be read (%s)", topic, facts->unread);
  else
    compare_configs(topic, facts, settings, faults);
}
