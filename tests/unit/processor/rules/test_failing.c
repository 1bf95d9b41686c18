// SPDX-License-Identifier: MIT
#include "processor/rules/failing.h"
#include <string.h>

#include "tests/unit/support/minutes.h"

enum { NEVER = -1 }; // as an age: not open

static const struct {
  const char *name;
  struct run runs[RUNS_MAX];
  int64_t opened; // so many minutes ago, or NEVER
  enum verdict verdict;
  struct failing_found found; // `since` as an age; not compared where minutes is 0
} cases[] = {
    // ---- opening
    {"nothing", {{0}}, NEVER, VERDICT_NOTHING, {0, 0, 0, MINUTES_DAY}},
    {"all delivered", {{100, {.delivered = 9}}}, NEVER, VERDICT_NOTHING, {0, 0, 45, 5}},
    {"half is not more than half",
     {{60, {.delivered = 4, .failed = 4}}},
     NEVER,
     VERDICT_NOTHING,
     {0, 20, 20, 5}},
    {"one more than half",
     {{60, {.delivered = 9}}, {1, {.delivered = 4, .failed = 5}}, {4, {.delivered = 4, .failed = 4}}},
     NEVER,
     VERDICT_OPEN,
     {4, 21, 20, 5}},
    {"five minutes, not six",
     {{60, {.failed = 9}}, {5, {.delivered = 9}}},
     NEVER,
     VERDICT_NOTHING,
     {0, 0, 45, 5}},
    {"a total failure of 17 a minute, after three minutes",
     {{60, {.delivered = 17}}, {3, {.failed = 17}}},
     NEVER,
     VERDICT_OPEN,
     {2, 51, 34, 5}},
    {"after two it may be a moment",
     {{60, {.delivered = 17}}, {2, {.failed = 17}}},
     NEVER,
     VERDICT_NOTHING,
     {1, 34, 51, 5}},
    {"few receipts: as far back as the last twenty",
     {{900, {.delivered = 1}}, {11, {.failed = 1}}},
     NEVER,
     VERDICT_OPEN,
     {10, 11, 9, 20}},
    {"ten of twenty",
     {{900, {.delivered = 1}}, {10, {.failed = 1}}},
     NEVER,
     VERDICT_NOTHING,
     {9, 10, 10, 20}},
    {"nineteen are too few, for a day",
     {{1, {.failed = 1}}, {MINUTES_DAY - 19, {0}}, {19, {.failed = 1}}},
     NEVER,
     VERDICT_NOTHING,
     {18, 19, 0, MINUTES_DAY}},
    {"twenty within a day",
     {{1, {.failed = 1}}, {MINUTES_DAY - 20, {0}}, {19, {.failed = 1}}},
     NEVER,
     VERDICT_OPEN,
     {MINUTES_DAY - 1, 20, 0, MINUTES_DAY}},
    {"a bad list is about its recipients",
     {{60, {.delivered = 2}}, {30, {.delivered = 4, .recipient_fault = 6, .failed = 1}}},
     NEVER,
     VERDICT_NOTHING,
     {0, 5, 20, 5}},
    {"account faults have incidents of their own",
     {{60, {.delivered = 4}}, {30, {.delivered = 4, .account_fault = 90}}},
     NEVER,
     VERDICT_NOTHING,
     {0, 0, 20, 5}},
    {"repeats and what is unconfirmed say nothing, on either side",
     {{60, {.delivered = 4, .failed = 5, .unconfirmed = 90, .repeated = 90}}},
     NEVER,
     VERDICT_OPEN,
     {4, 25, 20, 5}},
    {"since: where failures prevail",
     {{60, {.failed = 2, .delivered = 1}},
      {1, {.delivered = 9}},
      {1, {0}},
      {1, {.failed = 1}},
      {1, {0}},
      {1, {.failed = 30}}},
     NEVER,
     VERDICT_OPEN,
     {2, 31, 9, 5}},
    // ---- closing
    {"some minutes of deliveries are not the end",
     {{60, {.failed = 9}}, {8, {.delivered = 9}}},
     60,
     VERDICT_NOTHING,
     {0, 18, 72, 10}},
    {"nine minutes are", {{60, {.failed = 9}}, {9, {.delivered = 9}}}, 60, VERDICT_CLOSE, {0, 9, 81, 10}},
    {"but only minutes after the opening", {{60, {.delivered = 9}}}, 9, VERDICT_NOTHING, {0, 0, 81, 9}},
    {"of the opening's minute itself nothing", {{60, {.delivered = 9}}}, 10, VERDICT_CLOSE, {0, 0, 90, 10}},
    {"a fifth is too many", {{60, {.delivered = 4, .failed = 1}}}, 30, VERDICT_NOTHING, {0, 10, 40, 10}},
    {"less than a fifth is not", {{60, {.delivered = 5, .failed = 1}}}, 30, VERDICT_CLOSE, {0, 10, 50, 10}},
    {"few receipts: twenty are waited for",
     {{99, {.failed = 1}}, {19, {.delivered = 1}}},
     19,
     VERDICT_NOTHING,
     {0, 0, 19, 19}},
    {"and are enough", {{99, {.failed = 1}}, {20, {.delivered = 1}}}, 20, VERDICT_CLOSE, {0, 0, 20, 20}},
    {"hardly any receipts, all good for a day",
     {{9, {.failed = 9}}, {MINUTES_DAY - 1, {0}}, {1, {.delivered = 1}}},
     MINUTES_DAY,
     VERDICT_CLOSE,
     {0, 0, 1, MINUTES_DAY}},
    {"for less than a day",
     {{9, {.failed = 9}}, {MINUTES_DAY - 2, {0}}, {1, {.delivered = 1}}},
     MINUTES_DAY - 1,
     VERDICT_NOTHING,
     {0, 0, 1, MINUTES_DAY - 1}},
    {"one of them failed",
     {{9, {.failed = 9}}, {MINUTES_DAY - 1, {0}}, {1, {.delivered = 9, .failed = 1}}},
     MINUTES_DAY,
     VERDICT_NOTHING,
     {0, 1, 9, MINUTES_DAY}},
    {"no receipt is no sign of health",
     {{9, {.failed = 9}}, {MINUTES_DAY, {0}}},
     MINUTES_DAY,
     VERDICT_NOTHING,
     {0, 0, 0, MINUTES_DAY}},
};

