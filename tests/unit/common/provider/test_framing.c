// SPDX-License-Identifier: MIT
// Bodies cut with the provider files we ship.
#include "common/base/mem.h"
#include "common/provider/framing.h"
#include "common/provider/providers.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RECEIPT(id)                                                                                          \
  "{ \"event_type\":\"notification:sms:received\" ,\n\t\"payload\":{\"notification_id\":\"" id               \
  "\",\"status\":\"received\",\"phone_number\":\"01012345678\","                                             \
  "\"received_at\":\"2026-05-11T10:23:45.123Z\", \"extra\": 1.50e2}}"

static struct providers *providers;
static const struct provider *levels; // of an example

static struct framing frame(const char *provider, const char *body) {
  struct framing framing;
  framing_init(&framing, providers_find(providers, provider), body, strlen(body), NULL);
  return framing;
}

static void assert_bytes(const struct framing_element *element, const char *expected) {
  assert_int_equal(element->len, strlen(expected));
  assert_memory_equal(element->bytes, expected, element->len);
}

static void test_each_element_keeps_its_exact_bytes(void **state) {
  struct framing framing = frame("blux", " {\"events\": [ " RECEIPT("n1") " ,\r\n" RECEIPT("n2") "]}\n");
  assert_int_equal(framing.n, 2);
  assert_bytes(&framing.elements[0], RECEIPT("n1"));
  assert_bytes(&framing.elements[1], RECEIPT("n2"));
  assert_int_equal(framing.elements[0].kind, FRAMING_RECEIPT);
  assert_string_equal(framing.elements[0].id, "n1");
  assert_string_equal(framing.elements[1].id, "n2");
  framing_fini(&framing);
}

static void test_one_object_is_one_element(void **state) {
  static const char report[] = "{\"msgKey\":\"k1\",\"serviceType\":\"ALIMTALK\",\"reportCode\":\"64008\"}";
  AUTO_FREE char *body = mem_printf("\n %s \n", report);
  struct framing framing = frame("bizgo", body);
  assert_int_equal(framing.n, 1);
  assert_bytes(&framing.elements[0], report);
  assert_int_equal(framing.elements[0].kind, FRAMING_RECEIPT);
  assert_string_equal(framing.elements[0].id, "k1");
  framing_fini(&framing);
}

static void test_what_is_no_receipt_is_kept_as_other(void **state) {
  struct framing framing =
      frame("bizgo", "{\"msgKey\":\"m1\",\"serviceType\":\"MO\",\"msgType\":\"SM\",\"to\":\"1\","
                     "\"from\":\"01012345678\",\"content\":\"hi\"}");
  assert_int_equal(framing.n, 1);
  assert_int_equal(framing.elements[0].kind, FRAMING_OTHER);
  framing_fini(&framing);
}

static void test_a_contact_has_the_id_of_the_person(void **state) {
  struct framing framing =
      frame("channeltalk",
            "{\"event\":\"upsert\",\"type\":\"User\",\"entity\":{\"id\":\"own\",\"memberId\":\"m\"}}");
  assert_int_equal(framing.n, 1);
  assert_int_equal(framing.elements[0].kind, FRAMING_CONTACT);
  assert_string_equal(framing.elements[0].id, "m");
  framing_fini(&framing);
}

static void test_each_kind_has_a_name_and_is_that_of_an_element(void **state) {
  assert_string_equal(framing_kind_name(framing_kind_of(PROVIDER_RECEIPT)), "receipt");
  assert_string_equal(framing_kind_name(framing_kind_of(PROVIDER_CONTACT)), "contact");
  assert_string_equal(framing_kind_name(framing_kind_of(PROVIDER_OTHER)), "other");
}

static void test_one_bad_element_costs_its_neighbours_nothing(void **state) {
  static const char *const bad[] = {"5",
                                    "null",
                                    "[]",
                                    "{}",
                                    "\"x\"",
                                    "{\"event_type\":\"notification:sms:received\"}",
                                    "{\"event_type\":7,\"payload\":{}}",
                                    ("{\"event_type\":\"notification:sms:clicked\","
                                     "\"payload\":{\"notification_id\":\"n3\"}}")};
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    AUTO_FREE char *body = mem_printf("{\"events\":[%s,%s,%s]}", RECEIPT("n1"), bad[i], RECEIPT("n2"));
    struct framing framing = frame("blux", body);
    assert_int_equal(framing.n, 3);
    assert_bytes(&framing.elements[0], RECEIPT("n1"));
    assert_bytes(&framing.elements[1], bad[i]);
    assert_bytes(&framing.elements[2], RECEIPT("n2"));
    assert_int_equal(framing.elements[0].kind, FRAMING_RECEIPT);
    assert_int_equal(framing.elements[1].kind, FRAMING_QUARANTINED);
    assert_int_equal(framing.elements[2].kind, FRAMING_RECEIPT);
    assert_non_null(strstr(framing.elements[1].reason, "provider blux: "));
    framing_fini(&framing);
  }
}

