// SPDX-License-Identifier: MIT
// The public listener as the world meets it: a real socket, the mock broker behind it, good requests and
// every bad one we could think of. One server for all tests.
#include "tests/unit/support/serving.h"
#include <pthread.h>
#include <stdatomic.h>

static void wait_gauge(enum counter id, int64_t n) {
  int64_t deadline = clock_mono_ms() + 10000;
  while (counted(id, NULL) != n && clock_mono_ms() < deadline) clock_sleep_ms(1);
  assert_int_equal(counted(id, NULL), n);
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
    {"no length", TO("POST", BIZGO) END, 411, "length_required"},
    {"no body", TO("POST", BIZGO) LEN(0) END, 200, "{\"msgKey\":\"\"}"},
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
    {"GET that the provider uses", TO("GET", ACME "?messageId=1&status=delivered&key=" SECRET) END, 200,
     "{\"got\":\"1\"}"},
    {"GET without its token", TO("GET", ACME "?messageId=1&status=delivered") END, 401, NULL},
    {"GET without a query", TO("GET", ACME "?key=" SECRET) END, 200, "{\"got\":\"\"}"},
    {"POST that the provider uses, too",
     TO("POST", ACME "?key=" SECRET) LEN(29) END "messageId=1&status=delivered\n", 200, "{\"got\":\"1\"}"},
    {"HEAD", TO("HEAD", ACME "?key=" SECRET) END, 405, "Allow: GET, POST"},
    {"OPTIONS", TO("OPTIONS", REGISTER) END, 405, "Allow: POST"},
    {"PUT", TO("PUT", REGISTER) LEN(2) END "{}", 405, "Allow: POST"},
    {"DELETE", TO("DELETE", BIZGO) END, 405, "Allow: POST"},
    {"websocket",
     TO("GET", BIZGO) "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: eA==\r\n"
                      "Sec-WebSocket-Version: 13\r\n" END,
     405, NULL},
    {"ping", TO("GET", "/v1/ping") END, 200, "Connection: keep-alive\r\n\r\n{\"ok\":true}"},
    {"ping with a body", TO("GET", "/v1/ping") LEN(2) END "{}", 200, "Connection: close"},
    {"POST ping", TO("POST", "/v1/ping") LEN(2) END "{}", 405, "Allow: GET"},
    {"path behind ping", TO("GET", "/v1/ping/x") END, 404, NULL},
    {"root", TO("GET", "/") END, 404, "not_found"},
    {"unknown path", TO("POST", "/webhooks/bizgo/alimtalk") LEN(2) END "{}", 404, NULL},
    {"unknown endpoint", TO("POST", "/webhook/nobody") LEN(2) END "{}", 404, NULL},
    {"path behind the route", TO("POST", REGISTER "/x") BEARER LEN(2) END "{}", 404, NULL},
    {"encoded path", TO("POST", "/webhook/bizgo%2falimtalk") LEN(2) END "{}", 404, NULL},
    {"encoded NUL", TO("POST", BIZGO "%00") LEN(2) END "{}", 404, NULL},
    {"dots", TO("POST", "/webhook/x/../bizgo/alimtalk") LEN(2) END "{}", 404, NULL},
    {"admin is elsewhere", TO("GET", "/metrics") END, 404, NULL},
    {"length far over", TO("POST", BIZGO) LEN(999999999999) END "{}", 413, "Connection: close"},
    {"the limit is told", TO("POST", BIZGO) LEN(999999999999) END "{}", 413,
     " bytes (DOCHAK_BODY_MAX_BYTES)"},
    {"broken chunk", TO("POST", BIZGO) CHUNKED END "zz\r\n{}\r\n0\r\n\r\n", 503, "Connection: close"},
    {"not HTTP", "hello\r\n\r\n", 400, "bad_request"},
    {"unknown method", TO("BREW", BIZGO) END, 400, NULL},
};

static void test_every_request_gets_its_answer(void **state) {
  for (size_t i = 0; i < COUNT_OF(exchanges); i++) {
    wait_gauge(COUNTER_IN_FLIGHT, 0); // a thread leaves its lane after the answer, and there are two for 404
    char *answer = wire_exchange(port, exchanges[i].request, strlen(exchanges[i].request));
    assert_answer(exchanges[i].what, answer, exchanges[i].status, exchanges[i].text);
    assert_null(strstr(answer, "civetweb"));
    free(answer);
  }
}

