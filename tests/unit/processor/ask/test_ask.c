// SPDX-License-Identifier: MIT
// What a request looks like and what an answer means, by the provider files that we ship and one of our own.
#include "common/base/mem.h"
#include "common/provider/provider_load.h"
#include "processor/ask/ask.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ASKED_AT = 1735000000 };
static const int64_t asked_at_ms = INT64_C(1000) * ASKED_AT;

static struct providers *providers;
static struct ask_account v2, v1, v5;

static struct ask_account account_of(const char *provider, const char *form) {
  struct ask_account account = {.provider = providers_find(providers, provider)};
  assert_non_null(account.provider);
  account.form = provider_ask_find(account.provider, form);
  assert_non_null(account.form);
  account.base = account.form->base;
  return account;
}

static void give(struct ask_account *account, const char *name, const char *value) {
  account->secrets[account->n_secrets++] = (struct ask_secret){name, (char *)(uintptr_t)value};
}

static int load(void **state) {
  struct faults faults = {0};
  providers = providers_load("", &faults);
  faults_print(&faults, "test");
  assert_non_null(providers);
  v2 = account_of("bizgo", "v2");
  v1 = account_of("bizgo", "v1");
  v5 = account_of("channeltalk", "v5");
  give(&v2, "api_key", "key-0123");
  give(&v1, "client_id", "client-1");
  give(&v1, "client_password", "password-1");
  give(&v5, "access_key", "access-1");
  give(&v5, "access_secret", "secret-01");
  return 0;
}

static int unload(void **state) {
  providers_free(providers);
  return 0;
}

// ---- requests ----

