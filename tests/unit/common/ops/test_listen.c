// SPDX-License-Identifier: MIT
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/ops/listen.h"
#include "tests/unit/support/wire.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { TIMEOUT_MS = 1500 };

static int port;

// Answers with the path, as it was sent.
static int echo(struct mg_connection *conn, void *arg) {
  const char *path = mg_get_request_info(conn)->local_uri_raw;
  const struct http_answer answer = {.status = 200,
                                     .content_type = "text/plain",
                                     .body = path,
                                     .body_len = strlen(path),
                                     .headers = arg,
                                     .close = strcmp(path, "/close") == 0};
  return http_answer_send(conn, &answer);
}

static char *ask(const char *request) {
  return wire_exchange(port, request, strlen(request));
}

static void test_an_answer_is_whole(void **state) {
  char *answer = ask("GET /a HTTP/1.1\r\nHost: t\r\n\r\n");
  assert_string_equal(answer,
                      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Test: 1\r\nContent-Length: 2\r\n"
                      "Connection: keep-alive\r\n\r\n/a");
  free(answer);
}

static void test_a_path_stays_as_it_was_sent(void **state) {
  static const char *const paths[] = {"/a%2fb", "/a/../b", "/%00", "//a", "/a;b", "/%zz"};
  for (size_t i = 0; i < COUNT_OF(paths); i++) {
    AUTO_FREE char *request = mem_printf("GET %s?q=1 HTTP/1.1\r\nHost: t\r\n\r\n", paths[i]);
    char *answer = ask(request);
    assert_string_equal(wire_body(answer), paths[i]);
    free(answer);
  }
}

static const struct {
  const char *request, *connection;
} wishes[] = {
    {"GET / HTTP/1.1\r\n\r\n", "keep-alive"},
    {"GET / HTTP/1.1\r\nConnection: Keep-Alive\r\n\r\n", "keep-alive"},
    {"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "close"},
    {"GET / HTTP/1.1\r\nConnection: TE\r\n\r\n", "close"},
    {"GET / HTTP/1.0\r\n\r\n", "close"},
    {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "keep-alive"},
    {"GET /close HTTP/1.1\r\n\r\n", "close"},
    {"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "close"},
};

static bool is_closed_soon(int fd) {
  char byte;
  int64_t began = clock_mono_ms();
  return recv(fd, &byte, 1, 0) == 0 && clock_mono_ms() - began < 1000; // an idle one has TIMEOUT_MS
}

static void test_a_connection_is_kept_or_closed_as_the_answer_says(void **state) {
  for (size_t i = 0; i < COUNT_OF(wishes); i++) {
    int fd = wire_connect(port);
    wire_send(fd, wishes[i].request, strlen(wishes[i].request));
    char *answer = wire_receive(fd);
    AUTO_FREE char *header = mem_printf("\r\nConnection: %s\r\n", wishes[i].connection);
    assert_non_null(strstr(answer, header));
    free(answer);
    if (strcmp(wishes[i].connection, "close") == 0) assert_true(is_closed_soon(fd));
    close(fd);
  }
}

static void test_what_cannot_be_read_is_answered_in_our_form(void **state) {
  static const struct {
    const char *request;
    int status;
  } rows[] = {
      {"hello\r\n\r\n", 400},
      {"GET\r\n\r\n", 400},
      {"GET / FTP/1.0\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\n\r\n", 505},
      {"GET nowhere HTTP/1.1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    char *answer = ask(rows[i].request);
    assert_int_equal(wire_status(answer), rows[i].status);
    assert_memory_equal(wire_body(answer), "{\"error\":{\"code\":\"", 18);
    assert_non_null(strstr(answer, "Connection: close"));
    free(answer);
  }
}

static void test_a_head_without_end_is_refused(void **state) {
  enum { TOO_LONG = 20000 };
  AUTO_FREE char *request = mem_alloc(TOO_LONG + 1);
  memset(stpcpy(request, "GET / HTTP/1.1\r\nX: "), 'x', TOO_LONG - 19);
  char *answer = ask(request);
  assert_int_equal(wire_status(answer), 400);
  free(answer);
}

static void test_a_head_that_comes_too_slowly_is_not_the_senders_fault(void **state) {
  int64_t began = clock_mono_ms();
  char *answer = ask("POST / HTTP/1.1\r\nHost:");
  assert_int_equal(wire_status(answer), 503);
  assert_in_range(clock_mono_ms() - began, TIMEOUT_MS - 100, 6000);
  free(answer);
}

static void test_an_address_that_is_none_is_an_error_that_names_it(void **state) {
  static const char *const addresses[] = {"nowhere:1", "192.0.2.1:8080", "127.0.0.1:99999"};
  for (size_t i = 0; i < COUNT_OF(addresses); i++) {
    struct err err;
    const struct listen_options options = {.address = addresses[i], .threads = 1};
    assert_null(listen_start(&options, echo, NULL, &err));
    assert_memory_equal(err.text, addresses[i], strlen(addresses[i]));
    assert_true(strlen(err.text) > strlen(addresses[i]) + 2);
  }
}

int main(void) {
  struct err err;
  log_init("test", LOG_LEVEL_ERROR);
  const struct listen_options options = {
      .address = "127.0.0.1:0", .threads = 4, .timeout_ms = TIMEOUT_MS, .keep_alive = true};
  static char header[] = "X-Test: 1\r\n";
  struct mg_context *ctx = listen_start(&options, echo, header, &err);
  assert_non_null(ctx);
  port = listen_port(ctx);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_answer_is_whole),
      cmocka_unit_test(test_a_path_stays_as_it_was_sent),
      cmocka_unit_test(test_a_connection_is_kept_or_closed_as_the_answer_says),
      cmocka_unit_test(test_what_cannot_be_read_is_answered_in_our_form),
      cmocka_unit_test(test_a_head_without_end_is_refused),
      cmocka_unit_test(test_a_head_that_comes_too_slowly_is_not_the_senders_fault),
      cmocka_unit_test(test_an_address_that_is_none_is_an_error_that_names_it),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  listen_stop(ctx);
  return failed;
}
