// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "processor/ask/inquiry_parts.h"
#include "processor/tables/rows.h"
#include <stdlib.h>
#include <string.h>

struct reported { // one element of an answer
  size_t answer;
  const char *element; // borrowed
  struct fact fact;
};

struct comparison {
  struct inquiry_differences *d;
  struct asker_answer *answers;
  struct notification *rows; // of the same order
  size_t n;
  struct reported *reported; // of the same order, too
  size_t n_reported;
};

static int by_id(const void *left, const void *right) {
  const struct asker_answer *a = left, *b = right;
  return strcmp(a->id, b->id);
}

// ---- what the answers say, and what is known ----

static void interpret_all(struct comparison *c) {
  size_t most = 0;
  for (size_t i = 0; i < c->n; i++) most += c->answers[i].reading.elements.n;
  c->reported = mem_array(most, sizeof *c->reported);
  for (size_t i = 0; i < c->n; i++)
    for (size_t k = 0; k < c->answers[i].reading.elements.n; k++) {
      struct reported *reported = &c->reported[c->n_reported++];
      const struct event ev = {.type = EVENT_RECEIPT,
                               .provider = provider_name(c->d->account->provider),
                               .time_ms = c->answers[i].asked_at_ms};
      reported->answer = i;
      reported->element = c->answers[i].reading.elements.list[k];
      interpret_event(&c->d->processor->interpreter, &ev, reported->element, strlen(reported->element),
                      &reported->fact);
    }
}

static size_t send_receipts(struct pipeline *pipeline, const struct comparison *c) {
  static const enum pg_type types[] = {PG_TEXT, PG_TEXT, PG_UUID};
  struct pgarray columns[COUNT_OF(types)];
  rows_begin(columns, types, COUNT_OF(types));
  for (size_t i = 0; i < c->n_reported; i++) {
    if (c->reported[i].fact.type != FACT_RECEIPT) continue;
    pgarray_add_text(&columns[0], c->reported[i].fact.provider);
    pgarray_add_text(&columns[1], c->reported[i].fact.id);
    pgarray_add_uuid(&columns[2], c->reported[i].fact.row_id);
  }
  return rows_send(pipeline, "ask_receipts_known.sql", columns, COUNT_OF(types));
}

static bool is_known(const PGresult *receipts, const struct fact *fact) {
  for (int row = 0; row < PQntuples(receipts); row++)
    if (memcmp(PQgetvalue(receipts, row, 0), &fact->row_id, sizeof fact->row_id) == 0) return true;
  return false;
}

// ---- what is missing ----

// All elements of one answer, which begin at *at.
static bool apply(const struct comparison *c, size_t answer, size_t *at, const PGresult *receipts,
                  struct err *err) {
  struct notification *row = &c->rows[answer];
  AUTO_FREE char *from = notification_describe(row);
  bool is_changed = false;
  for (; *at < c->n_reported && c->reported[*at].answer == answer; ++*at) {
    const struct reported *reported = &c->reported[*at];
    bool changed = false;
    if (reported->fact.type == FACT_RECEIPT && is_known(receipts, &reported->fact)) continue;
    if (!inquiry_emit(c->d, EVENT_RECEIPT, c->answers[answer].id, reported->element, err)) return false;
    if (reported->fact.type == FACT_RECEIPT) ledger_apply(row, &reported->fact.signal, &changed);
    is_changed |= changed;
  }
  AUTO_FREE char *to = notification_describe(row);
  bool is_same = strcmp(from, to) == 0;
  if (is_changed)
    inquiry_add_difference(c->d, c->answers[answer].id, from, is_same ? "the same, other details" : to);
  return true;
}

static bool compare(struct comparison *c, struct err *err) {
  AUTO_PIPELINE pipeline;
  pipeline_begin(&pipeline, c->d->conn);
  size_t rows = rows_send_keys(&pipeline, "notification_read.sql", c->rows, NULL, c->n);
  size_t receipts = send_receipts(&pipeline, c), at = 0;
  if (!pipeline_end(&pipeline, NULL, err)) return false;
  rows_read_notifications(pipeline.steps[rows].result, c->rows, c->n);
  for (size_t i = 0; i < c->n; i++)
    if (!apply(c, i, &at, pipeline.steps[receipts].result, err)) return false;
  return true;
}

bool inquiry_notifications(struct inquiry_differences *d, struct asker_answer *answers, size_t n,
                           struct err *err) {
  struct comparison c = {.d = d, .answers = answers, .n = n};
  if (n == 0) return true;
  qsort(answers, n, sizeof *answers, by_id);
  c.rows = mem_array(n, sizeof *c.rows);
  for (size_t i = 0; i < n; i++)
    notification_init(&c.rows[i], provider_name(d->account->provider), answers[i].id);
  interpret_all(&c);
  bool good = compare(&c, err);
  for (size_t i = 0; i < n; i++) notification_fini(&c.rows[i]);
  for (size_t i = 0; i < c.n_reported; i++) fact_fini(&c.reported[i].fact);
  free(c.rows);
  free(c.reported);
  return good;
}