static void test_the_id_is_percent_encoded(void **state) {
  static const struct {
    const char *id, *end;
  } rows[] = {
      {"20260112110003123abc", "/users/@20260112110003123abc"},
      {"a/b?c#d", "/users/@a%2Fb%3Fc%23d"},
      {"..", "/users/@.."},
      {"a b%", "/users/@a%20b%25"},
      {"\xec\x82\xac", "/users/@%EC%82%AC"},
      {"user@example.com", "/users/@user%40example.com"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    AUTO_FREE char *url = ask_url(&v5, rows[i].id);
    AUTO_FREE char *expected = mem_printf("https://api.channel.io/open/v5%s", rows[i].end);
    assert_string_equal(url, expected);
  }
}

static void assert_headers(const struct ask_account *account, const struct ask_headers *headers,
                           const json_t *token, const char *const *expected) {
  for (size_t i = 0; i < headers->n; i++) {
    struct err err = {0};
    AUTO_FREE char *line = ask_header(account, &headers->list[i], token, &err);
    assert_string_equal(line ? line : err.text, expected[i]);
  }
}

static void test_headers_hold_the_secrets(void **state) {
  AUTO_JSON *token = json_pack("{s{ssss}}", "data", "schema", "Bearer", "token", "t-1");
  AUTO_FREE char *url = ask_token_url(&v1);
  assert_string_equal(url, "https://omni.ibapi.kr/v1/auth/token");
  assert_headers(&v2, &v2.form->headers, NULL,
                 (const char *const[]){"Authorization: key-0123", "Accept: application/json"});
  assert_headers(&v1, &v1.form->headers, token,
                 (const char *const[]){"Authorization: Bearer t-1", "Accept: application/json"});
  assert_headers(&v1, &v1.form->token->headers, NULL,
                 (const char *const[]){"X-IB-Client-Id: client-1", "X-IB-Client-Passwd: password-1",
                                       "Accept: application/json"});
  assert_headers(&v5, &v5.form->headers, NULL,
                 (const char *const[]){"x-access-key: access-1", "x-access-secret: secret-01",
                                       "Accept: application/json"});
}

// A token with a line break would be a header of its own.
static void test_a_token_that_cannot_stand_in_a_header_is_refused(void **state) {
  static const char *const tokens[] = {"a\r\nX-Other: 1", "caf\xc3\xa9", ""};
  for (size_t i = 0; i < COUNT_OF(tokens); i++) {
    struct err err = {0};
    AUTO_JSON *token = json_pack("{s{ssss}}", "data", "schema", "Bearer", "token", tokens[i]);
    assert_null(ask_header(&v1, &v1.form->headers.list[0], token, &err));
    assert_string_equal(err.text, "the answer with the token has no text for a header at /data/token");
  }
}

// ---- answers ----

#define REPORT(id, code) "{\"msgKey\":\"" id "\",\"serviceType\":\"SMS\",\"reportCode\":\"" code "\"}"
#define MARS(reports)                                                                                        \
  "{\"common\":{\"authCode\":\"A000\"},\"data\":{\"code\":\"A000\",\"data\":{\"report\":" reports "}}}"
#define MARS_CODE(code) "{\"common\":{\"authCode\":\"A000\"},\"data\":{\"code\":\"" code "\"}}"
#define OMNI(reports)   "{\"code\":\"A000\",\"data\":{\"report\":" reports "}}"
#define USER(type)                                                                                           \
  "{\"user\":{\"id\":\"u\",\"memberId\":\"m\",\"type\":\"" type "\",\"version\":9007199254740993}}"
#define GONE                                                                                                 \
  "{\"event\":\"delete\",\"type\":\"user\",\"entity\":{\"memberId\":\"m\"},\"askedAt\":1735000000000}"

static const struct {
  struct ask_account *account;
  int status;
  const char *body;
  enum ask_result result;
  const char *elements[2]; // or why
} rows[] = {
    // one report, two of a message that fell back, none
    {&v2, 200, MARS("[" REPORT("m", "10000") "]"), ASK_RESULT_FOUND, {REPORT("m", "10000")}},
    {&v2,
     200,
     MARS("[ " REPORT("m", "63019") " ,\n" REPORT("m", "10000") "]"),
     ASK_RESULT_FOUND,
     {REPORT("m", "63019"), REPORT("m", "10000")}},
    {&v2, 200, MARS("[]"), ASK_RESULT_NOTHING, {0}},
    {&v2, 200, MARS("null"), ASK_RESULT_NOTHING, {0}},
    {&v2,
     200,
     "{\"common\":{\"authCode\":\"A000\"},\"data\":{\"code\":\"A000\",\"data\":null}}",
     ASK_RESULT_NOTHING,
     {0}},
    {&v2, 200, MARS_CODE("A000"), ASK_RESULT_NOTHING, {0}},
    // not to be believed
    {&v2,
     200,
     MARS("[" REPORT("other", "10000") "]"),
     ASK_RESULT_UNCLEAR,
     {"answer 200, A000: it holds an element that is not about this id, or that the provider file does not "
      "read"}},
    {&v2,
     200,
     MARS("[" REPORT("m", "10000") "," REPORT("other", "10000") "]"),
     ASK_RESULT_UNCLEAR,
     {"answer 200, A000: it holds an element that is not about this id, or that the provider file does not "
      "read"}},
    {&v2,
     200,
     MARS("[7]"),
     ASK_RESULT_UNCLEAR,
     {"answer 200, A000: it holds an element that is not about this id, or that the provider file does not "
      "read"}},
    {&v2,
     200,
     MARS("{}"),
     ASK_RESULT_UNCLEAR,
     {"answer 200, A000: what it holds at the place of the elements is no list, or too long a one"}},
    // what comes to the same URL and is no report
    {&v2, 200, MARS("[{\"msgKey\":\"m\",\"serviceType\":\"MO\"}]"), ASK_RESULT_NOTHING, {0}},
    // refusals
    {&v2, 401, "{\"common\":{\"authCode\":\"A401\"}}", ASK_RESULT_STOP, {"answer 401, A401"}},
    {&v2, 403, "", ASK_RESULT_STOP, {"answer 403"}},
    {&v2, 200, MARS_CODE("A110"), ASK_RESULT_STOP, {"answer 200, A110"}},
    {&v2, 302, "", ASK_RESULT_STOP, {"answer 302"}},
    {&v2, 400, MARS_CODE("A801"), ASK_RESULT_UNCLEAR, {"answer 400, A801"}},
    {&v2, 404, "{\"common\":{\"authCode\":\"A404\"}}", ASK_RESULT_UNCLEAR, {"answer 404, A404"}},
    {&v2, 200, MARS_CODE("A777"), ASK_RESULT_UNCLEAR, {"answer 200, A777"}},
    // later
    {&v2, 200, MARS_CODE("A020"), ASK_RESULT_AGAIN, {"answer 200, A020"}},
    {&v2, 429, "{\"common\":{\"authCode\":\"A020\"}}", ASK_RESULT_AGAIN, {"answer 429, A020"}},
    {&v2, 429, "", ASK_RESULT_AGAIN, {"answer 429"}},
    {&v2, 408, "", ASK_RESULT_AGAIN, {"answer 408"}},
    {&v2, 500, "<html>", ASK_RESULT_AGAIN, {"answer 500"}},
    {&v2, 503, MARS("[" REPORT("m", "10000") "]"), ASK_RESULT_AGAIN, {"answer 503, A000"}},
    {&v2, 200, "<html>", ASK_RESULT_AGAIN, {"answer 200: no JSON"}},
    {&v2, 200, "", ASK_RESULT_AGAIN, {"answer 200: no JSON"}},
    {&v2, 200, "{\"common\":{\"authCode\":\"A000\"},\"data\":", ASK_RESULT_AGAIN, {"answer 200: no JSON"}},
    // the provider's words are not shown where they are no code
    {&v2, 400, MARS_CODE("call 010-1234-5678 for help, please do"), ASK_RESULT_UNCLEAR, {"answer 400"}},
    {&v2, 400, MARS_CODE("A\\n1"), ASK_RESULT_UNCLEAR, {"answer 400, A000"}},
    // omni
    {&v1, 200, OMNI("[" REPORT("m", "10000") "]"), ASK_RESULT_FOUND, {REPORT("m", "10000")}},
    {&v1, 200, OMNI("null"), ASK_RESULT_NOTHING, {0}},
    {&v1, 401, "{\"code\":\"A001\"}", ASK_RESULT_TOKEN, {"answer 401, A001"}},
    {&v1, 200, "{\"code\":\"A001\"}", ASK_RESULT_TOKEN, {"answer 200, A001"}},
    {&v1, 403, "{\"code\":\"A111\"}", ASK_RESULT_STOP, {"answer 403, A111"}},
    // Channel Talk's three procedures; numbers stay as they were sent
    {&v5,
     200,
     USER("member"),
     ASK_RESULT_FOUND,
     {"{\"event\":\"upsert\",\"type\":\"user\",\"entity\":{\"id\":\"u\",\"memberId\":\"m\",\"type\":"
      "\"member\","
      "\"version\":9007199254740993},\"askedAt\":1735000000000}"}},
    {&v5,
     200,
     USER("unified"),
     ASK_RESULT_FOUND,
     {"{\"event\":\"delete\",\"type\":\"user\",\"entity\":{\"id\":\"u\",\"memberId\":\"m\",\"type\":"
      "\"unified\","
      "\"version\":9007199254740993},\"askedAt\":1735000000000}"}},
    {&v5, 404, "", ASK_RESULT_FOUND, {GONE}},
    {&v5, 404, "<html>not found</html>", ASK_RESULT_FOUND, {GONE}},
    {&v5,
     200,
     "{\"user\":{\"id\":\"u\",\"memberId\":\"other\"}}",
     ASK_RESULT_UNCLEAR,
     {"answer 200: it holds an element that is not about this id, or that the provider file does not read"}},
    {&v5, 200, "{\"user\":null}", ASK_RESULT_UNCLEAR, {"answer 200"}},
    {&v5, 200, "{}", ASK_RESULT_UNCLEAR, {"answer 200"}},
    {&v5, 401, "{}", ASK_RESULT_STOP, {"answer 401"}},
};

static void test_what_an_answer_means(void **state) {
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct ask_reading reading;
    ask_read(rows[i].account, "m", asked_at_ms, rows[i].status, rows[i].body, strlen(rows[i].body), &reading);
    if (reading.result != rows[i].result)
      fail_msg("row %zu (%d %s): got %d, %s", i, rows[i].status, rows[i].body, (int)reading.result,
               reading.why);
    bool is_found = reading.result == ASK_RESULT_FOUND;
    if (!is_found) assert_string_equal(reading.why, rows[i].elements[0] ? rows[i].elements[0] : "");
    assert_int_equal(reading.elements.n, !is_found ? 0 : rows[i].elements[1] ? 2 : 1);
    for (size_t k = 0; k < reading.elements.n; k++)
      assert_string_equal(reading.elements.list[k], rows[i].elements[k]);
    ask_reading_fini(&reading);
  }
}

