// SPDX-License-Identifier: MIT
// What an ack is worth, and which way may give it.
#include "ingress/durable/durability.h"

#include "common/base/log.h"
#include "common/base/mem.h"
#include "ingress/counters.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
  struct kafka_facts facts;
  enum durability worth;
} topics[] = {
    {{.replication = 1, .min_insync = 1, .flush_messages = INT64_MAX}, DURABILITY_PROCESS},
    {{.replication = 1, .min_insync = 1, .flush_messages = 2}, DURABILITY_PROCESS},
    {{.replication = 1, .min_insync = 1, .flush_messages = 1}, DURABILITY_MACHINE},
    {{.replication = 3, .min_insync = 1, .flush_messages = INT64_MAX},
     DURABILITY_PROCESS}, // one copy may be all
    {{.replication = 3, .min_insync = 1, .flush_messages = 1}, DURABILITY_MACHINE},
    {{.replication = 2, .min_insync = 2, .flush_messages = INT64_MAX}, DURABILITY_BROKER},
    {{.replication = 3, .min_insync = 2, .flush_messages = INT64_MAX}, DURABILITY_BROKER},
    {{.replication = 1, .min_insync = 2, .flush_messages = INT64_MAX},
     DURABILITY_PROCESS}, // there is no second
    {{.replication = 3, .min_insync = 2, .unread = "denied"}, DURABILITY_PROCESS},
    {{.replication = 3}, DURABILITY_PROCESS},
};

static void test_kafkas_ack_is_worth_the_copies_it_waits_for(void **state) {
  for (size_t i = 0; i < COUNT_OF(topics); i++)
    if (durability_of_topic(&topics[i].facts) != topics[i].worth) fail_msg("row %zu", i);
}

#define P DURABILITY_PROCESS
#define M DURABILITY_MACHINE
#define B DURABILITY_BROKER
static const struct {
  enum durability asked, kafka;
  bool has_spool;
  struct durability_ways ways;
} decisions[] = {
    // asked, Kafka's, spool → by Kafka, by the spool, any, survives
    {P, P, false, {true, false, true, P}},   {P, P, true, {true, true, true, P}},
    {P, M, false, {true, false, true, M}},   {P, M, true, {true, true, true, M}},
    {P, B, false, {true, false, true, B}},   {P, B, true, {true, true, true, M}},
    {M, P, false, {false, false, false, P}}, {M, P, true, {false, true, true, M}},
    {M, M, false, {true, false, true, M}},   {M, M, true, {true, true, true, M}},
    {M, B, false, {true, false, true, B}},   {M, B, true, {true, true, true, M}},
    {B, P, false, {false, false, false, P}}, {B, P, true, {false, false, false, P}},
    {B, M, false, {false, false, false, P}}, {B, M, true, {false, false, false, P}},
    {B, B, false, {true, false, true, B}},   {B, B, true, {true, false, true, B}},
};

static void test_a_way_that_is_worth_less_than_asked_gives_no_ack(void **state) {
  for (size_t i = 0; i < COUNT_OF(decisions); i++) {
    struct durability_ways want = decisions[i].ways;
    struct durability_ways got =
        durability_ways_for(decisions[i].asked, decisions[i].kafka, decisions[i].has_spool);
    if (got.kafka != want.kafka || got.spool != want.spool || got.any != want.any) fail_msg("row %zu", i);
    if (got.any && got.survives != want.survives) fail_msg("row %zu: %s", i, durability_name(got.survives));
  }
}

static void test_levels_are_read_back_and_no_other_is_taken(void **state) {
  struct err err;
  for (enum durability worth = 0; worth < DURABILITY_COUNT; worth++) {
    enum durability read;
    assert_true(durability_parse(durability_name(worth), &read, &err));
    assert_int_equal(read, worth);
  }
  struct metrics *metrics = metrics_new(counters, COUNTER_COUNT);
  assert_null(durability_watch_new("rack", true, metrics, &err));
  assert_string_equal(err.text, "DOCHAK_ACK_SURVIVES: \"rack\" is none of process, machine, broker");
  metrics_free(metrics);
}

// ---- what is told ----

static const char *const topic_names[] = {"dochak.events", "dochak.quarantine"};

static struct durability_watch *watch_for(const char *asked, bool has_spool, struct metrics *metrics) {
  struct err err;
  struct durability_watch *watch = durability_watch_new(asked, has_spool, metrics, &err);
  assert_non_null(watch);
  return watch;
}

static void learn(struct durability_watch *watch, int64_t replication, int64_t min_insync,
                  const char *unread) {
  const struct kafka_facts facts[] = {
      {.replication = 3, .min_insync = 2},
      {.replication = replication, .min_insync = min_insync, .unread = unread}};
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

int main(void) {
  log_init("test", LOG_LEVEL_ERROR);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_kafkas_ack_is_worth_the_copies_it_waits_for),
      cmocka_unit_test(test_a_way_that_is_worth_less_than_asked_gives_no_ack),
      cmocka_unit_test(test_levels_are_read_back_and_no_other_is_taken),
      cmocka_unit_test(test_the_topic_that_gives_least_decides_until_it_is_mended),
      cmocka_unit_test(test_settings_that_may_not_be_read_count_as_the_least),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