// Each is a fault of the element's own JSON, which used to cost the whole body.
static void test_an_element_that_is_no_json_costs_its_neighbours_nothing(void **state) {
  AUTO_FREE char *deep = mem_alloc(2 * (JSON_DEPTH_MAX + 1) + 1);
  memset(deep, '[', JSON_DEPTH_MAX + 1);
  memset(deep + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
  AUTO_FREE char *many = mem_alloc(2 * JSON_VALUES_MAX + 8);
  char *at = stpcpy(many, "[0");
  for (int i = 0; i < JSON_VALUES_MAX; i++) at = stpcpy(at, ",0");
  strcpy(at, "]");
  const struct {
    const char *element, *reason; // a part of it
  } bad[] = {
      {"{\"event_type\":\"x\",\"text\":\"\\ud83d\"}", "not JSON: "},
      {"{\"text\":\"\\ud83d\\ud83d\"}", "not JSON: "},
      {"{\"text\":\"\\ude9a\"}", "not JSON: "},
      {"{\"text\":\"\xf0\x9f\x9a\"}", "not JSON: "},
      {"{\"text\":\"\\u0000\"}", "JSON that is not accepted: "},
      {"{\"\\u0000\":1}", "JSON that is not accepted: "},
      {"{\"a\":1,\"a\":1}", "JSON that is not accepted: duplicate"},
      {"{\"a\":01e999}", "not JSON: "},
      {"{\"a\":01}", "not JSON: "},
      {"{\"a\":nul}", "not JSON: "},
      {"{'a':1}", "not JSON: "},
      {"{\"a\":\"\n\"}", "not JSON: "},
      {"{\"a\":\"\\x\"}", "not JSON: "},
      {"{\"a\":1,}", "not JSON: "},
      {"{\"a\"}", "not JSON: "},
      {"NaN", "not JSON: "},
      {deep, "nested deeper than 64 levels"},
      {many, "contains more than 50000 values"},
  };
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    AUTO_FREE char *body =
        mem_printf("{\"events\":[%s ,%s, %s]}", RECEIPT("n1"), bad[i].element, RECEIPT("n2"));
    struct framing framing = frame("blux", body);
    if (framing.n != 3) fail_msg("%.80s: %s", bad[i].element, framing.elements[0].reason);
    assert_bytes(&framing.elements[0], RECEIPT("n1"));
    assert_bytes(&framing.elements[1], bad[i].element);
    assert_bytes(&framing.elements[2], RECEIPT("n2"));
    assert_string_equal(framing.elements[0].id, "n1");
    assert_string_equal(framing.elements[2].id, "n2");
    assert_int_equal(framing.elements[1].kind, FRAMING_QUARANTINED);
    if (!strstr(framing.elements[1].reason, bad[i].reason)) fail_msg("%s", framing.elements[1].reason);
    framing_fini(&framing);
  }
}

static void test_what_stands_around_the_elements_costs_them_nothing(void **state) {
  static const char *const before[] = {"",
                                       "\"t\":\"\\ud83d\",",
                                       "\"t\":1,\"t\":2,",
                                       "\"t\":\"\\u0000\",",
                                       "\"t\":01e999,",
                                       "\"t\":{\"u\":nul},"};
  for (size_t i = 0; i < COUNT_OF(before); i++) {
    AUTO_FREE char *body = mem_printf("{%s\"events\":[%s]}", before[i], RECEIPT("n1"));
    struct framing framing = frame("blux", body);
    assert_int_equal(framing.n, 1);
    assert_int_equal(framing.elements[0].kind, FRAMING_RECEIPT);
    assert_bytes(&framing.elements[0], RECEIPT("n1"));
    framing_fini(&framing);
  }
}

