// SPDX-License-Identifier: MIT
// Lets the watch judge providers and endpoints (processor/watch/judge.h) at given times, on the database that
// PG* names, with the provider files of DOCHAK_PROVIDERS_DIR. For tests/support/judge.py.
//   dochak-judge: reads Unix milliseconds, one a line. All that was received before is taken as known.
// Prints for each line what the watch would write to Kafka, a line of JSON each, and an empty line at the
// end.
#include "processor/watch/judge.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "processor/watch/judge_story.h"
#include "processor/watch/usual.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE_MS = 60 * 1000 };

// Stands in for the one of emitter.c.
bool __wrap_emitter_send(struct emitter *emitter, const struct emitter_event *event, struct err *err);
bool __wrap_emitter_send(struct emitter *emitter, const struct emitter_event *event, struct err *err) {
  (void)emitter, (void)err;
  AUTO_JSON *json = json_parse(event->value, strlen(event->value), NULL);
  json_object_set_new(json, "type", json_string(event->type));
  AUTO_FREE char *text = json_text(json);
  puts(text);
  return true;
}

static bool prepare(PGconn *conn, struct err *err) {
  return pg_use_indexes(conn, err) && view_prepare(conn, err) && judge_story_prepare(conn, err) &&
         usual_prepare(conn, err);
}

static bool judge_all(struct judge *j, struct err *err) {
  int64_t now = j->until_ms / MINUTE_MS - 1;
  for (bool is_whole = false; !is_whole;)
    if (!view_read_counts(j->view, j->conn, now, &is_whole, err)) return false;
  return view_read_bounds(j->view, j->conn, now, err) && view_read_incidents(j->view, j->conn, err) &&
         view_read_endpoints(j->view, j->conn, now, err) && usual_update(j->conn, j->view, err) &&
         judge_providers_minute(j, err) && judge_endpoints_minute(j, err) && judge_providers_now(j, err);
}

static bool run(PGconn *conn, const struct providers *providers, struct err *err) {
  struct view *view = view_new(providers);
  struct judge judge = {.view = view, .conn = conn};
  char line[64];
  bool good = true;
  while (good && fgets(line, sizeof line, stdin)) {
    judge.until_ms = strtoll(line, NULL, 10);
    good = judge_all(&judge, err);
    puts("");
    fflush(stdout);
  }
  view_free(view);
  return good;
}

int main(void) {
  struct faults faults = {0};
  struct err err = {0};
  log_init("judge", LOG_LEVEL_WARN);
  log_to_stderr();
  const char *folder = getenv("DOCHAK_PROVIDERS_DIR");
  struct providers *providers = providers_load(folder ? folder : "", &faults);
  PGconn *conn = pg_connect(&err);
  bool good = providers && conn && prepare(conn, &err) && run(conn, providers, &err);
  if (!good) fprintf(stderr, "%s\n", err.text);
  PQfinish(conn);
  providers_free(providers);
  faults_fini(&faults);
  return good ? 0 : 1;
}
