// SPDX-License-Identifier: MIT
// Durable or not, on librdkafka's mock broker. All tests share one cluster; each has topics of its own.
#include "common/base/clock.h"
#include "common/base/log.h"
#include "ingress/counters.h"
#include "ingress/durable/publisher.h"
#include "tests/unit/support/folder.h"
#include "tests/unit/support/messages.h"
#include "tests/unit/support/mock.h"
#include "tests/unit/support/output.h"
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { FAR_MS = 20000 };

static struct mock mock;
static char *keys[MOCK_PARTITIONS]; // one of each partition

struct fixture {
  struct metrics *metrics;
  struct publisher *publisher;
  char *topic;
  char dir[32]; // of the spool, or ""
};

static int start_mock(void **state) {
  mock_init(&mock);
  for (int i = 0, found = 0; found < MOCK_PARTITIONS; i++) {
    char *key = mem_printf("key-%d", i);
    char **at = &keys[rd_kafka_msg_partitioner_murmur2(NULL, key, strlen(key), MOCK_PARTITIONS, NULL, NULL)];
    found += !*at;
    if (*at)
      free(key);
    else
      *at = key;
  }
  return 0;
}

static int64_t counted(const struct fixture *f, enum counter id, const char *label) {
  return atomic_load(metrics_at(f->metrics, id, label));
}

static void wait_for(const struct fixture *f, enum counter id, int64_t value) {
  int64_t deadline = clock_mono_ms() + FAR_MS;
  while (counted(f, id, NULL) != value && clock_mono_ms() < deadline) clock_sleep_ms(2);
  assert_int_equal(counted(f, id, NULL), value);
}

static void open_publisher(struct fixture *f) {
  struct err err;
  f->metrics = metrics_new(counters, COUNTER_COUNT);
  f->publisher = publisher_open(&mock.settings, f->metrics, &err);
  if (!f->publisher) fail_msg("%s", err.text);
}

static void close_publisher(struct fixture *f) {
  publisher_close(f->publisher, 1000);
  metrics_free(f->metrics);
}

static struct fixture *fixture_new(void) {
  struct fixture *f = mem_alloc(sizeof *f);
  mock_renew_topics(&mock);
  f->topic = kafka_topic_name(mock.settings.topic_prefix, KAFKA_TOPIC_EVENTS);
  return f;
}

static int set_up(void **state) {
  struct fixture *f = *state = fixture_new();
  open_publisher(f);
  wait_for(f, COUNTER_BREAKER, 0);
  assert_null(publisher_unready(f->publisher));
  return 0;
}

static pthread_t closers[64];
static size_t n_closers;

static void *fixture_free(void *arg) {
  struct fixture *f = arg;
  close_publisher(f);
  if (*f->dir) folder_remove(f->dir);
  free(f->topic);
  free(f);
  return NULL;
}

// The cluster is well for the next test, whatever this one asserted. A close waits for the question about the
// topics' settings, which the mock broker lets time out: the next test need not.
static int tear_down(void **state) {
  rd_kafka_mock_clear_request_errors(mock.cluster, MOCK_PRODUCE);
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 0);
  rd_kafka_mock_broker_set_up(mock.cluster, 1);
  *mock.settings.spool_dir = '\0';
  return pthread_create(&closers[n_closers++], NULL, fixture_free, *state);
}

static int stop_mock(void **state) {
  for (size_t i = 0; i < n_closers; i++) pthread_join(closers[i], NULL);
  mock_fini(&mock);
  for (size_t i = 0; i < COUNT_OF(keys); i++) free(keys[i]);
  return 0;
}

// With a spool, Kafka need not have been seen.
static void wait_ready(const struct fixture *f) {
  int64_t deadline = clock_mono_ms() + 20000;
  while (publisher_unready(f->publisher) && clock_mono_ms() < deadline) clock_sleep_ms(1);
  assert_null(publisher_unready(f->publisher));
}

static void use_spool(struct fixture *f) {
  strcpy(f->dir, "/tmp/dochak-publisher-XXXXXX");
  assert_non_null(mkdtemp(f->dir));
  free(mock.settings.spool_dir);
  mock.settings.spool_dir = mem_strdup(f->dir);
}