static void test_head_has_no_body(void **state) {
  static const char request[] = TO("HEAD", BIZGO) "Connection: close\r\n" END;
  wait_gauge(COUNTER_IN_FLIGHT, 0);
  int fd = wire_connect(port);
  wire_send(fd, request, strlen(request));
  char answer[4096] = "";
  size_t len = 0;
  for (ssize_t n; (n = recv(fd, answer + len, sizeof answer - 1 - len, 0)) > 0; len += (size_t)n) continue;
  close(fd);
  assert_answer("HEAD", answer, 405, NULL);
  assert_string_equal(wire_body(answer), "");
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

// ---- shares: 16 threads ----

// Requests whose body does not come: each of them has a thread until its connection ends.
static void hold(int *fds, size_t n, const char *path) {
  AUTO_FREE char *head = mem_printf(TO("POST", "%s") LEN(2) END, path);
  wait_gauge(COUNTER_IN_FLIGHT, 0);
  for (size_t i = 0; i < n; i++) {
    fds[i] = wire_connect(port);
    wire_send(fds[i], head, strlen(head));
  }
  wait_gauge(COUNTER_IN_FLIGHT, (int64_t)n);
}

static void let_go(const int *fds, size_t n) {
  for (size_t i = 0; i < n; i++) close(fds[i]);
  wait_gauge(COUNTER_IN_FLIGHT, 0);
  wait_gauge(COUNTER_CONNECTIONS, 0);
}

static void assert_post(const char *path, const char *headers, const char *body, int status,
                        const char *text) {
  char *answer = wire_post(port, path, headers, body, strlen(body));
  assert_answer(path, answer, status, text);
  free(answer);
}

static char *ask_on(int fd, const char *request) {
  wire_send(fd, request, strlen(request));
  return wire_receive(fd);
}

static void test_slow_bodies_of_one_endpoint_leave_half_of_the_threads_to_the_others(void **state) {
  int fds[12];
  hold(fds, COUNT_OF(fds), BIZGO);
  assert_post(BLUX, "", "{\"events\":[]}", 200, NULL);
  assert_post(BIZGO, "", "{}", 200, NULL); // a quick one
  assert_post(REGISTER, BEARER, GOOD_ITEM, 202, NULL);
  size_t given_up = 0, late = 0;
  for (size_t i = 0; i < COUNT_OF(fds); i++) {
    char *answer = wire_receive(fds[i]);
    given_up += strstr(answer, "\"overload\"") != NULL;
    late += strstr(answer, "\"incomplete\"") != NULL;
    free(answer);
  }
  assert_int_equal(given_up, 4);
  assert_int_equal(late, 8);
  let_go(fds, COUNT_OF(fds));
}

static void test_unauthenticated_senders_have_an_eighth_of_them(void **state) {
  int fds[2];
  hold(fds, COUNT_OF(fds), "/webhook/blux/sms/guessed");
  assert_post("/webhook/blux/sms/guessed", "", "{}", 503, "\"overload\"");
  assert_post("/webhook/bizgo/hidden/guessed", "", "{}", 503, "\"overload\"");
  assert_post(REGISTER, "Authorization: Bearer guessed\r\n", GOOD_ITEM, 503, "\"overload\"");
  assert_post("/nowhere", "", "{}", 503, "\"overload\"");
  assert_post(BLUX, "", "{\"events\":[]}", 200, NULL);
  assert_post(BIZGO, "", "{}", 200, NULL);
  assert_post(REGISTER, BEARER, GOOD_ITEM, 202, NULL);
  let_go(fds, COUNT_OF(fds));
  assert_post("/nowhere", "", "{}", 404, NULL);
}

static void test_an_answer_closes_while_connections_wait_for_a_thread(void **state) {
  enum { THREADS = 16, MORE = 6 };
  static const char request[] = TO("POST", BLUX) LEN(13) END "{\"events\":[]}";
  int fds[THREADS + MORE];
  for (size_t i = 0; i < THREADS; i++) fds[i] = wire_connect(port);
  wait_gauge(COUNTER_CONNECTIONS, THREADS);
  char *answer = ask_on(fds[0], request);
  assert_answer("none waits", answer, 200, "Connection: keep-alive\r\n");
  free(answer);
  for (size_t i = THREADS; i < COUNT_OF(fds); i++) fds[i] = wire_connect(port);
  bool closed = false;
  for (int i = 0; i < 8 && !closed; i++) { // not each answer looks
    answer = ask_on(fds[0], request);
    assert_answer("some wait", answer, 200, NULL);
    closed = strstr(answer, "Connection: close\r\n") != NULL;
    free(answer);
  }
  assert_true(closed);
  let_go(fds, COUNT_OF(fds));
}

static atomic_bool pressing;
static atomic_int overloads;

static void *press(void *arg) {
  while (atomic_load(&pressing)) {
    AUTO_FREE char *answer = wire_post(port, BIZGO, "", REPORT, strlen(REPORT));
    if (strstr(answer, "\"overload\"")) atomic_fetch_add(&overloads, 1);
  }
  return NULL;
}

static int64_t answers(const char *endpoint, const char *status, const char *way) {
  const char *const labels[] = {endpoint, status, way};
  return atomic_load(metrics_at_each(in.metrics, COUNTER_ANSWERS, labels));
}

static void test_a_ping_is_counted_apart(void **state) {
  static const char ping[] = TO("GET", "/v1/ping") END;
  int64_t pings = answers("v1/ping", "200", "none"), others = answers("v1/notifications", "200", "none");
  free(wire_exchange(port, ping, strlen(ping)));
  assert_int_equal(answers("v1/ping", "200", "none"), pings + 1);
  assert_int_equal(answers("v1/notifications", "200", "none"), others);
}

// Each answer closes its connection; the overload lasts all the same.
static void test_a_lasting_overload_of_one_endpoint_leaves_half_of_the_threads_to_the_others(void **state) {
  enum { CLIENTS = 40, LASTING_MS = 3000, RTT_MS = 100 };
  pthread_t clients[CLIENTS];
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, RTT_MS);
  atomic_store(&pressing, true);
  for (size_t i = 0; i < CLIENTS; i++) pthread_create(&clients[i], NULL, press, NULL);
  int64_t deadline = clock_mono_ms() + LASTING_MS;
  while (atomic_load(&overloads) == 0 && clock_mono_ms() < deadline) clock_sleep_ms(5);
  atomic_store(&pressing, false);
  for (size_t i = 0; i < CLIENTS; i++) pthread_join(clients[i], NULL);
  rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 0);
  assert_int_not_equal(atomic_load(&overloads), 0);
  assert_post(BIZGO, "", "{}", 200, NULL);
}

