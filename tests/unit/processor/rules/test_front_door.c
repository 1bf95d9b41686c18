// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "processor/rules/front_door.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   INT64_C(3600000)
#define DAY_MS    (24 * HOUR_MS)
#define BEGIN     INT64_C(1795939200000)

// Judges a call a minute, whose stages stand one behind the other: '.' is good. Returns what unreachable did:
// 'O' opens, 'C' closes, '-' stays.
static void run(struct front_door_state *state, const char *stages, char *moves) {
  static const char codes[FRONT_DOOR_STAGES] = {'.', 'n', 'c', 't', 'h', 'o', 's'};
  static const char names[] = {[FRONT_DOOR_STAY] = '-', [FRONT_DOOR_OPEN] = 'O', [FRONT_DOOR_CLOSE] = 'C'};
  int64_t at = state->judged_at ? state->judged_at : BEGIN;
  for (size_t i = 0; stages[i]; i++) {
    struct front_door_result result = {.at = at += MINUTE_MS};
    const char *code = memchr(codes, stages[i], sizeof codes);
    assert_non_null(code);
    result.stage = (enum front_door_stage)(code - codes);
    moves[i] = names[front_door_judge(state, &result).unreachable];
    moves[i + 1] = '\0';
  }
}

static void test_three_failures_open_and_two_good_calls_close(void **state) {
  static const struct {
    const char *stages, *moves;
  } rows[] = {
      {"...", "---"},
      {"cc.cc.cc", "--------"},
      {"ccc", "--O"},
      {"ntc", "--O"}, // whatever each of them failed at
      {"hos", "--O"},
      {"cccccccc", "--O-----"},
      {"ccc.", "--O-"},
      {"ccc..", "--O-C"},
      {"ccc....", "--O-C--"},
      {"ccc.c.c..", "--O-----C"}, // no flapping
      {"ccc..ccc..", "--O-C--O-C"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct front_door_state s = {0};
    char moves[32] = "";
    run(&s, rows[i].stages, moves);
    if (strcmp(moves, rows[i].moves) != 0)
      fail_msg("%s: expected %s, got %s", rows[i].stages, rows[i].moves, moves);
  }
}

static void test_it_opens_since_the_first_failure_in_a_row(void **state) {
  struct front_door_state s = {0};
  char moves[8];
  run(&s, "t.tt", moves);
  const struct front_door_result third = {.at = BEGIN + 5 * MINUTE_MS, .stage = FRONT_DOOR_TLS};
  struct front_door_verdict verdict = front_door_judge(&s, &third);
  assert_int_equal(verdict.unreachable, FRONT_DOOR_OPEN);
  assert_int_equal(verdict.since, BEGIN + 3 * MINUTE_MS);
}

static void test_a_result_is_judged_once(void **state) {
  struct front_door_state s = {0};
  struct front_door_result result = {.at = BEGIN, .stage = FRONT_DOOR_NAME};
  for (int i = 0; i < 10; i++) assert_int_equal(front_door_judge(&s, &result).unreachable, FRONT_DOOR_STAY);
  assert_int_equal(s.failed, 1);
  const struct front_door_result none = {0}; // there was no call yet
  struct front_door_state fresh = {0};
  assert_int_equal(front_door_judge(&fresh, &none).unreachable, FRONT_DOOR_STAY);
  assert_int_equal(fresh.good, 0);
}

static void test_a_clock_that_goes_back_stops_nothing(void **state) {
  struct front_door_state s = {0};
  char moves[8];
  run(&s, "cc", moves);
  const struct front_door_result earlier = {.at = BEGIN - HOUR_MS, .stage = FRONT_DOOR_CONNECT};
  assert_int_equal(front_door_judge(&s, &earlier).unreachable, FRONT_DOOR_OPEN);
}

static void test_one_that_takes_over_closes_what_is_open(void **state) {
  struct front_door_state s = {.unreachable = true, .certificate = CERTIFICATE_ENDS};
  char moves[8];
  run(&s, "cc..", moves);
  assert_string_equal(moves, "---C");
  const struct front_door_result renewed = {.at = BEGIN, .certificate_ends_at = BEGIN + 80 * DAY_MS};
  struct front_door_verdict verdict = front_door_judge(&s, &renewed);
  assert_int_equal(verdict.certificate, FRONT_DOOR_CLOSE);
  assert_int_equal(verdict.level, CERTIFICATE_ENDS);
}

// Time left of the certificate, call after call; 0: the call did not show it.
static const struct {
  int64_t left_ms;
  enum front_door_move move;
  enum front_door_certificate level;
} certificates[] = {
    {90 * DAY_MS, FRONT_DOOR_STAY, CERTIFICATE_GOOD},
    {14 * DAY_MS + 1, FRONT_DOOR_STAY, CERTIFICATE_GOOD},
    {14 * DAY_MS, FRONT_DOOR_OPEN, CERTIFICATE_ENDS},
    {13 * DAY_MS, FRONT_DOOR_STAY, CERTIFICATE_ENDS},
    {0, FRONT_DOOR_STAY, CERTIFICATE_ENDS},
    {3 * DAY_MS + 1, FRONT_DOOR_STAY, CERTIFICATE_ENDS},
    {3 * DAY_MS, FRONT_DOOR_OPEN, CERTIFICATE_ENDS_SOON},
    {2 * DAY_MS, FRONT_DOOR_STAY, CERTIFICATE_ENDS_SOON},
    {4 * DAY_MS, FRONT_DOOR_STAY, CERTIFICATE_ENDS_SOON}, // another server has another one
    {2 * DAY_MS, FRONT_DOOR_STAY, CERTIFICATE_ENDS_SOON},
    {0, FRONT_DOOR_STAY, CERTIFICATE_ENDS_SOON},
    {90 * DAY_MS, FRONT_DOOR_CLOSE, CERTIFICATE_ENDS_SOON},
    {90 * DAY_MS, FRONT_DOOR_STAY, CERTIFICATE_GOOD},
    {DAY_MS, FRONT_DOOR_OPEN, CERTIFICATE_ENDS_SOON}, // at once, without the level before
};

static void test_a_certificate_opens_once_a_level_and_closes_when_renewed(void **state) {
  struct front_door_state s = {0};
  for (size_t i = 0; i < COUNT_OF(certificates); i++) {
    struct front_door_result result = {.at = BEGIN + (int64_t)i};
    if (certificates[i].left_ms) result.certificate_ends_at = result.at + certificates[i].left_ms;
    struct front_door_verdict verdict = front_door_judge(&s, &result);
    if (verdict.certificate != certificates[i].move || verdict.level != certificates[i].level)
      fail_msg("row %zu: move %d, level %d", i, verdict.certificate, verdict.level);
  }
}

static void test_each_stage_has_a_name_of_its_own(void **state) {
  for (enum front_door_stage a = 0; a < FRONT_DOOR_STAGES; a++)
    for (enum front_door_stage b = 0; b < a; b++)
      assert_string_not_equal(front_door_stage_name(a), front_door_stage_name(b));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_three_failures_open_and_two_good_calls_close),
      cmocka_unit_test(test_it_opens_since_the_first_failure_in_a_row),
      cmocka_unit_test(test_a_result_is_judged_once),
      cmocka_unit_test(test_a_clock_that_goes_back_stops_nothing),
      cmocka_unit_test(test_one_that_takes_over_closes_what_is_open),
      cmocka_unit_test(test_a_certificate_opens_once_a_level_and_closes_when_renewed),
      cmocka_unit_test(test_each_stage_has_a_name_of_its_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
