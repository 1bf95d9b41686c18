// SPDX-License-Identifier: MIT
// What an event means, with the provider files we ship.
#include "common/base/mem.h"
#include "processor/rules/interpret.h"
#include "tests/unit/support/record.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const int64_t RECEIVED_MS = INT64_C(1778495026000);

static struct interpreter interpreter = {.recipient_key = "a-key-for-the-tests",
                                         .quarantine_topic = "dochak.quarantine"};

static struct fact read_event(const char *type, const char *provider, const char *value) {
  struct event ev = {
      .id = {{0x17}}, .type = type, .provider = provider, .endpoint = "e", .time_ms = RECEIVED_MS};
  struct fact fact;
  size_t len = strlen(value);
  char *bytes = mem_grow(NULL, len ? len : 1, 1); // as librdkafka has them: no NUL behind them
  memcpy(bytes, value, len);
  interpret_event(&interpreter, &ev, bytes, len, &fact);
  free(bytes);
  return fact;
}

static const struct {
  const char *value;
  enum signal_kind signal;
  const char *outcome, *reason, *scope;
} bizgo_receipts[] = {
    {"{\"msgKey\":\"k\",\"serviceType\":\"ALIMTALK\",\"reportCode\":\"10000\"}", SIGNAL_DELIVERED,
     "delivered", NULL, NULL},
    {"{\"msgKey\":\"k\",\"serviceType\":\"ALIMTALK\",\"reportCode\":\"64008\",\"resultMsg\":\"no "
     "permission\"}",
     SIGNAL_FAILED, "account_fault", "no permission", "account"},
    {"{\"msgKey\":\"k\",\"serviceType\":\"SMS\",\"reportCode\":\"23023\"}", SIGNAL_FAILED, "account_fault",
     "*", "sender"},
    {"{\"msgKey\":\"k\",\"serviceType\":\"ALIMTALK\",\"reportCode\":\"63005\",\"reportText\":\"\"}",
     SIGNAL_UNCONFIRMED, "unconfirmed", "*", NULL},
    {"{\"msgKey\":\"k\",\"serviceType\":\"ALIMTALK\",\"reportCode\":\"77777\"}", SIGNAL_FAILED, "failed",
     "unknown code 77777", NULL},
    {"{\"msgKey\":\"k\",\"serviceType\":\"SMS\",\"reportCode\":\"6ME10\"}", SIGNAL_FAILED, "failed",
     "unknown code 6ME10", NULL},
};

static void test_bizgo_codes_mean_what_the_provider_file_says(void **state) {
  for (size_t i = 0; i < COUNT_OF(bizgo_receipts); i++) {
    struct fact fact = read_event(EVENT_RECEIPT, "bizgo", bizgo_receipts[i].value);
    assert_int_equal(fact.type, FACT_RECEIPT);
    assert_int_equal(fact.signal.kind, bizgo_receipts[i].signal);
    assert_string_equal(fact.signal.outcome, bizgo_receipts[i].outcome);
    const char *reason = bizgo_receipts[i].reason, *scope = bizgo_receipts[i].scope;
    assert_string_equal(scope ? scope : "", fact.signal.scope ? fact.signal.scope : "");
    if (reason && *reason == '*')
      assert_non_null(fact.signal.reason); // the file's own words
    else if (reason)
      assert_string_equal(fact.signal.reason, reason);
    assert_non_null(fact.row_json);
    fact_fini(&fact);
  }
}

static void test_the_recipient_of_a_blux_event_is_masked_everywhere(void **state) {
  struct fact fact = read_event(
      EVENT_RECEIPT, "blux",
      "{\"event_type\":\"notification:sms:receive_failed\",\"payload\":{\"notification_id\":\"n1\","
      "\"phone_number\":\"01012345678\",\"status\":\"receive_failed\",\"received_at\":"
      "\"2026-05-11T10:23:45.123Z\",\"failed_reason\":\"blocked by 010-1234-5678\"}}");
  assert_int_equal(fact.type, FACT_RECEIPT);
  assert_string_equal(fact.id, "n1");
  assert_string_equal(fact.signal.channel, "SMS");
  assert_null(strstr(fact.row_json, "12345678"));
  assert_null(strstr(fact.signal.recipient, "12345678"));
  assert_null(strstr(fact.signal.reason, "1234-5678"));
  assert_memory_not_equal(fact.signal.recipient_hash, (uint8_t[PERSONAL_HASH_SIZE]){0}, PERSONAL_HASH_SIZE);
  assert_true(fact.signal.at == INT64_C(1778495025123));
  fact_fini(&fact);
}

static void test_a_number_that_nobody_can_hold_costs_no_receipt_and_is_kept(void **state) {
  static const char *const numbers[] = {"1e-20000", "1e200000", "-1e999"};
  for (size_t i = 0; i < COUNT_OF(numbers); i++) {
    AUTO_FREE char *bizgo = mem_printf(
        "{\"msgKey\":\"k\",\"serviceType\":\"SMS\",\"reportCode\":\"10000\",\"price\":%s}", numbers[i]);
    AUTO_FREE char *blux =
        mem_printf("{\"event_type\":\"notification:sms:received\",\"price\":%s,\"payload\":{"
                   "\"notification_id\":"
                   "\"n1\",\"phone_number\":\"01012345678\",\"received_at\":\"2026-05-11T10:23:45.123Z\"}}",
                   numbers[i]);
    AUTO_FREE char *kept = mem_printf("\"price\":\"%s\"", numbers[i]);
    struct fact plain = read_event(EVENT_RECEIPT, "bizgo", bizgo);
    struct fact masked = read_event(EVENT_RECEIPT, "blux", blux);
    assert_int_equal(plain.signal.kind, SIGNAL_DELIVERED);
    assert_int_equal(masked.signal.kind, SIGNAL_DELIVERED);
    if (!strstr(plain.row_json, kept) || !strstr(masked.row_json, kept)) fail_msg("%s", numbers[i]);
    fact_fini(&plain);
    fact_fini(&masked);
  }
}

