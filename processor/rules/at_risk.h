// SPDX-License-Identifier: MIT
// The incident `at_risk`: so many calls of an endpoint failed that the provider will soon call no more, or
// block the account (provider_blocks()). Pure: no clock, no I/O. Thread: any.
#pragma once
#include "processor/rules/verdict.h"
#include <stdbool.h>
#include <stdint.h>

enum at_risk_level { AT_RISK_NONE, AT_RISK_HALF, AT_RISK_NEARLY }; // half, nine tenths of a limit

// Failed calls, or the provider's limits, of which 0 is none. Failed: refused by no check, and answered with
// no 2xx. A refused call may be anybody's; `refusing` opens if they are many.
struct at_risk {
  int64_t a_day;    // within the last 24 hours
  int64_t in_a_row; // the highest number at the end of a minute of the last hour, of all ingress together
};

struct at_risk_found { // the limit that is nearest
  enum at_risk_level level;
  bool in_a_row;
  int64_t failed, limit;
};

// OPEN: a level above the one that is open. CLOSE: one is open, and of no limit a third is reached, or there
// is no limit any more. `found` is set in any case.
enum verdict at_risk_judge(const struct at_risk *failed, const struct at_risk *limits,
                           enum at_risk_level open, struct at_risk_found *found);
