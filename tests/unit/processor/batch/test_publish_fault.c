// SPDX-License-Identifier: MIT
#include "processor/batch/publish_fault.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { HOUR_MS = 3600000 };

static void test_the_last_fault_is_kept_until_it_is_cleared(void **state) {
  struct publish_fault fault;
  char text[64] = "";
  publish_fault_init(&fault);
  assert_false(publish_fault_copy(&fault, HOUR_MS, text, sizeof text));
  publish_fault_set(&fault, "dochak.alerts [0]: _MSG_TIMED_OUT");
  publish_fault_set(&fault, "dochak.alerts [3]: _MSG_TIMED_OUT");
  assert_true(publish_fault_copy(&fault, HOUR_MS, text, sizeof text));
  assert_string_equal(text, "dochak.alerts [3]: _MSG_TIMED_OUT");
  publish_fault_clear(&fault);
  assert_false(publish_fault_copy(&fault, HOUR_MS, text, sizeof text));
}

static void test_an_old_fault_is_none(void **state) {
  struct publish_fault fault;
  char text[64];
  publish_fault_init(&fault);
  publish_fault_set(&fault, "x");
  assert_false(publish_fault_copy(&fault, -1, text, sizeof text));
}

static void test_a_text_is_cut_to_the_room(void **state) {
  struct publish_fault fault;
  char text[4];
  publish_fault_init(&fault);
  publish_fault_set(&fault, "dochak.alerts");
  assert_true(publish_fault_copy(&fault, HOUR_MS, text, sizeof text));
  assert_string_equal(text, "doc");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_last_fault_is_kept_until_it_is_cleared),
      cmocka_unit_test(test_an_old_fault_is_none),
      cmocka_unit_test(test_a_text_is_cut_to_the_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
