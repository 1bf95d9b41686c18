// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "processor/rules/refusing.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { NOW = 29 * 1000 * 1000, NEVER = -1, RUNS_MAX = 6 };

struct run { // of equal minutes, the oldest first
  int minutes;
  uint32_t calls, refused;
};

static const struct {
  const char *name;
  struct run runs[RUNS_MAX];
  int64_t opened; // so many minutes ago, or NEVER
  enum verdict verdict;
  struct refusing_found found; // `since` as an age; not compared where minutes is 0
} cases[] = {
    // ---- opening
    {"no calls", {{0}}, NEVER, VERDICT_NOTHING, {0, 0, 0, 60, 0}},
    {"all good", {{120, 17, 0}}, NEVER, VERDICT_NOTHING, {0, 34, 0, 2, 0}},
    {"a secret is rotated: a whole minute",
     {{70, 17, 0}, {1, 17, 17}},
     NEVER,
     VERDICT_OPEN,
     {0, 34, 17, 2, 0}},
    {"in the last quarter of a minute: not yet",
     {{70, 17, 0}, {1, 17, 4}},
     NEVER,
     VERDICT_NOTHING,
     {0, 34, 4, 2, 0}},
    {"then in the next one", {{70, 17, 0}, {1, 17, 4}, {1, 17, 17}}, NEVER, VERDICT_OPEN, {0, 34, 21, 2, 0}},
    {"at a new endpoint after two minutes",
     {{3, 17, 0}, {1, 17, 8}, {1, 17, 17}},
     NEVER,
     VERDICT_OPEN,
     {0, 34, 25, 2, 0}},
    {"five refused in one minute, where fifteen are usual",
     {{60, 15, 0}, {1, 6, 5}},
     NEVER,
     VERDICT_OPEN,
     {0, 21, 5, 2, 0}},
    {"four refused are too few there, too",
     {{60, 15, 0}, {1, 4, 4}},
     NEVER,
     VERDICT_NOTHING,
     {0, 19, 4, 2, 0}},
    {"where fourteen are usual, one minute is too little",
     {{60, 14, 0}, {1, 13, 13}},
     NEVER,
     VERDICT_NOTHING,
     {0, 27, 13, 2, 0}},
    {"an eighth of the good calls came before the change",
     {{60, 16, 0}, {1, 22, 20}},
     NEVER,
     VERDICT_OPEN,
     {0, 38, 20, 2, 0}},
    {"more than an eighth", {{60, 16, 0}, {1, 23, 20}}, NEVER, VERDICT_NOTHING, {0, 39, 20, 2, 0}},
    {"what is usual is that of the hour before",
     {{1, 15, 0}, {59, 15, 0}, {1, 6, 5}},
     NEVER,
     VERDICT_OPEN,
     {0, 21, 5, 2, 0}},
    {"and no more",
     {{30, 99, 0}, {1, 14, 0}, {59, 15, 0}, {1, 6, 5}},
     NEVER,
     VERDICT_NOTHING,
     {0, 21, 5, 2, 0}},
    {"four refused", {{60, 1, 0}, {2, 2, 2}}, NEVER, VERDICT_NOTHING, {1, 5, 4, 3, 0}},
    {"a call a minute: five refused", {{60, 1, 0}, {5, 1, 1}}, NEVER, VERDICT_OPEN, {4, 5, 5, 5, 0}},
    {"a burst within one minute is no lasting fault",
     {{60, 0, 0}, {1, 30, 30}, {1, 0, 0}},
     NEVER,
     VERDICT_NOTHING,
     {1, 30, 30, 2, 0}},
    {"nor are two with the window between them",
     {{60, 0, 0}, {1, 30, 30}, {1, 0, 0}, {1, 30, 30}},
     NEVER,
     VERDICT_NOTHING,
     {2, 30, 30, 2, 0}},
    {"half are enough", {{60, 0, 0}, {2, 6, 3}}, NEVER, VERDICT_OPEN, {0, 12, 6, 2, 0}},
    {"less than half are not", {{60, 0, 0}, {2, 7, 3}}, NEVER, VERDICT_NOTHING, {0, 14, 6, 2, 0}},
    {"five in more than an hour",
     {{1, 1, 1}, {56, 0, 0}, {4, 1, 1}},
     NEVER,
     VERDICT_NOTHING,
     {3, 4, 4, 60, 0}},
    {"five within an hour, all refused",
     {{1, 1, 1}, {55, 0, 0}, {4, 1, 1}},
     NEVER,
     VERDICT_OPEN,
     {59, 5, 5, 60, 0}},
    {"somebody else knocks at a busy endpoint",
     {{60, 17, 0}, {30, 217, 200}},
     NEVER,
     VERDICT_NOTHING,
     {29, 434, 400, 2, 0}},
    {"a quarter of the good calls still comes",
     {{60, 8, 0}, {2, 102, 100}},
     NEVER,
     VERDICT_NOTHING,
     {1, 204, 200, 2, 0}},
    {"less than a quarter",
     {{60, 8, 0}, {1, 101, 100}, {1, 102, 100}},
     NEVER,
     VERDICT_OPEN,
     {1, 203, 200, 2, 0}},
    {"not busy", {{60, 7, 0}, {2, 107, 100}}, NEVER, VERDICT_OPEN, {1, 214, 200, 2, 0}},
    {"just busy", {{30, 7, 0}, {30, 8, 0}, {2, 102, 100}}, NEVER, VERDICT_NOTHING, {1, 204, 200, 2, 0}},
    {"what was usual is that of an hour before",
     {{1, 900, 0}, {60, 0, 0}, {2, 107, 100}},
     NEVER,
     VERDICT_OPEN,
     {1, 214, 200, 2, 0}},
    {"since: where refusals prevail",
     {{60, 2, 0}, {1, 5, 4}, {1, 5, 2}, {9, 5, 5}},
     NEVER,
     VERDICT_OPEN,
     {10, 10, 10, 2, 0}},
    // ---- closing
    {"still refused", {{90, 17, 17}}, 60, VERDICT_NOTHING, {59, 51, 51, 3, 0}},
    {"two good minutes", {{90, 17, 17}, {2, 17, 0}}, 60, VERDICT_NOTHING, {59, 51, 17, 3, 0}},
    {"three", {{90, 17, 17}, {3, 17, 0}}, 60, VERDICT_CLOSE, {59, 51, 0, 3, 0}},
    {"not minutes before the opening", {{90, 17, 0}}, 2, VERDICT_NOTHING, {0, 34, 0, 2, 0}},
    {"the first ones after it", {{90, 17, 0}}, 3, VERDICT_CLOSE, {0, 51, 0, 3, 0}},
    {"a fifth is still refused", {{90, 17, 17}, {3, 5, 1}}, 60, VERDICT_CLOSE, {59, 15, 3, 3, 0}},
    {"more than a fifth", {{90, 17, 17}, {2, 5, 1}, {1, 5, 2}}, 60, VERDICT_NOTHING, {59, 15, 4, 3, 0}},
    {"few calls: five are waited for", {{60, 1, 1}, {4, 1, 0}}, 60, VERDICT_CLOSE, {59, 5, 1, 5, 0}},
    {"five in an hour, one of them refused",
     {{10, 1, 1}, {1, 1, 0}, {55, 0, 0}, {3, 1, 0}, {1, 1, 1}},
     65,
     VERDICT_CLOSE,
     {0, 5, 1, 60, 0}},
    {"no calls at all", {{10, 1, 1}, {60, 0, 0}}, 65, VERDICT_NOTHING, {0, 0, 0, 60, 0}},
    {"one good call in an hour, and nothing refused",
     {{10, 1, 1}, {30, 0, 0}, {1, 1, 0}, {29, 0, 0}},
     65,
     VERDICT_CLOSE,
     {0, 1, 0, 60, 0}},
    {"one of three refused",
     {{10, 1, 1}, {57, 0, 0}, {1, 1, 1}, {2, 1, 0}},
     65,
     VERDICT_NOTHING,
     {0, 3, 1, 60, 0}},
};