static void test_what_cannot_be_cut_is_kept_whole(void **state) {
  static const char *const bad[] = {
      "{\"events\":[" RECEIPT("n1") ",",
      "{\"events\":[" RECEIPT("n1") ",{\"a\":\"",
      "{\"events\":[" RECEIPT("n1") ",]}",
      "{\"events\":[" RECEIPT("n1") " " RECEIPT("n2") "]}",
      "{\"events\":[" RECEIPT("n1") ",{\"a\":[}]}",
      "{\"events\":[" RECEIPT("n1") "],\"events\":[" RECEIPT("n2") "]}",
      "{\"events\":[" RECEIPT("n1") "]},",
      "{\"events\":[" RECEIPT("n1") "}}",
  };
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    struct framing framing = frame("blux", bad[i]);
    if (framing.n != 1) fail_msg("%s: %zu", bad[i], framing.n);
    assert_bytes(&framing.elements[0], bad[i]);
    assert_int_equal(framing.elements[0].kind, FRAMING_QUARANTINED);
    assert_true(strstr(framing.elements[0].reason, "JSON") != NULL);
    framing_fini(&framing);
  }
}

#define BOM "\xef\xbb\xbf"

static void test_a_byte_order_mark_is_skipped_and_kept_in_quarantine(void **state) {
  static const char report[] = "{\"msgKey\":\"k1\",\"reportCode\":\"10000\"}";
  struct framing framing = frame("bizgo", BOM "{\"msgKey\":\"k1\",\"reportCode\":\"10000\"}");
  assert_int_equal(framing.elements[0].kind, FRAMING_RECEIPT);
  assert_bytes(&framing.elements[0], report);
  framing_fini(&framing);
  framing = frame("blux", BOM " {\"events\":[" RECEIPT("n1") "]}");
  assert_int_equal(framing.elements[0].kind, FRAMING_RECEIPT);
  framing_fini(&framing);
  static const char *const whole[] = {BOM,
                                      BOM "{}",
                                      BOM " {\"a\":1} ",
                                      BOM "{\"msgKey\":\"\\ud83d\"}\n",
                                      BOM "x",
                                      BOM BOM "{\"msgKey\":\"k1\",\"reportCode\":\"10000\"}"};
  for (size_t i = 0; i < COUNT_OF(whole); i++) {
    framing = frame("bizgo", whole[i]);
    assert_int_equal(framing.n, 1);
    assert_int_equal(framing.elements[0].kind, FRAMING_QUARANTINED);
    assert_bytes(&framing.elements[0], whole[i]);
    framing_fini(&framing);
  }
}

static void test_a_body_that_makes_no_sense_is_kept_whole(void **state) {
  static const struct {
    const char *body;
    const char *reason; // its beginning
  } bad[] = {
      {"", "the body is empty"},
      {"not json", "not JSON: invalid token at byte "},
      {"{\"events\":[", "not JSON: "},
      {"{\"events\":[]} x", "not JSON: "},
      {"{\"events\":[],\"events\":[]}", "JSON that is not accepted: "},
      {"{\"a\":\"\\u0000\"}", "JSON that is not accepted: "},
      {"{\"a\":\"\\ud800\"}", "not JSON: "},
      {"{\"a\":\"\xff\"}", "not JSON: "},
      {"5", "provider blux: expected an object or an array at \"/events\""},
      {"[]", "provider blux: expected an object or an array at \"/events\""},
      {"{}", "provider blux: expected an object or an array at \"/events\""},
      {"{\"events\":5}", "provider blux: expected an object or an array at \"/events\""},
      {"{\"events\":null}", "provider blux: expected an object or an array at \"/events\""},
      {"{\"Events\":[]}", "provider blux: expected an object or an array at \"/events\""},
  };
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    struct framing framing = frame("blux", bad[i].body);
    assert_int_equal(framing.n, 1);
    assert_bytes(&framing.elements[0], bad[i].body);
    assert_int_equal(framing.elements[0].kind, FRAMING_QUARANTINED);
    assert_ptr_equal(strstr(framing.elements[0].reason, bad[i].reason), framing.elements[0].reason);
    framing_fini(&framing);
  }
}

static void test_an_empty_array_has_no_elements(void **state) {
  struct framing framing = frame("blux", "{\"events\": [ ]}");
  assert_int_equal(framing.n, 0);
  framing_fini(&framing);
}

static void test_too_many_elements_are_kept_whole(void **state) {
  enum { TOO_MANY = FRAMING_ELEMENTS_MAX + 1 };
  AUTO_FREE char *body = mem_alloc(2 * TOO_MANY + 32);
  char *at = stpcpy(body, "{\"events\":[");
  for (int i = 0; i < TOO_MANY; i++) at = stpcpy(at, i ? ",1" : "1");
  strcpy(at, "]}");
  struct framing framing = frame("blux", body);
  assert_int_equal(framing.n, 1);
  assert_int_equal(framing.elements[0].len, strlen(body));
  assert_string_equal(framing.elements[0].reason, "more than 10000 elements in one body");
  framing_fini(&framing);
}

