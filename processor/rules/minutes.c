// SPDX-License-Identifier: MIT
#include "processor/rules/minutes.h"
#include <string.h>

void minutes_advance(struct minutes *minutes, int64_t now) {
  int64_t by = now - minutes->now;
  if (by <= 0) return;
  minutes->now = now;
  if (by > minutes->n) by = minutes->n;
  memmove(minutes->list + by, minutes->list, (size_t)(minutes->n - by) * sizeof *minutes->list);
  memset(minutes->list, 0, (size_t)by * sizeof *minutes->list);
}

struct minute_counts *minutes_at(const struct minutes *minutes, int64_t minute) {
  int64_t age = minutes->now - minute;
  return age >= 0 && age < minutes->n ? &minutes->list[age] : NULL;
}

int64_t minute_receipts(const struct minute_counts *counts) {
  return (int64_t)counts->delivered + counts->failed + counts->recipient_fault + counts->account_fault +
         counts->unconfirmed + counts->repeated;
}

int64_t minutes_live(const struct minutes *minutes, int64_t n, int64_t after) {
  int64_t live = 0;
  for (int64_t age = 0; age < n && age < minutes->n && minutes->now - age > after; age++)
    live += minute_receipts(&minutes->list[age]) > 0;
  return live;
}

bool minutes_seen(const struct minutes *minutes, int64_t first, int64_t last) {
  for (int64_t minute = first; minute <= last; minute++) {
    const struct minute_counts *counts = minutes_at(minutes, minute);
    if (!counts || counts->blind) return false;
  }
  return true;
}
