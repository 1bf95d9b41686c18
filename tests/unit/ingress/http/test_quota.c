// SPDX-License-Identifier: MIT
// What one lane may hold: by table, and by threads that take and give back.
#include "ingress/http/quota.h"

#include "common/base/mem.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ALL = 1600, HALF = ALL / 2, LEAST = ALL / 16 };

static const struct {
  const char *what;
  int64_t others, mine, own, bytes; // held by other lanes, by this lane, of it by this request; asked for
  bool fits;
} rows[] = {
    {"all is free", 0, 0, 0, 1, true},
    {"nothing is asked for", 0, 0, 0, 0, true},
    {"half of all", 0, 0, 0, HALF, true},
    {"more than half, but alone", 0, 0, 0, HALF + 1, true},
    {"more than all, but alone", 0, 0, 0, ALL * 2, true},
    {"alone, whatever the others hold", ALL, 0, 0, HALF, true},
    {"alone, with what it holds already", ALL, 300, 300, HALF, true},
    {"half with what others of the lane hold", 0, 100, 0, HALF - 100, true},
    {"more than half with them", 0, 100, 0, HALF - 99, false},
    {"of its own, and another request is there", 0, 400, 300, HALF - 400, true},
    {"of its own, and too much", 0, 400, 300, HALF - 399, false},
    {"all with what the others hold", ALL - 300, 200, 0, 100, true},
    {"more than all", ALL - 300, 200, 0, 101, false},
    {"a sixteenth is each lane's", ALL, 40, 0, LEAST - 40, true},
    {"and no more", ALL, 40, 0, LEAST - 39, false},
};

static void test_bytes_by_table(void **state) {
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct quota quota = {.bytes_max = ALL, .bytes = rows[i].others + rows[i].mine};
    struct quota_lane lane = {.quota = &quota, .threads_max = 1, .bytes = rows[i].mine};
    if (quota_hold(&lane, rows[i].bytes, rows[i].own) != rows[i].fits) fail_msg("%s", rows[i].what);
    int64_t taken = rows[i].fits ? rows[i].bytes : 0;
    assert_int_equal(quota.bytes, rows[i].others + rows[i].mine + taken); // a refusal takes nothing
    assert_int_equal(lane.bytes, rows[i].mine + taken);
    quota_release(&lane, taken);
    assert_int_equal(quota.bytes, rows[i].others + rows[i].mine);
    assert_int_equal(lane.bytes, rows[i].mine);
  }
}

// Many lanes with one large request each would take as much memory as there are threads.
static void test_a_large_request_that_is_alone_needs_room_among_all(void **state) {
  enum { MIB = 1024 * 1024 };
  static const struct {
    int64_t others, own, bytes;
    bool fits;
  } cases[] = {
      {0, 0, 8 * MIB, true},
      {56 * MIB, 0, 8 * MIB, true},
      {56 * MIB, 0, 8 * MIB + 1, false},
      {64 * MIB, 0, 4 * MIB, true},
      {64 * MIB, 0, 4 * MIB + 1, false},
      {64 * MIB, 2 * MIB, 2 * MIB, true},
      {64 * MIB, 2 * MIB, 2 * MIB + 1, false},
      {0, 20 * MIB, 20 * MIB, true}, // more than half, but alone
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct quota big = {.bytes_max = 64 * MIB, .bytes = cases[i].others + cases[i].own};
    struct quota_lane lane = {.quota = &big, .threads_max = 1, .alone_max = 4 * MIB, .bytes = cases[i].own};
    if (quota_hold(&lane, cases[i].bytes, cases[i].own) != cases[i].fits) fail_msg("case %zu", i);
  }
}

static void test_a_lane_has_its_threads_and_no_more(void **state) {
  struct quota_lane lane = {.threads_max = 3}, other = {.threads_max = 1};
  for (int i = 0; i < 3; i++) assert_true(quota_enter(&lane, true));
  assert_false(quota_enter(&lane, true));
  assert_false(quota_enter(&lane, true)); // a refusal takes none
  assert_int_equal(lane.threads, 3);
  assert_true(quota_enter(&other, true));
  quota_leave(&lane);
  assert_true(quota_enter(&lane, true));
  assert_false(quota_enter(&lane, true));
}

static void test_what_a_lane_took_beyond_its_threads_counts(void **state) {
  struct quota_lane lane = {.threads_max = 3};
  for (int i = 0; i < 5; i++) assert_true(quota_enter(&lane, false));
  assert_false(quota_enter(&lane, true));
  for (int i = 0; i < 3; i++) quota_leave(&lane);
  assert_true(quota_enter(&lane, true));
  assert_false(quota_enter(&lane, true));
}

static void test_only_so_many_bodies_of_a_lane_come_slowly(void **state) {
  struct quota_lane lane = {.threads_max = 2};
  assert_true(quota_begin_slow(&lane) && quota_begin_slow(&lane));
  assert_false(quota_begin_slow(&lane));
  assert_false(quota_begin_slow(&lane));
  quota_end_slow(&lane);
  assert_true(quota_begin_slow(&lane));
  assert_false(quota_begin_slow(&lane));
}

// ---- many threads ----

enum { THREADS = 8, ROUNDS = 2000, THREADS_MAX = 4 };

static struct quota shared = {.bytes_max = 1000};
static struct quota_lane shared_lane = {.quota = &shared, .threads_max = THREADS_MAX};
static _Atomic int64_t inside;

static void *come_and_go(void *arg) {
  intptr_t over = 0;
  for (int i = 0; i < ROUNDS; i++) {
    if (!quota_enter(&shared_lane, true)) continue;
    over += atomic_fetch_add(&inside, 1) >= THREADS_MAX;
    if (quota_hold(&shared_lane, 200, 0)) quota_release(&shared_lane, 200);
    atomic_fetch_sub(&inside, 1);
    quota_leave(&shared_lane);
  }
  return (void *)over;
}

static void test_threads_that_come_and_go_leave_nothing_behind(void **state) {
  pthread_t threads[THREADS];
  for (size_t i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, come_and_go, NULL);
  for (size_t i = 0; i < THREADS; i++) {
    void *over;
    pthread_join(threads[i], &over);
    assert_null(over);
  }
  assert_int_equal(shared.bytes, 0);
  assert_int_equal(shared_lane.bytes, 0);
  assert_int_equal(shared_lane.threads, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bytes_by_table),
      cmocka_unit_test(test_a_large_request_that_is_alone_needs_room_among_all),
      cmocka_unit_test(test_a_lane_has_its_threads_and_no_more),
      cmocka_unit_test(test_what_a_lane_took_beyond_its_threads_counts),
      cmocka_unit_test(test_only_so_many_bodies_of_a_lane_come_slowly),
      cmocka_unit_test(test_threads_that_come_and_go_leave_nothing_behind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
