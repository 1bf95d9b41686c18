// SPDX-License-Identifier: MIT
// What an ack survives, and which of Kafka and spool may give it.
#include "ingress/durable/durability.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "ingress/counters.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
  struct kafka_facts facts;
  enum durability durability;
} topics[] = {
    {{.shape.replication = 1, .min_insync = 1, .flush_messages = INT64_MAX}, DURABILITY_PROCESS},
    {{.shape.replication = 1, .min_insync = 1, .flush_messages = 2}, DURABILITY_PROCESS},
    {{.shape.replication = 1, .min_insync = 1, .flush_messages = 1}, DURABILITY_MACHINE},
    {{.shape.replication = 3, .min_insync = 1, .flush_messages = INT64_MAX},
     DURABILITY_PROCESS}, // one copy may be all
    {{.shape.replication = 3, .min_insync = 1, .flush_messages = 1}, DURABILITY_MACHINE},
    {{.shape.replication = 2, .min_insync = 2, .flush_messages = INT64_MAX}, DURABILITY_BROKER},
    {{.shape.replication = 3, .min_insync = 2, .flush_messages = INT64_MAX}, DURABILITY_BROKER},
    {{.shape.replication = 1, .min_insync = 2, .flush_messages = INT64_MAX},
     DURABILITY_PROCESS}, // there is no second
    {{.shape.replication = 3, .min_insync = 2, .unclean_election = true},
     DURABILITY_PROCESS}, // its leader may lack it
    {{.shape.replication = 3, .min_insync = 2, .flush_messages = 1, .unclean_election = true},
     DURABILITY_MACHINE},
    {{.shape.replication = 3, .min_insync = 2, .unread = "denied"}, DURABILITY_PROCESS},
    {{.shape.replication = 3}, DURABILITY_PROCESS},
};

static void test_kafkas_ack_survives_what_the_copies_it_waits_for_do(void **state) {
  for (size_t i = 0; i < COUNT_OF(topics); i++)
    if (durability_of_topic(&topics[i].facts) != topics[i].durability) fail_msg("row %zu", i);
}

static const char *const topic_names[] = {"dochak.events", "dochak.quarantine"};

static struct durability_watch *watch_for(const char *asked, bool has_spool, struct metrics *metrics) {
  struct err err;
  struct settings settings = {.ack_survives = (char *)(uintptr_t)asked,
                              .spool_dir = (char *)(uintptr_t)(has_spool ? "/spool" : ""),
                              .body_max_bytes = 600000};
  struct durability_watch *watch = durability_watch_new(&settings, metrics, &err);
  if (!watch) fail_msg("%s", err.text);
  return watch;
}

static const char *const levels[] = {"process", "machine", "broker"};

// A topic of that durability.
static struct kafka_facts facts_of(enum durability level) {
  struct kafka_facts facts = {.shape.replication = 3, .min_insync = level == DURABILITY_BROKER ? 2 : 1};
  facts.flush_messages = level == DURABILITY_MACHINE ? 1 : INT64_MAX;
  return facts;
}

enum { NONE = -1, P, M, B };
static const struct {
  int asked, kafka;
  bool has_spool, by_kafka, by_spool;
  int survives;
} decisions[] = {
    // asked, Kafka's, spool → by Kafka, by the spool, survives
    {P, P, false, true, false, P},     {P, P, true, true, true, P},      {P, M, false, true, false, M},
    {P, M, true, true, true, M},       {P, B, false, true, false, B},    {P, B, true, true, true, M},
    {M, P, false, false, false, NONE}, {M, P, true, false, true, M},     {M, M, false, true, false, M},
    {M, M, true, true, true, M},       {M, B, false, true, false, B},    {M, B, true, true, true, M},
    {B, P, false, false, false, NONE}, {B, P, true, false, false, NONE}, {B, M, false, false, false, NONE},
    {B, M, true, false, false, NONE},  {B, B, false, true, false, B},    {B, B, true, true, false, B},
};