static void test_10000_elements_are_cut(void **state) {
  AUTO_FREE char *body = mem_alloc(2 * FRAMING_ELEMENTS_MAX + 32);
  char *at = stpcpy(body, "{\"events\":[");
  for (int i = 0; i < FRAMING_ELEMENTS_MAX; i++) at = stpcpy(at, i ? ",1" : "1");
  strcpy(at, "]}");
  struct framing framing = frame("blux", body);
  assert_int_equal(framing.n, FRAMING_ELEMENTS_MAX);
  framing_fini(&framing);
}

static void test_a_reason_never_quotes_the_body(void **state) {
  static const char *const bodies[] = {"01012345678",
                                       "{\"events\":[{\"01012345678\":\"01012345678\"}]}",
                                       "{\"events\":01012345678}",
                                       "{\"events\":\"01012345678\"}",
                                       "{\"a\":\"01012345678\\ud800\"}",
                                       "{\"a\":\"01012345678\" 01012345678"};
  for (size_t i = 0; i < COUNT_OF(bodies); i++) {
    struct framing framing = frame("blux", bodies[i]);
    assert_int_equal(framing.n, 1);
    assert_null(strstr(framing.elements[0].reason, "1012345678"));
    framing_fini(&framing);
  }
}

// ---- lists inside lists, with an example's file

#define STATUS(id) "{\"id\":\"" id "\", \"status\":\"delivered\"}"
#define CHANGE(s)  "{\"value\":{\"statuses\":" s "}}"
#define INCOMING   "{\"value\":{\"messages\":[{\"text\":\"hi\"}]}}"

// Place, bytes and kind of each element.
struct cut_row {
  const char *place, *bytes;
  enum framing_kind kind;
};

static void assert_cut(const struct provider *provider, const char *body, const struct cut_row *rows,
                       size_t n) {
  struct framing framing;
  framing_init(&framing, provider, body, strlen(body), NULL);
  assert_int_equal(framing.n, n);
  for (size_t i = 0; i < n; i++) {
    AUTO_FREE char *place = framing_place(provider, &framing.elements[i]);
    assert_string_equal(place, rows[i].place);
    assert_bytes(&framing.elements[i], rows[i].bytes);
    if (framing.elements[i].kind != rows[i].kind)
      fail_msg("%s: %s, %s", place, framing_kind_name(framing.elements[i].kind), framing.elements[i].reason);
  }
  framing_fini(&framing);
}

static void test_lists_inside_lists_are_cut_into_their_innermost_elements(void **state) {
  static const char body[] =
      "{\"entry\":[{\"changes\":[" CHANGE("[" STATUS("a") " , " STATUS("b") "]") "," CHANGE(
          "[]") "]}, {\"changes\" : " CHANGE(STATUS("c")) "}, "
                                                          "{\"changes\":[{\"value\":{\"results\":[" STATUS(
                                                              "d") "]}}]}]}";
  static const struct cut_row rows[] = {
      {"/entry/0/changes/0/value/statuses/0", STATUS("a"), FRAMING_RECEIPT},
      {"/entry/0/changes/0/value/statuses/1", STATUS("b"), FRAMING_RECEIPT},
      {"/entry/1/changes/value/statuses", STATUS("c"), FRAMING_RECEIPT},
      {"/entry/2/changes/0/value/results/0", STATUS("d"), FRAMING_RECEIPT},
  };
  assert_cut(levels, body, rows, COUNT_OF(rows));
}

static void test_what_has_no_further_list_is_an_element_itself(void **state) {
  static const char broken[] = "{\"value\":{\"statuses\":[" STATUS("x") ",,]}}";
  AUTO_FREE char *body = mem_printf(
      "{\"entry\":[{\"changes\":[%s,%s,7,%s,{\"value\":{\"statuses\":null}}]},{\"id\":\"e\"},\"text\"]}",
      INCOMING, CHANGE("[5," STATUS("a") "]"), broken);
  const struct cut_row rows[] = {
      {"/entry/0/changes/0", INCOMING, FRAMING_OTHER},
      {"/entry/0/changes/1/value/statuses/0", "5", FRAMING_QUARANTINED},
      {"/entry/0/changes/1/value/statuses/1", STATUS("a"), FRAMING_RECEIPT},
      {"/entry/0/changes/2", "7", FRAMING_QUARANTINED},
      {"/entry/0/changes/3", broken, FRAMING_QUARANTINED},
      {"/entry/0/changes/4", "{\"value\":{\"statuses\":null}}", FRAMING_QUARANTINED},
      {"/entry/1", "{\"id\":\"e\"}", FRAMING_QUARANTINED},
      {"/entry/2", "\"text\"", FRAMING_QUARANTINED},
  };
  assert_cut(levels, body, rows, COUNT_OF(rows));
}

