// SPDX-License-Identifier: MIT
// Rows leave in order and only when Kafka has them, and a row that cannot leave holds up none of another
// partition. All tests share one mock cluster; each has topics, a spool and a breaker of its own.
#include "ingress/durable/drain.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "ingress/counters.h"
#include "tests/unit/support/ahead.h"
#include "tests/unit/support/folder.h"
#include "tests/unit/support/messages.h"
#include "tests/unit/support/mock.h"
#include "tests/unit/support/output.h"
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define EVENTS KAFKA_TOPIC_EVENTS
// An error that librdkafka does not retry, of one partition as far as we know.
#define FAILURE      RD_KAFKA_RESP_ERR_POLICY_VIOLATION
#define FAILURE_NAME "POLICY_VIOLATION"
enum { FAR_MS = 20000, LARGE_BYTES = 2000000 };

// ---- how often the spool is read ----

static _Atomic int64_t readings;

bool __real_spool_read(struct spool *spool, int64_t first, int64_t last, spool_take_fn *take, void *arg);
bool __wrap_spool_read(struct spool *spool, int64_t first, int64_t last, spool_take_fn *take, void *arg);
bool __wrap_spool_read(struct spool *spool, int64_t first, int64_t last, spool_take_fn *take, void *arg) {
  atomic_fetch_add(&readings, 1);
  return __real_spool_read(spool, first, last, take, arg);
}

// ---- what a test is made of ----

static struct mock mock;
static char *keys[MOCK_PARTITIONS]; // one of each partition

struct fixture {
  struct settings settings; // the spool's
  struct metrics *metrics;
  struct spool *spool;
  struct breaker *breaker;
  struct drain *drain;
  struct durability_watch *durability;
  char *topic;
};

// Whether Kafka would keep a row worse than the spool does.
static void hold(struct fixture *f, bool held) {
  const char *const topics[] = {f->topic};
  const struct kafka_facts facts = {.flush_messages = held ? INT64_MAX : 1};
  durability_watch_learn(f->durability, topics, &facts, 1);
}

static void start_drain(struct fixture *f) {
  struct err err;
  f->drain = drain_start(&mock.settings, f->spool, f->breaker, f->durability, f->metrics, &err);
  if (!f->drain) fail_msg("%s", err.text);
}

static void stop_drain(struct fixture *f) {
  drain_stop(take(f->drain));
}

static void open_spool(struct fixture *f) {
  struct err err;
  f->spool = spool_open(&f->settings, f->metrics, &err);
  if (!f->spool) fail_msg("%s", err.text);
  wait_opened(f->spool);
}

static int set_up(void **state) {
  struct fixture *f = mem_alloc(sizeof *f);
  struct err err;
  char dir[] = "/tmp/dochak-drain-XXXXXX";
  if (!mkdtemp(dir)) return 1;
  mock_renew_topics(&mock);
  f->topic = kafka_topic_name(mock.settings.topic_prefix, EVENTS);
  f->settings = (struct settings){.ack_survives = mem_strdup("machine"),
                                  .spool_dir = mem_strdup(dir),
                                  .spool_max_bytes = 64 * 1024 * 1024,
                                  .spool_ready_percent = 80};
  f->metrics = metrics_new(counters, COUNTER_COUNT);
  f->breaker = breaker_new("t.", f->metrics);
  f->durability = durability_watch_new(&f->settings, f->metrics, &err);
  hold(f, false);
  breaker_note_cluster(f->breaker);
  for (enum kafka_topic topic = 0; topic < KAFKA_TOPIC_COUNT; topic++)
    breaker_learn_partitions(f->breaker, topic, MOCK_PARTITIONS);
  open_spool(f);
  *state = f;
  return 0;
}

// The cluster is well for the next test, whatever this one asserted.
static int tear_down(void **state) {
  struct fixture *f = *state;
  rd_kafka_mock_clear_request_errors(mock.cluster, MOCK_PRODUCE);
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 0);
  stop_drain(f);
  spool_close(f->spool);
  folder_remove(f->settings.spool_dir);
  free(f->breaker);
  durability_watch_free(f->durability);
  metrics_free(f->metrics);
  settings_fini(&f->settings);
  free(f->topic);
  free(f);
  return 0;
}

