// SPDX-License-Identifier: MIT
// Bodies that become JSON before they are cut, with provider files of schemas/examples.
#include "common/base/mem.h"
#include "common/provider/framing.h"
#include "common/provider/provider_answer.h"
#include "common/provider/providers.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct providers *forms, *texts;

static struct providers *load(const char *example) {
  struct faults faults = {0};
  AUTO_FREE char *path = mem_printf("%s/examples/provider/valid/%s.json", SCHEMAS_DIR, example);
  struct providers *loaded = providers_load_one(path, &faults);
  if (!loaded || faults.n) fail_msg("%s: %s", path, faults.n ? faults.list[0].text : "not read");
  return loaded;
}

static struct framing frame(const struct providers *providers, const char *body, size_t len) {
  struct framing framing;
  framing_init(&framing, providers_at(providers, 0), body, len, NULL);
  return framing;
}

static void assert_bytes(const struct framing_element *element, const char *expected) {
  assert_int_equal(element->len, strlen(expected));
  assert_memory_equal(element->bytes, expected, element->len);
}

static void assert_same_value(const struct framing_element *element, const char *expected) {
  AUTO_JSON *got = json_parse(element->bytes, element->len, NULL);
  AUTO_JSON *wanted = json_parse(expected, strlen(expected), NULL);
  assert_non_null(wanted);
  if (!json_equal(got, wanted))
    fail_msg("expected %s, got %.*s", expected, (int)element->len, element->bytes);
}

// ---- forms

