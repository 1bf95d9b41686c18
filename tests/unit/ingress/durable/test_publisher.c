// SPDX-License-Identifier: MIT
// Durable or not, on librdkafka's mock broker.
#include "common/base/clock.h"
#include "common/base/log.h"
#include "ingress/counters.h"
#include "ingress/durable/publisher.h"
#include "tests/unit/support/messages.h"
#include "tests/unit/support/mock.h"
#include "tests/unit/support/output.h"
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
  struct mock mock;
  struct metrics *metrics;
  struct publisher *publisher;
};

static void wait_ready(const struct publisher *publisher) {
  int64_t deadline = clock_mono_ms() + 10000;
  while (publisher_unready(publisher) && clock_mono_ms() < deadline) clock_sleep_ms(5);
  assert_null(publisher_unready(publisher));
}

static int set_up(void **state) {
  struct fixture *f = mem_alloc(sizeof *f);
  struct err err;
  mock_init(&f->mock);
  f->metrics = metrics_new(counters, COUNTER_COUNT);
  f->publisher = publisher_open(&f->mock.settings, f->metrics, &err);
  assert_non_null(f->publisher);
  wait_ready(f->publisher);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  publisher_close(f->publisher, 1000);
  metrics_free(f->metrics);
  mock_fini(&f->mock);
  free(f);
  return 0;
}

static enum publisher_result publish_three(struct fixture *f, int64_t budget_ms) {
  const struct publisher_message messages[] = {message_of("a", "{1}"), message_of("b", "{2}"),
                                               message_of(NULL, "")};
  return publish_within(f->publisher, messages, COUNT_OF(messages), budget_ms);
}

static void test_durable_means_that_all_are_on_the_topic(void **state) {
  struct fixture *f = *state;
  assert_int_equal(publish_three(f, 5000), PUBLISHER_DURABLE);
  struct mock_records records = mock_read(&f->mock, "dochak.events");
  assert_int_equal(records.n, 3);
  const struct mock_record *first = mock_find(&records, "{1}"), *empty = mock_find(&records, "");
  assert_memory_equal(first->rkm->key, "a", 1);
  assert_int_equal(empty->rkm->key_len, 0);
  mock_records_fini(&records);
}

static void test_nothing_to_publish_is_durable(void **state) {
  struct fixture *f = *state;
  assert_int_equal(publish_within(f->publisher, NULL, 0, 1), PUBLISHER_DURABLE);
}

static void test_a_slow_broker_costs_no_more_than_the_budget(void **state) {
  struct fixture *f = *state;
  rd_kafka_mock_broker_set_rtt(f->mock.cluster, 1, 800);
  int64_t began = clock_mono_ms();
  assert_int_equal(publish_three(f, 100), PUBLISHER_UNAVAILABLE);
  assert_in_range(clock_mono_ms() - began, 100, 700);
  rd_kafka_mock_broker_set_rtt(f->mock.cluster, 1, 0);
  assert_int_equal(publish_three(f, 5000), PUBLISHER_DURABLE); // and the late reports found their ticket
}

static void test_a_refused_record_is_told_at_once(void **state) {
  struct fixture *f = *state;
  const struct publisher_message message = message_of("a", "{1}");
  rd_kafka_mock_push_request_errors(f->mock.cluster, MOCK_PRODUCE, 1, RD_KAFKA_RESP_ERR_INVALID_RECORD);
  int64_t began = clock_mono_ms();
  assert_int_equal(publish_within(f->publisher, &message, 1, 5000), PUBLISHER_UNAVAILABLE);
  assert_true(clock_mono_ms() - began < 4000);
  assert_int_equal(atomic_load(metrics_at(f->metrics, COUNTER_KAFKA_ERRORS, "INVALID_RECORD")), 1);
}

static void test_a_broker_that_is_down_is_unavailable_and_comes_back(void **state) {
  struct fixture *f = *state;
  rd_kafka_mock_broker_set_down(f->mock.cluster, 1);
  assert_int_equal(publish_three(f, 200), PUBLISHER_UNAVAILABLE);
  rd_kafka_mock_broker_set_up(f->mock.cluster, 1);
  assert_int_equal(publish_three(f, 5000), PUBLISHER_DURABLE);
}