static int start_mock(void **state) {
  mock_init(&mock);
  int found = 0;
  for (int i = 0; found < MOCK_PARTITIONS; i++) {
    char *key = mem_printf("key-%d", i);
    int32_t partition = rd_kafka_msg_partitioner_murmur2(NULL, key, strlen(key), MOCK_PARTITIONS, NULL, NULL);
    if (keys[partition]) {
      free(key);
      continue;
    }
    keys[partition] = key;
    found++;
  }
  return 0;
}

static int stop_mock(void **state) {
  mock_fini(&mock);
  for (size_t i = 0; i < COUNT_OF(keys); i++) free(keys[i]);
  return 0;
}

// ---- what tests do ----

static void store(struct fixture *f, const char *key, const char *value) {
  const struct publisher_message message = message_of(key, value);
  assert_true(store_all(f->spool, &message, 1, clock_mono_ms() + FAR_MS));
}

// Values are "<first>", "<first + 1>", …, six digits each.
static void store_numbers(struct fixture *f, const char *key, int first, int n) {
  AUTO_FREE struct publisher_message *messages = mem_array((size_t)n, sizeof *messages);
  char(*values)[8] = mem_array((size_t)n, sizeof *values);
  for (int i = 0; i < n; i++) {
    snprintf(values[i], sizeof values[i], "%06d", first + i);
    messages[i] = message_of(key, values[i]);
  }
  assert_true(store_all(f->spool, messages, (size_t)n, clock_mono_ms() + FAR_MS));
  free(values);
}

static void store_large(struct fixture *f, const char *key) {
  AUTO_FREE char *large = mem_alloc(LARGE_BYTES + 1);
  memset(large, 'x', LARGE_BYTES);
  store(f, key, large);
}

static void wait_count(const struct fixture *f, int64_t n) {
  int64_t deadline = clock_mono_ms() + FAR_MS;
  while (spool_count(f->spool) != n && clock_mono_ms() < deadline) clock_sleep_ms(2);
  assert_int_equal(spool_count(f->spool), n);
}

static int64_t errors(const struct fixture *f, const char *name) {
  return atomic_load(metrics_at(f->metrics, COUNTER_KAFKA_ERRORS, name));
}

static void wait_errors(const struct fixture *f, const char *name, int64_t n) {
  int64_t deadline = clock_mono_ms() + FAR_MS;
  while (errors(f, name) < n && clock_mono_ms() < deadline) clock_sleep_ms(2);
  assert_int_equal(errors(f, name), n);
}

static void wait_open(const struct fixture *f, int32_t partition, bool open) {
  int64_t deadline = clock_mono_ms() + FAR_MS;
  while (breaker_is_open(f->breaker, EVENTS, partition) != open && clock_mono_ms() < deadline)
    clock_sleep_ms(2);
  assert_int_equal(breaker_is_open(f->breaker, EVENTS, partition), open);
}

static void fail_next(size_t n) {
  for (size_t i = 0; i < n; i++) rd_kafka_mock_push_request_errors(mock.cluster, MOCK_PRODUCE, 1, FAILURE);
}

static void set_leader(const struct fixture *f, int32_t partition, bool has_leader) {
  rd_kafka_mock_partition_set_leader(mock.cluster, f->topic, partition, has_leader ? 1 : -1);
}

// So much time passes for the drain as well, which looks again.
static void pass(struct fixture *f, int64_t ms) {
  atomic_fetch_add(&ahead_ms, ms);
  spool_wake(f->spool);
  clock_sleep_ms(2);
}

// Five times as fast: for what waits for clocks of the drain.
static void wait_count_soon(struct fixture *f, int64_t n) {
  int64_t deadline = __real_clock_mono_ms() + FAR_MS;
  while (spool_count(f->spool) != n && __real_clock_mono_ms() < deadline) pass(f, 10);
  assert_int_equal(spool_count(f->spool), n);
}

