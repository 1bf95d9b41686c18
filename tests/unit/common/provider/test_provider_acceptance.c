// SPDX-License-Identifier: MIT
// Reading send responses, with the files that we ship and with others. A case is a folder under
// schemas/examples: acceptance/<provider>/<case>/{response,expected}.json. Only the keys that expected.json
// names are compared.
#include "common/base/mem.h"
#include "common/provider/provider_acceptance.h"
#include "common/provider/provider_read.h"
#include "tests/unit/support/provider.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *acceptance_shown(const struct provider_acceptance *acceptance) {
  return json_pack("{so sb so so so so so}", "id", text_or_null(acceptance->id), "accepted",
                   acceptance->accepted, "code", text_or_null(acceptance->code), "reason",
                   text_or_null(acceptance->reason), "recipient", text_or_null(acceptance->recipient),
                   "reference", text_or_null(acceptance->reference), "channel",
                   text_or_null(acceptance->channel));
}

// What travels is the narrowed response; the processor must read the very same out of it.
static void compare_narrowed(const struct provider *provider, const char *folder, const json_t *response,
                             const struct provider_acceptance *first, size_t i) {
  AUTO_JSON *whole = json_deep_copy(response);
  AUTO_JSON *narrowed = provider_narrow(provider, response, i);
  assert_true(json_equal(response, whole));
  struct provider_acceptance *again;
  size_t n;
  struct err err = {0};
  if (!provider_read_acceptance(provider, narrowed, &again, &n, &err)) fail_msg("%s: %s", folder, err.text);
  assert_int_equal(n, 1);
  AUTO_JSON *before = acceptance_shown(first);
  AUTO_JSON *after = acceptance_shown(again);
  assert_true(json_equal(before, after));
  AUTO_JSON *narrowed_again = provider_narrow(provider, narrowed, 0);
  assert_true(json_equal(narrowed, narrowed_again));
  free(again);
}

static void run_acceptance_case(const struct provider *provider, const char *folder) {
  AUTO_JSON *response = read_json(folder, "response.json");
  AUTO_JSON *expected = read_json(folder, "expected.json");
  json_t *wanted = json_object_get(expected, "acceptances");
  const char *wanted_error = json_string_value(json_object_get(expected, "error"));
  struct provider_acceptance *list = NULL;
  size_t n = 0;
  struct err err = {0};
  bool read = provider_read_acceptance(provider, response, &list, &n, &err);
  if (read != !wanted_error) fail_msg("%s: %s", folder, read ? "was read" : err.text);
  if (!read && !strstr(err.text, wanted_error)) fail_msg("%s: %s", folder, err.text);
  assert_int_equal(n, json_array_size(wanted));
  for (size_t i = 0; i < n; i++) {
    AUTO_JSON *shown = acceptance_shown(&list[i]);
    compare(folder, i, json_array_get(wanted, i), shown);
    compare_narrowed(provider, folder, response, &list[i], i);
  }
  free(list);
}

static void test_every_send_response_example_is_read_as_it_says(void **state) {
  assert_in_range(each_case("acceptance", run_acceptance_case), 15, 1000);
}

// BizGo's answer with n destinations and so many bytes beside them.
static json_t *response_of(size_t n, size_t beside_bytes) {
  AUTO_FREE char *beside = mem_alloc(beside_bytes + 1);
  memset(beside, 'x', beside_bytes);
  json_t *destinations = json_array();
  for (size_t i = 0; i < n; i++)
    json_array_append_new(destinations, json_pack("{ss ss}", "msgKey", "k", "code", "A000"));
  return json_pack("{ss ss s{so}}", "code", "A000", "beside", beside, "data", "destinations", destinations);
}