static int set_up_spool(void **state) {
  struct fixture *f = *state = fixture_new();
  use_spool(f);
  open_publisher(f);
  wait_ready(f);
  wait_for(f, COUNTER_BREAKER, 0);
  return 0;
}

static bool publish_one(struct fixture *f, const char *key, int64_t budget_ms) {
  const struct publisher_message message = message_of(key, "{}");
  return publish_within(f->publisher, &message, 1, budget_ms);
}

static bool publish_three(struct fixture *f, int64_t budget_ms) {
  const struct publisher_message messages[] = {message_of("a", "{1}"), message_of("b", "{2}"),
                                               message_of(NULL, "")};
  return publish_within(f->publisher, messages, COUNT_OF(messages), budget_ms);
}

static void test_durable_means_that_all_are_on_the_topic(void **state) {
  struct fixture *f = *state;
  assert_true(publish_three(f, 5000));
  struct mock_records records = mock_read(&mock, f->topic);
  assert_int_equal(records.n, 3);
  const struct mock_record *first = mock_find(&records, "{1}"), *empty = mock_find(&records, "");
  assert_memory_equal(first->rkm->key, "a", 1);
  assert_int_equal(empty->rkm->key_len, 0);
  mock_records_fini(&records);
}

static void test_nothing_to_publish_is_durable(void **state) {
  struct fixture *f = *state;
  assert_true(publish_within(f->publisher, NULL, 0, 1));
}

static void test_a_slow_broker_costs_no_more_than_the_budget(void **state) {
  struct fixture *f = *state;
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 800);
  int64_t began = clock_mono_ms();
  assert_false(publish_three(f, 100));
  assert_in_range(clock_mono_ms() - began, 100, 700);
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 0);
  assert_true(publish_three(f, 5000)); // and the late reports found their ticket
}

static void test_a_refused_record_is_told_at_once(void **state) {
  struct fixture *f = *state;
  const struct publisher_message message = message_of("a", "{1}");
  rd_kafka_mock_push_request_errors(mock.cluster, MOCK_PRODUCE, 1, RD_KAFKA_RESP_ERR_INVALID_RECORD);
  int64_t began = clock_mono_ms();
  assert_false(publish_within(f->publisher, &message, 1, 5000));
  assert_true(clock_mono_ms() - began < 4000);
  assert_int_equal(atomic_load(metrics_at(f->metrics, COUNTER_KAFKA_ERRORS, "INVALID_RECORD")), 1);
}

static void test_a_broker_that_is_down_is_unavailable_and_comes_back(void **state) {
  struct fixture *f = *state;
  rd_kafka_mock_broker_set_down(mock.cluster, 1);
  assert_false(publish_three(f, 200));
  rd_kafka_mock_broker_set_up(mock.cluster, 1);
  assert_true(publish_three(f, 5000));
}

static struct publisher_message large_message(const char *key) {
  enum { TOO_LARGE = 2000000 };
  static const char large[TOO_LARGE];
  struct publisher_message message = message_of(key, "");
  message.value = large;
  message.value_len = TOO_LARGE;
  return message;
}

