// SPDX-License-Identifier: MIT
// The public listener as the world meets it: a real socket, the mock broker behind it, good requests and
// every bad one we could think of. One server for all tests.
#include "common/admin.h"
#include "common/clock.h"
#include "common/log.h"
#include "ingress/counters.h"
#include "ingress/server.h"
#include "tests/unit/support/mock.h"
#include "tests/unit/support/pack.h"
#include "tests/unit/support/wire.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define KEY      "key-0123456789abcdef"
#define SECRET   "secret-0123456789abc"
#define BIZGO    "/webhook/bizgo/alimtalk"
#define BLUX     "/webhook/blux/sms/" SECRET
#define HIDDEN   "/webhook/bizgo/hidden/"
#define REGISTER "/v1/notifications"
#define BEARER   "Authorization: Bearer " KEY "\r\n"
#define REPORT   "{\"msgKey\":\"k1\",\"serviceType\":\"ALIMTALK\",\"reportCode\":\"10000\"}"
#define TRACE    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

enum { BODIES_MAX_BYTES = 4 * 1024 * 1024 };

static struct mock mock;
static struct ingress in;
static int port;

static void write_endpoints(void) {
  static char path[] = "/tmp/dochak-server-XXXXXX";
  int fd = mkstemp(path);
  FILE *file = fdopen(fd, "w");
  fputs(
      "{\"endpoints\":[{\"endpoint\":\"bizgo/alimtalk\",\"provider\":\"bizgo\"},"
      "{\"endpoint\":\"bizgo/hidden\",\"provider\":\"bizgo\",\"secret_path\":[\"DOCHAK_SECRET_T\"]},"
      "{\"endpoint\":\"blux/sms\",\"provider\":\"blux\",\"secret_path\":[\"DOCHAK_SECRET_T\"]},"
      "{\"endpoint\":\"blux/signed\",\"provider\":\"blux\",\"checks\":{\"ip\":{\"allow\":[\"127.0.0.0/8\"]},"
      "\"twilio\":{\"url\":\"https://h/webhook/blux/signed\",\"secrets\":[\"DOCHAK_SECRET_T\"]}}}]}",
      file);
  fclose(file);
  setenv("DOCHAK_SECRET_T", SECRET, 1);
  in.settings.endpoints_file = mem_strdup(path);
}

static int set_up(void **state) {
  struct err err = {"nothing"};
  mock_init(&mock);
  in.settings = mock.settings;
  in.settings.body_max_bytes = 524288;
  in.settings.bodies_max_bytes = BODIES_MAX_BYTES;
  mock.settings = (struct settings){.kafka_bootstrap = mem_strdup(in.settings.kafka_bootstrap)};
  write_endpoints();
  in.metrics = metrics_new(counters, COUNTER_COUNT);
  if (!(in.providers = providers_load("", &err)) ||
      !(in.endpoints = endpoints_load(in.settings.endpoints_file, in.providers, &err)) ||
      !(in.registrar = registrar_new(KEY, &err)) ||
      !(in.publisher = publisher_open(&in.settings, in.metrics, &err)) ||
      !(in.server = server_start(&in, &err)))
    fail_msg("%s", err.text);
  port = server_port(in.server);
  int64_t deadline = clock_mono_ms() + 10000;
  while (server_unready(in.server) && clock_mono_ms() < deadline) clock_sleep_ms(5);
  assert_null(server_unready(in.server));
  return 0;
}

static int tear_down(void **state) {
  publisher_close(in.publisher, 1000);
  server_free(in.server);
  registrar_free(in.registrar);
  endpoints_free(in.endpoints);
  providers_free(in.providers);
  metrics_free(in.metrics);
  unlink(in.settings.endpoints_file);
  settings_fini(&in.settings);
  mock_fini(&mock);
  return 0;
}

static int64_t counted(enum counter id, const char *label) {
  return atomic_load(metrics_at(in.metrics, id, label));
}

static void assert_answer(const char *what, const char *answer, int status, const char *text) {
  if (wire_status(answer) != status) fail_msg("%s: expected %d, got: %s", what, status, answer);
  if (text && !strstr(answer, text)) fail_msg("%s: expected %s in: %s", what, text, answer);
}

// ---- what is stored ----

static void test_a_receipt_is_stored_under_its_id_and_acked_as_the_provider_wants(void **state) {
  char *answer = wire_post(port, BIZGO, "Content-Type: text/plain\r\ntraceparent: " TRACE "\r\n", REPORT,
                           strlen(REPORT));
  assert_answer("report", answer, 200, "Content-Type: application/json\r\n");
  assert_string_equal(wire_body(answer), "{\"msgKey\":\"k1\"}");
  free(answer);
  struct mock_records records = mock_read(&mock, "dochak.events");
  const struct mock_record *record = mock_find(&records, REPORT);
  assert_memory_equal(record->rkm->key, "k1", 2);
  assert_string_equal(record->event.type, EVENT_RECEIPT);
  assert_string_equal(record->event.source, "/ingress/bizgo/alimtalk");
  assert_string_equal(record->event.subject, "k1");
  assert_string_equal(record->event.provider, "bizgo");
  assert_string_equal(record->event.endpoint, "bizgo/alimtalk");
  assert_string_equal(record->event.traceparent, TRACE);
  assert_int_equal(record->event.id.bytes[6] >> 4, 7);
  mock_records_fini(&records);
}

