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
    struct err err;
    assert_null(registrar_new(bad[i].keys, &err));
    assert_string_equal(err.text, bad[i].fault);
  }
}

// ---- what is refused ----

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

int main(void) {
  log_init("test", LOG_LEVEL_ERROR);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_registration_is_one_event_per_recipient),
      cmocka_unit_test(test_the_recipient_of_an_item_is_not_that_of_several),
      cmocka_unit_test(test_a_registration_that_no_record_can_hold_is_told_so),
      cmocka_unit_test(test_many_recipients_with_much_around_them_are_told_so),
      cmocka_unit_test(test_a_registration_needs_a_key),
      cmocka_unit_test(test_keys_are_checked_at_start),
      cmocka_unit_test(test_a_bad_registration_is_refused_whole_and_its_place_is_named),
  };
  return cmocka_run_group_tests(tests, serve, stop_serving);
}
