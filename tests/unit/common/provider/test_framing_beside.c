// SPDX-License-Identifier: MIT
// What stands outside of an element and is read with it, with provider files of schemas/examples.
#include "common/base/mem.h"
#include "common/provider/framing.h"
#include "common/provider/provider_answer.h"
#include "common/provider/provider_load.h"
#include "common/provider/provider_mask.h"
#include "common/provider/provider_read.h"
#include "common/provider/providers.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

static struct providers *batches, *headers;

static struct providers *load(const char *path) {
  struct faults faults = {0};
  struct providers *loaded = providers_load_one(path, &faults);
  if (!loaded || faults.n) fail_msg("%s: %s", path, faults.n ? faults.list[0].text : "not read");
  return loaded;
}

// A head is a list of names and values.
static const char *header_of(const void *request, const char *name) {
  for (const char *const *at = request; *at; at += 2)
    if (strcasecmp(at[0], name) == 0) return at[1];
  return NULL;
}

static struct framing frame(const struct providers *of, const char *body, const char *const *head) {
  struct framing framing;
  const struct framing_head all = {header_of, head};
  framing_init(&framing, providers_at(of, 0), body, strlen(body), head ? &all : NULL);
  return framing;
}

static void assert_bytes(const struct framing_element *element, const char *bytes) {
  if (element->len != strlen(bytes) || memcmp(element->bytes, bytes, element->len) != 0)
    fail_msg("expected %s, got %.*s", bytes, (int)element->len, element->bytes);
}

// ---- the body and the levels

#define AROUND(status, code)                                                                                 \
  "{\"@body\":{\"type\":\"delivery_report_sms\",\"batch_id\":\"b1\"},\"@level1\":{\"status\":\"" status      \
  "\",\"code\":" code "},"
#define BATCH(statuses)                                                                                      \
  "{\"type\":\"delivery_report_sms\", \"batch_id\" : \"b1\",\"statuses\":[" statuses "]}"

static void test_an_element_has_what_stands_around_it(void **state) {
  struct framing framing = frame(
      batches,
      BATCH("{\"code\":402,\"status\":\"Failed\",\"count\":2,\"recipients\":[\"8210\",{\"to\" :7},{ }]},"
            "{\"code\":0,\"status\":\"Delivered\",\"recipients\":[\"8211\"]},"
            "{\"code\":0,\"status\":\"Queued\",\"count\":7}"),
      NULL);
  static const struct {
    const char *bytes;
    enum framing_kind kind;
  } rows[] = {
      {AROUND("Failed", "402") "\"@element\":\"8210\"}", FRAMING_RECEIPT},
      {AROUND("Failed", "402") "\"to\" :7}", FRAMING_QUARANTINED},
      {"{\"@body\":{\"type\":\"delivery_report_sms\",\"batch_id\":\"b1\"},"
       "\"@level1\":{\"status\":\"Failed\",\"code\":402} }",
       FRAMING_QUARANTINED},
      {AROUND("Delivered", "0") "\"@element\":\"8211\"}", FRAMING_RECEIPT},
      // It is in no level, and has the body's values.
      {"{\"@body\":{\"type\":\"delivery_report_sms\",\"batch_id\":\"b1\"},"
       "\"code\":0,\"status\":\"Queued\",\"count\":7}",
       FRAMING_OTHER},
  };
  assert_int_equal(framing.n, COUNT_OF(rows));
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    assert_bytes(&framing.elements[i], rows[i].bytes);
    assert_int_equal(framing.elements[i].kind, rows[i].kind);
  }
  framing_fini(&framing);
}

// The processor and replay read the event's bytes, and nothing else.
static void test_the_event_alone_gives_the_same_id(void **state) {
  struct framing framing =
      frame(batches, BATCH("{\"code\":402,\"status\":\"Failed\",\"recipients\":[\"821012345678\",\"8211\"]}"),
            NULL);
  for (size_t i = 0; i < framing.n; i++) {
    struct err err;
    struct provider_receipt receipt;
    const struct framing_element *element = &framing.elements[i];
    AUTO_JSON *value = json_parse(element->bytes, element->len, &err);
    if (!provider_read_receipt(providers_at(batches, 0), value, &receipt, &err)) fail_msg("%s", err.text);
    assert_string_equal(receipt.id, element->id);
    assert_string_equal(receipt.code, "402");
    assert_null(strstr(element->id, "1012345678"));
    provider_receipt_fini(&receipt);
    provider_mask_element(providers_at(batches, 0), value);
    AUTO_FREE char *stored = json_text(value);
    assert_null(strstr(stored, "1012345678"));
  }
  framing_fini(&framing);
}

// Each would be read in place of what stands outside.
static void test_an_element_cannot_bring_what_stands_outside_of_it(void **state) {
  static const char *const own[] = {"{\"@body\":{\"batch_id\":\"b9\"}}",
                                    "{\"@level1\":{\"status\":\"Delivered\"}}"};
  for (size_t i = 0; i < COUNT_OF(own); i++) {
    AUTO_FREE char *body = mem_printf(BATCH("{\"recipients\":[%s]}"), own[i]);
    struct framing framing = frame(batches, body, NULL);
    assert_int_equal(framing.n, 1);
    assert_int_equal(framing.elements[0].kind, FRAMING_QUARANTINED);
    assert_non_null(strstr(framing.elements[0].reason, "duplicate"));
    framing_fini(&framing);
  }
}

