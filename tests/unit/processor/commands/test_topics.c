// SPDX-License-Identifier: MIT
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "processor/commands/topics.h"
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const topics[] = {"t.events", "t.alerts"};
static const struct topics_options options = {.timeout_ms = 200};

static struct settings settings_with(int64_t partitions) {
  return (struct settings){.kafka_bootstrap = (char *)(uintptr_t) "kafka:9092",
                           .topic_partitions = partitions,
                           .topic_replication = -1,
                           .topic_retention_days = 30};
}

// Nothing listens on port 9 of the loopback.
static rd_kafka_t *client_without_broker(void) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set_log_cb(conf, NULL);
  assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", "127.0.0.1:9", NULL, 0), RD_KAFKA_CONF_OK);
  rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
  assert_non_null(rk);
  return rk;
}

static void test_a_broker_that_is_away_is_an_error_in_time(void **state) {
  rd_kafka_t *rk = client_without_broker();
  struct settings settings = settings_with(8);
  struct err err = {0};
  bool created[COUNT_OF(topics)];
  int64_t before = clock_mono_ms();
  assert_false(topics_create(rk, topics, COUNT_OF(topics), &settings, &options, created, &err));
  assert_memory_equal(err.text, "creating topics: ", 17);
  assert_false(created[0] || created[1]);
  assert_true(clock_mono_ms() - before < 3000);
  rd_kafka_destroy(rk);
}

static void test_a_refused_connection_is_not_waited_out(void **state) {
  rd_kafka_t *rk = client_without_broker();
  struct settings settings = settings_with(8);
  struct err err = {0}, refusal = {.text = "wrong password"};
  const struct topics_options refused = {.timeout_ms = 3000, .refusal = &refusal};
  bool created[COUNT_OF(topics)];
  int64_t before = clock_mono_ms();
  assert_false(topics_create(rk, topics, COUNT_OF(topics), &settings, &refused, created, &err));
  assert_string_equal(err.text, "creating topics: wrong password");
  assert_true(clock_mono_ms() - before < 3000);
  rd_kafka_destroy(rk);
}

static void test_a_topic_that_librdkafka_refuses_is_named(void **state) {
  rd_kafka_t *rk = client_without_broker();
  struct settings settings = settings_with(1000000);
  struct err err = {0};
  bool created[COUNT_OF(topics)];
  assert_false(topics_create(rk, topics, COUNT_OF(topics), &settings, &options, created, &err));
  assert_memory_equal(err.text, "topic t.events: num_partitions out of", 37);
  rd_kafka_destroy(rk);
}

static const int64_t MONTH_MS = INT64_C(2592000000);
#define CONFIGS "kafka-configs.sh --bootstrap-server kafka:9092 --alter --topic t.events --add-config "

static const struct {
  struct kafka_facts facts;
  const char *expected; // NULL: no difference
} differences[] = {
    {{.shape.partitions = 8, .shape.replication = 1, .retention_ms = MONTH_MS, .retention_bytes = -1}, NULL},
    {{.shape.partitions = 16, .shape.replication = 3, .retention_ms = MONTH_MS, .retention_bytes = -1}, NULL},
    {{.shape.partitions = 8, .retention_ms = KAFKA_FACTS_UNKNOWN, .retention_bytes = KAFKA_FACTS_UNKNOWN},
     NULL},
    {{.shape.partitions = 1, .retention_ms = MONTH_MS, .retention_bytes = -1},
     "t.events: partitions 1, DOCHAK_TOPIC_PARTITIONS asks for 8: kafka-topics.sh --bootstrap-server "
     "kafka:9092 --alter --topic t.events --partitions 8"},
    {{.shape.partitions = 8, .retention_ms = 604800000, .retention_bytes = -1},
     "t.events: retention.ms 604800000, DOCHAK_TOPIC_RETENTION_DAYS asks for 30 days: " CONFIGS
     "retention.ms=2592000000"},
    {{.shape.partitions = 8, .retention_ms = -1, .retention_bytes = -1},
     "t.events: retention.ms -1, DOCHAK_TOPIC_RETENTION_DAYS asks for 30 days: " CONFIGS
     "retention.ms=2592000000"},
    {{.shape.partitions = 8, .retention_ms = MONTH_MS, .retention_bytes = 1000},
     "t.events: retention.bytes 1000: Kafka may delete records before their time: " CONFIGS
     "retention.bytes=-1"},
    {{.shape.partitions = 8, .retention_ms = MONTH_MS, .retention_bytes = -1, .max_message_bytes = 1000},
     "t.events: max.message.bytes 1000, a record may need 1048576: " CONFIGS "max.message.bytes=1048576"},
    {{.shape.partitions = 8, .unread = "Broker: Topic authorization failed", .compacts = true},
     "t.events: its settings may not be read (Broker: Topic authorization failed)"},
};

static void test_each_difference_comes_with_the_command_that_changes_it(void **state) {
  struct settings settings = settings_with(8);
  for (size_t i = 0; i < COUNT_OF(differences); i++) {
    struct faults faults = {0};
    topics_compare("t.events", &differences[i].facts, &settings, &faults);
    assert_int_equal(faults.n_errors, 0);
    assert_int_equal(faults.n, differences[i].expected != NULL);
    if (faults.n) assert_string_equal(faults.list[0].text, differences[i].expected);
    faults_fini(&faults);
  }
}

static void test_a_topic_with_too_few_replicas_is_named(void **state) {
  struct settings settings = settings_with(8);
  settings.topic_replication = 3;
  struct kafka_facts facts = {
      .shape.partitions = 8, .shape.replication = 2, .retention_ms = MONTH_MS, .retention_bytes = -1};
  struct faults faults = {0};
  topics_compare("t.events", &facts, &settings, &faults);
  assert_int_equal(faults.n, 1);
  assert_memory_equal(faults.list[0].text,
                      "t.events: replication 2, DOCHAK_TOPIC_REPLICATION asks for 3: ", 62);
  faults_fini(&faults);
}

static void test_a_topic_that_is_compacted_is_an_error(void **state) {
  struct settings settings = settings_with(8);
  struct kafka_facts facts = {
      .shape.partitions = 8, .retention_ms = MONTH_MS, .retention_bytes = -1, .compacts = true};
  struct faults faults = {0};
  topics_compare("t.events", &facts, &settings, &faults);
  assert_int_equal(faults.n_errors, 1);
  assert_non_null(strstr(faults.list[0].text, CONFIGS "cleanup.policy=delete"));
  faults_fini(&faults);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_broker_that_is_away_is_an_error_in_time),
      cmocka_unit_test(test_a_refused_connection_is_not_waited_out),
      cmocka_unit_test(test_a_topic_that_librdkafka_refuses_is_named),
      cmocka_unit_test(test_each_difference_comes_with_the_command_that_changes_it),
      cmocka_unit_test(test_a_topic_with_too_few_replicas_is_named),
      cmocka_unit_test(test_a_topic_that_is_compacted_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
