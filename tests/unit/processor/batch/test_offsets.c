// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "processor/batch/offsets.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_reading_begins_at_the_groups_offset_or_at_the_first_record(void **state) {
  static const struct {
    int64_t committed, first, end, begin;
  } cases[] = {
      {RD_KAFKA_OFFSET_INVALID, 0, 0, 0}, // nothing is committed
      {RD_KAFKA_OFFSET_INVALID, 7, 9, 7}, // nor is the first record there
      {0, 0, 0, 0},                       // an empty partition
      {5, 0, 9, 5},                       // in the middle
      {9, 0, 9, 9},                       // at the end
      {7, 7, 9, 7},                       // all that was read is gone, and no more
      {6, 7, 9, 7},                       // one record is gone
      {6, 9, 9, 9},                       // all are gone
      {9, 0, 8, 0},                       // a topic made anew
      {9, 2, 2, 2},                       // also where its records are gone
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    assert_int_equal(offsets_begin_at(cases[i].committed, cases[i].first, cases[i].end), cases[i].begin);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_reading_begins_at_the_groups_offset_or_at_the_first_record),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