static void test_what_survives_less_than_asked_gives_no_ack(void **state) {
  for (size_t i = 0; i < COUNT_OF(decisions); i++) {
    struct metrics *metrics = metrics_new(counters, COUNTER_COUNT);
    struct durability_watch *watch = watch_for(levels[decisions[i].asked], decisions[i].has_spool, metrics);
    const struct kafka_facts facts[] = {facts_of((enum durability)decisions[i].kafka),
                                        facts_of(DURABILITY_BROKER)};
    durability_watch_learn(watch, topic_names, facts, COUNT_OF(facts));
    if (durability_kafka_gives(watch) != decisions[i].by_kafka) fail_msg("row %zu: Kafka", i);
    if (durability_spool_gives(watch) != decisions[i].by_spool) fail_msg("row %zu: spool", i);
    for (int level = P; level <= B; level++)
      if (*metrics_at(metrics, COUNTER_SURVIVES, levels[level]) != (level <= decisions[i].survives))
        fail_msg("row %zu: %s", i, levels[level]);
    durability_watch_free(watch);
    metrics_free(metrics);
  }
}

static void test_no_other_level_is_taken(void **state) {
  struct err err;
  enum durability read;
  for (int level = P; level <= B; level++) {
    assert_true(durability_parse(levels[level], &read, &err));
    assert_int_equal(read, level);
  }
  struct settings settings = {.ack_survives = (char *)(uintptr_t) "rack",
                              .spool_dir = (char *)(uintptr_t) ""};
  struct metrics *metrics = metrics_new(counters, COUNTER_COUNT);
  assert_null(durability_watch_new(&settings, metrics, &err));
  assert_string_equal(err.text, "DOCHAK_ACK_SURVIVES: \"rack\" is none of process, machine, broker");
  metrics_free(metrics);
}

// ---- readiness ----

static void learn(struct durability_watch *watch, int64_t replication, int64_t min_insync,
                  const char *unread) {
  const struct kafka_facts facts[] = {
      {.shape.replication = 3, .min_insync = 2},
      {.shape.replication = replication, .min_insync = min_insync, .unread = unread}};
  durability_watch_learn(watch, topic_names, facts, COUNT_OF(facts));
}

static void assert_survives(struct metrics *metrics, int process, int machine, int broker) {
  assert_int_equal(*metrics_at(metrics, COUNTER_SURVIVES, "process"), process);
  assert_int_equal(*metrics_at(metrics, COUNTER_SURVIVES, "machine"), machine);
  assert_int_equal(*metrics_at(metrics, COUNTER_SURVIVES, "broker"), broker);
}

static void test_the_topic_that_gives_least_decides_until_it_is_mended(void **state) {
  struct metrics *metrics = metrics_new(counters, COUNTER_COUNT);
  struct durability_watch *watch = watch_for("broker", true, metrics);
  assert_false(durability_kafka_gives(watch) || durability_spool_gives(watch)); // nobody has been asked yet
  learn(watch, 3, 1, NULL);
  assert_string_equal(durability_unready(watch),
                      "dochak.quarantine: replication 3, min.insync.replicas 1: an ack "
                      "survives \"process\", DOCHAK_ACK_SURVIVES asks for \"broker\"");
  assert_survives(metrics, 0, 0, 0);
  learn(watch, 3, 2, NULL);
  assert_true(durability_kafka_gives(watch) && !durability_spool_gives(watch));
  assert_null(durability_unready(watch));
  assert_survives(metrics, 1, 1, 1);
  learn(watch, 3, 1, NULL); // somebody has lowered it
  assert_false(durability_kafka_gives(watch));
  assert_non_null(durability_unready(watch));
  durability_watch_free(watch);
  metrics_free(metrics);
}

static void test_settings_that_may_not_be_read_count_as_the_least(void **state) {
  struct metrics *metrics = metrics_new(counters, COUNTER_COUNT);
  struct durability_watch *watch = watch_for("machine", true, metrics);
  learn(watch, 3, 0, "Topic authorization failed");
  assert_false(durability_kafka_gives(watch));
  assert_true(durability_spool_gives(watch));
  assert_non_null(
      strstr(durability_unready(watch), "its settings may not be read (Topic authorization failed)"));
  assert_survives(metrics, 1, 1, 0); // by the spool
  durability_watch_free(watch);
  watch = watch_for("process", true, metrics);
  learn(watch, 3, 0, "Topic authorization failed");
  assert_true(durability_kafka_gives(watch) && durability_spool_gives(watch));
  assert_null(durability_unready(watch));
  assert_survives(metrics, 1, 0, 0);
  durability_watch_free(watch);
  metrics_free(metrics);
}

