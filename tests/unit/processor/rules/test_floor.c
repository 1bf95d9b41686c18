// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "processor/rules/floor.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { HOUR = 60, DAY = 24 * HOUR, U = FLOOR_UNKNOWN };

// So many minutes until a verdict, which must be this; 0: none came.
static int count_until(struct floor_state *s, const struct floor *f, int64_t calls, int n,
                       enum verdict verdict) {
  for (int i = 1; i <= n; i++) {
    enum verdict is = floor_minute(s, f, calls);
    if (is == VERDICT_NOTHING) continue;
    assert_int_equal(is, verdict);
    return i;
  }
  return 0;
}

static const struct {
  struct floor floor;
  int opens; // minutes after the start, if no call comes
} floors[] = {
    {{1, 86400}, DAY}, {{20, 3600}, HOUR},          {{1, 600}, 10}, {{1, 7200}, 2 * HOUR}, {{1, 6000}, 100},
    {{1, 3660}, 62},   {{3, 28 * 86400}, 28 * DAY}, {{1, 659}, 10},
};

static void test_no_calls_open_it_once_the_time_has_been_watched(void **state) {
  for (size_t i = 0; i < COUNT_OF(floors); i++) {
    struct floor_state s = {0};
    assert_int_equal(count_until(&s, &floors[i].floor, 0, 100 * DAY, VERDICT_OPEN), floors[i].opens);
    assert_true(s.open);
    assert_int_equal(count_until(&s, &floors[i].floor, 0, 100 * DAY, VERDICT_OPEN), 0);
  }
}

static void test_as_many_calls_as_the_floor_are_enough(void **state) {
  static const struct {
    int64_t calls; // in one minute of each hour
    bool opens;
  } cases[] = {{0, true}, {19, true}, {20, false}, {21, false}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct floor_state s = {0};
    bool opened = false;
    for (int m = 0; m < 3 * DAY; m++)
      opened |=
          floor_minute(&s, &(struct floor){20, 3600}, m % HOUR == 7 ? cases[i].calls : 0) == VERDICT_OPEN;
    assert_int_equal(opened, cases[i].opens);
  }
}

static void test_the_time_begins_at_the_last_call(void **state) {
  struct floor_state s = {0};
  const struct floor f = {1, 3600};
  assert_int_equal(count_until(&s, &f, 0, 59, VERDICT_OPEN), 0);
  assert_int_equal(count_until(&s, &f, 1, 1, VERDICT_OPEN), 0);
  assert_int_equal(floor_calls(&s), 1);
  assert_int_equal(count_until(&s, &f, 0, 1000, VERDICT_OPEN), 60);
}

static void test_unknown_minutes_do_not_count(void **state) {
  struct floor_state s = {0};
  const struct floor f = {1, 3600};
  assert_int_equal(count_until(&s, &f, 0, 59, VERDICT_OPEN), 0);
  assert_int_equal(count_until(&s, &f, U, 1000, VERDICT_OPEN), 0);
  assert_int_equal(count_until(&s, &f, 0, 1, VERDICT_OPEN), 1);
}

// It closes with as many calls as the floor asks for, and then watches the whole time again.
static void test_each_verdict_begins_a_new_time(void **state) {
  struct floor_state s = {0};
  const struct floor f = {5, 3600};
  assert_int_equal(count_until(&s, &f, 0, DAY, VERDICT_OPEN), 60);
  assert_int_equal(count_until(&s, &f, 1, 4, VERDICT_CLOSE), 0);
  assert_int_equal(floor_calls(&s), 4);
  assert_int_equal(count_until(&s, &f, 1, DAY, VERDICT_CLOSE), 1);
  assert_int_equal(floor_calls(&s), 0);
  assert_int_equal(count_until(&s, &f, 0, DAY, VERDICT_OPEN), 60);
  assert_int_equal(count_until(&s, &f, 1, 4, VERDICT_CLOSE), 0);
  assert_int_equal(count_until(&s, &f, 0, 3 * HOUR, VERDICT_CLOSE), 0);
  assert_int_equal(floor_calls(&s), 0); // too long ago
  assert_int_equal(count_until(&s, &f, 5, 1, VERDICT_CLOSE), 1);
}

static void test_another_floor_begins_a_new_time(void **state) {
  static const struct floor others[] = {{1, 3000}, {1, 600}, {5, 3000}, {1, 28 * 86400}};
  for (size_t i = 0; i < COUNT_OF(others); i++) {
    struct floor_state s = {0};
    assert_int_equal(count_until(&s, &(struct floor){1, 86400}, 1, 2 * DAY, VERDICT_OPEN), 0);
    int minutes = (int)(others[i].within_s / 60);
    assert_int_equal(count_until(&s, &others[i], 0, 100 * DAY, VERDICT_OPEN), minutes);
  }
}

static void test_what_is_open_stays_open_until_another_floor_is_reached(void **state) {
  struct floor_state s = {0};
  assert_int_equal(count_until(&s, &(struct floor){9, 3600}, 1, DAY, VERDICT_OPEN), 0);
  assert_int_equal(count_until(&s, &(struct floor){9, 3600}, 0, DAY, VERDICT_OPEN), 52);
  assert_int_equal(count_until(&s, &(struct floor){3, 600}, 1, 2, VERDICT_CLOSE), 0);
  assert_true(s.open);
  assert_int_equal(count_until(&s, &(struct floor){3, 600}, 1, 1, VERDICT_CLOSE), 1);
  assert_false(s.open);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_no_calls_open_it_once_the_time_has_been_watched),
      cmocka_unit_test(test_as_many_calls_as_the_floor_are_enough),
      cmocka_unit_test(test_the_time_begins_at_the_last_call),
      cmocka_unit_test(test_unknown_minutes_do_not_count),
      cmocka_unit_test(test_each_verdict_begins_a_new_time),
      cmocka_unit_test(test_another_floor_begins_a_new_time),
      cmocka_unit_test(test_what_is_open_stays_open_until_another_floor_is_reached),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
