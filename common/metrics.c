// SPDX-License-Identifier: MIT
// Each metric's children are a list that only ever grows at its end, so reading it needs no lock.
#include "common/metrics.h"

#include "common/mem.h"
#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A label that takes its values from outside must not eat the memory: what comes later is counted as "other".
enum { CHILDREN_MAX = 256 };

struct child {
  metric_value value;
  char *label_value; // NULL: the metric has no label
  struct child *_Atomic next;
};

struct metrics {
  const struct metric *list;
  size_t n;
  struct child *_Atomic *first; // [n]
  pthread_mutex_t lock;         // to append
};

struct metrics *metrics_new(const struct metric *list, size_t n) {
  struct metrics *metrics = mem_alloc(sizeof *metrics);
  metrics->list = list;
  metrics->n = n;
  metrics->first = mem_array(n, sizeof *metrics->first);
  pthread_mutex_init(&metrics->lock, NULL);
  for (size_t i = 0; i < n; i++)
    if (!list[i].label) atomic_store(&metrics->first[i], mem_alloc(sizeof(struct child)));
  return metrics;
}

void metrics_free(struct metrics *metrics) {
  if (!metrics) return;
  for (size_t i = 0; i < metrics->n; i++) {
    for (struct child *child = atomic_load(&metrics->first[i]), *next; child; child = next) {
      next = atomic_load(&child->next);
      free(child->label_value);
      free(child);
    }
  }
  pthread_mutex_destroy(&metrics->lock);
  free(metrics->first);
  free(metrics);
}

static bool same_label(const struct child *child, const char *label_value) {
  return !label_value || strcmp(child->label_value, label_value) == 0;
}

// The child, or NULL with its place at the end and how many stand before it.
static struct child *find(struct child *_Atomic *first, const char *label_value, struct child *_Atomic **end,
                          size_t *count) {
  *count = 0;
  struct child *child = atomic_load_explicit(first, memory_order_acquire);
  while (child && !same_label(child, label_value)) {
    first = &child->next;
    child = atomic_load_explicit(first, memory_order_acquire);
    ++*count;
  }
  *end = first;
  return child;
}

static struct child *find_or_append(struct metrics *metrics, size_t id, const char *label_value) {
  struct child *_Atomic *end;
  size_t count;
  pthread_mutex_lock(&metrics->lock);
  struct child *child = find(&metrics->first[id], label_value, &end, &count);
  if (!child && count >= CHILDREN_MAX) {
    label_value = "other";
    child = find(&metrics->first[id], label_value, &end, &count);
  }
  if (!child) {
    child = mem_alloc(sizeof *child);
    child->label_value = mem_strdup(label_value);
    atomic_store_explicit(end, child, memory_order_release);
  }
  pthread_mutex_unlock(&metrics->lock);
  return child;
}

metric_value *metrics_at(struct metrics *metrics, size_t id, const char *label_value) {
  assert(id < metrics->n && !label_value == !metrics->list[id].label);
  struct child *_Atomic *end;
  size_t count;
  struct child *child = find(&metrics->first[id], label_value, &end, &count);
  if (!child) child = find_or_append(metrics, id, label_value);
  return &child->value;
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
  fprintf(to, "# HELP %s ", name);
  print_escaped(help, false, to);
  fprintf(to, "\n# TYPE %s %s\n", name, type == METRIC_COUNTER ? "counter" : "gauge");
}

static void print_child(const struct metric *metric, const struct child *child, FILE *to) {
  fputs(metric->name, to);
  if (metric->label) {
    fprintf(to, "{%s=\"", metric->label);
    print_escaped(child->label_value, true, to);
    fputs("\"}", to);
  }
  fprintf(to, " %lld\n", (long long)atomic_load_explicit(&child->value, memory_order_relaxed));
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
    struct child *child = atomic_load_explicit(&metrics->first[i], memory_order_acquire);
    for (; child; child = atomic_load_explicit(&child->next, memory_order_acquire))
      print_child(metric, child, to);
  }
  static const char resident[] = "process_resident_memory_bytes";
  print_head(resident, "Resident memory size in bytes.", METRIC_GAUGE, to);
  fprintf(to, "%s %lld\n", resident, resident_bytes());
  if (fclose(to) != 0) abort();
  return text;
}