// By librdkafka, and by the broker.
static void test_a_value_over_the_limit_is_unavailable_without_a_spool_and_no_outage(void **state) {
  struct fixture *f = *state;
  const struct publisher_message messages[] = {message_of("a", "{1}"), large_message("b")};
  rd_kafka_mock_push_request_errors(mock.cluster, MOCK_PRODUCE, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  assert_false(publish_within(f->publisher, messages, 1, 5000));
  assert_false(publish_within(f->publisher, messages, 2, 5000));
  assert_int_equal(counted(f, COUNTER_KAFKA_ERRORS, "MSG_SIZE_TOO_LARGE"), 3); // the last one was tried twice
  assert_int_equal(counted(f, COUNTER_BREAKER, NULL), 0);
  assert_true(publish_within(f->publisher, messages, 1, 5000));
}

static void *publish_many(void *arg) {
  struct fixture *f = arg;
  intptr_t durable = 0;
  for (int i = 0; i < 50; i++) durable += publish_three(f, 5000);
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
  struct fixture f = {.publisher = publisher, .metrics = metrics};
  int64_t began = clock_mono_ms();
  assert_false(publish_three(&f, 5000));
  assert_true(clock_mono_ms() - began < 1000);
  publisher_close(publisher, 100);
  metrics_free(metrics);
  settings_fini(&settings);
}

// Kafka is away, and a request is waiting for it all the same.
struct trial {
  struct fixture *f;
  pthread_t thread;
  int64_t until_ms;
  bool durable;
};

static void *try_kafka(void *arg) {
  struct trial *trial = arg;
  do {
    trial->durable = publish_one(trial->f, keys[0], FAR_MS); // another one may have been first
  } while (!trial->durable && clock_mono_ms() < trial->until_ms);
  return NULL;
}

// How long the quickest of some requests took to be refused: one of them may have been the trial itself.
static int64_t refused_after_ms(struct fixture *f) {
  int64_t least_ms = INT64_MAX;
  for (int i = 0; i < 5; i++) {
    clock_sleep_ms(20);
    int64_t began = clock_mono_ms();
    assert_false(publish_one(f, keys[0], 2000));
    int64_t took_ms = clock_mono_ms() - began;
    if (took_ms < least_ms) least_ms = took_ms;
  }
  return least_ms;
}

static void test_one_request_at_a_time_waits_for_a_kafka_that_is_away(void **state) {
  struct fixture *f = *state;
  struct trial trial = {.f = f, .until_ms = clock_mono_ms() + FAR_MS};
  rd_kafka_mock_broker_set_down(mock.cluster, 1);
  assert_false(publish_one(f, keys[0], 100));
  pthread_create(&trial.thread, NULL, try_kafka, &trial);
  int64_t refused_ms = refused_after_ms(f);
  rd_kafka_mock_broker_set_up(mock.cluster, 1);
  pthread_join(trial.thread, NULL);
  assert_true(refused_ms < 500); // one that waits takes four times as long
  assert_true(trial.durable);
  wait_for(f, COUNTER_BREAKER, 0);
  assert_true(publish_one(f, keys[0], 5000));
}

static void set_leader(const struct fixture *f, int32_t partition, bool has_leader) {
  rd_kafka_mock_partition_set_leader(mock.cluster, f->topic, partition, has_leader ? 1 : -1);
}

static void test_a_request_that_waits_for_a_dead_partition_keeps_none_from_trying_another(void **state) {
  struct fixture *f = *state;
  struct trial trial = {.f = f};
  for (int32_t i = 0; i < 2; i++) {
    set_leader(f, i, false);
    assert_false(publish_one(f, keys[i], 100));
  }
  assert_int_equal(counted(f, COUNTER_BREAKER, NULL), 2);
  pthread_create(&trial.thread, NULL, try_kafka, &trial);
  clock_sleep_ms(50);
  set_leader(f, 1, true);
  bool other = publish_one(f, keys[1], 10000);
  set_leader(f, 0, true);
  pthread_join(trial.thread, NULL);
  assert_true(other);
  assert_true(trial.durable);
}

static void test_the_next_request_may_try_after_the_one_before(void **state) {
  struct fixture *f = *state;
  rd_kafka_mock_broker_set_down(mock.cluster, 1);
  for (int i = 0; i < 4; i++) { // the first finds it sick
    int64_t began = clock_mono_ms();
    assert_false(publish_one(f, keys[0], 60));
    assert_true(clock_mono_ms() - began >= 55);
  }
}

static void test_a_wait_that_is_too_short_says_nothing_about_kafka(void **state) {
  struct fixture *f = *state;
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 300);
  assert_false(publish_three(f, 10));
  assert_int_equal(counted(f, COUNTER_BREAKER, NULL), 0);
  assert_false(publish_three(f, 100));
  assert_true(counted(f, COUNTER_BREAKER, NULL) > 0);
}