// The numbers of a partition are on the topic, in order; how many in all.
static size_t count_ordered(const struct fixture *f) {
  struct mock_records records = mock_read(&mock, f->topic);
  int last[MOCK_PARTITIONS];
  for (size_t i = 0; i < MOCK_PARTITIONS; i++) last[i] = -1;
  for (size_t i = 0; i < records.n; i++) {
    const rd_kafka_message_t *rkm = records.list[i].rkm;
    char text[8] = "";
    memcpy(text, rkm->payload, rkm->len < 6 ? rkm->len : 6);
    int number = atoi(text);
    if (number <= last[rkm->partition]) fail_msg("%d after %d", number, last[rkm->partition]);
    last[rkm->partition] = number;
  }
  size_t n = records.n;
  mock_records_fini(&records);
  return n;
}

// ---- a Kafka that is well ----

static void test_a_start_drains_what_is_there_in_order(void **state) {
  struct fixture *f = *state;
  for (int i = 0; i < 20; i++) store_numbers(f, keys[i % 2], i, 1);
  spool_close(f->spool);
  open_spool(f);
  start_drain(f);
  wait_count(f, 0);
  assert_false(breaker_is_open(f->breaker, EVENTS, 0) || breaker_is_open(f->breaker, EVENTS, 1));
  assert_int_equal(count_ordered(f), 20);
}

static void test_a_row_keeps_its_key_and_attributes(void **state) {
  struct fixture *f = *state;
  store(f, keys[1], "7");
  start_drain(f);
  wait_count(f, 0);
  struct mock_records records = mock_read(&mock, f->topic);
  const struct mock_record *record = mock_find(&records, "7");
  assert_int_equal(record->rkm->partition, 1);
  assert_memory_equal(record->rkm->key, keys[1], strlen(keys[1]));
  assert_string_equal(record->event.subject, keys[1]);
  assert_string_equal(record->event.provider, "bizgo");
  mock_records_fini(&records);
}

static void test_rows_that_come_while_it_runs_leave_too(void **state) {
  struct fixture *f = *state;
  start_drain(f);
  for (int i = 0; i < 5; i++) {
    store_numbers(f, keys[0], i, 1);
    wait_count(f, 0);
  }
  assert_int_equal(count_ordered(f), 5);
}

static void test_more_rows_than_one_lane_takes_leave_in_order(void **state) {
  struct fixture *f = *state;
  store_numbers(f, keys[0], 0, 1300);
  store_numbers(f, keys[1], 2000, 1300);
  start_drain(f);
  wait_count(f, 0);
  assert_int_equal(count_ordered(f), 2600);
  assert_int_equal(atomic_load(metrics_at(f->metrics, COUNTER_SPOOL_DRAINED, NULL)), 2600);
}

static void test_rows_without_a_key_spread_over_the_partitions(void **state) {
  struct fixture *f = *state;
  store_numbers(f, NULL, 0, 10);
  start_drain(f);
  wait_count(f, 0);
  struct mock_records records = mock_read(&mock, f->topic);
  size_t in_first = 0;
  for (size_t i = 0; i < records.n; i++) {
    assert_int_equal(records.list[i].rkm->key_len, 0);
    in_first += records.list[i].rkm->partition == 0;
  }
  assert_int_equal(records.n, 10);
  assert_int_equal(in_first, 5);
  mock_records_fini(&records);
}

static void test_nothing_leaves_while_kafka_would_keep_it_worse(void **state) {
  struct fixture *f = *state;
  hold(f, true);
  start_drain(f);
  store(f, keys[0], "1");
  for (int i = 0; i < 20; i++) pass(f, 1000);
  assert_int_equal(spool_count(f->spool), 1);
  assert_int_equal(errors(f, FAILURE_NAME), 0);
  hold(f, false);
  wait_count(f, 0);
}

