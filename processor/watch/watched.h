// SPDX-License-Identifier: MIT
// What the watch knows of each endpoint from the configuration: its zone, the holidays there, its floor.
// Reads only that part of the endpoints file (endpoints.schema.json); ingress reads the rest. Not for: which
// endpoints there are, which the minute records say. Immutable once loaded. Thread: any.
#pragma once
#include "common/base/faults.h"
#include "processor/rules/floor.h"
#include "processor/rules/holidays.h"

struct watched {
  const char *endpoint;            // NULL: one that the file does not list
  const char *provider;            // likewise
  int64_t body_max_bytes;          // of a call; 0: DOCHAK_BODY_MAX_BYTES
  int zone_minutes;                // east of UTC
  const struct holidays *holidays; // of this zone; NULL: none
  struct floor floor;              // calls is 0: none
};

struct watched_list;

// `file` is the endpoints file; "" lists none. `holidays` is a list of public holidays (holidays.h); "" is
// the Korean one, which is built in. NULL with every fault as "file: pointer: rule" or "file: line: rule".
MUST_CHECK struct watched_list *watched_load(const char *file, const char *holidays, struct faults *faults);
void watched_free(struct watched_list *list);
// An endpoint that the file does not list has the zone +09:00 and no floor. Borrowed; never NULL.
const struct watched *watched_find(const struct watched_list *list, const char *endpoint);
