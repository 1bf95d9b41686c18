// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "processor/commands/terminal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static void test_times_are_those_of_the_local_zone_with_its_offset(void **state) {
  static const struct {
    const char *zone, *text;
  } rows[] = {{"UTC0", "2026-11-29 08:15:00+00:00"},
              {"KST-9", "2026-11-29 17:15:00+09:00"},
              {"NST3:30", "2026-11-29 04:45:00-03:30"},
              {"XXX0:30", "2026-11-29 07:45:00-00:30"}};
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    char text[TERMINAL_TIME_SIZE];
    setenv("TZ", rows[i].zone, 1);
    tzset();
    terminal_format_time(INT64_C(1795940100999), text);
    assert_string_equal(text, rows[i].text);
  }
}

static void test_a_duration_has_its_two_largest_units(void **state) {
  static const struct {
    int64_t seconds;
    const char *text;
  } rows[] = {
      {-5, "0 s"},           {0, "0 s"},     {59, "59 s"},       {60, "1 min"},        {61, "1 min 1 s"},
      {3599, "59 min 59 s"}, {3600, "1 h"},  {3659, "1 h"},      {8040, "2 h 14 min"}, {86399, "23 h 59 min"},
      {86400, "1 d"},        {89999, "1 d"}, {90000, "1 d 1 h"}, {2592000, "30 d"}};
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    char text[TERMINAL_DURATION_SIZE];
    terminal_format_duration(rows[i].seconds * 1000 + 999 * (rows[i].seconds >= 0), text);
    assert_string_equal(text, rows[i].text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_times_are_those_of_the_local_zone_with_its_offset),
      cmocka_unit_test(test_a_duration_has_its_two_largest_units),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
