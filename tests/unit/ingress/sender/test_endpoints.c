// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "ingress/sender/endpoints.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct providers *providers;
static char path[] = "/tmp/dochak-endpoints-XXXXXX";

static struct endpoints *load(const char *text, struct err *err) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
  return endpoints_load(path, providers, err);
}

#define ENTRY(name, rest) "{\"endpoint\":\"" name "\",\"provider\":\"bizgo\"" rest "}"
#define FILE_OF(entries)  "{\"endpoints\":[" entries "]}"
#define SECRET(name)      ",\"secret_path\":[\"DOCHAK_SECRET_" name "\"]"

static const struct {
  const char *text, *fault; // the fault is behind "<file>: ", or its beginning where it ends in "…"
} bad_files[] = {
    {"", "the text is empty"},
    {"{", "*"},
    {"[]", "*"},
    {"{}", "*"},
    {FILE_OF(""), "*"},
    {FILE_OF("{\"endpoint\":\"a\"}"), "/endpoints/0*"},
    {FILE_OF(ENTRY("a", ",\"secret\":\"inline\"")), "/endpoints/0*"},
    {FILE_OF(ENTRY("/a", "")), "/endpoints/0/endpoint*"},
    {FILE_OF(ENTRY("a/../b", "")), "/endpoints/0/endpoint*"},
    {FILE_OF(ENTRY("a%2fb", "")), "/endpoints/0/endpoint*"},
    {FILE_OF("{\"endpoint\":\"a\",\"provider\":\"nobody\"}"),
     "/endpoints/0/provider: \"nobody\" is none of bizgo*"},
    {FILE_OF(ENTRY("a", "") "," ENTRY("a", "")), "/endpoints/1/endpoint: \"a\" is there twice"},
    {FILE_OF(ENTRY("a", SECRET("GOOD")) "," ENTRY("a/b", "")),
     "/endpoints/1/endpoint: \"a/b\" and \"a\" would share URLs, since a secret follows the shorter one"},
    {FILE_OF(ENTRY("a/b", "") "," ENTRY("a", SECRET("GOOD"))),
     "/endpoints/1/endpoint: \"a\" and \"a/b\" would share URLs, since a secret follows the shorter one"},
    {FILE_OF(ENTRY("a", SECRET("MISSING"))),
     "/endpoints/0/secret_path/0: DOCHAK_SECRET_MISSING: not set; give it or DOCHAK_SECRET_MISSING_FILE"},
    {FILE_OF(ENTRY("a", SECRET("SHORT"))),
     "/endpoints/0/secret_path/0: DOCHAK_SECRET_SHORT: expected at least 16 characters, got 5"},
    {FILE_OF(ENTRY("a", SECRET("UNSAFE"))),
     "/endpoints/0/secret_path/0: DOCHAK_SECRET_UNSAFE: expected only letters, digits and . _ ~ -"},
    {FILE_OF(ENTRY("a", ",\"checks\":{\"jwt\":{}}")), "/endpoints/0/checks*"},
    {FILE_OF(ENTRY("a", ",\"checks\":{}")), "/endpoints/0/checks*"},
    {FILE_OF(ENTRY("a", ",\"checks\":{\"ip\":{\"allow\":[\"10.0.0.1/8\"]}}")),
     "/endpoints/0/checks/ip/allow/0: expected no bits set behind the prefix"},
    {FILE_OF(ENTRY("a", ",\"checks\":{\"query_token\":{\"secrets\":[\"DOCHAK_SECRET_SHORT\"]}}")),
     "/endpoints/0/checks/query_token/secrets/0: DOCHAK_SECRET_SHORT: expected at least 8 bytes, got 5"},
    {"{\"trusted_proxies\":[\"10.0.0.0/8\",\"10.0.0.0/40\"],\"endpoints\":[" ENTRY("a", "") "]}",
     "/trusted_proxies/1: expected a prefix of 0 to 32 bits"},
};

static void assert_fault(const struct err *err, const char *expected) {
  const char *fault = err->text + strlen(path) + 2;
  assert_memory_equal(err->text, path, strlen(path));
  size_t len = strcspn(expected, "*");
  if (expected[len] == '\0') assert_string_equal(fault, expected);
  if (strncmp(fault, expected, len) != 0) fail_msg("expected %s, got %s", expected, fault);
}