// Without a spool a slow Kafka is better than none.
static void test_a_slow_kafka_is_used_where_there_is_no_spool(void **state) {
  struct fixture *f = *state;
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 600);
  assert_false(publish_one(f, keys[0], 100));
  assert_int_equal(counted(f, COUNTER_BREAKER, NULL), 1);
  assert_true(publish_one(f, keys[0], 5000));
  assert_int_equal(counted(f, COUNTER_BREAKER, NULL), 0);
}

static void test_a_cluster_that_is_back_is_noticed_without_any_event(void **state) {
  struct fixture *f = *state;
  rd_kafka_mock_broker_set_down(mock.cluster, 1);
  wait_for(f, COUNTER_BREAKER, 1);
  rd_kafka_mock_broker_set_up(mock.cluster, 1);
  wait_for(f, COUNTER_BREAKER, 0);
  assert_true(publish_three(f, 5000));
}

// ---- with a spool ----

enum { PATIENT_MS = 900 }; // the spool's part of it is enough for a disk that others use, too

static void test_what_kafka_does_not_take_in_time_is_durable_in_the_spool(void **state) {
  struct fixture *f = *state;
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 3000);
  int64_t began = clock_mono_ms();
  assert_true(publish_three(f, 1000));
  assert_in_range(clock_mono_ms() - began, 600, 1000); // 300 ms are the spool's
  assert_int_equal(counted(f, COUNTER_DURABLE, "spool"), 3);
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 0);
  wait_for(f, COUNTER_SPOOL_EVENTS, 0);
}

static void test_after_a_failure_nobody_waits_until_kafka_is_back(void **state) {
  struct fixture *f = *state;
  rd_kafka_mock_broker_set_down(mock.cluster, 1);
  wait_for(f, COUNTER_BREAKER, 1); // librdkafka says so
  int64_t began = clock_mono_ms();
  for (int i = 0; i < 3; i++) assert_true(publish_three(f, 10000));
  assert_true(clock_mono_ms() - began < 2000);
  assert_null(publisher_unready(f->publisher));
  rd_kafka_mock_broker_set_up(mock.cluster, 1);
  wait_for(f, COUNTER_SPOOL_EVENTS, 0);
  wait_for(f, COUNTER_BREAKER, 0); // without another event
  int64_t by_kafka = counted(f, COUNTER_DURABLE, "kafka");
  assert_true(publish_three(f, 5000));
  assert_int_equal(counted(f, COUNTER_DURABLE, "kafka"), by_kafka + 3);
}

static void test_a_sick_partition_costs_one_request_its_budget_and_the_others_nothing(void **state) {
  struct fixture *f = *state;
  assert_true(publish_one(f, keys[0], 5000));
  set_leader(f, 0, false);
  int64_t began = clock_mono_ms();
  assert_true(publish_one(f, keys[0], PATIENT_MS));
  assert_true(clock_mono_ms() - began >= PATIENT_MS / 3);
  assert_int_equal(counted(f, COUNTER_BREAKER, NULL), 1);
  assert_int_equal(counted(f, COUNTER_KAFKA_ERRORS, "_TIMED_OUT"), 1);
  began = clock_mono_ms();
  for (int i = 0; i < 5; i++) assert_true(publish_one(f, keys[0], 10000));
  assert_true(clock_mono_ms() - began < 2000);
  assert_int_equal(counted(f, COUNTER_DURABLE, "spool"), 6);
  for (int i = 0; i < 5; i++) assert_true(publish_one(f, keys[1], 5000));
  for (int i = 0; i < 6; i++) assert_true(publish_one(f, NULL, 5000));
  assert_int_equal(counted(f, COUNTER_DURABLE, "spool"), 6);
  assert_int_equal(counted(f, COUNTER_DURABLE, "kafka"), 12);
  set_leader(f, 0, true);
  wait_for(f, COUNTER_SPOOL_EVENTS, 0);
  wait_for(f, COUNTER_BREAKER, 0);
  assert_true(publish_one(f, keys[0], 5000));
  assert_int_equal(counted(f, COUNTER_DURABLE, "kafka"), 13);
}

