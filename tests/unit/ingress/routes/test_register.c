// SPDX-License-Identifier: MIT
#include "tests/unit/support/serving.h"

// ---- what is stored ----

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

static void test_a_refused_recipient_without_an_id_is_answered_and_stores_nothing(void **state) {
  static const char body[] =
      "{\"provider\":\"bizgo\",\"response\":{\"code\":\"A000\",\"data\":{\"destinations\":["
      "{\"to\":\"8219\",\"code\":\"A306\",\"result\":\"no\"},"
      "{\"to\":\"8220\",\"msgKey\":\"t1\",\"code\":\"A000\"}]}}}";
  int64_t rejected = counted(COUNTER_ELEMENTS, "rejected"), accepted = counted(COUNTER_ELEMENTS, "accepted");
  char *answer = wire_post(port, REGISTER, BEARER, body, strlen(body));
  assert_answer("registration", answer, 202, NULL);
  assert_string_equal(
      wire_body(answer),
      "{\"notifications\":[{\"provider\":\"bizgo\",\"notification_id\":null,\"accepted\":false,"
      "\"code\":\"A306\",\"reason\":\"no\"},"
      "{\"provider\":\"bizgo\",\"notification_id\":\"t1\",\"accepted\":true}]}");
  free(answer);
  assert_int_equal(counted(COUNTER_ELEMENTS, "rejected"), rejected + 1);
  assert_int_equal(counted(COUNTER_ELEMENTS, "accepted"), accepted + 1);
  struct mock_records events = mock_read(&mock, "dochak.events");
  for (size_t i = 0; i < events.n; i++)
    assert_null(memmem(events.list[i].rkm->payload, events.list[i].rkm->len, "8219", 4));
  mock_find(&events,
            "{\"notification_id\":\"t1\",\"recipient\":\"8220\",\"response\":{\"code\":\"A000\",\"data\":"
            "{\"destinations\":[{\"to\":\"8220\",\"msgKey\":\"t1\",\"code\":\"A000\"}]}}}");
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

// An answer may be read just before its request gives back what it held, so the next one is sent again then.
static char *post_large(const char *body) {
  int64_t until_ms = clock_mono_ms() + 5000;
  char *answer = wire_post(port, REGISTER, BEARER, body, strlen(body));
  while (wire_status(answer) == 503 && clock_mono_ms() < until_ms) {
    free(answer);
    answer = wire_post(port, REGISTER, BEARER, body, strlen(body));
  }
  return answer;
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
    char *answer = post_large(body);
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
  char *answer = post_large(body);
  assert_answer("registration", answer, 400, "/response/data/destinations: expected less around");
  free(answer);
}

// A send response whose every recipient becomes an event of `around` bytes and more.
static char *registration_to_many(size_t recipients, size_t around) {
  char *body = mem_alloc(around + 40 * recipients + 128);
  char *at = stpcpy(body, "{\"provider\":\"bizgo\",\"response\":{\"code\":\"A000\",\"t\":\"");
  memset(at, 'x', around);
  at = stpcpy(at + around, "\",\"data\":{\"destinations\":[");
  for (size_t i = 0; i < recipients; i++) at = stpcpy(at, "{\"msgKey\":\"m\",\"code\":\"A000\"},");
  strcpy(at - 1, "]}}}");
  return body;
}

// One call holds more than half of what a lane may, so several at once find no room.
static void assert_room_for_one(const char *body) {
  enum { CALLS = 4 };
  AUTO_FREE char *request = mem_printf(
      "POST " REGISTER " HTTP/1.1\r\nHost: t\r\n" BEARER "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
  for (int round = 0; round < 2; round++) {
    int fds[CALLS], n_202 = 0, n_503 = 0;
    rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 500);
    for (size_t i = 0; i < CALLS; i++) {
      fds[i] = wire_connect(port);
      wire_send(fds[i], request, strlen(request));
    }
    for (size_t i = 0; i < CALLS; i++) {
      AUTO_FREE char *answer = wire_receive(fds[i]);
      n_202 += wire_status(answer) == 202;
      n_503 += wire_status(answer) == 503 && strstr(answer, "Retry-After: ");
      close(fds[i]);
    }
    rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 0);
    assert_true(n_202 <= 1); // none, where they use it up together
    assert_int_equal(n_503, CALLS - n_202);
  }
  AUTO_FREE char *answer = post_large(body);
  assert_answer("alone", answer, 202, NULL);
}

static void test_what_a_registration_grows_to_counts_as_held_and_is_given_back(void **state) {
  enum { RECIPIENTS = 200, AROUND = 3400 };
  AUTO_FREE char *body = registration_to_many(RECIPIENTS, AROUND);
  assert_true(strlen(body) < 16384);
  assert_room_for_one(body);
}

static void test_the_parsed_values_of_a_registration_count_as_held_and_are_given_back(void **state) {
  enum { NUMBERS = 12000 };
  AUTO_FREE char *body = registration_of("1", NUMBERS, 0);
  assert_room_for_one(body);
}

