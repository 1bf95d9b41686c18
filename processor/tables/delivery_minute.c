// SPDX-License-Identifier: MIT
#include "processor/tables/delivery_minute.h"

#include "common/base/mem.h"
#include "common/kafka/kafka.h"
#include "processor/tables/rows.h"
#include <stdlib.h>
#include <string.h>

enum { MINUTE_MS = 60 * 1000 };

static const char *topic_of(const struct fact *fact) {
  return rd_kafka_topic_name(fact->rkm->rkt);
}

// ---- what is counted already ----

struct end {
  const char *topic;
  int32_t partition;
  int64_t next_offset;
};

static struct end *end_of(struct end *ends, size_t *n, const struct fact *fact) {
  for (size_t i = *n; i > 0; i--)
    if (ends[i - 1].partition == fact->rkm->partition && strcmp(ends[i - 1].topic, topic_of(fact)) == 0)
      return &ends[i - 1];
  ends[*n] = (struct end){.topic = topic_of(fact), .partition = fact->rkm->partition};
  return &ends[(*n)++];
}

size_t delivery_minute_send_advance(struct pipeline *pipeline, struct fact *const *facts, size_t n) {
  static const enum pg_type types[] = {PG_TEXT, PG_INT4, PG_INT8};
  struct pgarray c[COUNT_OF(types)];
  AUTO_FREE struct end *ends = mem_array(n, sizeof *ends);
  size_t n_ends = 0;
  for (size_t i = 0; i < n; i++) {
    if (facts[i]->type == FACT_UNCLEAR) continue;
    struct end *end = end_of(ends, &n_ends, facts[i]);
    if (facts[i]->rkm->offset >= end->next_offset) end->next_offset = facts[i]->rkm->offset + 1;
  }
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n_ends; i++) {
    pgarray_add_text(&c[0], ends[i].topic);
    pgarray_add_int4(&c[1], ends[i].partition);
    pgarray_add_int8(&c[2], ends[i].next_offset);
  }
  return rows_send(pipeline, "applied_advance.sql", c, COUNT_OF(types));
}

bool delivery_minute_is_counted(const struct fact *fact, const PGresult *advanced) {
  for (int row = 0; row < PQntuples(advanced); row++)
    if (pgvalue_int4(PQgetvalue(advanced, row, 1)) == fact->rkm->partition &&
        strcmp(PQgetvalue(advanced, row, 0), topic_of(fact)) == 0)
      return fact->rkm->offset < pgvalue_int8(PQgetvalue(advanced, row, 2));
  return false;
}

// Keeps those that are not counted. Returns how many.
static size_t keep_uncounted(struct delivery *list, size_t n, const PGresult *advanced) {
  size_t kept = 0;
  for (size_t i = 0; i < n; i++)
    if (!delivery_minute_is_counted(list[i].fact, advanced)) list[kept++] = list[i];
  return kept;
}

// ---- counting ----

static int64_t minute_of(const struct delivery *delivery) {
  return delivery->at - delivery->at % MINUTE_MS;
}

static int compare_texts(const char *a, const char *b) {
  return strcmp(mem_or_empty(a), mem_or_empty(b));
}

// Of delivery_minute.
static int by_outcome(const struct delivery *a, const struct delivery *b) {
  int64_t m = minute_of(a), n = minute_of(b);
  if (m != n) return m < n ? -1 : 1;
  int order = compare_texts(a->fact->ev.provider, b->fact->ev.provider);
  if (!order) order = compare_texts(a->fact->ev.endpoint, b->fact->ev.endpoint);
  if (!order) order = strcmp(a->outcome, b->outcome);
  if (order) return order;
  return (a->fact->rkm->partition > b->fact->rkm->partition) -
         (a->fact->rkm->partition < b->fact->rkm->partition);
}

// Of code_minute. Those of one outcome stand together.
static int by_code(const struct delivery *a, const struct delivery *b) {
  int order = by_outcome(a, b);
  if (!order) order = compare_texts(a->channel, b->channel);
  if (!order) order = (a->code != NULL) - (b->code != NULL);
  return order ? order : compare_texts(a->code, b->code);
}