static void test_the_same_receipt_has_the_same_id_and_another_channel_another(void **state) {
  struct fact a = read_event(EVENT_RECEIPT, "bizgo",
                             "{\"msgKey\":\"k\",\"serviceType\":\"ALIMTALK\",\"reportCode\":\"1\"}");
  struct fact b =
      read_event(EVENT_RECEIPT, "bizgo",
                 "{\"reportCode\":\"1\",\"serviceType\":\"ALIMTALK\",\"msgKey\":\"k\",\"carrier\":\"x\"}");
  struct fact c =
      read_event(EVENT_RECEIPT, "bizgo", "{\"msgKey\":\"k\",\"serviceType\":\"SMS\",\"reportCode\":\"1\"}");
  assert_memory_equal(&a.row_id, &b.row_id, sizeof a.row_id);
  assert_memory_not_equal(&a.row_id, &c.row_id, sizeof a.row_id);
  fact_fini(&a);
  fact_fini(&b);
  fact_fini(&c);
}

// By another program. Receipts that are stored must stay known.
static void test_receipt_ids_stay_what_they_were(void **state) {
  static const struct {
    const char *provider, *element, *id;
  } rows[] = {
      {"bizgo", "{\"msgKey\":\"k\",\"serviceType\":\"SMS\",\"reportCode\":\"10000\"}",
       "fe9ec489-d43b-576d-88f4-afafdb7d7fea"},
      {"bizgo", "{\"msgKey\":17,\"reportCode\":10000}", "9eae8427-2a41-5261-83d4-c95b9fbd5a74"},
      {"blux", "{\"event_type\":\"notification:sms:received\",\"payload\":{\"notification_id\":\"n1\"}}",
       "9b7fdbc0-f9d5-546f-935a-3f07d7a9a238"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct fact fact = read_event(EVENT_RECEIPT, rows[i].provider, rows[i].element);
    char id[UUID_TEXT_SIZE];
    uuid_format(fact.row_id, id);
    assert_string_equal(id, rows[i].id);
    fact_fini(&fact);
  }
}

static void test_what_the_application_says_wins_over_the_response(void **state) {
  struct fact fact = read_event(
      EVENT_ACCEPTED, "bizgo",
      "{\"notification_id\":\"k\",\"recipient\":\"+821012345678\",\"reference\":\"order-17\",\"response\":"
      "{\"code\":\"A000\",\"data\":{\"destinations\":[{\"to\":\"01099998888\",\"msgKey\":\"k\",\"code\":"
      "\"A000\",\"ref\":\"other\"}]}}}");
  assert_int_equal(fact.type, FACT_ACCEPTANCE);
  assert_int_equal(fact.signal.kind, SIGNAL_ACCEPTED);
  assert_string_equal(fact.signal.reference, "order-17");
  assert_string_equal(fact.signal.recipient, "+8210****5678");
  fact_fini(&fact);
}

static void test_an_acceptance_is_not_older_than_its_whole_life(void **state) {
  // Blux gives up after three days.
  static const struct {
    const char *accepted_at;
    int64_t at;
  } acceptances[] = {
      {"1970-01-01T00:00:00Z", RECEIVED_MS},        {"0001-01-01T00:00:00Z", RECEIVED_MS},
      {"2026-05-08T10:23:46Z", RECEIVED_MS},        {"2026-05-08T10:23:46.001Z", RECEIVED_MS - 259199999},
      {"2026-05-11T10:23:45Z", RECEIVED_MS - 1000}, {"2099-01-01T00:00:00Z", RECEIVED_MS},
  };
  for (size_t i = 0; i < COUNT_OF(acceptances); i++) {
    AUTO_FREE char *value =
        mem_printf("{\"notification_id\":\"k\",\"accepted_at\":\"%s\"}", acceptances[i].accepted_at);
    struct fact fact = read_event(EVENT_ACCEPTED, "blux", value), again = {0};
    if (fact.signal.at != acceptances[i].at) fail_msg("%s", acceptances[i].accepted_at);
    assert_true(interpret_stored(&interpreter, EVENT_ACCEPTED, "blux", fact.row_json, RECEIVED_MS, &again));
    assert_true(again.signal.at == fact.signal.at);
    fact_fini(&fact);
    fact_fini(&again);
  }
}

static void test_a_destination_the_send_api_refused_is_rejected(void **state) {
  struct fact fact = read_event(
      EVENT_ACCEPTED, "bizgo",
      "{\"notification_id\":\"k\",\"response\":{\"code\":\"A000\",\"data\":{\"destinations\":[{\"to\":"
      "\"01099998888\",\"msgKey\":\"k\",\"code\":\"A306\",\"result\":\"invalid to\"}]}}}");
  assert_int_equal(fact.signal.kind, SIGNAL_REJECTED);
  assert_string_equal(fact.signal.outcome, "rejected");
  assert_string_equal(fact.signal.code, "A306");
  assert_string_equal(fact.signal.reason, "invalid to");
  fact_fini(&fact);
}

static const struct {
  const char *type, *provider, *value;
} unclear_events[] = {
    {EVENT_RECEIPT, "nobody", "{}"},
    {EVENT_RECEIPT, NULL, "{}"},
    {EVENT_RECEIPT, "bizgo", "{\"msgKey\":\"k\"}"},
    {EVENT_RECEIPT, "bizgo", "not json"},
    {EVENT_RECEIPT, "bizgo", ""},
    {EVENT_ACCEPTED, "bizgo", "{}"},
    {EVENT_ACCEPTED, "bizgo", "{\"notification_id\":17}"},
    {EVENT_ACCEPTED, "bizgo", "{\"notification_id\":\"k\",\"response\":{}}"},
    {ALERT_DEAD_LETTERED, "bizgo", "{}"},
};

static void test_what_makes_no_sense_says_why(void **state) {
  for (size_t i = 0; i < COUNT_OF(unclear_events); i++) {
    struct fact fact =
        read_event(unclear_events[i].type, unclear_events[i].provider, unclear_events[i].value);
    if (fact.type != FACT_UNCLEAR || fact.why == NULL || *fact.why == '\0') fail_msg("case %zu", i);
    fact_fini(&fact);
  }
}

static void test_other_webhooks_are_counted_and_no_more(void **state) {
  struct fact fact = read_event(EVENT_OTHER, "bizgo", "{\"msgKey\":\"k\",\"serviceType\":\"MO\"}");
  assert_int_equal(fact.type, FACT_OTHER);
  fact_fini(&fact);
}

static const char failed_for_somebody[] =
    "{\"event_type\":\"notification:sms:receive_failed\",\"payload\":{\"notification_id\":\"n1\","
    "\"phone_number\":\"01012345678\",\"received_at\":\"2026-05-11T10:23:45.123Z\","
    "\"failed_reason\":\"blocked by 010-1234-5678, ann.b@x.kr\"}}";

static struct fact read_stored(const char *type, const char *provider, const char *value) {
  struct fact fact;
  bool understood = interpret_stored(&interpreter, type, provider, value, RECEIVED_MS, &fact);
  assert_int_equal(understood, fact_is_about_notification(&fact));
  assert_null(fact.signal.recipient); // what is left of it is no recipient
  return fact;
}

// But for the recipient.
static void assert_same_signal(const struct signal *a, const struct signal *b) {
  const char *const texts[][2] = {{a->outcome, b->outcome},
                                  {a->code, b->code},
                                  {a->reason, b->reason},
                                  {a->channel, b->channel},
                                  {a->reference, b->reference}};
  assert_int_equal(a->kind, b->kind);
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    assert_int_equal(texts[i][0] == NULL, texts[i][1] == NULL);
    if (texts[i][0]) assert_string_equal(texts[i][0], texts[i][1]);
  }
  assert_true(a->at == b->at && a->received_at == b->received_at);
  assert_true(a->receipt_within_ms == b->receipt_within_ms && a->expires_after_ms == b->expires_after_ms &&
              a->unconfirmed_within_ms == b->unconfirmed_within_ms);
}