static void test_nothing_leaves_before_its_delivery_report(void **state) {
  struct fixture *f = *state;
  start_drain(f);
  store(f, keys[0], "1");
  wait_count(f, 0); // it has found its topic
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 300);
  int64_t began = clock_mono_ms();
  store(f, keys[0], "2");
  wait_count(f, 0);
  assert_true(clock_mono_ms() - began >= 280);
}

static void test_an_idle_drain_does_not_read(void **state) {
  struct fixture *f = *state;
  start_drain(f);
  store_numbers(f, keys[0], 0, 3);
  wait_count(f, 0);
  pass(f, 1000);
  int64_t before = atomic_load(&readings);
  for (int i = 0; i < 100; i++) pass(f, 1000);
  assert_int_equal(atomic_load(&readings), before);
}

// A newer version wrote it, say. It is the last one, so nothing behind it ends the reading of it.
static void test_a_row_that_is_no_event_is_not_read_over_and_over(void **state) {
  struct fixture *f = *state;
  store(f, keys[0], "1");
  store(f, keys[0], "2");
  AUTO_FREE char *path = mem_printf("%s/spool.db", f->settings.spool_dir);
  sqlite3 *db;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "UPDATE event SET topic = 'unknown' WHERE id = 2", NULL, NULL, NULL),
                   SQLITE_OK);
  sqlite3_close(db);
  start_drain(f);
  wait_count(f, 1);
  pass(f, 1000);
  int64_t before = atomic_load(&readings);
  clock_sleep_ms(50);
  assert_int_equal(atomic_load(&readings), before);
  store(f, keys[0], "3");
  wait_count(f, 1);
}

// ---- a partition that is sick ----

static void test_a_partition_without_leader_holds_up_no_other(void **state) {
  struct fixture *f = *state;
  set_leader(f, 0, false);
  store_numbers(f, keys[0], 0, 600); // more than a lane takes, so that the reading meets a full lane
  store_numbers(f, keys[1], 1000, 100);
  start_drain(f);
  int64_t before = atomic_load(&readings), began = clock_mono_ms();
  wait_count(f, 600);
  assert_true(clock_mono_ms() - began < 5000);
  assert_in_range(atomic_load(&readings) - before, 1, 400); // waits for reports meanwhile
  wait_open(f, 0, true);
  assert_false(breaker_is_open(f->breaker, EVENTS, 1));
  store_numbers(f, keys[1], 2000, 1); // and what comes later
  began = clock_mono_ms();
  wait_count(f, 600);
  assert_true(clock_mono_ms() - began < 500);
  set_leader(f, 0, true);
  wait_count(f, 0);
  wait_open(f, 0, false);
  assert_int_equal(count_ordered(f), 701);
}

static void test_rows_of_a_topic_that_has_not_been_seen_wait_for_it_and_hold_up_no_other(void **state) {
  struct fixture *f = *state;
  struct publisher_message unseen = message_of(keys[0], "1");
  unseen.topic = KAFKA_TOPIC_QUARANTINE;
  breaker_learn_partitions(f->breaker, KAFKA_TOPIC_QUARANTINE, 0);
  assert_true(store_all(f->spool, &unseen, 1, clock_mono_ms() + FAR_MS));
  store_numbers(f, keys[0], 0, 3);
  start_drain(f);
  wait_count(f, 1);
  store_numbers(f, keys[0], 3, 1);
  wait_count(f, 1);
  AUTO_FREE char *topic = kafka_topic_name(mock.settings.topic_prefix, KAFKA_TOPIC_QUARANTINE);
  struct mock_records records = mock_read(&mock, topic);
  assert_int_equal(records.n, 0); // librdkafka would choose another partition than ours
  mock_records_fini(&records);
  breaker_learn_partitions(f->breaker, KAFKA_TOPIC_QUARANTINE, MOCK_PARTITIONS);
  wait_count_soon(f, 0);
}

