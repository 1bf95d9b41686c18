// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "common/kafka/event.h"
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// librdkafka makes messages with headers only by itself: a producer without a broker gives back what it was
// given.
struct fixture {
  rd_kafka_t *rk;
  void (*check)(const rd_kafka_message_t *rkm);
  int checked;
};

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *rkm, void *opaque) {
  struct fixture *fixture = opaque;
  fixture->check(rkm);
  fixture->checked++;
}

static int start(void **state) {
  static struct fixture fixture;
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  rd_kafka_conf_set_opaque(conf, &fixture);
  rd_kafka_conf_set_log_cb(conf, NULL); // it would say that there is no broker
  fixture.rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
  *state = &fixture;
  return fixture.rk ? 0 : -1;
}

static int finish(void **state) {
  struct fixture *fixture = *state;
  rd_kafka_destroy(fixture->rk);
  return 0;
}

static void pass_through(struct fixture *fixture, rd_kafka_headers_t *headers,
                         void (*check)(const rd_kafka_message_t *rkm)) {
  fixture->check = check;
  fixture->checked = 0;
  const rd_kafka_vu_t fields[] = {{.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = "t"},
                                  {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers}};
  rd_kafka_error_t *failed = rd_kafka_produceva(fixture->rk, fields, headers ? 2 : 1);
  assert_null(failed);
  rd_kafka_purge(fixture->rk, RD_KAFKA_PURGE_F_QUEUE);
  for (int i = 0; i < 100 && fixture->checked == 0; i++) rd_kafka_poll(fixture->rk, 10);
  assert_int_equal(fixture->checked, 1);
}

#define TRACEPARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static struct event full_event(void) {
  return (struct event){.id = {{0x01, 0x90, 0x16, 0x3d, 0x86, 0x94, 0x73, 0x9b, 0xae, 0xa5, 0x96, 0x6c, 0x26,
                                0xf8, 0xad, 0x91}},
                        .type = EVENT_RECEIPT,
                        .source = "/ingress/bizgo/alimtalk",
                        .subject = "m-1",
                        .time_ms = 1768215603123,
                        .provider = "bizgo",
                        .endpoint = "bizgo/alimtalk",
                        .traceparent = TRACEPARENT};
}

static const char *header(const rd_kafka_message_t *rkm, const char *name) {
  rd_kafka_headers_t *headers;
  const void *value;
  size_t len;
  if (rd_kafka_message_headers(rkm, &headers) || rd_kafka_header_get_last(headers, name, &value, &len))
    return NULL;
  assert_int_equal(strlen(value), len);
  return value;
}

static void check_headers(const rd_kafka_message_t *rkm) {
  static const char *const expected[][2] = {
      {"ce_specversion", "1.0"},
      {"ce_id", "0190163d-8694-739b-aea5-966c26f8ad91"},
      {"ce_type", "dochak.receipt.received.v1"},
      {"ce_source", "/ingress/bizgo/alimtalk"},
      {"ce_subject", "m-1"},
      {"ce_time", "2026-01-12T11:00:03.123Z"},
      {"ce_provider", "bizgo"},
      {"ce_endpoint", "bizgo/alimtalk"},
      {"traceparent", TRACEPARENT},
      {"content-type", "application/json"},
  };
  for (size_t i = 0; i < COUNT_OF(expected); i++)
    assert_string_equal(header(rkm, expected[i][0]), expected[i][1]);
  assert_null(header(rkm, "ce_reason"));
}

static void test_headers_are_those_of_the_kafka_binding(void **state) {
  struct event ev = full_event();
  pass_through(*state, event_headers_new(&ev), check_headers);
}

static void check_full_event(const rd_kafka_message_t *rkm) {
  struct event sent = full_event(), ev;
  struct err err = {0};
  if (!event_from_message(rkm, &ev, &err)) fail_msg("%s", err.text);
  assert_memory_equal(&ev.id, &sent.id, sizeof ev.id);
  assert_string_equal(ev.type, sent.type);
  assert_string_equal(ev.source, sent.source);
  assert_string_equal(ev.subject, sent.subject);
  assert_int_equal(ev.time_ms, sent.time_ms);
  assert_string_equal(ev.provider, sent.provider);
  assert_string_equal(ev.endpoint, sent.endpoint);
  assert_string_equal(ev.traceparent, sent.traceparent);
  assert_null(ev.reason);
}

static void test_an_event_is_read_back_whole(void **state) {
  struct event ev = full_event();
  pass_through(*state, event_headers_new(&ev), check_full_event);
}