static void test_a_stored_receipt_says_again_what_its_event_said(void **state) {
  struct fact first = read_event(EVENT_RECEIPT, "blux", failed_for_somebody);
  struct fact again = read_stored(EVENT_RECEIPT, "blux", first.row_json);
  assert_same_signal(&first.signal, &again.signal);
  fact_fini(&first);
  fact_fini(&again);
}

static void test_a_stored_account_fault_says_again_whose_it_is(void **state) {
  static const char element[] = "{\"msgKey\":\"k\",\"serviceType\":\"SMS\",\"reportCode\":\"23023\"}";
  struct fact fact;
  assert_true(interpret_stored(&interpreter, EVENT_RECEIPT, "bizgo", element, RECEIVED_MS, &fact));
  assert_string_equal(fact.signal.outcome, "account_fault");
  assert_string_equal(fact.signal.scope, "sender");
  fact_fini(&fact);
}

// ---- times ----

// A clock of the provider's that runs ahead moves no deadline.
static void test_nothing_was_so_after_it_was_received(void **state) {
  static const struct {
    const char *at;
    int64_t expected;
  } rows[] = {{"2026-05-11T10:23:45.999Z", RECEIVED_MS - 1},
              {"2026-05-11T10:23:46.001Z", RECEIVED_MS},
              {"2199-01-01T00:00:00.000Z", RECEIVED_MS},
              {"1970-01-01T00:00:00.000Z", 0},
              {"yesterday", RECEIVED_MS}};
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    AUTO_FREE char *value = mem_printf("{\"event_type\":\"notification:sms:received\",\"payload\":{"
                                       "\"notification_id\":\"n1\",\"received_at\":\"%s\"}}",
                                       rows[i].at);
    struct fact fact = read_event(EVENT_RECEIPT, "blux", value);
    if (fact.signal.at != rows[i].expected) fail_msg("%s: %lld", rows[i].at, (long long)fact.signal.at);
    assert_true(fact.signal.received_at == RECEIVED_MS);
    fact_fini(&fact);
  }
}

// ---- what the watch and ingress write ----

#define DEADLINE "\"deadline\":\"2026-05-11T09:00:00Z\""
#define INCIDENT                                                                                             \
  "{\"incident_id\":\"5a8cfb1e-93b4-5f8a-9a56-0a4ea1c9b6aa\",\"kind\":\"silent\",\"provider\":\"bizgo\","    \
  "\"since\":\"2026-05-11T09:00:00Z\",\"judged_until\":\"2026-05-11T09:10:00Z\",\"summary\":\"s\"}"
#define MINUTE                                                                                               \
  "{\"minute\":\"2026-05-11T10:22:00Z\",\"instance\":\"i\",\"calls\":17,\"good\":12,\"refused\":{\"ip\":3}," \
  "\"failed\":2,\"failed_in_a_row\":1,\"spooled\":0,\"spooled_since\":null,\"leaving\":false}"

static void test_a_deadline_that_has_passed_is_a_signal_of_its_time(void **state) {
  static const char value[] = "{\"provider\":\"bizgo\",\"notification_id\":\"k\"," DEADLINE "}";
  static const struct {
    const char *type;
    enum signal_kind kind;
    const char *outcome, *reason, *counted;
  } rows[] = {{EVENT_OVERDUE, SIGNAL_OVERDUE, NULL, NULL, "overdue"},
              {EVENT_EXPIRED, SIGNAL_EXPIRED, "expired", "no receipt in time", "expired"}};
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct fact fact = read_event(rows[i].type, "bizgo", value);
    assert_int_equal(fact.type, FACT_DEADLINE);
    assert_true(fact_is_about_notification(&fact));
    assert_string_equal(fact.provider, "bizgo");
    assert_string_equal(fact.id, "k");
    assert_int_equal(fact.signal.kind, rows[i].kind);
    assert_true(fact.signal.at == INT64_C(1778490000000) && fact.signal.received_at == RECEIVED_MS);
    assert_string_equal(fact.signal.outcome ? fact.signal.outcome : "",
                        rows[i].outcome ? rows[i].outcome : "");
    assert_string_equal(fact.signal.reason ? fact.signal.reason : "", rows[i].reason ? rows[i].reason : "");
    assert_string_equal(fact_outcome(&fact), rows[i].counted);
    assert_memory_equal(&fact.row_id, &fact.ev.id, sizeof fact.row_id);
    fact_fini(&fact);
  }
}

static void test_a_deadline_takes_ids_up_to_their_length(void **state) {
  for (int len = PROVIDER_ID_MAX; len <= PROVIDER_ID_MAX + 1; len++) {
    AUTO_FREE char *value = mem_printf("{\"notification_id\":\"%0*d\"," DEADLINE "}", len, 0);
    struct fact fact = read_event(EVENT_OVERDUE, "bizgo", value);
    assert_int_equal(fact.type, len == PROVIDER_ID_MAX ? FACT_DEADLINE : FACT_UNCLEAR);
    fact_fini(&fact);
  }
}