static void test_a_form_is_one_element_of_its_names(void **state) {
  static const struct {
    const char *body, *element;
  } rows[] = {
      {"MessageSid=SM1&MessageStatus=delivered", "{\"MessageSid\":\"SM1\",\"MessageStatus\":\"delivered\"}"},
      {"MessageSid=SM1&MessageStatus=delivered\r\n",
       "{\"MessageSid\":\"SM1\",\"MessageStatus\":\"delivered\"}"},
      {"&&MessageSid=SM1&MessageStatus=delivered&&To=%2B82+10&Empty&None=",
       ("{\"MessageSid\":\"SM1\",\"MessageStatus\":\"delivered\",\"To\":\"+82 10\",\"Empty\":\"\","
        "\"None\":\"\"}")},
      {"MessageSid=SM1&MessageStatus=delivered&%EC%9D%B4=%22%5C%0A",
       "{\"MessageSid\":\"SM1\",\"MessageStatus\":\"delivered\",\"이\":\"\\\"\\\\\\n\"}"},
      {"To=1&MessageSid=SM1&MessageStatus=delivered&To=2&To=3",
       "{\"To\":[\"1\",\"2\",\"3\"],\"MessageSid\":\"SM1\",\"MessageStatus\":\"delivered\"}"},
      // JSON all the same
      {" {\"MessageSid\":\"SM1\",\"MessageStatus\":\"delivered\",\"n\":1}",
       "{\"MessageSid\":\"SM1\",\"MessageStatus\":\"delivered\",\"n\":1}"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct framing framing = frame(forms, rows[i].body, strlen(rows[i].body));
    assert_int_equal(framing.n, 1);
    assert_int_equal(framing.elements[0].kind, FRAMING_RECEIPT);
    assert_string_equal(framing.elements[0].id, "SM1");
    assert_bytes(&framing.elements[0], rows[i].element);
    assert_int_equal(framing.made_bytes, framing.made ? framing.elements[0].len : 0); // counted as held
    framing_fini(&framing);
  }
}

static void test_a_form_that_is_not_understood_is_kept_as_it_was_sent(void **state) {
  static const char nul[] = "MessageSid=SM%00&MessageStatus=delivered";
  static const struct {
    const char *body, *reason; // a part of it
  } rows[] = {
      {"MessageSid=SM1&MessageStatus=odd\r\n", "lists the text at /MessageStatus"},
      {"MessageStatus=delivered&MessageSid=", "result without a usable id at /MessageSid"},
      {"MessageSid=SM1&MessageSid=SM2&MessageStatus=delivered", "result without a usable id at /MessageSid"},
      {"MessageSid=%zz", "not a form: "},
      {"MessageSid=%", "not a form: "},
      {"MessageSid=\xff&MessageStatus=delivered", "not a form in UTF-8"},
      {"%ff=1&MessageStatus=delivered", "not a form in UTF-8"},
      {nul, "JSON that is not accepted"},
      {"{\"MessageSid\":", "not JSON: "},
      {"01012345678", "no kind of the provider file fits"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct framing framing = frame(forms, rows[i].body, strlen(rows[i].body));
    assert_int_equal(framing.n, 1);
    assert_int_equal(framing.elements[0].kind, FRAMING_QUARANTINED);
    assert_bytes(&framing.elements[0], rows[i].body);
    if (!strstr(framing.elements[0].reason, rows[i].reason)) fail_msg("%s", framing.elements[0].reason);
    assert_null(strstr(framing.elements[0].reason, "1012345678"));
    framing_fini(&framing);
  }
}

// Each byte of a body would take six in the event.
static void test_a_form_that_becomes_too_long_is_kept_as_it_was_sent(void **state) {
  enum { LEN = 40000 };
  AUTO_FREE char *body = mem_alloc(LEN + 1);
  memset(body, '\1', LEN);
  memcpy(body, "MessageSid=", 11);
  struct framing framing = frame(forms, body, LEN);
  assert_int_equal(framing.n, 1);
  assert_bytes(&framing.elements[0], body);
  assert_non_null(strstr(framing.elements[0].reason, "longer as JSON"));
  framing_fini(&framing);
}

static void test_the_answer_repeats_a_value_of_the_form(void **state) {
  static const char *const rows[][2] = {{"MessageSid=SM%221&MessageStatus=odd", "{\"got\":\"SM\\\"1\"}"},
                                        {"MessageStatus=odd", "{\"got\":\"\"}"},
                                        {"%", "{\"got\":\"\"}"}};
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct framing framing = frame(forms, rows[i][0], strlen(rows[i][0]));
    struct provider_ack ack = provider_ack(providers_at(forms, 0), framing_ack(&framing), framing.text.from,
                                           (size_t)(framing.text.to - framing.text.from));
    assert_string_equal(ack.body, rows[i][1]);
    free(ack.body);
    framing_fini(&framing);
  }
}

// What is quarantined by the processor is the object, and what redrive reads again.
static void test_what_was_made_of_a_form_is_read_again(void **state) {
  static const char body[] = "MessageSid=SM1&MessageStatus=delivered";
  struct framing first = frame(forms, body, strlen(body));
  struct framing again = frame(forms, first.elements[0].bytes, first.elements[0].len);
  assert_int_equal(again.elements[0].kind, FRAMING_RECEIPT);
  assert_string_equal(again.elements[0].id, first.elements[0].id);
  framing_fini(&again);
  framing_fini(&first);
}

// ---- JSON inside of a text

#define NOTIFICATION(message) "{\"Type\":\"Notification\",\"MessageId\":\"s1\", \"Message\": " message " }"
#define MAIL                  "\\\"mail\\\":{\\\"messageId\\\":\\\"m\\\\/1\\\"}"
#define OF_BODY(type, rest)                                                                                  \
  "{\"@body\":{\"Message\":{\"eventType\":\"" type "\",\"mail\":{\"messageId\":\"m/1\"}" rest                \
  "},\"MessageId\":\"s1\"},"

static void test_json_in_a_text_is_read_as_json(void **state) {
  static const struct {
    const char *message, *place, *bytes;
    size_t n;
  } rows[] = {
      {("\"{\\\"eventType\\\":\\\"Bounce\\\"," MAIL ",\\\"bounce\\\":{\\\"bounceType\\\":\\\"Permanent\\\","
        "\\\"bouncedRecipients\\\":[{\\\"emailAddress\\\":\\\"a\\\\u0040x.kr\\\"}]}}\""),
       "/Message/bounce/bouncedRecipients/0",
       OF_BODY("Bounce", ",\"bounce\":{\"bounceType\":\"Permanent\"}") "\"emailAddress\":\"a\\u0040x.kr\"}",
       1},
      {"\"{\\\"eventType\\\":\\\"Delivery\\\"," MAIL
       ",\\\"delivery\\\":{\\\"recipients\\\":[\\\"a@x.kr\\\",\\\"b@x.kr\\\"]}}\"",
       "/Message/delivery/recipients/0", OF_BODY("Delivery", "") "\"@element\":\"a@x.kr\"}", 2},
      // what is JSON already
      {"{\"eventType\":\"Delivery\",\"mail\":{\"messageId\":\"m/"
       "1\"},\"delivery\":{\"recipients\":[\"a@x.kr\"]}}",
       "/Message/delivery/recipients/0", OF_BODY("Delivery", "") "\"@element\":\"a@x.kr\"}", 1},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    AUTO_FREE char *body = mem_printf(NOTIFICATION("%s"), rows[i].message);
    struct framing framing = frame(texts, body, strlen(body));
    assert_int_equal(framing.n, rows[i].n);
    AUTO_FREE char *place = framing_place(providers_at(texts, 0), &framing.elements[0]);
    assert_string_equal(place, rows[i].place);
    assert_same_value(&framing.elements[0], rows[i].bytes);
    if (framing.elements[0].kind != FRAMING_RECEIPT) fail_msg("%s", framing.elements[0].reason);
    struct provider_ack ack = provider_ack(providers_at(texts, 0), framing_ack(&framing), framing.text.from,
                                           (size_t)(framing.text.to - framing.text.from));
    if (strcmp(ack.body, "{\"message\":\"m/1\"}") != 0 && strcmp(ack.body, "{\"message\":\"m\\/1\"}") != 0)
      fail_msg("%s", ack.body);
    free(ack.body);
    framing_fini(&framing);
  }
}

// One level only, and what is no JSON stays as it is.
static void test_a_text_that_is_no_json_stays_a_text(void **state) {
  static const char deep[] = "\"{\\\"eventType\\\":\\\"{\\\\\\\"a\\\\\\\":1}\\\"}\"";
  static const struct {
    const char *message, *kept; // what of it stands in the text that is cut
  } rows[] = {{"\"You have chosen\"", "\"You have chosen\""},
              {"\"{\\\"a\\\":\"", "\"{\\\"a\\\":\""},
              {"\"5\"", "\"5\""},
              {"\"{\\\"a\\\":\\\"\\\\u0000\\\"}\"", "\\u0000"},
              {"7", "7"},
              {deep, "{\"eventType\":\"{\\\"a\\\":1}\"}"}};
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    AUTO_FREE char *body = mem_printf(
        "{\"Type\":\"SubscriptionConfirmation\",\"MessageId\":\"s1\",\"Message\":%s}", rows[i].message);
    struct framing framing = frame(texts, body, strlen(body));
    assert_int_equal(framing.n, 1);
    assert_int_equal(framing.elements[0].kind, FRAMING_OTHER);
    assert_string_equal(framing.elements[0].id, "s1");
    if (!memmem(framing.text.from, (size_t)(framing.text.to - framing.text.from), rows[i].kept,
                strlen(rows[i].kept)))
      fail_msg("%.*s", (int)(framing.text.to - framing.text.from), framing.text.from);
    framing_fini(&framing);
  }
}

