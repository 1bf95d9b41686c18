// SPDX-License-Identifier: MIT
#include "processor/watch/watch_look.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include <inttypes.h>
#include <stdio.h>

enum { NUMBER_SIZE = 24 };

// `text`, or NULL: it is not known.
static const char *time_or_null(int64_t ms, int64_t unknown, char text[CLOCK_RFC3339_SIZE]) {
  if (ms == unknown) return NULL;
  clock_format_rfc3339(ms, text);
  return text;
}

bool watch_look_store(PGconn *conn, const struct watch_look *look, struct err *err) {
  const struct front_door_result *door = look->door;
  bool was_called = door->at != 0;
  char since[CLOCK_RFC3339_SIZE], looked[CLOCK_RFC3339_SIZE], until[CLOCK_RFC3339_SIZE];
  char called[CLOCK_RFC3339_SIZE], ends[CLOCK_RFC3339_SIZE], hidden[NUMBER_SIZE], ms[NUMBER_SIZE];
  clock_format_rfc3339(look->leads_since_ms, since);
  clock_format_rfc3339(look->looked_at_ms, looked);
  snprintf(hidden, sizeof hidden, "%" PRId32, look->hidden);
  snprintf(ms, sizeof ms, "%" PRId64, door->ms);
  const char *const values[] = {look->instance,
                                since,
                                looked,
                                time_or_null(look->known_until_ms, INT64_MIN, until),
                                hidden,
                                time_or_null(door->at, 0, called),
                                was_called ? front_door_stage_name(door->stage) : NULL,
                                was_called ? door->text : NULL,
                                was_called ? ms : NULL,
                                time_or_null(door->certificate_ends_at, 0, ends)};
  AUTO_RESULT *res = pg_run(conn, "watch_look_write.sql", (int)COUNT_OF(values), values);
  return pg_ok(conn, res, "watch_look_write.sql", NULL, err);
}
