// SPDX-License-Identifier: MIT
// Provider files: loading, and reading with the ones we ship. A case is a folder under schemas/examples:
// webhook/<provider>/<case>/{body,expected}.json (body.form, if it is a form) and
// acceptance/<provider>/<case>/{response,expected}.json. Only the keys that expected.json names are compared.
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/provider/framing.h"
#include "common/provider/provider.h"
#include "common/provider/provider_acceptance.h"
#include "common/provider/provider_answer.h"
#include "common/provider/provider_load.h"
#include "common/provider/provider_mask.h"
#include "common/provider/provider_read.h"
#include "common/provider/providers.h"
#include "tests/unit/support/faults.h"
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct providers *load_folder(const char *dir, struct err *err) {
  struct faults faults = {0};
  struct providers *loaded = providers_load(dir, &faults);
  faults_first(&faults, err);
  return loaded;
}

static struct providers *providers;

static json_t *read_json(const char *folder, const char *name) {
  AUTO_FREE char *path = mem_printf("%s/%s", folder, name);
  FILE *from = fopen(path, "re");
  if (!from) fail_msg("%s: cannot be opened", path);
  static char text[1 << 20];
  size_t len = fread(text, 1, sizeof text, from);
  fclose(from);
  struct err err = {0};
  json_t *value = json_parse(text, len, &err);
  if (!value) fail_msg("%s: %s", path, err.text);
  return value;
}