static void test_one_row_alone_asks_whether_a_sick_partition_is_well(void **state) {
  struct fixture *f = *state;
  breaker_fail(f->breaker, EVENTS, 0, RD_KAFKA_RESP_ERR__TIMED_OUT, 0); // a live event has found it sick
  fail_next(4);
  store_numbers(f, keys[0], 0, 50);
  start_drain(f);
  wait_count_soon(f, 0);
  assert_int_equal(errors(f, FAILURE_NAME), 4); // a row each
  assert_false(breaker_is_open(f->breaker, EVENTS, 0));
  assert_int_equal(count_ordered(f), 50);
}

static void test_rows_that_failed_come_again_in_order(void **state) {
  struct fixture *f = *state;
  start_drain(f);
  store_numbers(f, keys[0], 0, 1);
  wait_count(f, 0);
  hold(f, true);
  store_numbers(f, keys[0], 1, 40);
  store_numbers(f, keys[1], 100, 40);
  store_numbers(f, keys[0], 200, 40);
  fail_next(6);
  hold(f, false);
  wait_count_soon(f, 0);
  assert_true(errors(f, FAILURE_NAME) >= 6);
  assert_int_equal(count_ordered(f), 121);
  wait_open(f, 0, false);
  wait_open(f, 1, false);
}

static void test_probes_come_less_and_less_often(void **state) {
  struct fixture *f = *state;
  breaker_fail(f->breaker, EVENTS, 0, RD_KAFKA_RESP_ERR__TIMED_OUT, 0);
  fail_next(100);
  store_numbers(f, keys[0], 0, 10);
  start_drain(f);
  clock_sleep_ms(700);
  int64_t n = errors(f, FAILURE_NAME);
  assert_in_range(n, 2, 8);
  pass(f, 1500);
  wait_errors(f, FAILURE_NAME, n + 1);
}

static void test_rows_without_a_key_wait_for_their_partition_alone(void **state) {
  struct fixture *f = *state;
  set_leader(f, 1, false);
  store_numbers(f, NULL, 0, 20);
  start_drain(f);
  wait_count(f, 10);
  set_leader(f, 1, true);
  wait_count(f, 0);
  assert_int_equal(count_ordered(f), 20);
}

static void test_the_breaker_closes_when_the_last_row_left_slowly(void **state) {
  struct fixture *f = *state;
  start_drain(f);
  store_numbers(f, keys[0], 0, 1);
  wait_count(f, 0);
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, BREAKER_QUICK_MS + 100);
  for (int i = 0; i < 2; i++) { // the second one leaves while the first is well remembered
    if (i == 0) pass(f, 10000);
    breaker_fail(f->breaker, EVENTS, 0, RD_KAFKA_RESP_ERR__TIMED_OUT, 0);
    store_numbers(f, keys[0], 1 + i, 1);
    wait_count(f, 0);
    wait_open(f, 0, false);
  }
}

// A slow Kafka is no sick one: its backlog leaves in batches, although the breaker stays open meanwhile.
static void test_a_backlog_leaves_a_slow_kafka_in_batches(void **state) {
  struct fixture *f = *state;
  breaker_fail(f->breaker, EVENTS, 0, RD_KAFKA_RESP_ERR__TIMED_OUT, 0);
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, BREAKER_QUICK_MS + 50);
  store_numbers(f, keys[0], 0, 40);
  int64_t began = clock_mono_ms();
  start_drain(f);
  wait_count(f, 39);
  assert_true(breaker_is_open(f->breaker, EVENTS, 0));
  wait_count(f, 0);
  assert_true(clock_mono_ms() - began < 6000); // one by one: 22 s
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 0);
  assert_int_equal(count_ordered(f), 40);
}

// An event without a key leaves the spool by another partition than the one that failed it.
static void test_a_partition_that_no_row_asks_about_is_left_to_live_events_after_a_while(void **state) {
  struct fixture *f = *state;
  start_drain(f);
  breaker_fail(f->breaker, EVENTS, 1, RD_KAFKA_RESP_ERR__TIMED_OUT, 0);
  for (int i = 0; i < 10; i++) pass(f, 1000);
  assert_true(breaker_is_open(f->breaker, EVENTS, 1));
  pass(f, 40000);
  wait_open(f, 1, false);
}