static void test_a_response_that_would_grow_too_much_is_refused(void **state) {
  static const struct {
    size_t n, beside_bytes;
    const char *error;
  } rows[] = {
      {500, 100, NULL},
      {500, 8000, NULL},
      {1, 500000, NULL},
      {501, 0, "/data/destinations: expected 500 recipients at most, got 501"},
      {500, 9000, "/data/destinations: expected less around the recipients"},
      {20, 300000, "/data/destinations: expected less around the recipients"},
      {2, 2 * 1024 * 1024 - 54, NULL}, // 54 bytes are the rest
      {2, 2 * 1024 * 1024 - 53, "/data/destinations: expected less around the recipients"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    AUTO_JSON *response = response_of(rows[i].n, rows[i].beside_bytes);
    struct provider_acceptance *list = NULL;
    size_t n = 0;
    struct err err = {0};
    bool read = provider_read_acceptance(providers_find(providers, "bizgo"), response, &list, &n, &err);
    if (read == !!rows[i].error || (!read && !strstr(err.text, rows[i].error)))
      fail_msg("%zu, %zu: %s", rows[i].n, rows[i].beside_bytes, err.text);
    free(list);
  }
}

static void test_the_code_of_a_refused_request_is_taken_up_to_its_limit(void **state) {
  static const int bytes[] = {0, 1, 64, 65};
  for (size_t i = 0; i < COUNT_OF(bytes); i++) {
    struct err err;
    struct provider_acceptance *list = NULL;
    size_t n;
    AUTO_JSON *response = json_pack("{so* s{s[{}]}}", "code", text_of(bytes[i]), "data", "destinations");
    assert_true(provider_read_acceptance(providers_find(providers, "bizgo"), response, &list, &n, &err));
    assert_false(list->accepted);
    assert_int_equal(list->code != NULL, bytes[i] == 1 || bytes[i] == 64);
    free(list);
  }
}

static void test_a_send_response_may_say_true_and_false(void **state) {
  static const struct {
    const char *response;
    const char *codes[2];
    bool accepted[2];
  } cases[] = {
      {"{\"header\":{\"isSuccessful\":true},\"list\":[{\"id\":1,\"taken\":true},{\"id\":2,\"taken\":false}]}",
       {"true", "false"},
       {true, false}},
      {"{\"header\":{\"isSuccessful\":false},\"list\":[{\"id\":1,\"taken\":true},{\"id\":2,\"taken\":false}]"
       "}",
       {"false", "false"},
       {false, false}},
  };
  struct provider *provider = provider_of("true-and-false.json");
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct err err = {0};
    struct provider_acceptance *list;
    size_t n;
    AUTO_JSON *response = parsed(cases[i].response);
    assert_true(provider_read_acceptance(provider, response, &list, &n, &err));
    assert_int_equal(n, 2);
    for (size_t k = 0; k < n; k++) {
      assert_string_equal(list[k].code, cases[i].codes[k]);
      assert_int_equal(list[k].accepted, cases[i].accepted[k]);
    }
    free(list);
  }
  provider_free(provider);
}

static void test_a_response_names_each_recipient_as_the_receipts_do(void **state) {
  struct err err = {0};
  struct provider_acceptance *list;
  size_t n;
  struct provider *provider = provider_of("id-of-several-parts.json");
  AUTO_JSON *response = parsed(
      "{\"body\":{\"data\":{\"requestId\":\"r-1\",\"sendResultList\":[{\"recipientSeq\":1,\"resultCode\":0},"
      "{\"recipientSeq\":2,\"resultCode\":-1}]}}}");
  assert_true(provider_read_acceptance(provider, response, &list, &n, &err));
  assert_int_equal(n, 2);
  assert_string_equal(list[0].id, "r-1/1");
  assert_string_equal(list[1].id, "r-1/2");
  assert_true(list[0].accepted && !list[1].accepted);
  for (size_t i = 0; i < n; i++) compare_narrowed(provider, "two recipients", response, &list[i], i);
  free(list);
  provider_free(provider);
}

static void test_all_lists_of_a_response_are_read(void **state) {
  static const char *const cases[][2] = {
      {"{\"failedMessageList\":[{\"messageId\":\"a\",\"statusCode\":\"1062\",\"statusMessage\":\"no\"}],"
       "\"sent\":{\"messageList\":[{\"messageId\":\"b\",\"statusCode\":\"2000\"},{\"messageId\":\"c\","
       "\"statusCode\":\"2000\"}]}}",
       "-a +b +c"},
      {"{\"failedMessageList\":[],\"sent\":{\"messageList\":[{\"messageId\":\"b\",\"statusCode\":\"2000\"}]}"
       "}",
       "+b"},
      {"{\"sent\":{\"other\":1,\"messageList\":[{\"messageId\":\"b\",\"statusCode\":\"2000\"}]}}", "+b"},
      {"{\"failedMessageList\":null,\"sent\":{\"messageList\":[{\"messageId\":\"b\",\"statusCode\":\"2000\"}]"
       "}}",
       "+b"},
      {"{\"failedMessageList\":[{\"messageId\":\"a\",\"statusCode\":\"1062\"}],\"sent\":{\"messageList\":[]}"
       "}",
       "-a"},
      {"{\"failedMessageList\":[{\"messageId\":\"a\",\"statusCode\":\"1062\"}]}", "-a"},
      {"{\"messageId\":\"s\",\"statusCode\":\"2000\"}", "+s"}, // one message: its values are at the top
      // codes_ignore
      {"{\"messageId\":\"s\",\"statusCode\":\"02000\"}", "+s"},
      {"{\"messageId\":\"s\",\"statusCode\":\"Queued\"}", "+s"},
      {"{\"messageId\":\"s\",\"statusCode\":\"20000\"}", "-s"},
      {"{\"failedMessageList\":[],\"sent\":{\"messageList\":[]}}",
       "/failedMessageList and /sent/messageList: expected one recipient or more"},
      {"{\"failedMessageList\":[]}",
       "/failedMessageList and /sent/messageList: expected one recipient or more"},
      {"{\"failedMessageList\":[{\"messageId\":\"a\",\"statusCode\":\"1\"}],\"sent\":{\"messageList\":[{"
       "\"messageId\":\"b\",\"statusCode\":\"1\"},{\"statusCode\":\"2000\"}]}}",
       "/sent/messageList/1/messageId: expected a notification id"},
      {"{\"groupInfo\":{}}",
       "expected a send response of provider acme, for example with an id at /messageId"},
  };
  struct provider *provider = provider_of("acceptance-of-several-lists.json");
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct err err = {0};
    struct provider_acceptance *list = NULL;
    size_t n = 0;
    char got[256] = "";
    AUTO_JSON *response = parsed(cases[i][0]);
    bool good = provider_read_acceptance(provider, response, &list, &n, &err);
    for (size_t k = 0; k < n; k++) {
      compare_narrowed(provider, cases[i][0], response, &list[k], k);
      sprintf(got + strlen(got), "%s%c%s", k ? " " : "", list[k].accepted ? '+' : '-', list[k].id);
    }
    assert_string_equal(good ? got : err.text, cases[i][1]);
    free(list);
  }
  provider_free(provider);
}

