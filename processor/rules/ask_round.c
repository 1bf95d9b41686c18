// SPDX-License-Identifier: MIT
#include "processor/rules/ask_round.h"

// An incident that lies ahead of this clock waits until the clock is there: its round would be older.
enum ask_round ask_round_due(const struct ask_round_seen *seen, int64_t every_ms) {
  if (seen->is_open) return ASK_ROUND_GO_ON;
  if (seen->turned_ms > seen->asked_all_ms && seen->turned_ms <= seen->now_ms) return ASK_ROUND_ALL;
  if (every_ms == 0) return ASK_ROUND_NONE;
  if (seen->asked_ms == 0) return ASK_ROUND_ALL;
  return seen->now_ms - seen->asked_ms >= every_ms ? ASK_ROUND_NEW : ASK_ROUND_NONE;
}
