// SPDX-License-Identifier: MIT
// Lets the watch's silence part (processor/watch/silence.h) live through minutes of the past, on the database
// that PG* names. For tests/integration/test_silence.py.
//   dochak-silence-travel FROM TO RESTART: Unix minutes; after each RESTART minutes a new process goes on
// Prints a line of JSON when an endpoint becomes silent by its rhythm, and when it is not any more. There is
// one endpoint.
#include "common/base/mem.h"
#include "common/json/json.h"
#include "processor/watch/silence.h"
#include <stdio.h>
#include <stdlib.h>

static int64_t now;

static bool is_registered(void *arg, const char *provider) {
  (void)arg, (void)provider;
  return false;
}

static bool print(void *arg, const struct silence_found *found, struct err *err) {
  static bool was_silent;
  (void)arg, (void)err;
  if (*found->scope || found->is_silent == was_silent) return true;
  was_silent = found->is_silent;
  AUTO_JSON *json =
      json_pack("{ss ss ss sb sI sI sf sf}", "endpoint", found->endpoint, "provider", found->provider,
                "scope", found->scope, "opens", found->is_silent, "minute", (json_int_t)now, "since_ms",
                (json_int_t)found->since_ms, "score", found->score, "bar", found->bar);
  AUTO_FREE char *text = json_text(json);
  puts(text);
  return true;
}

static bool travel(PGconn *conn, const struct watched_list *watched, int64_t to, int64_t restart,
                   struct err *err) {
  struct silence *silence = NULL;
  bool good = silence_prepare(conn, err);
  for (int64_t n = 0; good && now <= to; now++, n++) {
    if (n % restart == 0) {
      silence_free(silence);
      silence = silence_new(watched);
    }
    good = silence_begin(silence, conn, now, err) &&
           silence_go_on(silence, conn, INT64_MAX, is_registered, print, NULL, err) &&
           silence_store(silence, conn, err);
  }
  silence_free(silence);
  return good;
}

int main(int argc, char **argv) {
  struct faults faults = {0};
  struct err err = {0};
  if (argc != 4) return 2;
  struct watched_list *watched = watched_load("", "", &faults);
  PGconn *conn = pg_connect(&err);
  now = strtoll(argv[1], NULL, 10);
  bool good = watched && conn && pg_use_indexes(conn, &err) &&
              travel(conn, watched, strtoll(argv[2], NULL, 10), strtoll(argv[3], NULL, 10), &err);
  if (!good) fprintf(stderr, "%s\n", err.text);
  PQfinish(conn);
  watched_free(watched);
  faults_fini(&faults);
  return good ? 0 : 1;
}