#define EVENT(id)                                                                                            \
  "{\"event_type\":\"notification:sms:receive_failed\", \"payload\":{\"application_id\":\"a\","              \
  "\"notification_id\":\"" id "\",\"phone_number\":\"01012345678\",\"status\":\"receive_failed\","           \
  "\"received_at\":\"2026-05-11T10:23:45.123Z\"}}"

static void test_a_batch_is_stored_element_by_element(void **state) {
  static const char body[] = "{\"events\":[" EVENT("e1") ", {\"odd\":1} ," EVENT("e2") "]}";
  char *answer = wire_post(port, BLUX, "", body, strlen(body));
  assert_answer("batch", answer, 200, "Content-Length: 0\r\n");
  free(answer);
  struct mock_records events = mock_read(&mock, "dochak.events");
  assert_string_equal(mock_find(&events, EVENT("e1"))->event.subject, "e1");
  assert_string_equal(mock_find(&events, EVENT("e2"))->event.subject, "e2");
  mock_records_fini(&events);
  struct mock_records quarantine = mock_read(&mock, "dochak.quarantine");
  const struct mock_record *odd = mock_find(&quarantine, "{\"odd\":1}");
  assert_string_equal(odd->event.type, EVENT_QUARANTINED);
  assert_string_equal(odd->event.endpoint, "blux/sms");
  assert_true(*odd->event.reason);
  assert_int_equal(odd->rkm->key_len, 0);
  mock_records_fini(&quarantine);
}

static void test_a_registration_is_one_event_per_recipient(void **state) {
  static const char body[] =
      "[{\"provider\":\"blux\",\"notification_id\":\"r1\",\"channel\":\"SMS\",\"recipient\":\"+"
      "821012345678\","
      "\"reference\":\"order-17\",\"accepted_at\":\"2026-01-12T11:00:03Z\"},"
      "{\"provider\":\"bizgo\",\"reference\":\"order-18\",\"response\":{\"code\":\"A000\",\"result\":"
      "\"Success\","
      "\"data\":{\"destinations\":[{\"to\":\"8210\",\"msgKey\":\"r2\",\"code\":\"A000\",\"result\":\"ok\"},"
      "{\"to\":\"8211\",\"msgKey\":\"r3\",\"code\":\"A306\",\"result\":\"no\"}]}}}]";
  char *answer = wire_post(port, REGISTER, BEARER "Content-Type: application/json; charset=utf-8\r\n", body,
                           strlen(body));
  assert_answer("registration", answer, 202, NULL);
  assert_string_equal(
      wire_body(answer),
      "{\"notifications\":[{\"provider\":\"blux\",\"notification_id\":\"r1\",\"accepted\":true},"
      "{\"provider\":\"bizgo\",\"notification_id\":\"r2\",\"accepted\":true},"
      "{\"provider\":\"bizgo\",\"notification_id\":\"r3\",\"accepted\":false,\"code\":\"A306\",\"reason\":"
      "\"no\"}]}");
  free(answer);
  struct mock_records events = mock_read(&mock, "dochak.events");
  const struct mock_record *explicit =
      mock_find(&events, "{\"notification_id\":\"r1\",\"channel\":\"SMS\",\"recipient\":\"+821012345678\","
                         "\"reference\":\"order-17\",\"accepted_at\":\"2026-01-12T11:00:03Z\"}");
  assert_string_equal(explicit->event.type, EVENT_ACCEPTED);
  assert_string_equal(explicit->event.provider, "blux");
  assert_null(explicit->event.endpoint);
  const struct mock_record *refused = mock_find(
      &events, "{\"notification_id\":\"r3\",\"recipient\":\"8211\",\"reference\":\"order-18\",\"response\":"
               "{\"code\":\"A000\",\"result\":\"Success\",\"data\":{\"destinations\":"
               "[{\"to\":\"8211\",\"msgKey\":\"r3\",\"code\":\"A306\",\"result\":\"no\"}]}}}");
  assert_memory_equal(refused->rkm->key, "r3", 2);
  mock_records_fini(&events);
}