// The acknowledgement of an older record, in between, is no news about what comes behind it.
static void test_a_partition_that_falls_silent_behind_an_older_record_is_sick(void **state) {
  struct fixture *f = *state;
  struct trial older = {.f = f};
  assert_true(publish_one(f, keys[0], 5000));
  rd_kafka_mock_broker_push_request_error_rtts(mock.cluster, 1, MOCK_PRODUCE, 2, RD_KAFKA_RESP_ERR_NO_ERROR,
                                               150, RD_KAFKA_RESP_ERR_NO_ERROR, 2500);
  pthread_create(&older.thread, NULL, try_kafka, &older);
  clock_sleep_ms(50);
  assert_true(publish_one(f, keys[0], 1200));
  pthread_join(older.thread, NULL);
  assert_true(older.durable);
  assert_int_equal(counted(f, COUNTER_DURABLE, "spool"), 1);
  assert_int_equal(counted(f, COUNTER_KAFKA_ERRORS, "_TIMED_OUT"), 1);
}

static void test_a_request_for_a_sick_and_a_healthy_partition_is_durable_by_both(void **state) {
  struct fixture *f = *state;
  const struct publisher_message messages[] = {message_of(keys[0], "{1}"), message_of(keys[1], "{2}")};
  bool spooled;
  set_leader(f, 0, false);
  for (int i = 1; i <= 2; i++) { // the first finds it sick, the second knows
    int64_t deadline_ms = clock_mono_ms() + PATIENT_MS;
    assert_true(publisher_publish(f->publisher, messages, 2, deadline_ms, &spooled));
    assert_true(spooled);
    assert_int_equal(counted(f, COUNTER_DURABLE, "spool"), i);
    assert_int_equal(counted(f, COUNTER_DURABLE, "kafka"), i);
  }
  assert_true(publisher_publish(f->publisher, &messages[1], 1, clock_mono_ms() + 5000, &spooled));
  assert_false(spooled);
  set_leader(f, 0, true);
  wait_for(f, COUNTER_SPOOL_EVENTS, 0);
}

static void test_a_sick_topic_leaves_the_others_live(void **state) {
  struct fixture *f = *state;
  struct publisher_message message = message_of(NULL, "{}");
  message.topic = KAFKA_TOPIC_QUARANTINE;
  for (int i = 0; i < 20; i++)
    rd_kafka_mock_push_request_errors(mock.cluster, MOCK_PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  int64_t began = clock_mono_ms();
  assert_true(publish_within(f->publisher, &message, 1, 10000));
  assert_true(clock_mono_ms() - began < 5000); // a refusal is told at once
  assert_int_equal(counted(f, COUNTER_DURABLE, "spool"), 1);
  assert_int_equal(counted(f, COUNTER_BREAKER, NULL), 1);
  assert_true(publish_within(f->publisher, &message, 1, 10000));
  assert_int_equal(counted(f, COUNTER_DURABLE, "spool"), 2);
  rd_kafka_mock_clear_request_errors(mock.cluster, MOCK_PRODUCE);
  assert_true(publish_three(f, 5000));
  assert_int_equal(counted(f, COUNTER_DURABLE, "kafka"), 3);
  wait_for(f, COUNTER_SPOOL_EVENTS, 0);
  wait_for(f, COUNTER_BREAKER, 0);
}

static void test_what_kafka_refuses_for_what_it_is_goes_to_the_spool_and_is_no_outage(void **state) {
  struct fixture *f = *state;
  rd_kafka_mock_push_request_errors(mock.cluster, MOCK_PRODUCE, 1, RD_KAFKA_RESP_ERR_INVALID_RECORD);
  assert_true(publish_one(f, keys[0], 5000));
  assert_int_equal(counted(f, COUNTER_DURABLE, "spool"), 1);
  assert_int_equal(counted(f, COUNTER_BREAKER, NULL), 0);
  wait_for(f, COUNTER_SPOOL_EVENTS, 0);
}

static void test_what_the_local_queue_has_no_room_for_goes_to_the_spool_and_is_no_outage(void **state) {
  struct fixture *f = fixture_new();
  enum { N = 50, EACH = 200000 }; // 10 MB, of which 8 MiB find room
  static char path[] = "/tmp/dochak-publisher-properties-XXXXXX";
  int fd = mkstemp(path);
  dprintf(fd, "queue.buffering.max.kbytes=8192\n");
  close(fd);
  char *before = mock.settings.kafka_properties;
  use_spool(f);
  mock.settings.kafka_properties = path;
  open_publisher(f);
  mock.settings.kafka_properties = before;
  unlink(path);
  wait_ready(f);
  wait_for(f, COUNTER_BREAKER, 0);
  AUTO_FREE char *value = mem_alloc(EACH + 1);
  memset(value, 'x', EACH);
  AUTO_FREE struct publisher_message *messages = mem_array(N, sizeof *messages);
  for (size_t i = 0; i < N; i++) messages[i] = message_of(keys[i % MOCK_PARTITIONS], value);
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 300); // the first records are queued as long
  static struct output output;
  output_begin(&output);
  bool durable = publish_within(f->publisher, messages, N, 10000);
  output_end(&output);
  assert_true(durable);
  assert_non_null(strstr(output.text, "kafka producer queue is full"));
  int64_t spooled = counted(f, COUNTER_DURABLE, "spool");
  assert_in_range(spooled, 1, N - 30);
  assert_int_equal(counted(f, COUNTER_DURABLE, "kafka"), N - spooled);
  assert_int_equal(counted(f, COUNTER_KAFKA_ERRORS, "_QUEUE_FULL"), spooled);
  bool late = counted(f, COUNTER_KAFKA_ERRORS, "_TIMED_OUT"); // 8 MiB on a busy machine
  assert_true(late || !counted(f, COUNTER_BREAKER, NULL));
  void *fixture = f;
  tear_down(&fixture);
}

