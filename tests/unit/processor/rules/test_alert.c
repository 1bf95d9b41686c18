// SPDX-License-Identifier: MIT
// What an alert holds, byte for byte, and that its id is made of what it is about.
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "processor/rules/alert.h"
#include "tests/unit/support/record.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t RECEIVED_MS = INT64_C(1778495026000); // 2026-05-11T10:23:46Z

static rd_kafka_t *rk;
static rd_kafka_topic_t *events;
static struct rd_kafka_message_s rkm;

// The fact of a receipt that came in a record of the events topic.
static struct fact receipt_of(const char *scope) {
  return (struct fact){.rkm = &rkm,
                       .ev = {.type = EVENT_RECEIPT, .id = {{0x17}}, .time_ms = RECEIVED_MS},
                       .type = FACT_RECEIPT,
                       .signal = {.scope = scope, .at = RECEIVED_MS - 1000}};
}

static struct notification row_of(enum status status) {
  struct notification n;
  notification_init(&n, "bizgo", "k");
  n.status = status;
  return n;
}

static void assert_same_id(const struct alert *a, const struct alert *b, bool same) {
  assert_int_equal(memcmp(&a->id, &b->id, sizeof a->id) == 0, same);
}

// ---- about a notification ----

#define UNKNOWN                                                                                              \
  "\"outcome\":null,\"code\":null,\"reason\":null,\"channel\":null,\"recipient\":null,\"reference\":null,"   \
  "\"accepted_at\":null,\"occurred_at\":\"2026-05-11T10:23:45.000Z\""

