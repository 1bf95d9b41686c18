// SPDX-License-Identifier: MIT
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/ops/metrics.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { REQUESTS, SPOOL, ACKS, TOOK, TOOK_IN_ALL, BATCH, METRICS_COUNT };
static const struct metric list[METRICS_COUNT] = {
    [REQUESTS] = {"dochak_requests_total", "Requests, by \\ and\nroute.", METRIC_COUNTER, "route"},
    [SPOOL] = {"dochak_spool_rows", "Rows in the spool.", METRIC_GAUGE, NULL},
    [ACKS] = {"dochak_acks_total", "Acks.", METRIC_COUNTER, "endpoint,status,way"},
    [TOOK] = {"dochak_took_seconds", "Time.", METRIC_SECONDS, "endpoint"},
    [TOOK_IN_ALL] = {"dochak_all_seconds", "Time of all.", METRIC_SECONDS, NULL},
    [BATCH] = {"dochak_batch_records", "Sizes.", METRIC_SIZES, NULL},
};

// From "# HELP name " on, up to the next metric's.
static char *part_of(const char *text, const char *name) {
  AUTO_FREE char *head = mem_printf("# HELP %s ", name);
  const char *from = strstr(text, head);
  assert_non_null(from);
  const char *to = strstr(from + 1, "# HELP ");
  return mem_strndup(from, to ? (size_t)(to - from) : strlen(from));
}

static void assert_part(struct metrics *metrics, size_t id, const char *expected) {
  AUTO_FREE char *text = metrics_text(metrics);
  AUTO_FREE char *part = part_of(text, list[id].name);
  assert_string_equal(part, expected);
}

static void test_text_is_what_prometheus_reads(void **state) {
  struct metrics *metrics = metrics_new(list, METRICS_COUNT);
  metrics_add(metrics, REQUESTS, "bizgo/alimtalk", 2);
  metrics_add(metrics, REQUESTS, "a\"b\\c\nd", 1);
  metrics_add(metrics, REQUESTS, "bizgo/alimtalk", 3);
  metrics_set(metrics, SPOOL, NULL, -7);
  assert_part(metrics, REQUESTS,
              "# HELP dochak_requests_total Requests, by \\\\ and\\nroute.\n"
              "# TYPE dochak_requests_total counter\n"
              "dochak_requests_total{route=\"bizgo/alimtalk\"} 5\n"
              "dochak_requests_total{route=\"a\\\"b\\\\c\\nd\"} 1\n");
  assert_part(metrics, SPOOL,
              "# HELP dochak_spool_rows Rows in the spool.\n"
              "# TYPE dochak_spool_rows gauge\n"
              "dochak_spool_rows -7\n");
  metrics_free(metrics);
}

static void test_several_labels_make_one_child_each_set(void **state) {
  struct metrics *metrics = metrics_new(list, METRICS_COUNT);
  static const char *const sets[][3] = {
      {"bizgo/alimtalk", "200", "kafka"}, {"bizgo/alimtalk", "200", "spool"}, {"a\"b,c", "503", "none"}};
  for (size_t i = 0; i < COUNT_OF(sets); i++)
    atomic_fetch_add(metrics_at_each(metrics, ACKS, sets[i]), (int)i + 1);
  assert_ptr_equal(metrics_at_each(metrics, ACKS, sets[1]), metrics_at_each(metrics, ACKS, sets[1]));
  assert_part(metrics, ACKS,
              "# HELP dochak_acks_total Acks.\n"
              "# TYPE dochak_acks_total counter\n"
              "dochak_acks_total{endpoint=\"bizgo/alimtalk\",status=\"200\",way=\"kafka\"} 1\n"
              "dochak_acks_total{endpoint=\"bizgo/alimtalk\",status=\"200\",way=\"spool\"} 2\n"
              "dochak_acks_total{endpoint=\"a\\\"b,c\",status=\"503\",way=\"none\"} 3\n");
  metrics_free(metrics);
}

// Buckets add up, a bound belongs to the bucket below it, and the last one is the count.
static void test_durations_are_a_histogram_in_seconds(void **state) {
  struct metrics *metrics = metrics_new(list, METRICS_COUNT);
  struct metric_histogram *took = metrics_histogram_at(metrics, TOOK, "e");
  static const int64_t observed_us[] = {0, 5000, 5001, 1500000, 1500001, 60000000};
  for (size_t i = 0; i < COUNT_OF(observed_us); i++) metrics_observe(took, observed_us[i]);
  assert_ptr_equal(metrics_histogram_at(metrics, TOOK, "e"), took);
  assert_part(metrics, TOOK,
              "# HELP dochak_took_seconds Time.\n"
              "# TYPE dochak_took_seconds histogram\n"
              "dochak_took_seconds_bucket{endpoint=\"e\",le=\"0.001\"} 1\n"
              "dochak_took_seconds_bucket{endpoint=\"e\",le=\"0.0025\"} 1\n"
              "dochak_took_seconds_bucket{endpoint=\"e\",le=\"0.005\"} 2\n"
              "dochak_took_seconds_bucket{endpoint=\"e\",le=\"0.01\"} 3\n"
              "dochak_took_seconds_bucket{endpoint=\"e\",le=\"0.025\"} 3\n"
              "dochak_took_seconds_bucket{endpoint=\"e\",le=\"0.05\"} 3\n"
              "dochak_took_seconds_bucket{endpoint=\"e\",le=\"0.1\"} 3\n"
              "dochak_took_seconds_bucket{endpoint=\"e\",le=\"0.25\"} 3\n"
              "dochak_took_seconds_bucket{endpoint=\"e\",le=\"0.5\"} 3\n"
              "dochak_took_seconds_bucket{endpoint=\"e\",le=\"1\"} 3\n"
              "dochak_took_seconds_bucket{endpoint=\"e\",le=\"1.5\"} 4\n"
              "dochak_took_seconds_bucket{endpoint=\"e\",le=\"2\"} 5\n"
              "dochak_took_seconds_bucket{endpoint=\"e\",le=\"5\"} 5\n"
              "dochak_took_seconds_bucket{endpoint=\"e\",le=\"+Inf\"} 6\n"
              "dochak_took_seconds_sum{endpoint=\"e\"} 63.010002\n"
              "dochak_took_seconds_count{endpoint=\"e\"} 6\n");
  metrics_free(metrics);
}

