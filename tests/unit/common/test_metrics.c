// SPDX-License-Identifier: MIT
#include "common/mem.h"
#include "common/metrics.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { REQUESTS, SPOOL, METRICS_COUNT };
static const struct metric list[METRICS_COUNT] = {
    [REQUESTS] = {"dochak_requests_total", "Requests, by \\ and\nroute.", METRIC_COUNTER, "route"},
    [SPOOL] = {"dochak_spool_rows", "Rows in the spool.", METRIC_GAUGE, NULL},
};

static char *text_without_process(struct metrics *metrics) {
  char *text = metrics_text(metrics);
  char *process = strstr(text, "# HELP process_resident_memory_bytes");
  assert_non_null(process);
  *process = '\0';
  return text;
}

static void test_text_is_what_prometheus_reads(void **state) {
  struct metrics *metrics = metrics_new(list, METRICS_COUNT);
  metrics_add(metrics, REQUESTS, "bizgo/alimtalk", 2);
  metrics_add(metrics, REQUESTS, "a\"b\\c\nd", 1);
  metrics_add(metrics, REQUESTS, "bizgo/alimtalk", 3);
  metrics_set(metrics, SPOOL, NULL, -7);
  AUTO_FREE char *text = text_without_process(metrics);
  assert_string_equal(text, "# HELP dochak_requests_total Requests, by \\\\ and\\nroute.\n"
                            "# TYPE dochak_requests_total counter\n"
                            "dochak_requests_total{route=\"bizgo/alimtalk\"} 5\n"
                            "dochak_requests_total{route=\"a\\\"b\\\\c\\nd\"} 1\n"
                            "# HELP dochak_spool_rows Rows in the spool.\n"
                            "# TYPE dochak_spool_rows gauge\n"
                            "dochak_spool_rows -7\n");
  metrics_free(metrics);
}

static void test_a_metric_without_label_is_there_from_the_start(void **state) {
  struct metrics *metrics = metrics_new(list, METRICS_COUNT);
  AUTO_FREE char *text = metrics_text(metrics);
  assert_non_null(strstr(text, "\ndochak_spool_rows 0\n"));
  assert_null(strstr(text, "dochak_requests_total{"));
  const char *resident = strstr(text, "\nprocess_resident_memory_bytes ");
  long long bytes = 0;
  assert_int_equal(sscanf(resident, "\nprocess_resident_memory_bytes %lld", &bytes), 1);
  assert_true(bytes > 100000);
  metrics_free(metrics);
}

static void test_a_value_never_moves(void **state) {
  struct metrics *metrics = metrics_new(list, METRICS_COUNT);
  metric_value *first = metrics_at(metrics, REQUESTS, "first");
  for (int i = 0; i < 100; i++) {
    char label[16];
    snprintf(label, sizeof label, "l%d", i);
    metrics_add(metrics, REQUESTS, label, 1);
  }
  assert_ptr_equal(metrics_at(metrics, REQUESTS, "first"), first);
  metrics_free(metrics);
}

static void test_labels_without_end_are_counted_as_other(void **state) {
  struct metrics *metrics = metrics_new(list, METRICS_COUNT);
  for (int i = 0; i < 1000; i++) {
    char label[16];
    snprintf(label, sizeof label, "l%d", i);
    metrics_add(metrics, REQUESTS, label, 1);
  }
  assert_int_equal(*metrics_at(metrics, REQUESTS, "l0"), 1);
  assert_int_equal(*metrics_at(metrics, REQUESTS, "other"), 1000 - 256);
  assert_ptr_equal(metrics_at(metrics, REQUESTS, "l999"), metrics_at(metrics, REQUESTS, "other"));
  metrics_free(metrics);
}

static void *count(void *arg) {
  static const char *const labels[] = {"a", "b", "c", "d", "e"};
  for (size_t i = 0; i < 5000; i++) metrics_add(arg, REQUESTS, labels[i % COUNT_OF(labels)], 1);
  return NULL;
}

static void test_threads_lose_no_count(void **state) {
  struct metrics *metrics = metrics_new(list, METRICS_COUNT);
  pthread_t threads[4];
  for (size_t i = 0; i < COUNT_OF(threads); i++) pthread_create(&threads[i], NULL, count, metrics);
  AUTO_FREE char *meanwhile = metrics_text(metrics);
  assert_non_null(strstr(meanwhile, "# TYPE dochak_requests_total counter"));
  for (size_t i = 0; i < COUNT_OF(threads); i++) pthread_join(threads[i], NULL);
  assert_int_equal(*metrics_at(metrics, REQUESTS, "a"), 4000);
  assert_int_equal(*metrics_at(metrics, REQUESTS, "e"), 4000);
  metrics_free(metrics);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text_is_what_prometheus_reads),
      cmocka_unit_test(test_a_metric_without_label_is_there_from_the_start),
      cmocka_unit_test(test_a_value_never_moves),
      cmocka_unit_test(test_labels_without_end_are_counted_as_other),
      cmocka_unit_test(test_threads_lose_no_count),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