// Asked again later, it would come back each time as a new event.
static void test_what_is_on_its_way_is_no_result_yet(void **state) {
  static const struct {
    const char *body;
    enum ask_result result;
    size_t n;
  } cases[] = {
      {"{\"reports\":[{\"id\":\"m\",\"c\":\"1\"}]}", ASK_RESULT_NOTHING, 0},
      {"{\"reports\":[{\"id\":\"m\",\"c\":\"1\"},{\"id\":\"m\",\"c\":\"0\"}]}", ASK_RESULT_FOUND, 1},
      {"{\"reports\":[{\"id\":\"m\",\"c\":\"unknown\"}]}", ASK_RESULT_FOUND, 1},
      {"{\"reports\":[{\"id\":\"m\"}]}", ASK_RESULT_FOUND, 1}, // goes to quarantine
      {"{\"reports\":[{\"id\":\"other\",\"c\":\"1\"}]}", ASK_RESULT_UNCLEAR, 0},
  };
  struct faults faults = {0};
  AUTO_JSON *document =
      json_load_file(SCHEMAS_DIR "/examples/provider/valid/ask-at-its-shortest.json", 0, NULL);
  json_object_set_new(json_object_get(document, "outcomes"), "1", json_pack("{ss}", "outcome", "on_its_way"));
  struct provider *provider = provider_new(document, &faults);
  assert_non_null(provider);
  const struct ask_account account = {.provider = provider, .form = provider_ask_find(provider, "v1")};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct ask_reading reading;
    ask_read(&account, "m", asked_at_ms, 200, cases[i].body, strlen(cases[i].body), &reading);
    if (reading.result != cases[i].result || reading.elements.n != cases[i].n)
      fail_msg("%s: %d, %zu, %s", cases[i].body, (int)reading.result, reading.elements.n, reading.why);
    ask_reading_fini(&reading);
  }
  provider_free(provider);
  faults_fini(&faults);
}

