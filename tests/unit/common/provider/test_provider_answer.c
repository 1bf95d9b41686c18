// SPDX-License-Identifier: MIT
// The answers to webhooks.
#include "common/base/mem.h"
#include "common/provider/framing.h"
#include "common/provider/provider_answer.h"
#include "tests/unit/support/provider.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_an_answer_without_a_body_to_read_has_empty_fields(void **state) {
  struct provider_ack ack = provider_refusal(providers_find(providers, "bizgo"), NULL, 0);
  assert_int_equal(ack.status, 200);
  assert_string_equal(ack.body, "{\"msgKey\":\"\"}");
  free(ack.body);
  ack = provider_refusal(providers_find(providers, "blux"), NULL, 0);
  assert_int_equal(ack.status, 404);
  assert_null(ack.body);
}

static void test_an_answer_has_room_for_whatever_it_repeats(void **state) {
  for (int bytes = 1; bytes < 600; bytes++) {
    AUTO_FREE char *body = mem_printf("{\"msgKey\":\"%0*d\"}", bytes, 0);
    struct provider_ack ack = provider_ack(providers_find(providers, "bizgo"), NULL, body, strlen(body));
    assert_string_equal(ack.body, body);
    free(ack.body);
  }
}

static void test_a_body_that_is_not_understood_still_gets_its_key_back(void **state) {
  static const struct {
    const char *body, *key; // as it stands in the answer
  } cases[] = {
      {"{\"msgKey\":\"k1\",\"reportText\":\"\\ud83d\"}", "\"k1\""},
      {"{\"reportText\":\"\\ud83d\",\"msgKey\":\"k1\"}", "\"k1\""},
      {"{\"msgKey\":\"k1\",\"reportText\":\"cut o", "\"k1\""},
      {"{\"msgKey\":\"k1\",\"msgKey\":\"k1\"}", "\"k1\""},
      {"{\"a\":1,\"a\":2,\"msgKey\":\"k1\"}", "\"k1\""},
      {"{\"a\":\"\\u0000\",\"msgKey\":\"k1\"}", "\"k1\""},
      {"{\"a\":\"\xc0\xb1\",\"msgKey\":\"k1\"}", "\"k1\""}, // EUC-KR
      {"\xef\xbb\xbf{\"msgKey\":\"k1\",\"reportCode\":\"10000\"}", "\"k1\""},
      {"\xef\xbb\xbf{\"msgKey\":\"k1\"", "\"k1\""},
      {"[{\"msgKey\":\"k1\"},{\"msgKey\":\"k2\"}]", "\"k1\""},
      {"[{\"reportCode\":\"\\ud83d\"},{\"msgKey\":\"k2\"}]", "\"k2\""},
      {"[{\"msgKey\":\"k1\"},{\"msgKey\":\"k2\"", "\"k1\""},
      {"{\"msgKey\":99999999999999999999}", "99999999999999999999"},
      {"{\"msgKey\":\"k1", "\"\""},
      {"{\"msgKey\":\"\\ud83d\"}", "\"\""},
      {"{\"msgKey\":null}", "\"\""},
      {"{\"data\":{\"msgKey\":\"k1\"}}", "\"\""},
      {"msgKey=k1", "\"\""},
      {"", "\"\""},
  };
  const struct provider *bizgo = providers_find(providers, "bizgo");
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    AUTO_FREE char *expected = mem_printf("{\"msgKey\":%s}", cases[i].key);
    struct provider_ack ack = provider_ack(bizgo, NULL, cases[i].body, strlen(cases[i].body));
    struct provider_ack refusal = provider_refusal(bizgo, cases[i].body, strlen(cases[i].body));
    if (strcmp(ack.body, expected) != 0) fail_msg("%s: %s", cases[i].body, ack.body);
    assert_string_equal(refusal.body, expected);
    free(ack.body);
    free(refusal.body);
  }
}

#define OTHER(name, ack)                                                                                     \
  ",{\"name\":\"" name "\",\"kind\":\"other\",\"when\":{\"equals\":{\"/k\":[\"" name "\"]}}" ack "}"