static void test_an_incident_is_read_from_each_of_its_types(void **state) {
  static const struct {
    const char *type, *kind;
    bool opens;
  } rows[] = {
      {EVENT_FAILING, "failing", true},   {EVENT_SILENT, "silent", true},
      {EVENT_SLOW, "slow", true},         {EVENT_PROVIDER_GOOD, "silent", false},
      {EVENT_REFUSING, "refusing", true}, {EVENT_UNREACHABLE, "unreachable", true},
      {EVENT_AT_RISK, "at_risk", true},   {EVENT_ENDPOINT_GOOD, "at_risk", false},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    AUTO_FREE char *value =
        mem_printf("{\"incident_id\":\"5a8cfb1e-93b4-5f8a-9a56-0a4ea1c9b6aa\",\"kind\":\"%s\","
                   "\"since\":\"2026-05-11T09:00:00Z\",\"judged_until\":\"2026-05-11T09:10:00Z\"}",
                   rows[i].kind);
    struct fact fact = read_event(rows[i].type, NULL, value); // it may be of no provider
    if (fact.type != FACT_INCIDENT) fail_msg("%s: %s", rows[i].type, fact.why);
    assert_string_equal(incident_kind_name(fact.incident->kind), rows[i].kind);
    assert_int_equal(fact.incident->opens, rows[i].opens);
    assert_string_equal(fact_outcome(&fact), "incident");
    assert_false(fact_is_about_notification(&fact));
    fact_fini(&fact);
  }
}

static void test_a_minute_of_ingress_is_about_the_endpoint_in_its_header(void **state) {
  struct fact fact = read_event(EVENT_MINUTE, "bizgo", MINUTE);
  assert_int_equal(fact.type, FACT_MINUTE);
  assert_true(fact.minute->calls == 17 && fact.minute->refused == 3);
  assert_string_equal(fact_outcome(&fact), "minute");
  assert_false(fact_is_about_notification(&fact));
  fact_fini(&fact);
  const struct event nowhere = {.type = EVENT_MINUTE, .provider = "bizgo", .time_ms = RECEIVED_MS};
  interpret_event(&interpreter, &nowhere, MINUTE, strlen(MINUTE), &fact);
  assert_int_equal(fact.type, FACT_UNCLEAR);
  assert_string_equal(fact.why, "ce_endpoint is missing");
  fact_fini(&fact);
}

static void test_what_the_watch_did_not_write_is_unclear(void **state) {
  static const struct {
    const char *type, *provider, *value, *why;
  } rows[] = {
      {EVENT_OVERDUE, "nobody", "{\"notification_id\":\"k\"," DEADLINE "}", "no provider file"},
      {EVENT_OVERDUE, NULL, "{\"notification_id\":\"k\"," DEADLINE "}", "no provider file"},
      {EVENT_OVERDUE, "bizgo", "{" DEADLINE "}", "/notification_id"},
      {EVENT_EXPIRED, "bizgo", "{\"notification_id\":\"\"," DEADLINE "}", "/notification_id"},
      {EVENT_EXPIRED, "bizgo", "{\"notification_id\":\"k\"}", "/deadline"},
      {EVENT_EXPIRED, "bizgo", "{\"notification_id\":\"k\",\"deadline\":\"soon\"}", "/deadline"},
      {EVENT_EXPIRED, "bizgo", "[]", "/notification_id"},
      {EVENT_EXPIRED, "bizgo", "not JSON", "not JSON"},
      {EVENT_SILENT, "bizgo", "{}", "/kind"},
      {EVENT_SLOW, "bizgo", INCIDENT, "does not belong to the event's type"},
      {EVENT_ENDPOINT_GOOD, "bizgo", INCIDENT, "does not belong to the event's type"},
      {EVENT_SILENT, "bizgo", "not JSON", "not JSON"},
      {EVENT_MINUTE, "bizgo", "{}", "/instance"},
      {EVENT_MINUTE, "bizgo", "", "empty"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct fact fact = read_event(rows[i].type, rows[i].provider, rows[i].value);
    if (fact.type != FACT_UNCLEAR || !strstr(fact.why, rows[i].why))
      fail_msg("case %zu: %d, %s", i, fact.type, fact.why);
    assert_string_equal(fact_outcome(&fact), "unclear");
    fact_fini(&fact);
  }
}

static void test_a_code_about_the_recipient_is_counted_apart(void **state) {
  static const struct {
    const char *code, *counted;
  } rows[] = {
      {"63019", "recipient_fault"}, {"64008", "account_fault"}, {"77777", "failed"}, {"10000", "delivered"}};
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    AUTO_FREE char *value =
        mem_printf("{\"msgKey\":\"k\",\"serviceType\":\"ALIMTALK\",\"reportCode\":\"%s\"}", rows[i].code);
    struct fact fact = read_event(EVENT_RECEIPT, "bizgo", value);
    assert_string_equal(fact_outcome(&fact), rows[i].counted);
    fact_fini(&fact);
  }
}

static void test_a_time_that_cannot_be_read_costs_only_itself_and_is_said(void **state) {
  static const struct {
    const char *time, *unread;
    bool is_arrival;
  } rows[] = {{"\"yesterday\"", "/reportTime", true},
              {"1768183203", "/reportTime", true},
              {"null", NULL, true},
              {"\"\"", NULL, true},
              {"\"2026-01-12T11:00:03+09:00\"", NULL, false}};
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    AUTO_FREE char *value =
        mem_printf("{\"msgKey\":\"k\",\"serviceType\":\"SMS\",\"reportCode\":\"10000\",\"reportTime\":%s}",
                   rows[i].time);
    struct fact fact = read_event(EVENT_RECEIPT, "bizgo", value);
    assert_int_equal(fact.signal.kind, SIGNAL_DELIVERED);
    assert_int_equal(fact.signal.at == RECEIVED_MS, rows[i].is_arrival);
    assert_string_equal(fact.unread_time ? fact.unread_time->text : "", mem_or_empty(rows[i].unread));
    assert_string_equal(fact.kind_name, "report");
    fact_fini(&fact);
  }
}

