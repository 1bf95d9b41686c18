// SPDX-License-Identifier: MIT
// What a loaded file says about its provider.
#include "common/base/mem.h"
#include "tests/unit/support/provider.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_a_file_says_when_its_provider_blocks_us_and_what_to_check_first(void **state) {
  struct provider *provider = provider_of("everything.json");
  assert_int_equal(provider_blocks(provider).failed_a_day, 1000);
  assert_int_equal(provider_blocks(provider).failed_in_a_row, 100);
  assert_int_equal(provider_expects(provider).silent_after_s, 900);
  assert_int_equal(json_array_size(provider_check_first(provider, "failing")), 2);
  assert_string_equal(json_string_value(json_array_get(provider_check_first(provider, "slow"), 0)),
                      "https://status.example.com");
  assert_null(provider_check_first(provider, "nothing"));
  provider_free(provider);
  provider = provider_of("least.json");
  assert_int_equal(provider_blocks(provider).failed_a_day, 0);
  assert_int_equal(provider_blocks(provider).failed_in_a_row, 0);
  assert_null(provider_check_first(provider, "silent"));
  provider_free(provider);
}

static void test_times_not_given_are_the_documented_ones(void **state) {
  struct provider *provider = provider_of("least.json");
  assert_int_equal(provider_expects(provider).receipt_within_s, 300);
  assert_int_equal(provider_expects(provider).expires_after_s, 259200);
  assert_int_equal(provider_expects(provider).unconfirmed_within_s, 259200);
  assert_int_equal(provider_expects(provider).silent_after_s, 600);
  provider_free(provider);
  provider = provider_of("whole-numbers-with-a-point.json");
  assert_int_equal(provider_budget_ms(provider), 1500);
  assert_int_equal(provider_deadline_ms(provider), 5000);
  provider_free(provider);
}

static void test_a_suffix_behind_the_url_belongs_to_another_file(void **state) {
  static const struct {
    const char *path;
    size_t len; // 0: no suffix
  } cases[] = {
      {"bizgo/alimtalk/cstalk/message", 14},
      {"bizgo/alimtalk/0123456789abcdef/cstalk/seen_info", 31},
      {"bizgo/cstalk/x/cstalk/y", 14},
      {"bizgo/alimtalk", 0},
      {"bizgo/alimtalk/cstalk", 0},
      {"bizgo/alimtalk/cstalk/", 0},
      {"bizgo/alimtalk/cstalk/a/b", 0},
      {"bizgo/alimtalk/xcstalk/message", 0},
      {"/cstalk/message", 0}, // behind no URL
      {"", 0},
  };
  const struct provider *bizgo = providers_find(providers, "bizgo");
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    size_t len = 0;
    const struct provider_suffix *suffix = provider_suffix_find(bizgo, cases[i].path, &len);
    if (len != cases[i].len || !suffix != !cases[i].len) fail_msg("%s: %zu", cases[i].path, len);
    if (suffix) assert_string_equal(provider_name(suffix->provider), "bizgo-counsel");
    assert_null(provider_suffix_find(providers_find(providers, "blux"), cases[i].path, &len));
  }
}

static void test_one_slash_behind_a_suffix_is_ignored_and_no_part_is_empty(void **state) {
  const struct provider *bizgo = providers_find(providers, "bizgo");
  size_t len = 0;
  assert_non_null(provider_suffix_find(bizgo, "bizgo/alimtalk/cstalk/message/", &len));
  assert_int_equal(len, 14);
  assert_null(provider_suffix_find(bizgo, "bizgo/alimtalk/cstalk/message//", &len));
  assert_null(provider_suffix_find(bizgo, "bizgo/alimtalk/cstalk//", &len));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_file_says_when_its_provider_blocks_us_and_what_to_check_first),
      cmocka_unit_test(test_times_not_given_are_the_documented_ones),
      cmocka_unit_test(test_a_suffix_behind_the_url_belongs_to_another_file),
      cmocka_unit_test(test_one_slash_behind_a_suffix_is_ignored_and_no_part_is_empty),
  };
  return cmocka_run_group_tests(tests, load_built_in, unload_built_in);
}