static void test_the_recipient_of_an_item_is_not_that_of_several(void **state) {
  static const char body[] =
      "{\"provider\":\"bizgo\",\"recipient\":\"01099998888\",\"channel\":\"SMS\",\"response\":{\"data\":"
      "{\"destinations\":[{\"msgKey\":\"s1\",\"code\":\"A000\"},"
      "{\"to\":\"8211\",\"msgKey\":\"s2\",\"code\":\"A000\"}]},\"code\":\"A000\"}}";
  char *answer = wire_post(port, REGISTER, BEARER, body, strlen(body));
  assert_answer("registration", answer, 202, NULL);
  free(answer);
  struct mock_records events = mock_read(&mock, "dochak.events");
  mock_find(&events,
            "{\"notification_id\":\"s1\",\"channel\":\"SMS\",\"response\":{\"data\":{\"destinations\":"
            "[{\"msgKey\":\"s1\",\"code\":\"A000\"}]},\"code\":\"A000\"}}");
  mock_find(&events, "{\"notification_id\":\"s2\",\"channel\":\"SMS\",\"recipient\":\"8211\",\"response\":{"
                     "\"data\":{\"destinations\":[{\"to\":\"8211\",\"msgKey\":\"s2\",\"code\":\"A000\"}]},"
                     "\"code\":\"A000\"}}");
  mock_records_fini(&events);
}

// A send response with `numbers` times `number` and so many bytes of text beside its id.
static char *registration_of(const char *number, size_t numbers, size_t text_len) {
  size_t len = strlen(number);
  char *body = mem_alloc(numbers * (len + 1) + text_len + 128);
  char *at =
      stpcpy(body, "{\"provider\":\"bizgo\",\"response\":{\"code\":\"A000\",\"msgKey\":\"g1\",\"n\":[");
  for (size_t i = 0; i < numbers; i++) {
    at = mempcpy(at, number, len);
    *at++ = i + 1 < numbers ? ',' : ']';
  }
  at = stpcpy(at, ",\"t\":\"");
  strcpy((char *)memset(at, 'x', text_len) + text_len, "\"}}");
  return body;
}

static void test_a_registration_that_no_record_can_hold_is_told_so(void **state) {
  static const struct {
    const char *number;
    size_t numbers, text_len;
    int status;
    const char *message;
  } rows[] = {
      {"0.1", 48000, 60000, 202, "\"g1\""}, // and does not grow to 0.10000000000000001
      {"-1e14", 48000, 0, 202, "\"g1\""},   // and grows to 19 bytes
      {"-1e14", 48000, 60000, 400, "/response: expected 950000 bytes at most"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    AUTO_FREE char *body = registration_of(rows[i].number, rows[i].numbers, rows[i].text_len);
    char *answer = wire_post(port, REGISTER, BEARER, body, strlen(body));
    assert_answer(rows[i].number, answer, rows[i].status, rows[i].message);
    free(answer);
  }
}

static void test_many_recipients_with_much_around_them_are_told_so(void **state) {
  AUTO_FREE char *body = mem_alloc(500000);
  char *at = stpcpy(body, "{\"provider\":\"bizgo\",\"response\":{\"code\":\"A000\",\"t\":\"");
  memset(at, 'x', 300000);
  at = stpcpy(at + 300000, "\",\"data\":{\"destinations\":[");
  for (size_t i = 0; i < 400; i++) at = stpcpy(at, "{\"msgKey\":\"m\",\"code\":\"A000\"},");
  strcpy(at - 1, "]}}}");
  char *answer = wire_post(port, REGISTER, BEARER, body, strlen(body));
  assert_answer("registration", answer, 400, "/response/data/destinations: expected less around");
  free(answer);
}

// ---- senders ----

static void test_a_refused_sender_is_answered_as_the_file_says_and_stores_nothing(void **state) {
  static const struct {
    const char *path, *body, *answer;
  } rows[] = {
      {HIDDEN "wrong-0123456789abcd", "{\"msgKey\":\"spy\"}", "{\"msgKey\":\"spy\"}"},
      {HIDDEN, "not json", "{\"msgKey\":\"\"}"},
      {"/webhook/bizgo/hidden", "{\"msgKey\":\"spy\"}", "{\"msgKey\":\"spy\"}"},
      {HIDDEN SECRET "/", "{\"msgKey\":\"spy\"}", "{\"msgKey\":\"spy\"}"},
  };
  int64_t before = counted(COUNTER_REFUSED, "bizgo/hidden");
  int64_t stored = counted(COUNTER_ELEMENTS, "receipt") + counted(COUNTER_ELEMENTS, "quarantined");
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    char *answer = wire_post(port, rows[i].path, "", rows[i].body, strlen(rows[i].body));
    assert_answer(rows[i].path, answer, 200, NULL);
    assert_string_equal(wire_body(answer), rows[i].answer);
    free(answer);
  }
  assert_int_equal(counted(COUNTER_REFUSED, "bizgo/hidden") - before, COUNT_OF(rows));
  assert_int_equal(counted(COUNTER_ELEMENTS, "receipt") + counted(COUNTER_ELEMENTS, "quarantined"), stored);
  char *answer = wire_post(port, "/webhook/blux/sms/wrong-0123456789abcd", "", "{}", 2);
  assert_in_range(wire_status(answer), 401, 404);
  free(answer);
}

