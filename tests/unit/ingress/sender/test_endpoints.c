// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "ingress/sender/endpoints.h"
#include "tests/unit/support/faults.h"
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
  struct faults faults = {0};
  struct endpoints *endpoints = endpoints_load(path, providers, &faults);
  faults_first(&faults, err);
  return endpoints;
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
     "/endpoints/0/provider: \"nobody\" is none of apiplex-kakao, *"},
    {FILE_OF(ENTRY("a", "") "," ENTRY("a", "")), "/endpoints/1/endpoint: \"a\" occurs twice"},
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
     "/endpoints/0/checks/query_token/secrets/0: DOCHAK_SECRET_SHORT: expected at least 8 characters, got 5"},
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

// Its value would be stored with each element.
static void test_a_provider_file_may_not_read_the_header_of_a_check(void **state) {
  struct providers *ours = providers;
  struct faults faults = {0};
  struct err err;
  providers = providers_load_one(SCHEMAS_DIR "/examples/provider/valid/headers.json", &faults);
  assert_non_null(providers);
  static const char *const checks[] = {
      "\"header\":{\"header\":\"X-Acme-Event-ID\",\"secrets\":[\"DOCHAK_SECRET_GOOD\"]}",
      "\"header_sha1\":{\"header\":\"X-Acme-Event-ID\",\"secrets\":[\"DOCHAK_SECRET_GOOD\"]}",
      "\"hmac_timestamp\":{\"signature_header\":\"x-acme-event-id\",\"secrets\":[\"DOCHAK_SECRET_GOOD\"]}",
      "\"signed_body\":{\"header\":\"X-Acme-Event-ID\",\"secrets\":[\"DOCHAK_SECRET_GOOD\"]}",
      "\"jwt\":{\"header\":\"X-Acme-Event-ID\",\"secrets\":[\"DOCHAK_SECRET_GOOD\"]}",
      "\"header\":{\"header\":\"X-Acme-Key\",\"secrets\":[\"DOCHAK_SECRET_GOOD\"]}",
  };
  for (size_t i = 0; i < COUNT_OF(checks); i++) {
    AUTO_FREE char *text = mem_printf(
        "{\"endpoints\":[{\"endpoint\":\"a\",\"provider\":\"acme-headers\",\"checks\":{%s}}]}", checks[i]);
    struct endpoints *endpoints = load(text, &err);
    bool is_allowed = i + 1 == COUNT_OF(checks);
    assert_int_equal(endpoints != NULL, is_allowed);
    if (!is_allowed)
      assert_fault(
          &err, "/endpoints/0/checks: the provider file acme-headers reads /@header/x-acme-event-id, which a "
                "check compares: it would be stored");
    endpoints_free(endpoints);
  }
  providers_free(providers);
  providers = ours;
}

static void test_a_missing_file_is_named(void **state) {
  struct faults faults = {0};
  assert_null(endpoints_load("/nowhere/endpoints.json", providers, &faults));
  assert_int_equal(faults.n_errors, 1);
  assert_string_equal(faults.list[0].text, "/nowhere/endpoints.json: No such file or directory");
  faults_fini(&faults);
}

static const struct {
  const char *list, *fault; // NULL: none
  size_t n;
} trust_lists[] = {
    {"", NULL, 0},
    {"10.0.0.0/8", NULL, 1},
    {"10.0.0.0/8,192.168.1.1, fd00::/8,", NULL, 3},
    {"10.0.0.0/8,proxy", "\"proxy\": expected an address such as 10.0.0.1, or a network such as 10.0.0.0/8",
     1},
    {"0.0.0.0/0", "\"0.0.0.0/0\": trusts every sender; name the proxies' addresses", 0},
    {"::/0", "\"::/0\": trusts every sender; name the proxies' addresses", 0},
};

static void test_a_list_of_proxies_may_come_from_a_setting(void **state) {
  for (size_t i = 0; i < COUNT_OF(trust_lists); i++) {
    struct networks trusted = {0};
    struct err err;
    bool good = endpoints_trust(&trusted, trust_lists[i].list, &err);
    assert_int_equal(good, trust_lists[i].fault == NULL);
    if (!good) assert_string_equal(err.text, trust_lists[i].fault);
    assert_int_equal(trusted.n, trust_lists[i].n);
    networks_fini(&trusted);
  }
}

