// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "common/config/secrets.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool hold(const struct secrets *secrets, const char *text) {
  return secrets_hold(secrets, text, strlen(text));
}

static void test_any_of_several_is_right(void **state) {
  struct secrets secrets = {0};
  struct err err;
  assert_true(secrets_add(&secrets, SECRETS_OURS, "first-0123456789", 16, &err));
  assert_true(secrets_add(&secrets, SECRETS_OURS, "second.0123456789~_", 19, &err));
  assert_true(hold(&secrets, "first-0123456789"));
  assert_true(hold(&secrets, "second.0123456789~_"));
  static const char *const wrong[] = {"", "first-012345678", "first-01234567890", "First-0123456789", "x"};
  for (size_t i = 0; i < COUNT_OF(wrong); i++) assert_false(hold(&secrets, wrong[i]));
  secrets_fini(&secrets);
}

static void test_none_are_never_right(void **state) {
  struct secrets none = {0};
  assert_false(hold(&none, ""));
  assert_false(hold(&none, "0123456789abcdef"));
}

static void test_a_nul_byte_is_no_part_of_a_secret(void **state) {
  static const char text[] = "0123456789\0abcdef";
  struct secrets secrets = {0};
  struct err err;
  assert_false(secrets_add(&secrets, SECRETS_OURS, text, sizeof text - 1, &err));
  assert_string_equal(err.text, "expected only letters, digits and . _ ~ -");
}

static void test_weak_and_unsafe_ones_are_refused_without_being_told(void **state) {
  static const struct {
    const char *text, *rule;
  } bad[] = {
      {"", "expected at least 16 characters, got 0"},
      {"fifteen-charact", "expected at least 16 characters, got 15"},
      {"with/slash-0123456789", "expected only letters, digits and . _ ~ -"},
      {"with space-0123456789", "expected only letters, digits and . _ ~ -"},
      {"with%20escape-0123456789", "expected only letters, digits and . _ ~ -"},
  };
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    struct secrets secrets = {0};
    struct err err;
    assert_false(secrets_add(&secrets, SECRETS_OURS, bad[i].text, strlen(bad[i].text), &err));
    assert_string_equal(err.text, bad[i].rule);
    assert_int_equal(secrets.n, 0);
    secrets_fini(&secrets);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_any_of_several_is_right),
      cmocka_unit_test(test_none_are_never_right),
      cmocka_unit_test(test_a_nul_byte_is_no_part_of_a_secret),
      cmocka_unit_test(test_weak_and_unsafe_ones_are_refused_without_being_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