static void test_a_signature_over_the_body_is_looked_at_before_anything_is_stored(void **state) {
#define FORM_HEADER "Content-Type: application/x-www-form-urlencoded\r\n"
#define SIGNED                                                                                               \
  FORM_HEADER "X-Twilio-Signature: m5jTdxnSbd7SPibVYxcwBwpqspc=\r\n" // twilio.request_validator of PyPI, with
                                                                     // SECRET
  static const struct {
    const char *headers, *body;
    int status;
  } rows[] = {
      {SIGNED, "a=b", 200},
      {SIGNED, "a=c", 404},
      {SIGNED, "", 404},
      {FORM_HEADER, "a=b", 404},
  };
  int64_t refused = counted(COUNTER_REFUSED, "blux/signed"), by_check = counted(COUNTER_REFUSALS, "twilio");
  int64_t stored = counted(COUNTER_QUARANTINED, "blux/signed");
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    char *answer =
        wire_post(port, "/webhook/blux/signed?q=1", rows[i].headers, rows[i].body, strlen(rows[i].body));
    assert_answer(rows[i].body, answer, rows[i].status, "Content-Length: 0\r\n");
    free(answer);
  }
  assert_int_equal(counted(COUNTER_REFUSED, "blux/signed") - refused, 3);
  assert_int_equal(counted(COUNTER_REFUSALS, "twilio") - by_check, 3);
  assert_int_equal(counted(COUNTER_QUARANTINED, "blux/signed") - stored, 1); // a form is not read yet
}

static void test_a_registration_needs_a_key(void **state) {
  static const char *const headers[] = {
      "",
      "Authorization: Bearer wrong-0123456789abcdef\r\n",
      "Authorization: Bearer " KEY "x\r\n",
      "Authorization: Bearer \r\n",
      "Authorization: Basic " KEY "\r\n",
      "Authorization: " KEY "\r\n",
  };
  int64_t refused = counted(COUNTER_REFUSED, "v1/notifications"), by_check = counted(COUNTER_REFUSALS, "key");
  for (size_t i = 0; i < COUNT_OF(headers); i++) {
    char *answer = wire_post(port, REGISTER, headers[i], "{}", 2);
    assert_answer(headers[i], answer, 401, "WWW-Authenticate: Bearer");
    free(answer);
  }
  assert_int_equal(counted(COUNTER_REFUSED, "v1/notifications") - refused, COUNT_OF(headers));
  assert_int_equal(counted(COUNTER_REFUSALS, "key") - by_check, COUNT_OF(headers));
}

// ---- bodies that make no sense ----

static const struct {
  const char *what, *body;
} bad_bodies[] = {
    {"not JSON", "not json"},
    {"truncated", "{\"events\":[{\"event_type\":\"notif"},
    {"something behind", "{\"events\":[5]}}"},
    {"a number", "5"},
    {"a string", "\"x\""},
    {"null", "null"},
    {"NUL in a string", "{\"events\":[{\"event_type\":\"\\u0000\"}]}"},
    {"lone surrogate", "{\"events\":[{\"event_type\":\"\\ud800\"}]}"},
    {"ill-formed UTF-8", "{\"events\":[{\"event_type\":\"\xc3\x28\"}]}"},
    {"duplicate keys", "{\"events\":[1],\"events\":[2]}"},
    {"number beyond 2^63", "{\"events\":[9223372036854775808123]}"},
    {"number beyond a double", "{\"events\":[1e400]}"},
    {"single quotes", "{'events':[]}"},
    {"comment", "{\"events\":[1]/**/}"},
    {"byte order mark", "\xef\xbb\xbf{\"events\":[1]}"},
    {"XML", "<?xml version=\"1.0\"?><a/>"},
    {"form", "a=b&c=d"},
};

static void test_a_webhook_keeps_what_it_does_not_understand_and_acks_it(void **state) {
  int64_t before = counted(COUNTER_QUARANTINED, "blux/sms");
  for (size_t i = 0; i < COUNT_OF(bad_bodies); i++) {
    char *answer = wire_post(port, BLUX, "", bad_bodies[i].body, strlen(bad_bodies[i].body));
    assert_answer(bad_bodies[i].what, answer, 200, NULL);
    free(answer);
  }
  assert_int_equal(counted(COUNTER_QUARANTINED, "blux/sms") - before, COUNT_OF(bad_bodies));
}

static void test_a_registration_that_makes_no_sense_is_told_so_and_stores_nothing(void **state) {
  int64_t before = counted(COUNTER_ELEMENTS, "accepted");
  for (size_t i = 0; i < COUNT_OF(bad_bodies); i++) {
    char *answer = wire_post(port, REGISTER, BEARER, bad_bodies[i].body, strlen(bad_bodies[i].body));
    assert_answer(bad_bodies[i].what, answer, 400, "{\"error\":{\"code\":\"bad_");
    free(answer);
  }
  assert_int_equal(counted(COUNTER_ELEMENTS, "accepted"), before);
}

#define GOOD_ITEM "{\"provider\":\"blux\",\"notification_id\":\"x1\"}"

