// SPDX-License-Identifier: MIT
// What is counted is in exactly one record, whatever the clock and the publisher do. Both are the test's.
#include "ingress/minutes.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "ingress/counters.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { MINUTE_MS = 60000, HOUR_MS = 60 * MINUTE_MS, RECORDS_MAX = 512 };
static const int64_t began_ms = 1795940077000; // 2026-11-29T08:14:37Z

// ---- the publisher ----

static struct record {
  struct uuid id;
  int64_t time_ms;
  char *value;
} records[RECORDS_MAX];
static size_t n_records;
static struct publisher_message last; // without its value
static bool takes;
static int64_t spooled, waiting_ms;

bool __wrap_publisher_publish(struct publisher *publisher, const struct publisher_message *messages, size_t n,
                              int64_t deadline_ms, bool *is_spooled);
bool __wrap_publisher_publish(struct publisher *publisher, const struct publisher_message *messages, size_t n,
                              int64_t deadline_ms, bool *is_spooled) {
  assert_true(deadline_ms > clock_mono_ms() && deadline_ms < clock_mono_ms() + 5000);
  for (size_t i = 0; i < n; i++) {
    assert_true(n_records < RECORDS_MAX);
    records[n_records++] =
        (struct record){messages[i].event.id, messages[i].event.time_ms, mem_strdup(messages[i].value)};
    assert_int_equal(strlen(messages[i].value), messages[i].value_len);
    last = messages[i];
  }
  *is_spooled = false;
  return takes;
}

int64_t __wrap_publisher_spooled(const struct publisher *publisher, int64_t *since_ms);
int64_t __wrap_publisher_spooled(const struct publisher *publisher, int64_t *since_ms) {
  *since_ms = waiting_ms;
  return spooled;
}

static void forget(void) {
  while (n_records) free(records[--n_records].value);
}

// ---- an ingress ----

static struct providers *providers;
static struct endpoints *endpoints;
static struct metrics *metrics;

static int load(void **state) {
  static char path[] = "/tmp/dochak-minutes-XXXXXX";
  struct faults faults = {0};
  FILE *file = fdopen(mkstemp(path), "w");
  fputs("{\"endpoints\":[{\"endpoint\":\"bizgo/alimtalk\",\"provider\":\"bizgo\"},"
        "{\"endpoint\":\"blux/sms\",\"provider\":\"blux\"}]}",
        file);
  fclose(file);
  providers = providers_load("", &faults);
  endpoints = endpoints_load(path, providers, &faults);
  unlink(path);
  metrics = metrics_new(counters, COUNTER_COUNT);
  faults_fini(&faults);
  return endpoints ? 0 : -1;
}

static int unload(void **state) {
  metrics_free(metrics);
  endpoints_free(endpoints);
  providers_free(providers);
  return 0;
}

static int set_up(void **state) {
  *state = minutes_new(endpoints, "one", NULL, metrics, began_ms);
  takes = true;
  spooled = 0;
  waiting_ms = -1;
  return 0;
}

static int tear_down(void **state) {
  minutes_free(*state);
  forget();
  return 0;
}

static void count(struct minutes *minutes, const char *refused, int status, int times) {
  while (times-- > 0) minutes_count(minutes, &endpoints->list[0], refused, status);
}

static int64_t late(void) {
  return atomic_load(metrics_at(metrics, COUNTER_MINUTES_LATE, NULL));
}

// The n-th minute's records are those of the two endpoints.
static json_t *value_of(size_t i) {
  struct err err;
  assert_true(i < n_records);
  json_t *value = json_parse(records[i].value, strlen(records[i].value), &err);
  if (!value) fail_msg("%s: %s", records[i].value, err.text);
  return value;
}

static int64_t number(size_t i, const char *name) {
  AUTO_JSON *value = value_of(i);
  assert_true(json_is_integer(json_object_get(value, name)));
  return json_integer_value(json_object_get(value, name));
}

static void assert_minute(size_t i, const char *minute) {
  AUTO_JSON *value = value_of(i);
  assert_string_equal(json_string_value(json_object_get(value, "minute")), minute);
}

// ---- what a record says ----