// With the provider files of an example instead of ours.
static struct providers *load_example(const char *name) {
  struct faults faults = {0};
  char folder[] = "/tmp/dochak-interpret-XXXXXX";
  assert_non_null(mkdtemp(folder));
  AUTO_FREE char *file = mem_printf("%s/acme.json", folder);
  AUTO_FREE char *example = mem_printf("%s/examples/provider/valid/%s.json", SCHEMAS_DIR, name);
  assert_int_equal(symlink(example, file), 0);
  struct providers *loaded = providers_load(folder, &faults);
  if (!loaded) fail_msg("%s", faults.list[0].text);
  faults_fini(&faults);
  unlink(file);
  rmdir(folder);
  return loaded;
}

#define STATUS(group, status) "{\"id\":\"m\",\"group\":\"" group "\",\"status\":\"" status "\"}"

static void test_what_is_on_its_way_is_counted_and_says_nothing(void **state) {
  static const struct {
    const char *value;
    enum fact_type type;
    const char *outcome;     // as it is counted
    enum signal_kind signal; // of a receipt
  } rows[] = {
      {STATUS("plain", "queued"), FACT_OTHER, "other", SIGNAL_COUNT},
      {STATUS("pending", "new"), FACT_OTHER, "other", SIGNAL_COUNT},
      {STATUS("plain", "new"), FACT_RECEIPT, "failed", SIGNAL_FAILED},
      {STATUS("doubtful", "new"), FACT_RECEIPT, "unconfirmed", SIGNAL_UNCONFIRMED},
      {STATUS("doubtful", "done"), FACT_RECEIPT, "delivered", SIGNAL_DELIVERED},
      {STATUS("other", "queued"), FACT_UNCLEAR, "unclear", SIGNAL_COUNT},
  };
  const struct providers *ours = interpreter.providers;
  struct providers *theirs = load_example("on-its-way-and-otherwise");
  interpreter.providers = theirs;
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct fact fact = read_event(EVENT_RECEIPT, "acme", rows[i].value);
    assert_int_equal(fact.type, rows[i].type);
    assert_string_equal(fact_outcome(&fact), rows[i].outcome);
    assert_int_equal(fact_is_about_notification(&fact), fact.type == FACT_RECEIPT);
    if (fact.type == FACT_RECEIPT) assert_int_equal(fact.signal.kind, rows[i].signal);
    fact_fini(&fact);
  }
  interpreter.providers = ours;
  providers_free(theirs);
}

// It has counted as a result when it was stored, and the tables have no other outcome for it.
static void test_a_stored_receipt_that_is_on_its_way_by_today_s_file_is_unconfirmed(void **state) {
  const struct providers *ours = interpreter.providers;
  struct providers *theirs = load_example("on-its-way-and-otherwise");
  interpreter.providers = theirs;
  struct fact fact;
  assert_true(
      interpret_stored(&interpreter, EVENT_RECEIPT, "acme", STATUS("plain", "sent"), RECEIVED_MS, &fact));
  assert_int_equal(fact.type, FACT_RECEIPT);
  assert_int_equal(fact.signal.kind, SIGNAL_UNCONFIRMED);
  assert_string_equal(fact.signal.outcome, "unconfirmed");
  assert_string_equal(fact.signal.code, "sent");
  fact_fini(&fact);
  interpreter.providers = ours;
  providers_free(theirs);
}

#define IN_A_BATCH(batch)                                                                                    \
  "{\"@body\":{\"type\":\"delivery_report_sms\",\"batch_id\":\"" batch                                       \
  "\"},\"@level1\":{\"status\":\"Failed\",\"code\":402},\"@element\":\"821012345678\"}"

// What stands outside of the element travels and is stored with it.
static void test_what_stands_outside_of_an_element_is_read_again_from_what_is_stored(void **state) {
  const struct providers *ours = interpreter.providers;
  struct providers *theirs = load_example("what-stands-outside-of-an-element");
  interpreter.providers = theirs;
  struct fact first = read_event(EVENT_RECEIPT, "acme-batch", IN_A_BATCH("b1"));
  struct fact repeated = read_event(EVENT_RECEIPT, "acme-batch", IN_A_BATCH("b1"));
  struct fact other = read_event(EVENT_RECEIPT, "acme-batch", IN_A_BATCH("b2"));
  assert_int_equal(first.type, FACT_RECEIPT);
  assert_string_equal(first.signal.code, "402");
  assert_memory_equal(&first.row_id, &repeated.row_id, sizeof first.row_id);
  assert_memory_not_equal(&first.row_id, &other.row_id, sizeof first.row_id);
  assert_string_not_equal(first.id, other.id);
  assert_null(strstr(first.row_json, "1012345678"));
  struct fact again = read_stored(EVENT_RECEIPT, "acme-batch", first.row_json);
  assert_same_signal(&first.signal, &again.signal);
  struct fact *const facts[] = {&first, &repeated, &other, &again};
  for (size_t i = 0; i < COUNT_OF(facts); i++) fact_fini(facts[i]);
  interpreter.providers = ours;
  providers_free(theirs);
}

// By a file of before, the new members are of no consequence; by the new file, an old event lacks them.
static void test_events_from_before_and_after_a_rule_are_both_read(void **state) {
  static const char new[] =
      "{\"@header\":{\"x-acme-event-id\":\"e1\"},\"msgKey\":\"k\",\"serviceType\":\"SMS\","
      "\"reportCode\":\"10000\"}";
  struct fact fact = read_event(EVENT_RECEIPT, "bizgo", new);
  assert_int_equal(fact.type, FACT_RECEIPT);
  assert_string_equal(fact.id, "k");
  assert_int_equal(fact.signal.kind, SIGNAL_DELIVERED);
  fact_fini(&fact);
  const struct providers *ours = interpreter.providers;
  struct providers *theirs = load_example("what-stands-outside-of-an-element");
  interpreter.providers = theirs;
  fact = read_event(EVENT_RECEIPT, "acme-batch", "{\"code\":402}");
  assert_int_equal(fact.type, FACT_UNCLEAR);
  fact_fini(&fact);
  interpreter.providers = ours;
  providers_free(theirs);
}

// ---- lengths ----

static enum fact_type type_of_acceptance(const char *member, int len) {
  AUTO_FREE char *value = mem_printf("{\"notification_id\":\"k\",\"%s\":\"%0*d\"}", member, len, 0);
  struct fact fact = read_event(EVENT_ACCEPTED, "bizgo", value);
  enum fact_type type = fact.type;
  fact_fini(&fact);
  return type;
}