static const struct {
  const char *rest, *name; // what follows /webhook/; whose it is
  enum endpoints_match match;
  const char *suffix; // NULL: none
} paths[] = {
    {"open", "open", ENDPOINTS_FOUND, NULL},
    {"open/alimtalk", "open/alimtalk", ENDPOINTS_FOUND, NULL},
    {"open/", "open", ENDPOINTS_FOUND, NULL},
    {"open//", NULL, ENDPOINTS_NONE, NULL},
    {"/open", NULL, ENDPOINTS_NONE, NULL},
    {"open/alimtalk/", "open/alimtalk", ENDPOINTS_FOUND, NULL},
    {"/", NULL, ENDPOINTS_NONE, NULL},
    {"open/other", NULL, ENDPOINTS_NONE, NULL},
    {"openx", NULL, ENDPOINTS_NONE, NULL},
    {"ope", NULL, ENDPOINTS_NONE, NULL},
    {"OPEN", NULL, ENDPOINTS_NONE, NULL},
    {"%6fpen", NULL, ENDPOINTS_NONE, NULL},
    {"open%00", NULL, ENDPOINTS_NONE, NULL},
    {"./open", NULL, ENDPOINTS_NONE, NULL},
    {"closed/../open", "closed", ENDPOINTS_REFUSED, NULL},
    {"", NULL, ENDPOINTS_NONE, NULL},
    {"closed/good-0123456789abc", "closed", ENDPOINTS_FOUND, NULL},
    {"closed/next-0123456789abc", "closed", ENDPOINTS_FOUND, NULL},
    {"closed", "closed", ENDPOINTS_REFUSED, NULL},
    {"closed/", "closed", ENDPOINTS_REFUSED, NULL},
    {"closed/good-0123456789ab", "closed", ENDPOINTS_REFUSED, NULL},
    {"closed/good-0123456789abcd", "closed", ENDPOINTS_REFUSED, NULL},
    {"closed/good-0123456789abc/", "closed", ENDPOINTS_FOUND, NULL},
    {"closed/good-0123456789abc//", "closed", ENDPOINTS_REFUSED, NULL},
    {"closed/good-0123456789ab/", "closed", ENDPOINTS_REFUSED, NULL},
    {"closed//", "closed", ENDPOINTS_REFUSED, NULL},
    {"closed/good-0123456789abc/more", "closed", ENDPOINTS_REFUSED, NULL},
    // BizGo appends to the URL it was given
    {"open/cstalk/message", "open", ENDPOINTS_FOUND, "/cstalk/*"},
    {"open/cstalk/message/", "open", ENDPOINTS_FOUND, "/cstalk/*"},
    {"open/alimtalk/cstalk/expired_session", "open/alimtalk", ENDPOINTS_FOUND, "/cstalk/*"},
    {"open/cstalk", NULL, ENDPOINTS_NONE, NULL},
    {"open/cstalk/a/b", NULL, ENDPOINTS_NONE, NULL},
    {"open/cstalk/own", "open/cstalk/own", ENDPOINTS_FOUND, NULL},
    {"closed/good-0123456789abc/cstalk/message", "closed", ENDPOINTS_FOUND, "/cstalk/*"},
    {"closed/next-0123456789abc/cstalk/message/", "closed", ENDPOINTS_FOUND, "/cstalk/*"},
    {"closed/good-0123456789abd/cstalk/message", "closed", ENDPOINTS_REFUSED, "/cstalk/*"},
    {"closed/cstalk/message", "closed", ENDPOINTS_REFUSED, "/cstalk/*"},
    {"closed/good-0123456789abc//cstalk/message", "closed", ENDPOINTS_REFUSED, "/cstalk/*"},
    {"other/cstalk/message", NULL, ENDPOINTS_NONE, NULL},
    {"closed/good-0123456789ab%63", "closed", ENDPOINTS_REFUSED, NULL},
    {"closed//good-0123456789abc", "closed", ENDPOINTS_REFUSED, NULL},
};