static void test_only_the_answer_that_nobody_is_there_is_doubted(void **state) {
  struct ask_reading gone, there;
  const char *body = USER("unified");
  ask_read(&v5, "m", asked_at_ms, 404, "", 0, &gone);
  ask_read(&v5, "m", asked_at_ms, 200, body, strlen(body), &there);
  assert_int_equal(gone.doubt_after, 20);
  assert_int_equal(there.doubt_after, 0);
  ask_reading_fini(&gone);
  ask_reading_fini(&there);
}

static void test_an_id_is_written_as_json(void **state) {
  struct ask_reading reading;
  ask_read(&v5, "a\"b\\", asked_at_ms, 404, "", 0, &reading);
  assert_int_equal(reading.result, ASK_RESULT_FOUND);
  assert_string_equal(reading.elements.list[0],
                      "{\"event\":\"delete\",\"type\":\"user\",\"entity\":{\"memberId\":"
                      "\"a\\\"b\\\\\"},\"askedAt\":1735000000000}");
  ask_reading_fini(&reading);
}

// A depth that jansson would not survive, and more elements than anybody sends.
static void test_answers_are_bounded(void **state) {
  enum { DEEP = 100000 };
  struct ask_reading reading;
  AUTO_FREE char *deep = mem_alloc(DEEP + 1);
  memset(deep, '[', DEEP);
  ask_read(&v2, "m", asked_at_ms, 200, deep, DEEP, &reading);
  assert_int_equal(reading.result, ASK_RESULT_AGAIN);
  ask_reading_fini(&reading);
  AUTO_FREE char *many = mem_strdup("");
  for (int i = 0; i <= ASK_ELEMENTS_MAX; i++) {
    char *longer = mem_printf("%s%s%s", many, i ? "," : "", REPORT("m", "10000"));
    free(many);
    many = longer;
  }
  AUTO_FREE char *body = mem_printf(
      "{\"common\":{\"authCode\":\"A000\"},\"data\":{\"code\":\"A000\",\"data\":{\"report\":[%s]}}}", many);
  ask_read(&v2, "m", asked_at_ms, 200, body, strlen(body), &reading);
  assert_int_equal(reading.result, ASK_RESULT_UNCLEAR);
  ask_reading_fini(&reading);
}