static const struct {
  const char *body, *message;
} bad_registrations[] = {
    {"", "empty"},
    {"[]", "expected"},
    {"{}", "expected"},
    {"[" GOOD_ITEM ",5]", "/1"},
    {"[" GOOD_ITEM ",{\"provider\":\"nobody\",\"notification_id\":\"x\"}]",
     "/1/provider: expected one of bizgo"},
    {"{\"provider\":\"blux\"}", "expected"},
    {"{\"provider\":\"blux\",\"notification_id\":\"\"}", "expected"},
    {"{\"provider\":\"blux\",\"notification_id\":7}", "expected"},
    {"{\"provider\":\"blux\",\"notification_id\":\"a\\nb\"}", "expected"},
    {"{\"provider\":\"blux\",\"notification_id\":\"x\",\"more\":1}", "expected"},
    {"{\"provider\":\"blux\",\"notification_id\":\"x\",\"accepted_at\":\"yesterday\"}", "expected"},
    {"{\"provider\":\"blux\",\"notification_id\":\"x\",\"accepted_at\":\"2026-13-41T00:00:00Z\"}",
     "/accepted_at"},
    {"{\"provider\":\"bizgo\",\"response\":\"A000\"}", "expected"},
    {"{\"provider\":\"bizgo\",\"response\":{\"code\":\"A000\"}}", "/response"},
    {"[" GOOD_ITEM ",{\"provider\":\"bizgo\",\"response\":{\"data\":{\"destinations\":[]}}}]", "/1/response"},
};

static void test_a_bad_registration_is_refused_whole_and_its_place_is_named(void **state) {
  int64_t before = counted(COUNTER_ELEMENTS, "accepted");
  for (size_t i = 0; i < COUNT_OF(bad_registrations); i++) {
    const char *body = bad_registrations[i].body;
    char *answer = wire_post(port, REGISTER, BEARER, body, strlen(body));
    assert_answer(body, answer, 400, bad_registrations[i].message);
    free(answer);
  }
  assert_int_equal(counted(COUNTER_ELEMENTS, "accepted"), before);
}

static void test_nesting_is_bounded(void **state) {
  enum { DEPTH = 10000 };
  AUTO_FREE char *body = mem_alloc(2 * DEPTH + 32);
  char *at = stpcpy(body, "{\"events\":");
  memset(at, '[', DEPTH);
  memset(at + DEPTH, ']', DEPTH);
  strcpy(at + 2 * DEPTH, "}");
  char *answer = wire_post(port, BLUX, "", body, strlen(body));
  assert_answer("webhook", answer, 200, NULL);
  free(answer);
  answer = wire_post(port, REGISTER, BEARER, body, strlen(body));
  assert_answer("registration", answer, 400, "bad_json");
  free(answer);
}

static void test_ten_megabytes_are_refused(void **state) {
  enum { TEN_MB = 10000000 };
  AUTO_FREE char *body = mem_alloc(TEN_MB);
  memset(body, ' ', TEN_MB);
  static const char *const paths[] = {BLUX, REGISTER, "/nowhere"};
  static const int statuses[] = {413, 413, 404};
  for (size_t i = 0; i < COUNT_OF(paths); i++) {
    char *answer = wire_post(port, paths[i], BEARER, body, TEN_MB);
    assert_answer(paths[i], answer, statuses[i], "Connection: close\r\n");
    free(answer);
  }
}

// ---- HTTP ----

#define TO(method, path) method " " path " HTTP/1.1\r\nHost: t\r\n"
#define LEN(n)           "Content-Length: " #n "\r\n"
#define CHUNKED          "Transfer-Encoding: chunked\r\n"
#define END              "\r\n"

