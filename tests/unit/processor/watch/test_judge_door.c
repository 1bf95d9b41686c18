// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "common/json/json.h"
#include "processor/watch/judge.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *sent; // the last event's value

bool __wrap_emitter_send(struct emitter *emitter, const struct emitter_event *event, struct err *err) {
  json_decref(sent);
  sent = json_parse(event->value, strlen(event->value), NULL);
  return true;
}

// The third call that ends there.
static const char *summary_of(enum front_door_stage stage) {
  struct view view = {0};
  struct judge judge = {.view = &view};
  struct err err;
  for (int64_t call = 1; call <= 3; call++) {
    struct front_door_result result = {.at = call * 60000, .stage = stage};
    snprintf(result.text, sizeof result.text, "the text of %s", front_door_stage_name(stage));
    assert_null(sent);
    assert_true(judge_front_door(&judge, &result, &err));
  }
  return json_string_value(json_object_get(sent, "summary"));
}

static void test_the_alert_says_how_the_front_door_fails(void **state) {
  static const struct {
    enum front_door_stage stage;
    const char *summary;
  } cases[] = {
      {FRONT_DOOR_NAME, "our own front door cannot be reached from here: the text of name"},
      {FRONT_DOOR_TLS, "our own front door cannot be reached from here: the text of tls"},
      {FRONT_DOOR_HTTP, "our own front door does not answer as ingress does: the text of http"},
      {FRONT_DOOR_NOT_OURS, "our own front door leads to no ingress of ours: the text of not_ours"},
      {FRONT_DOOR_SLOW, "our own front door answers too late: the text of slow"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    assert_string_equal(summary_of(cases[i].stage), cases[i].summary);
    json_decref(take(sent));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_alert_says_how_the_front_door_fails)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
