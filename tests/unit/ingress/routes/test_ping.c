// SPDX-License-Identifier: MIT
// GET /v1/ping on the real listener: what it says without a nonce, and with one.
#include "common/base/digest.h"
// An eighth is for unauthenticated senders. A thread leaves its lane a moment after its client has the
// answer.
#define SERVING_THREADS 256
#include "tests/unit/support/serving.h"

#define PING     "GET /v1/ping"
#define HTTP     " HTTP/1.1\r\nHost: t\r\n"
#define NONCE    "?nonce=00112233445566778899aabbccddeeff"
#define PING_KEY "ping-key-0123456789abcdef"
// printf 00112233445566778899aabbccddeeff | openssl dgst -sha256 -hmac ping-key-0123456789abcdef
#define PROOF "65e3656ef4a93286859adf3090d5dd9de19550f1a179bd0a31bcca1bf0936ca5"

static char *ping(const char *head) {
  return wire_exchange(port, head, strlen(head));
}

static void set_key(const char *key) {
  free(in.settings.ping_key);
  in.settings.ping_key = mem_strdup(key);
}

static void test_without_a_nonce_it_says_that_it_is_there_and_no_more(void **state) {
  static const char *const heads[] = {PING HTTP "\r\n", PING "?x=1" HTTP "\r\n", PING "?" HTTP "\r\n"};
  set_key(PING_KEY);
  for (size_t i = 0; i < COUNT_OF(heads); i++) {
    AUTO_FREE char *answer = ping(heads[i]);
    assert_answer(heads[i], answer, 200, "Cache-Control: no-store\r\n");
    assert_string_equal(wire_body(answer), "{\"ok\":true}");
  }
}

static void test_with_a_nonce_it_proves_who_answers(void **state) {
  set_key(PING_KEY);
  AUTO_FREE char *answer = ping(PING NONCE HTTP "\r\n");
  assert_answer("ping", answer, 200, "Cache-Control: no-store\r\n");
  assert_string_equal(wire_body(answer), "{\"dochak\":\"ingress\",\"version\":\"" DOCHAK_VERSION
                                         "\",\"instance\":\"test\",\"address\":\"127.0.0.1\","
                                         "\"proof\":\"" PROOF "\"}");
}

static void test_without_a_key_there_is_no_proof(void **state) {
  set_key("");
  AUTO_FREE char *answer = ping(PING NONCE HTTP "\r\n");
  assert_answer("ping", answer, 200, "\"address\":\"127.0.0.1\"}");
}

static void test_a_nonce_has_bounds(void **state) {
  static const struct {
    size_t len;
    int digit, status;
  } rows[] = {{0, 'a', 400},    {15, 'a', 400}, {16, 'a', 200}, {128, 'F', 200}, {129, 'a', 400},
              {4000, 'a', 400}, {16, 'g', 400}, {16, '&', 400}, {16, '%', 400}};
  set_key(PING_KEY);
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    AUTO_FREE char *nonce = mem_alloc(rows[i].len + 1);
    memset(nonce, rows[i].digit, rows[i].len);
    AUTO_FREE char *head = mem_printf(PING "?nonce=%s" HTTP "\r\n", nonce);
    AUTO_FREE char *answer = ping(head);
    assert_answer(nonce, answer, rows[i].status, rows[i].status == 400 ? "bad_nonce" : "\"proof\":\"");
  }
}

// The peer is 127.0.0.1 in each case.
static void test_the_address_is_that_which_the_checks_see(void **state) {
  static const struct {
    bool trusted;
    const char *headers, *address;
  } rows[] = {
      {false, "", "\"address\":\"127.0.0.1\""},
      {false, "X-Forwarded-For: 203.0.113.7\r\n", "\"address\":\"127.0.0.1\""},
      {true, "X-Forwarded-For: 203.0.113.7\r\n", "\"address\":\"203.0.113.7\""},
      {true, "X-Forwarded-For: 198.51.100.1, 2001:db8::7\r\n", "\"address\":\"2001:db8::7\""},
      {true, "X-Forwarded-For: unknown\r\n", "\"address\":null"},
  };
  struct networks all = in.endpoints->trusted, none = {0};
  struct err err;
  assert_true(networks_add(&all, "127.0.0.1", &err));
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    in.endpoints->trusted = rows[i].trusted ? all : none;
    AUTO_FREE char *head = mem_printf(PING NONCE HTTP "%s\r\n", rows[i].headers);
    AUTO_FREE char *answer = ping(head);
    assert_answer(rows[i].headers, answer, 200, rows[i].address);
  }
  in.endpoints->trusted = all; // freed with the endpoints
}

int main(void) {
  log_init("test", LOG_LEVEL_ERROR);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_without_a_nonce_it_says_that_it_is_there_and_no_more),
      cmocka_unit_test(test_with_a_nonce_it_proves_who_answers),
      cmocka_unit_test(test_without_a_key_there_is_no_proof),
      cmocka_unit_test(test_a_nonce_has_bounds),
      cmocka_unit_test(test_the_address_is_that_which_the_checks_see),
  };
  return cmocka_run_group_tests(tests, serve, stop_serving);
}