static void fill(struct endpoint_minute *list, const struct run *runs) {
  memset(list, 0, REFUSING_MINUTES * sizeof *list);
  int age = 0;
  for (size_t i = RUNS_MAX; i-- > 0;)
    for (int minute = 0; minute < runs[i].minutes; minute++)
      list[age++] = (struct endpoint_minute){.calls = runs[i].calls, .refused = runs[i].refused};
  assert_in_range(age, 0, REFUSING_MINUTES);
}

static void test_an_endpoint_refuses_when_most_of_its_calls_are_refused_for_minutes(void **state) {
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct endpoint_minute list[REFUSING_MINUTES];
    struct refusing_found found = {0}, wanted = cases[i].found;
    fill(list, cases[i].runs);
    int64_t opened = cases[i].opened == NEVER ? NOT_OPEN : NOW - cases[i].opened;
    if (refusing_judge(list, NOW, opened, &found) != cases[i].verdict)
      fail_msg("%s: another verdict", cases[i].name);
    wanted.since = NOW - wanted.since;
    if (found.since != wanted.since || found.calls != wanted.calls || found.refused != wanted.refused ||
        found.minutes != wanted.minutes)
      fail_msg("%s: since %lld, %lld of %lld in %lld minutes", cases[i].name, (long long)(NOW - found.since),
               (long long)found.refused, (long long)found.calls, (long long)found.minutes);
  }
}

static void test_the_check_that_refused_most_of_the_window_is_named(void **state) {
  struct endpoint_minute list[REFUSING_MINUTES] = {
      {.calls = 9, .refused = 9, .by_check = {[2] = 4, [5] = 5}},
      {.calls = 9, .refused = 9, .by_check = {[2] = 4, [REFUSING_CHECKS - 1] = 5}},
      {.calls = 90, .refused = 90, .by_check = {[1] = 90}}, // before the window
  };
  struct refusing_found found;
  assert_int_equal(refusing_judge(list, NOW, NOT_OPEN, &found), VERDICT_OPEN);
  assert_int_equal(found.check, 2);
  list[1].by_check[5] = 3; // of two with as many, the first
  refusing_judge(list, NOW, NOT_OPEN, &found);
  assert_int_equal(found.check, 2);
  list[1].by_check[REFUSING_CHECKS - 1] = 9;
  refusing_judge(list, NOW, NOT_OPEN, &found);
  assert_int_equal(found.check, REFUSING_CHECKS - 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_endpoint_refuses_when_most_of_its_calls_are_refused_for_minutes),
      cmocka_unit_test(test_the_check_that_refused_most_of_the_window_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