static void test_an_alert_says_what_has_become_of_the_notification(void **state) {
  static const struct {
    enum ledger_alert kind;
    enum status before, after;
    const char *scope, *type, *json;
  } rows[] = {
      {LEDGER_DEAD_LETTERED, STATUS_NONE, STATUS_DEAD_LETTER, NULL, ALERT_DEAD_LETTERED,
       "{\"provider\":\"bizgo\",\"notification_id\":\"k\",\"status\":\"DEAD_LETTER\",\"previous_status\":"
       "null," UNKNOWN ",\"scope\":null}"},
      {LEDGER_DEAD_LETTERED, STATUS_PENDING, STATUS_DEAD_LETTER, "sender", ALERT_DEAD_LETTERED,
       "{\"provider\":\"bizgo\",\"notification_id\":\"k\",\"status\":\"DEAD_LETTER\",\"previous_status\":"
       "\"PENDING\"," UNKNOWN ",\"scope\":\"sender\"}"},
      {LEDGER_RECOVERED, STATUS_DEAD_LETTER, STATUS_SENT, NULL, ALERT_RECOVERED,
       "{\"provider\":\"bizgo\",\"notification_id\":\"k\",\"status\":\"SENT\",\"previous_status\":"
       "\"DEAD_LETTER\"," UNKNOWN "}"},
      {LEDGER_OVERDUE, STATUS_PENDING, STATUS_PENDING, NULL, ALERT_OVERDUE,
       "{\"provider\":\"bizgo\",\"notification_id\":\"k\",\"status\":\"PENDING\",\"previous_status\":"
       "\"PENDING\"," UNKNOWN "}"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct fact fact = receipt_of(rows[i].scope);
    struct notification n = row_of(rows[i].after);
    struct alert alert;
    alert_of_notification(&alert, rows[i].kind, &n, rows[i].before, &fact);
    assert_string_equal(alert.type, rows[i].type);
    assert_string_equal(alert.provider, "bizgo");
    assert_string_equal(alert.subject, "k");
    assert_string_equal(alert.json, rows[i].json);
    alert_fini(&alert);
    notification_fini(&n);
  }
}

static void test_an_alert_holds_what_is_known_of_the_notification(void **state) {
  struct notification n = row_of(STATUS_DEAD_LETTER);
  n.outcome = mem_strdup("failed");
  n.code = mem_strdup("63019");
  n.reason = mem_strdup("not a user");
  n.channel = mem_strdup("ALIMTALK");
  n.recipient = mem_strdup("010****5678");
  n.reference = mem_strdup("order-17");
  n.accepted_at = 0;
  struct fact fact = receipt_of(NULL);
  struct alert alert;
  alert_of_notification(&alert, LEDGER_DEAD_LETTERED, &n, STATUS_PENDING, &fact);
  static const char known[] =
      "\"outcome\":\"failed\",\"code\":\"63019\",\"reason\":\"not a user\",\"channel\":"
      "\"ALIMTALK\",\"recipient\":\"010****5678\",\"reference\":\"order-17\","
      "\"accepted_at\":\"1970-01-01T00:00:00.000Z\"";
  if (!strstr(alert.json, known)) fail_msg("%s", alert.json);
  alert_fini(&alert);
  notification_fini(&n);
}

static struct alert raised(enum ledger_alert kind, int corrected_version) {
  struct notification n = row_of(STATUS_DEAD_LETTER);
  struct fact fact = receipt_of(NULL);
  struct alert alert;
  n.corrected_version = corrected_version;
  alert_of_notification(&alert, kind, &n, STATUS_NONE, &fact);
  notification_fini(&n);
  return alert;
}

static struct alert corrected(enum ledger_alert kind, int corrected_version) {
  AUTO_FREE char *source = alert_replay_source("dochak.events");
  struct notification n = row_of(STATUS_DEAD_LETTER);
  struct alert alert;
  n.corrected_version = corrected_version;
  n.resolved_at = RECEIVED_MS;
  alert_of_correction(&alert, kind, &n, STATUS_NONE, NULL, source);
  notification_fini(&n);
  return alert;
}

static void test_an_alert_has_one_id_however_often_it_is_raised_until_a_replay_corrects_the_row(
    void **state) {
  struct alert alerts[] = {raised(LEDGER_DEAD_LETTERED, 0),    raised(LEDGER_RECOVERED, 0),
                           raised(LEDGER_DEAD_LETTERED, 2),    raised(LEDGER_DEAD_LETTERED, 3),
                           corrected(LEDGER_DEAD_LETTERED, 2), corrected(LEDGER_DEAD_LETTERED, 3)};
  struct alert again[] = {raised(LEDGER_DEAD_LETTERED, 0),    raised(LEDGER_RECOVERED, 0),
                          raised(LEDGER_DEAD_LETTERED, 2),    raised(LEDGER_DEAD_LETTERED, 3),
                          corrected(LEDGER_DEAD_LETTERED, 2), corrected(LEDGER_DEAD_LETTERED, 3)};
  for (size_t i = 0; i < COUNT_OF(alerts); i++)
    for (size_t k = 0; k < COUNT_OF(again); k++) assert_same_id(&alerts[i], &again[k], i == k);
  for (size_t i = 0; i < COUNT_OF(alerts); i++) {
    alert_fini(&alerts[i]);
    alert_fini(&again[i]);
  }
}

static void test_a_correction_has_no_record_for_a_source(void **state) {
  struct alert alert = corrected(LEDGER_DEAD_LETTERED, 2);
  assert_string_equal(alert.source_topic, "dochak.events#replay");
  assert_string_equal(alert.source_event, "replay");
  assert_non_null(strstr(alert.json, "\"occurred_at\":\"2026-05-11T10:23:46.000Z\",\"scope\":null}"));
  alert_fini(&alert);
}

static void test_the_source_is_the_record_and_its_event(void **state) {
  struct alert alert = raised(LEDGER_DEAD_LETTERED, 0);
  assert_string_equal(alert.source_topic, "dochak.events");
  assert_string_equal(alert.source_event, "17000000-0000-0000-0000-000000000000");
  assert_int_equal(alert.source_partition, 3);
  assert_int_equal(alert.source_offset, 41);
  alert_fini(&alert);
  AUTO_FREE char *place = alert_source_event(&(struct fact){.rkm = &rkm}); // no event of ours
  assert_string_equal(place, "dochak.events/3/41");
}

// ---- about an incident ----

static struct incident incident_of(bool opens) {
  static char provider[] = "bizgo", endpoint[] = "bizgo/sms", scope[] = "";
  static char details[] = "{\"summary\":\"s\",\"counts\":{\"due\":98}}";
  return (struct incident){.id = {{0x5a}},
                           .kind = INCIDENT_SILENT,
                           .opens = opens,
                           .provider = provider,
                           .endpoint = endpoint,
                           .scope = scope,
                           .since = RECEIVED_MS - 600000,
                           .judged_until = RECEIVED_MS,
                           .details = details};
}

static void test_an_incident_alert_says_what_its_row_and_its_event_say(void **state) {
  static const struct {
    bool opens;
    struct alert_incident row;
    const char *type, *json;
  } rows[] = {
      {true,
       {RECEIVED_MS + 900, NO_TIME, 0},
       "dochak.provider.silent.v1",
       "{\"summary\":\"s\",\"counts\":{\"due\":98},\"incident_id\":\"5a000000-0000-0000-0000-000000000000\","
       "\"kind\":\"silent\",\"provider\":\"bizgo\",\"endpoint\":\"bizgo/sms\",\"scope\":null,\"since\":"
       "\"2026-05-11T10:13:46.000Z\",\"status\":\"open\",\"opened_at\":\"2026-05-11T10:23:46.900Z\","
       "\"closed_at\":null,\"folded_overdue\":0,\"occurred_at\":\"2026-05-11T10:23:46.000Z\"}"},
      {false,
       {RECEIVED_MS + 900, RECEIVED_MS + 60000, 41},
       "dochak.provider.restored.v1",
       "{\"summary\":\"s\",\"counts\":{\"due\":98},\"incident_id\":\"5a000000-0000-0000-0000-000000000000\","
       "\"kind\":\"silent\",\"provider\":\"bizgo\",\"endpoint\":\"bizgo/sms\",\"scope\":null,\"since\":"
       "\"2026-05-11T10:13:46.000Z\",\"status\":\"closed\",\"opened_at\":\"2026-05-11T10:23:46.900Z\","
       "\"closed_at\":\"2026-05-11T10:24:46.000Z\",\"folded_overdue\":41,\"occurred_at\":"
       "\"2026-05-11T10:23:46.000Z\"}"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    const struct incident incident = incident_of(rows[i].opens);
    const struct fact fact = {.rkm = &rkm, .ev = {.type = EVENT_SILENT, .id = {{0x17}}}};
    struct alert alert;
    alert_of_incident(&alert, &incident, &rows[i].row, &fact);
    assert_string_equal(alert.type, rows[i].type);
    assert_string_equal(alert.provider, "bizgo");
    assert_string_equal(alert.subject, "bizgo/sms");
    assert_string_equal(alert.json, rows[i].json);
    assert_int_equal(alert.source_offset, 41);
    alert_fini(&alert);
  }
}

static struct alert about_incident(bool opens, uint8_t id, const char *event_type) {
  struct incident incident = incident_of(opens);
  const struct alert_incident row = {RECEIVED_MS, NO_TIME, 0};
  const struct fact fact = {.rkm = &rkm, .ev = {.type = event_type, .id = {{id}}}};
  struct alert alert;
  incident.id.bytes[0] = id;
  alert_of_incident(&alert, &incident, &row, &fact);
  return alert;
}

static void test_an_incident_has_one_alert_when_it_opens_and_one_when_it_closes(void **state) {
  struct alert opened = about_incident(true, 1, EVENT_SILENT), again = about_incident(true, 1, EVENT_RECEIPT);
  struct alert closed = about_incident(false, 1, EVENT_PROVIDER_GOOD),
               other = about_incident(true, 2, EVENT_SILENT);
  assert_same_id(&opened, &again, true);
  assert_same_id(&opened, &closed, false);
  assert_same_id(&opened, &other, false);
  alert_fini(&opened);
  alert_fini(&again);
  alert_fini(&closed);
  alert_fini(&other);
}

static void test_an_alert_about_no_endpoint_or_provider_has_none(void **state) {
  static char none[] = "";
  struct incident incident = incident_of(true);
  const struct alert_incident row = {RECEIVED_MS, NO_TIME, 0};
  const struct fact fact = receipt_of(NULL);
  struct alert alert;
  incident.endpoint = none;
  alert_of_incident(&alert, &incident, &row, &fact);
  assert_string_equal(alert.subject, "bizgo");
  alert_fini(&alert);
  incident.provider = none;
  alert_of_incident(&alert, &incident, &row, &fact);
  assert_null(alert.provider);
  assert_string_equal(alert.subject, "dochak"); // CloudEvents: never empty
  alert_fini(&alert);
}

// ---- about a record of the quarantine topic ----

static void test_a_quarantined_payload_is_named_with_its_place_and_reason(void **state) {
  static const struct {
    struct event ev;
    const char *json;
  } rows[] = {
      {{.type = EVENT_QUARANTINED, .time_ms = 0, .reason = "not JSON", .provider = "bizgo", .endpoint = "b"},
       "{\"provider\":\"bizgo\",\"endpoint\":\"b\",\"reason\":\"not JSON\",\"size_bytes\":5,\"topic\":"
       "\"dochak.events\",\"partition\":3,\"offset\":41,\"occurred_at\":\"1970-01-01T00:00:00.000Z\","
       "\"folded\":0}"},
      {{.type = EVENT_QUARANTINED, .time_ms = RECEIVED_MS, .reason = ""},
       "{\"provider\":null,\"endpoint\":null,\"reason\":\"not an event of ours\",\"size_bytes\":5,\"topic\":"
       "\"dochak.events\",\"partition\":3,\"offset\":41,\"occurred_at\":\"2026-05-11T10:23:46.000Z\","
       "\"folded\":1}"},
      {{.type = EVENT_QUARANTINED, .time_ms = RECEIVED_MS},
       "{\"provider\":null,\"endpoint\":null,\"reason\":\"not an event of ours\",\"size_bytes\":5,\"topic\":"
       "\"dochak.events\",\"partition\":3,\"offset\":41,\"occurred_at\":\"2026-05-11T10:23:46.000Z\","
       "\"folded\":2}"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    const struct fact fact = {.rkm = &rkm, .type = FACT_QUARANTINED, .ev = rows[i].ev};
    struct alert alert;
    alert_of_quarantined(&alert, &fact, (int64_t)i);
    assert_string_equal(alert.type, ALERT_QUARANTINED);
    assert_string_equal(alert.json, rows[i].json);
    alert_fini(&alert);
  }
}

static void take_time(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque) {
  ((rd_kafka_message_t *)(uintptr_t)message)->err = 0; // one with an error has no timestamp
  *(int64_t *)opaque = alert_quarantined_at(&(struct fact){.rkm = message});
}

static void test_a_payload_was_quarantined_when_its_event_says_or_its_record_or_now(void **state) {
  const struct record record = {.topic = "dochak.quarantine", .value = "x", .time_ms = RECEIVED_MS};
  int64_t at = 0;
  record_give(&record, take_time, &at);
  assert_int_equal(at, RECEIVED_MS);
  int64_t now = clock_wall_ms();
  at = alert_quarantined_at(&(struct fact){.rkm = &rkm, .ev = {.type = EVENT_QUARANTINED, .time_ms = -1}});
  assert_in_range(at, now, now + 60000);
}

static void test_one_kind_of_fault_at_one_endpoint_has_one_fingerprint(void **state) {
  static const struct rd_kafka_message_s other = {.payload = (void *)(uintptr_t) "another", .len = 7};
  static const struct event events_of[] = {
      {.type = EVENT_QUARANTINED, .endpoint = "a", .reason = "r"},
      {.type = EVENT_QUARANTINED, .endpoint = "b", .reason = "r"},
      {.type = EVENT_QUARANTINED, .endpoint = "a", .reason = "s"},
      {.type = EVENT_QUARANTINED},
      {.type = EVENT_QUARANTINED, .original_type = "dochak.future.v1"},
      {.type = EVENT_QUARANTINED, .endpoint = "a", .original_type = "dochak.later.v1"},
  };
  for (size_t i = 0; i < COUNT_OF(events_of); i++) {
    for (size_t k = 0; k < COUNT_OF(events_of); k++) {
      struct uuid a = alert_fingerprint(&(struct fact){.rkm = &rkm, .ev = events_of[i]});
      struct uuid b = alert_fingerprint(&(struct fact){.rkm = &other, .ev = events_of[k]});
      assert_int_equal(memcmp(&a, &b, sizeof a) == 0, i == k);
    }
  }
}

static struct uuid fingerprint_of(const char *reason) {
  return alert_fingerprint(
      &(struct fact){.rkm = &rkm, .ev = {.type = EVENT_QUARANTINED, .endpoint = "a", .reason = reason}});
}

static void test_the_values_in_a_reason_make_no_other_kind(void **state) {
  static const struct {
    const char *one, *other;
    bool same;
  } rows[] = {
      {"not JSON: a NUL byte at byte 7", "not JSON: a NUL byte at byte 31415", true},
      {"unable to decode byte 0xfe", "unable to decode byte 0x80", true},
      {"/data/0/id: missing", "/data/12/id: missing", true},
      {"at byte 9", "at byte 0", true},
      {"it belongs to another: \"a-7\"", "it belongs to another: \"b\"", true},
      {"it belongs to another: \"a\"b\"", "it belongs to another: \"c\"", true},
      {"it belongs to another: \"cut of", "it belongs to another: \"cut", true},
      {"got \"a\" at byte 3", "got \"bc\" at byte 4", true},
      {"", "not an event of ours", true},
      {"got \"a\" as an id", "got \"a\" as a code", false},
      {"id 5 is too long", "id 5 is too short", false},
      {"no id at byte 5", "no id", false},
      {"a row of table receipt", "a row of table notification", false},
      {"unable to decode byte 0xfe", "unable to decode byte 0xfe, twice", false},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct uuid one = fingerprint_of(rows[i].one), other = fingerprint_of(rows[i].other);
    if ((memcmp(&one, &other, sizeof one) == 0) != rows[i].same)
      fail_msg("%s / %s", rows[i].one, rows[i].other);
  }
}

// ---- about records that are gone ----

static void test_lost_records_are_counted_with_the_first_and_the_last(void **state) {
  static const char json[] =
      "{\"topic\":\"t\",\"partition\":2,\"first_offset\":7,\"last_offset\":9,\"count\":3,";
  struct alert alert, other;
  alert_of_lost(&alert, "t", 2, 7, 9);
  alert_of_lost(&other, "t", 2, 7, 10);
  assert_memory_equal(alert.json, json, strlen(json));
  assert_int_equal(alert.source_partition, 2);
  assert_int_equal(alert.source_offset, 9);
  assert_same_id(&alert, &other, false);
  alert_fini(&alert);
  alert_fini(&other);
}

// ---- about contacts ----

static struct alert withdrawn(bool has_version, int64_t version, int64_t at, const char *consent) {
  struct fact fact = {.rkm = &rkm, .ev = {.type = EVENT_CONTACT, .id = {{0x17}}}, .type = FACT_CONTACT};
  struct contact_row row;
  struct alert alert;
  contact_row_init(&row, "channeltalk", "m");
  row.upsert = (struct contact_mark){.has_version = has_version, .version = version, .at = at};
  row.details.phone = mem_strdup("+8210****5678");
  alert_of_withdrawn(&alert, &row, consent, &fact);
  contact_row_fini(&row);
  return alert;
}

static void test_a_withdrawn_consent_is_named_with_the_version(void **state) {
  struct alert alert = withdrawn(true, 7, RECEIVED_MS, "texting"),
               timed = withdrawn(false, 0, RECEIVED_MS, "texting");
  assert_string_equal(alert.type, ALERT_WITHDRAWN);
  assert_string_equal(alert.subject, "m");
  assert_string_equal(alert.json,
                      "{\"provider\":\"channeltalk\",\"contact_id\":\"m\",\"consent\":\"texting\","
                      "\"phone\":\"+8210****5678\",\"email\":null,\"version\":7,"
                      "\"occurred_at\":\"2026-05-11T10:23:46.000Z\"}");
  assert_non_null(strstr(timed.json, "\"version\":null"));
  alert_fini(&alert);
  alert_fini(&timed);
}

static void test_each_version_and_consent_has_one_alert(void **state) {
  struct alert first = withdrawn(true, 7, RECEIVED_MS, "texting");
  const struct {
    struct alert alert;
    bool same;
  } rows[] = {{withdrawn(true, 7, RECEIVED_MS, "texting"), true},
              {withdrawn(true, 7, RECEIVED_MS + 1, "texting"), true},
              {withdrawn(true, 8, RECEIVED_MS, "texting"), false},
              {withdrawn(true, 7, RECEIVED_MS, "email"), false},
              {withdrawn(false, 0, 7, "texting"), false}};
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct alert alert = rows[i].alert;
    assert_same_id(&first, &alert, rows[i].same);
    alert_fini(&alert);
  }
  alert_fini(&first);
}

// free() ends the test at what was never allocated.
static void test_no_more_alerts_are_freed_than_there_are(void **state) {
  struct alert *list = mem_array(2, sizeof *list);
  list[0] = raised(LEDGER_DEAD_LETTERED, 0);
  list[1].type = (char *)(uintptr_t) "not allocated";
  alerts_free(list, 1);
}

static int set_up(void **state) {
  static char payload[] = "bytes";
  rk = record_producer(NULL, NULL);
  events = rd_kafka_topic_new(rk, "dochak.events", NULL);
  rkm = (rd_kafka_message_t){.rkt = events, .partition = 3, .offset = 41, .payload = payload, .len = 5};
  return events ? 0 : -1;
}

static int tear_down(void **state) {
  rd_kafka_topic_destroy(events);
  rd_kafka_destroy(rk);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_alert_says_what_has_become_of_the_notification),
      cmocka_unit_test(test_an_alert_holds_what_is_known_of_the_notification),
      cmocka_unit_test(test_an_alert_has_one_id_however_often_it_is_raised_until_a_replay_corrects_the_row),
      cmocka_unit_test(test_a_correction_has_no_record_for_a_source),
      cmocka_unit_test(test_the_source_is_the_record_and_its_event),
      cmocka_unit_test(test_an_incident_alert_says_what_its_row_and_its_event_say),
      cmocka_unit_test(test_an_incident_has_one_alert_when_it_opens_and_one_when_it_closes),
      cmocka_unit_test(test_an_alert_about_no_endpoint_or_provider_has_none),
      cmocka_unit_test(test_a_quarantined_payload_is_named_with_its_place_and_reason),
      cmocka_unit_test(test_a_payload_was_quarantined_when_its_event_says_or_its_record_or_now),
      cmocka_unit_test(test_one_kind_of_fault_at_one_endpoint_has_one_fingerprint),
      cmocka_unit_test(test_the_values_in_a_reason_make_no_other_kind),
      cmocka_unit_test(test_lost_records_are_counted_with_the_first_and_the_last),
      cmocka_unit_test(test_a_withdrawn_consent_is_named_with_the_version),
      cmocka_unit_test(test_each_version_and_consent_has_one_alert),
      cmocka_unit_test(test_no_more_alerts_are_freed_than_there_are),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
