// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "common/json/json.h"
#include "common/provider/providers.h"
#include "processor/rules/check_first.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_what_the_provider_file_says_comes_first(void **state) {
  struct faults faults = {0};
  struct providers *providers = providers_load("", &faults);
  const struct provider *bizgo = providers_find(providers, "bizgo");
  AUTO_JSON *list = check_first(INCIDENT_FAILING, "account", bizgo);
  size_t own = json_array_size(provider_check_first(bizgo, "failing"));
  assert_true(own > 0);
  assert_int_equal(json_array_size(list), own + 1);
  assert_non_null(strstr(json_string_value(json_array_get(list, 0)), "BizGo"));
  assert_non_null(strstr(json_string_value(json_array_get(list, own)), "Your application"));
  AUTO_JSON *again = check_first(INCIDENT_FAILING, "account", bizgo); // the file's list did not grow
  assert_true(json_equal(list, again));
  providers_free(providers);
  faults_fini(&faults);
}

// Once by the provider's name and once without it is twice the same question.
static void test_the_console_is_asked_about_once(void **state) {
  static const enum incident_kind kinds[] = {INCIDENT_FAILING, INCIDENT_SILENT};
  struct faults faults = {0};
  struct providers *providers = providers_load("", &faults);
  for (size_t i = 0; i < COUNT_OF(kinds); i++) {
    AUTO_JSON *named = check_first(kinds[i], "", providers_find(providers, "bizgo"));
    AUTO_JSON *unnamed =
        check_first(kinds[i], "", providers_find(providers, "blux")); // its file says nothing
    AUTO_FREE char *of_named = json_text(named), *of_unnamed = json_text(unnamed);
    assert_null(strstr(of_named, "The provider's console"));
    assert_non_null(strstr(of_unnamed, "The provider's console"));
  }
  providers_free(providers);
  faults_fini(&faults);
}

static void test_a_silence_is_looked_for_on_our_side_first(void **state) {
  struct faults faults = {0};
  struct providers *providers = providers_load("", &faults);
  AUTO_JSON *list = check_first(INCIDENT_SILENT, "", providers_find(providers, "bizgo"));
  assert_non_null(strstr(json_string_value(json_array_get(list, 0)), "our side"));
  assert_non_null(strstr(json_string_value(json_array_get(list, 1)), "doctor"));
  assert_non_null(strstr(json_string_value(json_array_get(list, 2)), "BizGo"));
  providers_free(providers);
  faults_fini(&faults);
}

static void test_every_kind_has_a_name_and_something_to_check(void **state) {
  static const char *const names[INCIDENT_KIND_COUNT] = {"failing",  "silent",      "slow",
                                                         "refusing", "unreachable", "at_risk"};
  for (enum incident_kind kind = 0; kind < INCIDENT_KIND_COUNT; kind++) {
    AUTO_JSON *list = check_first(kind, "", NULL);
    assert_string_equal(incident_kind_name(kind), names[kind]);
    assert_in_range(json_array_size(list), 2, 4);
  }
}

static void test_what_to_check_depends_on_what_is_unreachable(void **state) {
  static const char *const scopes[] = {"front door", "ingress", "certificate, 14 days"};
  static const char *const firsts[] = {"proxy", "Does ingress run", "renewal of the certificate"};
  for (size_t i = 0; i < COUNT_OF(scopes); i++) {
    AUTO_JSON *list = check_first(INCIDENT_UNREACHABLE, scopes[i], NULL);
    assert_in_range(json_array_size(list), 2, 4);
    assert_non_null(strstr(json_string_value(json_array_get(list, 0)), firsts[i]));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_the_provider_file_says_comes_first),
      cmocka_unit_test(test_the_console_is_asked_about_once),
      cmocka_unit_test(test_a_silence_is_looked_for_on_our_side_first),
      cmocka_unit_test(test_what_to_check_depends_on_what_is_unreachable),
      cmocka_unit_test(test_every_kind_has_a_name_and_something_to_check),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