static void test_a_path_finds_its_endpoint_and_no_other(void **state) {
  struct err err;
  struct endpoints *endpoints =
      load(FILE_OF(ENTRY("open", "") "," ENTRY("open/alimtalk", "") "," ENTRY(
               "open/cstalk/own",
               "") ","
                   "{\"endpoint\":\"other\",\"provider\":\"blux\"}," ENTRY(
                       "closed", ",\"secret_path\":[\"DOCHAK_SECRET_GOOD\",\"DOCHAK_SECRET_NEXT\"]")),
           &err);
  assert_non_null(endpoints);
  assert_int_equal(endpoints->n, 5);
  for (size_t i = 0; i < COUNT_OF(paths); i++) {
    const struct endpoint *found = NULL;
    const struct provider_suffix *suffix = NULL;
    if (endpoints_find(endpoints, paths[i].rest, &found, &suffix) != paths[i].match)
      fail_msg("%s", paths[i].rest);
    if (paths[i].name) assert_string_equal(found->name, paths[i].name);
    if (!suffix != !paths[i].suffix) fail_msg("%s", paths[i].rest);
    if (suffix) assert_string_equal(suffix->text, paths[i].suffix);
  }
  endpoints_free(endpoints);
}

static void test_all_faults_of_a_file_are_reported_at_once(void **state) {
  static const char *const expected[] = {
      "/trusted_proxies/0: expected no bits set behind the prefix",
      "/endpoints/0/provider: \"nobody\" is none of apiplex-kakao, apiplex-sms, bizgo-counsel, bizgo, ",
      "/endpoints/0/secret_path/0: DOCHAK_SECRET_MISSING: not set; give it or DOCHAK_SECRET_MISSING_FILE",
      "/endpoints/0/secret_path/1: DOCHAK_SECRET_SHORT: expected at least 16 characters, got 5",
      "/endpoints/1/checks/ip/allow/0: expected no bits set behind the prefix",
      "/endpoints/1/checks/query_token/secrets/0: DOCHAK_SECRET_MISSING: not set",
      "/endpoints/1/endpoint: \"a\" occurs twice",
  };
  struct faults faults = {0};
  FILE *file = fopen(path, "w");
  fputs("{\"trusted_proxies\":[\"10.0.0.1/8\"],\"endpoints\":[{\"endpoint\":\"a\",\"provider\":\"nobody\","
        "\"secret_path\":[\"DOCHAK_SECRET_MISSING\",\"DOCHAK_SECRET_SHORT\"]}," //
        ENTRY("a", ",\"checks\":{\"ip\":{\"allow\":[\"10.0.0.1/8\"]},"
                   "\"query_token\":{\"secrets\":[\"DOCHAK_SECRET_MISSING\"]}}") "]}",
        file);
  fclose(file);
  assert_null(endpoints_load(path, providers, &faults));
  assert_int_equal(faults.n_errors, COUNT_OF(expected));
  for (size_t i = 0, seen = 0; i < faults.n; i++)
    if (!faults.list[i].is_warning && !strstr(faults.list[i].text, expected[seen++]))
      fail_msg("expected %s, got %s", expected[seen - 1], faults.list[i].text);
  faults_fini(&faults);
}

static void test_a_fault_of_form_hides_no_fault_of_another_endpoint(void **state) {
  static const char *const expected[] = {"/endpoints/0/endpoint: expected one to four path parts",
                                         "/endpoints/1/secret_path/0: DOCHAK_SECRET_MISSING: not set"};
  struct faults faults = {0};
  FILE *file = fopen(path, "w");
  fputs(FILE_OF(ENTRY("/a", "") "," ENTRY("b", ",\"secret_path\":[\"DOCHAK_SECRET_MISSING\"]")), file);
  fclose(file);
  assert_null(endpoints_load(path, providers, &faults));
  assert_int_equal(faults.n, COUNT_OF(expected));
  for (size_t i = 0; i < faults.n; i++) assert_non_null(strstr(faults.list[i].text, expected[i]));
  faults_fini(&faults);
}