static void test_a_topic_that_takes_no_body_of_the_allowed_size_is_named(void **state) {
  struct metrics *metrics = metrics_new(counters, COUNTER_COUNT);
  struct durability_watch *watch = watch_for("process", false, metrics);
  struct kafka_facts facts[] = {{.shape.replication = 1, .min_insync = 1, .max_message_bytes = 1048588},
                                {.shape.replication = 1, .min_insync = 1, .max_message_bytes = 620479}};
  durability_watch_learn(watch, topic_names, facts, COUNT_OF(facts));
  assert_string_equal(
      durability_unready(watch),
      "dochak.quarantine: max.message.bytes 620479: DOCHAK_BODY_MAX_BYTES needs at least 620480");
  assert_true(durability_kafka_gives(watch)); // smaller records are durable
  facts[1].max_message_bytes = 620480;
  durability_watch_learn(watch, topic_names, facts, COUNT_OF(facts));
  assert_null(durability_unready(watch));
  facts[0].max_message_bytes = 0; // the broker did not say
  durability_watch_learn(watch, topic_names, facts, COUNT_OF(facts));
  assert_null(durability_unready(watch));
  durability_watch_free(watch);
  watch = watch_for("broker", false, metrics);
  facts[1] = (struct kafka_facts){
      .shape.replication = 3, .min_insync = 2, .unclean_election = true, .max_message_bytes = 1000};
  facts[0] = facts_of(DURABILITY_BROKER);
  durability_watch_learn(watch, topic_names, facts, COUNT_OF(facts));
  assert_string_equal(
      durability_unready(watch),
      "dochak.quarantine: replication 3, min.insync.replicas 2, unclean.leader.election.enable "
      "true: an ack survives \"process\", DOCHAK_ACK_SURVIVES asks for \"broker\"; "
      "dochak.quarantine: max.message.bytes 1000: DOCHAK_BODY_MAX_BYTES needs at least 620480");
  durability_watch_free(watch);
  metrics_free(metrics);
}

// Nothing listens on port 9 of the loopback.
static void test_a_topic_is_not_seen_for_the_reason_of_a_refused_connection(void **state) {
  struct err err;
  struct settings settings = {.kafka_bootstrap = (char *)(uintptr_t) "127.0.0.1:9",
                              .kafka_properties = (char *)(uintptr_t) "",
                              .topic_prefix = (char *)(uintptr_t) "t."};
  struct metrics *metrics = metrics_new(counters, COUNTER_COUNT);
  struct durability_watch *watch = watch_for("process", false, metrics);
  struct breaker *breaker = breaker_new("t.", metrics);
  struct kafka_producer producer;
  if (!kafka_producer_open(&settings, &(struct kafka_producer_options){.patience_ms = 100}, &producer, &err))
    fail_msg("%s", err.text);
  durability_note_refusal(watch, "wrong password");
  if (!durability_watch_start(watch, &producer, breaker, &err)) fail_msg("%s", err.text);
  int64_t deadline_ms = clock_mono_ms() + 20000;
  while (!strstr(durability_unseen(watch), "wrong password") && clock_mono_ms() < deadline_ms)
    clock_sleep_ms(5);
  assert_string_equal(durability_unseen(watch), "topic t.events: wrong password");
  durability_watch_free(watch);
  kafka_producer_close(&producer);
  free(breaker);
  metrics_free(metrics);
}

int main(void) {
  log_init("test", LOG_LEVEL_ERROR);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_kafkas_ack_survives_what_the_copies_it_waits_for_do),
      cmocka_unit_test(test_what_survives_less_than_asked_gives_no_ack),
      cmocka_unit_test(test_no_other_level_is_taken),
      cmocka_unit_test(test_the_topic_that_gives_least_decides_until_it_is_mended),
      cmocka_unit_test(test_settings_that_may_not_be_read_count_as_the_least),
      cmocka_unit_test(test_a_topic_that_takes_no_body_of_the_allowed_size_is_named),
      cmocka_unit_test(test_a_topic_is_not_seen_for_the_reason_of_a_refused_connection),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