static void test_sizes_are_a_histogram_of_whole_numbers(void **state) {
  struct metrics *metrics = metrics_new(list, METRICS_COUNT);
  for (int64_t n = 1; n <= 2000; n *= 10) metrics_observe(metrics_histogram_at(metrics, BATCH, NULL), n);
  AUTO_FREE char *text = metrics_text(metrics);
  assert_non_null(strstr(text, "\ndochak_batch_records_bucket{le=\"1\"} 1\n"));
  assert_non_null(strstr(text, "\ndochak_batch_records_bucket{le=\"2000\"} 4\n"));
  assert_non_null(strstr(text, "\ndochak_batch_records_sum 1111\ndochak_batch_records_count 4\n"));
  metrics_free(metrics);
}

// A million records that are a year old.
static void test_a_sum_grows_beyond_an_integer(void **state) {
  struct metrics *metrics = metrics_new(list, METRICS_COUNT);
  struct metric_histogram *ages = metrics_histogram_at(metrics, TOOK_IN_ALL, NULL);
  for (int i = 0; i < 1000000; i++) metrics_observe(ages, 365LL * 86400 * 1000000);
  AUTO_FREE char *text = metrics_text(metrics);
  assert_non_null(strstr(text, "\ndochak_all_seconds_sum 31536000000000.000000\n"));
  metrics_free(metrics);
}

static void test_a_histogram_without_label_has_only_its_bounds(void **state) {
  struct metrics *metrics = metrics_new(list, METRICS_COUNT);
  AUTO_FREE char *text = metrics_text(metrics);
  assert_non_null(strstr(text, "\ndochak_all_seconds_bucket{le=\"0.005\"} 0\n"));
  assert_non_null(strstr(text, "\ndochak_all_seconds_sum 0.000000\ndochak_all_seconds_count 0\n"));
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
  const char *started = strstr(text, "\nprocess_start_time_seconds ");
  long long started_s = 0;
  assert_int_equal(sscanf(started, "\nprocess_start_time_seconds %lld", &started_s), 1);
  assert_in_range(clock_wall_ms() / 1000 - started_s, 0, 60);
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
  for (int i = 0; i < 2000; i++) {
    char label[16];
    snprintf(label, sizeof label, "l%d", i);
    metrics_add(metrics, REQUESTS, label, 1);
    atomic_fetch_add(metrics_at_each(metrics, ACKS, (const char *const[]){label, "200", "kafka"}), 1);
  }
  assert_int_equal(*metrics_at(metrics, REQUESTS, "l0"), 1);
  assert_int_equal(*metrics_at(metrics, REQUESTS, "other"), 2000 - 1024);
  assert_ptr_equal(metrics_at(metrics, REQUESTS, "l1999"), metrics_at(metrics, REQUESTS, "other"));
  static const char *const others[] = {"other", "other", "other"};
  assert_int_equal(*metrics_at_each(metrics, ACKS, others), 2000 - 1024);
  metrics_free(metrics);
}

static void *count(void *arg) {
  static const char *const labels[] = {"a", "b", "c", "d", "e"};
  for (size_t i = 0; i < 5000; i++) {
    metrics_add(arg, REQUESTS, labels[i % COUNT_OF(labels)], 1);
    metrics_observe(metrics_histogram_at(arg, TOOK, "e"), 1000000);
  }
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
  AUTO_FREE char *text = metrics_text(metrics);
  assert_non_null(strstr(text, "_bucket{endpoint=\"e\",le=\"1\"} 20000\n"));
  assert_non_null(strstr(text, "_sum{endpoint=\"e\"} 20000.000000\n"));
  metrics_free(metrics);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text_is_what_prometheus_reads),
      cmocka_unit_test(test_several_labels_make_one_child_each_set),
      cmocka_unit_test(test_durations_are_a_histogram_in_seconds),
      cmocka_unit_test(test_sizes_are_a_histogram_of_whole_numbers),
      cmocka_unit_test(test_a_sum_grows_beyond_an_integer),
      cmocka_unit_test(test_a_histogram_without_label_has_only_its_bounds),
      cmocka_unit_test(test_a_metric_without_label_is_there_from_the_start),
      cmocka_unit_test(test_a_value_never_moves),
      cmocka_unit_test(test_labels_without_end_are_counted_as_other),
      cmocka_unit_test(test_threads_lose_no_count),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