// ---- who may ----

static void test_a_registration_needs_a_key(void **state) {
  static const char *const headers[] = {
      "",
      "Authorization: Bearer wrong-0123456789abcdef\r\n",
      "Authorization: Bearer " KEY "x\r\n",
      "Authorization: Bearer \r\n",
      "Authorization: Basic " KEY "\r\n",
      "Authorization: " KEY "\r\n",
  };
  for (size_t i = 0; i < COUNT_OF(headers); i++) {
    char *answer = wire_post(port, REGISTER, headers[i], "{}", 2);
    assert_answer(headers[i], answer, 401, "WWW-Authenticate: Bearer");
    free(answer);
  }
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
    struct faults faults = {0};
    registrar_free(registrar_new(bad[i].keys, &faults));
    assert_int_equal(faults.n_errors, 1);
    assert_string_equal(faults.list[0].text, bad[i].fault);
    faults_fini(&faults);
  }
}

// ---- what is refused ----

#define EXPLICIT(members) "{\"provider\":\"blux\"," members "}"
#define ID(value)         EXPLICIT("\"notification_id\":" value)
#define RESPONSE(members) "{\"provider\":\"bizgo\",\"response\":{" members "}}"
#define SENT_TO(members)  RESPONSE("\"code\":\"A000\",\"data\":{\"destinations\":[" members "]}")
#define LETTERS_64        "0123456789012345678901234567890123456789012345678901234567890123"
#define LETTERS_256       LETTERS_64 LETTERS_64 LETTERS_64 LETTERS_64
#define KOREAN_8          "알림톡알림톡알림"
#define KOREAN_88                                                                                            \
  KOREAN_8 KOREAN_8 KOREAN_8 KOREAN_8 KOREAN_8 KOREAN_8 KOREAN_8 KOREAN_8 KOREAN_8 KOREAN_8 KOREAN_8
#define PLAIN    "expected text without control characters such as a line break"
#define PLAIN_ID "expected text without control characters"
#define BEYOND   "expected a notification id as text, since this number is no whole number of 64 bits"

// Every refusal names the fault itself.
static const struct {
  const char *body, *message; // the whole message, or its beginning where it ends in "*"
} bad_registrations[] = {
    // the whole
    {"", "the text is empty"},
    {"{", "*"},
    {"5", "expected an object or an array, got a whole number"},
    {"[]", "expected 1 or more items, got 0"},
    {"{}", "expected a key \"provider\""},
    {"[" GOOD_ITEM ",5]", "/1: expected an object, got a whole number"},
    {"[" GOOD_ITEM ",{\"provider\":\"nobody\",\"notification_id\":\"x\"}]",
     "/1/provider: expected one of apiplex-kakao, *"},
    {"{\"provider\":\"No Body\",\"notification_id\":\"x\"}", "/provider: expected a name of lower-case*"},
    // neither, both, unknown
    {"{\"provider\":\"blux\"}", "expected \"response\" or \"notification_id\""},
    {EXPLICIT("\"notification_id\":\"x\",\"response\":{}"),
     "expected \"response\" or \"notification_id\", not both"},
    {"{\"provider\":\"bizgo\",\"response\":{},\"accepted_at\":\"2026-01-12T11:00:03Z\"}",
     "expected \"response\" or \"accepted_at\", not both"},
    {EXPLICIT("\"notificationId\":\"x\""),
     "unknown key \"notificationId\"; did you mean \"notification_id\"?"},
    {EXPLICIT("\"notification_id\":\"x\",\"more\":1"),
     "unknown key \"more\"; expected one of provider, response, notification_id, channel*"},
    // an id that is text
    {ID("\"\""), "/notification_id: expected 1 or more characters, got 0"},
    {ID("\"a\\nb\""), "/notification_id: " PLAIN},
    {ID("\"a\\u007f\""), "/notification_id: " PLAIN},
    {ID("\"a\\u0080\""), "/notification_id: " PLAIN},
    {ID("\"a\\u0085b\""), "/notification_id: " PLAIN},
    {ID("\"\xc2\x9f\""), "/notification_id: " PLAIN},
    {ID("\"a\\u0000b\""), "*"},
    {ID("\"" LETTERS_256 "\""), "/notification_id: expected 255 characters at most, got 256"},
    {ID("\"" KOREAN_88 "\""), "/notification_id: expected at most 255 bytes, got 264"},
    // an id that is none
    {ID("7"), "/notification_id: expected a string, got a whole number"},
    {ID("9223372036854775807"), "/notification_id: expected a string, got a whole number"},
    {ID("9223372036854775808"), "/notification_id: expected a string, got a whole number beyond 64 bits"},
    {ID("-123456789012345678901"), "/notification_id: expected a string, got a whole number beyond 64 bits"},
    {ID("1e30"), "/notification_id: expected a string, got a whole number beyond 64 bits"},
    {ID("1.5"), "/notification_id: expected a string, got a number"},
    {ID("null"), "/notification_id: expected a string, got null"},
    {ID("[\"x\"]"), "/notification_id: expected a string, got an array"},
    // the other members
    {EXPLICIT("\"notification_id\":\"x\",\"recipient\":\"a\\u0085\""), "/recipient: " PLAIN},
    {EXPLICIT("\"notification_id\":\"x\",\"reference\":\"a\\u009f\""), "/reference: " PLAIN},
    {EXPLICIT("\"notification_id\":\"x\",\"channel\":\"\\t\""), "/channel: " PLAIN},
    {EXPLICIT("\"notification_id\":\"x\",\"channel\":\"" LETTERS_64 "x\""),
     "/channel: expected 64 characters at most, got 65"},
    {EXPLICIT("\"notification_id\":\"x\",\"accepted_at\":\"yesterday\""),
     "/accepted_at: expected an RFC 3339 time such as*"},
    {EXPLICIT("\"notification_id\":\"x\",\"accepted_at\":\"2026-13-41T00:00:00Z\""),
     "/accepted_at: no such time"},
    // what the send API answered
    {"{\"provider\":\"bizgo\",\"response\":\"A000\"}", "/response: expected an object, got a string"},
    {RESPONSE("\"code\":\"A000\""), "/response: expected a send response of provider bizgo*"},
    {SENT_TO(""), "/response/data/destinations: expected one recipient or more"},
    {SENT_TO("{\"code\":\"A000\"}"), "/response/data/destinations/0/msgKey: expected a notification id"},
    {SENT_TO("{\"code\":\"A000\",\"msgKey\":\"x\"},{\"code\":\"A000\",\"msgKey\":12345678901234567890123}"),
     "/response/data/destinations/1/msgKey: " BEYOND},
    {SENT_TO("{\"code\":\"A000\",\"msgKey\":\"a\\u0085\"}"),
     "/response/data/destinations/0/msgKey: " PLAIN_ID},
    {SENT_TO("{\"code\":\"A000\",\"msgKey\":\"" LETTERS_256 "\"}"),
     "/response/data/destinations/0/msgKey: expected at most 255 bytes, got 256"},
    {SENT_TO("{\"code\":\"A000\",\"msgKey\":\"\"}"),
     "/response/data/destinations/0/msgKey: expected a notification id as text that is not empty"},
    {SENT_TO("{\"code\":\"A000\",\"msgKey\":[1]}"),
     "/response/data/destinations/0/msgKey: expected a notification id as text that is not empty"},
    {RESPONSE("\"code\":\"A000\",\"msgKey\":12345678901234567890123"), "/response/msgKey: " BEYOND},
    {RESPONSE("\"code\":\"A000\",\"msgKey\":\"a\\tb\""), "/response/msgKey: " PLAIN_ID},
    {"[" GOOD_ITEM "," SENT_TO("") "]", "/1/response/data/destinations: expected one recipient or more"},
};

