// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_bytes_without_a_nul_behind_them_are_copied(void **state) {
  AUTO_FREE char *bytes = malloc(3); // a sanitizer sees what is read behind them
  assert_non_null(bytes);
  memcpy(bytes, "abc", 3);
  AUTO_FREE char *copy = mem_strndup(bytes, 3), *shorter = mem_strndup(bytes, 2);
  assert_string_equal(copy, "abc");
  assert_string_equal(shorter, "ab");
}

static void test_a_copy_ends_at_the_first_nul(void **state) {
  AUTO_FREE char *copy = mem_strndup("a\0b", 3), *empty = mem_strndup("", 0);
  assert_string_equal(copy, "a");
  assert_string_equal(empty, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bytes_without_a_nul_behind_them_are_copied),
      cmocka_unit_test(test_a_copy_ends_at_the_first_nul),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
