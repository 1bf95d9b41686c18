// SPDX-License-Identifier: MIT
// The incident `refusing`: ingress refuses most of an endpoint's calls: a rotated secret, a wrong list of
// proxies, a clock. Pure: no clock, no I/O. Thread: any, one endpoint at a time.
#pragma once
#include "processor/rules/minutes.h"
#include "processor/rules/verdict.h"

enum {
  REFUSING_ENOUGH = 5,       // calls, below which nothing is concluded
  REFUSING_CHECKS = 16,      // that can refuse; the caller knows their names
  REFUSING_MINUTES = 2 * 60, // that are looked at
};

struct endpoint_minute { // of all ingress together; 0 where none reported
  uint32_t calls, refused;
  uint32_t by_check[REFUSING_CHECKS]; // the refused ones
};

struct refusing_found {
  int64_t since;          // the minute from which on refusals prevail
  int64_t calls, refused; // of the window
  int64_t minutes;        // its length
  int check;              // the one that refused most of them
};

// `list` has REFUSING_MINUTES, list[0] is the newest finished minute, `now`. OPEN: of the last 2 minutes, or
// of as many as 5 calls took, an hour at most, half of the calls were refused, 5 at least, in 2 different
// minutes. Not if the endpoint is busy (15 good calls in as many minutes, by the hour before), and a quarter
// of them still comes: then somebody else knocks. If it is busy in one minute, and an eighth comes at most,
// that minute is enough. CLOSE: of the last 3 minutes, or of as many as 5 calls took, counted from the
// opening, at most a fifth was refused; or none in an hour in which a call came. `opened`: the minute, or
// NOT_OPEN. `found` is set in any case.
enum verdict refusing_judge(const struct endpoint_minute *list, int64_t now, int64_t opened,
                            struct refusing_found *found);