// A close while bytes are unread is a reset, which takes the answer away from a peer that still sends.
static void test_a_refusal_can_be_read_by_a_peer_that_sends_on(void **state) {
  static const struct {
    const char *head;
    int status;
  } peers[] = {{TO("POST", BIZGO) LEN(400000) LEN(400000) END, 400},
               {TO("POST", BIZGO) LEN(600000) END, 413},
               {TO("POST", "/nowhere") LEN(400000) END, 404},
               {TO("PUT", BIZGO) LEN(400000) END, 405},
               {TO("POST", REGISTER) LEN(400000) END, 401}};
  enum { PART = 20000, PARTS = 20 };
  AUTO_FREE char *part = mem_alloc(PART);
  memset(part, ' ', PART);
  for (size_t i = 0; i < COUNT_OF(peers); i++) {
    int fd = wire_connect(port);
    wire_send(fd, peers[i].head, strlen(peers[i].head));
    for (int k = 0; k < PARTS; k++) {
      wire_send(fd, part, PART);
      clock_sleep_ms(2);
    }
    char *answer = wire_receive(fd);
    assert_answer(peers[i].head, answer, peers[i].status, "Connection: close\r\n");
    if (recv(fd, answer, 1, 0) != 0) fail_msg("%s: reset", peers[i].head);
    free(answer);
    close(fd);
  }
  wait_gauge(COUNTER_IN_FLIGHT, 0);
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
      cmocka_unit_test(test_a_webhook_keeps_what_it_does_not_understand_and_acks_it),
      cmocka_unit_test(test_a_registration_that_makes_no_sense_is_told_so_and_stores_nothing),
      cmocka_unit_test(test_nesting_is_bounded),
      cmocka_unit_test(test_ten_megabytes_are_refused),
      cmocka_unit_test(test_every_request_gets_its_answer),
      cmocka_unit_test(test_head_has_no_body),
      cmocka_unit_test(test_a_body_that_ends_early_is_not_taken),
      cmocka_unit_test(test_slow_bodies_of_one_endpoint_leave_half_of_the_threads_to_the_others),
      cmocka_unit_test(test_unauthenticated_senders_have_an_eighth_of_them),
      cmocka_unit_test(test_an_answer_closes_while_connections_wait_for_a_thread),
      cmocka_unit_test(test_a_ping_is_counted_apart),
      cmocka_unit_test(test_a_lasting_overload_of_one_endpoint_leaves_half_of_the_threads_to_the_others),
      cmocka_unit_test(test_a_refusal_can_be_read_by_a_peer_that_sends_on),
      cmocka_unit_test(test_nothing_is_acked_while_kafka_is_away),
      cmocka_unit_test(test_draining_finishes_what_is_in_flight),
  };
  return cmocka_run_group_tests(tests, serve, stop_serving);
}