static void test_a_record_says_what_the_calls_were(void **state) {
  struct minutes *minutes = *state;
  count(minutes, NULL, 200, 3);
  count(minutes, NULL, 204, 1);
  count(minutes, NULL, 503, 2);
  count(minutes, "ip", 200, 5);
  count(minutes, "hmac_timestamp", 401, 6);
  count(minutes, ENDPOINTS_SECRET_PATH, 404, 7);
  minutes_tick(minutes, began_ms + MINUTE_MS);
  assert_int_equal(n_records, 2);
  assert_string_equal(
      records[0].value,
      "{\"minute\":\"2026-11-29T08:14:00.000Z\",\"instance\":\"one\",\"calls\":24,\"good\":4,\"refused\":{"
      "\"secret_path\":7,\"ip\":5,\"hmac_timestamp\":6},\"failed\":15,\"failed_in_a_row\":2,\"spooled\":0,"
      "\"spooled_since\":null,\"leaving\":false}");
  assert_string_equal(
      records[1].value,
      "{\"minute\":\"2026-11-29T08:14:00.000Z\",\"instance\":\"one\",\"calls\":0,\"good\":0,\"refused\":{},"
      "\"failed\":0,\"failed_in_a_row\":0,\"spooled\":0,\"spooled_since\":null,\"leaving\":false}");
}

static void test_a_record_is_an_event_of_its_endpoint(void **state) {
  minutes_tick(*state, began_ms + MINUTE_MS);
  assert_int_equal(last.topic, KAFKA_TOPIC_EVENTS);
  assert_string_equal(last.key, "blux/sms");
  assert_string_equal(last.event.subject, "blux/sms");
  assert_string_equal(last.event.endpoint, "blux/sms");
  assert_string_equal(last.event.provider, "blux");
  assert_string_equal(last.event.source, "/ingress/blux/sms");
  assert_string_equal(last.event.type, EVENT_MINUTE);
  assert_int_equal(last.event.id.bytes[6] >> 4, 5);
  assert_int_equal(last.event.time_ms % MINUTE_MS, 0);
  assert_int_equal(last.event.time_ms - began_ms, 23000); // the end of the minute
  assert_memory_not_equal(&records[0].id, &records[1].id, sizeof(struct uuid));
}

static void test_a_refusal_is_counted_by_the_name_of_its_check(void **state) {
  for (size_t i = 0; verify_name(i); i++) count(*state, verify_name(i), 200, (int)i + 1);
  minutes_tick(*state, began_ms + MINUTE_MS);
  AUTO_JSON *value = value_of(0);
  const json_t *refused = json_object_get(value, "refused");
  for (size_t i = 0; verify_name(i); i++)
    assert_int_equal(json_integer_value(json_object_get(refused, verify_name(i))), i + 1);
  assert_true(json_object_size(refused) > 1);
  assert_int_equal(number(0, "good"), 0);
}

static void test_failures_in_a_row_are_counted_until_a_2xx(void **state) {
  static const struct {
    const char *refused;
    int status, times, in_a_row;
  } rows[] = {{NULL, 503, 2, 2},  {NULL, 401, 3, 5}, {NULL, 200, 0, 5},
              {"ip", 403, 50, 5}, {"ip", 200, 1, 5}, {NULL, 200, 1, 0},
              {NULL, 503, 1, 1},  {NULL, 204, 1, 0}, {ENDPOINTS_SECRET_PATH, 404, 50, 0}};
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    count(*state, rows[i].refused, rows[i].status, rows[i].times);
    minutes_tick(*state, began_ms + (int64_t)(i + 1) * MINUTE_MS);
    assert_int_equal(number(2 * i, "failed_in_a_row"), rows[i].in_a_row);
    assert_int_equal(number(2 * i + 1, "failed_in_a_row"), 0); // of the other endpoint
  }
}

static void test_a_record_says_what_is_in_the_spool(void **state) {
  spooled = 41;
  waiting_ms = began_ms + 250;
  minutes_tick(*state, began_ms + MINUTE_MS);
  assert_non_null(strstr(records[0].value, "\"spooled\":41,\"spooled_since\":\"2026-11-29T08:14:37.250Z\","));
  waiting_ms = -1; // Kafka refuses them
  minutes_tick(*state, began_ms + 2 * MINUTE_MS);
  assert_non_null(strstr(records[2].value, "\"spooled\":41,\"spooled_since\":null,"));
}

