// SPDX-License-Identifier: MIT
// What one ingress counted for one endpoint in one minute, as its event says it (event.minute.schema.json).
// Pure. Not for: what follows from it (the rules beside it).
#pragma once
#include "common/base/err.h"
#include <stddef.h>
#include <stdint.h>

// No count is larger, so that the sums of all records stay far below INT64_MAX.
static const int64_t INGRESS_MINUTE_MAX = INT64_C(1000000000000);

struct ingress_minute { // owns its strings
  int64_t at;           // Unix milliseconds: when the minute began
  char *instance;       // which ingress
  int64_t calls;        // all of them
  int64_t good;         // refused by no check, and answered with a 2xx
  int64_t refused;      // by a check, and
  char *refused_by;     // JSON object: how many by which check
  int64_t failed;       // answered with other than 2xx
  int64_t failed_in_a_row;
  int64_t spooled;       // rows of the whole ingress that wait in its spool
  int64_t spooled_since; // when the oldest of them was received; NO_TIME: none waits
  bool leaving;          // the last record of this ingress
};
void ingress_minute_fini(struct ingress_minute *minute);

// False: `err` names the member. *out is zeroed then.
MUST_CHECK bool ingress_minute_parse(const char *value, size_t len, struct ingress_minute *out,
                                     struct err *err);
