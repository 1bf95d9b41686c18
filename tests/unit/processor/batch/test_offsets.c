// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "processor/batch/offsets.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

static void test_an_offset_of_ours_says_from_where_on_alerts_are_published(void **state) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  offsets_add(list, "events", 3, 900, 17);
  assert_int_equal(list->elems[0].offset, 900);
  assert_int_equal(offsets_published_from(&list->elems[0]), 17);
  rd_kafka_topic_partition_list_destroy(list);
}

static void test_any_other_metadata_says_nothing(void **state) {
  static char cases[][32] = {"", "alerts published from ", "17", "set by hand", "alerts published fr"};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    const rd_kafka_topic_partition_t offset = {
        .offset = 900, .metadata = cases[i], .metadata_size = strlen(cases[i])};
    assert_true(offsets_published_from(&offset) < 0);
  }
  assert_true(offsets_published_from(&(rd_kafka_topic_partition_t){.offset = 900}) < 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_reading_begins_at_the_groups_offset_or_at_the_first_record),
      cmocka_unit_test(test_an_offset_of_ours_says_from_where_on_alerts_are_published),
      cmocka_unit_test(test_any_other_metadata_says_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