static int sort_by_code(const void *left, const void *right) {
  return by_code(left, right);
}

static int by_place(const void *left, const void *right) {
  const struct delivery *a = left, *b = right;
  const rd_kafka_message_t *rkm = a->fact->rkm;
  return kafka_compare_place(topic_of(a->fact), rkm->partition, rkm->offset, b->fact->rkm);
}

static void join_two(struct delivery *to, const struct delivery *from) {
  to->records += from->records;
  if (from->at > to->at) to->at = from->at;
}

// Makes one of neighbours of the same counter. Returns how many stay.
static size_t join_neighbours(struct delivery *list, size_t n,
                              int (*compare)(const struct delivery *, const struct delivery *)) {
  size_t kept = 0;
  for (size_t i = 0; i < n; i++)
    if (kept && compare(&list[kept - 1], &list[i]) == 0)
      join_two(&list[kept - 1], &list[i]);
    else
      list[kept++] = list[i];
  return kept;
}

static void send_codes(struct pipeline *pipeline, const struct delivery *list, size_t n) {
  static const enum pg_type types[] = {PG_TIMESTAMPTZ, PG_TEXT, PG_TEXT, PG_TEXT,
                                       PG_TEXT,        PG_TEXT, PG_INT4, PG_INT8};
  struct pgarray c[COUNT_OF(types)];
  size_t n_coded = 0;
  for (size_t i = 0; i < n; i++) n_coded += list[i].code != NULL;
  if (n_coded == 0) return;
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++) {
    const struct event *ev = &list[i].fact->ev;
    if (!list[i].code) continue;
    pgarray_add_time(&c[0], minute_of(&list[i]));
    pgarray_add_text(&c[1], mem_or_empty(ev->provider));
    pgarray_add_text(&c[2], mem_or_empty(ev->endpoint));
    pgarray_add_text(&c[3], list[i].outcome);
    pgarray_add_text(&c[4], mem_or_empty(list[i].channel));
    pgarray_add_text(&c[5], list[i].code);
    pgarray_add_int4(&c[6], list[i].fact->rkm->partition);
    pgarray_add_int8(&c[7], list[i].records);
  }
  rows_send(pipeline, "code_minute_add.sql", c, COUNT_OF(types));
}

static void send_outcomes(struct pipeline *pipeline, const struct delivery *list, size_t n) {
  static const enum pg_type types[] = {PG_TIMESTAMPTZ, PG_TEXT, PG_TEXT,       PG_TEXT,
                                       PG_INT4,        PG_INT8, PG_TIMESTAMPTZ};
  struct pgarray c[COUNT_OF(types)];
  rows_begin(c, types, COUNT_OF(types));
  for (size_t i = 0; i < n; i++) {
    const struct event *ev = &list[i].fact->ev;
    pgarray_add_time(&c[0], minute_of(&list[i]));
    pgarray_add_text(&c[1], mem_or_empty(ev->provider));
    pgarray_add_text(&c[2], mem_or_empty(ev->endpoint));
    pgarray_add_text(&c[3], list[i].outcome);
    pgarray_add_int4(&c[4], list[i].fact->rkm->partition);
    pgarray_add_int8(&c[5], list[i].records);
    pgarray_add_time(&c[6], list[i].at);
  }
  rows_send(pipeline, "delivery_minute_add.sql", c, COUNT_OF(types));
}

void delivery_minute_send(struct pipeline *pipeline, struct delivery *list, size_t n,
                          const PGresult *advanced) {
  n = keep_uncounted(list, n, advanced);
  if (n == 0) return;
  qsort(list, n, sizeof *list, by_place);
  n = join_neighbours(list, n, by_code); // records of a partition come minute by minute, so few are left
  qsort(list, n, sizeof *list, sort_by_code);
  n = join_neighbours(list, n, by_code);
  send_codes(pipeline, list, n);
  send_outcomes(pipeline, list, join_neighbours(list, n, by_outcome));
}
