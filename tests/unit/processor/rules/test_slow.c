// SPDX-License-Identifier: MIT
#include "processor/rules/slow.h"
#include <string.h>

#include "tests/unit/support/minutes.h"

enum { NEVER = -1, DUE = 5 };

// The same share in each hour.
static struct slow_usual usual_of(int64_t taken, int64_t late) {
  struct slow_usual usual;
  for (int hour = 0; hour < 24; hour++) {
    usual.taken[hour] = taken;
    usual.late[hour] = late;
  }
  return usual;
}

static bool is_near(double a, double b) {
  return a > b - 1e-6 && a < b + 1e-6;
}

// ---- what is usual ----

static void test_the_usual_share_is_that_of_the_hour_or_else_of_the_day(void **state) {
  struct slow_usual usual = {
      .taken[3] = 100, .late[3] = 25, .taken[4] = 19, .late[4] = 19, .taken[5] = 20, .late[5] = 1};
  static const struct {
    int64_t hour;
    double share;
  } cases[] = {{3, 0.25}, {4, 45 / 139.0}, {5, 0.05}, {23, 45 / 139.0}};
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    for (int64_t day = 0; day <= 2; day++)
      assert_float_equal(slow_usual_share(&usual, (day * 24 + cases[i].hour) * 60 + 59), cases[i].share,
                         1e-9);
}

static void test_nothing_is_usual_before_twenty_messages(void **state) {
  struct slow_usual usual = {.taken[3] = 10, .taken[4] = 9};
  assert_true(slow_usual_share(&usual, 0) < 0);
  usual.taken[9] = 1;
  assert_true(slow_usual_share(&usual, 0) == 0);
}

// ---- the rule: n·p + 4·sqrt(n·p·(1 - p)) with p = 0.1 is 30 + 4·5.2 = 50.78 of 300, and 7.37 of 20 ----

