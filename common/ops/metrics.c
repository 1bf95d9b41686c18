// SPDX-License-Identifier: MIT
// The children of a metric are a list that only grows at its end, so reading it needs no lock.
#include "common/ops/metrics.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Limits the memory of labels whose values come from outside: further values are counted as "other". A
// hundred endpoints with all their answers fit.
enum { CHILDREN_MAX = 1024, LABELS_MAX = 3 };

// The buckets' upper bounds. The ack budget is 1.5 s, the providers' deadlines are 3 to 10 s.
enum { BOUNDS = 13 };
static const int64_t bounds_us[BOUNDS] = {1000,   2500,   5000,    10000,   25000,   50000,  100000,
                                          250000, 500000, 1000000, 1500000, 2000000, 5000000};
static const int64_t bounds_of_sizes[BOUNDS] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000};

struct metric_histogram {
  const int64_t *bounds;
  metric_value buckets[BOUNDS + 1]; // not cumulative; the last has no bound
  _Atomic double sum;               // an integer would overflow with a day's backlog in microseconds
};

struct child {
  metric_value value;
  struct metric_histogram *histogram; // or NULL
  char *label_values[LABELS_MAX];     // as many as the metric has labels
  struct child *_Atomic next;
};

struct metrics {
  const struct metric *list;
  size_t n;
  int64_t started_s; // Unix time
  struct children {
    struct child *_Atomic first;
    struct child *last;
    size_t n;
  } * children;         // [n]
  pthread_mutex_t lock; // to append
};

static size_t count_labels(const struct metric *metric) {
  size_t n = metric->label ? 1 : 0;
  for (const char *at = metric->label; at && (at = strchr(at, ',')); at++) n++;
  return n;
}

static struct child *child_new(const struct metric *metric, const char *const *label_values, size_t n) {
  struct child *child = mem_alloc(sizeof *child);
  if (metric->type == METRIC_SECONDS || metric->type == METRIC_SIZES) {
    child->histogram = mem_alloc(sizeof *child->histogram);
    child->histogram->bounds = metric->type == METRIC_SECONDS ? bounds_us : bounds_of_sizes;
  }
  for (size_t i = 0; i < n; i++) child->label_values[i] = mem_strdup(label_values[i]);
  return child;
}

static void child_free(struct child *child) {
  for (size_t i = 0; i < LABELS_MAX; i++) free(child->label_values[i]);
  free(child->histogram);
  free(child);
}

static void append(struct children *children, struct child *child) {
  atomic_store_explicit(children->last ? &children->last->next : &children->first, child,
                        memory_order_release);
  children->last = child;
  children->n++;
}

struct metrics *metrics_new(const struct metric *list, size_t n) {
  struct metrics *metrics = mem_alloc(sizeof *metrics);
  metrics->list = list;
  metrics->n = n;
  metrics->started_s = clock_wall_ms() / 1000;
  metrics->children = mem_array(n, sizeof *metrics->children);
  pthread_mutex_init(&metrics->lock, NULL);
  for (size_t i = 0; i < n; i++) {
    assert(count_labels(&list[i]) <= LABELS_MAX);
    if (!list[i].label) append(&metrics->children[i], child_new(&list[i], NULL, 0));
  }
  return metrics;
}

void metrics_free(struct metrics *metrics) {
  if (!metrics) return;
  for (size_t i = 0; i < metrics->n; i++) {
    for (struct child *child = atomic_load(&metrics->children[i].first), *next; child; child = next) {
      next = atomic_load(&child->next);
      child_free(child);
    }
  }
  pthread_mutex_destroy(&metrics->lock);
  free(metrics->children);
  free(metrics);
}

static bool same_labels(const struct child *child, const char *const *label_values, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(child->label_values[i], label_values[i]) != 0) return false;
  return true;
}

static struct child *find(struct metrics *metrics, size_t id, const char *const *label_values, size_t n) {
  struct child *child = atomic_load_explicit(&metrics->children[id].first, memory_order_acquire);
  while (child && !same_labels(child, label_values, n))
    child = atomic_load_explicit(&child->next, memory_order_acquire);
  return child;
}

static struct child *find_or_append(struct metrics *metrics, size_t id, const char *const *label_values,
                                    size_t n) {
  static const char *const others[LABELS_MAX] = {"other", "other", "other"};
  struct children *children = &metrics->children[id];
  pthread_mutex_lock(&metrics->lock);
  struct child *child = find(metrics, id, label_values, n);
  if (!child && children->n >= CHILDREN_MAX) {
    label_values = others;
    child = find(metrics, id, label_values, n);
  }
  if (!child) {
    child = child_new(&metrics->list[id], label_values, n);
    append(children, child);
  }
  pthread_mutex_unlock(&metrics->lock);
  return child;
}

static struct child *child_at(struct metrics *metrics, size_t id, const char *const *label_values, size_t n) {
  assert(id < metrics->n && n == count_labels(&metrics->list[id]) && n <= LABELS_MAX);
  struct child *child = find(metrics, id, label_values, n);
  return child ? child : find_or_append(metrics, id, label_values, n);
}

metric_value *metrics_at_each(struct metrics *metrics, size_t id, const char *const *label_values) {
  struct child *child = child_at(metrics, id, label_values, count_labels(&metrics->list[id]));
  assert(!child->histogram);
  return &child->value;
}

metric_value *metrics_at(struct metrics *metrics, size_t id, const char *label_value) {
  struct child *child = child_at(metrics, id, &label_value, label_value != NULL);
  assert(!child->histogram);
  return &child->value;
}

