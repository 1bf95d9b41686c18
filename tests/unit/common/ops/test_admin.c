// SPDX-License-Identifier: MIT
#include "common/ops/admin.h"
#include "tests/unit/support/wire.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { THINGS, KINDS };
static const struct metric list[] = {
    [THINGS] = {"dochak_test_things_total", "Things.", METRIC_COUNTER, NULL},
    [KINDS] = {"dochak_test_kinds_total", "Kinds.", METRIC_COUNTER, "kind"},
};

static const char *reason;
static struct metrics *metrics;
static struct admin *admin;

static const char *why_not(void *arg) {
  return *(const char **)arg;
}

static char *ask(const char *request) {
  return wire_exchange(admin_port(admin), request, strlen(request));
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: t\r\n\r\n"

static const struct {
  const char *request, *reason;
  int status;
  const char *body, *header;
} rows[] = {
    {GET("/livez"), NULL, 200, "{\"live\":true}", "Content-Type: application/json"},
    {GET("/livez"), "Kafka is away", 200, "{\"live\":true}", NULL},
    {GET("/readyz"), NULL, 200, "{\"ready\":true}", NULL},
    {GET("/readyz"), "Kafka is away", 503, "{\"ready\":false,\"reason\":\"Kafka is away\"}", NULL},
    {GET("/readyz?verbose"), NULL, 200, "{\"ready\":true}", NULL},
    {GET("/"), NULL, 404, NULL, NULL},
    {GET("/livez/"), NULL, 404, NULL, NULL},
    {"POST /livez HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", NULL, 405, NULL, "Allow: GET, HEAD"},
    {"HEAD /livez HTTP/1.1\r\nConnection: close\r\n\r\n", NULL, 200, "", "Content-Length: 13"},
};

static void test_each_path_says_what_it_should(void **state) {
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    reason = rows[i].reason;
    char *answer = ask(rows[i].request);
    assert_int_equal(wire_status(answer), rows[i].status);
    if (rows[i].body) assert_string_equal(wire_body(answer), rows[i].body);
    if (rows[i].header) assert_non_null(strstr(answer, rows[i].header));
    free(answer);
  }
}

static void test_metrics_are_prometheus_text(void **state) {
  metrics_add(metrics, THINGS, NULL, 3);
  metrics_add(metrics, KINDS, "odd", 1);
  char *answer = ask(GET("/metrics"));
  assert_int_equal(wire_status(answer), 200);
  assert_non_null(strstr(answer, "Content-Type: text/plain; version=0.0.4"));
  assert_non_null(strstr(answer, "# TYPE dochak_test_things_total counter\n"));
  assert_non_null(strstr(answer, "\ndochak_test_things_total 3\n"));
  assert_non_null(strstr(answer, "\ndochak_test_kinds_total{kind=\"odd\"} 1\n"));
  assert_non_null(strstr(answer, "\nprocess_resident_memory_bytes "));
  free(answer);
}

static void test_a_taken_port_is_an_error_that_names_it(void **state) {
  AUTO_FREE char *address = mem_printf("127.0.0.1:%d", admin_port(admin));
  struct err err;
  assert_null(admin_start(address, metrics, why_not, &reason, &err));
  assert_memory_equal(err.text, address, strlen(address));
  assert_non_null(strstr(err.text, "Address already in use"));
}

static void test_another_process_can_ask_whether_it_is_ready(void **state) {
  char *addresses[] = {mem_printf("127.0.0.1:%d", admin_port(admin)),
                       mem_printf("0.0.0.0:%d", admin_port(admin))};
  struct err err;
  for (size_t i = 0; i < COUNT_OF(addresses); i++) {
    reason = NULL;
    assert_true(admin_ask_ready(addresses[i], &err));
    reason = "Kafka is away";
    assert_false(admin_ask_ready(addresses[i], &err));
    assert_string_equal(err.text, "{\"ready\":false,\"reason\":\"Kafka is away\"}");
    free(addresses[i]);
  }
}

static void test_a_process_that_is_not_there_is_not_ready(void **state) {
  static const char address[] = "127.0.0.1:1";
  struct err err;
  assert_false(admin_ask_ready(address, &err));
  assert_memory_equal(err.text, address, strlen(address));
}

int main(void) {
  struct err err;
  metrics = metrics_new(list, COUNT_OF(list));
  admin = admin_start("127.0.0.1:0", metrics, why_not, &reason, &err);
  assert_non_null(admin);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_path_says_what_it_should),
      cmocka_unit_test(test_metrics_are_prometheus_text),
      cmocka_unit_test(test_a_taken_port_is_an_error_that_names_it),
      cmocka_unit_test(test_another_process_can_ask_whether_it_is_ready),
      cmocka_unit_test(test_a_process_that_is_not_there_is_not_ready),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  admin_stop(admin);
  metrics_free(metrics);
  return failed;
}