static void assert_message(const char *body, const char *answer, const char *expected) {
  struct err err;
  const char *text = wire_body(answer);
  AUTO_JSON *document = json_parse(text, strlen(text), &err);
  const char *got = json_string_value(json_object_get(json_object_get(document, "error"), "message"));
  size_t len = strcspn(expected, "*");
  if (!got || strncmp(got, expected, len) != 0 || (!expected[len] && got[len]))
    fail_msg("%.200s: expected %s, got %s", body, expected, got);
}

static void test_a_bad_registration_is_refused_whole_and_its_place_is_named(void **state) {
  int64_t before = counted(COUNTER_ELEMENTS, "accepted");
  for (size_t i = 0; i < COUNT_OF(bad_registrations); i++) {
    const char *body = bad_registrations[i].body;
    char *answer = wire_post(port, REGISTER, BEARER, body, strlen(body));
    assert_answer(body, answer, 400, NULL);
    assert_message(body, answer, bad_registrations[i].message);
    free(answer);
  }
  assert_int_equal(counted(COUNTER_ELEMENTS, "accepted"), before);
}

int main(void) {
  log_init("test", LOG_LEVEL_ERROR);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_registration_is_one_event_per_recipient),
      cmocka_unit_test(test_the_recipient_of_an_item_is_not_that_of_several),
      cmocka_unit_test(test_a_refused_recipient_without_an_id_is_answered_and_stores_nothing),
      cmocka_unit_test(test_a_registration_that_no_record_can_hold_is_told_so),
      cmocka_unit_test(test_many_recipients_with_much_around_them_are_told_so),
      cmocka_unit_test(test_what_a_registration_grows_to_counts_as_held_and_is_given_back),
      cmocka_unit_test(test_the_parsed_values_of_a_registration_count_as_held_and_are_given_back),
      cmocka_unit_test(test_a_registration_needs_a_key),
      cmocka_unit_test(test_keys_are_checked_at_start),
      cmocka_unit_test(test_a_bad_registration_is_refused_whole_and_its_place_is_named),
  };
  return cmocka_run_group_tests(tests, serve, stop_serving);
}
