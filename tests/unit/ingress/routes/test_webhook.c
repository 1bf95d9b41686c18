// SPDX-License-Identifier: MIT
#include "common/provider/framing.h"
#include "tests/unit/support/serving.h"
#include <zlib.h>

#define HIDDEN "/webhook/bizgo/hidden/"
#define TRACE  "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

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

// The key is the sender's secret.
static void test_a_query_is_stored_without_its_secret(void **state) {
  static const char understood[] = "{\"messageId\":\"q1\",\"status\":\"delivered\",\"msisdn\":\"82 10\"}";
  static const struct {
    const char *query, *topic, *value;
  } rows[] = {
      {"messageId=q1&key=" SECRET "&status=delivered&msisdn=82%2010", "dochak.events", understood},
      {"%6bey=" SECRET "&messageId=q2&status=%6fdd", "dochak.quarantine", "messageId=q2&status=%6fdd"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    AUTO_FREE char *head = mem_printf("GET " ACME "?%s HTTP/1.1\r\nHost: t\r\n\r\n", rows[i].query);
    int fd = wire_connect(port);
    wire_send(fd, head, strlen(head));
    AUTO_FREE char *answer = wire_receive(fd);
    close(fd);
    assert_answer(rows[i].query, answer, 200, NULL);
    struct mock_records records = mock_read(&mock, rows[i].topic);
    mock_find(&records, rows[i].value);
    for (size_t j = 0; j < records.n; j++) {
      const rd_kafka_message_t *rkm = records.list[j].rkm;
      assert_null(memmem(rkm->payload, rkm->len, SECRET, strlen(SECRET)));
    }
    mock_records_fini(&records);
  }
}

static void test_a_header_that_the_file_reads_is_stored_with_the_element(void **state) {
  static const char body[] = "{\"id\":\"h1\", \"code\":\"4000\"}";
  static const struct {
    const char *headers, *topic, *value;
  } rows[] = {
      {"X-ACME-Event-Name: SINGLE-REPORT\r\nX-Acme-Event-Id: e1\r\nX-Other: o\r\n", "dochak.events",
       "{\"@header\":{\"x-acme-event-name\":\"SINGLE-REPORT\",\"x-acme-event-id\":\"e1\"},\"id\":\"h1\", "
       "\"code\":\"4000\"}"},
      {"X-Acme-Event-Name: SINGLE-REPORT\r\nX-Acme-Event-Id: e1\r\nX-Acme-Event-Id: e1\r\n", "dochak.events",
       "{\"@header\":{\"x-acme-event-name\":\"SINGLE-REPORT\"},\"id\":\"h1\", \"code\":\"4000\"}"},
      {"X-Acme-Event-Id: e1\r\n", "dochak.quarantine",
       "{\"@header\":{\"x-acme-event-id\":\"e1\"},\"id\":\"h1\", \"code\":\"4000\"}"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    char *answer = wire_post(port, "/webhook/acme/headers", rows[i].headers, body, strlen(body));
    assert_answer(rows[i].headers, answer, 200, NULL);
    assert_string_equal(wire_body(answer), "{\"id\":\"h1\"}");
    free(answer);
    struct mock_records records = mock_read(&mock, rows[i].topic);
    mock_find(&records, rows[i].value);
    mock_records_fini(&records);
  }
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

static void test_one_element_that_is_no_json_costs_the_batch_nothing(void **state) {
  static const char body[] = "{\"events\":[" EVENT("s1") ",{\"text\":\"\\ud83d\"}," EVENT("s2") "]}";
  char *answer = wire_post(port, BLUX, "Content-Encoding: utf-8\r\n", body, strlen(body));
  assert_answer("batch", answer, 200, NULL);
  free(answer);
  struct mock_records events = mock_read(&mock, "dochak.events");
  mock_find(&events, EVENT("s1"));
  mock_find(&events, EVENT("s2"));
  mock_records_fini(&events);
  struct mock_records quarantine = mock_read(&mock, "dochak.quarantine");
  const struct mock_record *odd = mock_find(&quarantine, "{\"text\":\"\\ud83d\"}");
  assert_non_null(strstr(odd->event.reason, "not JSON: "));
  mock_records_fini(&quarantine);
}

static void test_what_is_not_understood_is_acked_with_its_key(void **state) {
  static const struct {
    const char *headers, *body;
  } rows[] = {
      {"", "{\"msgKey\":\"k9\",\"reportText\":\"\\ud83d\"}"},
      {"", "{\"msgKey\":\"k9\",\"reportText\":\"cut"},
      {"", "\xef\xbb\xbf{\"msgKey\":\"k9\",\"x\":nul}"},
      {"Content-Encoding: br\r\n", "{\"msgKey\":\"k9\"}"},
      {"Content-Encoding: gzip\r\n", "{\"msgKey\":\"k9\"}"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    int64_t before = counted(COUNTER_ELEMENTS, "quarantined");
    char *answer = wire_post(port, BIZGO, rows[i].headers, rows[i].body, strlen(rows[i].body));
    assert_answer(rows[i].body, answer, 200, NULL);
    assert_string_equal(wire_body(answer), "{\"msgKey\":\"k9\"}");
    assert_int_equal(counted(COUNTER_ELEMENTS, "quarantined"), before + 1);
    free(answer);
  }
}

static void test_as_many_elements_as_are_cut_can_be_held(void **state) {
  AUTO_FREE char *body = mem_alloc(2 * FRAMING_ELEMENTS_MAX + 32);
  char *at = stpcpy(body, "{\"events\":[");
  for (int i = 0; i < FRAMING_ELEMENTS_MAX; i++) at = stpcpy(at, i ? ",1" : "1");
  strcpy(at, "]}");
  char *answer = wire_post(port, BLUX, "", body, strlen(body));
  assert_answer("elements", answer, 200, NULL);
  free(answer);
}

// `len` spaces and a number: no receipts, so it is kept whole.
static char *gzip_of_spaces(size_t len, size_t *packed_len) {
  AUTO_FREE char *plain = mem_alloc(len + 1);
  memset(plain, ' ', len);
  plain[len] = '5';
  char *packed = mem_alloc(len);
  z_stream stream = {.next_in = (unsigned char *)plain,
                     .avail_in = (unsigned)len + 1,
                     .next_out = (unsigned char *)packed,
                     .avail_out = (unsigned)len};
  assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
  *packed_len = stream.total_out;
  deflateEnd(&stream);
  return packed;
}

// How many of six calls at once are answered with 200; the others with 503.
static int count_accepted(const char *head, const char *packed, size_t len) {
  enum { CALLS = 6 };
  int fds[CALLS], n_200 = 0, n_503 = 0;
  for (size_t i = 0; i < CALLS; i++) {
    fds[i] = wire_connect(port);
    wire_send(fds[i], head, strlen(head));
    wire_send(fds[i], packed, len);
  }
  for (size_t i = 0; i < CALLS; i++) {
    AUTO_FREE char *answer = wire_receive(fds[i]);
    n_200 += wire_status(answer) == 200;
    n_503 += wire_status(answer) == 503;
    close(fds[i]);
  }
  assert_int_equal(n_200 + n_503, CALLS);
  return n_200;
}

// On a busy machine the first ones may be answered before the last ones are read, or one that was taken in
// may not be acknowledged in time; then it says nothing.
static void test_what_a_gzip_body_inflates_to_counts_as_held(void **state) {
  enum { TRIES = 10, LARGE = 520000, HELD = 2 }; // two of them are half of what may be held
  enum { BREAKER_MS = 1000 };                    // it may be open then, for so long
  size_t len;
  AUTO_FREE char *packed = gzip_of_spaces(LARGE, &len);
  AUTO_FREE char *head = mem_printf("POST " BLUX " HTTP/1.1\r\nHost: t\r\nContent-Encoding: gzip\r\n"
                                    "Content-Length: %zu\r\n\r\n",
                                    len);
  int accepted = INT_MAX;
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 500);
  for (int i = 0; i < TRIES && accepted != HELD; i++) {
    if (accepted < HELD) clock_sleep_ms(BREAKER_MS);
    accepted = count_accepted(head, packed, len);
  }
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 0);
  assert_int_equal(accepted, HELD);
}

// ---- URLs ----

static void test_one_slash_more_is_the_same_url(void **state) {
  static const char *const paths[] = {BIZGO "/", HIDDEN SECRET "/", HIDDEN SECRET "/?a=b", BIZGO "/?"};
  int64_t before = counted(COUNTER_ELEMENTS, "receipt");
  for (size_t i = 0; i < COUNT_OF(paths); i++) {
    char *answer = wire_post(port, paths[i], "", REPORT, strlen(REPORT));
    assert_answer(paths[i], answer, 200, "{\"msgKey\":\"k1\"}");
    free(answer);
  }
  assert_int_equal(counted(COUNTER_ELEMENTS, "receipt"), before + (int64_t)COUNT_OF(paths));
}

static void test_what_a_provider_appends_to_its_url_is_answered_as_its_own_file_says(void **state) {
  static const char talk[] = "{\"msgKey\":\"talk1\",\"content\":\"hello\"}";
  static const char *const paths[] = {BIZGO "/cstalk/message", HIDDEN SECRET "/cstalk/message",
                                      HIDDEN SECRET "/cstalk/expired_session/"};
  for (size_t i = 0; i < COUNT_OF(paths); i++) {
    char *answer = wire_post(port, paths[i], "", talk, strlen(talk));
    assert_answer(paths[i], answer, 200, "{\"code\":\"A000\",\"result\":\"Success\"}");
    free(answer);
  }
  struct mock_records events = mock_read(&mock, "dochak.events");
  const struct mock_record *record = mock_find(&events, talk);
  assert_string_equal(record->event.type, EVENT_OTHER);
  assert_string_equal(record->event.provider, "bizgo-counsel");
  mock_records_fini(&events);
}

// ---- senders ----

static void test_a_refused_sender_is_answered_as_the_file_says_and_stores_nothing(void **state) {
  static const struct {
    const char *path, *body, *answer;
  } rows[] = {
      {HIDDEN "wrong-0123456789abcd", "{\"msgKey\":\"spy\"}", "{\"msgKey\":\"spy\"}"},
      {HIDDEN, "not json", "{\"msgKey\":\"\"}"},
      {HIDDEN, "{\"msgKey\":\"spy\",\"x\":\"\\ud83d\"}", "{\"msgKey\":\"spy\"}"},
      {HIDDEN, "{\"msgKey\":\"spy\",\"x\":\"cut", "{\"msgKey\":\"spy\"}"},
      {"/webhook/bizgo/hidden", "{\"msgKey\":\"spy\"}", "{\"msgKey\":\"spy\"}"},
      {HIDDEN SECRET "//", "{\"msgKey\":\"spy\"}", "{\"msgKey\":\"spy\"}"},
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

static void test_a_refused_sender_of_a_long_stream_is_answered_no_other_way(void **state) {
  char text[32768], *at = stpcpy(text, "POST " HIDDEN "wrong HTTP/1.1\r\nHost: t\r\n"
                                       "Transfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 20; i++) at += sprintf(at, "400\r\n%01024d\r\n", 0);
  char *answer = wire_exchange(port, text, (size_t)(at - text));
  assert_answer("stream", answer, 200, "Connection: close");
  assert_string_equal(wire_body(answer), "{\"msgKey\":\"\"}");
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

// Counsel talk is not signed; the secret of the path remains.
static void test_a_suffix_whose_calls_are_not_signed_needs_the_secret_and_no_signature(void **state) {
  static const struct {
    const char *path, *text;
    int64_t stored;
  } rows[] = {
      {"/webhook/bizgo/signed/" SECRET "/cstalk/message", "A000", 1},
      {"/webhook/bizgo/signed/" SECRET, "msgKey", 0},
      {"/webhook/bizgo/signed/guessed/cstalk/message", "A000", 0},
      {"/webhook/bizgo/signed/cstalk/message", "A000", 0},
      {"/webhook/bizgo/bare/cstalk/message", "A000", 0},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    int64_t before = counted(COUNTER_ELEMENTS, "other");
    AUTO_FREE char *answer = wire_post(port, rows[i].path, "", "{\"msgKey\":\"c1\"}", 15);
    assert_answer(rows[i].path, answer, 200, rows[i].text);
    if (counted(COUNTER_ELEMENTS, "other") - before != rows[i].stored) fail_msg("%s", rows[i].path);
  }
}

int main(void) {
  log_init("test", LOG_LEVEL_ERROR);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_receipt_is_stored_under_its_id_and_acked_as_the_provider_wants),
      cmocka_unit_test(test_a_header_that_the_file_reads_is_stored_with_the_element),
      cmocka_unit_test(test_a_query_is_stored_without_its_secret),
      cmocka_unit_test(test_a_batch_is_stored_element_by_element),
      cmocka_unit_test(test_one_element_that_is_no_json_costs_the_batch_nothing),
      cmocka_unit_test(test_what_is_not_understood_is_acked_with_its_key),
      cmocka_unit_test(test_as_many_elements_as_are_cut_can_be_held),
      cmocka_unit_test(test_what_a_gzip_body_inflates_to_counts_as_held),
      cmocka_unit_test(test_one_slash_more_is_the_same_url),
      cmocka_unit_test(test_what_a_provider_appends_to_its_url_is_answered_as_its_own_file_says),
      cmocka_unit_test(test_a_refused_sender_is_answered_as_the_file_says_and_stores_nothing),
      cmocka_unit_test(test_one_slash_more_is_the_same_url),
      cmocka_unit_test(test_what_a_provider_appends_to_its_url_is_answered_as_its_own_file_says),
      cmocka_unit_test(test_a_refused_sender_of_a_long_stream_is_answered_no_other_way),
      cmocka_unit_test(test_a_signature_over_the_body_is_looked_at_before_anything_is_stored),
      cmocka_unit_test(test_a_suffix_whose_calls_are_not_signed_needs_the_secret_and_no_signature),
  };
  return cmocka_run_group_tests(tests, serve, stop_serving);
}
