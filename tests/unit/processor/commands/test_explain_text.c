// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "common/json/json.h"
#include "processor/commands/explain_text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_a_telephone_number_or_an_address_is_masked_wherever_it_stands(void **state) {
  static const struct {
    const char *text, *shown;
  } rows[] = {
      {"01012345678", "010****5678"},
      {"010-1234-5678", "010-****-5678"},
      {"021234567", "021**4567"},
      {"+82 (10) 1234 5678", "+82 (1*) **** 5678"},
      {"+14155550123", "+141****0123"},
      {"821012345678", "821*****5678"},
      {"tel:+821012345678", "tel:+821*****5678"},
      {"r-81/01012345678/SMS", "r-81/010****5678/SMS"},
      {"{\"to\":\"010.1234.5678\"}", "{\"to\":\"010.****.5678\"}"},
      {"01012345678 01087654321", "010****5678 010****4321"},
      {"2026-01-12 010-1234-5678", "2026-01-12 010-****-5678"},
      {"to ann@x.kr", "to a***@x.kr"},
      {"\xef\xbc\x90\xef\xbc\x91\xef\xbc\x90\xef\xbc\x91\xef\xbc\x92\xef\xbc\x93\xef\xbc\x94\xef\xbc\x95"
       "\xef\xbc\x96\xef\xbc\x97\xef\xbc\x98",
       "\xef\xbc\x90\xef\xbc\x91\xef\xbc\x90****\xef\xbc\x95\xef\xbc\x96\xef\xbc\x97\xef\xbc\x98"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    AUTO_FREE char *shown = explain_shown(rows[i].text);
    assert_string_equal(shown, rows[i].shown);
  }
}

static void test_an_id_or_a_time_stays_whole(void **state) {
  static const char *const texts[] = {"m-17",
                                      "20260112110003123alimtalkab01001",
                                      "65f1a2b3c4d5e6f7a8b9c0d1",
                                      "2026-01-12 11:00:03+09:00",
                                      "2026-01-12T11:00:03.123Z",
                                      "12345678901",
                                      "+1234",
                                      "01012345",
                                      "010",
                                      "",
                                      "도착"};
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    AUTO_FREE char *shown = explain_shown(texts[i]);
    assert_string_equal(shown, texts[i]);
  }
}

static void test_a_long_text_is_cut_between_characters(void **state) {
  AUTO_FREE char *text = mem_array(401, 1);
  for (size_t i = 0; i < 400; i += 2) memcpy(text + i, "\xc3\xa9", 2);
  AUTO_FREE char *shown = explain_shown(text);
  assert_int_equal(strlen(shown), 254 + strlen("…"));
  assert_string_equal(shown + 254, "…");
}

static void test_a_value_is_shown_as_what_it_is(void **state) {
  static const struct {
    const char *json, *shown;
  } rows[] = {{"\"N\"", "\"N\""}, {"\"01012345678\"", "\"010****5678\""},
              {"17", "17"},       {"true", "true"},
              {"[1]", "a list"},  {"{}", "an object"}};
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    AUTO_JSON *value = json_parse(rows[i].json, strlen(rows[i].json), NULL);
    AUTO_FREE char *shown = explain_value(value);
    assert_string_equal(shown, rows[i].shown);
  }
  AUTO_FREE char *none = explain_value(NULL);
  assert_string_equal(none, "nothing");
}

static void test_a_form_shows_nothing_of_the_text(void **state) {
  AUTO_FREE char *form = explain_form("12/Jan 11:00 김하나 01012345678");
  assert_string_equal(form, "99/aaa 99:99 aaa 99999999999");
}

static void test_places_are_those_with_a_value_that_no_rule_names(void **state) {
  static const char body[] = "{\"id\":1,\"data\":{\"to\":\"x\",\"a/"
                             "b~\":{\"deep\":{\"er\":1}}},\"list\":[{\"x\":1},{\"y\":2}],\"empty\":{}}";
  AUTO_JSON *in = json_parse(body, strlen(body), NULL);
  AUTO_FREE char *all = explain_places(in, "");
  assert_string_equal(all, "/id, /data/to, /data/a~1b~0/deep, /list, /list/0/x, /empty");
  AUTO_FREE char *left = explain_places(in, "{\"id\":\"/id\",\"to\":[\"/data/to\",\"/list\"]}");
  assert_string_equal(left, "/data/a~1b~0/deep, /list/0/x, /empty");
}

static void test_many_places_are_cut(void **state) {
  AUTO_JSON *in = json_object();
  for (int i = 0; i < 1000; i++) {
    AUTO_FREE char *name = mem_printf("n%d", i);
    json_object_set_new(in, name, json_true());
  }
  AUTO_FREE char *places = explain_places(in, "");
  assert_non_null(strstr(places, "/n0, /n1, "));
  assert_non_null(strstr(places, ", /n19, …"));
  assert_null(strstr(places, "/n20"));
}

static void test_the_nearest_place_is_found_first_of_those_that_no_rule_names(void **state) {
  static const char body[] = "{\"ID\":1,\"ids\":null,\"data\":{\"receiver\":\"x\"}}";
  AUTO_JSON *in = json_parse(body, strlen(body), NULL);
  AUTO_FREE char *id = explain_nearest(in, "/id", ""), *to = explain_nearest(in, "/data/reciever", "");
  AUTO_FREE char *named = explain_nearest(in, "/id", "[\"/ID\"]"), *none = explain_nearest(in, "/state", "");
  AUTO_FREE char *other = explain_nearest(in, "/iD", "[\"/ID\", \"/ids\"]"),
                 *itself = explain_nearest(in, "/data/receiver", "[\"/data/receiver\"]");
  assert_string_equal(id, "/ID");
  assert_string_equal(to, "/data/receiver");
  assert_string_equal(named, "/ids");
  assert_string_equal(other, "/ID");
  assert_null(none);
  assert_null(itself);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_telephone_number_or_an_address_is_masked_wherever_it_stands),
      cmocka_unit_test(test_an_id_or_a_time_stays_whole),
      cmocka_unit_test(test_a_long_text_is_cut_between_characters),
      cmocka_unit_test(test_a_value_is_shown_as_what_it_is),
      cmocka_unit_test(test_a_form_shows_nothing_of_the_text),
      cmocka_unit_test(test_places_are_those_with_a_value_that_no_rule_names),
      cmocka_unit_test(test_many_places_are_cut),
      cmocka_unit_test(test_the_nearest_place_is_found_first_of_those_that_no_rule_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