static enum fact_type type_of_id(int len) {
  AUTO_FREE char *value = mem_printf("{\"notification_id\":\"%0*d\"}", len, 0);
  struct fact fact = read_event(EVENT_ACCEPTED, "bizgo", value);
  enum fact_type type = fact.type;
  fact_fini(&fact);
  return type;
}

static void test_an_acceptance_is_taken_up_to_the_length_that_ingress_takes(void **state) {
  static const char *const members[] = {"channel", "recipient", "reference"};
  for (size_t i = 0; i < COUNT_OF(members); i++) {
    assert_int_equal(type_of_acceptance(members[i], 4 * 255), FACT_ACCEPTANCE);
    assert_int_equal(type_of_acceptance(members[i], 4 * 255 + 1), FACT_UNCLEAR);
  }
  assert_int_equal(type_of_id(PROVIDER_ID_MAX), FACT_ACCEPTANCE);
  assert_int_equal(type_of_id(PROVIDER_ID_MAX + 1), FACT_UNCLEAR);
}

// ---- records ----

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *rkm, void *opaque) {
  struct fact *fact = opaque;
  interpret(&interpreter, rkm, fact);
  fact->rkm = NULL; // is librdkafka's
}

static void test_a_record_is_read_by_its_topic_and_its_headers(void **state) {
  static const char receipt[] = "{\"msgKey\":\"k\",\"serviceType\":\"SMS\",\"reportCode\":\"10000\"}";
  static const struct event ev = {
      .type = EVENT_RECEIPT, .source = "/ingress/t", .subject = "k", .provider = "bizgo", .time_ms = 1000};
  static const struct {
    const char *topic;
    const struct event *ev;
    const char *value;
    enum fact_type type;
  } rows[] = {{"dochak.events", &ev, receipt, FACT_RECEIPT},
              {"dochak.events", &ev, NULL, FACT_UNCLEAR}, // a tombstone
              {"dochak.events", NULL, receipt, FACT_UNCLEAR},
              {"dochak.quarantine", &ev, receipt, FACT_QUARANTINED},
              {"dochak.quarantine", NULL, receipt, FACT_QUARANTINED}};
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    const struct record record = {.topic = rows[i].topic, .ev = rows[i].ev, .value = rows[i].value};
    struct fact fact = {0};
    record_give(&record, on_delivery, &fact);
    if (fact.type != rows[i].type) fail_msg("record %zu: %d, %s", i, fact.type, fact.why);
    assert_int_equal(fact.why != NULL, rows[i].type == FACT_UNCLEAR);
    assert_int_equal(fact.ev.type != NULL, rows[i].ev != NULL); // nothing half read remains
    fact_fini(&fact);
  }
}