static void test_the_cluster_is_not_thought_well_for_want_of_rows(void **state) {
  struct fixture *f = *state;
  start_drain(f);
  breaker_note_error(f->breaker, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, 0);
  for (int i = 0; i < 10; i++) pass(f, 40000);
  assert_true(breaker_is_open(f->breaker, EVENTS, 1));
}

static void test_rows_find_their_lane_when_the_topic_gets_more_partitions(void **state) {
  struct fixture *f = *state;
  breaker_learn_partitions(f->breaker, EVENTS, 1);
  breaker_fail(f->breaker, EVENTS, 0, RD_KAFKA_RESP_ERR__TIMED_OUT, 0);
  fail_next(3);
  store_numbers(f, keys[1], 0, 10); // so far in the lane of partition 0, which then has none
  start_drain(f);
  wait_errors(f, FAILURE_NAME, 1);
  breaker_learn_partitions(f->breaker, EVENTS, MOCK_PARTITIONS);
  wait_count_soon(f, 0);
  assert_int_equal(count_ordered(f), 10);
}

// ---- a row that Kafka refuses ----

static void test_a_refused_row_holds_up_no_other_and_is_tried_again_after_its_clock(void **state) {
  struct fixture *f = *state;
  static struct output output;
  store(f, keys[0], "1");
  store_large(f, keys[0]);
  store(f, keys[0], "2");
  output_begin(&output);
  start_drain(f);
  wait_count(f, 1);
  wait_errors(f, "MSG_SIZE_TOO_LARGE", 1);
  output_end(&output);
  assert_non_null(strstr(output.text, "\"error\":\"MSG_SIZE_TOO_LARGE\""));
  assert_non_null(strstr(output.text, f->topic));
  assert_false(breaker_is_open(f->breaker, EVENTS, 0));
  pass(f, 1000);
  int64_t before = atomic_load(&readings);
  for (int i = 0; i < 50; i++) pass(f, 1000);
  assert_int_equal(atomic_load(&readings), before);
  pass(f, 15000);
  wait_errors(f, "MSG_SIZE_TOO_LARGE", 2);
  pass(f, 1000);
  assert_int_equal(atomic_load(&readings), before + 1);
  for (int i = 0; i < 50; i++) pass(f, 1000); // a row that was tried again waits as long
  assert_int_equal(atomic_load(&readings), before + 1);
  store(f, keys[0], "3");
  wait_count(f, 1);
  assert_int_equal(count_ordered(f), 3);
}

// It may stay for days: whoever waits for what is in the spool must not wait for it.
static void test_a_refused_row_is_not_among_those_that_wait(void **state) {
  struct fixture *f = *state;
  int64_t deadline = clock_mono_ms() + FAR_MS;
  store_large(f, keys[0]);
  assert_true(spool_waiting_ms(f->spool) > 0);
  start_drain(f);
  wait_errors(f, "MSG_SIZE_TOO_LARGE", 1);
  while (spool_waiting_ms(f->spool) >= 0 && clock_mono_ms() < deadline) clock_sleep_ms(2);
  assert_int_equal(spool_waiting_ms(f->spool), -1);
  assert_int_equal(spool_count(f->spool), 1);
}

// The lane goes back to it although rows are in flight all the time, and none of those leaves twice.
static void test_a_refused_row_is_tried_again_while_others_come(void **state) {
  struct fixture *f = *state;
  start_drain(f);
  store_large(f, keys[0]);
  wait_errors(f, "MSG_SIZE_TOO_LARGE", 1);
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 30);
  for (int i = 0; i < 40; i++) {
    store_numbers(f, keys[0], i, 1);
    if (i == 20) pass(f, 61000);
    clock_sleep_ms(10);
  }
  wait_errors(f, "MSG_SIZE_TOO_LARGE", 2);
  wait_count_soon(f, 1);
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 0);
  assert_int_equal(count_ordered(f), 40);
}