static const struct {
  const char *what, *request;
  int status;
  const char *text;
} exchanges[] = {
    {"no body", TO("POST", BIZGO) END, 200, "{\"msgKey\":\"\"}"},
    {"empty body", TO("POST", BLUX) LEN(0) END, 200, "Content-Length: 0"},
    {"no elements", TO("POST", BLUX) LEN(13) END "{\"events\":[]}", 200, "Content-Length: 0"},
    {"query is not the path", TO("POST", BIZGO "?x=1") LEN(2) END "{}", 200, NULL},
    {"HTTP/1.0", "POST " BIZGO " HTTP/1.0\r\n" LEN(2) END "{}", 200, "Connection: close"},
    {"one chunk", TO("POST", BLUX) CHUNKED END "d\r\n{\"events\":[]}\r\n0\r\n\r\n", 200,
     "Connection: keep-alive"},
    {"two chunks", TO("POST", BLUX) CHUNKED END "6\r\n{\"even\r\n7\r\nts\":[]}\r\n0\r\n\r\n", 200, NULL},
    {"gzip", TO("POST", BLUX) "Content-Encoding: gzip\r\n" LEN(3) END "\x1f\x8b\x08", 200, NULL},
    {"identity", TO("POST", BLUX) "Content-Encoding: identity\r\n" LEN(13) END "{\"events\":[]}", 200, NULL},
    {"gzip registration", TO("POST", REGISTER) BEARER "Content-Encoding: gzip\r\n" LEN(3) END "\x1f\x8b\x08",
     400, "bad_encoding"},
    {"brotli registration", TO("POST", REGISTER) BEARER "Content-Encoding: br\r\n" LEN(2) END "{}", 415,
     NULL},
    {"form registration",
     TO("POST", REGISTER) BEARER "Content-Type: application/x-www-form-urlencoded\r\n" LEN(3) END "a=b", 415,
     "application/json"},
    {"expect", TO("POST", BLUX) "Expect: 100-continue\r\n" LEN(13) END "{\"events\":[]}", 200, NULL},
    {"GET", TO("GET", BIZGO) END, 405, "Allow: POST"},
    {"GET is told", TO("GET", BIZGO) END, 405, "\"this path takes POST\""},
    {"OPTIONS", TO("OPTIONS", REGISTER) END, 405, "Allow: POST"},
    {"PUT", TO("PUT", REGISTER) LEN(2) END "{}", 405, "Allow: POST"},
    {"DELETE", TO("DELETE", BIZGO) END, 405, "Allow: POST"},
    {"websocket",
     TO("GET", BIZGO) "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: eA==\r\n"
                      "Sec-WebSocket-Version: 13\r\n" END,
     405, NULL},
    {"root", TO("GET", "/") END, 404, "not_found"},
    {"unknown path", TO("POST", "/webhooks/bizgo/alimtalk") LEN(2) END "{}", 404, NULL},
    {"unknown endpoint", TO("POST", "/webhook/nobody") LEN(2) END "{}", 404, NULL},
    {"path behind the route", TO("POST", REGISTER "/x") BEARER LEN(2) END "{}", 404, NULL},
    {"encoded path", TO("POST", "/webhook/bizgo%2falimtalk") LEN(2) END "{}", 404, NULL},
    {"encoded NUL", TO("POST", BIZGO "%00") LEN(2) END "{}", 404, NULL},
    {"dots", TO("POST", "/webhook/x/../bizgo/alimtalk") LEN(2) END "{}", 404, NULL},
    {"admin is elsewhere", TO("GET", "/metrics") END, 404, NULL},
    {"two lengths", TO("POST", BIZGO) LEN(2) LEN(2) END "{}", 400, "Connection: close"},
    {"two lengths that differ", TO("POST", BIZGO) LEN(2) LEN(40) END "{}", 400, "Connection: close"},
    {"length and chunks", TO("POST", BIZGO) LEN(2) CHUNKED END "{}", 400, "Connection: close"},
    {"two codings", TO("POST", BIZGO) CHUNKED CHUNKED END "0\r\n\r\n", 400, "Connection: close"},
    {"chunks in HTTP/1.0", "POST " BIZGO " HTTP/1.0\r\n" CHUNKED END "0\r\n\r\n", 400, NULL},
    {"unknown coding", TO("POST", BIZGO) "Transfer-Encoding: gzip\r\n" END, 400, NULL},
    {"identity coding", TO("POST", BIZGO) "Transfer-Encoding: identity\r\n" LEN(2) END "{}", 400, NULL},
    {"negative length", TO("POST", BIZGO) LEN(-1) END, 400, NULL},
    {"length with a plus", TO("POST", BIZGO) LEN(+2) END "{}", 400, NULL},
    {"length that is none", TO("POST", BIZGO) LEN(two) END "{}", 400, NULL},
    {"length with a tail", TO("POST", BIZGO) LEN(2;) END "{}", 400, NULL},
    {"length beyond 64 bit", TO("POST", BIZGO) LEN(99999999999999999999) END, 400, NULL},
    {"length far over", TO("POST", BIZGO) LEN(999999999999) END "{}", 413, "Connection: close"},
    {"the limit is told", TO("POST", BIZGO) LEN(999999999999) END "{}", 413,
     " bytes (DOCHAK_BODY_MAX_BYTES)"},
    {"broken chunk", TO("POST", BIZGO) CHUNKED END "zz\r\n{}\r\n0\r\n\r\n", 400, "Connection: close"},
    {"negative chunk", TO("POST", BIZGO) CHUNKED END "ffffffffffffffff\r\n{}\r\n0\r\n\r\n", 400, NULL},
    {"not HTTP", "hello\r\n\r\n", 400, "bad_request"},
    {"control character", "POST /\x01 HTTP/1.1\r\n\r\n", 400, NULL},
    {"unknown method", TO("BREW", BIZGO) END, 405, NULL},
    {"HTTP/3.0", "GET / HTTP/3.0\r\n\r\n", 505, NULL},
};

static void test_every_request_gets_its_answer(void **state) {
  for (size_t i = 0; i < COUNT_OF(exchanges); i++) {
    char *answer = wire_exchange(port, exchanges[i].request, strlen(exchanges[i].request));
    assert_answer(exchanges[i].what, answer, exchanges[i].status, exchanges[i].text);
    assert_null(strstr(answer, "civetweb"));
    free(answer);
  }
}