static void test_each_record_is_counted_as_what_it_says(void **state) {
  static const struct {
    const char *type, *value;
    enum fact_type expected;
    const char *outcome;
  } cases[] = {
      {EVENT_RECEIPT, "{\"msgKey\":\"k\",\"serviceType\":\"SMS\",\"reportCode\":\"10000\"}", FACT_RECEIPT,
       "delivered"},
      {EVENT_RECEIPT, "{\"msgKey\":\"k\",\"serviceType\":\"ALIMTALK\",\"reportCode\":\"64008\"}",
       FACT_RECEIPT, "account_fault"},
      {EVENT_ACCEPTED, "{\"notification_id\":\"k\"}", FACT_ACCEPTANCE, "accepted"},
      {EVENT_ACCEPTED,
       "{\"notification_id\":\"k\",\"response\":{\"code\":\"A306\",\"result\":\"invalid to\"}}",
       FACT_ACCEPTANCE, "rejected"},
      {EVENT_OTHER, "{}", FACT_OTHER, "other"},
      {EVENT_RECEIPT, "{}", FACT_UNCLEAR, "unclear"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct fact fact = read_event(cases[i].type, "bizgo", cases[i].value);
    if (fact.type != cases[i].expected) fail_msg("case %zu: %d, %s", i, fact.type, fact.why);
    assert_string_equal(fact_outcome(&fact), cases[i].outcome);
    fact_fini(&fact);
  }
  assert_string_equal(fact_outcome(&(struct fact){.type = FACT_QUARANTINED}), "quarantined");
  assert_string_equal(fact_outcome(&(struct fact){.type = FACT_CONTACT}), "contact");
}

static void test_no_fact_beyond_the_count_is_released(void **state) {
  struct fact kept = {.why = mem_strdup("kept")};
  facts_release(&kept, 0);
  assert_string_equal(kept.why, "kept");
  fact_fini(&kept);
}

// ---- registrations ----

#define V2(code, text)                                                                                       \
  "\"response\":{\"common\":{\"authCode\":\"A000\"},\"data\":{\"code\":\"A000\",\"ref\":\"r-1\",\"data\":"   \
  "{\"destinations\":[{\"to\":\"01012345678\",\"msgKey\":\"k\",\"code\":\"" code "\",\"result\":\"" text     \
  "\"}]}}}}"

static const char *const registrations[] = {
    "{\"notification_id\":\"k\"}",
    "{\"notification_id\":\"k\",\"channel\":\"SMS\",\"recipient\":\"01012345678\",\"reference\":\"order-17\","
    "\"accepted_at\":\"2026-01-12T11:00:03+09:00\"}",
    "{\"notification_id\":\"k\",\"recipient\":\"+82 10 1234 5678\"," V2("A000", "ok"),
    "{\"notification_id\":\"k\"," V2("A306", "01012345678 is no number"),
    "{\"notification_id\":\"k\",\"response\":{\"code\":\"A305\",\"result\":\"to 010-1234-5678: "
    "no\",\"msgKey\":\"k\"}}",
};

static void test_a_stored_acceptance_says_again_what_its_event_said_and_has_no_number(void **state) {
  for (size_t i = 0; i < COUNT_OF(registrations); i++) {
    struct fact first = read_event(EVENT_ACCEPTED, "bizgo", registrations[i]);
    assert_non_null(first.row_json);
    if (strstr(first.row_json, "2345678") || strstr(first.row_json, "1234-5678"))
      fail_msg("%s", first.row_json);
    struct fact again = read_stored(EVENT_ACCEPTED, "bizgo", first.row_json);
    assert_same_signal(&first.signal, &again.signal);
    fact_fini(&first);
    fact_fini(&again);
  }
}

static void test_the_same_acceptance_has_the_same_id_and_another_recipient_another(void **state) {
  struct fact facts[] = {
      read_event(EVENT_ACCEPTED, "bizgo", "{\"notification_id\":\"k\",\"recipient\":\"01012345678\"}"),
      read_event(EVENT_ACCEPTED, "bizgo", "{\"notification_id\":\"k\",\"recipient\":\"010-1234-5678\"}"),
      read_event(EVENT_ACCEPTED, "bizgo", "{\"notification_id\":\"k\",\"recipient\":\"01012340000\"}"),
      read_event(EVENT_ACCEPTED, "bizgo", "{\"notification_id\":\"k\"}"),
      read_event(EVENT_ACCEPTED, "blux", "{\"notification_id\":\"k\"}"),
      read_event(EVENT_ACCEPTED, "blux", "{\"notification_id\":\"l\"}"),
  };
  for (size_t i = 0; i < COUNT_OF(facts); i++)
    for (size_t k = 0; k < i; k++)
      assert_int_equal(memcmp(&facts[i].row_id, &facts[k].row_id, sizeof facts[i].row_id) == 0, i == 1);
  for (size_t i = 0; i < COUNT_OF(facts); i++) fact_fini(&facts[i]);
}

static void test_what_is_stored_and_cannot_be_read_says_nothing(void **state) {
  struct fact receipt = read_stored(EVENT_RECEIPT, "blux", "{\"items\":[]}");
  struct fact acceptance =
      read_stored(EVENT_ACCEPTED, "bizgo", "{\"notification_id\":\"k\",\"response\":{}}");
  assert_int_equal(receipt.type, FACT_UNCLEAR);
  assert_int_equal(acceptance.type, FACT_UNCLEAR);
  fact_fini(&receipt);
  fact_fini(&acceptance);
}

static int load(void **state) {
  struct faults faults = {0};
  interpreter.providers = providers_load("", &faults);
  return interpreter.providers ? 0 : -1;
}

static int unload(void **state) {
  providers_free((struct providers *)(uintptr_t)interpreter.providers);
  return 0;
}

static void test_only_types_of_the_events_topic_are_understood_there(void **state) {
  static const struct {
    const char *type;
    enum fact_type expected;
    const char *why;
  } cases[] = {
      {EVENT_OTHER, FACT_OTHER, NULL},
      {ALERT_RECOVERED, FACT_UNCLEAR, "an event type that does not belong on this topic"},
      {"dochak.future.thing.v1", FACT_UNCLEAR,
       "an event type that this version does not know: dochak.future.thing.v1"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct fact fact = read_event(cases[i].type, "bizgo", "{}");
    assert_int_equal(fact.type, cases[i].expected);
    if (cases[i].why) assert_string_equal(fact.why, cases[i].why);
    fact_fini(&fact);
  }
}

// ---- contacts ----

#define USER(more)                                                                                           \
  "{\"event\":\"upsert\",\"type\":\"user\",\"entity\":{\"id\":\"own\",\"memberId\":\"m\",\"mobileNumber\":"  \
  "\"+821012345678\",\"email\":\"Hana@example.com\",\"unsubscribeEmail\":true,\"unsubscribeTexting\":"       \
  "null" more "}}"

static void test_a_contact_is_read_masked_and_hashed(void **state) {
  struct fact fact = read_event(EVENT_CONTACT, "channeltalk",
                                USER(",\"version\":9007199254740993,\"updatedAt\":1731393420123"));
  assert_int_equal(fact.type, FACT_CONTACT);
  assert_string_equal(fact.provider, "channeltalk");
  assert_string_equal(fact.id, "m");
  const struct contact_said *said = fact.contact;
  assert_false(said->is_delete);
  assert_string_equal(said->mark.provider_id, "own");
  assert_true(said->mark.has_version && said->mark.version == INT64_C(9007199254740993));
  assert_true(said->mark.at == INT64_C(1731393420123));
  assert_string_equal(said->details.phone, "+8210****5678");
  assert_string_equal(said->details.email, "H***@example.com");
  uint8_t hash[PERSONAL_HASH_SIZE];
  personal_hash(interpreter.recipient_key, "010-1234-5678", hash);
  assert_memory_equal(said->details.phone_hash, hash, sizeof hash);
  AUTO_FREE char *consents = json_text(said->details.consents);
  assert_string_equal(consents, "{\"email\":false}");
  assert_null(said->details.whole);
  fact_fini(&fact);
}

static void test_a_contact_is_read_whole_only_for_encryption(void **state) {
  interpreter.keeps_whole = true;
  struct fact fact = read_event(EVENT_CONTACT, "channeltalk", USER(""));
  struct fact gone = read_event(
      EVENT_CONTACT, "channeltalk",
      "{\"event\":\"delete\",\"type\":\"user\",\"entity\":{\"id\":\"own\",\"email\":\"hana@example.com\"}}");
  interpreter.keeps_whole = false;
  assert_string_equal(fact.contact->details.whole,
                      "{\"phone\":\"+821012345678\",\"email\":\"Hana@example.com\"}");
  assert_true(gone.contact->is_delete);
  assert_string_equal(gone.id, "own");
  assert_null(gone.contact->details.whole);
  assert_null(gone.contact->details.email);
  fact_fini(&fact);
  fact_fini(&gone);
}

static void test_a_contact_was_not_changed_after_it_was_received(void **state) {
  static const struct {
    const char *time;
    int64_t at;
  } rows[] = {{"1731393420123", INT64_C(1731393420123)},
              {"\"1731393420123\"", INT64_C(1731393420123)},
              {"\"2024-11-12T15:37:00.123+09:00\"", INT64_C(1731393420123)},
              {"0", 0},
              {"1778495025999", INT64_C(1778495025999)},
              {"1778495026001", RECEIVED_MS},
              {"9223372036854775807", RECEIVED_MS},
              {"92233720368547758070", RECEIVED_MS},
              {"-1", RECEIVED_MS},
              {"1.5", RECEIVED_MS},
              {"\"yesterday\"", RECEIVED_MS},
              {"null", RECEIVED_MS}};
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    AUTO_FREE char *value =
        mem_printf("{\"event\":\"upsert\",\"type\":\"user\",\"entity\":{\"id\":\"own\",\"updatedAt\":%s}}",
                   rows[i].time);
    struct fact fact = read_event(EVENT_CONTACT, "channeltalk", value);
    if (fact.type != FACT_CONTACT || fact.contact->mark.at != rows[i].at) fail_msg("%s", rows[i].time);
    fact_fini(&fact);
  }
}

static void test_an_answer_about_a_contact_is_of_when_it_was_asked_for(void **state) {
  static const struct {
    const char *updated_at, *asked_at;
    int64_t at, asked;
  } rows[] = {{"1731393420123", "1731393500000", 1731393420123, 1731393500000},
              {"null", "1731393500000", 1731393500000, 1731393500000},
              {"1731393420123", "1778495026001", 1731393420123, RECEIVED_MS},
              {"1731393420123", "null", 1731393420123, NO_TIME}};
  static const char *const events[] = {"upsert", "delete"};
  for (size_t i = 0; i < 2 * COUNT_OF(rows); i++) {
    AUTO_FREE char *value = mem_printf("{\"event\":\"%s\",\"type\":\"user\",\"entity\":{\"memberId\":\"m\","
                                       "\"updatedAt\":%s},\"askedAt\":%s}",
                                       events[i % 2], rows[i / 2].updated_at, rows[i / 2].asked_at);
    struct fact fact = read_event(EVENT_CONTACT, "channeltalk", value);
    assert_int_equal(fact.type, FACT_CONTACT);
    const struct contact_mark *mark = &fact.contact->mark;
    if (mark->at != rows[i / 2].at || mark->asked_at != rows[i / 2].asked ||
        fact.contact->received_at != RECEIVED_MS)
      fail_msg("%s", value);
    fact_fini(&fact);
  }
}

static void test_what_cannot_be_read_of_a_contact_is_not_quoted(void **state) {
  struct fact fact = read_event(EVENT_CONTACT, "channeltalk",
                                "{\"event\":\"upsert\",\"type\":\"user\",\"entity\":{\"memberId\":\"m\","
                                "\"unsubscribeTexting\":\"010-1234-5678\"}}");
  assert_int_equal(fact.type, FACT_UNCLEAR);
  assert_string_equal(fact.why,
                      "user with something other than true, false or null at /entity/unsubscribeTexting");
  fact_fini(&fact);
  fact = read_event(EVENT_CONTACT, "blux", USER(""));
  assert_int_equal(fact.type, FACT_UNCLEAR);
  fact_fini(&fact);
  fact = read_event(EVENT_CONTACT, "channeltalk",
                    "{\"event\":\"push\",\"type\":\"message\",\"entity\":{\"id\":\"1\"}}");
  assert_string_equal(fact.why, "chat, which is no contact");
  fact_fini(&fact);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_stands_outside_of_an_element_is_read_again_from_what_is_stored),
      cmocka_unit_test(test_events_from_before_and_after_a_rule_are_both_read),
      cmocka_unit_test(test_bizgo_codes_mean_what_the_provider_file_says),
      cmocka_unit_test(test_the_recipient_of_a_blux_event_is_masked_everywhere),
      cmocka_unit_test(test_a_number_that_nobody_can_hold_costs_no_receipt_and_is_kept),
      cmocka_unit_test(test_the_same_receipt_has_the_same_id_and_another_channel_another),
      cmocka_unit_test(test_receipt_ids_stay_what_they_were),
      cmocka_unit_test(test_what_the_application_says_wins_over_the_response),
      cmocka_unit_test(test_an_acceptance_is_not_older_than_its_whole_life),
      cmocka_unit_test(test_a_destination_the_send_api_refused_is_rejected),
      cmocka_unit_test(test_what_makes_no_sense_says_why),
      cmocka_unit_test(test_other_webhooks_are_counted_and_no_more),
      cmocka_unit_test(test_a_stored_receipt_says_again_what_its_event_said),
      cmocka_unit_test(test_a_stored_account_fault_says_again_whose_it_is),
      cmocka_unit_test(test_only_types_of_the_events_topic_are_understood_there),
      cmocka_unit_test(test_nothing_was_so_after_it_was_received),
      cmocka_unit_test(test_a_deadline_that_has_passed_is_a_signal_of_its_time),
      cmocka_unit_test(test_a_deadline_takes_ids_up_to_their_length),
      cmocka_unit_test(test_an_incident_is_read_from_each_of_its_types),
      cmocka_unit_test(test_a_minute_of_ingress_is_about_the_endpoint_in_its_header),
      cmocka_unit_test(test_what_the_watch_did_not_write_is_unclear),
      cmocka_unit_test(test_a_code_about_the_recipient_is_counted_apart),
      cmocka_unit_test(test_what_is_on_its_way_is_counted_and_says_nothing),
      cmocka_unit_test(test_a_stored_receipt_that_is_on_its_way_by_today_s_file_is_unconfirmed),
      cmocka_unit_test(test_a_time_that_cannot_be_read_costs_only_itself_and_is_said),
      cmocka_unit_test(test_an_acceptance_is_taken_up_to_the_length_that_ingress_takes),
      cmocka_unit_test(test_a_record_is_read_by_its_topic_and_its_headers),
      cmocka_unit_test(test_each_record_is_counted_as_what_it_says),
      cmocka_unit_test(test_no_fact_beyond_the_count_is_released),
      cmocka_unit_test(test_a_stored_acceptance_says_again_what_its_event_said_and_has_no_number),
      cmocka_unit_test(test_the_same_acceptance_has_the_same_id_and_another_recipient_another),
      cmocka_unit_test(test_what_is_stored_and_cannot_be_read_says_nothing),
      cmocka_unit_test(test_a_contact_is_read_masked_and_hashed),
      cmocka_unit_test(test_a_contact_is_read_whole_only_for_encryption),
      cmocka_unit_test(test_a_contact_was_not_changed_after_it_was_received),
      cmocka_unit_test(test_an_answer_about_a_contact_is_of_when_it_was_asked_for),
      cmocka_unit_test(test_what_cannot_be_read_of_a_contact_is_not_quoted),
  };
  return cmocka_run_group_tests(tests, load, unload);
}