static void test_a_refused_row_leaves_once_kafka_takes_it(void **state) {
  struct fixture *f = *state;
  rd_kafka_mock_push_request_errors(mock.cluster, MOCK_PRODUCE, 1, RD_KAFKA_RESP_ERR_INVALID_RECORD);
  start_drain(f);
  store(f, keys[0], "1");
  wait_errors(f, "INVALID_RECORD", 1);
  store(f, keys[0], "2");
  wait_count(f, 1);
  fail_next(2); // a failure of Kafka's is no refusal: the row comes again soon
  pass(f, 61000);
  wait_errors(f, FAILURE_NAME, 1);
  pass(f, 1000);
  wait_errors(f, FAILURE_NAME, 2);
  pass(f, 1000);
  wait_count(f, 0);
}

static void test_a_refused_row_does_not_leave_twice_when_its_lane_goes_back(void **state) {
  struct fixture *f = *state;
  start_drain(f);
  store_large(f, keys[0]);
  wait_errors(f, "MSG_SIZE_TOO_LARGE", 1);
  fail_next(2);
  store_numbers(f, keys[0], 1, 5);
  wait_count_soon(f, 1);
  assert_int_equal(errors(f, "MSG_SIZE_TOO_LARGE"), 1);
  assert_int_equal(count_ordered(f), 5);
}

// Its clock is due while the lane has gone back to rows before it, and asks with the first of them.
static void test_a_refused_row_that_is_tried_again_passes_no_row_before_it(void **state) {
  struct fixture *f = *state;
  store_numbers(f, keys[0], 1, 3);
  store_large(f, keys[0]);
  store_numbers(f, keys[0], 4, 1);
  fail_next(100);
  start_drain(f);
  wait_open(f, 0, true);
  hold(f, true);
  pass(f, 50); // for the report on a row that is in flight
  clock_sleep_ms(50);
  rd_kafka_mock_clear_request_errors(mock.cluster, MOCK_PRODUCE);
  pass(f, 61000);
  hold(f, false);
  wait_count_soon(f, 1);
  assert_int_equal(count_ordered(f), 4);
}

// ---- the local queue ----

// Of all lanes in turn, so that the queue is full before one of them is.
static void store_wide(struct fixture *f, int number) {
  enum { WIDE_BYTES = 200000 };
  AUTO_FREE char *value = mem_alloc(WIDE_BYTES + 1);
  memset(value, ' ', WIDE_BYTES);
  snprintf(value, 7, "%06d", number);
  value[6] = ' ';
  struct publisher_message message = message_of(keys[number % MOCK_PARTITIONS], value);
  message.topic = (enum kafka_topic)(number % KAFKA_TOPIC_COUNT);
  assert_true(store_all(f->spool, &message, 1, clock_mono_ms() + FAR_MS));
}

// The queue's least size is 8 MiB, which is less than all lanes may hold.
static void test_a_full_queue_is_no_outage_and_keeps_the_order(void **state) {
  struct fixture *f = *state;
  static char path[] = "/tmp/dochak-drain-properties-XXXXXX";
  int fd = mkstemp(path);
  dprintf(fd, "queue.buffering.max.kbytes=8192\n");
  close(fd);
  char *before = mock.settings.kafka_properties;
  mock.settings.kafka_properties = path;
  start_drain(f);
  mock.settings.kafka_properties = before;
  unlink(path);
  wait_count(f, 0);
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 40);
  hold(f, true);
  for (int i = 0; i < 60; i++) store_wide(f, i);
  int64_t read_before = atomic_load(&readings);
  hold(f, false);
  wait_count(f, 0);
  assert_true(atomic_load(&readings) - read_before < 300); // some a report, not as fast as a loop goes
  for (int32_t i = 0; i < MOCK_PARTITIONS; i++) assert_false(breaker_is_open(f->breaker, EVENTS, i));
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 0);
  assert_int_equal(count_ordered(f), 20);
}

