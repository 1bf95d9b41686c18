// SPDX-License-Identifier: MIT
// Reading elements, with the files that we ship and with others. A case is a folder under schemas/examples:
// webhook/<provider>/<case>/{body,expected}.json (body.form, if it is a form). Only the keys that
// expected.json names are compared.
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/provider/framing.h"
#include "common/provider/provider_answer.h"
#include "common/provider/provider_read.h"
#include "tests/unit/support/provider.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *time_shown(int64_t time_ms) {
  char text[CLOCK_RFC3339_SIZE];
  if (time_ms < 0) return json_null();
  clock_format_rfc3339(time_ms, text);
  return json_string(text);
}

static json_t *receipt_shown(const struct provider_receipt *receipt, const char *name) {
  json_t *dedupe = json_array();
  for (size_t i = 0; i < receipt->n_dedupe; i++)
    json_array_append_new(dedupe, json_string(receipt->dedupe[i]));
  return json_pack("{ss ss ss ss sb ss so sb so so so so so}", "kind", "receipt", "name", name, "id",
                   receipt->id, "outcome", provider_outcome_name(receipt->outcome), "about_recipient",
                   receipt->about_recipient, "code", receipt->code, "reason", text_or_null(receipt->reason),
                   "known_code", receipt->known_code, "channel", text_or_null(receipt->channel), "recipient",
                   text_or_null(receipt->recipient), "reference", text_or_null(receipt->reference), "time",
                   time_shown(receipt->time_ms), "dedupe", dedupe);
}

static json_t *consents_shown(const struct provider_contact *contact) {
  static const char *const names[] = {
      [CONSENT_NOT_SAID] = "not said", [CONSENT_GIVEN] = "given", [CONSENT_WITHDRAWN] = "withdrawn"};
  json_t *consents = json_object();
  for (size_t i = 0; i < contact->n_consents; i++)
    json_object_set_new(consents, contact->consents[i].name, json_string(names[contact->consents[i].is]));
  return consents;
}

static json_t *contact_shown(const struct provider_contact *contact, const char *name) {
  return json_pack("{ss ss ss so sb so so so so so}", "kind", "contact", "name", name, "id", contact->id,
                   "provider_id", text_or_null(contact->provider_id), "deleted", contact->is_deleted, "phone",
                   text_or_null(contact->phone), "email", text_or_null(contact->email), "consents",
                   consents_shown(contact), "version",
                   contact->has_version ? json_integer(contact->version) : json_null(), "time",
                   time_shown(contact->time_ms));
}

static json_t *element_shown(const struct provider *provider, const json_t *element) {
  struct err err = {0};
  struct provider_element read;
  if (!provider_classify(provider, element, &read, &err))
    return json_pack("{ss}", "not_understood", err.text);
  if (read.kind == PROVIDER_OTHER)
    return json_pack("{ss ss so}", "kind", "other", "name", read.kind_name, "id", text_or_null(read.id));
  struct provider_contact contact;
  if (read.kind == PROVIDER_CONTACT)
    return provider_read_contact(provider, element, &contact, &err)
               ? contact_shown(&contact, read.kind_name)
               : json_pack("{ss}", "not_understood", err.text);
  struct provider_receipt receipt;
  if (!provider_read_receipt(provider, element, &receipt, &err))
    return json_pack("{ss}", "not_understood", err.text);
  assert_string_equal(receipt.id, read.id);
  json_t *shown = receipt_shown(&receipt, read.kind_name);
  provider_receipt_fini(&receipt);
  return shown;
}

static void compare_ack(const char *folder, json_t *expected, struct provider_ack ack) {
  struct err err = {0};
  AUTO_JSON *body = ack.body && !ack.is_text ? json_parse(ack.body, strlen(ack.body), &err) : NULL;
  AUTO_JSON *shown =
      json_pack("{si sO* ss*}", "status", ack.status, "body", body, "text", ack.is_text ? ack.body : NULL);
  compare(folder, 0, expected, shown);
  assert_int_equal(json_object_size(expected), json_object_size(shown));
  free(ack.body);
}

// The body exactly as it was sent: of a form in body.form, else in body.json. New.
static char *read_body(const char *folder, size_t *len) {
  static const char *const names[] = {"body.form", "body.json"};
  char *body = NULL;
  for (size_t i = 0; !body && i < COUNT_OF(names); i++) {
    struct err err;
    AUTO_FREE char *path = mem_printf("%s/%s", folder, names[i]);
    body = file_read(path, 1 << 20, len, &err);
  }
  assert_non_null(body);
  return body;
}