static const struct {
  const char *name;
  int64_t taken, late; // what is usual
  struct run runs[RUNS_MAX];
  int64_t opened; // so many minutes ago, or NEVER
  enum verdict verdict;
  struct slow_found found; // `since` as an age; not compared where minutes is 0
} cases[] = {
    // ---- opening
    {"nothing usual yet", 0, 0, {{200, {.taken = 30}}}, NEVER, VERDICT_NOTHING, {0}},
    {"no messages", 1000, 0, {{0}}, NEVER, VERDICT_NOTHING, {5, 0, 0, 0, MINUTES_DAY}},
    {"all in time",
     1000,
     0,
     {{200, {.taken = 30, .in_time = 30}}},
     NEVER,
     VERDICT_NOTHING,
     {5, 300, 0, 0, 10}},
    {"all late", 1000, 0, {{200, {.taken = 30}}}, NEVER, VERDICT_OPEN, {14, 300, 300, 0, 10}},
    {"50 of 300",
     1000,
     0,
     {{200, {.taken = 30, .in_time = 25}}},
     NEVER,
     VERDICT_NOTHING,
     {14, 300, 50, 0, 10}},
    {"60 of 300", 1000, 0, {{200, {.taken = 30, .in_time = 24}}}, NEVER, VERDICT_OPEN, {14, 300, 60, 0, 10}},
    {"where a tenth is late each day",
     1000,
     100,
     {{200, {.taken = 30, .in_time = 24}}},
     NEVER,
     VERDICT_NOTHING,
     {5, 300, 60, 30, 10}},
    {"then three times that and some",
     1000,
     100,
     {{200, {.taken = 30, .in_time = 17}}},
     NEVER,
     VERDICT_OPEN, // 130 > 90 + 4·sqrt(63)
     {14, 300, 130, 30, 10}},
    {"on the limit: 3200 + 4·40 of 6400, where p is a half",
     600,
     100,
     {{200, {.taken = 640, .in_time = 304}}},
     NEVER,
     VERDICT_NOTHING,
     {14, 6400, 3360, 6400 / 6.0, 10}},
    {"above it",
     600,
     100,
     {{200, {.taken = 640, .in_time = 303}}},
     NEVER,
     VERDICT_OPEN,
     {14, 6400, 3370, 6400 / 6.0, 10}},
    {"but nine tenths at most",
     1000,
     900,
     {{200, {.taken = 400}}},
     NEVER,
     VERDICT_OPEN,
     {14, 4000, 4000, 3600, 10}},
    {"what is not due yet is not late",
     1000,
     0,
     {{200, {.taken = 30, .in_time = 30}}, {DUE, {.taken = 30}}},
     NEVER,
     VERDICT_NOTHING,
     {5, 300, 0, 0, 10}},
    {"for eleven minutes: in the last ten windows there are 60 and more",
     1000,
     0,
     {{200, {.taken = 30, .in_time = 30}}, {11 + DUE, {.taken = 30}}},
     NEVER,
     VERDICT_OPEN,
     {14, 300, 300, 0, 10}},
    {"for ten: the first window had one minute of them",
     1000,
     0,
     {{200, {.taken = 30, .in_time = 30}}, {10 + DUE, {.taken = 30}}},
     NEVER,
     VERDICT_NOTHING,
     {14, 300, 300, 0, 10}},
    {"over for a minute: not in a row any more",
     1000,
     0,
     {{200, {.taken = 30}}, {9, {.taken = 30, .in_time = 30}}, {DUE, {0}}},
     NEVER,
     VERDICT_NOTHING,
     {5, 300, 30, 0, 10}},
    {"a campaign of five minutes stays in ten windows",
     1000,
     0,
     {{200, {.taken = 30, .in_time = 30}}, {5, {.taken = 3000}}, {5 + DUE, {.taken = 30, .in_time = 30}}},
     NEVER,
     VERDICT_NOTHING,
     {14, 15150, 15000, 0, 10}},
    {"a burst in six minutes, when hardly anything else is sent",
     1000,
     0,
     {{90, {.taken = 1, .in_time = 1}}, {6, {.taken = 3}}, {20, {0}}},
     NEVER,
     VERDICT_NOTHING,
     {0}},
    {"in seven",
     1000,
     0,
     {{90, {.taken = 1, .in_time = 1}}, {7, {.taken = 3}}, {20, {0}}},
     NEVER,
     VERDICT_OPEN,
     {26, 21, 21, 0, 22}},
    {"a minute in which a tenth is late is none of the seven",
     1000,
     0,
     {{90, {.taken = 100, .in_time = 90}}, {6, {.taken = 500}}, {5 + DUE, {.taken = 100, .in_time = 90}}},
     NEVER,
     VERDICT_NOTHING,
     {14, 3000, 2550, 0, 10}},
    {"few messages: as far back as twenty",
     1000,
     0,
     {{90, {.taken = 1, .in_time = 1}}, {17 + DUE, {.taken = 1}}},
     NEVER,
     VERDICT_OPEN,
     {21, 20, 17, 0, 20}},
    {"seven of twenty in the first window",
     1000,
     0,
     {{90, {.taken = 1, .in_time = 1}}, {16 + DUE, {.taken = 1}}},
     NEVER,
     VERDICT_NOTHING,
     {20, 20, 16, 0, 20}},
    {"nineteen in a day are too few",
     1000,
     0,
     {{1, {.taken = 1}}, {MINUTES_DAY - 1, {0}}, {1, {.taken = 19}}, {DUE, {0}}},
     NEVER,
     VERDICT_NOTHING,
     {5, 19, 19, 0, MINUTES_DAY}},
    // ---- minutes in which receipts came late by another fault
    {"blind minutes are passed over",
     1000,
     0,
     {{90, {.taken = 30, .in_time = 30}}, {30, {.taken = 30, .blind = true}}},
     NEVER,
     VERDICT_NOTHING,
     {5, 30, 0, 0, 31}},
    {"and so is what waited for its receipt in them",
     1000,
     0,
     {{90, {.taken = 30, .in_time = 30}}, {DUE, {.taken = 30}}, {1, {.blind = true}}, {14, {0}}},
     NEVER,
     VERDICT_NOTHING,
     {5, 30, 0, 0, 16}},
    {"but not what was due before",
     1000,
     0,
     {{90, {.taken = 30}}, {DUE, {0}}, {1, {.blind = true}}},
     NEVER,
     VERDICT_OPEN,
     {14, 270, 270, 0, 10}},
    // ---- closing
    {"a tenth is still late",
     1000,
     0,
     {{90, {.taken = 20, .in_time = 18}}},
     60,
     VERDICT_NOTHING,
     {5, 200, 20, 0, 10}},
    {"a twentieth for ten minutes",
     1000,
     0,
     {{90, {.taken = 20, .in_time = 19}}},
     60,
     VERDICT_CLOSE,
     {5, 200, 10, 0, 10}},
    {"twenty messages are enough",
     1000,
     0,
     {{90, {.taken = 2, .in_time = 2}}},
     60,
     VERDICT_CLOSE,
     {5, 20, 0, 0, 10}},
    {"which begin after the opening",
     1000,
     0,
     {{90, {.taken = 20, .in_time = 19}}},
     24,
     VERDICT_CLOSE,
     {5, 200, 10, 0, 10}},
    {"not before it",
     1000,
     0,
     {{90, {.taken = 20, .in_time = 19}}},
     23,
     VERDICT_NOTHING,
     {5, 200, 10, 0, 10}},
    {"what is usual counts: 12 % where 10 % are",
     1000,
     100,
     {{90, {.taken = 25, .in_time = 22}}},
     60,
     VERDICT_CLOSE,
     {5, 250, 30, 25, 10}},
    {"a day with few messages, all in time",
     1000,
     0,
     {{30, {.taken = 9}}, {1, {.taken = 9, .in_time = 9}}, {MINUTES_DAY + 20, {0}}},
     MINUTES_DAY + 21,
     VERDICT_NOTHING,
     {5, 0, 0, 0, MINUTES_DAY}},
    {"a day with one, in time",
     1000,
     0,
     {{30, {.taken = 9}}, {MINUTES_DAY, {0}}, {1, {.taken = 1, .in_time = 1}}, {14, {0}}},
     MINUTES_DAY + 15,
     VERDICT_CLOSE,
     {5, 1, 0, 0, MINUTES_DAY}},
    {"a day with one, late",
     1000,
     0,
     {{30, {.taken = 9}}, {MINUTES_DAY, {0}}, {1, {.taken = 1}}, {14, {0}}},
     MINUTES_DAY + 15,
     VERDICT_NOTHING,
     {14, 1, 1, 0, MINUTES_DAY}},
};

