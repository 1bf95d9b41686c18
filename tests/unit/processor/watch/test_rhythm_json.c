// SPDX-License-Identifier: MIT
// The states of the silence rules come back from their text as they were.
#include "common/base/mem.h"
#include "processor/watch/rhythm_json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct rhythm_state odd_rhythm(void) {
  struct rhythm_state state = {.minute = 29723352,
                               .last_call = -1,
                               .pause_start = INT64_MAX,
                               .score = 18.96548067691717,
                               .peak = 1e-300,
                               .open = RHYTHM_BY_DAYS,
                               .bar_at_open = 0.1,
                               .week = 2970,
                               .day_expected = 3,
                               .dead_days = -7,
                               .dead_since = 29723000,
                               .block = 742};
  for (int i = 0; i < RHYTHM_WEEKS; i++) state.peaks[i] = i / 3.0;
  for (int i = 0; i < RHYTHM_BLOCKS; i++) state.runs[i] = (uint8_t)(255 - i);
  return state;
}

static void test_a_rhythm_comes_back_as_it_was(void **state) {
  struct rhythm_state before = odd_rhythm(), after;
  memset(&after, 0, sizeof after);
  AUTO_FREE char *text = rhythm_state_text(&before);
  assert_true(rhythm_state_parse(text, &after));
  assert_memory_equal(&before, &after, offsetof(struct rhythm_state, alive));
}

static void test_a_floor_comes_back_as_it_was(void **state) {
  struct floor_state before = {.floor = {20, 3600}, .open = true, .finished = 61, .minutes = 3}, after = {0};
  for (int i = 0; i < FLOOR_PARTS; i++) before.parts[i] = UINT32_MAX - (uint32_t)i;
  AUTO_FREE char *text = floor_state_text(&before);
  assert_true(floor_state_parse(text, &after));
  assert_true(after.open && after.finished == 61 && after.minutes == 3);
  assert_true(after.floor.calls == 20 && after.floor.within_s == 3600);
  assert_memory_equal(before.parts, after.parts, sizeof before.parts);
}

static void test_a_text_of_another_version_changes_nothing(void **state) {
  static const char *const texts[] = {"",
                                      "no JSON",
                                      "{}",
                                      "[]",
                                      "{\"minute\": \"1\"}",
                                      "{\"open\": true, \"finished\": 1, \"minutes\": 1, \"parts\": [1]}",
                                      "{\"open\": true, \"finished\": 1, \"minutes\": 1}"};
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    struct rhythm_state rhythm = odd_rhythm(), same = odd_rhythm();
    struct floor_state floor = {.minutes = 5};
    if (rhythm_state_parse(texts[i], &rhythm) || floor_state_parse(texts[i], &floor))
      fail_msg("taken: %s", texts[i]);
    assert_memory_equal(&rhythm, &same, offsetof(struct rhythm_state, alive));
    assert_int_equal(floor.minutes, 5);
    assert_false(floor.open);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_rhythm_comes_back_as_it_was),
      cmocka_unit_test(test_a_floor_comes_back_as_it_was),
      cmocka_unit_test(test_a_text_of_another_version_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
