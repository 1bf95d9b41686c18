// SPDX-License-Identifier: MIT
#include "processor/commands/telling.h"
#include "common/base/mem.h"
#include "processor/batch/outbox.h"
#include "processor/commands/reader.h"
#include "processor/tables/rows.h"
#include <stdlib.h>
#include <string.h>

struct telling {
  struct processor *processor;
  struct store *store;
  const char *source;
  struct outbox *outbox;
};

static struct store_range all_of(const struct telling *t) {
  return (struct store_range){t->source, 0, 0, INT64_MAX};
}

static bool read_untold(struct telling *t, struct alert **alerts, size_t *n, struct err *err) {
  const struct store_range all = all_of(t);
  return store_alerts(t->store, &all, 1, alerts, n, err);
}

static bool mark_all(struct telling *t, struct err *err) {
  const struct store_range all = all_of(t);
  return store_mark(t->store, &all, 1, err);
}

bool telling_tell(struct telling *t, size_t *n_told, struct err *err) {
  struct alert *alerts = NULL;
  size_t n = 0;
  if (!read_untold(t, &alerts, &n, err)) return false;
  bool sent = n == 0 || (outbox_send(t->outbox, NULL, NULL, NULL, 0, alerts, n, err) && mark_all(t, err));
  alerts_free(alerts, n);
  if (sent && n_told) *n_told += n;
  return sent;
}

// ---- what an earlier replay has left ----

static int by_id(const void *left, const void *right) {
  return memcmp(left, right, sizeof(struct uuid));
}

static int64_t earliest(const struct alert *alerts, size_t n) {
  int64_t least = alerts[0].raised_at;
  for (size_t i = 1; i < n; i++)
    if (alerts[i].raised_at < least) least = alerts[i].raised_at;
  return least;
}

// Adds to `ids` those of the sorted alerts that the span's records are.
static bool look_for(struct reader *reader, const struct reader_span *span, const struct alert *alerts,
                     size_t n, struct pgarray *ids, struct err *err) {
  rd_kafka_message_t *rkm = NULL;
  enum reader_result result = READER_FAILED;
  if (!reader_begin(reader, span, err)) return false;
  while ((result = reader_next(reader, &rkm, err)) == READER_RECORD) {
    struct event ev = {0};
    const struct alert *found =
        event_from_message(rkm, &ev, NULL) ? bsearch(&ev.id, alerts, n, sizeof *alerts, by_id) : NULL;
    rd_kafka_message_destroy(rkm);
    if (found) pgarray_add_uuid(ids, found->id);
  }
  return result == READER_END;
}

static bool look_on_topic(struct telling *t, const struct alert *alerts, size_t n, struct pgarray *ids,
                          struct err *err) {
  enum { CLOCKS_DIFFER_MS = 60 * 60 * 1000 }; // a record's time is the broker's or ours
  int64_t from_ms = earliest(alerts, n) - CLOCKS_DIFFER_MS;
  AUTO_FREE struct reader_span *spans = NULL;
  size_t n_spans = 0;
  struct reader *reader = reader_open(t->processor->settings, t->processor->topics[KAFKA_TOPIC_ALERTS], err);
  bool ok = reader && reader_spans(reader, from_ms, &spans, &n_spans, err);
  for (size_t i = 0; ok && i < n_spans; i++) ok = look_for(reader, &spans[i], alerts, n, ids, err);
  reader_close(reader);
  return ok;
}

static bool mark_each(struct telling *t, struct pgarray *ids, struct err *err) {
  PGconn *conn = store_connection(t->store);
  if (!rows_prepare(conn, &(const char *){"replay_published.sql"}, 1, err)) return false;
  AUTO_RESULT *res = rows_run(conn, "replay_published.sql", ids, 1);
  return pg_ok(conn, res, "replay_published", NULL, err);
}

static bool find_published(struct telling *t, const struct alert *alerts, size_t n, struct err *err) {
  struct pgarray ids;
  pgarray_init(&ids, PG_UUID);
  if (look_on_topic(t, alerts, n, &ids, err)) return mark_each(t, &ids, err);
  pgarray_fini(&ids);
  return false;
}

static bool settle(struct telling *t, struct err *err) {
  struct alert *alerts = NULL;
  size_t n = 0;
  if (!read_untold(t, &alerts, &n, err)) return false;
  _Static_assert(offsetof(struct alert, id) == 0, "by_id() takes an alert for its id");
  qsort(alerts, n, sizeof *alerts, by_id);
  bool ok = n == 0 || find_published(t, alerts, n, err);
  alerts_free(alerts, n);
  return ok;
}

struct telling *telling_open(struct processor *processor, struct store *store, const char *source,
                             size_t *n_told, struct err *err) {
  const struct settings *settings = processor->settings;
  struct telling *t = mem_alloc(sizeof *t);
  *t = (struct telling){.processor = processor, .store = store, .source = source};
  AUTO_FREE char *name = mem_printf("%s%s-replay", settings->topic_prefix, settings->group_id);
  t->outbox = outbox_open(processor, name, err);
  if (t->outbox && settle(t, err) && telling_tell(t, n_told, err)) return t;
  telling_close(t);
  return NULL;
}

void telling_close(struct telling *t) {
  if (t == NULL) return;
  outbox_close(t->outbox);
  free(t);
}
