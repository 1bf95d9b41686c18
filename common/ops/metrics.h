// SPDX-License-Identifier: MIT
// Counters, gauges and histograms as Prometheus text (text format 0.0.4). A service lists its metrics once,
// as an array of `struct metric`; the index is the id. A metric has a child for each set of label values,
// created at first use. Finding a child compares labels one by one, without a lock unless the child is new; a
// hot path keeps the pointer and uses metric_add(). Thread: any.
#pragma once
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum metric_type {
  METRIC_COUNTER,
  METRIC_GAUGE,
  METRIC_SECONDS,
  METRIC_SIZES
}; // the last two: histograms of durations, of counts

struct metric {
  const char *name; // dochak_ingress_acks_total
  const char *help;
  enum metric_type type;
  const char *label; // its name; several are separated by commas: "endpoint,status,way"; NULL: none
};

struct metrics;
typedef _Atomic int64_t metric_value; // the one typedef: an _Atomic qualifier does not read well in a pointer

struct metrics *metrics_new(const struct metric *list, size_t n); // the list is borrowed for good
void metrics_free(struct metrics *metrics);

// The value of metric `id`, for `label_value` where it has a label (NULL otherwise). Never NULL, never moves.
metric_value *metrics_at(struct metrics *metrics, size_t id, const char *label_value);
// The same where there are several labels: one value for each, in their order.
metric_value *metrics_at_each(struct metrics *metrics, size_t id, const char *const *label_values);
static inline void metric_add(metric_value *value, int64_t n) {
  atomic_fetch_add_explicit(value, n, memory_order_relaxed);
}
static inline void metrics_add(struct metrics *metrics, size_t id, const char *label_value, int64_t n) {
  metric_add(metrics_at(metrics, id, label_value), n);
}
static inline void metrics_set(struct metrics *metrics, size_t id, const char *label_value, int64_t n) {
  atomic_store_explicit(metrics_at(metrics, id, label_value), n, memory_order_relaxed);
}

// The child of a histogram, with one label or none. It observes microseconds, or a count. Never moves.
struct metric_histogram;
struct metric_histogram *metrics_histogram_at(struct metrics *metrics, size_t id, const char *label_value);
void metrics_observe(struct metric_histogram *histogram, int64_t value);

// All metrics as text, with process_resident_memory_bytes, process_start_time_seconds (when metrics_new() was
// called) and dochak_log_lines_dropped_total. The caller frees.
char *metrics_text(struct metrics *metrics);