static void check_bare_event(const rd_kafka_message_t *rkm) {
  struct event ev;
  struct err err = {0};
  if (!event_from_message(rkm, &ev, &err)) fail_msg("%s", err.text);
  assert_true(!ev.subject && !ev.provider && !ev.endpoint && !ev.traceparent && !ev.reason);
}

static void test_what_is_optional_may_be_missing(void **state) {
  struct event ev = {.type = EVENT_ACCEPTED, .source = "/ingress"};
  pass_through(*state, event_headers_new(&ev), check_bare_event);
}

static void check_raw(const rd_kafka_message_t *rkm) {
  assert_string_equal(header(rkm, "content-type"), "application/octet-stream");
  assert_string_equal(header(rkm, "ce_reason"), "not JSON");
}

static void check_json(const rd_kafka_message_t *rkm) {
  assert_string_equal(header(rkm, "content-type"), "application/json");
}

static void test_a_quarantined_payload_is_bytes_and_its_alert_is_json(void **state) {
  struct event ev = {.type = EVENT_QUARANTINED, .source = "/ingress", .reason = "not JSON"};
  pass_through(*state, event_headers_new(&ev), check_raw);
  struct event alert = {.type = ALERT_QUARANTINED, .source = "/processor"};
  pass_through(*state, event_headers_new(&alert), check_json);
}

#define LATER "dochak.future.thing.v1"

static struct event later_event(void) {
  struct event ev = full_event();
  ev.type = LATER;
  return ev;
}

static void check_later(const rd_kafka_message_t *rkm) {
  struct event ev;
  struct err err = {0};
  if (!event_from_message(rkm, &ev, &err)) fail_msg("%s", err.text);
  assert_string_equal(ev.type, LATER);
  assert_null(event_type_find(ev.type));
  assert_null(event_original_headers(rkm));
}

static void test_a_type_of_a_later_version_is_read_and_not_known(void **state) {
  struct event ev = later_event();
  pass_through(*state, event_headers_new(&ev), check_later);
}

static void check_kept(const rd_kafka_message_t *rkm) {
  struct event ev, original, sent = later_event();
  struct err err = {0};
  if (!event_from_message(rkm, &ev, &err)) fail_msg("%s", err.text);
  assert_string_equal(ev.type, EVENT_QUARANTINED);
  assert_string_equal(ev.original_type, LATER);
  rd_kafka_headers_t *headers = event_original_headers(rkm);
  if (!event_from_headers(headers, &original, &err)) fail_msg("%s", err.text);
  assert_string_equal(original.type, LATER);
  assert_memory_equal(&original.id, &sent.id, sizeof sent.id);
  assert_int_equal(original.time_ms, sent.time_ms);
  assert_string_equal(original.source, sent.source);
  assert_string_equal(original.endpoint, sent.endpoint);
  assert_null(original.original_type);
  rd_kafka_headers_destroy(headers);
}

static void test_a_quarantined_event_keeps_its_headers_beside_those_of_the_record(void **state) {
  struct event original = later_event();
  rd_kafka_headers_t *headers = event_headers_new(&original);
  struct event ev = {
      .type = EVENT_QUARANTINED, .source = "/processor", .reason = "later", .original = headers};
  pass_through(*state, event_headers_new(&ev), check_kept);
  struct event again = {.type = LATER, .source = "/", .headers = headers};
  pass_through(*state, event_headers_new(&again), check_later);
  rd_kafka_headers_destroy(headers);
}

static const struct {
  const char *name, *value; // NULL: the header is taken away
  size_t len;               // 0: strlen
  const char *error;
} faults[] = {
    {"ce_specversion", NULL, 0, "ce_specversion: missing"},
    {"ce_specversion", "0.3", 0, "ce_specversion: not 1.0"},
    {"ce_id", NULL, 0, "ce_id: missing"},
    {"ce_id", "17", 0, "ce_id: not a UUID"},
    {"ce_time", NULL, 0, "ce_time: missing"},
    {"ce_time", "yesterday", 0, "ce_time: not a time"},
    {"ce_type", NULL, 0, "ce_type: missing"},
    {"ce_type", "com.example.other", 0, "ce_type: not one of dochak's"},
    {"ce_type", "dochak.Other v1", 0, "ce_type: not one of dochak's"},
    {"ce_source", NULL, 0, "ce_source: missing"},
    {"ce_source", "a\0b", 3, "ce_source: contains a NUL byte"},
    {"ce_provider",
     "pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"
     "ppppppppppppppppppppppppppppppppp",
     0, "ce_provider: longer than 128 bytes"},
    {"ce_type", "\xff", 0, "ce_type: not UTF-8"},
    {"ce_source", "/ingress/\xc3\x28", 0, "ce_source: not UTF-8"},
    {"ce_subject", "\xed\xa0\x80", 0, "ce_subject: not UTF-8"},
    {"ce_provider", "\x80", 0, "ce_provider: not UTF-8"},
    {"ce_endpoint", "bizgo/\xc0\xaf", 0, "ce_endpoint: not UTF-8"},
    {"ce_reason", "\xec\x8b", 0, "ce_reason: not UTF-8"},
};
static size_t fault;