static void test_a_bad_file_is_refused_with_its_place_and_rule(void **state) {
  for (size_t i = 0; i < COUNT_OF(bad_files); i++) {
    struct err err;
    assert_null(load(bad_files[i].text, &err));
    assert_fault(&err, bad_files[i].fault);
    assert_null(strstr(err.text, "unsafe/"));
  }
}

static void test_a_missing_file_is_named(void **state) {
  struct err err;
  assert_null(endpoints_load("/nowhere/endpoints.json", providers, &err));
  assert_string_equal(err.text, "/nowhere/endpoints.json: No such file or directory");
}

static const struct {
  const char *rest, *name; // what follows /webhook/; whose it is
  enum endpoints_match match;
} paths[] = {
    {"open", "open", ENDPOINTS_FOUND},
    {"open/alimtalk", "open/alimtalk", ENDPOINTS_FOUND},
    {"open/", NULL, ENDPOINTS_NONE},
    {"open/other", NULL, ENDPOINTS_NONE},
    {"openx", NULL, ENDPOINTS_NONE},
    {"ope", NULL, ENDPOINTS_NONE},
    {"OPEN", NULL, ENDPOINTS_NONE},
    {"%6fpen", NULL, ENDPOINTS_NONE},
    {"open%00", NULL, ENDPOINTS_NONE},
    {"./open", NULL, ENDPOINTS_NONE},
    {"closed/../open", "closed", ENDPOINTS_REFUSED},
    {"", NULL, ENDPOINTS_NONE},
    {"closed/good-0123456789abc", "closed", ENDPOINTS_FOUND},
    {"closed/next-0123456789abc", "closed", ENDPOINTS_FOUND},
    {"closed", "closed", ENDPOINTS_REFUSED},
    {"closed/", "closed", ENDPOINTS_REFUSED},
    {"closed/good-0123456789ab", "closed", ENDPOINTS_REFUSED},
    {"closed/good-0123456789abcd", "closed", ENDPOINTS_REFUSED},
    {"closed/good-0123456789abc/", "closed", ENDPOINTS_REFUSED},
    {"closed/good-0123456789ab%63", "closed", ENDPOINTS_REFUSED},
    {"closed//good-0123456789abc", "closed", ENDPOINTS_REFUSED},
};

static void test_a_path_finds_its_endpoint_and_no_other(void **state) {
  struct err err;
  struct endpoints *endpoints =
      load(FILE_OF(ENTRY("open", "") "," ENTRY("open/alimtalk", "") "," ENTRY(
               "closed", ",\"secret_path\":[\"DOCHAK_SECRET_GOOD\",\"DOCHAK_SECRET_NEXT\"]")),
           &err);
  assert_non_null(endpoints);
  assert_int_equal(endpoints_count(endpoints), 3);
  for (size_t i = 0; i < COUNT_OF(paths); i++) {
    const struct endpoint *found = NULL;
    if (endpoints_find(endpoints, paths[i].rest, &found) != paths[i].match) fail_msg("%s", paths[i].rest);
    if (paths[i].name) assert_string_equal(found->name, paths[i].name);
  }
  endpoints_free(endpoints);
}

int main(void) {
  setenv("DOCHAK_SECRET_GOOD", "good-0123456789abc", 1);
  setenv("DOCHAK_SECRET_NEXT", "next-0123456789abc", 1);
  setenv("DOCHAK_SECRET_SHORT", "short", 1);
  setenv("DOCHAK_SECRET_UNSAFE", "unsafe/0123456789abc", 1);
  struct err err;
  providers = providers_load("", &err);
  int fd = mkstemp(path);
  assert_non_null(providers);
  assert_true(fd >= 0);
  close(fd);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_bad_file_is_refused_with_its_place_and_rule),
      cmocka_unit_test(test_a_missing_file_is_named),
      cmocka_unit_test(test_a_path_finds_its_endpoint_and_no_other),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  unlink(path);
  providers_free(providers);
  return failed;
}
