// SPDX-License-Identifier: MIT
#include "processor/rules/failing.h"

enum { ENOUGH = 20, OPENS_AFTER = 5, CLOSES_AFTER = 10, HOUR_MS = 60 * 60 * 1000, GAPS_WAITED = 2 };
static const int64_t WAITED_MAX_MS = 26 * (int64_t)HOUR_MS;

// Counts backwards until the window is long enough and holds enough, but not beyond `after`. Where the
// surplus of failures is largest is where they began.
static struct failing_found look_back(const struct minutes *minutes, int64_t least, int64_t after) {
  struct failing_found found = {.since = minutes->now};
  int64_t surplus = 0;
  while (found.minutes < least || found.failed + found.delivered < ENOUGH) {
    int64_t minute = minutes->now - found.minutes;
    const struct minute_counts *counts = minutes_at(minutes, minute);
    if (!counts || found.minutes == MINUTES_DAY || minute <= after) break;
    found.minutes++;
    found.failed += counts->failed;
    found.delivered += counts->delivered;
    if (found.failed - found.delivered <= surplus) continue;
    surplus = found.failed - found.delivered;
    found.since = minute;
  }
  return found;
}

static bool is_over(const struct failing_found *found) {
  if (found->failed + found->delivered >= ENOUGH)
    return found->minutes >= CLOSES_AFTER && found->failed * 5 < found->failed + found->delivered;
  return found->minutes == MINUTES_DAY && found->delivered && !found->failed;
}

enum verdict failing_judge(const struct minutes *minutes, int64_t opened, struct failing_found *found) {
  if (opened != NOT_OPEN) {
    *found = look_back(minutes, CLOSES_AFTER, opened);
    return is_over(found) ? VERDICT_CLOSE : VERDICT_NOTHING;
  }
  *found = look_back(minutes, OPENS_AFTER, NOT_OPEN);
  if (found->failed + found->delivered < ENOUGH) return VERDICT_NOTHING;
  return found->failed > found->delivered ? VERDICT_OPEN : VERDICT_NOTHING;
}

void failing_fault_add(struct failing_faults *faults, int64_t at_ms, int64_t silent_after_ms) {
  int64_t since_last_ms = faults->last_ms ? at_ms - faults->last_ms : 6 * silent_after_ms;
  if (since_last_ms > WAITED_MAX_MS) since_last_ms = WAITED_MAX_MS;
  faults->gap_ms -= faults->gap_ms / 20;
  if (faults->gap_ms < since_last_ms) faults->gap_ms = since_last_ms;
  if (faults->last_ms < at_ms) faults->last_ms = at_ms;
}

bool failing_fault_is_over(const struct failing_faults *faults, int64_t now_ms, int64_t delivered_ms,
                           int64_t silent_after_ms) {
  int64_t wait_ms = GAPS_WAITED * faults->gap_ms;
  if (wait_ms > WAITED_MAX_MS) wait_ms = WAITED_MAX_MS;
  if (wait_ms < silent_after_ms) wait_ms = silent_after_ms;
  return delivered_ms > faults->last_ms && now_ms - faults->last_ms >= wait_ms;
}