static void test_head_has_no_body(void **state) {
  static const char request[] = TO("HEAD", BIZGO) "Connection: close\r\n" END;
  int fd = wire_connect(port);
  wire_send(fd, request, strlen(request));
  char answer[4096] = "";
  size_t len = 0;
  for (ssize_t n; (n = recv(fd, answer + len, sizeof answer - 1 - len, 0)) > 0; len += (size_t)n) continue;
  close(fd);
  assert_answer("HEAD", answer, 405, NULL);
  assert_string_equal(wire_body(answer), "");
}

// A stream of so many chunks of 4 KiB.
static char *exchange_chunks(const char *head, int chunks) {
  enum { CHUNK = 0x1000 };
  AUTO_FREE char *text = mem_alloc((size_t)(CHUNK + 16) * (size_t)chunks + 256);
  char *at = stpcpy(text, head);
  for (int i = 0; i < chunks; i++) {
    at = stpcpy(at, "1000\r\n");
    memset(at, ' ', CHUNK);
    at = stpcpy(at + CHUNK, "\r\n");
  }
  at = stpcpy(at, "0\r\n\r\n");
  return wire_exchange(port, text, (size_t)(at - text));
}

static void test_a_stream_over_the_limit_is_refused(void **state) {
  char *answer = exchange_chunks(TO("POST", BLUX) CHUNKED END, 140);
  assert_answer("stream", answer, 413, "Connection: close");
  free(answer);
}

// While Kafka takes its time, an endpoint holds as much as its share, packed or not.
static void test_packed_bodies_count_by_what_they_hold(void **state) {
  enum { EACH = 500000, CALLS = BODIES_MAX_BYTES / 2 / EACH + 3 };
  AUTO_FREE char *body = mem_alloc(EACH);
  memset(stpcpy(body, REPORT), ' ', EACH - strlen(REPORT));
  size_t len;
  AUTO_FREE char *packed = pack(body, EACH, PACK_GZIP, &len);
  AUTO_FREE char *head = mem_printf(
      TO("POST", BIZGO) "Connection: close\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", len);
  int fds[CALLS], taken = 0;
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 500);
  for (int i = 0; i < CALLS; i++) {
    fds[i] = wire_connect(port);
    wire_send(fds[i], head, strlen(head));
    wire_send(fds[i], packed, len);
  }
  for (int i = 0; i < CALLS; i++) {
    AUTO_FREE char *answer = wire_receive(fds[i]);
    int status = wire_status(answer);
    assert_true(status == 200 || status == 503);
    taken += status == 200;
    close(fds[i]);
  }
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 0);
  assert_in_range(taken, 1, BODIES_MAX_BYTES / 2 / EACH);
}

static void test_a_stranger_with_a_long_stream_is_told_no_more_than_with_a_short_one(void **state) {
  for (int chunks = 1; chunks <= 8; chunks++) {
    char *answer = exchange_chunks(TO("POST", HIDDEN "wrong-0123456789abcd") CHUNKED END, chunks);
    assert_answer("stranger", answer, 200, NULL);
    assert_string_equal(wire_body(answer), "{\"msgKey\":\"\"}");
    free(answer);
  }
}

static void test_too_many_headers_are_refused(void **state) {
  AUTO_FREE char *text = mem_alloc(8192);
  char *at = stpcpy(text, TO("POST", BIZGO));
  for (int i = 0; i < 101; i++) at += sprintf(at, "X-%d: y\r\n", i);
  stpcpy(at, LEN(2) END "{}");
  char *answer = wire_exchange(port, text, strlen(text));
  assert_answer("headers", answer, 431, "Connection: close");
  free(answer);
}

static void test_two_requests_share_a_connection(void **state) {
  static const char request[] = TO("POST", BLUX) LEN(13) END "{\"events\":[]}";
  int fd = wire_connect(port);
  for (int i = 0; i < 3; i++) {
    wire_send(fd, request, strlen(request));
    char *answer = wire_receive(fd);
    assert_answer("again", answer, 200, "Connection: keep-alive");
    free(answer);
  }
  close(fd);
}

static void test_a_body_that_ends_early_is_not_taken(void **state) {
  static const char request[] = TO("POST", BLUX) LEN(40) END "{\"events\":";
  int64_t before = counted(COUNTER_QUARANTINED, "blux/sms");
  int fd = wire_connect(port);
  wire_send(fd, request, strlen(request));
  shutdown(fd, SHUT_WR);
  char *answer = wire_receive(fd);
  assert_answer("cut", answer, 503, "Connection: close");
  free(answer);
  close(fd);
  assert_int_equal(counted(COUNTER_QUARANTINED, "blux/sms"), before);
}

// ---- Kafka away ----

