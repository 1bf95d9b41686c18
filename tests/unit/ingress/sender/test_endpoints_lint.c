// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "common/json/json.h"
#include "ingress/sender/endpoints_lint.h"
#include "tests/unit/support/lint.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define ENTRY(name, rest)  "{\"endpoint\":\"" name "\",\"provider\":\"bizgo\"" rest "}"
#define PATH(secret)       ",\"secret_path\":[\"DOCHAK_SECRET_" secret "\"]"
#define TOKEN(secret)      "\"query_token\":{\"secrets\":[\"DOCHAK_SECRET_" secret "\"]}"
#define IP(network)        "\"ip\":{\"allow\":[\"" network "\"]}"
#define CHECKS(checks)     ",\"checks\":{" checks "}"
#define HMAC               "\"hmac_timestamp\":{\"secrets\":[\"DOCHAK_SECRET_ONE\"]}"
#define SIGNED(more)       "\"signed_body\":{\"header\":\"H\",\"secrets\":[\"DOCHAK_SECRET_ONE\"]" more "}"
#define FILE_OF(endpoints) "{\"endpoints\":[" endpoints "]}"
#define PROXIES(network, endpoints)                                                                          \
  "{\"trusted_proxies\":[\"127.0.0.1\",\"" network "\"],\"endpoints\":[" endpoints "]}"

// The secrets are set in the environment; TWIN has the value of ONE.
#define JWT(url)    "\"jwt\":{\"url\":\"" url "\",\"secrets\":[\"ONE\"]}"
#define TWILIO(url) "\"twilio\":{\"url\":\"" url "\",\"secrets\":[\"ONE\"]}"

static const struct lint_row rows[] = {
    {FILE_OF(ENTRY("a", PATH("ONE"))), NULL},
    {FILE_OF(ENTRY("a", CHECKS(TOKEN("ONE")))), NULL},
    {FILE_OF(ENTRY("a", CHECKS(TOKEN("ONE"))) "," ENTRY("b", CHECKS(TOKEN("ONE")))), NULL},
    {FILE_OF(ENTRY("a", PATH("ONE") CHECKS(HMAC))), NULL},
    {FILE_OF(ENTRY("a", CHECKS(IP("10.0.0.0/8") "," HMAC))), NULL},
    {PROXIES("10.0.0.0/8", ENTRY("a", CHECKS(IP("203.0.113.0/24")))), NULL},
    {FILE_OF(ENTRY("a", PATH("MISSING"))), NULL}, // an error elsewhere
    {FILE_OF(ENTRY("a", "")),
     "warning: /endpoints/0: has neither secret_path nor checks, so everyone can post to it"},
    {FILE_OF(ENTRY("a", CHECKS(JWT("https://x.example/webhook/a")))), NULL},
    {FILE_OF(ENTRY("a", CHECKS(JWT("https://x.example/webhook/a/")))),
     "warning: /endpoints/0/checks/jwt/url: does not end in /webhook/a; every call is refused if *"},
    {FILE_OF(ENTRY("a", CHECKS(JWT("https://x.example/webhook/b")))),
     "warning: /endpoints/0/checks/jwt/url*"},
    {FILE_OF(ENTRY("a", CHECKS(JWT("https://x.example")))), "warning: /endpoints/0/checks/jwt/url*"},
    {FILE_OF(ENTRY("a", CHECKS(TWILIO("https://x.example/webhook/a")))), NULL},
    {FILE_OF(ENTRY("a", CHECKS(TWILIO("https://x.example/a")))), "warning: /endpoints/0/checks/twilio/url*"},
    {FILE_OF(ENTRY("a", CHECKS(HMAC))),
     "warning: /endpoints/0/checks/hmac_timestamp: does not cover the body*"},
    {FILE_OF(ENTRY("a", PATH("ONE")) "," ENTRY("b", CHECKS(IP("0.0.0.0/0")))),
     "warning: /endpoints/1/checks/ip/allow: 0.0.0.0/0 holds every address*"},
    {FILE_OF(ENTRY("a", CHECKS(SIGNED("")))), NULL},
    {FILE_OF(ENTRY("a", CHECKS(SIGNED(",\"timestamp_header\":\"x-T\",\"signs\":\"${header:X-t}${body}\"")))),
     NULL},
    {FILE_OF(ENTRY("a", CHECKS(SIGNED(",\"timestamp_header\":\"T\"")))),
     "warning: /endpoints/0/checks/signed_body/timestamp_header: is not in*"},
    {FILE_OF(ENTRY("a", CHECKS(SIGNED(",\"timestamp_header\":\"T\",\"signs\":\"${header:TT}${body}\"")))),
     "warning: /endpoints/0/checks/signed_body/timestamp_header: is not in*"},
    {FILE_OF(ENTRY("a", CHECKS(IP("::/0")))),
     "warning: /endpoints/0/checks/ip/allow: ::/0 holds every address*"},
    {PROXIES("0.0.0.0/0", ENTRY("a", PATH("ONE"))), "/trusted_proxies: 0.0.0.0/0 trusts every sender*"},
    {PROXIES("::/0", ENTRY("a", CHECKS(IP("203.0.113.0/24")))),
     "/trusted_proxies: ::/0 trusts every sender to write X-Forwarded-For*"},
    {FILE_OF(ENTRY("a", PATH("ONE")) "," ENTRY("b", PATH("ONE"))),
     "warning: /endpoints/1/secret_path: DOCHAK_SECRET_ONE opens /endpoints/0, too"},
    {FILE_OF(ENTRY("a", PATH("ONE") CHECKS(TOKEN("ONE"))) "," ENTRY("b", PATH("ONE"))),
     "warning: /endpoints/1/secret_path: DOCHAK_SECRET_ONE opens /endpoints/0, too"},
    {FILE_OF(ENTRY("a", PATH("ONE")) "," ENTRY("b", PATH("TWIN"))),
     "warning: /endpoints/1: DOCHAK_SECRET_TWIN holds the same secret as DOCHAK_SECRET_ONE"},
    {FILE_OF(ENTRY("a", PATH("ONE") ",\"verify_token\":[\"DOCHAK_SECRET_TWIN\"]")),
     "warning: /endpoints/0: DOCHAK_SECRET_TWIN holds the same secret as DOCHAK_SECRET_ONE"},
    {FILE_OF(ENTRY("a", PATH("TWIN") CHECKS(TOKEN("ONE")))),
     "warning: /endpoints/0: DOCHAK_SECRET_ONE holds the same secret as DOCHAK_SECRET_TWIN"},
};

