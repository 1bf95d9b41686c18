// SPDX-License-Identifier: MIT
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "common/kafka/kafka_hint.h"
#include "processor/batch/kafkaerror.h"
#include "processor/commands/doctor.h"
#include "processor/commands/topics.h"

enum { ASK_MS = 5000, OLD_MS = 60000 };

struct doctor_kafka {
  const struct processor *processor;
  struct findings *findings;
  rd_kafka_t *rk;
  struct err refusal; // what the error callback sets
  int32_t partitions; // of the events topic; 0: not known
};

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *refusal) {
  (void)rk;
  (void)kafka_refusal((rd_kafka_resp_err_t)code, reason, refusal);
}

// librdkafka has no consumer without a group. This one never joins it, and is answered while a transaction is
// open (frontier.c).
static rd_kafka_t *open_client(struct doctor_kafka *k, struct err *err) {
  const struct settings *settings = k->processor->settings;
  const struct kafka_setting ours[] = {{"group.id", settings->group_id},
                                       {"isolation.level", "read_uncommitted"},
                                       {"enable.auto.commit", "false"}};
  rd_kafka_conf_t *conf = kafka_conf_new(settings, ours, COUNT_OF(ours), err);
  if (!conf) return NULL;
  rd_kafka_conf_set_error_cb(conf, on_error);
  rd_kafka_conf_set_opaque(conf, &k->refusal);
  return kafka_client_new(RD_KAFKA_CONSUMER, conf, err);
}

// ---- brokers and topics ----

static bool ask_brokers(struct doctor_kafka *k) {
  const char *bootstrap = k->processor->settings->kafka_bootstrap;
  const struct rd_kafka_metadata *metadata;
  rd_kafka_resp_err_t code = rd_kafka_metadata(k->rk, false, NULL, &metadata, ASK_MS);
  rd_kafka_poll(k->rk, 0); // serves the error callback
  if (code) {
    findings_add(k->findings, FINDING_WRONG, "kafka",
                 "start the brokers of DOCHAK_KAFKA_BOOTSTRAP, or correct it; until then events wait in "
                 "ingress's spool",
                 "no broker of %s answers: %s", bootstrap,
                 *k->refusal.text ? k->refusal.text : rd_kafka_err2str(code));
    return false;
  }
  findings_add(k->findings, FINDING_GOOD, "kafka", NULL, "%d broker%s at %s", metadata->broker_cnt,
               metadata->broker_cnt == 1 ? "" : "s", bootstrap);
  rd_kafka_metadata_destroy(metadata);
  return true;
}

static void add_faults(struct doctor_kafka *k, const char *part, const struct faults *faults) {
  for (size_t i = 0; i < faults->n; i++)
    findings_add(k->findings, faults->list[i].is_warning ? FINDING_NOTE : FINDING_WRONG, part, NULL, "%s",
                 faults->list[i].text);
}

static void ask_topic(struct doctor_kafka *k, enum kafka_topic topic) {
  const char *name = k->processor->topics[topic];
  AUTO_FREE char *part = mem_printf("topic %s", kafka_topic_short_name(topic));
  struct kafka_facts facts;
  struct faults faults = {0};
  struct err err = {0};
  if (!kafka_facts_ask(k->rk, &name, 1, ASK_MS, &facts, &err)) {
    findings_add(k->findings, FINDING_WRONG, part, NULL, "%s", err.text);
    return;
  }
  if (topic == KAFKA_TOPIC_EVENTS) k->partitions = facts.shape.partitions;
  topics_compare(name, &facts, k->processor->settings, &faults);
  add_faults(k, part, &faults);
  if (faults.n == 0)
    findings_add(k->findings, FINDING_GOOD, part, NULL, "%s: %d partitions, replication %lld", name,
                 (int)facts.shape.partitions, (long long)facts.shape.replication);
  faults_fini(&faults);
}

// ---- the group ----

static void ask_group(struct doctor_kafka *k) {
  static const char part[] = "consumer group";
  const char *name = k->processor->settings->group_id;
  const struct rd_kafka_group_list *list;
  struct err err;
  rd_kafka_resp_err_t code = rd_kafka_list_groups(k->rk, name, &list, ASK_MS);
  if (code) {
    (void)kafka_fail(&err, name, code, NULL);
    findings_add(k->findings, FINDING_WRONG, part, NULL, "%s", err.text);
    return;
  }
  int members = list->group_cnt ? list->groups[0].member_cnt : 0;
  findings_add(k->findings, members ? FINDING_GOOD : FINDING_WRONG, part,
               members ? NULL : "start a processor; if one runs, its log and /readyz say what it waits for",
               "%s: %d member%s%s%s", name, members, members == 1 ? "" : "s", members ? ", " : "",
               members ? list->groups[0].state : "");
  rd_kafka_group_list_destroy(list);
}

