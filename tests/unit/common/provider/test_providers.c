// SPDX-License-Identifier: MIT
// The files that we ship, and loading a folder.
#include "common/base/mem.h"
#include "common/provider/provider_read.h"
#include "tests/unit/support/folder.h"
#include "tests/unit/support/provider.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum provider_outcome outcome_of(const char *code, bool *known, const char **scope) {
  struct err err = {0};
  struct provider_receipt receipt;
  AUTO_JSON *element = json_pack("{ss ss}", "msgKey", "k", "reportCode", code);
  assert_true(provider_read_receipt(providers_find(providers, "bizgo"), element, &receipt, &err));
  *known = receipt.known_code;
  *scope = receipt.scope;
  provider_receipt_fini(&receipt);
  return receipt.outcome;
}

static void assert_faults(const char *codes, const char *wanted_scope) {
  AUTO_FREE char *list = mem_strdup(codes);
  char *rest = list;
  for (char *code; (code = strsep(&rest, " "));) {
    bool known;
    const char *scope = NULL;
    if (outcome_of(code, &known, &scope) != OUTCOME_ACCOUNT_FAULT || strcmp(scope, wanted_scope) != 0)
      fail_msg("%s: expected an account fault of the %s, got %s", code, wanted_scope, scope ? scope : "none");
  }
}

static void test_bizgo_names_every_account_fault_and_whose_it_is(void **state) {
  static const char *const faults[][2] = {
      // the codes of a scope
      {"account", "64008 64009 64010 60162 60400 60500 60507 60512 61002 61011 50010 50006 50007 50008 50009 "
                  "50011 50012 50101 50202 33123 51911 51101 51102 55101 23032 33032 23036 23037 33036"},
      {"sender", "23018 33018 23019 33019 23023 33023 33115 33122"},
      {"profile", "64104 61003 61006 61007 61014 61016 61021 61022 61023 61024 61025 61027 73006 73007 33200 "
                  "42007 52099 55808 55819 60501 60508"},
      {"template", "64102 63015 72002 72007 72009 33121 55502 55818 52023 61033 63030 71007"},
  };
  for (size_t i = 0; i < COUNT_OF(faults); i++) assert_faults(faults[i][1], faults[i][0]);
}

static void test_bizgo_leaves_open_what_may_have_arrived(void **state) {
  static const char *const uncertain[] = {"63005", "6ME09", "55821", "56003", "41117",
                                          "70001", "64000", "64001", "64122", "56002"};
  bool known;
  const char *scope;
  for (size_t i = 0; i < COUNT_OF(uncertain); i++) {
    assert_int_equal(outcome_of(uncertain[i], &known, &scope), OUTCOME_UNCONFIRMED);
    assert_null(scope);
  }
  assert_int_equal(outcome_of("10000", &known, &scope), OUTCOME_DELIVERED);
}

static void test_what_concerns_one_message_of_bizgo_is_no_account_fault(void **state) {
  static const char *const single[] = {"22000", "23012", "23041", "63016", "63019", "64016",
                                       "50201", "42601", "69998", "90000", "77777"};
  bool known;
  const char *scope;
  for (size_t i = 0; i < COUNT_OF(single); i++) {
    assert_int_equal(outcome_of(single[i], &known, &scope), OUTCOME_FAILED);
    assert_null(scope);
  }
}

static void test_bizgo_says_which_codes_are_about_the_recipient(void **state) {
  static const char *const theirs[] = {"22003", "22004", "22005", "23001", "23003", "23004", "23006",
                                       "32003", "33001", "33101", "41200", "54001", "54003", "55817",
                                       "63008", "63019", "63020", "64016", "71004", "73002", "74002"};
  static const char *const not_theirs[] = {"10000", "22000", "22001", "23012", "23013", "23015", "33011",
                                           "54004", "63005", "63006", "63016", "64008", "69998", "77777"};
  const struct provider *bizgo = providers_find(providers, "bizgo");
  for (size_t i = 0; i < COUNT_OF(theirs); i++)
    if (!is_about_recipient(bizgo, json_pack("{ss ss}", "msgKey", "k", "reportCode", theirs[i])))
      fail_msg("%s is not", theirs[i]);
  for (size_t i = 0; i < COUNT_OF(not_theirs); i++)
    if (is_about_recipient(bizgo, json_pack("{ss ss}", "msgKey", "k", "reportCode", not_theirs[i])))
      fail_msg("%s is", not_theirs[i]);
}

static void test_only_10000_is_a_delivery_at_bizgo(void **state) {
  bool known;
  const char *scope;
  size_t listed = 0;
  for (int code = 0; code < 100000; code++) {
    char text[16];
    snprintf(text, sizeof text, "%05d", code);
    if (outcome_of(text, &known, &scope) == OUTCOME_DELIVERED) assert_int_equal(code, 10000);
    listed += known;
  }
  assert_in_range(listed, 570, 600);
}

// ---- folders