static void lint(const char *text, struct faults *faults) {
  AUTO_JSON *document = json_parse(text, strlen(text), NULL);
  assert_non_null(document);
  setenv("DOCHAK_SECRET_ONE", "one-0123456789abcd", 1);
  setenv("DOCHAK_SECRET_TWIN", "one-0123456789abcd", 1);
  *faults = (struct faults){0};
  endpoints_lint(document, faults);
}

static void test_likely_mistakes_are_found(void **state) {
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct faults faults;
    lint(rows[i].document, &faults);
    lint_assert(&rows[i], &faults);
    for (size_t j = 0; j < faults.n; j++) assert_null(strstr(faults.list[j].text, "0123456789abcd"));
    faults_fini(&faults);
  }
}

// Every secret is compared with every other one, and read from its setting once.
static void test_a_thousand_endpoints_with_secrets_are_checked_at_once(void **state) {
  enum { ENDPOINTS = 1000, SECRETS = 2, CPU_SECONDS_MAX = 5 };
  json_t *endpoints = json_array();
  for (int i = 0; i < ENDPOINTS; i++) {
    json_t *names = json_array();
    for (int k = 0; k < SECRETS; k++) {
      AUTO_FREE char *name = mem_printf("DOCHAK_SECRET_%d_%d", i, k);
      AUTO_FREE char *text = mem_printf("secret-0123456789-%d-%d", i, k);
      setenv(name, text, 1);
      json_array_append_new(names, json_string(name));
    }
    json_array_append_new(endpoints, json_pack("{s:s,s:o}", "endpoint", "a", "secret_path", names));
  }
  AUTO_JSON *document = json_pack("{s:o}", "endpoints", endpoints);
  struct faults faults = {0};
  clock_t began = clock();
  endpoints_lint(document, &faults);
  assert_true(clock() - began < CPU_SECONDS_MAX * CLOCKS_PER_SEC);
  assert_int_equal(faults.n, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_likely_mistakes_are_found),
      cmocka_unit_test(test_a_thousand_endpoints_with_secrets_are_checked_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
