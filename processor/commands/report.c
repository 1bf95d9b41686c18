// SPDX-License-Identifier: MIT
#include "processor/commands/report.h"
#include "common/base/mem.h"
#include <stdlib.h>
#include <string.h>

static struct report_row *find(struct report *report, const char *const texts[REPORT_TEXTS]) {
  for (size_t i = 0; i < report->n; i++) {
    size_t same = 0;
    while (same < REPORT_TEXTS && strcmp(report->rows[i].texts[same], texts[same]) == 0) same++;
    if (same == REPORT_TEXTS) return &report->rows[i];
  }
  report->rows = mem_grow(report->rows, report->n + 1, sizeof *report->rows);
  struct report_row *row = &report->rows[report->n++];
  *row = (struct report_row){0};
  for (size_t k = 0; k < REPORT_TEXTS; k++) row->texts[k] = mem_strdup(texts[k]);
  return row;
}

void report_add_texts(struct report *report, const char *provider, const char *from, const char *to,
                      const char *id) {
  struct report_row *row = find(report, (const char *const[]){provider, from, to});
  if (row->count < REPORT_EXAMPLES) row->examples[row->count] = mem_strdup(id);
  row->count++;
}

void report_add(struct report *report, const struct notification *before, const struct notification *after) {
  AUTO_FREE char *from = notification_describe(before);
  AUTO_FREE char *to = notification_describe(after);
  bool same = strcmp(from, to) == 0;
  report_add_texts(report, after->provider, from, same ? "the same, other details" : to, after->id);
}

static int by_count(const void *left, const void *right) {
  const struct report_row *a = left, *b = right;
  if (a->count != b->count) return a->count < b->count ? 1 : -1;
  return strcmp(a->texts[1], b->texts[1]);
}

void report_print(struct report *report, FILE *to) {
  static const char *const heads[REPORT_TEXTS] = {"provider", "from", "to"};
  size_t widths[REPORT_TEXTS];
  if (report->n == 0) return;
  qsort(report->rows, report->n, sizeof *report->rows, by_count);
  for (size_t k = 0; k < REPORT_TEXTS; k++) {
    widths[k] = strlen(heads[k]);
    for (size_t i = 0; i < report->n; i++) {
      size_t len = strlen(report->rows[i].texts[k]);
      if (len > widths[k]) widths[k] = len;
    }
    fprintf(to, "%-*s  ", (int)widths[k], heads[k]);
  }
  fprintf(to, "%9s  for example\n", "count");
  for (size_t i = 0; i < report->n; i++) {
    const struct report_row *row = &report->rows[i];
    for (size_t k = 0; k < REPORT_TEXTS; k++) fprintf(to, "%-*s  ", (int)widths[k], row->texts[k]);
    fprintf(to, "%9zu ", row->count);
    for (size_t k = 0; k < REPORT_EXAMPLES && row->examples[k]; k++) fprintf(to, " %s", row->examples[k]);
    fputc('\n', to);
  }
}

void report_fini(struct report *report) {
  for (size_t i = 0; i < report->n; i++) {
    struct report_row *row = &report->rows[i];
    for (size_t k = 0; k < REPORT_TEXTS; k++) free(row->texts[k]);
    for (size_t k = 0; k < REPORT_EXAMPLES; k++) free(row->examples[k]);
  }
  free(report->rows);
}
