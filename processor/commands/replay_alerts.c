// SPDX-License-Identifier: MIT
#include "processor/commands/replay_alerts.h"
#include "common/base/mem.h"
#include "processor/batch/outbox.h"
#include "processor/commands/reader.h"
#include "processor/tables/rows.h"
#include <stdlib.h>
#include <string.h>

struct replay_alerts {
  struct processor *processor;
  struct store *store;
  struct store_range all;
  struct outbox *outbox;
};

static bool publish(struct replay_alerts *ra, const struct alert *alerts, size_t n, struct err *err) {
  return n == 0 || (outbox_send(ra->outbox, NULL, NULL, NULL, 0, alerts, n, err) &&
                    store_mark(ra->store, &ra->all, 1, err));
}

bool replay_alerts_publish(struct replay_alerts *ra, size_t *n, struct err *err) {
  struct alert *alerts = NULL;
  if (!store_alerts(ra->store, &ra->all, 1, &alerts, n, err)) return false;
  bool done = publish(ra, alerts, *n, err);
  alerts_free(alerts, *n);
  return done;
}

// ---- what an earlier replay has left ----

struct search {
  const struct alert *alerts; // unpublished, by id
  size_t n;
  struct pgarray found; // ids
};

static int by_id(const void *left, const void *right) {
  return memcmp(left, right, sizeof(struct uuid));
}

static enum reader_result look_at(void *arg, const struct event *ev, const rd_kafka_message_t *rkm,
                                  struct err *err) {
  (void)rkm, (void)err;
  struct search *search = arg;
  if (ev->type && bsearch(&ev->id, search->alerts, search->n, sizeof *search->alerts, by_id))
    pgarray_add_uuid(&search->found, ev->id);
  return READER_MORE;
}

static bool mark_those_on_topic(struct replay_alerts *ra, struct alert *alerts, size_t n, struct err *err) {
  _Static_assert(offsetof(struct alert, id) == 0, "by_id() takes an alert for its id");
  struct search search = {.alerts = alerts, .n = n};
  PGconn *conn = store_connection(ra->store);
  const char *topic = ra->processor->topics[KAFKA_TOPIC_ALERTS];
  qsort(alerts, n, sizeof *alerts, by_id);
  pgarray_init(&search.found, PG_UUID);
  if (!reader_read(ra->processor->settings, topic, look_at, &search, err) ||
      !rows_prepare(conn, &(const char *){"replay_published.sql"}, 1, err)) {
    pgarray_fini(&search.found);
    return false;
  }
  AUTO_RESULT *res = rows_run(conn, "replay_published.sql", &search.found, 1);
  return pg_ok(conn, res, "replay_published", NULL, err);
}

static bool mark_published(struct replay_alerts *ra, struct err *err) {
  struct alert *alerts = NULL;
  size_t n;
  if (!store_alerts(ra->store, &ra->all, 1, &alerts, &n, err)) return false;
  bool done = n == 0 || mark_those_on_topic(ra, alerts, n, err);
  alerts_free(alerts, n);
  return done;
}

struct replay_alerts *replay_alerts_open(struct processor *processor, struct store *store, const char *source,
                                         size_t *n_left, struct err *err) {
  const struct settings *settings = processor->settings;
  struct replay_alerts *ra = mem_alloc(sizeof *ra);
  *ra = (struct replay_alerts){processor, store, {source, 0, 0, INT64_MAX}, NULL};
  AUTO_FREE char *name = mem_printf("%s%s-replay", settings->topic_prefix, settings->group_id);
  ra->outbox = outbox_open(processor, name, err);
  if (ra->outbox && mark_published(ra, err) && replay_alerts_publish(ra, n_left, err)) return ra;
  replay_alerts_close(ra);
  return NULL;
}

void replay_alerts_close(struct replay_alerts *ra) {
  if (ra == NULL) return;
  outbox_close(ra->outbox);
  free(ra);
}