struct metric_histogram *metrics_histogram_at(struct metrics *metrics, size_t id, const char *label_value) {
  struct child *child = child_at(metrics, id, &label_value, label_value != NULL);
  assert(child->histogram);
  return child->histogram;
}

void metrics_observe(struct metric_histogram *histogram, int64_t value) {
  size_t bucket = 0;
  while (bucket < BOUNDS && value > histogram->bounds[bucket]) bucket++;
  atomic_fetch_add_explicit(&histogram->buckets[bucket], 1, memory_order_relaxed);
  double sum = atomic_load_explicit(&histogram->sum, memory_order_relaxed);
  while (!atomic_compare_exchange_weak_explicit(&histogram->sum, &sum, sum + (double)value,
                                                memory_order_relaxed, memory_order_relaxed))
    continue;
}

// ---- text ----

// Prometheus text format 0.0.4: backslash and newline everywhere, the quote in label values only.
static void print_escaped(const char *text, bool quoted, FILE *to) {
  for (; *text; text++) {
    if (*text == '\n')
      fputs("\\n", to);
    else if (*text == '\\' || (quoted && *text == '"'))
      fprintf(to, "\\%c", *text);
    else
      fputc(*text, to);
  }
}

static void print_head(const char *name, const char *help, enum metric_type type, FILE *to) {
  static const char *const types[] = {[METRIC_COUNTER] = "counter",
                                      [METRIC_GAUGE] = "gauge",
                                      [METRIC_SECONDS] = "histogram",
                                      [METRIC_SIZES] = "histogram"};
  fprintf(to, "# HELP %s ", name);
  print_escaped(help, false, to);
  fprintf(to, "\n# TYPE %s %s\n", name, types[type]);
}

static long long read_value(metric_value *value) {
  return atomic_load_explicit(value, memory_order_relaxed);
}

// Name and labels up to the value; `le` is a further label, or NULL.
static void print_name(const struct metric *metric, const char *suffix, const struct child *child,
                       const char *le, FILE *to) {
  fprintf(to, "%s%s", metric->name, suffix);
  const char *before = "{";
  const char *label = metric->label;
  for (size_t i = 0; i < count_labels(metric); i++) {
    size_t len = strcspn(label, ",");
    fprintf(to, "%s%.*s=\"", before, (int)len, label);
    print_escaped(child->label_values[i], true, to);
    fputc('"', to);
    label += len + 1;
    before = ",";
  }
  if (le) fprintf(to, "%sle=\"%s\"", before, le);
  fputs(le || metric->label ? "} " : " ", to);
}

// The count is the sum of the buckets just printed, so that the two agree while observations go on.
static void print_histogram(const struct metric *metric, const struct child *child, FILE *to) {
  bool seconds = metric->type == METRIC_SECONDS;
  struct metric_histogram *histogram = child->histogram;
  long long count = 0;
  double sum = atomic_load_explicit(&histogram->sum, memory_order_relaxed);
  for (size_t i = 0; i <= BOUNDS; i++) {
    char le[24] = "+Inf";
    if (i < BOUNDS) snprintf(le, sizeof le, "%g", (double)histogram->bounds[i] / (seconds ? 1e6 : 1));
    count += read_value(&histogram->buckets[i]);
    print_name(metric, "_bucket", child, le, to);
    fprintf(to, "%lld\n", count);
  }
  print_name(metric, "_sum", child, NULL, to);
  fprintf(to, seconds ? "%.6f\n" : "%.0f\n", seconds ? sum / 1e6 : sum);
  print_name(metric, "_count", child, NULL, to);
  fprintf(to, "%lld\n", count);
}

static void print_value(const struct metric *metric, struct child *child, FILE *to) {
  print_name(metric, "", child, NULL, to);
  fprintf(to, "%lld\n", read_value(&child->value));
}

static long long resident_bytes(void) {
  long long pages = 0;
  FILE *statm = fopen("/proc/self/statm", "re");
  if (!statm) return 0;
  char text[128] = "";
  if (fgets(text, sizeof text, statm)) {
    char *second = strchr(text, ' ');
    pages = second ? strtoll(second, NULL, 10) : 0;
  }
  fclose(statm);
  return pages * sysconf(_SC_PAGESIZE);
}

char *metrics_text(struct metrics *metrics) {
  char *text = NULL;
  size_t len;
  FILE *to = open_memstream(&text, &len);
  if (!to) abort(); // out of memory, as in mem.c
  for (size_t i = 0; i < metrics->n; i++) {
    const struct metric *metric = &metrics->list[i];
    print_head(metric->name, metric->help, metric->type, to);
    struct child *child = atomic_load_explicit(&metrics->children[i].first, memory_order_acquire);
    for (; child; child = atomic_load_explicit(&child->next, memory_order_acquire))
      if (child->histogram)
        print_histogram(metric, child, to);
      else
        print_value(metric, child, to);
  }
  static const char dropped[] = "dochak_log_lines_dropped_total";
  print_head(dropped, "Log lines dropped because the reader of stdout was stuck.", METRIC_COUNTER, to);
  fprintf(to, "%s %lld\n", dropped, (long long)log_dropped());
  static const char resident[] = "process_resident_memory_bytes";
  print_head(resident, "Resident memory size in bytes.", METRIC_GAUGE, to);
  fprintf(to, "%s %lld\n", resident, resident_bytes());
  static const char started[] = "process_start_time_seconds"; // by it a restart is seen
  print_head(started, "Start time of the process in seconds of Unix time.", METRIC_GAUGE, to);
  fprintf(to, "%s %lld\n", started, (long long)metrics->started_s);
  if (fclose(to) != 0) abort();
  return text;
}