static char *folder_with(const char *const (*files)[2], size_t n) {
  char *folder = mem_strdup("/tmp/dochak-providers-XXXXXX");
  assert_non_null(mkdtemp(folder));
  for (size_t i = 0; i < n; i++) {
    AUTO_FREE char *path = mem_printf("%s/%s", folder, files[i][0]);
    FILE *to = fopen(path, "we");
    assert_non_null(to);
    fputs(files[i][1], to);
    fclose(to);
  }
  return folder;
}

static void expect_folder_fault(const char *const (*files)[2], size_t n, const char *fault) {
  struct err err = {0};
  char *folder = folder_with(files, n);
  assert_null(load_folder(folder, &err));
  if (!strstr(err.text, fault) || !strstr(err.text, folder)) fail_msg("%s", err.text);
  folder_remove(folder);
  free(folder);
}

static void test_a_folder_that_cannot_be_loaded_says_which_file_and_why(void **state) {
  AUTO_JSON *least = read_json(SCHEMAS_DIR "/examples/provider/valid", "least.json");
  AUTO_FREE char *good = json_text(least);
  AUTO_FREE char *large = mem_alloc((1 << 20) + 2);
  memset(large, ' ', (1 << 20) + 1);
  const char *const twice[][2] = {{"a.json", good}, {"b.json", good}};
  const char *const broken[][2] = {{"a.json", "{"}};
  const char *const wrong[][2] = {{"a.json", "{}"}};
  const char *const long_one[][2] = {{"a.json", large}};
  json_object_set_new(json_object_get(least, "webhook"), "suffixes", json_pack("{ss}", "/x/*", "nobody"));
  AUTO_FREE char *lonely = json_text(least);
  const char *const unknown[][2] = {{"a.json", lonely}};
  const char *const none[][2] = {{"a.yaml", good}, {".hidden.json", "{"}};
  expect_folder_fault(twice, 2, "b.json: /provider: \"acme\" is already taken by ");
  expect_folder_fault(broken, 1, "a.json: ");
  expect_folder_fault(wrong, 1, "a.json: expected a key \"provider\"");
  expect_folder_fault(long_one, 1, "a.json: expected 1048576 bytes at most");
  expect_folder_fault(unknown, 1, "a.json: /webhook/suffixes: /x/*: \"nobody\" is none of acme");
  expect_folder_fault(none, 2, "expected provider files (*.json), found none");
  struct err err = {0};
  assert_null(load_folder("/nowhere/at/all", &err));
  assert_string_equal(err.text, "/nowhere/at/all: No such file or directory");
}

static void test_a_folder_replaces_the_built_in_files(void **state) {
  struct err err = {0};
  AUTO_JSON *least = read_json(SCHEMAS_DIR "/examples/provider/valid", "least.json");
  AUTO_FREE char *good = json_text(least);
  const char *const files[][2] = {{"anything.json", good}};
  char *folder = folder_with(files, 1);
  struct providers *loaded = load_folder(folder, &err);
  assert_non_null(loaded);
  assert_string_equal(provider_name(providers_find(loaded, "acme")), "acme");
  assert_null(providers_find(loaded, "bizgo"));
  providers_free(loaded);
  folder_remove(folder);
  free(folder);
}

static void test_a_suffix_without_a_star_is_the_path_itself(void **state) {
  struct err err = {0};
  AUTO_JSON *document = read_json(SCHEMAS_DIR "/examples/provider/valid", "everything.json");
  AUTO_JSON *replies = json_deep_copy(document);
  json_object_set_new(replies, "provider", json_string("acme-replies"));
  json_object_del(json_object_get(replies, "webhook"), "suffixes");
  AUTO_FREE char *first = json_text(document), *second = json_text(replies);
  const char *const files[][2] = {{"a.json", first}, {"b.json", second}};
  char *folder = folder_with(files, 2);
  struct providers *loaded = load_folder(folder, &err);
  if (!loaded) fail_msg("%s", err.text);
  size_t len = 0;
  const struct provider *acme = providers_find(loaded, "acme");
  assert_ptr_equal(provider_suffix_find(acme, "x/v2/status", &len)->provider, acme);
  assert_int_equal(len, 1);
  assert_ptr_equal(provider_suffix_find(acme, "x/replies/9", &len)->provider,
                   providers_find(loaded, "acme-replies"));
  assert_null(provider_suffix_find(acme, "x/v2/status/y", &len));
  assert_null(provider_suffix_find(acme, "x/v2/statu", &len));
  providers_free(loaded);
  folder_remove(folder);
  free(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bizgo_names_every_account_fault_and_whose_it_is),
      cmocka_unit_test(test_bizgo_leaves_open_what_may_have_arrived),
      cmocka_unit_test(test_what_concerns_one_message_of_bizgo_is_no_account_fault),
      cmocka_unit_test(test_bizgo_says_which_codes_are_about_the_recipient),
      cmocka_unit_test(test_only_10000_is_a_delivery_at_bizgo),
      cmocka_unit_test(test_a_folder_that_cannot_be_loaded_says_which_file_and_why),
      cmocka_unit_test(test_a_folder_replaces_the_built_in_files),
      cmocka_unit_test(test_a_suffix_without_a_star_is_the_path_itself),
  };
  return cmocka_run_group_tests(tests, load_built_in, unload_built_in);
}