// A large value would be repeated with each element.
static void test_what_travels_with_elements_is_bounded(void **state) {
  enum { LEN = FRAMING_ADDED_MAX_BYTES, FEW = 1000 };
  AUTO_FREE char *large = mem_alloc(LEN + 1);
  memset(large, 'x', LEN);
  AUTO_FREE char *one = mem_printf("{\"batch_id\":\"%s\",\"statuses\":[{\"recipients\":[\"1\"]}]}", large);
  AUTO_FREE char *many = mem_alloc(LEN + 8 * FEW + 100);
  char *at = many + sprintf(many, "{\"batch_id\":\"%.*s\",\"statuses\":[{\"recipients\":[1", LEN / 8, large);
  for (size_t i = 1; i < FEW; i++) at = stpcpy(at, ",1");
  strcpy(at, "]}]}");
  const char *const bodies[] = {one, many};
  for (size_t i = 0; i < COUNT_OF(bodies); i++) {
    struct framing framing = frame(batches, bodies[i], NULL);
    assert_int_equal(framing.n, 1);
    assert_bytes(&framing.elements[0], bodies[i]);
    assert_non_null(strstr(framing.elements[0].reason, "outside of an element"));
    framing_fini(&framing);
  }
}

// The room in a record is that of a body and of what is added. So a body that is let in is never too large.
static void test_what_travels_with_an_element_does_not_make_it_too_large(void **state) {
  static const char body[] = BATCH("{\"status\":\"Failed\",\"code\":402,\"recipients\":[\"1\",\"8210\"]}");
  struct framing framing = frame(batches, body, NULL);
  size_t len = framing.elements[1].len;
  assert_true(len > sizeof "\"8210\"");
  assert_int_equal(framing_too_large(&framing, sizeof "\"8210\"" - 1), 0);
  framing.elements[1].len = 17 + FRAMING_ADDED_MAX_BYTES;
  assert_int_equal(framing_too_large(&framing, 17), 0);
  assert_int_equal(framing_too_large(&framing, 16), 2);
  framing_fini(&framing);
  framing_init_whole(&framing, "whole", 5, "x");
  assert_int_equal(framing_too_large(&framing, 5), 0);
  assert_int_equal(framing_too_large(&framing, 4), 1);
  framing_fini(&framing);
}

// Lists inside lists, of which the kind reads nothing but these places.
static struct framing frame_of(const char *id, const char *body, struct provider **provider) {
  struct err err;
  struct faults faults = {0};
  AUTO_FREE char *text =
      mem_printf("{\"provider\":\"p\",\"webhook\":{\"elements\":{\"levels\":[\"\",\"/b\"]},\"kinds\":["
                 "{\"name\":\"r\",\"kind\":\"receipt\",\"id\":\"%s\",\"code\":{\"value\":\"0\"},"
                 "\"dedupe\":[\"%s\"]}],\"ack\":{\"status\":200},\"refused\":{\"status\":401},"
                 "\"budget_ms\":1000},\"outcomes\":{\"0\":{\"outcome\":\"delivered\"}}}",
                 id, id);
  AUTO_JSON *document = json_parse(text, strlen(text), &err);
  *provider = document ? provider_new(document, &faults) : NULL;
  if (!*provider || faults.n) fail_msg("%s", faults.n ? faults.list[0].text : err.text);
  struct framing framing;
  framing_init(&framing, *provider, body, strlen(body), NULL);
  return framing;
}

static void test_an_empty_element_with_nothing_around_it_stays_as_it_is(void **state) {
  struct provider *provider;
  struct framing framing = frame_of("/@level1/id", "[{},{ },{\"id\":\"m\",\"b\":[{}]}]", &provider);
  assert_int_equal(framing.n, 3);
  assert_bytes(&framing.elements[0], "{}");
  assert_bytes(&framing.elements[1], "{ }");
  assert_non_null(strstr(framing.elements[1].reason, "without a usable id"));
  assert_bytes(&framing.elements[2], "{\"@level1\":{\"id\":\"m\"}}");
  assert_string_equal(framing.elements[2].id, "m");
  framing_fini(&framing);
  provider_free(provider);
}

static void test_a_list_in_a_list_is_read_by_its_places(void **state) {
  struct provider *provider;
  struct framing framing = frame_of("/@element/1", "[{\"b\":[[\"D\",\"m1\"],[\"D\",\"m2\"]]}]", &provider);
  assert_int_equal(framing.n, 2);
  assert_bytes(&framing.elements[0], "{\"@element\":[\"D\",\"m1\"]}");
  assert_string_equal(framing.elements[1].id, "m2");
  framing_fini(&framing);
  provider_free(provider);
}

// ---- headers