// Headers of the request, where the case has them in headers.json: an object of names in lower case. New, or
// NULL.
static json_t *read_headers(const char *folder) {
  size_t len;
  struct err err;
  AUTO_FREE char *path = mem_printf("%s/headers.json", folder);
  AUTO_FREE char *text = file_read(path, 1 << 20, &len, &err);
  return text ? json_parse(text, len, &err) : NULL;
}

static const char *header_of(const void *headers, const char *name) {
  return json_string_value(json_object_get(headers, name));
}

static json_t *framed_shown(const struct provider *provider, const struct framing_element *element) {
  if (element->kind == FRAMING_QUARANTINED)
    return json_pack("{ss}", "not_understood",
                     element->reason + strlen("provider : ") + strlen(provider_name(provider)));
  AUTO_JSON *value = json_parse(element->bytes, element->len, NULL);
  return element_shown(provider, value);
}

static void run_webhook_case(const struct provider *provider, const char *folder) {
  size_t len;
  struct framing framing;
  AUTO_FREE char *body = read_body(folder, &len);
  AUTO_JSON *expected = read_json(folder, "expected.json");
  json_t *elements = json_object_get(expected, "elements");
  AUTO_JSON *headers = read_headers(folder);
  const struct framing_head head = {.header = header_of, .request = headers};
  framing_init(&framing, provider, body, len, &head);
  if (framing.n != json_array_size(elements)) fail_msg("%s: %zu elements", folder, framing.n);
  for (size_t i = 0; i < framing.n; i++) {
    AUTO_JSON *shown = framed_shown(provider, &framing.elements[i]);
    compare(folder, i, json_array_get(elements, i), shown);
  }
  compare_ack(folder, json_object_get(expected, "ack"),
              provider_ack(provider, framing_ack(&framing), framing.text.from,
                           (size_t)(framing.text.to - framing.text.from)));
  framing_fini(&framing);
}

static void test_every_webhook_example_is_understood_as_it_says(void **state) {
  assert_in_range(each_case("webhook", run_webhook_case), 30, 1000);
}

// ---- codes

static void test_an_account_fault_without_a_scope_is_the_accounts(void **state) {
  struct err err = {0};
  struct provider *provider = provider_of("account-fault-without-a-scope.json");
  struct provider_receipt receipt;
  AUTO_JSON *element = json_pack("{ss ss}", "id", "m1", "status", "no");
  assert_true(provider_read_receipt(provider, element, &receipt, &err));
  assert_string_equal(receipt.scope, "account");
  provider_receipt_fini(&receipt);
  provider_free(provider);
}

static void test_only_what_did_not_arrive_can_be_about_the_recipient(void **state) {
  static const struct {
    const char *code;
    bool about_recipient;
  } cases[] = {{"0", false}, {"1", true},  {"2", false}, {"3", false},
               {"4", true},  {"5", false}, {"6", false}};
  AUTO_JSON *document = read_json(SCHEMAS_DIR "/examples/provider/valid", "everything.json");
  const char *const odd[] = {"0", "2"}; // delivered, account_fault: --check warns
  for (size_t i = 0; i < COUNT_OF(odd); i++)
    json_object_set_new(json_object_get(json_object_get(document, "outcomes"), odd[i]), "about",
                        json_string("recipient"));
  struct faults faults = {0};
  struct provider *provider = provider_new(document, &faults);
  assert_int_equal(faults.n, 2);
  for (size_t i = 0; i < COUNT_OF(cases); i++)
    if (is_about_recipient(provider, json_pack("{ss ss ss}", "type", "sms", "status", cases[i].code, "id",
                                               "m")) != cases[i].about_recipient)
      fail_msg("%s", cases[i].code);
  faults_fini(&faults);
  provider_free(provider);
}

