// SPDX-License-Identifier: MIT
// What is masked of an element and of a send response.
#include "common/base/mem.h"
#include "common/provider/provider_mask.h"
#include "tests/unit/support/provider.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_the_recipient_is_masked_whatever_stands_there(void **state) {
  static const char *const values[] = {"\"01012345678\"", "1012345678", "[\"01012345678\"]"};
  for (size_t i = 0; i < COUNT_OF(values); i++) {
    struct err err = {0};
    AUTO_FREE char *text = mem_printf("{\"payload\":{\"phone_number\":%s}}", values[i]);
    AUTO_JSON *element = json_parse(text, strlen(text), &err);
    assert_true(provider_mask_element(providers_find(providers, "blux"), element));
    AUTO_FREE char *masked = json_text(element);
    assert_null(strstr(masked, "12345678"));
    assert_non_null(strstr(masked, "*"));
  }
}

static void test_an_element_with_nothing_to_mask_says_so(void **state) {
  static const char *const rows[][2] = {{"bizgo", "{\"reportText\":\"refused\"}"},
                                        {"bizgo", "{\"reportText\":\"\"}"},
                                        {"bizgo", "{\"msgKey\":\"01012345678\"}"},
                                        {"blux", "{\"payload\":{}}"},
                                        {"blux", "{\"payload\":{\"phone_number\":null}}"}};
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct err err = {0};
    AUTO_JSON *element = json_parse(rows[i][1], strlen(rows[i][1]), &err);
    assert_false(provider_mask_element(providers_find(providers, rows[i][0]), element));
    AUTO_FREE char *kept = json_text(element);
    assert_string_equal(kept, rows[i][1]);
  }
}

static void test_further_places_are_masked_whatever_stands_there(void **state) {
  static const char *const cases[][2] = {
      {"{\"message\":{\"text\":\"Hello Ann\",\"id\":\"m\"}}",
       "{\"message\":{\"text\":\"***\",\"id\":\"m\"}}"},
      {"{\"message\":{\"text\":\"01012345678\"}}", "{\"message\":{\"text\":\"010****5678\"}}"},
      {"{\"log\":[{\"to\":\"01012345678\"}]}", "{\"log\":\"***\"}"},
      {"{\"log\":{}}", "{\"log\":\"***\"}"},
      {"{\"log\":null}", "{\"log\":null}"},
      {"{\"to\":\"tel:０１０-1234-5678\",\"log\":7}", "{\"to\":\"010****5678\",\"log\":\"***\"}"},
  };
  struct provider *provider = provider_of("everything.json");
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    AUTO_JSON *element = parsed(cases[i][0]);
    provider_mask_element(provider, element);
    AUTO_FREE char *text = json_text(element);
    assert_string_equal(text, cases[i][1]);
  }
  provider_free(provider);
}

static void test_all_lists_of_a_response_are_masked(void **state) {
  struct provider *provider = provider_of("acceptance-of-several-lists.json");
  AUTO_JSON *response =
      parsed("{\"failedMessageList\":[{\"to\":\"01012345678\",\"statusMessage\":\"01012345678\"}],"
             "\"sent\":{\"messageList\":[{\"to\":\"01012345678\"}]}}");
  provider_mask_response(provider, response);
  AUTO_FREE char *text = json_text(response);
  assert_null(strstr(text, "01012345678"));
  provider_free(provider);
}

static void test_a_response_is_stored_without_numbers(void **state) {
  static const char *const cases[][3] = {
      {"everything.json",
       "{\"messages\":[{\"to\":\"01012345678\",\"text\":\"010-1234-5678 is off\"},{\"to\":1087654321}]}",
       "{\"messages\":[{\"to\":\"010****5678\",\"text\":\"010****5678 is off\"},{\"to\":\"10****4321\"}]}"},
      {"everything.json", "{\"messages\":[],\"id\":\"01012345678\"}",
       "{\"messages\":[],\"id\":\"01012345678\"}"},
      {"id-with-the-recipient.json", "{\"id\":\"b\",\"to\":[\"01012345678\",\"01087654321\"]}",
       "{\"id\":\"b\",\"to\":[\"010****5678\",\"010****4321\"]}"},
      {"id-of-several-parts.json",
       "{\"body\":{\"data\":{\"sendResultList\":[{\"recipientNo\":\"01012345678\"}]}}}",
       "{\"body\":{\"data\":{\"sendResultList\":[{\"recipientNo\":\"010****5678\"}]}}}"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct provider *provider = provider_of(cases[i][0]);
    AUTO_JSON *response = parsed(cases[i][1]);
    provider_mask_response(provider, response);
    AUTO_FREE char *text = json_text(response);
    assert_string_equal(text, cases[i][2]);
    provider_free(provider);
  }
}

// Its words stand beside the code; a response with a list of recipients has none there.
static void test_a_response_about_one_recipient_is_stored_without_numbers(void **state) {
  AUTO_JSON *response = parsed("{\"data\":{\"code\":\"A305\",\"result\":\"010-1234-5678 is no number\"}}");
  provider_mask_response(providers_find(providers, "bizgo"), response);
  AUTO_FREE char *text = json_text(response);
  assert_string_equal(text, "{\"data\":{\"code\":\"A305\",\"result\":\"010****5678 is no number\"}}");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_recipient_is_masked_whatever_stands_there),
      cmocka_unit_test(test_an_element_with_nothing_to_mask_says_so),
      cmocka_unit_test(test_further_places_are_masked_whatever_stands_there),
      cmocka_unit_test(test_all_lists_of_a_response_are_masked),
      cmocka_unit_test(test_a_response_is_stored_without_numbers),
      cmocka_unit_test(test_a_response_about_one_recipient_is_stored_without_numbers),
  };
  return cmocka_run_group_tests(tests, load_built_in, unload_built_in);
}