static const char *const result[] = {"X-Acme-Event-Name", "SINGLE-REPORT", "X-Acme-Event-Id", "e\"1", NULL};
#define RESULT "{\"@header\":{\"x-acme-event-name\":\"SINGLE-REPORT\",\"x-acme-event-id\":\"e\\\"1\"},"

static void test_a_header_is_a_condition_an_id_and_a_dedupe_value(void **state) {
  static const char *const group[] = {"x-acme-event-name", "GROUP-REPORT", "X-ACME-EVENT-ID", "e2", NULL};
  struct framing framing = frame(headers, "{\"data\":[{\"id\":\"m1\",\"code\":\"4000\"}]}", result);
  assert_bytes(&framing.elements[0], RESULT "\"id\":\"m1\",\"code\":\"4000\"}");
  assert_int_equal(framing.elements[0].kind, FRAMING_RECEIPT);
  AUTO_JSON *value = json_parse(framing.elements[0].bytes, framing.elements[0].len, NULL);
  struct provider_receipt receipt;
  assert_true(provider_read_receipt(providers_at(headers, 0), value, &receipt, NULL));
  assert_int_equal(receipt.n_dedupe, 2);
  assert_string_equal(receipt.dedupe[0], "e\"1");
  provider_receipt_fini(&receipt);
  framing_fini(&framing);
  framing = frame(headers, "{\"id\":\"g1\"}", group);
  assert_int_equal(framing.elements[0].kind, FRAMING_OTHER);
  assert_string_equal(framing.elements[0].id, "e2");
  framing_fini(&framing);
}

static void test_without_its_header_an_element_goes_to_quarantine(void **state) {
  static const char *const none[] = {NULL}, *const ill[] = {"x-acme-event-name", "SINGLE-REPORT\xff", NULL};
  static const char *const *const heads[] = {none, ill, NULL};
  for (size_t i = 0; i < COUNT_OF(heads); i++) {
    struct framing framing = frame(headers, "{\"id\":\"m1\",\"code\":\"4000\"}", heads[i]);
    assert_int_equal(framing.elements[0].kind, FRAMING_QUARANTINED);
    assert_bytes(&framing.elements[0], "{\"@header\":{},\"id\":\"m1\",\"code\":\"4000\"}");
    framing_fini(&framing);
  }
}

// Quarantine keeps the headers, and redrive reads them there.
static void test_what_is_quarantined_with_its_headers_is_understood_again(void **state) {
  struct framing framing = frame(headers, "{\"code\":\"4000\"}", result);
  assert_bytes(&framing.elements[0], RESULT "\"code\":\"4000\"}");
  assert_non_null(strstr(framing.elements[0].reason, "without a usable id"));
  framing_fini(&framing);
  struct provider_element element;
  AUTO_JSON *value = json_parse(RESULT "\"id\":\"m1\"}", strlen(RESULT "\"id\":\"m1\"}"), NULL);
  assert_true(provider_classify(providers_at(headers, 0), value, &element, NULL));
  assert_string_equal(element.kind_name, "result");
}

// The body is the second of the file's places for elements.
static void test_the_answer_repeats_a_value_of_the_first_of_several_reports(void **state) {
  static const char body[] = "[{\"code\":\"4000\"},{\"id\":\"m2\"},{\"id\":\"m3\"}]";
  struct provider_ack ack = provider_ack(providers_at(headers, 0), NULL, body, strlen(body));
  assert_string_equal(ack.body, "{\"id\":\"m2\"}");
  free(ack.body);
}

static void test_the_headers_of_a_file_are_listed_once(void **state) {
  assert_string_equal(provider_header(providers_at(headers, 0), 0), "x-acme-event-name");
  assert_string_equal(provider_header(providers_at(headers, 0), 1), "x-acme-event-id");
  assert_null(provider_header(providers_at(headers, 0), 2));
  assert_null(provider_header(providers_at(batches, 0), 0));
}

int main(void) {
  batches = load(SCHEMAS_DIR "/examples/provider/valid/what-stands-outside-of-an-element.json");
  headers = load(SCHEMAS_DIR "/examples/provider/valid/headers.json");
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_element_has_what_stands_around_it),
      cmocka_unit_test(test_the_event_alone_gives_the_same_id),
      cmocka_unit_test(test_an_element_cannot_bring_what_stands_outside_of_it),
      cmocka_unit_test(test_what_travels_with_elements_is_bounded),
      cmocka_unit_test(test_what_travels_with_an_element_does_not_make_it_too_large),
      cmocka_unit_test(test_an_empty_element_with_nothing_around_it_stays_as_it_is),
      cmocka_unit_test(test_a_list_in_a_list_is_read_by_its_places),
      cmocka_unit_test(test_a_header_is_a_condition_an_id_and_a_dedupe_value),
      cmocka_unit_test(test_without_its_header_an_element_goes_to_quarantine),
      cmocka_unit_test(test_what_is_quarantined_with_its_headers_is_understood_again),
      cmocka_unit_test(test_the_answer_repeats_a_value_of_the_first_of_several_reports),
      cmocka_unit_test(test_the_headers_of_a_file_are_listed_once),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  providers_free(headers);
  providers_free(batches);
  return failed;
}