static void test_nothing_is_acked_while_kafka_is_away(void **state) {
  in.settings.ack_budget_ms = 100;
  rd_kafka_mock_broker_set_down(mock.cluster, 1);
  char *answer = wire_post(port, BIZGO, "", REPORT, strlen(REPORT));
  assert_answer("webhook", answer, 503, "Retry-After: ");
  free(answer);
  answer = wire_post(port, REGISTER, BEARER, GOOD_ITEM, strlen(GOOD_ITEM));
  assert_answer("registration", answer, 503, "Retry-After: ");
  free(answer);
  rd_kafka_mock_broker_set_up(mock.cluster, 1);
  in.settings.ack_budget_ms = 5000;
  answer = wire_post(port, BIZGO, "", REPORT, strlen(REPORT));
  assert_answer("back", answer, 200, NULL);
  free(answer);
}

static void test_keys_are_checked_at_start(void **state) {
  static const struct {
    const char *keys, *fault;
  } bad[] = {
      {"", "DOCHAK_INGRESS_KEY: key 1: expected at least 16 characters, got 0"},
      {KEY ",short", "DOCHAK_INGRESS_KEY: key 2: expected at least 16 characters, got 5"},
      {KEY ",", "DOCHAK_INGRESS_KEY: key 2: expected at least 16 characters, got 0"},
      {"key with space 0123", "DOCHAK_INGRESS_KEY: key 1: expected only letters, digits and . _ ~ -"},
  };
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    struct err err;
    assert_null(registrar_new(bad[i].keys, &err));
    assert_string_equal(err.text, bad[i].fault);
  }
}

// ---- the end ----

static void *drain(void *server) {
  server_drain(server, 5000);
  return NULL;
}

static void wait_until_unready(void) {
  while (!server_unready(in.server)) clock_sleep_ms(1);
}

static bool is_refused(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  bool refused = connect(fd, (struct sockaddr *)&to, sizeof to) != 0;
  close(fd);
  return refused;
}

// The last one: there is no server behind it.
static void test_draining_finishes_what_is_in_flight(void **state) {
  static const char request[] = TO("POST", BIZGO) LEN(2) END "{}";
  pthread_t thread;
  int fd = wire_connect(port);
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 500);
  wire_send(fd, request, strlen(request));
  while (counted(COUNTER_IN_FLIGHT, NULL) == 0) clock_sleep_ms(1);
  pthread_create(&thread, NULL, drain, in.server);
  wait_until_unready();
  assert_string_equal(server_unready(in.server), "stopping");
  char *answer = wire_receive(fd);
  assert_answer("in flight", answer, 200, "Connection: close");
  free(answer);
  close(fd);
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 0);
  while (counted(COUNTER_CONNECTIONS, NULL)) clock_sleep_ms(1);
  clock_sleep_ms(100); // whoever routes to us has not heard of it yet
  answer = wire_exchange(port, request, strlen(request));
  assert_answer("a latecomer", answer, 200, "Connection: close");
  free(answer);
  pthread_join(thread, NULL);
  assert_true(is_refused());
}

int main(void) {
  log_init("test", LOG_LEVEL_ERROR);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_receipt_is_stored_under_its_id_and_acked_as_the_provider_wants),
      cmocka_unit_test(test_a_batch_is_stored_element_by_element),
      cmocka_unit_test(test_a_registration_is_one_event_per_recipient),
      cmocka_unit_test(test_the_recipient_of_an_item_is_not_that_of_several),
      cmocka_unit_test(test_a_registration_that_no_record_can_hold_is_told_so),
      cmocka_unit_test(test_many_recipients_with_much_around_them_are_told_so),
      cmocka_unit_test(test_a_refused_sender_is_answered_as_the_file_says_and_stores_nothing),
      cmocka_unit_test(test_a_signature_over_the_body_is_looked_at_before_anything_is_stored),
      cmocka_unit_test(test_a_registration_needs_a_key),
      cmocka_unit_test(test_a_webhook_keeps_what_it_does_not_understand_and_acks_it),
      cmocka_unit_test(test_a_registration_that_makes_no_sense_is_told_so_and_stores_nothing),
      cmocka_unit_test(test_a_bad_registration_is_refused_whole_and_its_place_is_named),
      cmocka_unit_test(test_nesting_is_bounded),
      cmocka_unit_test(test_ten_megabytes_are_refused),
      cmocka_unit_test(test_every_request_gets_its_answer),
      cmocka_unit_test(test_head_has_no_body),
      cmocka_unit_test(test_a_stream_over_the_limit_is_refused),
      cmocka_unit_test(test_packed_bodies_count_by_what_they_hold),
      cmocka_unit_test(test_a_stranger_with_a_long_stream_is_told_no_more_than_with_a_short_one),
      cmocka_unit_test(test_too_many_headers_are_refused),
      cmocka_unit_test(test_two_requests_share_a_connection),
      cmocka_unit_test(test_a_body_that_ends_early_is_not_taken),
      cmocka_unit_test(test_nothing_is_acked_while_kafka_is_away),
      cmocka_unit_test(test_keys_are_checked_at_start),
      cmocka_unit_test(test_draining_finishes_what_is_in_flight),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