// Together with what is around it, it is nested too deeply: a fault of this element alone.
static void test_json_in_a_text_is_bounded_as_any_json_is(void **state) {
  AUTO_FREE char *deep = mem_alloc(2 * JSON_DEPTH_MAX + 8);
  memset(deep, '[', JSON_DEPTH_MAX);
  memset(deep + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
  AUTO_FREE char *body = mem_printf("{\"Type\":\"SubscriptionConfirmation\",\"Message\":\"%s\"}", deep);
  struct framing framing = frame(texts, body, strlen(body));
  assert_int_equal(framing.elements[0].kind, FRAMING_QUARANTINED);
  assert_non_null(strstr(framing.elements[0].reason, "nested deeper"));
  framing_fini(&framing);
}

int main(void) {
  forms = load("body-as-a-form");
  texts = load("json-in-a-text");
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_form_is_one_element_of_its_names),
      cmocka_unit_test(test_a_form_that_is_not_understood_is_kept_as_it_was_sent),
      cmocka_unit_test(test_a_form_that_becomes_too_long_is_kept_as_it_was_sent),
      cmocka_unit_test(test_the_answer_repeats_a_value_of_the_form),
      cmocka_unit_test(test_json_in_a_text_is_read_as_json),
      cmocka_unit_test(test_a_text_that_is_no_json_stays_a_text),
      cmocka_unit_test(test_json_in_a_text_is_bounded_as_any_json_is),
      cmocka_unit_test(test_what_was_made_of_a_form_is_read_again),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  providers_free(texts);
  providers_free(forms);
  return failed;
}
