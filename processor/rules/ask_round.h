// SPDX-License-Identifier: MIT
// When the schedule asks a provider for what its webhooks should have brought, and how much. Pure: no clock,
// no I/O. Thread: any.
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum ask_round {
  ASK_ROUND_NONE,
  ASK_ROUND_GO_ON, // with the one that has not ended
  ASK_ROUND_NEW,   // for what has become due since the last one, or expires before the next one
  ASK_ROUND_ALL    // for all that is overdue, or all contacts
};

// Unix milliseconds; 0: never.
struct ask_round_seen {
  int64_t now_ms;
  bool is_open;         // a round has begun and not ended
  int64_t asked_ms;     // when the last one that has ended began
  int64_t asked_all_ms; // likewise, of those that asked for all
  int64_t turned_ms;    // when a `silent` incident of the provider was last opened or closed
};

// `every_ms` is 0: only for what `silent` hides, as contacts are asked for.
enum ask_round ask_round_due(const struct ask_round_seen *seen, int64_t every_ms);
