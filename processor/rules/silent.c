// SPDX-License-Identifier: MIT
#include "processor/rules/silent.h"
#include "common/base/least.h"
#include <math.h>

enum {
  DUE_AT_LEAST = 5,
  ENOUGH = 20,
  LIVE_MINUTES = 3,
  MINUTE_MS = 60 * 1000,
  JUDGED_WITHIN_MS = 2 * MINUTE_MS
};

int64_t silent_live_window(int64_t silent_after_ms) {
  return greatest(silent_after_ms / MINUTE_MS, LIVE_MINUTES);
}

int64_t silent_begins_ms(const struct silent_seen *seen) {
  return greatest(seen->last_receipt_ms, seen->blind_until_ms);
}

// If this share of the messages is late on any day, so many in a row are by chance once in a million times.
int64_t silent_due_enough(double usual_late) {
  if (usual_late <= 0) return DUE_AT_LEAST;
  return greatest((int64_t)ceil(log(1e-6) / log(fmin(usual_late, 0.9))), DUE_AT_LEAST);
}

bool silent_breaks_off(int64_t due, int64_t missing, double usual_late) {
  double n = (double)due, p = fmin(fmax(0.5, 3 * usual_late), 0.9);
  return due >= ENOUGH && (double)missing > n * p + 4 * sqrt(n * p * (1 - p));
}

static bool has_broken_off(const struct silent_seen *seen) {
  return silent_breaks_off(seen->due_before, seen->missing_before, seen->usual_late);
}

static bool is_silent(const struct silent_seen *seen, int64_t silent_after_ms) {
  if (seen->now_ms - silent_begins_ms(seen) < silent_after_ms) return false;
  if (has_broken_off(seen)) return true;
  return seen->first_unreported_ms && seen->due >= silent_due_enough(seen->usual_late) &&
         seen->now_ms - seen->first_unreported_ms >= silent_after_ms / 100 * 99;
}

int64_t silent_opens_by(int64_t begins_ms, int64_t first_ms, int64_t enough_ms, int64_t silent_after_ms,
                        int64_t receipt_within_ms) {
  int64_t window_ms = greatest(begins_ms, first_ms) + silent_after_ms;
  return greatest(window_ms, greatest(begins_ms, enough_ms) + receipt_within_ms) + JUDGED_WITHIN_MS;
}

static bool is_back(const struct silent_seen *seen, int64_t silent_after_ms, int64_t opened_ms) {
  if (seen->last_receipt_ms <= opened_ms) return false;
  return seen->live_minutes >= LIVE_MINUTES ||
         (seen->due == 0 && !has_broken_off(seen) && seen->now_ms - seen->last_receipt_ms >= silent_after_ms);
}

enum verdict silent_judge(const struct silent_seen *seen, int64_t silent_after_ms, int64_t opened_ms,
                          struct silent_found *found) {
  found->since_ms = seen->last_receipt_ms ? seen->last_receipt_ms : seen->first_unreported_ms;
  found->due = seen->due + seen->missing_before;
  if (opened_ms == NOT_OPEN) return is_silent(seen, silent_after_ms) ? VERDICT_OPEN : VERDICT_NOTHING;
  return is_back(seen, silent_after_ms, opened_ms) ? VERDICT_CLOSE : VERDICT_NOTHING;
}