static void test_the_last_record_is_of_a_part_of_a_minute(void **state) {
  minutes_tick(*state, began_ms + MINUTE_MS);
  count(*state, NULL, 200, 2);
  minutes_leave(*state, began_ms + MINUTE_MS + 1000);
  assert_int_equal(n_records, 4);
  assert_minute(2, "2026-11-29T08:15:00.000Z");
  assert_non_null(strstr(records[2].value, "\"calls\":2,"));
  assert_non_null(strstr(records[2].value, "\"leaving\":true"));
  assert_int_equal(records[2].time_ms, began_ms + MINUTE_MS + 1000);
}

static void test_a_stop_over_the_end_of_a_minute_gives_the_record_of_that_minute_too(void **state) {
  count(*state, NULL, 200, 2);
  minutes_leave(*state, began_ms + MINUTE_MS);
  assert_int_equal(n_records, 4);
  assert_minute(0, "2026-11-29T08:14:00.000Z");
  assert_non_null(strstr(records[0].value, "\"leaving\":false"));
  assert_int_equal(number(0, "calls"), 2);
  assert_minute(2, "2026-11-29T08:15:00.000Z");
  assert_int_equal(number(2, "calls"), 0);
}

static void test_another_process_of_the_name_has_other_ids(void **state) {
  struct minutes *next = minutes_new(endpoints, "one", NULL, metrics, began_ms);
  minutes_leave(*state, began_ms + 1);
  minutes_leave(next, began_ms + 2);
  minutes_free(next);
  assert_minute(2, "2026-11-29T08:14:00.000Z");
  assert_memory_not_equal(&records[0].id, &records[2].id, sizeof(struct uuid));
}

// ---- the clock ----

static const struct {
  const char *what;
  int64_t at_ms;      // since the start
  const char *minute; // that a record is made of, or NULL
} clocks[] = {
    {"within the minute", 22999, NULL},
    {"over", 23000, "2026-11-29T08:14:00.000Z"},
    {"again", 23500, NULL},
    {"six hours forward", 6 * HOUR_MS, "2026-11-29T08:15:00.000Z"},
    {"the next", 6 * HOUR_MS + 23000, "2026-11-29T14:14:00.000Z"},
    {"two minutes back", 6 * HOUR_MS - 2 * MINUTE_MS, NULL},
    {"the minute once more", 6 * HOUR_MS, NULL},
    {"in the minute that is counted", 6 * HOUR_MS + 23000, NULL},
    {"past it", 6 * HOUR_MS + 23000 + MINUTE_MS, "2026-11-29T14:15:00.000Z"},
    {"six hours back", 23000, NULL},
    {"and on", 23000 + MINUTE_MS, "2026-11-29T08:15:00.000Z"},
};

static void test_the_clock_jumps(void **state) {
  for (size_t i = 0; i < COUNT_OF(clocks); i++) {
    size_t before = n_records;
    count(*state, NULL, 200, 1);
    minutes_tick(*state, began_ms + clocks[i].at_ms);
    if (n_records - before != (clocks[i].minute ? 2 : 0)) fail_msg("%s", clocks[i].what);
    if (clocks[i].minute) assert_minute(before, clocks[i].minute);
  }
  int64_t calls = 0;
  for (size_t i = 0; i < n_records; i += 2) calls += number(i, "calls");
  assert_int_equal(calls, COUNT_OF(clocks));
  for (size_t i = 0; i < n_records; i++)
    for (size_t j = 0; j < i; j++)
      assert_memory_not_equal(&records[i].id, &records[j].id, sizeof(struct uuid));
}

static void test_the_minute_ends_in_its_own_time(void **state) {
  assert_int_equal(minutes_left_ms(began_ms), 23000);
  assert_int_equal(minutes_left_ms(began_ms + 22999), 1);
  assert_int_equal(minutes_left_ms(began_ms + 23000), MINUTE_MS);
}

// ---- records that cannot be made durable ----

static void test_a_record_waits_and_is_sent_again_as_it_was(void **state) {
  int64_t before = late();
  count(*state, NULL, 200, 1);
  takes = false;
  minutes_tick(*state, began_ms + MINUTE_MS);
  assert_int_equal(late(), before + 1);
  count(*state, NULL, 200, 2);
  takes = true;
  minutes_tick(*state, began_ms + 2 * MINUTE_MS);
  assert_int_equal(n_records, 6);
  for (size_t i = 0; i < 2; i++) {
    assert_string_equal(records[i].value, records[2 + i].value);
    assert_memory_equal(&records[i].id, &records[2 + i].id, sizeof(struct uuid));
    assert_int_equal(records[i].time_ms, records[2 + i].time_ms);
  }
  assert_minute(4, "2026-11-29T08:15:00.000Z");
  assert_int_equal(number(4, "calls"), 2);
  assert_int_equal(late(), before + 1);
}