static void test_two_faults_of_form_are_reported_at_once(void **state) {
  struct faults faults = {0};
  FILE *file = fopen(path, "w");
  fputs(FILE_OF(ENTRY("/a", "") "," ENTRY("b", ",\"secert_path\":[]")), file);
  fclose(file);
  assert_null(endpoints_load(path, providers, &faults));
  assert_int_equal(faults.n, 2);
  assert_non_null(strstr(faults.list[0].text, "/endpoints/0/endpoint: expected one to four path parts"));
  assert_non_null(strstr(faults.list[1].text, "/endpoints/1: unknown key \"secert_path\"; did you mean"));
  faults_fini(&faults);
}

// `hooks` has a challenge, `standard` has none.
static void test_a_token_and_a_challenge_belong_together(void **state) {
  static const struct {
    const char *endpoint, *fault; // NULL: none
  } rows[] = {
      {"{\"endpoint\":\"a\",\"provider\":\"hooks\",\"secret_path\":[\"DOCHAK_SECRET_GOOD\"],"
       "\"verify_token\":[\"DOCHAK_SECRET_NEXT\"]}",
       NULL},
      {"{\"endpoint\":\"a\",\"provider\":\"hooks\",\"secret_path\":[\"DOCHAK_SECRET_GOOD\"]}",
       "/endpoints/0: the provider tries the URL out by a challenge, which is refused without a "
       "verify_token"},
      {"{\"endpoint\":\"a\",\"provider\":\"standard\",\"secret_path\":[\"DOCHAK_SECRET_GOOD\"],"
       "\"verify_token\":[\"DOCHAK_SECRET_NEXT\"]}",
       "/endpoints/0/verify_token: is not read, since the provider's file has no challenge"},
      {"{\"endpoint\":\"a\",\"provider\":\"hooks\",\"secret_path\":[\"DOCHAK_SECRET_GOOD\"],"
       "\"verify_token\":[\"DOCHAK_SECRET_SHORT\"]}",
       "/endpoints/0/verify_token/0: DOCHAK_SECRET_SHORT: expected at least 16 characters, got 5"},
  };
  struct faults faults = {0};
  struct providers *own = providers_load(SCHEMAS_DIR "/../tests/integration/providers", &faults);
  assert_non_null(own);
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    FILE *file = fopen(path, "w");
    fprintf(file, FILE_OF("%s"), rows[i].endpoint);
    fclose(file);
    endpoints_free(endpoints_load(path, own, &faults));
    assert_int_equal(faults.n, rows[i].fault ? 1 : 0);
    if (rows[i].fault) assert_non_null(strstr(faults.list[0].text, rows[i].fault));
    faults_fini(&faults);
  }
  providers_free(own);
}

int main(void) {
  setenv("DOCHAK_SECRET_GOOD", "good-0123456789abc", 1);
  setenv("DOCHAK_SECRET_NEXT", "next-0123456789abc", 1);
  setenv("DOCHAK_SECRET_SHORT", "short", 1);
  setenv("DOCHAK_SECRET_UNSAFE", "unsafe/0123456789abc", 1);
  struct faults faults = {0};
  providers = providers_load("", &faults);
  int fd = mkstemp(path);
  assert_non_null(providers);
  assert_true(fd >= 0);
  close(fd);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_bad_file_is_refused_with_its_place_and_rule),
      cmocka_unit_test(test_a_provider_file_may_not_read_the_header_of_a_check),
      cmocka_unit_test(test_a_missing_file_is_named),
      cmocka_unit_test(test_a_list_of_proxies_may_come_from_a_setting),
      cmocka_unit_test(test_all_faults_of_a_file_are_reported_at_once),
      cmocka_unit_test(test_a_fault_of_form_hides_no_fault_of_another_endpoint),
      cmocka_unit_test(test_two_faults_of_form_are_reported_at_once),
      cmocka_unit_test(test_a_token_and_a_challenge_belong_together),
      cmocka_unit_test(test_a_path_finds_its_endpoint_and_no_other),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  unlink(path);
  providers_free(providers);
  return failed;
}
