// SPDX-License-Identifier: MIT
#include "common/base/backoff.h"
#include <limits.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_waits_double_up_to_the_most(void **state) {
  static const int64_t ceilings[] = {100, 200, 400, 800, 1000, 1000, 1000};
  for (int round = 0; round < 200; round++) {
    struct backoff backoff = {.first_ms = 100, .max_ms = 1000};
    for (size_t i = 0; i < sizeof ceilings / sizeof *ceilings; i++) {
      int64_t wait = backoff_next_ms(&backoff);
      assert_in_range(wait, ceilings[i] / 2, ceilings[i]);
      assert_int_equal(backoff.tries, i + 1);
    }
  }
}

static void test_waits_differ(void **state) {
  int64_t least = INT64_MAX, most = 0;
  for (int i = 0; i < 200; i++) {
    struct backoff backoff = {.first_ms = 1000, .max_ms = 1000};
    int64_t wait = backoff_next_ms(&backoff);
    if (wait < least) least = wait;
    if (wait > most) most = wait;
  }
  assert_true(most - least > 100);
}

static void test_success_starts_over(void **state) {
  struct backoff backoff = {.first_ms = 10, .max_ms = 60000, .tries = 9};
  assert_true(backoff_next_ms(&backoff) > 100);
  backoff.tries = 0;
  assert_in_range(backoff_next_ms(&backoff), 5, 10);
}

static void test_extremes_do_not_overflow(void **state) {
  struct backoff forever = {.first_ms = 1, .max_ms = INT64_MAX, .tries = UINT_MAX - 1};
  assert_true(backoff_next_ms(&forever) >= INT64_MAX / 2);
  struct backoff none = {.first_ms = 0, .max_ms = 1000, .tries = 50};
  assert_int_equal(backoff_next_ms(&none), 0);
  struct backoff one = {.first_ms = 1, .max_ms = 1};
  assert_int_equal(backoff_next_ms(&one), 1);
  struct backoff first_above = {.first_ms = 500, .max_ms = 100};
  assert_in_range(backoff_next_ms(&first_above), 50, 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_waits_double_up_to_the_most),
      cmocka_unit_test(test_waits_differ),
      cmocka_unit_test(test_success_starts_over),
      cmocka_unit_test(test_extremes_do_not_overflow),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