static void test_a_body_without_the_first_list_is_kept_whole(void **state) {
  static const char *const bodies[] = {"{\"entries\":[]}", "[]", "{\"entry\":5}", "{\"entry\":[1,,2]}",
                                       "{\"entry\":[{\"changes\":[" INCOMING "]}"};
  for (size_t i = 0; i < COUNT_OF(bodies); i++) {
    const struct cut_row row = {"", bodies[i], FRAMING_QUARANTINED};
    assert_cut(levels, bodies[i], &row, 1);
  }
}

// Also of elements that the lists around them have, since each costs a step.
static void test_too_many_elements_of_all_levels_are_kept_whole(void **state) {
  enum { EACH = 100, LISTS = FRAMING_ELEMENTS_MAX / EACH };
  for (size_t more = 0; more < 2; more++) {
    AUTO_FREE char *body = mem_alloc((size_t)FRAMING_ELEMENTS_MAX * 40);
    char *at = stpcpy(body, "{\"entry\":[{\"changes\":[");
    for (size_t i = 0; i < LISTS - 2 + 2 * more; i++) {
      at = stpcpy(at, i ? ",{\"value\":{\"statuses\":[1" : "{\"value\":{\"statuses\":[1");
      for (size_t j = 1; j < EACH; j++) at = stpcpy(at, ",1");
      at = stpcpy(at, "]}}");
    }
    strcpy(at, "]}]}");
    struct framing framing;
    framing_init(&framing, levels, body, strlen(body), NULL);
    if (more) {
      assert_int_equal(framing.n, 1);
      assert_int_equal(framing.elements[0].n_steps, 0);
      assert_string_equal(framing.elements[0].reason, "more than 10000 elements in one body");
    } else {
      assert_int_equal(framing.n, (LISTS - 2) * EACH);
    }
    framing_fini(&framing);
  }
}

int main(void) {
  struct faults faults = {0};
  providers = providers_load("", &faults);
  assert_non_null(providers);
  struct providers *examples =
      providers_load_one(SCHEMAS_DIR "/examples/provider/valid/levels.json", &faults);
  if (!examples || faults.n) fail_msg("%s", faults.list[0].text);
  levels = providers_at(examples, 0);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lists_inside_lists_are_cut_into_their_innermost_elements),
      cmocka_unit_test(test_what_has_no_further_list_is_an_element_itself),
      cmocka_unit_test(test_a_body_without_the_first_list_is_kept_whole),
      cmocka_unit_test(test_too_many_elements_of_all_levels_are_kept_whole),
      cmocka_unit_test(test_each_element_keeps_its_exact_bytes),
      cmocka_unit_test(test_one_object_is_one_element),
      cmocka_unit_test(test_what_is_no_receipt_is_kept_as_other),
      cmocka_unit_test(test_a_contact_has_the_id_of_the_person),
      cmocka_unit_test(test_each_kind_has_a_name_and_is_that_of_an_element),
      cmocka_unit_test(test_one_bad_element_costs_its_neighbours_nothing),
      cmocka_unit_test(test_an_element_that_is_no_json_costs_its_neighbours_nothing),
      cmocka_unit_test(test_what_stands_around_the_elements_costs_them_nothing),
      cmocka_unit_test(test_what_cannot_be_cut_is_kept_whole),
      cmocka_unit_test(test_a_byte_order_mark_is_skipped_and_kept_in_quarantine),
      cmocka_unit_test(test_a_body_that_makes_no_sense_is_kept_whole),
      cmocka_unit_test(test_an_empty_array_has_no_elements),
      cmocka_unit_test(test_too_many_elements_are_kept_whole),
      cmocka_unit_test(test_10000_elements_are_cut),
      cmocka_unit_test(test_a_reason_never_quotes_the_body),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  providers_free(examples);
  providers_free(providers);
  return failed;
}
