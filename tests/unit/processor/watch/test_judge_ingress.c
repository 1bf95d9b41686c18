// SPDX-License-Identifier: MIT
// Whether an ingress that does not report is gone, or cannot be seen.
#include "common/base/mem.h"
#include "processor/watch/judge.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MINUTE_MS = 60 * 1000, LAST = 1000 }; // the minute of the last report

static int64_t opened;  // events
static char text[1000]; // of the last one
static bool hides_blux;

bool __wrap_emitter_send(struct emitter *emitter, const struct emitter_event *event, struct err *err) {
  opened += strcmp(event->type, EVENT_UNREACHABLE) == 0;
  snprintf(text, sizeof text, "%s", event->value);
  return true;
}

bool __wrap_frontier_hides(const struct frontier *frontier, const char *key) {
  return hides_blux && strcmp(key, "blux/sms") == 0;
}

static const struct {
  const char *name;
  const char *reporters[2];
  int64_t minutes; // that have ended since the last report, and are read
  bool hides_blux, has_left, opens;
} cases[] = {
    {"a report may still come", {"blux/sms"}, 2, false, false, false},
    {"none came for three minutes", {"blux/sms"}, 3, false, false, true},
    {"one that stopped on purpose has longer", {"blux/sms"}, 3, false, true, false},
    {"one that stopped on purpose and stays away", {"blux/sms"}, 15, false, true, true},
    {"all that reported is hidden", {"blux/sms"}, 60, true, false, false},
    {"another endpoint is not", {"blux/sms", "bizgo/alimtalk"}, 3, true, false, true},
};

static void test_an_ingress_is_gone_only_if_its_reports_could_be_seen(void **state) {
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    size_t n = cases[i].reporters[1] ? 2 : 1;
    char *reporters[2] = {(char *)(uintptr_t)cases[i].reporters[0], (char *)(uintptr_t)cases[i].reporters[1]};
    struct view view = {
        .last_report = LAST, .has_left = cases[i].has_left, .reporters = reporters, .n_reporters = n};
    struct judge judge = {.view = &view, .until_ms = (LAST + 1 + cases[i].minutes) * MINUTE_MS};
    struct err err;
    opened = 0;
    hides_blux = cases[i].hides_blux;
    assert_true(judge_ingress_now(&judge, &err));
    if (opened != cases[i].opens) fail_msg("%s", cases[i].name);
  }
}

// The clock of this machine does not count: what the group has not read yet may contain the report.
static void test_what_is_not_read_yet_is_no_absence(void **state) {
  char *reporters[] = {(char *)(uintptr_t) "blux/sms"};
  struct view view = {.last_report = LAST, .reporters = reporters, .n_reporters = 1};
  struct judge judge = {.view = &view, .until_ms = (LAST + 1) * MINUTE_MS};
  struct err err;
  opened = 0;
  hides_blux = false;
  assert_true(judge_ingress_now(&judge, &err));
  assert_int_equal(opened, 0);
}

static void test_an_ingress_whose_clock_is_behind_is_not_said_to_be_gone(void **state) {
  enum { UNTIL = (LAST + 5) * MINUTE_MS };
  static const struct {
    int64_t came_ms;
    const char *says;
  } rows[] = {{UNTIL - 2 * MINUTE_MS, "no ingress has reported for 4 minutes"},
              {UNTIL - 2 * MINUTE_MS + 1, "its clock is behind ours"}};
  char *reporters[] = {(char *)(uintptr_t) "blux/sms"};
  hides_blux = false;
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct view view = {
        .last_report = LAST, .report_came_ms = rows[i].came_ms, .reporters = reporters, .n_reporters = 1};
    struct judge judge = {.view = &view, .until_ms = UNTIL};
    struct err err;
    assert_true(judge_ingress_now(&judge, &err));
    if (!strstr(text, rows[i].says)) fail_msg("%s", text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_ingress_is_gone_only_if_its_reports_could_be_seen),
      cmocka_unit_test(test_an_ingress_whose_clock_is_behind_is_not_said_to_be_gone),
      cmocka_unit_test(test_what_is_not_read_yet_is_no_absence),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
