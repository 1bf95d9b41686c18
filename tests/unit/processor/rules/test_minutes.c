// SPDX-License-Identifier: MIT
#include <string.h>

#include "tests/unit/support/minutes.h"

static void test_counters_move_up_with_the_minutes_and_the_oldest_are_forgotten(void **state) {
  static const struct {
    int64_t by;
    uint32_t delivered[4]; // afterwards, the newest first
  } cases[] = {{0, {1, 2, 3, 4}}, {1, {0, 1, 2, 3}}, {3, {0, 0, 0, 1}},
               {4, {0}},          {1000000000, {0}}, {-1, {1, 2, 3, 4}}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct minute_counts list[5] = {{.delivered = 1},
                                    {.delivered = 2},
                                    {.delivered = 3},
                                    {.delivered = 4},
                                    {.delivered = 99}}; // the last one is not the list's
    struct minutes minutes = {list, 4, NOW};
    minutes_advance(&minutes, NOW + cases[i].by);
    assert_true(minutes.now == NOW + (cases[i].by > 0 ? cases[i].by : 0));
    for (size_t age = 0; age < 4; age++) assert_int_equal(list[age].delivered, cases[i].delivered[age]);
    assert_int_equal(list[4].delivered, 99);
  }
}

static void test_a_minute_is_found_by_its_number_while_it_is_kept(void **state) {
  struct minute_counts list[3] = {0};
  struct minutes minutes = {list, 3, NOW};
  assert_null(minutes_at(&minutes, NOW + 1));
  assert_ptr_equal(minutes_at(&minutes, NOW), &list[0]);
  assert_ptr_equal(minutes_at(&minutes, NOW - 2), &list[2]);
  assert_null(minutes_at(&minutes, NOW - 3));
}

static void test_every_kind_of_receipt_is_one_and_a_message_is_none(void **state) {
  struct minute_counts counts = {.delivered = 1,
                                 .failed = 20,
                                 .recipient_fault = 300,
                                 .account_fault = 4000,
                                 .unconfirmed = 50000,
                                 .repeated = 600000,
                                 .taken = 7,
                                 .in_time = 7};
  assert_true(minute_receipts(&counts) == 654321);
}

static void test_live_minutes_are_those_with_a_receipt_within_the_window_and_after_the_opening(void **state) {
  static const struct run runs[RUNS_MAX] = {{5, {.delivered = 1}}, {1, {.taken = 9}}, {2, {.repeated = 3}}};
  struct minutes minutes = minutes_of(runs);
  static const struct {
    int64_t n, after, live;
  } cases[] = {{1, NOT_OPEN, 1},  {2, NOT_OPEN, 2},    {3, NOT_OPEN, 2}, {4, NOT_OPEN, 3},
               {99, NOT_OPEN, 7}, {9999, NOT_OPEN, 7}, {99, NOW - 1, 1}, {99, NOW - 2, 2},
               {99, NOW - 4, 3},  {99, NOW, 0},        {0, NOT_OPEN, 0}};
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    if (minutes_live(&minutes, cases[i].n, cases[i].after) != cases[i].live) fail_msg("case %zu", i);
}

static void test_live_minutes_end_with_the_list(void **state) {
  struct minute_counts list[3] = {
      {.delivered = 1}, {.delivered = 1}, {.delivered = 1}}; // the last is not its
  struct minutes minutes = {list, 2, NOW};
  assert_true(minutes_live(&minutes, 99, NOT_OPEN) == 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_counters_move_up_with_the_minutes_and_the_oldest_are_forgotten),
      cmocka_unit_test(test_a_minute_is_found_by_its_number_while_it_is_kept),
      cmocka_unit_test(test_every_kind_of_receipt_is_one_and_a_message_is_none),
      cmocka_unit_test(test_live_minutes_are_those_with_a_receipt_within_the_window_and_after_the_opening),
      cmocka_unit_test(test_live_minutes_end_with_the_list),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