// ---- the lag ----

struct lag {
  int64_t records;
  bool is_old; // one of them waits for more than a minute
};

// `young` is the first record that is not older than a minute, negative if all are older. Where nothing is
// committed, or what was is deleted, the reading begins with the first record.
static void add_lag(struct lag *lag, int64_t committed, int64_t young, int64_t first, int64_t end) {
  int64_t next = committed > first ? committed : first;
  int64_t old_end = young >= 0 && young < end ? young : end;
  if (next < end) lag->records += end - next;
  lag->is_old |= next < old_end;
}

static rd_kafka_topic_partition_list_t *list_events(const struct doctor_kafka *k, int64_t offset) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(k->partitions);
  for (int32_t p = 0; p < k->partitions; p++)
    rd_kafka_topic_partition_list_add(list, k->processor->topics[KAFKA_TOPIC_EVENTS], p)->offset = offset;
  return list;
}

static rd_kafka_resp_err_t measure_lists(const struct doctor_kafka *k, int64_t until_ms,
                                         rd_kafka_topic_partition_list_t *committed,
                                         rd_kafka_topic_partition_list_t *young, struct lag *out) {
  int64_t first, end;
  rd_kafka_resp_err_t code = rd_kafka_committed(k->rk, committed, ASK_MS);
  if (!code) code = rd_kafka_offsets_for_times(k->rk, young, ASK_MS);
  for (int i = 0; !code && i < committed->cnt; i++) {
    const rd_kafka_topic_partition_t *rktpar = &committed->elems[i];
    int64_t left_ms = until_ms - clock_mono_ms();
    code = left_ms <= 0 ? RD_KAFKA_RESP_ERR__TIMED_OUT
                        : rd_kafka_query_watermark_offsets(k->rk, rktpar->topic, rktpar->partition, &first,
                                                           &end, (int)left_ms);
    if (!code) add_lag(out, rktpar->offset, young->elems[i].offset, first, end);
  }
  return code;
}

// What a broker refuses now, it may take in a moment: a leader has moved, a topic was only just made.
static rd_kafka_resp_err_t measure(const struct doctor_kafka *k, struct lag *out) {
  enum { PAUSE_MS = 200 };
  int64_t until_ms = clock_mono_ms() + ASK_MS;
  rd_kafka_resp_err_t code;
  do {
    rd_kafka_topic_partition_list_t *committed = list_events(k, RD_KAFKA_OFFSET_INVALID);
    rd_kafka_topic_partition_list_t *young = list_events(k, clock_wall_ms() - OLD_MS);
    *out = (struct lag){0};
    code = measure_lists(k, until_ms, committed, young, out);
    rd_kafka_topic_partition_list_destroy(committed);
    rd_kafka_topic_partition_list_destroy(young);
  } while (code && clock_mono_ms() < until_ms && !stop_wait_ms(PAUSE_MS));
  return code;
}

// Ingress writes the events topic without transactions, so every offset of it is a record.
static void ask_lag(const struct doctor_kafka *k) {
  static const char part[] = "lag";
  struct lag lag;
  struct err err;
  rd_kafka_resp_err_t code = measure(k, &lag);
  if (code) {
    (void)kafka_fail(&err, "offsets of the events topic", code, NULL);
    findings_add(k->findings, FINDING_WRONG, part, NULL, "%s", err.text);
    return;
  }
  findings_add(k->findings, lag.is_old ? FINDING_WRONG : FINDING_GOOD, part,
               lag.is_old ? "the log of the processors and dochak_processor_retries_total say what they wait "
                            "for; if they are only slow, start more of them"
                          : NULL,
               "%lld events are not in Postgres yet, %s of them for more than a minute",
               (long long)lag.records, lag.is_old ? "some" : "none");
}

void doctor_ask_kafka(const struct processor *processor, struct findings *findings) {
  struct doctor_kafka k = {.processor = processor, .findings = findings};
  struct err err;
  k.rk = open_client(&k, &err);
  if (k.rk == NULL) {
    findings_add(findings, FINDING_WRONG, "kafka", NULL, "%s", err.text);
    return;
  }
  if (ask_brokers(&k)) {
    for (enum kafka_topic topic = 0; topic < KAFKA_TOPIC_COUNT; topic++) ask_topic(&k, topic);
    ask_group(&k);
    if (k.partitions) ask_lag(&k);
  }
  kafka_client_free(k.rk);
}
