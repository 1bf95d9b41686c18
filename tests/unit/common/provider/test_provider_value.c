// SPDX-License-Identifier: MIT
// Places, conditions and ids, through the elements in which they are read.
#include "common/base/mem.h"
#include "common/provider/provider_read.h"
#include "tests/unit/support/provider.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NO_TEXT "no kind of the provider file lists the text at /type"

static void test_all_conditions_must_hold(void **state) {
  static const struct {
    const char *element, *name, *fault; // no name: no kind fits
  } cases[] = {
      {"{\"type\":\"sms\",\"status\":\"0\",\"id\":1}", "result", ""},
      {"{\"type\":\"sms\",\"status\":null,\"id\":1}", NULL, NO_TEXT},
      {"{\"type\":\"sms\",\"status\":\"0\",\"id\":1,\"draft\":true}", NULL, NO_TEXT},
      {"{\"type\":\"sms\",\"status\":\"0\",\"id\":1,\"draft\":null}", "result", ""},
      {"{\"type\":\"fax\",\"status\":\"0\",\"id\":1}", NULL, NO_TEXT},
      {"{\"type\":{},\"status\":\"0\",\"id\":1}", NULL, "no kind of the provider file fits"},
      {"{\"type\":\"reply\",\"status\":\"0\"}", "reply", ""},
  };
  struct provider *provider = provider_of("everything.json");
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct err err = {0};
    struct provider_element read = {0};
    AUTO_JSON *element = json_parse(cases[i].element, strlen(cases[i].element), &err);
    bool understood = provider_classify(provider, element, &read, &err);
    if (understood != (cases[i].name != NULL) || strcmp(err.text, cases[i].fault) != 0)
      fail_msg("%s: %s", cases[i].element, err.text);
    if (understood) assert_string_equal(read.kind_name, cases[i].name);
  }
  provider_free(provider);
}

static void test_the_first_place_with_a_usable_value_wins(void **state) {
  struct err err = {0};
  struct provider *provider = provider_of("everything.json");
  struct provider_receipt receipt;
  AUTO_JSON *element = json_pack("{ss ss s{so} ss s{ss} si}", "type", "sms", "status", "1", "message", "id",
                                 json_null(), "id", "m1", "error", "text", "busy", "text", 0);
  assert_true(provider_read_receipt(provider, element, &receipt, &err));
  assert_string_equal(receipt.id, "m1");
  assert_string_equal(receipt.channel, "SMS");
  assert_string_equal(receipt.reason, "0");
  provider_receipt_fini(&receipt);
  provider_free(provider);
}

// ---- ids

static void test_an_id_is_at_most_255_bytes_without_control_characters(void **state) {
  char longest[PROVIDER_ID_MAX + 2];
  memset(longest, 'k', sizeof longest);
  longest[PROVIDER_ID_MAX + 1] = '\0';
  const struct {
    const char *id, *fault; // NULL: it can be one
  } rows[] = {
      {longest + 1, NULL},
      {"주문 17", NULL},
      {"a\xc2\xa0", NULL}, // a no-break space
      {longest, "expected at most 255 bytes, got 256"},
      {"", "expected text that is not empty"},
      {"a\tb", "expected text without control characters"},
      {"a\x7f", "expected text without control characters"},
      {"a\xc2\x80", "expected text without control characters"},
      {"a\xc2\x85", "expected text without control characters"}, // NEL
      {"a\xc2\x9f", "expected text without control characters"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct err err = {0};
    bool good = provider_id_check(rows[i].id, &err);
    assert_string_equal(err.text, rows[i].fault ? rows[i].fault : "");
    assert_int_equal(good, !rows[i].fault);
  }
}

// The id that both services read, or the error.
static char *id_read(const struct provider *provider, const char *text) {
  struct err err = {0};
  struct provider_element classified;
  struct provider_receipt receipt = {0};
  AUTO_JSON *element = json_parse(text, strlen(text), &err);
  bool read = provider_classify(provider, element, &classified, &err);
  assert_int_equal(provider_read_receipt(provider, element, &receipt, &err), read);
  if (read) assert_string_equal(classified.id, receipt.id);
  char *shown = mem_strdup(read ? receipt.id : err.text);
  provider_receipt_fini(&receipt);
  return shown;
}

#define RECEIPT(request, seq)                                                                                \
  "{\"resultCode\":\"1000\",\"hookId\":\"h\",\"requestId\":" request ",\"recipientSeq\":" seq "}"
#define TOO_LONG "result with an id of more than 255 bytes"

static void test_an_id_of_several_parts_names_one_recipient(void **state) {
  static const char *const cases[][2] = {
      {RECEIPT("\"r-1\"", "1"), "r-1/1"},
      {RECEIPT("\"r-1\"", "\"2\""), "r-1/2"},
      {RECEIPT("\"r-1\"", "null,\"seq\":3"), "r-1/3"},
      {RECEIPT("\"a/b\"", "\"c\""), "a~1b/c"},
      {RECEIPT("\"a\"", "\"b/c\""), "a/b~1c"},
      {RECEIPT("\"a~1b\"", "\"c\""), "a~01b/c"},
      {RECEIPT("null", "1"), "result without a usable id at /requestId"},
      {RECEIPT("\"r-1\"", "null"), "result without a usable id at /recipientSeq"},
      {RECEIPT("\"r-1\"", "{}"), "result without a usable id at /recipientSeq"},
      {RECEIPT("\"r-1\"", "\"a\\tb\""), "result without a usable id at /recipientSeq"},
      {RECEIPT("\"" N_250 "\"", "1234"), N_250 "/1234"},
      {RECEIPT("\"" N_250 "\"", "12345"), TOO_LONG},
      {RECEIPT("\"" N_250 "\"", "\"12/\""), N_250 "/12~1"},
      {RECEIPT("\"" N_250 "\"", "\"123/\""), TOO_LONG},
      {RECEIPT("\"" N_250 "123456\"", "1"), "result without a usable id at /requestId"},
  };
  struct provider *provider = provider_of("id-of-several-parts.json");
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    AUTO_FREE char *got = id_read(provider, cases[i][0]);
    assert_string_equal(got, cases[i][1]);
  }
  provider_free(provider);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_conditions_must_hold),
      cmocka_unit_test(test_the_first_place_with_a_usable_value_wins),
      cmocka_unit_test(test_an_id_is_at_most_255_bytes_without_control_characters),
      cmocka_unit_test(test_an_id_of_several_parts_names_one_recipient),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
