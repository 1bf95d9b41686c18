// SPDX-License-Identifier: MIT
// Until when the group has read a partition, by the ends that were seen and the offsets that it commits. And
// which partitions are hidden, on librdkafka's mock cluster.
#include "common/base/mem.h"
#include "processor/watch/frontier.h"
#include "tests/unit/support/mock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { LOOKS = 6 };
#define NEVER INT64_MIN

// One look after the other: what Kafka says, and until when everything is read then.
static const struct {
  const char *name;
  struct {
    int64_t end, committed, at_ms, until_ms;
    size_t waiting; // ends that are not reached
  } looks[LOOKS];   // a look at 0 ms ends them
} cases[] = {
    {"an empty partition is read to its end", {{0, 0, 1, 1, 0}, {0, 0, 2, 2, 0}}},
    {"nothing new: the time goes on", {{5, 5, 1, 1, 0}, {5, 5, 7, 7, 0}, {5, 5, 9, 9, 0}}},
    {"behind from the start, nothing is known", {{5, 4, 1, NEVER, 1}, {6, 4, 2, NEVER, 2}}},
    {"an end that is reached is known from when it was seen",
     {{5, 4, 1, NEVER, 1}, {6, 5, 2, 1, 1}, {7, 5, 3, 1, 2}, {7, 6, 4, 2, 1}, {7, 7, 5, 5, 0}}},
    {"several that are reached at once: the newest",
     {{5, 0, 1, NEVER, 1}, {6, 0, 2, NEVER, 2}, {9, 7, 3, 2, 1}}},
    {"beyond the end that was seen", {{5, 4, 1, NEVER, 1}, {6, 9, 2, 2, 0}}},
    {"the same end again is known to be the end later",
     {{5, 4, 1, NEVER, 1}, {5, 4, 8, NEVER, 1}, {6, 5, 9, 8, 1}}},
    {"an older end keeps its time",
     {{5, 4, 1, NEVER, 1}, {6, 4, 2, NEVER, 2}, {6, 4, 3, NEVER, 2}, {7, 5, 4, 1, 2}}},
    {"the topic was made anew: ends of the old one are forgotten",
     {{9, 4, 1, NEVER, 1}, {2, 0, 2, NEVER, 1}, {2, 2, 3, 3, 0}}},
    {"falling behind again", {{5, 5, 1, 1, 0}, {8, 5, 2, 1, 1}, {9, 7, 3, 1, 2}, {9, 8, 4, 2, 1}}},
};

static void test_what_is_read_is_known_until_its_end_was_seen(void **state) {
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct frontier_marks marks;
    frontier_marks_init(&marks);
    for (size_t k = 0; k < LOOKS && cases[i].looks[k].at_ms; k++) {
      frontier_mark(&marks, cases[i].looks[k].end, cases[i].looks[k].committed, cases[i].looks[k].at_ms);
      if (marks.until_ms != cases[i].looks[k].until_ms || marks.n != cases[i].looks[k].waiting)
        fail_msg("%s, look %zu: until %lld, %zu waiting", cases[i].name, k + 1, (long long)marks.until_ms,
                 marks.n);
    }
  }
}

static void test_before_the_first_look_nothing_is_known(void **state) {
  struct frontier_marks marks;
  memset(&marks, 1, sizeof marks);
  frontier_marks_init(&marks);
  assert_true(marks.until_ms == NEVER && marks.n == 0);
}

// A group that is behind for longer than the list is: what is known is older than it could be, never newer.
static void test_a_full_list_keeps_its_oldest_ends(void **state) {
  struct frontier_marks marks;
  frontier_marks_init(&marks);
  for (int64_t end = 1; end <= 3 * FRONTIER_MARKS; end++) frontier_mark(&marks, end, 0, 10 * end);
  assert_int_equal(marks.n, FRONTIER_MARKS);
  frontier_mark(&marks, 1000, FRONTIER_MARKS - 1, 5000);
  assert_true(marks.until_ms == 10 * (FRONTIER_MARKS - 1));
  assert_int_equal(marks.n, 1); // the look that made room found the list full
  frontier_mark(&marks, 1001, FRONTIER_MARKS, 6000);
  assert_true(marks.until_ms == INT64_C(10) * FRONTIER_MARKS);
  assert_int_equal(marks.n, 1);
  frontier_mark(&marks, 1001, 1001, 7000);
  assert_true(marks.until_ms == 7000);
}