static const char file_with_acks[] =
    "{\"provider\":\"acme\",\"webhook\":{\"elements\":\"\",\"kinds\":[{\"name\":\"r\",\"kind\":\"receipt\","
    "\"when\":{\"present\":[\"/c\"]},\"id\":\"/id\",\"code\":\"/c\",\"dedupe\":[\"/c\"]}" //
    OTHER("text", ",\"ack\":{\"status\":202,\"text\":\"OK\"}")                            //
    OTHER("empty", ",\"ack\":{\"status\":204}")                                           //
    OTHER("json", ",\"ack\":{\"status\":200,\"body\":{\"key\":\"${/id}\"}}")              //
    OTHER("plain", "") "],\"ack\":{\"status\":201,\"body\":{\"all\":true}},"
                       "\"refused\":{\"status\":503,\"text\":\"no\"},\"budget_ms\":1000},"
                       "\"outcomes\":{\"0\":{\"outcome\":\"delivered\"}}}";

static void test_a_kind_has_an_ack_of_its_own(void **state) {
  static const char all[] = "{\"all\":true}";
  static const struct {
    const char *body;
    int status;
    const char *ack; // NULL: empty
    bool is_text;
  } rows[] = {
      {"{\"k\":\"text\"}", 202, "OK", true},
      {"{\"k\":\"empty\"}", 204, NULL, false},
      {"{\"k\":\"json\",\"id\":7}", 200, "{\"key\":7}", false},
      {"[{\"k\":\"text\"},{\"k\":\"text\"}]", 202, "OK", true},
      {"{\"k\":\"plain\"}", 201, all, false},
      {"{\"id\":1,\"c\":\"0\"}", 201, all, false},
      {"[{\"k\":\"text\"},{\"k\":\"empty\"}]", 201, all, false}, // of two kinds
      {"[{\"k\":\"text\"},{\"k\":\"plain\"}]", 201, all, false},
      {"[{\"k\":\"plain\"},{\"k\":\"text\"}]", 201, all, false},
      {"[{\"k\":\"text\"},{\"k\":\"unknown\"}]", 201, all, false}, // one in quarantine
      {"{\"k\":\"unknown\"}", 201, all, false},
      {"[]", 201, all, false},
      {"{\"k\":\"text\"", 201, all, false},
      {"", 201, all, false},
  };
  struct faults faults = {0};
  struct err err = {0};
  AUTO_JSON *document = json_parse(file_with_acks, strlen(file_with_acks), &err);
  struct provider *provider = provider_new(document, &faults);
  if (!provider) fail_msg("%s", faults.list[0].text);
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct framing framing;
    framing_init(&framing, provider, rows[i].body, strlen(rows[i].body), NULL);
    struct provider_ack ack =
        provider_ack(provider, framing_ack(&framing), rows[i].body, strlen(rows[i].body));
    if (ack.status != rows[i].status || ack.is_text != rows[i].is_text ||
        strcmp(mem_or_empty(ack.body), mem_or_empty(rows[i].ack)) != 0 || !ack.body != !rows[i].ack)
      fail_msg("%s: %d %s", rows[i].body, ack.status, mem_or_empty(ack.body));
    free(ack.body);
    framing_fini(&framing);
  }
  struct provider_ack refusal = provider_refusal(provider, NULL, 0);
  assert_int_equal(refusal.status, 503);
  assert_true(refusal.is_text);
  assert_string_equal(refusal.body, "no");
  free(refusal.body);
  faults_fini(&faults);
  provider_free(provider);
}

static void test_placeholders_anywhere_in_an_answer_are_filled(void **state) {
  struct err err = {0};
  struct provider *provider = provider_of("everything.json");
  static const char body[] = "{\"request_id\":17}";
  struct provider_ack ack = provider_ack(provider, NULL, body, strlen(body));
  AUTO_JSON *got = json_parse(ack.body, strlen(ack.body), &err);
  AUTO_JSON *want =
      json_pack("{sb si si s[s n {ss}]}", "ok", 1, "count", 1, "request", 17, "all", "", "cost", "$ {5}");
  assert_true(json_equal(got, want));
  free(ack.body);
  provider_free(provider);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_answer_without_a_body_to_read_has_empty_fields),
      cmocka_unit_test(test_an_answer_has_room_for_whatever_it_repeats),
      cmocka_unit_test(test_a_body_that_is_not_understood_still_gets_its_key_back),
      cmocka_unit_test(test_a_kind_has_an_ack_of_its_own),
      cmocka_unit_test(test_placeholders_anywhere_in_an_answer_are_filled),
  };
  return cmocka_run_group_tests(tests, load_built_in, unload_built_in);
}
