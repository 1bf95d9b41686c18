// SPDX-License-Identifier: MIT
// What the watch that leads saw when it last looked, for whoever asks another processor: the one row of table
// watch_look. Not for: what the watch needs itself. Thread: one.
#pragma once
#include "processor/postgres/pg.h"
#include "processor/rules/front_door.h"

struct watch_look {
  const char *instance;
  int64_t leads_since_ms, looked_at_ms; // Unix milliseconds
  int64_t known_until_ms;               // INT64_MIN: not known
  int32_t hidden;                       // partitions
  const struct front_door_result *door; // zeroed: it was not called
};

MUST_CHECK bool watch_look_store(PGconn *conn, const struct watch_look *look, struct err *err);
