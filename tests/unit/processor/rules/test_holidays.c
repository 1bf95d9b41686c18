// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "processor/rules/holidays.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { FEBRUARY_17 = 20501 }; // 2026-02-17

static struct holidays *read(const char *text, struct err *err) {
  return holidays_new(text, strlen(text), err);
}

static const struct {
  const char *text;
  enum holidays_day day; // 2026-02-17
} lists[] = {
    {"zone +09:00\n2026-02-17 Seollal\n", HOLIDAYS_HOLIDAY},
    {"# a list\r\n\r\nzone +09:00\r\n2026-02-17 Seollal\r\n", HOLIDAYS_HOLIDAY},
    {"2026-02-16\n2026-02-17\n2026-02-18\nzone Z", HOLIDAYS_HOLIDAY},
    {"zone +09:00\n2026-02-18", HOLIDAYS_ORDINARY},
    {"zone +09:00\n2026-12-31", HOLIDAYS_ORDINARY},
    {"zone +09:00\n2025-01-01\n2027-12-31", HOLIDAYS_ORDINARY},
    {"zone +09:00\n2025-12-31", HOLIDAYS_UNLISTED},
    {"zone +09:00\n2027-01-01", HOLIDAYS_UNLISTED},
    {"zone +09:00\n2025-01-01\n9999-12-31", HOLIDAYS_ORDINARY},
};

static void test_a_list_covers_whole_years(void **state) {
  for (size_t i = 0; i < COUNT_OF(lists); i++) {
    struct err err;
    struct holidays *holidays = read(lists[i].text, &err);
    if (!holidays) fail_msg("%zu: %s", i, err.text);
    assert_int_equal(holidays_on(holidays, FEBRUARY_17), lists[i].day);
    holidays_free(holidays);
  }
  assert_int_equal(holidays_on(NULL, FEBRUARY_17), HOLIDAYS_UNLISTED);
}

static void test_the_edges_of_what_is_covered(void **state) {
  static const struct {
    int64_t day;
    enum holidays_day is;
  } days[] = {{20453, HOLIDAYS_UNLISTED}, {20454, HOLIDAYS_ORDINARY}, {20500, HOLIDAYS_ORDINARY},
              {20501, HOLIDAYS_HOLIDAY},  {20502, HOLIDAYS_ORDINARY}, {20818, HOLIDAYS_ORDINARY},
              {20819, HOLIDAYS_UNLISTED}, {-20501, HOLIDAYS_UNLISTED}};
  struct err err;
  struct holidays *holidays = read("zone -08:30\n2026-02-17 one\n", &err);
  assert_non_null(holidays);
  assert_int_equal(holidays_zone_minutes(holidays), -510);
  for (size_t i = 0; i < COUNT_OF(days); i++)
    assert_int_equal(holidays_on(holidays, days[i].day), days[i].is);
  holidays_free(holidays);
}

static const struct {
  const char *text, *fault;
} faults[] = {
    {"", "contains no date"},
    {"zone +09:00\n", "contains no date"},
    {"2026-02-17\n", "contains no line \"zone +09:00\""},
    {"zone Seoul\n2026-02-17\n", "line 1: expected one line \"zone +09:00\""},
    {"zone +09:00\nzone +09:00\n", "line 2: expected one line \"zone +09:00\""},
    {"zone +09:00\n2026-02-30\n", "line 2: expected a date such as 2026-02-17, and a blank before its name"},
    {"zone +09:00\n2026-02-1\n", "line 2: expected a date such as 2026-02-17, and a blank before its name"},
    {"zone +09:00\n2026-02-17, Seollal\n",
     "line 2: expected a date such as 2026-02-17, and a blank before its name"},
    {"zone +09:00\nSeollal\n", "line 2: expected a date such as 2026-02-17, and a blank before its name"},
    {"zone +09:00\n2026-02-17\n\n2026-02-17\n", "line 4: the date does not follow the one before"},
    {"zone +09:00\n2026-02-17\n2025-02-17\n", "line 3: the date does not follow the one before"},
};

static void test_a_list_that_cannot_be_read_names_the_line(void **state) {
  for (size_t i = 0; i < COUNT_OF(faults); i++) {
    struct err err;
    assert_null(read(faults[i].text, &err));
    assert_string_equal(err.text, faults[i].fault);
  }
}

static void test_the_length_of_a_line_is_limited(void **state) {
  char text[300];
  struct err err;
  memset(text, '#', sizeof text);
  assert_null(holidays_new(text, 200, &err));
  assert_string_equal(err.text, "line 1: is too long");
  assert_null(holidays_new(text, 199, &err));
  assert_string_equal(err.text, "contains no date");
}

// Its source is named in the file.
static void test_the_korean_list_is_built_in(void **state) {
  static const struct {
    int64_t day;
    enum holidays_day is;
  } days[] = {{19723, HOLIDAYS_HOLIDAY},                                   // 2024-01-01
              {FEBRUARY_17, HOLIDAYS_HOLIDAY},                             // Seollal
              {20721, HOLIDAYS_HOLIDAY},                                   // 2026-09-25, Chuseok
              {20722 + 3, HOLIDAYS_ORDINARY},  {21549, HOLIDAYS_ORDINARY}, // 2028-12-31
              {21550, HOLIDAYS_UNLISTED}};
  struct err err;
  assert_string_equal(embedded_holidays[0].name, "kr.txt");
  struct holidays *holidays = holidays_new(embedded_holidays[0].text, embedded_holidays[0].len, &err);
  if (!holidays) fail_msg("%s", err.text);
  assert_int_equal(holidays_zone_minutes(holidays), 540);
  for (size_t i = 0; i < COUNT_OF(days); i++)
    assert_int_equal(holidays_on(holidays, days[i].day), days[i].is);
  holidays_free(holidays);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_list_covers_whole_years),
      cmocka_unit_test(test_the_edges_of_what_is_covered),
      cmocka_unit_test(test_a_list_that_cannot_be_read_names_the_line),
      cmocka_unit_test(test_the_length_of_a_line_is_limited),
      cmocka_unit_test(test_the_korean_list_is_built_in),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