// ---- hidden partitions ----

#define TOPIC "dochak.events"

static struct mock mock; // of two partitions

static const char of_0[] = "dochak", of_1[] = "blux/sms"; // keys, each of one partition

static int set_up(void **state) {
  mock_init(&mock);
  mock.settings.group_id = mem_strdup("a-group");
  return 0;
}

static int tear_down(void **state) {
  mock_fini(&mock);
  return 0;
}

static void set_leader(int32_t partition, bool has_leader) {
  rd_kafka_mock_partition_set_leader(mock.cluster, TOPIC, partition, has_leader ? 1 : -1);
}

static struct frontier *open_frontier(void) {
  struct err err = {0};
  struct frontier *frontier = frontier_open(&mock.settings, TOPIC, &err);
  if (!frontier) fail_msg("%s", err.text);
  return frontier;
}

// In a later millisecond than the last one.
static struct frontier_known look(struct frontier *frontier) {
  struct err err = {0};
  struct frontier_known known;
  for (int64_t last_ms = clock_wall_ms(); clock_wall_ms() == last_ms;) continue;
  if (!frontier_look(frontier, &known, &err)) fail_msg("%s", err.text);
  return known;
}

static void test_a_partition_without_leader_hides_what_is_in_it_and_no_more(void **state) {
  struct frontier *frontier = open_frontier();
  struct frontier_known whole = look(frontier);
  assert_true(whole.hidden == 0 && whole.until_ms == whole.others_ms && whole.until_ms > 0);
  set_leader(0, false);
  struct frontier_known partly = look(frontier);
  assert_int_equal(partly.hidden, 1);
  assert_true(partly.until_ms == whole.until_ms && partly.others_ms > whole.until_ms);
  assert_true(frontier_hides(frontier, of_0) && !frontier_hides(frontier, of_1));
  assert_int_equal(frontier_partition(frontier, of_0), 1);
  assert_int_equal(frontier_partition(frontier, of_1), RD_KAFKA_PARTITION_UA);
  set_leader(0, true);
  struct frontier_known again = look(frontier);
  assert_true(again.hidden == 0 && again.until_ms == again.others_ms && again.until_ms > partly.until_ms);
  assert_int_equal(frontier_partition(frontier, of_0), RD_KAFKA_PARTITION_UA);
  frontier_close(frontier);
}

static void test_one_that_was_never_seen_is_not_known_and_the_others_are(void **state) {
  set_leader(1, false);
  struct frontier *frontier = open_frontier();
  struct frontier_known known = look(frontier);
  assert_true(known.hidden == 1 && known.until_ms == NEVER && known.others_ms > 0);
  assert_int_equal(frontier_partition(frontier, of_1), 0);
  frontier_close(frontier);
  set_leader(1, true);
}

static void test_where_all_are_hidden_the_look_fails_with_the_reason(void **state) {
  struct frontier *frontier = open_frontier();
  struct frontier_known known;
  struct err err = {0};
  for (int32_t i = 0; i < MOCK_PARTITIONS; i++) set_leader(i, false);
  assert_false(frontier_look(frontier, &known, &err));
  assert_non_null(strstr(err.text, "the ends of " TOPIC));
  for (int32_t i = 0; i < MOCK_PARTITIONS; i++) set_leader(i, true);
  frontier_close(frontier);
}

static void test_no_frontier_hides_nothing(void **state) {
  assert_false(frontier_hides(NULL, of_0));
  assert_int_equal(frontier_partition(NULL, of_0), RD_KAFKA_PARTITION_UA);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_is_read_is_known_until_its_end_was_seen),
      cmocka_unit_test(test_before_the_first_look_nothing_is_known),
      cmocka_unit_test(test_a_full_list_keeps_its_oldest_ends),
      cmocka_unit_test(test_a_partition_without_leader_hides_what_is_in_it_and_no_more),
      cmocka_unit_test(test_one_that_was_never_seen_is_not_known_and_the_others_are),
      cmocka_unit_test(test_where_all_are_hidden_the_look_fails_with_the_reason),
      cmocka_unit_test(test_no_frontier_hides_nothing),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
