// SPDX-License-Identifier: MIT
#include "processor/commands/report.h"
#include "common/base/mem.h"
#include <stdlib.h>
#include <string.h>

// "SENT delivered 10000"; what is not known is left out.
static char *describe(const struct notification *n) {
  const char *outcome = n->outcome ? n->outcome : "", *code = n->code ? n->code : "";
  return mem_printf("%s%s%s%s%s", status_name(n->status), *outcome ? " " : "", outcome, *code ? " " : "",
                    code);
}

static struct report_row *find(struct report *report, const char *provider, const char *from,
                               const char *to) {
  for (size_t i = 0; i < report->n; i++) {
    struct report_row *row = &report->rows[i];
    if (strcmp(row->provider, provider) == 0 && strcmp(row->from, from) == 0 && strcmp(row->to, to) == 0)
      return row;
  }
  report->rows = mem_grow(report->rows, report->n + 1, sizeof *report->rows);
  struct report_row *row = &report->rows[report->n++];
  *row =
      (struct report_row){.provider = mem_strdup(provider), .from = mem_strdup(from), .to = mem_strdup(to)};
  return row;
}

void report_add(struct report *report, const struct notification *before, const struct notification *after) {
  AUTO_FREE char *from = describe(before);
  AUTO_FREE char *to = describe(after);
  bool same = strcmp(from, to) == 0;
  struct report_row *row = find(report, after->provider, from, same ? "the same, other details" : to);
  if (row->count < REPORT_EXAMPLES) row->examples[row->count] = mem_strdup(after->id);
  row->count++;
}

static int by_count(const void *left, const void *right) {
  const struct report_row *a = left, *b = right;
  if (a->count != b->count) return a->count < b->count ? 1 : -1;
  return strcmp(a->from, b->from);
}

static int width(const struct report *report, size_t column, const char *head) {
  size_t widest = strlen(head);
  for (size_t i = 0; i < report->n; i++) {
    const struct report_row *row = &report->rows[i];
    const char *texts[] = {row->provider, row->from, row->to};
    if (strlen(texts[column]) > widest) widest = strlen(texts[column]);
  }
  return (int)widest;
}

void report_print(struct report *report, FILE *to) {
  if (report->n == 0) return;
  qsort(report->rows, report->n, sizeof *report->rows, by_count);
  int widths[] = {width(report, 0, "provider"), width(report, 1, "from"), width(report, 2, "to")};
  fprintf(to, "%-*s  %-*s  %-*s  %9s  %s\n", widths[0], "provider", widths[1], "from", widths[2], "to",
          "count", "for example");
  for (size_t i = 0; i < report->n; i++) {
    const struct report_row *row = &report->rows[i];
    fprintf(to, "%-*s  %-*s  %-*s  %9zu  %s", widths[0], row->provider, widths[1], row->from, widths[2],
            row->to, row->count, row->examples[0]);
    for (size_t k = 1; k < REPORT_EXAMPLES && row->examples[k]; k++) fprintf(to, " %s", row->examples[k]);
    fputc('\n', to);
  }
}

void report_fini(struct report *report) {
  for (size_t i = 0; i < report->n; i++) {
    struct report_row *row = &report->rows[i];
    free(row->provider);
    free(row->from);
    free(row->to);
    for (size_t k = 0; k < REPORT_EXAMPLES; k++) free(row->examples[k]);
  }
  free(report->rows);
}
