// SPDX-License-Identifier: MIT
#include "processor/rules/at_risk.h"

static enum at_risk_level level_of(int64_t failed, int64_t limit) {
  if (failed * 10 >= limit * 9) return AT_RISK_NEARLY;
  return failed * 2 >= limit ? AT_RISK_HALF : AT_RISK_NONE;
}

// failed / limit of a is larger.
static bool is_nearer(const struct at_risk_found *a, const struct at_risk_found *b) {
  return !b->limit || (a->limit && a->failed * b->limit > b->failed * a->limit);
}

enum verdict at_risk_judge(const struct at_risk *failed, const struct at_risk *limits,
                           enum at_risk_level open, struct at_risk_found *found) {
  struct at_risk_found row = {.in_a_row = true, .failed = failed->in_a_row, .limit = limits->in_a_row};
  *found = (struct at_risk_found){.failed = failed->a_day, .limit = limits->a_day};
  if (is_nearer(&row, found)) *found = row;
  if (found->limit) found->level = level_of(found->failed, found->limit);
  if (found->level > open) return VERDICT_OPEN;
  bool is_far = !found->limit || found->failed * 3 < found->limit;
  return open && is_far ? VERDICT_CLOSE : VERDICT_NOTHING;
}
