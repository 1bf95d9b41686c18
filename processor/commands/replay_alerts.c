// SPDX-License-Identifier: MIT
#include "processor/commands/replay_alerts.h"
#include "common/base/mem.h"
#include "processor/batch/outbox.h"
#include "processor/commands/reader.h"
#include "processor/tables/rows.h"
#include <stdlib.h>

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

static enum reader_result add_id(void *ids, const struct event *ev, const rd_kafka_message_t *rkm,
                                 struct err *err) {
  (void)rkm, (void)err;
  if (ev->type) pgarray_add_uuid(ids, ev->id);
  return READER_MORE;
}

static bool mark_those_on_topic(struct replay_alerts *ra, struct err *err) {
  struct pgarray ids;
  PGconn *conn = store_connection(ra->store);
  const char *topic = ra->processor->topics[KAFKA_TOPIC_ALERTS];
  pgarray_init(&ids, PG_UUID);
  if (!reader_read(ra->processor->settings, topic, add_id, &ids, err) ||
      !rows_prepare(conn, &(const char *){"replay_published.sql"}, 1, err)) {
    pgarray_fini(&ids);
    return false;
  }
  AUTO_RESULT *res = rows_run(conn, "replay_published.sql", &ids, 1);
  return pg_ok(conn, res, "replay_published", NULL, err);
}

static bool mark_published(struct replay_alerts *ra, struct err *err) {
  struct alert *alerts = NULL;
  size_t n;
  if (!store_alerts(ra->store, &ra->all, 1, &alerts, &n, err)) return false;
  alerts_free(alerts, n);
  return n == 0 || mark_those_on_topic(ra, err);
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
