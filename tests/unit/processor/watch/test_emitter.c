// SPDX-License-Identifier: MIT
// That the watch has a producer while it writes, and none while it does not. The clock is the test's.
#include "common/base/mem.h"
#include "processor/watch/emitter.h"
#include "tests/unit/support/mock.h"
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct mock mock;
static struct processor processor = {.settings = &mock.settings};
static int64_t ahead_ms;

int64_t __real_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void) {
  return __real_clock_mono_ms() + ahead_ms;
}

static int set_up(void **state) {
  mock_init(&mock);
  return 0;
}

static int tear_down(void **state) {
  mock_fini(&mock);
  return 0;
}

static void write_one(struct emitter *emitter, const char *value, const int32_t *partition) {
  struct err err = {0};
  const struct emitter_event event = {
      .type = EVENT_OVERDUE, .key = "key", .provider = "bizgo", .value = value, .partition = partition};
  if (!emitter_send(emitter, &event, &err) || !emitter_flush(emitter, &err)) fail_msg("%s", err.text);
}

// Of librdkafka: each has one main thread, which has its name when rd_kafka_new() returns. The other threads
// start when they like.
static int clients(void) {
  glob_t threads;
  int n = 0;
  assert_int_equal(glob("/proc/self/task/*/comm", 0, NULL, &threads), 0);
  for (size_t i = 0; i < threads.gl_pathc; i++) {
    char name[32] = "";
    FILE *file = fopen(threads.gl_pathv[i], "r"); // NULL: it has ended meanwhile
    if (file && fgets(name, sizeof name, file) && strcmp(name, "rdk:main\n") == 0) n++;
    if (file) fclose(file);
  }
  globfree(&threads);
  return n;
}

// A thread that was joined may be in /proc for a moment.
static void assert_clients(int expected) {
  int64_t deadline = __real_clock_mono_ms() + 10000;
  while (clients() > expected && __real_clock_mono_ms() < deadline) clock_sleep_ms(5);
  assert_int_equal(clients(), expected);
}

static void test_the_producer_is_there_while_it_is_in_use(void **state) {
  int others = clients();
  struct emitter *emitter = emitter_new(&processor);
  struct err err;
  assert_true(emitter_flush(emitter, &err)); // nothing was queued
  emitter_rest(emitter);
  assert_clients(others);
  write_one(emitter, "first", NULL);
  ahead_ms += 59000;
  emitter_rest(emitter);
  assert_clients(others + 1);
  ahead_ms += 1500;
  emitter_rest(emitter);
  assert_clients(others);
  write_one(emitter, "second", NULL);
  emitter_free(emitter);
  assert_clients(others);
  struct mock_records records = mock_read(&mock, "dochak.events");
  assert_int_equal(records.n, 2);
  mock_find(&records, "first");
  mock_find(&records, "second");
  mock_records_fini(&records);
}

static void test_an_event_goes_to_the_partition_that_is_asked_for(void **state) {
  struct emitter *emitter = emitter_new(&processor);
  for (int32_t i = 0; i < MOCK_PARTITIONS; i++) {
    AUTO_FREE char *value = mem_printf("for %d", (int)i);
    write_one(emitter, value, &i);
  }
  emitter_free(emitter);
  struct mock_records records = mock_read(&mock, "dochak.events");
  for (int32_t i = 0; i < MOCK_PARTITIONS; i++) {
    AUTO_FREE char *value = mem_printf("for %d", (int)i);
    assert_int_equal(mock_find(&records, value)->rkm->partition, i);
  }
  mock_records_fini(&records);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_producer_is_there_while_it_is_in_use),
      cmocka_unit_test(test_an_event_goes_to_the_partition_that_is_asked_for),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
