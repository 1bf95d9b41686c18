// SPDX-License-Identifier: MIT
#include "common/base/faults.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_errors_and_warnings_are_kept_in_their_order(void **state) {
  struct faults faults = {0};
  assert_false(faults_error(&faults, "%s is wrong", "a"));
  size_t from = faults.n;
  faults_warn(&faults, "%d is odd", 2);
  faults_error(&faults, "three");
  faults_prefix(&faults, from, "%s: ", "file");
  assert_int_equal(faults.n, 3);
  assert_int_equal(faults.n_errors, 2);
  assert_string_equal(faults.list[0].text, "a is wrong");
  assert_string_equal(faults.list[1].text, "file: 2 is odd");
  assert_true(faults.list[1].is_warning);
  assert_string_equal(faults.list[2].text, "file: three");
  faults_fini(&faults);
  assert_int_equal(faults.n, 0);
  assert_int_equal(faults.n_errors, 0);
}

static void test_a_list_is_bounded_and_an_error_beyond_it_still_counts(void **state) {
  struct faults faults = {0};
  for (int i = 0; i < FAULTS_MAX; i++) faults_warn(&faults, "%d", i);
  faults_error(&faults, "one more");
  assert_int_equal(faults.n, FAULTS_MAX);
  assert_int_equal(faults.n_errors, 1);
  faults_fini(&faults);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_errors_and_warnings_are_kept_in_their_order),
      cmocka_unit_test(test_a_list_is_bounded_and_an_error_beyond_it_still_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
