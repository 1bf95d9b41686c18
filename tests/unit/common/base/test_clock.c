// SPDX-License-Identifier: MIT
#include "common/base/clock.h"
#include "common/base/mem.h"
#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const int64_t NOON = 1768215603000; // 2026-01-12T11:00:03Z

static const struct {
  const char *text;
  int zone_minutes;
  int64_t wall_ms; // -1: refused
} times[] = {
    {"2026-01-12T11:00:03Z", 0, NOON},
    {"2026-01-12T11:00:03.5Z", 0, NOON + 500},
    {"2026-01-12T11:00:03.123Z", 0, NOON + 123},
    {"2026-01-12T11:00:03.123999999Z", 0, NOON + 123},
    {"2026-01-12T20:00:03+09:00", 0, NOON},
    {"2026-01-12T20:00:03+0900", -540, NOON},
    {"2026-01-12 20:00:03", 540, NOON},
    {"2026-01-12 20:00:03.250", 540, NOON + 250},
    {"2026-01-12T02:30:03-08:30", 0, NOON},
    {"2026-01-12T11:00:03", 0, NOON},
    {"1970-01-01T00:00:00Z", 0, 0},
    {"2000-02-29T00:00:00Z", 0, 951782400000},
    {"2024-02-29T23:59:60Z", 0, 1709251200000},
    {"9999-12-31T23:59:59.999Z", 0, 253402300799999},
    {"1969-12-31T23:59:59Z", 0, -1},
    {"1970-01-01T00:00:00+00:01", 0, -1},
    {"9999-12-31T23:59:59-00:01", 0, -1},
    {"2025-02-29T00:00:00Z", 0, -1},
    {"1900-02-29T00:00:00Z", 0, -1},
    {"2026-13-01T00:00:00Z", 0, -1},
    {"2026-00-01T00:00:00Z", 0, -1},
    {"2026-04-31T00:00:00Z", 0, -1},
    {"2026-01-12T24:00:00Z", 0, -1},
    {"2026-01-12T11:60:00Z", 0, -1},
    {"2026-01-12T11:00:61Z", 0, -1},
    {"2026-01-12T11:00:03.Z", 0, -1},
    {"2026-01-12T11:00:03+9:00", 0, -1},
    {"2026-01-12T11:00:03+24:00", 0, -1},
    {"2026-01-12T11:00:03Zx", 0, -1},
    {"2026-01-12T11:00:03 Z", 0, -1},
    {"2026-01-12T11:00", 0, -1},
    {"2026-01-12", 0, -1},
    {"20260112110003", 0, -1},
    {" 2026-01-12T11:00:03Z", 0, -1},
    {"+026-01-12T11:00:03Z", 0, -1},
    {"2026-01-12T11:00:03+", 0, -1},
    {"", 0, -1},
};

static void test_times_are_read_as_written_or_refused(void **state) {
  for (size_t i = 0; i < COUNT_OF(times); i++) {
    int64_t wall_ms = -1;
    bool ok = clock_parse_time(times[i].text, times[i].zone_minutes, &wall_ms);
    if (wall_ms != times[i].wall_ms || ok != (times[i].wall_ms >= 0)) print_error("%s\n", times[i].text);
    assert_int_equal(wall_ms, times[i].wall_ms);
    assert_int_equal(ok, times[i].wall_ms >= 0);
  }
}

static void test_times_of_mails_are_read_as_written_or_refused(void **state) {
  static const struct {
    const char *text;
    int64_t wall_ms; // -1: refused
  } cases[] = {
      {"Mon, 12 Jan 2026 11:00:03 +0000", NOON},
      {"Mon, 12 Jan 2026 20:00:03 +0900", NOON},
      {"12 Jan 2026 02:30:03 -0830", NOON},
      {"mon, 12 JAN 2026 11:00:03 gmt", NOON},
      {"Mon,12 Jan 2026 11:00:03 UT", NOON},
      {"Mon,  12  Jan  2026  11:00:03  UTC", NOON},
      {"Mon, 12 Jan 2026 11:00:03 Z", NOON},
      {"Mon, 12 Jan 2026 20:00:03", NOON}, // of the zone that is given
      {"Mon, 12 Jan 2026 11:00 +0000", NOON - 3000},
      {"Thu, 1 Jan 2026 00:00:00 GMT", INT64_C(1767225600000)},
      {"Thu, 01 Jan 2026 00:00:00 GMT", INT64_C(1767225600000)},
      {"Sun, 12 Jan 2026 11:00:03 +0000", NOON}, // it was a Monday
      {"Mon 12 Jan 2026 11:00:03 +0000", -1},
      {"Monday, 12 Jan 2026 11:00:03 +0000", -1},
      {"Mon, 12 January 2026 11:00:03 +0000", -1},
      {"Mon, 12 Jan 26 11:00:03 +0000", -1},
      {"Mon, 12 Jan 2026 11:00:03 KST", -1},
      {"Mon, 12 Jan 2026 11:00:03 GMT+9", -1},
      {"Mon, 12 Jan 2026 11:00:03 +0000 (UTC)", -1},
      {"Mon, 31 Feb 2026 11:00:03 +0000", -1},
      {"Mon, 12 Jan 2026 24:00:03 +0000", -1},
      {"Mon, 12 Jan 2026", -1},
      {"Mon, ", -1},
      {"1", -1},
      {"", -1},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    int64_t wall_ms = -1;
    bool ok = clock_parse_rfc2822(cases[i].text, 540, &wall_ms);
    if (wall_ms != cases[i].wall_ms || ok != (wall_ms >= 0)) fail_msg("%s", cases[i].text);
  }
}