static void test_a_response_without_a_part_of_the_id_says_which(void **state) {
  static const char *const cases[][2] = {
      {"{\"body\":{\"data\":{\"sendResultList\":[{\"recipientSeq\":1,\"resultCode\":0}]}}}",
       "/body/data/requestId: expected a notification id"},
      {"{\"body\":{\"data\":{\"requestId\":\"r\",\"sendResultList\":[{\"resultCode\":0}]}}}",
       "/body/data/sendResultList/0/recipientSeq: expected a notification id"},
      {"{\"body\":{\"data\":{\"requestId\":\"r\",\"sendResultList\":[{\"recipientSeq\":1.5,\"resultCode\":0}]"
       "}}}",
       "/body/data/sendResultList/0/recipientSeq: expected a notification id as text, since this number is "
       "no "
       "whole number of 64 bits"},
      {"{\"body\":{\"data\":{\"requestId\":{},\"sendResultList\":[{\"recipientSeq\":1,\"resultCode\":0}]}}}",
       "/body/data/requestId: expected a notification id as text that is not empty"},
      {"{\"body\":{\"data\":{\"requestId\":\"a\\tb\",\"sendResultList\":[{\"recipientSeq\":1,\"resultCode\":"
       "0}]}"
       "}}",
       "/body/data/requestId: expected text without control characters"},
      {"{\"body\":{\"data\":{\"requestId\":\"" N_250
       "\",\"sendResultList\":[{\"recipientSeq\":123456,\"resultCode\":0}]}}}",
       "/body/data/requestId: expected parts of a notification id with at most 255 bytes together"},
  };
  struct provider *provider = provider_of("id-of-several-parts.json");
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct err err = {0};
    struct provider_acceptance *list;
    size_t n;
    AUTO_JSON *response = parsed(cases[i][0]);
    assert_false(provider_read_acceptance(provider, response, &list, &n, &err));
    assert_string_equal(err.text, cases[i][1]);
  }
  provider_free(provider);
}

static void test_an_id_with_the_recipient_holds_no_number(void **state) {
  struct err err = {0};
  struct provider_acceptance *list;
  size_t n;
  struct provider *provider = provider_of("id-with-the-recipient.json");
  AUTO_JSON *response = parsed("{\"id\":\"b-1\",\"to\":[\"+821012345678\",\"+821087654321\"]}");
  assert_true(provider_read_acceptance(provider, response, &list, &n, &err));
  assert_int_equal(n, 2);
  assert_string_not_equal(list[0].id, list[1].id);
  assert_string_equal(list[0].recipient, "+821012345678");
  struct provider_element receipt;
  AUTO_JSON *element =
      parsed("{\"batch_id\":\"b-1\",\"recipient\":\"821012345678\",\"status\":\"Delivered\"}");
  assert_true(provider_classify(provider, element, &receipt, &err));
  assert_string_equal(receipt.id, list[0].id);
  assert_null(strstr(receipt.id, "12345678"));
  for (size_t i = 0; i < n; i++) compare_narrowed(provider, "two recipients", response, &list[i], i);
  free(list);
  provider_free(provider);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_send_response_example_is_read_as_it_says),
      cmocka_unit_test(test_a_response_that_would_grow_too_much_is_refused),
      cmocka_unit_test(test_the_code_of_a_refused_request_is_taken_up_to_its_limit),
      cmocka_unit_test(test_a_send_response_may_say_true_and_false),
      cmocka_unit_test(test_a_response_names_each_recipient_as_the_receipts_do),
      cmocka_unit_test(test_all_lists_of_a_response_are_read),
      cmocka_unit_test(test_a_response_without_a_part_of_the_id_says_which),
      cmocka_unit_test(test_an_id_with_the_recipient_holds_no_number),
  };
  return cmocka_run_group_tests(tests, load_built_in, unload_built_in);
}