static void check_fault(const rd_kafka_message_t *rkm) {
  struct event ev;
  struct err err = {0};
  assert_false(event_from_message(rkm, &ev, &err));
  assert_string_equal(err.text, faults[fault].error);
}

static void test_what_is_not_ours_is_refused_with_header_and_why(void **state) {
  for (fault = 0; fault < COUNT_OF(faults); fault++) {
    struct event ev = full_event();
    rd_kafka_headers_t *headers = event_headers_new(&ev);
    rd_kafka_header_remove(headers, faults[fault].name);
    ssize_t len = faults[fault].len ? (ssize_t)faults[fault].len : -1;
    if (faults[fault].value) rd_kafka_header_add(headers, faults[fault].name, -1, faults[fault].value, len);
    pass_through(*state, headers, check_fault);
  }
}

static void check_no_headers(const rd_kafka_message_t *rkm) {
  struct event ev;
  struct err err = {0};
  assert_false(event_from_message(rkm, &ev, &err));
  assert_string_equal(err.text, "ce_specversion: missing");
}

static void test_a_record_without_headers_is_refused(void **state) {
  pass_through(*state, NULL, check_no_headers);
}

static void check_no_trace(const rd_kafka_message_t *rkm) {
  struct event ev;
  assert_true(event_from_message(rkm, &ev, NULL));
  assert_null(ev.traceparent);
}

static void test_an_ill_formed_traceparent_is_as_none(void **state) {
  static const char *const values[] = {"00-xyz", "", "\xff", TRACEPARENT "-and-so-on"};
  for (size_t i = 0; i < COUNT_OF(values); i++) {
    struct event ev = full_event();
    ev.traceparent = values[i];
    pass_through(*state, event_headers_new(&ev), check_no_trace);
  }
}

static char long_reason[512];

static void check_cut(const rd_kafka_message_t *rkm) {
  struct event ev;
  struct err err = {0};
  if (!event_from_message(rkm, &ev, &err)) fail_msg("%s", err.text);
  assert_int_equal(strlen(ev.reason), 254); // 255 would end within a character
  assert_memory_equal(ev.reason, long_reason, 254);
}

static void test_a_long_reason_is_cut_so_that_it_is_read_back(void **state) {
  char *at = stpcpy(long_reason, "at");
  while (at < long_reason + 400) at = stpcpy(at, "신");
  struct event ev = full_event();
  ev.reason = long_reason;
  pass_through(*state, event_headers_new(&ev), check_cut);
}

static void test_traceparent_is_checked_as_the_specification_says(void **state) {
  static const struct {
    const char *value;
    bool ok;
  } values[] = {
      {TRACEPARENT, true},
      {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", true},
      {"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false},
      {"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false},
      {"00-00000000000000000000000000000000-00f067aa0ba902b7-01", false},
      {"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false},
      {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g", false},
      {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x", false},
      {"00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01", false},
      {"00-4bf92f3577b34da6a3ce929d0e0e47360-0f067aa0ba902b7-01", false},
      {"00-", false},
      {"", false},
  };
  for (size_t i = 0; i < COUNT_OF(values); i++)
    assert_int_equal(event_traceparent_ok(values[i].value), values[i].ok);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_headers_are_those_of_the_kafka_binding),
      cmocka_unit_test(test_an_event_is_read_back_whole),
      cmocka_unit_test(test_what_is_optional_may_be_missing),
      cmocka_unit_test(test_a_quarantined_payload_is_bytes_and_its_alert_is_json),
      cmocka_unit_test(test_a_type_of_a_later_version_is_read_and_not_known),
      cmocka_unit_test(test_a_quarantined_event_keeps_its_headers_beside_those_of_the_record),
      cmocka_unit_test(test_what_is_not_ours_is_refused_with_header_and_why),
      cmocka_unit_test(test_a_record_without_headers_is_refused),
      cmocka_unit_test(test_an_ill_formed_traceparent_is_as_none),
      cmocka_unit_test(test_a_long_reason_is_cut_so_that_it_is_read_back),
      cmocka_unit_test(test_traceparent_is_checked_as_the_specification_says),
  };
  return cmocka_run_group_tests(tests, start, finish);
}