static void test_a_provider_fails_when_more_than_half_of_its_last_receipts_did(void **state) {
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct minutes minutes = minutes_of(cases[i].runs);
    struct failing_found found = {0}, wanted = cases[i].found;
    int64_t opened = cases[i].opened == NEVER ? NOT_OPEN : NOW - cases[i].opened;
    if (failing_judge(&minutes, opened, &found) != cases[i].verdict)
      fail_msg("%s: another verdict", cases[i].name);
    wanted.since = NOW - wanted.since;
    if (wanted.minutes && memcmp(&found, &wanted, sizeof found) != 0)
      fail_msg("%s: since %lld, %lld failed, %lld delivered in %lld minutes", cases[i].name,
               (long long)(NOW - found.since), (long long)found.failed, (long long)found.delivered,
               (long long)found.minutes);
  }
}

static void test_the_window_ends_where_the_minutes_do(void **state) {
  struct minute_counts list[2] = {{.failed = 30}, {.failed = 1}};
  struct minutes minutes = {list, 2, NOW};
  struct failing_found found;
  assert_int_equal(failing_judge(&minutes, NOT_OPEN, &found), VERDICT_OPEN);
  assert_true(found.minutes == 2 && found.failed == 31 && found.since == NOW - 1);
}

// ---- account faults ----

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, WINDOW = 10 * MINUTE };
static const int64_t START = NOW * (int64_t)MINUTE;

// Faults `gap` apart: how long after the last one the incident ends, if deliveries go on.
static int64_t ends_after(int64_t gap_ms, int n) {
  struct failing_faults faults = {0};
  for (int i = 0; i < n; i++) failing_fault_add(&faults, START + i * gap_ms, WINDOW);
  int64_t last = START + (n - 1) * gap_ms, step = SECOND;
  for (int64_t wait = 0;; wait += step)
    if (failing_fault_is_over(&faults, last + wait, last + wait, WINDOW)) return wait;
}

static void test_an_account_fault_ends_after_twice_its_longest_gap(void **state) {
  static const struct {
    const char *name;
    int64_t gap_ms;
    int n;
    int64_t least, most; // ms after the last one
  } rows[] = {
      {"a single one: two hours", 0, 1, 2 * HOUR, 2 * HOUR},
      {"each message fails", 4 * SECOND, 100, WINDOW, WINDOW},
      {"all in one batch", 0, 2000, WINDOW, WINDOW},
      {"every ten minutes", 10 * MINUTE, 60, 20 * MINUTE, 20 * MINUTE},
      {"a template of once an hour", HOUR, 5, 2 * HOUR, 2 * HOUR},
      {"every five hours", 5 * HOUR, 2, 10 * HOUR, 10 * HOUR},
      {"once a day", 24 * HOUR, 3, 26 * HOUR, 26 * HOUR},
      {"once a week", 7 * 24 * (int64_t)HOUR, 3, 26 * HOUR, 26 * HOUR},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    int64_t wait = ends_after(rows[i].gap_ms, rows[i].n);
    if (wait < rows[i].least || wait > rows[i].most)
      fail_msg("%s: after %lld s", rows[i].name, (long long)(wait / SECOND));
  }
}

static void test_a_long_gap_is_forgotten_with_each_fault(void **state) {
  struct failing_faults faults = {0};
  failing_fault_add(&faults, START, WINDOW);
  failing_fault_add(&faults, START + 5 * HOUR, WINDOW); // the next incident of the scope
  for (int i = 1; i <= 20; i++) failing_fault_add(&faults, START + 5 * HOUR + i, WINDOW);
  assert_in_range(faults.gap_ms, 5 * HOUR * 35 / 100, 5 * HOUR * 37 / 100); // 0.95 ^ 20 = 0.36
}

static void test_an_account_fault_does_not_end_without_a_delivery(void **state) {
  struct failing_faults faults = {.last_ms = START, .gap_ms = SECOND};
  assert_false(failing_fault_is_over(&faults, START + 30 * HOUR, 0, WINDOW));
  assert_false(failing_fault_is_over(&faults, START + 30 * HOUR, START, WINDOW));
  assert_true(failing_fault_is_over(&faults, START + 30 * HOUR, START + 1, WINDOW));
  assert_false(failing_fault_is_over(&faults, START + WINDOW - 1, START + 1, WINDOW));
}

static void test_faults_of_several_partitions_may_come_in_any_order(void **state) {
  struct failing_faults faults = {.last_ms = START, .gap_ms = 20 * SECOND};
  failing_fault_add(&faults, START - 5 * HOUR, WINDOW);
  assert_true(faults.last_ms == START && faults.gap_ms == 19 * SECOND);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_provider_fails_when_more_than_half_of_its_last_receipts_did),
      cmocka_unit_test(test_the_window_ends_where_the_minutes_do),
      cmocka_unit_test(test_an_account_fault_ends_after_twice_its_longest_gap),
      cmocka_unit_test(test_a_long_gap_is_forgotten_with_each_fault),
      cmocka_unit_test(test_an_account_fault_does_not_end_without_a_delivery),
      cmocka_unit_test(test_faults_of_several_partitions_may_come_in_any_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