static void test_true_and_false_are_values_like_texts(void **state) {
  static const struct {
    const char *element;
    const char *code; // NULL: no receipt
    enum provider_outcome outcome;
    const char *dedupe[3];
  } cases[] = {
      {"{\"id\":\"m\",\"final\":true,\"ok\":true}", "true", OUTCOME_DELIVERED, {"m", "true", "true"}},
      {"{\"id\":\"m\",\"final\":true,\"ok\":false}", "false", OUTCOME_FAILED, {"m", "true", "false"}},
      {"{\"id\":\"m\",\"final\":\"true\",\"ok\":\"true\"}", "true", OUTCOME_DELIVERED, {"m", "true", "true"}},
      {"{\"id\":\"m\",\"final\":false,\"ok\":true}", NULL, OUTCOME_FAILED, {NULL}},
      {"{\"id\":true,\"final\":true,\"ok\":true}", NULL, OUTCOME_FAILED, {NULL}}, // no id
  };
  struct provider *provider = provider_of("true-and-false.json");
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct err err = {0};
    struct provider_receipt receipt = {0};
    AUTO_JSON *element = parsed(cases[i].element);
    bool read = provider_read_receipt(provider, element, &receipt, &err);
    if (read != !!cases[i].code) fail_msg("%s: %s", cases[i].element, err.text);
    if (!read) continue;
    assert_string_equal(receipt.code, cases[i].code);
    assert_int_equal(receipt.outcome, cases[i].outcome);
    assert_int_equal(receipt.n_dedupe, 3);
    for (size_t k = 0; k < 3; k++) assert_string_equal(receipt.dedupe[k], cases[i].dedupe[k]);
    provider_receipt_fini(&receipt);
  }
  provider_free(provider);
}

static void test_true_is_no_code_where_the_file_lists_none_such(void **state) {
  struct err err = {0};
  struct provider_receipt receipt = {0};
  AUTO_JSON *element = json_pack("{ss sb}", "msgKey", "k", "reportCode", true);
  assert_false(provider_read_receipt(providers_find(providers, "bizgo"), element, &receipt, &err));
  assert_string_equal(err.text, "report without a usable code at /reportCode");
}

static void test_a_code_that_is_not_listed_means_what_its_kind_says(void **state) {
  static const struct {
    const char *group, *code;
    enum provider_outcome outcome;
    bool known, about_recipient;
    const char *scope, *reason;
  } cases[] = {
      {"plain", "done", OUTCOME_DELIVERED, true, false, NULL, NULL},
      {"plain", "queued", OUTCOME_ON_ITS_WAY, true, false, NULL, NULL},
      {"plain", "sent", OUTCOME_ON_ITS_WAY, true, false, NULL, "with the operator"},
      {"plain", "new", OUTCOME_FAILED, false, false, NULL, "unknown code new"},
      {"doubtful", "new", OUTCOME_UNCONFIRMED, false, true, NULL, "the operator gave no known result"},
      {"doubtful", "bad", OUTCOME_FAILED, true, false, NULL, "refused"},
      {"doubtful", "done", OUTCOME_DELIVERED, true, false, NULL, NULL},
      {"account", "new", OUTCOME_ACCOUNT_FAULT, false, false, "sender", "the sender is not accepted"},
      {"pending", "new", OUTCOME_ON_ITS_WAY, false, false, NULL, NULL},
      {"pending", "bad", OUTCOME_FAILED, true, false, NULL, "refused"},
      {"failed", "new\",\"text\":\"busy", OUTCOME_FAILED, false, true, NULL, "busy"},
  };
  struct provider *provider = provider_of("on-its-way-and-otherwise.json");
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct err err = {0};
    struct provider_receipt receipt = {0};
    AUTO_FREE char *text =
        mem_printf("{\"id\":\"m\",\"group\":\"%s\",\"status\":\"%s\"}", cases[i].group, cases[i].code);
    AUTO_JSON *element = parsed(text);
    if (!provider_read_receipt(provider, element, &receipt, &err)) fail_msg("%s: %s", text, err.text);
    if (receipt.outcome != cases[i].outcome || receipt.known_code != cases[i].known ||
        receipt.about_recipient != cases[i].about_recipient ||
        strcmp(mem_or_empty(receipt.scope), mem_or_empty(cases[i].scope)) != 0 ||
        strcmp(mem_or_empty(receipt.reason), mem_or_empty(cases[i].reason)) != 0)
      fail_msg("%s: %s, %s", text, provider_outcome_name(receipt.outcome), receipt.reason);
    provider_receipt_fini(&receipt);
  }
  provider_free(provider);
}