// ---- tokens ----

#define TOKEN(expired)                                                                                       \
  "{\"code\":\"A000\",\"data\":{\"schema\":\"Bearer\",\"token\":\"t\",\"expired\":\"" expired "\"}}"

static const struct {
  int status;
  const char *body;
  enum ask_result result;
  int64_t lasts_s;
} tokens[] = {
    {200, TOKEN("2024-12-24T09:27:40+09:00"), ASK_RESULT_FOUND, 60},    // asked at 09:26:40 there
    {200, TOKEN("2024-12-24T00:00:00+09:00"), ASK_RESULT_FOUND, 82800}, // past: a clock is wrong
    {200, TOKEN("tomorrow"), ASK_RESULT_FOUND, 82800},
    {200, "{\"code\":\"A000\",\"data\":{\"schema\":\"Bearer\"}}", ASK_RESULT_STOP, 0},
    {200, "{\"code\":\"A100\"}", ASK_RESULT_STOP, 0},
    {401, "{\"code\":\"A100\"}", ASK_RESULT_STOP, 0},
    {429, "", ASK_RESULT_AGAIN, 0},
    {500, "", ASK_RESULT_AGAIN, 0},
    {200, "<html>", ASK_RESULT_AGAIN, 0},
};

static void test_until_when_a_token_lasts(void **state) {
  for (size_t i = 0; i < COUNT_OF(tokens); i++) {
    struct ask_token_reading reading;
    ask_read_token(&v1, asked_at_ms, tokens[i].status, tokens[i].body, strlen(tokens[i].body), &reading);
    if (reading.result != tokens[i].result)
      fail_msg("row %zu: got %d, %s", i, (int)reading.result, reading.why);
    if (reading.result == ASK_RESULT_FOUND)
      assert_int_equal(reading.ends_at_ms, asked_at_ms + tokens[i].lasts_s * 1000);
    json_decref(reading.answer);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_id_is_percent_encoded),
      cmocka_unit_test(test_headers_hold_the_secrets),
      cmocka_unit_test(test_a_token_that_cannot_stand_in_a_header_is_refused),
      cmocka_unit_test(test_what_an_answer_means),
      cmocka_unit_test(test_what_is_on_its_way_is_no_result_yet),
      cmocka_unit_test(test_only_the_answer_that_nobody_is_there_is_doubted),
      cmocka_unit_test(test_an_id_is_written_as_json),
      cmocka_unit_test(test_answers_are_bounded),
      cmocka_unit_test(test_until_when_a_token_lasts),
  };
  return cmocka_run_group_tests(tests, load, unload);
}