static void test_kafka_and_spool_both_away_is_said_at_once(void **state) {
  struct fixture *f = *state;
  struct trial trial = {.f = f, .until_ms = clock_mono_ms() + FAR_MS};
  close_publisher(f);
  free(mock.settings.spool_dir);
  mock.settings.spool_dir = mem_strdup("/dev/null"); // no folder
  open_publisher(f);
  assert_non_null(publisher_unready(f->publisher));
  wait_for(f, COUNTER_BREAKER, 0);
  assert_true(publish_three(f, 5000)); // by Kafka
  rd_kafka_mock_broker_set_down(mock.cluster, 1);
  wait_for(f, COUNTER_BREAKER, 1);
  pthread_create(&trial.thread, NULL, try_kafka, &trial);
  int64_t refused_ms = refused_after_ms(f);
  rd_kafka_mock_broker_set_up(mock.cluster, 1);
  pthread_join(trial.thread, NULL);
  assert_true(refused_ms < 500); // one that waits takes four times as long
  assert_true(trial.durable);
}

static void test_a_kafka_that_was_away_at_the_start_is_used_from_its_first_event_on(void **state) {
  struct fixture *f = *state;
  close_publisher(f);
  rd_kafka_mock_broker_set_down(mock.cluster, 1);
  open_publisher(f);
  wait_ready(f);
  clock_sleep_ms(300); // librdkafka says that all brokers are down
  assert_int_equal(counted(f, COUNTER_BREAKER, NULL), 1);
  rd_kafka_mock_broker_set_up(mock.cluster, 1);
  wait_for(f, COUNTER_BREAKER, 0);
  assert_true(publish_three(f, 5000));
  assert_int_equal(counted(f, COUNTER_DURABLE, "kafka"), 3);
}

// Nothing is lost while somebody raises the limit, and the sender need not call again and again.
static void test_what_is_too_large_for_kafka_stays_in_the_spool(void **state) {
  struct fixture *f = *state;
  const struct publisher_message messages[] = {message_of("a", "{1}"), large_message("b")};
  int64_t waiting_ms = 0, deadline_ms = clock_mono_ms() + 20000;
  assert_int_equal(publisher_spooled(f->publisher, &waiting_ms), 0);
  assert_int_equal(waiting_ms, -1);
  assert_true(publish_within(f->publisher, messages, 2, 5000));
  assert_int_equal(counted(f, COUNTER_DURABLE, "spool"), 1);
  assert_int_equal(counted(f, COUNTER_DURABLE, "kafka"), 1);
  assert_int_equal(counted(f, COUNTER_SPOOL_EVENTS, NULL), 1);
  do assert_int_equal(publisher_spooled(f->publisher, &waiting_ms), 1);
  while (waiting_ms >= 0 && clock_mono_ms() < deadline_ms);
  assert_int_equal(waiting_ms, -1); // Kafka refuses it: it waits for nothing
  assert_int_equal(counted(f, COUNTER_BREAKER, NULL), 0);
}