static void test_a_code_may_differ_from_the_listed_one_as_the_file_says(void **state) {
  static const struct {
    const char *status, *both, *by_case, *by_zeros, *by_nothing; // the code as it is stored; NULL: not listed
  } cases[] = {
      {"\"Ok\"", "Ok", "Ok", "Ok", "Ok"}, {"\"OK\"", "Ok", "Ok", NULL, NULL},
      {"\"oK\"", "Ok", "Ok", NULL, NULL}, {"3", "03", NULL, "03", NULL},
      {"\"3\"", "03", NULL, "03", NULL},  {"\"0003\"", "03", NULL, "03", NULL},
      {"\"03\"", "03", "03", "03", "03"}, {"0", "0", "0", "0", "0"},
      {"\"00\"", "0", NULL, "0", NULL},   {"\"007\"", "7", NULL, "7", NULL},
      {"\"0A\"", "0a", "0a", NULL, NULL}, {"\"a\"", NULL, NULL, NULL, NULL}, // digits only
      {"30", NULL, NULL, NULL, NULL},     {"-3", NULL, NULL, NULL, NULL},
      {"\" 3\"", NULL, NULL, NULL, NULL},
  };
  static const char *const ignored[] = {"[\"case\",\"leading_zeros\"]", "[\"case\"]", "[\"leading_zeros\"]"};
  for (size_t k = 0; k <= COUNT_OF(ignored); k++) {
    struct faults faults = {0};
    AUTO_JSON *document = read_json(SCHEMAS_DIR "/examples/provider/valid", "codes-in-several-forms.json");
    json_object_del(document, "codes_ignore");
    if (k < COUNT_OF(ignored)) json_object_set_new(document, "codes_ignore", parsed(ignored[k]));
    struct provider *provider = provider_new(document, &faults);
    assert_non_null(provider);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
      const char *const wanted[] = {cases[i].both, cases[i].by_case, cases[i].by_zeros, cases[i].by_nothing};
      struct err err = {0};
      struct provider_receipt receipt = {0};
      AUTO_FREE char *text = mem_printf("{\"id\":\"m\",\"status\":%s}", cases[i].status);
      AUTO_JSON *element = parsed(text);
      if (!provider_read_receipt(provider, element, &receipt, &err)) fail_msg("%s: %s", text, err.text);
      if (receipt.known_code != !!wanted[k] || (wanted[k] && strcmp(receipt.code, wanted[k]) != 0))
        fail_msg("%s, %zu: %s", text, k, receipt.code);
      assert_string_equal(receipt.dedupe[1], receipt.code);
      assert_int_equal(receipt.n_dedupe, 2);
      const char *words = provider_code_reason(provider, receipt.code);
      if (wanted[k] && receipt.outcome != OUTCOME_DELIVERED) assert_string_equal(words, receipt.reason);
      provider_receipt_fini(&receipt);
    }
    provider_free(provider);
    faults_fini(&faults);
  }
}

// ---- texts

static const char *read_reason(const char *code, const char *text, struct provider_receipt *receipt) {
  struct err err = {0};
  AUTO_JSON *element = json_pack("{ss ss ss}", "msgKey", "k", "reportCode", code, "reportText", text);
  assert_true(provider_read_receipt(providers_find(providers, "bizgo"), element, receipt, &err));
  return receipt->reason;
}

static void test_a_long_reason_is_cut_between_characters(void **state) {
  char text[1001];
  for (size_t i = 0; i < 333; i++) memcpy(text + 3 * i, "알", 3);
  text[999] = '\0';
  struct provider_receipt receipt;
  assert_int_equal(strlen(read_reason("64008", text, &receipt)), 498); // 166 characters of 3 bytes
  provider_receipt_fini(&receipt);
  assert_int_equal(strlen(read_reason("77777", text, &receipt)),
                   500); // 20 bytes of ours, then 160 characters
  provider_receipt_fini(&receipt);
}

static void test_a_text_is_taken_up_to_its_limit(void **state) {
  static const struct {
    int id, code, channel; // bytes
    bool read, has_channel;
  } rows[] = {
      {255, 64, 64, true, true},  {256, 64, 64, false, false}, {255, 65, 64, false, false},
      {255, 64, 65, true, false}, {1, 1, 1, true, true},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct err err;
    struct provider_receipt receipt = {0};
    AUTO_JSON *element = json_pack("{so so so}", "msgKey", text_of(rows[i].id), "reportCode",
                                   text_of(rows[i].code), "serviceType", text_of(rows[i].channel));
    bool read = provider_read_receipt(providers_find(providers, "bizgo"), element, &receipt, &err);
    assert_int_equal(read, rows[i].read);
    assert_int_equal(receipt.channel != NULL, rows[i].has_channel);
    provider_receipt_fini(&receipt);
  }
}

