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
  struct err err = {0};
  size_t created = 77;
  int64_t before = clock_mono_ms();
  assert_false(topics_create(rk, topics, COUNT_OF(topics), 8, -1, 200, &created, &err));
  assert_memory_equal(err.text, "creating topics: ", 17);
  assert_int_equal(created, 77);
  assert_true(clock_mono_ms() - before < 3000);
  rd_kafka_destroy(rk);
}

static void test_a_topic_that_librdkafka_refuses_is_named(void **state) {
  rd_kafka_t *rk = client_without_broker();
  struct err err = {0};
  assert_false(topics_create(rk, topics, COUNT_OF(topics), 1000000, -1, 200, NULL, &err));
  assert_memory_equal(err.text, "topic t.events: num_partitions out of", 37);
  rd_kafka_destroy(rk);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_broker_that_is_away_is_an_error_in_time),
      cmocka_unit_test(test_a_topic_that_librdkafka_refuses_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