// ---- stop ----

static void test_a_stop_leaves_in_the_spool_what_kafka_has_not_got(void **state) {
  struct fixture *f = *state;
  rd_kafka_mock_broker_set_down(mock.cluster, 1);
  start_drain(f);
  store_numbers(f, keys[0], 1, 2);
  int64_t began = clock_mono_ms();
  stop_drain(f);
  assert_true(clock_mono_ms() - began < 6000);
  assert_int_equal(spool_count(f->spool), 2);
  assert_int_equal(atomic_load(metrics_at(f->metrics, COUNTER_SPOOL_DRAINED, NULL)), 0);
  rd_kafka_mock_broker_set_up(mock.cluster, 1);
  start_drain(f);
  wait_count(f, 0);
  assert_int_equal(count_ordered(f), 2);
}

static void test_a_stop_with_a_dead_partition_is_quick_and_the_next_start_sends_the_rest(void **state) {
  struct fixture *f = *state;
  set_leader(f, 0, false);
  store_numbers(f, keys[0], 0, 20);
  store_numbers(f, keys[1], 100, 20);
  start_drain(f);
  wait_count(f, 20);
  int64_t began = clock_mono_ms();
  stop_drain(f);
  assert_true(clock_mono_ms() - began < 4000);
  assert_int_equal(spool_count(f->spool), 20);
  set_leader(f, 0, true);
  start_drain(f);
  wait_count(f, 0);
  assert_int_equal(count_ordered(f), 40);
}

int main(void) {
  log_init("test", LOG_LEVEL_ERROR);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_a_start_drains_what_is_there_in_order),
      TEST(test_a_row_keeps_its_key_and_attributes),
      TEST(test_rows_that_come_while_it_runs_leave_too),
      TEST(test_more_rows_than_one_lane_takes_leave_in_order),
      TEST(test_rows_without_a_key_spread_over_the_partitions),
      TEST(test_nothing_leaves_while_kafka_would_keep_it_worse),
      TEST(test_nothing_leaves_before_its_delivery_report),
      TEST(test_an_idle_drain_does_not_read),
      TEST(test_a_row_that_is_no_event_is_not_read_over_and_over),
      TEST(test_a_partition_without_leader_holds_up_no_other),
      TEST(test_rows_of_a_topic_that_has_not_been_seen_wait_for_it_and_hold_up_no_other),
      TEST(test_one_row_alone_asks_whether_a_sick_partition_is_well),
      TEST(test_rows_that_failed_come_again_in_order),
      TEST(test_probes_come_less_and_less_often),
      TEST(test_rows_without_a_key_wait_for_their_partition_alone),
      TEST(test_the_breaker_closes_when_the_last_row_left_slowly),
      TEST(test_a_backlog_leaves_a_slow_kafka_in_batches),
      TEST(test_a_partition_that_no_row_asks_about_is_left_to_live_events_after_a_while),
      TEST(test_the_cluster_is_not_thought_well_for_want_of_rows),
      TEST(test_rows_find_their_lane_when_the_topic_gets_more_partitions),
      TEST(test_a_refused_row_holds_up_no_other_and_is_tried_again_after_its_clock),
      TEST(test_a_refused_row_is_not_among_those_that_wait),
      TEST(test_a_refused_row_is_tried_again_while_others_come),
      TEST(test_a_refused_row_leaves_once_kafka_takes_it),
      TEST(test_a_refused_row_does_not_leave_twice_when_its_lane_goes_back),
      TEST(test_a_refused_row_that_is_tried_again_passes_no_row_before_it),
      TEST(test_a_full_queue_is_no_outage_and_keeps_the_order),
      TEST(test_a_stop_leaves_in_the_spool_what_kafka_has_not_got),
      TEST(test_a_stop_with_a_dead_partition_is_quick_and_the_next_start_sends_the_rest),
  };
  return cmocka_run_group_tests(tests, start_mock, stop_mock);
}