static bool same_found(const struct slow_found *a, const struct slow_found *b) {
  return a->since == b->since && a->taken == b->taken && a->late == b->late && a->minutes == b->minutes &&
         is_near(a->expected, b->expected);
}

static void test_a_provider_is_slow_when_many_more_messages_than_usual_are_late(void **state) {
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct minutes minutes = minutes_of(cases[i].runs);
    struct slow_usual usual = usual_of(cases[i].taken, cases[i].late);
    struct slow_found found = {0}, wanted = cases[i].found;
    int64_t opened = cases[i].opened == NEVER ? NOT_OPEN : NOW - cases[i].opened;
    if (slow_judge(&minutes, DUE, &usual, opened, &found) != cases[i].verdict)
      fail_msg("%s: another verdict", cases[i].name);
    wanted.since = NOW - wanted.since;
    if (wanted.minutes && !same_found(&found, &wanted))
      fail_msg("%s: since %lld, %lld late of %lld (%f) in %lld minutes", cases[i].name,
               (long long)(NOW - found.since), (long long)found.late, (long long)found.taken, found.expected,
               (long long)found.minutes);
  }
}

static void test_a_provider_that_may_take_an_hour_is_judged_after_it(void **state) {
  static const struct run runs[RUNS_MAX] = {{300, {.taken = 30, .in_time = 30}}, {60, {.taken = 30}}};
  struct minutes minutes = minutes_of(runs);
  struct slow_usual usual = usual_of(1000, 0);
  struct slow_found found;
  assert_int_equal(slow_judge(&minutes, 60, &usual, NOT_OPEN, &found), VERDICT_NOTHING);
  assert_int_equal(found.late, 0);
  assert_int_equal(slow_judge(&minutes, DUE, &usual, NOT_OPEN, &found), VERDICT_OPEN);
}

static void test_each_message_is_compared_with_its_own_hour(void **state) {
  static const struct run runs[RUNS_MAX] = {{90, {.taken = 20, .in_time = 20}}};
  struct minutes minutes = minutes_of(runs);
  minutes.now -= minutes.now % 60;
  minutes.now += DUE + 3; // four minutes of the window are in this hour, six in the one before
  struct slow_usual usual = usual_of(1000, 0);
  usual.late[minutes.now / 60 % 24] = 100;
  usual.late[(minutes.now / 60 + 23) % 24] = 300;
  struct slow_found found;
  slow_judge(&minutes, DUE, &usual, NOT_OPEN, &found);
  assert_true(is_near(found.expected, 4 * 20 * 0.1 + 6 * 20 * 0.3));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_usual_share_is_that_of_the_hour_or_else_of_the_day),
      cmocka_unit_test(test_nothing_is_usual_before_twenty_messages),
      cmocka_unit_test(test_a_provider_is_slow_when_many_more_messages_than_usual_are_late),
      cmocka_unit_test(test_a_provider_that_may_take_an_hour_is_judged_after_it),
      cmocka_unit_test(test_each_message_is_compared_with_its_own_hour),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
