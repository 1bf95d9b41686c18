// SPDX-License-Identifier: MIT
// Until when the group has read a partition, by the ends that were seen and the offsets that it commits.
#include "common/base/mem.h"
#include "processor/watch/frontier.h"
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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_is_read_is_known_until_its_end_was_seen),
      cmocka_unit_test(test_before_the_first_look_nothing_is_known),
      cmocka_unit_test(test_a_full_list_keeps_its_oldest_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
