// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "processor/batch/offsets.h"
#include "processor/batch/partitions.h"
#include "processor/processor.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct metrics *metrics;
static const struct metric list[METRIC_COUNT] = {
    [METRIC_PARTITION_OWNED] = {"owned", "help", METRIC_GAUGE, "topic,partition"},
    [METRIC_PARTITION_LAG] = {"lag", "help", METRIC_GAUGE, "topic,partition"},
};

static int make_metrics(void **state) {
  metrics = metrics_new(list, METRIC_COUNT);
  return 0;
}

static int free_metrics(void **state) {
  metrics_free(metrics);
  return 0;
}

// Two partitions of which the group has committed 10 and 20, with all alerts published from 4 and from 20 on.
static int assign(void **state) {
  struct partitions *partitions = partitions_new(metrics);
  rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(2);
  offsets_add(offsets, "events", 0, 10, 4);
  offsets_add(offsets, "events", 1, 20, 20);
  partitions_assign(partitions, offsets);
  partitions_marked(partitions); // what an earlier process may have left unmarked
  rd_kafka_topic_partition_list_destroy(offsets);
  *state = partitions;
  return 0;
}

static int release(void **state) {
  partitions_free(*state);
  return 0;
}

static void read_range(struct partitions *partitions, int32_t partition, int64_t first, int64_t last) {
  assert_true(partitions_read(partitions, &(struct store_range){"events", partition, first, last}, 1));
}

static void commit_all(struct partitions *partitions, bool any_alerts) {
  rd_kafka_topic_partition_list_t *offsets = partitions_uncommitted(partitions);
  partitions_committed(partitions, offsets, any_alerts);
  rd_kafka_topic_partition_list_destroy(offsets);
}

// The offset to commit, or -1.
static int64_t uncommitted(const struct partitions *partitions, int32_t partition) {
  rd_kafka_topic_partition_list_t *offsets = partitions_uncommitted(partitions);
  const rd_kafka_topic_partition_t *rktpar = rd_kafka_topic_partition_list_find(offsets, "events", partition);
  int64_t offset = rktpar ? rktpar->offset : -1;
  rd_kafka_topic_partition_list_destroy(offsets);
  return offset;
}

static void test_what_was_read_since_the_last_commit_is_committed_with_the_next(void **state) {
  struct partitions *partitions = *state;
  assert_false(partitions_any_uncommitted(partitions));
  read_range(partitions, 0, 10, 14);
  read_range(partitions, 0, 15, 15);
  read_range(partitions, 1, 20, 29);
  assert_true(partitions_any_uncommitted(partitions));
  assert_int_equal(uncommitted(partitions, 0), 16);
  assert_int_equal(uncommitted(partitions, 1), 30);
  commit_all(partitions, false);
  assert_false(partitions_any_uncommitted(partitions));
  assert_int_equal(uncommitted(partitions, 0), -1);
}

static void test_the_end_of_a_transaction_is_committed_like_a_record(void **state) {
  struct partitions *partitions = *state;
  partitions_reached(partitions, "events", 1, 21);
  assert_int_equal(uncommitted(partitions, 1), 21);
  partitions_reached(partitions, "events", 1, 20); // never back
  assert_int_equal(uncommitted(partitions, 1), 21);
}

static void test_after_a_revocation_nothing_is_committed_and_nothing_published(void **state) {
  struct partitions *partitions = *state;
  read_range(partitions, 0, 10, 14);
  partitions_revoke(partitions);
  assert_false(partitions_any_uncommitted(partitions));
  assert_int_equal(uncommitted(partitions, 0), -1);
  assert_false(partitions_read(partitions, &(struct store_range){"events", 0, 15, 15}, 1));
}

static void test_a_partition_of_another_owner_is_not_read(void **state) {
  assert_false(partitions_read(*state, &(struct store_range){"events", 2, 0, 0}, 1));
  assert_false(partitions_read(*state, &(struct store_range){"quarantine", 0, 10, 10}, 1));
}

static void test_alerts_are_marked_up_to_the_committed_offset(void **state) {
  struct partitions *partitions = *state;
  size_t n;
  read_range(partitions, 0, 10, 14);
  commit_all(partitions, false);
  free(partitions_unmarked(partitions, &n));
  assert_int_equal(n, 0); // there were none
  read_range(partitions, 0, 15, 19);
  commit_all(partitions, true);
  read_range(partitions, 0, 20, 24); // read, but not committed
  AUTO_FREE struct store_range *ranges = partitions_unmarked(partitions, &n);
  assert_int_equal(n, 1);
  assert_int_equal(ranges[0].partition, 0);
  assert_true(ranges[0].first <= 15);
  assert_int_equal(ranges[0].last, 19);
  partitions_marked(partitions);
  free(partitions_unmarked(partitions, &n));
  assert_int_equal(n, 0);
}

static void test_a_partition_without_offsets_is_published_from_its_first_record_on(void **state) {
  struct partitions *partitions = *state;
  rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(offsets, "events", 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
  partitions_assign(partitions, offsets);
  rd_kafka_topic_partition_list_destroy(offsets);
  partitions_reached(partitions, "events", 0, 9); // its end, while the records before it are in hand
  read_range(partitions, 0, 7, 8);
  offsets = partitions_uncommitted(partitions);
  assert_int_equal(offsets->cnt, 1);
  assert_int_equal(offsets->elems[0].offset, 9);
  assert_int_equal(offsets_published_from(&offsets->elems[0]), 7);
  rd_kafka_topic_partition_list_destroy(offsets);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, assign, release)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_what_was_read_since_the_last_commit_is_committed_with_the_next),
      TEST(test_the_end_of_a_transaction_is_committed_like_a_record),
      TEST(test_after_a_revocation_nothing_is_committed_and_nothing_published),
      TEST(test_a_partition_of_another_owner_is_not_read),
      TEST(test_a_partition_without_offsets_is_published_from_its_first_record_on),
      TEST(test_alerts_are_marked_up_to_the_committed_offset),
  };
  return cmocka_run_group_tests(tests, make_metrics, free_metrics);
}