static void test_whatever_tells_reports_apart_is_read(void **state) {
  static const struct {
    const char *element, *dedupe; // joined by a bar
  } cases[] = {
      {"{\"id\":\"m\",\"status\":\"ok\",\"part\":\"1\"}", "1|ok"},
      {"{\"id\":\"m\",\"status\":\"ok\",\"part\":1}", "1|ok"},
      {"{\"id\":\"m\",\"status\":\"ok\"}", "|ok"},
      {"{\"id\":\"m\",\"status\":\"ok\",\"part\":null}", "|ok"},
      {"{\"id\":\"m\",\"status\":\"ok\",\"part\":\"\"}", "|ok"},
      {"{\"id\":\"m\",\"status\":\"ok\",\"part\":1.5}", "1.5|ok"},
      {"{\"id\":\"m\",\"status\":\"ok\",\"part\":true}", "true|ok"},
      {"{\"id\":\"m\",\"status\":\"ok\",\"part\":false}", "false|ok"},
      {"{\"id\":\"m\",\"status\":\"ok\",\"part\":{ \"b\":[1, 2],\"a\":{}}}", "{\"a\":{},\"b\":[1,2]}|ok"},
      // The code stands elsewhere, so it is added.
      {"{\"id\":\"m\",\"result\":\"ok\",\"part\":\"1\"}", "1||ok"},
      {"{\"id\":\"m\",\"result\":7,\"status\":\"ok\",\"part\":\"1\"}", "1|ok|7"},
  };
  struct provider *provider = provider_of("dedupe-without-the-code.json");
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct err err = {0};
    struct provider_receipt receipt;
    AUTO_JSON *element = json_parse(cases[i].element, strlen(cases[i].element), &err);
    assert_true(provider_read_receipt(provider, element, &receipt, &err));
    char got[256] = "";
    for (size_t j = 0; j < receipt.n_dedupe; j++) {
      if (j) strcat(got, "|");
      strcat(got, receipt.dedupe[j]);
    }
    assert_string_equal(got, cases[i].dedupe);
    provider_receipt_fini(&receipt);
  }
  provider_free(provider);
}

// ---- times

#define AT "2026-01-12T02:00:03.000Z"

static void test_a_time_is_read_in_the_form_that_the_file_names(void **state) {
  static const struct {
    const char *form, *done, *read,
        *unread; // not read: NULL; unread: the place, NULL if nothing stands there
  } cases[] = {
      {"epoch_s", "1768183203", AT, NULL},
      {"epoch_s", "\"1768183203\"", AT, NULL},
      {"epoch_s", "\"2026-01-12T11:00:03\"", AT, NULL},
      {"epoch_s", "\"Mon, 12 Jan 2026 02:00:03 +0000\"", AT, NULL},
      {"epoch_s", "1768183203000", NULL, "/done"}, // milliseconds
      {"epoch_s", "253402300799", "9999-12-31T23:59:59.000Z", NULL},
      {"epoch_s", "253402300800", NULL, "/done"},
      {"epoch_s", "946684799", NULL, "/done"},
      {"epoch_s", "946684800", "2000-01-01T00:00:00.000Z", NULL},
      {"epoch_s", "0", NULL, "/done"},
      {"epoch_s", "-1", NULL, "/done"},
      {"epoch_s", "1768183203.5", NULL, "/done"},
      {"epoch_s", "\"1768183203s\"", NULL, "/done"},
      {"epoch_s", "true", NULL, "/done"},
      {"epoch_s", "{}", NULL, "/done"},
      {"epoch_s", "\"\"", NULL, NULL},
      {"epoch_s", "null", NULL, NULL},
      {"epoch_s", "\"\",\"sent\":1768183203", AT, NULL},
      {"epoch_s", "\"soon\",\"sent\":1768183203", AT, NULL},
      {"epoch_s", "null,\"sent\":\"soon\"", NULL, "/sent"},
      {"epoch_s", "\"soon\",\"sent\":\"soon\"", NULL, "/done"},
      {"epoch_ms", "1768183203123", "2026-01-12T02:00:03.123Z", NULL},
      {"epoch_ms", "\"1768183203000\"", AT, NULL},
      {"epoch_ms", "1768183203", NULL, "/done"}, // seconds
      {"yyyyMMddHHmmss", "20260112110003", AT, NULL},
      {"yyyyMMddHHmmss", "\"20260112110003\"", AT, NULL},
      {"yyyyMMddHHmmss", "\"2601121100\"", NULL, "/done"},
      {"yyMMddHHmm", "\"2601121100\"", "2026-01-12T02:00:00.000Z", NULL},
      {"yyMMddHHmm", "2601121100", "2026-01-12T02:00:00.000Z", NULL},
      {"yyMMddHHmm", "\"2026-01-12 11:00:03\"", AT, NULL},
      {"plain", "\"2026-01-12 11:00:03\"", AT, NULL},
      {"plain", "\"Mon, 12 Jan 2026 02:00:03 GMT\"", AT, NULL},
      {"plain", "1768183203", NULL, "/done"},
      {"plain", "\"20260112110003\"", NULL, "/done"},
  };
  struct provider *provider = provider_of("time-of-digits.json");
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct err err = {0};
    struct provider_receipt receipt;
    AUTO_FREE char *text = mem_printf("{\"form\":\"%s\",\"id\":\"m\",\"status\":\"ok\",\"done\":%s}",
                                      cases[i].form, cases[i].done);
    AUTO_JSON *element = parsed(text);
    assert_true(provider_read_receipt(provider, element, &receipt, &err));
    AUTO_JSON *shown = time_shown(receipt.time_ms);
    AUTO_JSON *wanted = text_or_null(cases[i].read);
    const char *unread = receipt.unread_time ? receipt.unread_time->text : NULL;
    if (!json_equal(shown, wanted) || strcmp(mem_or_empty(unread), mem_or_empty(cases[i].unread)) != 0)
      fail_msg("%s: %s, %s", text, json_string_value(shown), unread);
    provider_receipt_fini(&receipt);
  }
  provider_free(provider);
}