static void test_a_value_over_the_limit_is_told_and_no_outage(void **state) {
  struct fixture *f = *state;
  enum { TOO_LARGE = 2000000 };
  AUTO_FREE char *large = mem_alloc(TOO_LARGE);
  struct publisher_message messages[] = {message_of("a", "{1}"), message_of("b", "")};
  messages[1].value = large;
  messages[1].value_len = TOO_LARGE;
  static struct output output;
  output_begin(&output);
  log_init("test", LOG_LEVEL_INFO);
  rd_kafka_mock_push_request_errors(f->mock.cluster, MOCK_PRODUCE, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  assert_int_equal(publish_within(f->publisher, messages, 1, 5000), PUBLISHER_TOO_LARGE);
  assert_int_equal(publish_within(f->publisher, messages, 2, 5000), PUBLISHER_TOO_LARGE);
  log_init("test", LOG_LEVEL_ERROR);
  output_end(&output);
  assert_non_null(strstr(output.text, "\"bytes\":2000000"));
  assert_null(strstr(output.text, "does not take events"));
  assert_int_equal(publish_within(f->publisher, messages, 1, 5000), PUBLISHER_DURABLE);
}

static void *publish_many(void *arg) {
  struct fixture *f = arg;
  intptr_t durable = 0;
  for (int i = 0; i < 50; i++) durable += publish_three(f, 5000) == PUBLISHER_DURABLE;
  return (void *)durable;
}

static void test_many_threads_publish_at_once(void **state) {
  pthread_t threads[8];
  for (size_t i = 0; i < COUNT_OF(threads); i++) pthread_create(&threads[i], NULL, publish_many, *state);
  for (size_t i = 0; i < COUNT_OF(threads); i++) {
    void *durable;
    pthread_join(threads[i], &durable);
    assert_int_equal((intptr_t)durable, 50);
  }
}

static void test_kafka_away_at_start_is_unavailable_at_once(void **state) {
  struct metrics *metrics = metrics_new(counters, COUNTER_COUNT);
  struct settings settings = {.kafka_bootstrap = mem_strdup("127.0.0.1:1"),
                              .kafka_properties = mem_strdup(""),
                              .topic_prefix = mem_strdup("dochak."),
                              .spool_dir = mem_strdup(""),
                              .ack_survives = mem_strdup("process"),
                              .ack_budget_ms = 100};
  struct err err;
  struct publisher *publisher = publisher_open(&settings, metrics, &err);
  assert_non_null(publisher);
  assert_non_null(publisher_unready(publisher));
  struct fixture f = {.publisher = publisher};
  int64_t began = clock_mono_ms();
  assert_int_equal(publish_three(&f, 5000), PUBLISHER_UNAVAILABLE);
  assert_true(clock_mono_ms() - began < 1000);
  publisher_close(publisher, 100);
  metrics_free(metrics);
  settings_fini(&settings);
}

// ---- with a spool ----

struct spooling {
  struct fixture f;
  char dir[32];
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
  (void)st, (void)type, (void)ftw;
  return remove(path);
}

static void open_spooling(struct fixture *f) {
  struct err err;
  f->metrics = metrics_new(counters, COUNTER_COUNT);
  f->publisher = publisher_open(&f->mock.settings, f->metrics, &err);
  if (!f->publisher) fail_msg("%s", err.text);
}

static int64_t counted(const struct fixture *f, enum counter id, const char *label) {
  return atomic_load(metrics_at(f->metrics, id, label));
}

static void wait_for(const struct fixture *f, enum counter id, int64_t value) {
  int64_t deadline = clock_mono_ms() + 20000;
  while (counted(f, id, NULL) != value && clock_mono_ms() < deadline) clock_sleep_ms(5);
  assert_int_equal(counted(f, id, NULL), value);
}

static int set_up_spool(void **state) {
  struct spooling *s = mem_alloc(sizeof *s);
  strcpy(s->dir, "/tmp/dochak-publisher-XXXXXX");
  if (!mkdtemp(s->dir)) return 1;
  mock_init(&s->f.mock);
  free(s->f.mock.settings.spool_dir);
  s->f.mock.settings.spool_dir = mem_strdup(s->dir);
  open_spooling(&s->f);
  assert_null(publisher_unready(s->f.publisher)); // Kafka need not have been seen
  wait_for(&s->f, COUNTER_BREAKER, 0);
  *state = s;
  return 0;
}

static int tear_down_spool(void **state) {
  struct spooling *s = *state;
  publisher_close(s->f.publisher, 1000);
  metrics_free(s->f.metrics);
  mock_fini(&s->f.mock);
  nftw(s->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
  free(s);
  return 0;
}

enum { PATIENT_MS = 900 }; // the spool's part of it is enough for a disk that others use, too

static void test_what_kafka_does_not_take_in_time_is_durable_in_the_spool(void **state) {
  struct fixture *f = *state;
  rd_kafka_mock_broker_set_rtt(f->mock.cluster, 1, 3000);
  int64_t began = clock_mono_ms();
  assert_int_equal(publish_three(f, 1000), PUBLISHER_DURABLE);
  assert_in_range(clock_mono_ms() - began, 600, 1000); // 300 ms are the spool's
  assert_int_equal(counted(f, COUNTER_DURABLE, "spool"), 3);
  rd_kafka_mock_broker_set_rtt(f->mock.cluster, 1, 0);
  wait_for(f, COUNTER_SPOOL_EVENTS, 0);
}

static void test_after_failures_nobody_waits_until_kafka_is_heard_of_again(void **state) {
  struct fixture *f = *state;
  rd_kafka_mock_broker_set_down(f->mock.cluster, 1);
  for (int i = 0; i < 3; i++) assert_int_equal(publish_three(f, PATIENT_MS), PUBLISHER_DURABLE);
  assert_true(counted(f, COUNTER_BREAKER, NULL) > 0);
  int64_t began = clock_mono_ms();
  assert_int_equal(publish_three(f, 10000), PUBLISHER_DURABLE);
  assert_true(clock_mono_ms() - began < 2000);
  assert_null(publisher_unready(f->publisher));
  rd_kafka_mock_broker_set_up(f->mock.cluster, 1);
  wait_for(f, COUNTER_SPOOL_EVENTS, 0);
  // The first batch may have waited too long to say that Kafka is quick; the next one does.
  int64_t deadline = clock_mono_ms() + 20000;
  while (counted(f, COUNTER_BREAKER, NULL) && clock_mono_ms() < deadline) {
    assert_int_equal(publish_three(f, 5000), PUBLISHER_DURABLE);
    clock_sleep_ms(20);
  }
  int64_t by_kafka = counted(f, COUNTER_DURABLE, "kafka");
  assert_int_equal(publish_three(f, 5000), PUBLISHER_DURABLE);
  assert_int_equal(counted(f, COUNTER_DURABLE, "kafka"), by_kafka + 3);
}

static void test_what_is_too_large_for_kafka_is_told_and_not_spooled(void **state) {
  struct fixture *f = *state;
  enum { TOO_LARGE = 2000000 };
  AUTO_FREE char *large = mem_alloc(TOO_LARGE);
  struct publisher_message message = message_of("b", "");
  message.value = large;
  message.value_len = TOO_LARGE;
  assert_int_equal(publish_within(f->publisher, &message, 1, 5000), PUBLISHER_TOO_LARGE);
  assert_int_equal(counted(f, COUNTER_DURABLE, "spool"), 0);
}

static void test_a_close_with_kafka_away_is_quick_and_the_next_start_sends_the_rest(void **state) {
  struct fixture *f = *state;
  rd_kafka_mock_broker_set_down(f->mock.cluster, 1);
  for (int i = 0; i < 4; i++) assert_int_equal(publish_three(f, PATIENT_MS), PUBLISHER_DURABLE);
  int64_t began = clock_mono_ms();
  publisher_close(f->publisher, 10000);
  assert_true(clock_mono_ms() - began < 6000);
  metrics_free(f->metrics);
  rd_kafka_mock_broker_set_up(f->mock.cluster, 1);
  open_spooling(f);
  wait_for(f, COUNTER_SPOOL_EVENTS, 0);
  struct mock_records records = mock_read(&f->mock, "dochak.events");
  assert_true(records.n >= 12);
  mock_records_fini(&records);
}

int main(void) {
  log_init("test", LOG_LEVEL_ERROR);
// A report that another test left behind would take the error meant for this one.
#define OWN_CLUSTER(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_durable_means_that_all_are_on_the_topic),
      cmocka_unit_test(test_nothing_to_publish_is_durable),
      cmocka_unit_test(test_a_slow_broker_costs_no_more_than_the_budget),
      OWN_CLUSTER(test_a_refused_record_is_told_at_once),
      cmocka_unit_test(test_a_broker_that_is_down_is_unavailable_and_comes_back),
      OWN_CLUSTER(test_a_value_over_the_limit_is_told_and_no_outage),
      cmocka_unit_test(test_many_threads_publish_at_once),
      cmocka_unit_test(test_kafka_away_at_start_is_unavailable_at_once),
  };
#define SPOOLING(name) cmocka_unit_test_setup_teardown(name, set_up_spool, tear_down_spool)
  const struct CMUnitTest spooling[] = {
      SPOOLING(test_what_kafka_does_not_take_in_time_is_durable_in_the_spool),
      SPOOLING(test_after_failures_nobody_waits_until_kafka_is_heard_of_again),
      SPOOLING(test_what_is_too_large_for_kafka_is_told_and_not_spooled),
      SPOOLING(test_a_close_with_kafka_away_is_quick_and_the_next_start_sends_the_rest),
  };
  int failed = cmocka_run_group_tests(tests, set_up, tear_down); // a mock cluster takes a second to go
  failed += cmocka_run_group_tests(spooling, NULL, NULL);
  return failed;
}
