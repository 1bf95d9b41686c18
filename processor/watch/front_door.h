// SPDX-License-Identifier: MIT
// Calls the front door once a minute, as long as this processor leads. Not for: judging what a call found
// (processor/rules/front_door.h). Thread: its own for the calls; start and stop in the thread that leads.
#pragma once
#include "processor/watch/front_door_check.h"

struct front_door;

// The first call is made at once. NULL in `*out` where no DOCHAK_PUBLIC_URL is set. The settings are
// borrowed.
MUST_CHECK bool front_door_start(const struct settings *settings, struct front_door **out, struct err *err);
// Ends a call that is under way, and frees it: takes 200 ms at most. NULL is none.
void front_door_stop(struct front_door *front_door);

// The result of the last call, the same until the next one has ended. False: there is none yet. Thread: any.
bool front_door_latest(struct front_door *front_door, struct front_door_result *out);