static void test_the_time_of_a_contact_is_in_milliseconds_unless_the_file_says_otherwise(void **state) {
  static const struct {
    const char *file, *element;
    int64_t time_ms;
    const char *unread;
  } cases[] = {
      {"time-of-digits.json", "{\"form\":\"person\",\"id\":1,\"done\":1768183203}", 1768183203000, NULL},
      {"time-of-digits.json", "{\"form\":\"person\",\"id\":1,\"done\":1768183203000}", -1, "/done"},
      {"everything.json", "{\"type\":\"user\",\"user\":{\"id\":1,\"changed_at\":5}}", 5, NULL},
      {"everything.json", "{\"type\":\"user\",\"user\":{\"id\":1,\"changed_at\":-5}}", -1,
       "/user/changed_at"},
      {"everything.json", "{\"type\":\"user\",\"user\":{\"id\":1,\"changed_at\":null}}", -1, NULL},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct err err = {0};
    struct provider_contact contact;
    struct provider *provider = provider_of(cases[i].file);
    AUTO_JSON *element = parsed(cases[i].element);
    assert_true(provider_read_contact(provider, element, &contact, &err));
    assert_int_equal(contact.time_ms, cases[i].time_ms);
    assert_string_equal(contact.unread_time ? contact.unread_time->text : "", mem_or_empty(cases[i].unread));
    provider_free(provider);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_webhook_example_is_understood_as_it_says),
      cmocka_unit_test(test_an_account_fault_without_a_scope_is_the_accounts),
      cmocka_unit_test(test_only_what_did_not_arrive_can_be_about_the_recipient),
      cmocka_unit_test(test_true_and_false_are_values_like_texts),
      cmocka_unit_test(test_true_is_no_code_where_the_file_lists_none_such),
      cmocka_unit_test(test_a_code_that_is_not_listed_means_what_its_kind_says),
      cmocka_unit_test(test_a_code_may_differ_from_the_listed_one_as_the_file_says),
      cmocka_unit_test(test_a_long_reason_is_cut_between_characters),
      cmocka_unit_test(test_a_text_is_taken_up_to_its_limit),
      cmocka_unit_test(test_whatever_tells_reports_apart_is_read),
      cmocka_unit_test(test_a_time_is_read_in_the_form_that_the_file_names),
      cmocka_unit_test(test_the_time_of_a_contact_is_in_milliseconds_unless_the_file_says_otherwise),
  };
  return cmocka_run_group_tests(tests, load_built_in, unload_built_in);
}
