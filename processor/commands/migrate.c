// SPDX-License-Identifier: MIT
// dochak-processor migrate: brings the database's schema and the topics to where this program needs them.
// What is there is left alone: a topic with other settings than ours is the operator's, who learns the
// command that changes it.
#include "processor/postgres/migrate.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "common/kafka/kafka.h"
#include "common/kafka/kafka_hint.h"
#include "processor/commands/command.h"
#include "processor/commands/flags.h"
#include "processor/commands/topics.h"
#include <stdio.h>
#include <string.h>

enum { TOPICS_TIMEOUT_MS = 30000 };

struct migrate_options {
  bool dry_run;
};

static const char help[] =
    "dochak-processor migrate: brings the Postgres tables and the Kafka topics up to date\n"
    "\n"
    "usage: dochak-processor migrate [--dry-run]\n"
    "\n"
    "  --dry-run   only says what is missing, or differs\n"
    "\n"
    "A topic that exists is not changed. Where it differs from the settings, a line says so, with the\n"
    "command that changes it.";

static bool read_arguments(int argc, char **argv, void *options, struct err *err) {
  struct migrate_options *o = options;
  struct flag flags[] = {{"--dry-run", FLAG_SWITCH, &o->dry_run, NULL}};
  return flags_read(argc, argv, flags, COUNT_OF(flags), NULL, err);
}

// ---- topics ----

static bool is_denied(const struct err *err) {
  return err->class && strcmp(err->class, "access") == 0;
}

// The broker that is asked may not know a topic yet that was created a moment ago. This waits until it does,
// so that a program that starts after migrate finds the topic.
static bool ask_facts(rd_kafka_t *rk, const char *const *topics, size_t n, struct kafka_facts *out,
                      struct err *err) {
  enum { ASK_MS = 5000, PAUSE_MS = 100 };
  int64_t deadline_ms = clock_mono_ms() + TOPICS_TIMEOUT_MS;
  while (!kafka_facts_ask(rk, topics, n, ASK_MS, out, err))
    if (is_denied(err) || clock_mono_ms() > deadline_ms || stop_wait_ms(PAUSE_MS)) return false;
  return true;
}

static bool report(const struct faults *faults, struct err *err) {
  for (size_t i = 0; i < faults->n; i++) printf("kafka: %s\n", faults->list[i].text);
  return faults->n_errors == 0 ||
         err_set(err, "the cleanup.policy of a topic must be changed first; the lines above say how");
}

static bool compare(rd_kafka_t *rk, const char *const *topics, size_t n, const struct settings *settings,
                    struct err *err) {
  struct kafka_facts facts[KAFKA_TOPIC_COUNT];
  struct faults faults = {0};
  if (n == 0) return true;
  if (!ask_facts(rk, topics, n, facts, err)) return false;
  for (size_t i = 0; i < n; i++) topics_compare(topics[i], &facts[i], settings, &faults);
  bool good = report(&faults, err);
  faults_fini(&faults);
  return good;
}

static bool create_and_compare(rd_kafka_t *rk, const struct processor *processor, bool dry_run,
                               struct err *err) {
  const struct topics_options options = {TOPICS_TIMEOUT_MS, dry_run, rd_kafka_opaque(rk)};
  const char *const *topics = (const char *const *)processor->topics;
  const char *existing[KAFKA_TOPIC_COUNT];
  bool created[KAFKA_TOPIC_COUNT];
  size_t n = 0, missing = 0;
  if (!topics_create(rk, topics, KAFKA_TOPIC_COUNT, processor->settings, &options, created, err))
    return false;
  for (size_t i = 0; i < KAFKA_TOPIC_COUNT; i++) {
    missing += created[i];
    if (!created[i] || !dry_run) existing[n++] = topics[i];
  }
  printf("kafka: %zu topic%s %s\n", missing, missing == 1 ? "" : "s",
         dry_run ? "would be created" : "created");
  return compare(rk, existing, n, processor->settings, err);
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *refusal) {
  (void)rk;
  (void)kafka_refusal((rd_kafka_resp_err_t)code, reason, refusal);
}

static bool migrate_topics(const struct processor *processor, bool dry_run, struct err *err) {
  struct err refusal = {0};
  rd_kafka_conf_t *conf = kafka_conf_new(processor->settings, NULL, 0, err);
  if (!conf) return false;
  rd_kafka_conf_set_error_cb(conf, on_error);
  rd_kafka_conf_set_opaque(conf, &refusal);
  rd_kafka_t *rk = kafka_client_new(RD_KAFKA_PRODUCER, conf, err);
  if (rk == NULL) return false;
  bool done = create_and_compare(rk, processor, dry_run, err);
  rd_kafka_destroy(rk);
  return done;
}

static bool run(struct processor *processor, const void *options, struct err *err) {
  const struct migrate_options *o = options;
  return migrate_schema(processor->settings, o->dry_run, err) && migrate_topics(processor, o->dry_run, err);
}

const struct command migrate_command = {"migrate",      help, sizeof(struct migrate_options),
                                        read_arguments, run,  false};
