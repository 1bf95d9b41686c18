// SPDX-License-Identifier: MIT
#include "common/base/err.h"
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_set_returns_false_and_writes_the_text(void **state) {
  struct err err;
  assert_false(err_set(&err, "%s:%d: %s", "kafka.properties", 7, "not name=value"));
  assert_string_equal(err.text, "kafka.properties:7: not name=value");
}

static void test_prefix_puts_context_in_front(void **state) {
  struct err err;
  err_set(&err, "/endpoints/0: no path");
  assert_false(err_prefix(&err, "%s: ", "endpoints.json"));
  assert_string_equal(err.text, "endpoints.json: /endpoints/0: no path");
}

static void test_hint_comes_behind_and_none_changes_nothing(void **state) {
  struct err err;
  err_set_class(&err, "access", "topic t: denied");
  assert_false(err_hint(&err, NULL));
  assert_string_equal(err.text, "topic t: denied");
  assert_false(err_hint(&err, "add an ACL"));
  assert_string_equal(err.text, "topic t: denied; add an ACL");
  assert_string_equal(err.class, "access");
}

static void test_an_argument_may_be_the_old_text(void **state) {
  struct err err;
  err_set(&err, "cause");
  err_set(&err, "what: %s", err.text);
  assert_string_equal(err.text, "what: cause");
}

static void test_long_text_is_cut_never_overrun(void **state) {
  char text[2000];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  struct err err;
  err_set(&err, "%s", text);
  assert_int_equal(strlen(err.text), sizeof err.text - 1);
  err_prefix(&err, "%s", "front: ");
  assert_memory_equal(err.text, "front: x", 8);
  assert_int_equal(strlen(err.text), sizeof err.text - 1);
  err_prefix(&err, "%s", text);
  assert_int_equal(strlen(err.text), sizeof err.text - 1);
  err_hint(&err, "hint");
  assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

static void test_nobody_may_want_to_know(void **state) {
  assert_false(err_set(NULL, "%d", 1));
  assert_false(err_prefix(NULL, "%d", 1));
  assert_false(err_hint(NULL, "hint"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_set_returns_false_and_writes_the_text),
      cmocka_unit_test(test_prefix_puts_context_in_front),
      cmocka_unit_test(test_hint_comes_behind_and_none_changes_nothing),
      cmocka_unit_test(test_an_argument_may_be_the_old_text),
      cmocka_unit_test(test_long_text_is_cut_never_overrun),
      cmocka_unit_test(test_nobody_may_want_to_know),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
