// SPDX-License-Identifier: MIT
// A floor: "at least N calls within this time". For an endpoint whose rhythm is too irregular, or too young,
// to be watched (rhythm.h): it needs no history. Pure: no clock, no I/O. Thread: any, one endpoint at a time.
#pragma once
#include "processor/rules/verdict.h"
#include <stdbool.h>
#include <stdint.h>

// Of the endpoints file; calls is 0 where the endpoint has no floor.
struct floor {
  int64_t calls;
  int64_t within_s;
};

// The time is counted in known minutes, in at most FLOOR_PARTS equal parts, so that it may be up to one part
// longer than the floor's.
enum { FLOOR_PARTS = 60 };

// Plain data, to be stored as it is; all zero at the start.
struct floor_state {
  struct floor floor; // by which it was counted
  bool open;
  int32_t finished;            // parts since the last verdict
  int32_t minutes;             // of the current part
  uint32_t parts[FLOOR_PARTS]; // calls; the current one is parts[finished % number of parts]
};

enum { FLOOR_UNKNOWN = -1 };
// Counts a minute. FLOOR_UNKNOWN: ingress did not report itself, or reported spooled rows; it adds nothing
// and takes nothing. OPEN: fewer calls than the floor in the whole time. CLOSE: as many since then. Each
// verdict begins a new time, so that a rate near the floor raises one alert in that time at most. So does a
// floor other than that of the state; `open` stays then. A minute is counted once: calls that arrive late for
// one that was counted are not.
enum verdict floor_minute(struct floor_state *state, const struct floor *floor, int64_t calls);

// Calls within the time, or since the last verdict if that is later.
int64_t floor_calls(const struct floor_state *state);