static int is_visible(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

// Calls `run` for <examples>/<what>/<provider>/<case>; returns how many cases there were.
static size_t each_case(const char *what, void run(const struct provider *provider, const char *folder)) {
  size_t n_cases = 0;
  AUTO_FREE char *root = mem_printf("%s/examples/%s", SCHEMAS_DIR, what);
  struct dirent **names, **cases;
  int n_names = scandir(root, &names, is_visible, alphasort);
  for (int i = 0; i < n_names; i++) {
    const struct provider *provider = providers_find(providers, names[i]->d_name);
    if (!provider) fail_msg("%s/%s: no such provider file", what, names[i]->d_name);
    AUTO_FREE char *of_provider = mem_printf("%s/%s", root, names[i]->d_name);
    int n = scandir(of_provider, &cases, is_visible, alphasort);
    for (int j = 0; j < n; j++, n_cases++) {
      AUTO_FREE char *folder = mem_printf("%s/%s", of_provider, cases[j]->d_name);
      run(provider, folder);
      free(cases[j]);
    }
    if (n >= 0) free(cases);
    free(names[i]);
  }
  if (n_names >= 0) free(names);
  return n_cases;
}

static json_t *text_or_null(const char *text) {
  return text ? json_string(text) : json_null();
}

static void compare(const char *folder, size_t nth, json_t *expected, const json_t *actual) {
  const char *key;
  json_t *want;
  json_object_foreach(expected, key, want) {
    const json_t *got = json_object_get(actual, key);
    if (got && json_equal(want, got)) continue;
    AUTO_FREE char *text = got ? json_text(got) : mem_strdup("nothing");
    AUTO_FREE char *wanted = json_text(want);
    fail_msg("%s: %zu: %s: expected %s, got %s", folder, nth, key, wanted, text);
  }
}

// ---- webhooks

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

// ---- send responses

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

// ---- what the provider files promise

static enum provider_outcome outcome_of(const char *code, bool *known, const char **scope) {
  struct err err = {0};
  struct provider_receipt receipt;
  AUTO_JSON *element = json_pack("{ss ss}", "msgKey", "k", "reportCode", code);
  assert_true(provider_read_receipt(providers_find(providers, "bizgo"), element, &receipt, &err));
  *known = receipt.known_code;
  *scope = receipt.scope;
  provider_receipt_fini(&receipt);
  return receipt.outcome;
}

static void assert_faults(const char *codes, const char *wanted_scope) {
  AUTO_FREE char *list = mem_strdup(codes);
  char *rest = list;
  for (char *code; (code = strsep(&rest, " "));) {
    bool known;
    const char *scope = NULL;
    if (outcome_of(code, &known, &scope) != OUTCOME_ACCOUNT_FAULT || strcmp(scope, wanted_scope) != 0)
      fail_msg("%s: expected an account fault of the %s, got %s", code, wanted_scope, scope ? scope : "none");
  }
}

static void test_bizgo_names_every_account_fault_and_whose_it_is(void **state) {
  static const char *const faults[][2] = {
      // the codes of a scope
      {"account", "64008 64009 64010 60162 60400 60500 60507 60512 61002 61011 50010 50006 50007 50008 50009 "
                  "50011 50012 50101 50202 33123 51911 51101 51102 55101 23032 33032 23036 23037 33036"},
      {"sender", "23018 33018 23019 33019 23023 33023 33115 33122"},
      {"profile", "64104 61003 61006 61007 61014 61016 61021 61022 61023 61024 61025 61027 73006 73007 33200 "
                  "42007 52099 55808 55819 60501 60508"},
      {"template", "64102 63015 72002 72007 72009 33121 55502 55818 52023 61033 63030 71007"},
  };
  for (size_t i = 0; i < COUNT_OF(faults); i++) assert_faults(faults[i][1], faults[i][0]);
}

static void test_bizgo_leaves_open_what_may_have_arrived(void **state) {
  static const char *const uncertain[] = {"63005", "6ME09", "55821", "56003", "41117",
                                          "70001", "64000", "64001", "64122", "56002"};
  bool known;
  const char *scope;
  for (size_t i = 0; i < COUNT_OF(uncertain); i++) {
    assert_int_equal(outcome_of(uncertain[i], &known, &scope), OUTCOME_UNCONFIRMED);
    assert_null(scope);
  }
  assert_int_equal(outcome_of("10000", &known, &scope), OUTCOME_DELIVERED);
}

static void test_what_concerns_one_message_of_bizgo_is_no_account_fault(void **state) {
  static const char *const single[] = {"22000", "23012", "23041", "63016", "63019", "64016",
                                       "50201", "42601", "69998", "90000", "77777"};
  bool known;
  const char *scope;
  for (size_t i = 0; i < COUNT_OF(single); i++) {
    assert_int_equal(outcome_of(single[i], &known, &scope), OUTCOME_FAILED);
    assert_null(scope);
  }
}

static bool is_about_recipient(const struct provider *provider, json_t *element) {
  struct err err = {0};
  struct provider_receipt receipt;
  assert_true(provider_read_receipt(provider, element, &receipt, &err));
  provider_receipt_fini(&receipt);
  json_decref(element);
  return receipt.about_recipient;
}

static void test_bizgo_says_which_codes_are_about_the_recipient(void **state) {
  static const char *const theirs[] = {"22003", "22004", "22005", "23001", "23003", "23004", "23006",
                                       "32003", "33001", "33101", "41200", "54001", "54003", "55817",
                                       "63008", "63019", "63020", "64016", "71004", "73002", "74002"};
  static const char *const not_theirs[] = {"10000", "22000", "22001", "23012", "23013", "23015", "33011",
                                           "54004", "63005", "63006", "63016", "64008", "69998", "77777"};
  const struct provider *bizgo = providers_find(providers, "bizgo");
  for (size_t i = 0; i < COUNT_OF(theirs); i++)
    if (!is_about_recipient(bizgo, json_pack("{ss ss}", "msgKey", "k", "reportCode", theirs[i])))
      fail_msg("%s is not", theirs[i]);
  for (size_t i = 0; i < COUNT_OF(not_theirs); i++)
    if (is_about_recipient(bizgo, json_pack("{ss ss}", "msgKey", "k", "reportCode", not_theirs[i])))
      fail_msg("%s is", not_theirs[i]);
}

static void test_only_10000_is_a_delivery_at_bizgo(void **state) {
  bool known;
  const char *scope;
  size_t listed = 0;
  for (int code = 0; code < 100000; code++) {
    char text[16];
    snprintf(text, sizeof text, "%05d", code);
    if (outcome_of(text, &known, &scope) == OUTCOME_DELIVERED) assert_int_equal(code, 10000);
    listed += known;
  }
  assert_in_range(listed, 570, 600);
}

// ---- limits

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

// A text of so many bytes; NULL: none.
static json_t *text_of(int bytes) {
  AUTO_FREE char *text = mem_printf("%0*d", bytes, 0);
  return bytes ? json_string(text) : NULL;
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

// ---- a format that exercises what the shipped files do not

static struct provider *provider_of(const char *name) {
  struct faults faults = {0};
  AUTO_JSON *document = read_json(SCHEMAS_DIR "/examples/provider/valid", name);
  struct provider *provider = provider_new(document, &faults);
  if (!provider) fail_msg("%s: %s", name, faults.list[0].text);
  faults_fini(&faults);
  return provider;
}

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
#define TEN      "0123456789"
#define FIFTY    TEN TEN TEN TEN TEN
#define N_250    FIFTY FIFTY FIFTY FIFTY FIFTY
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

static json_t *parsed(const char *text) {
  struct err err = {0};
  json_t *value = json_parse(text, strlen(text), &err);
  if (!value) fail_msg("%s: %s", text, err.text);
  return value;
}

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
  AUTO_FREE char *receipt =
      id_read(provider, "{\"batch_id\":\"b-1\",\"recipient\":\"821012345678\",\"status\":\"Delivered\"}");
  assert_string_equal(receipt, list[0].id);
  assert_null(strstr(receipt, "12345678"));
  for (size_t i = 0; i < n; i++) compare_narrowed(provider, "two recipients", response, &list[i], i);
  free(list);
  provider_free(provider);
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

#define KIND_WITH(name, ack)                                                                                 \
  "{\"name\":\"" name "\",\"kind\":\"other\",\"when\":{\"equals\":{\"/k\":[\"" name "\"]}}" ack "}"
#define ACKS                                                                                                 \
  "{\"provider\":\"acme\",\"webhook\":{\"elements\":\"\",\"kinds\":["                                        \
  "{\"name\":\"r\",\"kind\":\"receipt\",\"when\":{\"present\":[\"/c\"]},\"id\":\"/id\",\"code\":\"/"         \
  "c\",\"dedupe\":["                                                                                         \
  "\"/c\"]}," KIND_WITH("text", ",\"ack\":{\"status\":202,\"text\":\"OK\"}") "," KIND_WITH(                  \
      "empty",                                                                                               \
      ",\"ack\":{\"status\":204}") "," KIND_WITH("json", ",\"ack\":{\"status\":200,\"body\":{\"key\":\"${/"  \
                                                         "id}\"}}") "," KIND_WITH("plain",                   \
                                                                                  "") "],"                   \
                                                                                      "\"ack\":{\"status\":" \
                                                                                      "201,\"body\":{"       \
                                                                                      "\"all\":true}},"      \
                                                                                      "\"refused\":{"        \
                                                                                      "\"status\":503,"      \
                                                                                      "\"text\":\"no\"},"    \
                                                                                      "\"budget_ms\":"       \
                                                                                      "1000},\"outcomes\":{" \
                                                                                      "\"0\":{\"outcome\":"  \
                                                                                      "\"delivered\"}}}"

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
  AUTO_JSON *document = json_parse(ACKS, strlen(ACKS), &err);
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

static void test_a_file_says_when_its_provider_blocks_us_and_what_to_check_first(void **state) {
  struct provider *provider = provider_of("everything.json");
  assert_int_equal(provider_blocks(provider).failed_a_day, 1000);
  assert_int_equal(provider_blocks(provider).failed_in_a_row, 100);
  assert_int_equal(provider_expects(provider).silent_after_s, 900);
  assert_int_equal(json_array_size(provider_check_first(provider, "failing")), 2);
  assert_string_equal(json_string_value(json_array_get(provider_check_first(provider, "slow"), 0)),
                      "https://status.example.com");
  assert_null(provider_check_first(provider, "nothing"));
  provider_free(provider);
  provider = provider_of("least.json");
  assert_int_equal(provider_blocks(provider).failed_a_day, 0);
  assert_int_equal(provider_blocks(provider).failed_in_a_row, 0);
  assert_null(provider_check_first(provider, "silent"));
  provider_free(provider);
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

static void test_times_not_given_are_the_documented_ones(void **state) {
  struct provider *provider = provider_of("least.json");
  assert_int_equal(provider_expects(provider).receipt_within_s, 300);
  assert_int_equal(provider_expects(provider).expires_after_s, 259200);
  assert_int_equal(provider_expects(provider).unconfirmed_within_s, 259200);
  assert_int_equal(provider_expects(provider).silent_after_s, 600);
  provider_free(provider);
  provider = provider_of("whole-numbers-with-a-point.json");
  assert_int_equal(provider_budget_ms(provider), 1500);
  assert_int_equal(provider_deadline_ms(provider), 5000);
  provider_free(provider);
}

// ---- folders

static char *folder_with(const char *const (*files)[2], size_t n) {
  char *folder = mem_strdup("/tmp/dochak-providers-XXXXXX");
  assert_non_null(mkdtemp(folder));
  for (size_t i = 0; i < n; i++) {
    AUTO_FREE char *path = mem_printf("%s/%s", folder, files[i][0]);
    FILE *to = fopen(path, "we");
    assert_non_null(to);
    fputs(files[i][1], to);
    fclose(to);
  }
  return folder;
}

static void folder_remove(char *folder, const char *const (*files)[2], size_t n) {
  for (size_t i = 0; i < n; i++) {
    AUTO_FREE char *path = mem_printf("%s/%s", folder, files[i][0]);
    unlink(path);
  }
  rmdir(folder);
  free(folder);
}

static void expect_folder_fault(const char *const (*files)[2], size_t n, const char *fault) {
  struct err err = {0};
  char *folder = folder_with(files, n);
  assert_null(load_folder(folder, &err));
  if (!strstr(err.text, fault) || !strstr(err.text, folder)) fail_msg("%s", err.text);
  folder_remove(folder, files, n);
}

static void test_a_folder_that_cannot_be_loaded_says_which_file_and_why(void **state) {
  AUTO_JSON *least = read_json(SCHEMAS_DIR "/examples/provider/valid", "least.json");
  AUTO_FREE char *good = json_text(least);
  AUTO_FREE char *large = mem_alloc((1 << 20) + 2);
  memset(large, ' ', (1 << 20) + 1);
  const char *const twice[][2] = {{"a.json", good}, {"b.json", good}};
  const char *const broken[][2] = {{"a.json", "{"}};
  const char *const wrong[][2] = {{"a.json", "{}"}};
  const char *const long_one[][2] = {{"a.json", large}};
  json_object_set_new(json_object_get(least, "webhook"), "suffixes", json_pack("{ss}", "/x/*", "nobody"));
  AUTO_FREE char *lonely = json_text(least);
  const char *const unknown[][2] = {{"a.json", lonely}};
  const char *const none[][2] = {{"a.yaml", good}, {".hidden.json", "{"}};
  expect_folder_fault(twice, 2, "b.json: /provider: \"acme\" is already taken by ");
  expect_folder_fault(broken, 1, "a.json: ");
  expect_folder_fault(wrong, 1, "a.json: expected a key \"provider\"");
  expect_folder_fault(long_one, 1, "a.json: expected 1048576 bytes at most");
  expect_folder_fault(unknown, 1, "a.json: /webhook/suffixes: /x/*: \"nobody\" is none of acme");
  expect_folder_fault(none, 2, "expected provider files (*.json), found none");
  struct err err = {0};
  assert_null(load_folder("/nowhere/at/all", &err));
  assert_string_equal(err.text, "/nowhere/at/all: No such file or directory");
}

static void test_a_folder_replaces_the_built_in_files(void **state) {
  struct err err = {0};
  AUTO_JSON *least = read_json(SCHEMAS_DIR "/examples/provider/valid", "least.json");
  AUTO_FREE char *good = json_text(least);
  const char *const files[][2] = {{"anything.json", good}};
  char *folder = folder_with(files, 1);
  struct providers *loaded = load_folder(folder, &err);
  assert_non_null(loaded);
  assert_string_equal(provider_name(providers_find(loaded, "acme")), "acme");
  assert_null(providers_find(loaded, "bizgo"));
  providers_free(loaded);
  folder_remove(folder, files, 1);
}

static void test_a_suffix_behind_the_url_belongs_to_another_file(void **state) {
  static const struct {
    const char *path;
    size_t len; // 0: no suffix
  } cases[] = {
      {"bizgo/alimtalk/cstalk/message", 14},
      {"bizgo/alimtalk/0123456789abcdef/cstalk/seen_info", 31},
      {"bizgo/cstalk/x/cstalk/y", 14},
      {"bizgo/alimtalk", 0},
      {"bizgo/alimtalk/cstalk", 0},
      {"bizgo/alimtalk/cstalk/", 0},
      {"bizgo/alimtalk/cstalk/a/b", 0},
      {"bizgo/alimtalk/xcstalk/message", 0},
      {"/cstalk/message", 0}, // behind no URL
      {"", 0},
  };
  const struct provider *bizgo = providers_find(providers, "bizgo");
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    size_t len = 0;
    const struct provider_suffix *suffix = provider_suffix_find(bizgo, cases[i].path, &len);
    if (len != cases[i].len || !suffix != !cases[i].len) fail_msg("%s: %zu", cases[i].path, len);
    if (suffix) assert_string_equal(provider_name(suffix->provider), "bizgo-counsel");
    assert_null(provider_suffix_find(providers_find(providers, "blux"), cases[i].path, &len));
  }
}

static void test_one_slash_behind_a_suffix_is_ignored_and_no_part_is_empty(void **state) {
  const struct provider *bizgo = providers_find(providers, "bizgo");
  size_t len = 0;
  assert_non_null(provider_suffix_find(bizgo, "bizgo/alimtalk/cstalk/message/", &len));
  assert_int_equal(len, 14);
  assert_null(provider_suffix_find(bizgo, "bizgo/alimtalk/cstalk/message//", &len));
  assert_null(provider_suffix_find(bizgo, "bizgo/alimtalk/cstalk//", &len));
}

static void test_a_suffix_without_a_star_is_the_path_itself(void **state) {
  struct err err = {0};
  AUTO_JSON *document = read_json(SCHEMAS_DIR "/examples/provider/valid", "everything.json");
  AUTO_JSON *replies = json_deep_copy(document);
  json_object_set_new(replies, "provider", json_string("acme-replies"));
  json_object_del(json_object_get(replies, "webhook"), "suffixes");
  AUTO_FREE char *first = json_text(document), *second = json_text(replies);
  const char *const files[][2] = {{"a.json", first}, {"b.json", second}};
  char *folder = folder_with(files, 2);
  struct providers *loaded = load_folder(folder, &err);
  if (!loaded) fail_msg("%s", err.text);
  size_t len = 0;
  const struct provider *acme = providers_find(loaded, "acme");
  assert_ptr_equal(provider_suffix_find(acme, "x/v2/status", &len)->provider, acme);
  assert_int_equal(len, 1);
  assert_ptr_equal(provider_suffix_find(acme, "x/replies/9", &len)->provider,
                   providers_find(loaded, "acme-replies"));
  assert_null(provider_suffix_find(acme, "x/v2/status/y", &len));
  assert_null(provider_suffix_find(acme, "x/v2/statu", &len));
  providers_free(loaded);
  folder_remove(folder, files, 2);
}

static int load(void **state) {
  struct err err = {0};
  providers = load_folder("", &err);
  if (!providers) puts(err.text);
  return providers ? 0 : -1;
}

static int unload(void **state) {
  providers_free(providers);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_webhook_example_is_understood_as_it_says),
      cmocka_unit_test(test_every_send_response_example_is_read_as_it_says),
      cmocka_unit_test(test_a_response_that_would_grow_too_much_is_refused),
      cmocka_unit_test(test_bizgo_names_every_account_fault_and_whose_it_is),
      cmocka_unit_test(test_bizgo_leaves_open_what_may_have_arrived),
      cmocka_unit_test(test_what_concerns_one_message_of_bizgo_is_no_account_fault),
      cmocka_unit_test(test_an_account_fault_without_a_scope_is_the_accounts),
      cmocka_unit_test(test_only_what_did_not_arrive_can_be_about_the_recipient),
      cmocka_unit_test(test_a_file_says_when_its_provider_blocks_us_and_what_to_check_first),
      cmocka_unit_test(test_bizgo_says_which_codes_are_about_the_recipient),
      cmocka_unit_test(test_only_10000_is_a_delivery_at_bizgo),
      cmocka_unit_test(test_a_long_reason_is_cut_between_characters),
      cmocka_unit_test(test_a_text_is_taken_up_to_its_limit),
      cmocka_unit_test(test_the_code_of_a_refused_request_is_taken_up_to_its_limit),
      cmocka_unit_test(test_an_id_is_at_most_255_bytes_without_control_characters),
      cmocka_unit_test(test_an_answer_without_a_body_to_read_has_empty_fields),
      cmocka_unit_test(test_an_answer_has_room_for_whatever_it_repeats),
      cmocka_unit_test(test_a_body_that_is_not_understood_still_gets_its_key_back),
      cmocka_unit_test(test_the_recipient_is_masked_whatever_stands_there),
      cmocka_unit_test(test_an_element_with_nothing_to_mask_says_so),
      cmocka_unit_test(test_all_conditions_must_hold),
      cmocka_unit_test(test_the_first_place_with_a_usable_value_wins),
      cmocka_unit_test(test_an_id_of_several_parts_names_one_recipient),
      cmocka_unit_test(test_a_time_is_read_in_the_form_that_the_file_names),
      cmocka_unit_test(test_the_time_of_a_contact_is_in_milliseconds_unless_the_file_says_otherwise),
      cmocka_unit_test(test_true_and_false_are_values_like_texts),
      cmocka_unit_test(test_true_is_no_code_where_the_file_lists_none_such),
      cmocka_unit_test(test_a_send_response_may_say_true_and_false),
      cmocka_unit_test(test_a_code_that_is_not_listed_means_what_its_kind_says),
      cmocka_unit_test(test_a_code_may_differ_from_the_listed_one_as_the_file_says),
      cmocka_unit_test(test_a_response_names_each_recipient_as_the_receipts_do),
      cmocka_unit_test(test_all_lists_of_a_response_are_read),
      cmocka_unit_test(test_all_lists_of_a_response_are_masked),
      cmocka_unit_test(test_a_response_without_a_part_of_the_id_says_which),
      cmocka_unit_test(test_an_id_with_the_recipient_holds_no_number),
      cmocka_unit_test(test_whatever_tells_reports_apart_is_read),
      cmocka_unit_test(test_a_kind_has_an_ack_of_its_own),
      cmocka_unit_test(test_placeholders_anywhere_in_an_answer_are_filled),
      cmocka_unit_test(test_further_places_are_masked_whatever_stands_there),
      cmocka_unit_test(test_a_response_is_stored_without_numbers),
      cmocka_unit_test(test_a_response_about_one_recipient_is_stored_without_numbers),
      cmocka_unit_test(test_times_not_given_are_the_documented_ones),
      cmocka_unit_test(test_a_folder_that_cannot_be_loaded_says_which_file_and_why),
      cmocka_unit_test(test_a_folder_replaces_the_built_in_files),
      cmocka_unit_test(test_a_suffix_behind_the_url_belongs_to_another_file),
      cmocka_unit_test(test_one_slash_behind_a_suffix_is_ignored_and_no_part_is_empty),
      cmocka_unit_test(test_a_suffix_without_a_star_is_the_path_itself),
  };
  return cmocka_run_group_tests(tests, load, unload);
}