static void test_a_close_with_kafka_away_is_quick_and_the_next_start_sends_the_rest(void **state) {
  struct fixture *f = *state;
  rd_kafka_mock_broker_set_down(mock.cluster, 1);
  for (int i = 0; i < 4; i++) assert_true(publish_three(f, PATIENT_MS));
  int64_t began = clock_mono_ms();
  publisher_close(f->publisher, 10000);
  assert_true(clock_mono_ms() - began < 6000);
  metrics_free(f->metrics);
  rd_kafka_mock_broker_set_up(mock.cluster, 1);
  open_publisher(f);
  wait_ready(f);
  wait_for(f, COUNTER_SPOOL_EVENTS, 0);
  struct mock_records records = mock_read(&mock, f->topic);
  assert_true(records.n >= 12);
  mock_records_fini(&records);
}

int main(void) {
  log_init("test", LOG_LEVEL_WARN);
#define PLAIN(name)    cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define SPOOLING(name) cmocka_unit_test_setup_teardown(name, set_up_spool, tear_down)
  const struct CMUnitTest tests[] = {
      PLAIN(test_durable_means_that_all_are_on_the_topic), PLAIN(test_nothing_to_publish_is_durable),
      PLAIN(test_a_slow_broker_costs_no_more_than_the_budget), PLAIN(test_a_refused_record_is_told_at_once),
      PLAIN(test_a_broker_that_is_down_is_unavailable_and_comes_back),
      PLAIN(test_a_value_over_the_limit_is_unavailable_without_a_spool_and_no_outage),
      PLAIN(test_many_threads_publish_at_once),
      cmocka_unit_test(test_kafka_away_at_start_is_unavailable_at_once),
      PLAIN(test_one_request_at_a_time_waits_for_a_kafka_that_is_away),
      PLAIN(test_a_request_that_waits_for_a_dead_partition_keeps_none_from_trying_another),
      PLAIN(test_the_next_request_may_try_after_the_one_before),
      PLAIN(test_a_wait_that_is_too_short_says_nothing_about_kafka),
      PLAIN(test_a_slow_kafka_is_used_where_there_is_no_spool),
      PLAIN(test_a_cluster_that_is_back_is_noticed_without_any_event),
      // Before those that leave records behind, which would take the errors meant for these.
      SPOOLING(test_a_sick_topic_leaves_the_others_live),
      SPOOLING(test_what_kafka_refuses_for_what_it_is_goes_to_the_spool_and_is_no_outage),
      SPOOLING(test_what_kafka_does_not_take_in_time_is_durable_in_the_spool),
      SPOOLING(test_after_a_failure_nobody_waits_until_kafka_is_back),
      SPOOLING(test_a_sick_partition_costs_one_request_its_budget_and_the_others_nothing),
      SPOOLING(test_a_request_for_a_sick_and_a_healthy_partition_is_durable_by_both),
      cmocka_unit_test(test_what_the_local_queue_has_no_room_for_goes_to_the_spool_and_is_no_outage),
      SPOOLING(test_kafka_and_spool_both_away_is_said_at_once),
      SPOOLING(test_a_kafka_that_was_away_at_the_start_is_used_from_its_first_event_on),
      SPOOLING(test_what_is_too_large_for_kafka_stays_in_the_spool),
      SPOOLING(test_a_close_with_kafka_away_is_quick_and_the_next_start_sends_the_rest),
      SPOOLING(
          test_a_partition_that_falls_silent_behind_an_older_record_is_sick), // last: errors of a broker hide
                                                                              // those of the cluster
  };
  return cmocka_run_group_tests(tests, start_mock, stop_mock);
}