static void test_compact_times_are_read_as_written_or_refused(void **state) {
  static const struct {
    const char *text;
    bool is_short;
    int zone_minutes;
    int64_t wall_ms; // -1: refused
  } cases[] = {
      {"20260112110003", false, 0, NOON},
      {"20260112200003", false, 540, NOON},
      {"2601121100", true, 0, NOON - 3000},
      {"2601122000", true, 540, NOON - 3000},
      {"0001010000", true, 0, INT64_C(946684800000)},
      {"9912312359", true, 0, INT64_C(4102444740000)},
      {"2601121100", false, 0, -1},
      {"20260112110003", true, 0, -1},
      {"202601121100031", false, 0, -1},
      {"20260230110003", false, 0, -1},
      {"20260112240003", false, 0, -1},
      {"2613121100", true, 0, -1},
      {"2601121160", true, 0, -1},
      {"26011211", true, 0, -1},
      {"260112110x", true, 0, -1},
      {"2601121100Z", true, 0, -1},
      {"", true, 0, -1},
      {"", false, 0, -1},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    int64_t wall_ms = -1;
    bool ok = clock_parse_compact(cases[i].text, cases[i].is_short, cases[i].zone_minutes, &wall_ms);
    if (wall_ms != cases[i].wall_ms || ok != (wall_ms >= 0)) fail_msg("%s", cases[i].text);
  }
}

static void test_what_is_written_is_read_back(void **state) {
  static const int64_t moments[] = {
      0, 1, 951782399999, 951868800000, 1768215603123, 4102444799999, 253402300799999};
  for (size_t i = 0; i < COUNT_OF(moments); i++) {
    char text[CLOCK_RFC3339_SIZE];
    int64_t back = -1;
    clock_format_rfc3339(moments[i], text);
    assert_true(clock_parse_time(text, 99, &back));
    assert_int_equal(back, moments[i]);
  }
}

static void test_format_is_utc_with_milliseconds_and_never_overruns(void **state) {
  char text[CLOCK_RFC3339_SIZE];
  clock_format_rfc3339(NOON + 7, text);
  assert_string_equal(text, "2026-01-12T11:00:03.007Z");
  clock_format_rfc3339(INT64_MAX, text);
  assert_string_equal(text, "9999-12-31T23:59:59.999Z");
  clock_format_rfc3339(INT64_MIN, text);
  assert_string_equal(text, "1970-01-01T00:00:00.000Z");
}

static void test_every_day_of_four_centuries_agrees_with_the_library(void **state) {
  for (int64_t day = 0; day < 146097; day += 7) {
    struct tm tm;
    time_t seconds = day * 86400;
    gmtime_r(&seconds, &tm);
    char text[40];
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    int64_t back = -1;
    assert_true(clock_parse_time(text, 0, &back));
    assert_int_equal(back, seconds * 1000);
  }
}

static void test_sleep_lasts_and_deadlines_split(void **state) {
  int64_t before = clock_mono_ms();
  clock_sleep_ms(5);
  assert_true(clock_mono_ms() - before >= 5);
  clock_sleep_ms(0);
  clock_sleep_ms(-1);
  struct timespec at = clock_timespec_at(12345);
  assert_int_equal(at.tv_sec, 12);
  assert_int_equal(at.tv_nsec, 345000000);
  assert_true(clock_wall_ms() > 1700000000000);
}

static void test_zones_are_read_as_written_or_refused(void **state) {
  static const struct {
    const char *text;
    int minutes; // -1: refused
  } zones[] = {{"Z", 0},      {"+09:00", 540}, {"-0830", -510}, {"+00:00", 0}, {"", -1},        {"+9", -1},
               {"Seoul", -1}, {"+24:00", -1},  {"+09:60", -1},  {"09:00", -1}, {"+09:00 ", -1}, {"Z0", -1}};
  for (size_t i = 0; i < COUNT_OF(zones); i++) {
    int minutes = -1;
    assert_int_equal(clock_parse_zone(zones[i].text, &minutes), zones[i].minutes != -1);
    assert_int_equal(minutes, zones[i].minutes);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_times_are_read_as_written_or_refused),
      cmocka_unit_test(test_times_of_mails_are_read_as_written_or_refused),
      cmocka_unit_test(test_compact_times_are_read_as_written_or_refused),
      cmocka_unit_test(test_what_is_written_is_read_back),
      cmocka_unit_test(test_format_is_utc_with_milliseconds_and_never_overruns),
      cmocka_unit_test(test_every_day_of_four_centuries_agrees_with_the_library),
      cmocka_unit_test(test_sleep_lasts_and_deadlines_split),
      cmocka_unit_test(test_zones_are_read_as_written_or_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