static void test_calls_of_minutes_without_a_record_are_in_the_next_one(void **state) {
  enum { AWAY = 5 };
  int64_t before = late();
  takes = false;
  for (int i = 1; i <= AWAY; i++) {
    count(*state, NULL, 200, 1);
    minutes_tick(*state, began_ms + i * MINUTE_MS);
    assert_int_equal(n_records, 2 * i);
  }
  assert_int_equal(late(), before + AWAY);
  takes = true;
  minutes_tick(*state, began_ms + (AWAY + 1) * MINUTE_MS);
  assert_int_equal(number(n_records - 4, "calls"), 1);
  assert_minute(n_records - 2, "2026-11-29T08:19:00.000Z");
  assert_int_equal(number(n_records - 2, "calls"), AWAY - 1);
}

static void test_a_stop_sends_what_waits_before_the_last_record(void **state) {
  takes = false;
  minutes_tick(*state, began_ms + MINUTE_MS);
  takes = true;
  minutes_leave(*state, began_ms + MINUTE_MS + 1);
  assert_int_equal(n_records, 6);
  assert_memory_equal(&records[0].id, &records[2].id, sizeof(struct uuid));
  assert_non_null(strstr(records[4].value, "\"leaving\":true"));
}

static void test_a_stop_without_kafka_tries_once(void **state) {
  takes = false;
  minutes_leave(*state, began_ms + 1);
  assert_int_equal(n_records, 2);
}

// ---- threads ----

enum { THREADS = 4, CALLS = 20000 };

static void *call(void *minutes) {
  static const struct {
    const char *refused;
    int status;
  } kinds[] = {{NULL, 200}, {NULL, 503}, {"ip", 200}, {"ip", 401}};
  for (int i = 0; i < CALLS; i++)
    minutes_count(minutes, &endpoints->list[0], kinds[i % 4].refused, kinds[i % 4].status);
  return NULL;
}

static void test_each_call_is_in_one_record_while_they_go_on(void **state) {
  pthread_t threads[THREADS];
  int64_t calls = 0, good = 0, refused = 0, failed = 0;
  for (size_t i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, call, *state);
  for (int i = 1; i <= 100; i++) minutes_tick(*state, began_ms + i * MINUTE_MS);
  for (size_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  minutes_leave(*state, began_ms + 100 * MINUTE_MS + 1);
  for (size_t i = 0; i < n_records; i += 2) {
    AUTO_JSON *value = value_of(i);
    calls += number(i, "calls");
    good += number(i, "good");
    failed += number(i, "failed");
    refused += json_integer_value(json_object_get(json_object_get(value, "refused"), "ip"));
  }
  assert_int_equal(calls, THREADS * CALLS);
  assert_int_equal(good, calls / 4);
  assert_int_equal(failed, calls / 2);
  assert_int_equal(refused, calls / 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  log_init("test", LOG_LEVEL_ERROR);
  const struct CMUnitTest tests[] = {
      TEST(test_a_record_says_what_the_calls_were),
      TEST(test_a_record_is_an_event_of_its_endpoint),
      TEST(test_a_refusal_is_counted_by_the_name_of_its_check),
      TEST(test_failures_in_a_row_are_counted_until_a_2xx),
      TEST(test_a_record_says_what_is_in_the_spool),
      TEST(test_the_last_record_is_of_a_part_of_a_minute),
      TEST(test_a_stop_over_the_end_of_a_minute_gives_the_record_of_that_minute_too),
      TEST(test_another_process_of_the_name_has_other_ids),
      TEST(test_the_clock_jumps),
      TEST(test_the_minute_ends_in_its_own_time),
      TEST(test_a_record_waits_and_is_sent_again_as_it_was),
      TEST(test_calls_of_minutes_without_a_record_are_in_the_next_one),
      TEST(test_a_stop_sends_what_waits_before_the_last_record),
      TEST(test_a_stop_without_kafka_tries_once),
      TEST(test_each_call_is_in_one_record_while_they_go_on),
  };
  return cmocka_run_group_tests(tests, load, unload);
}
