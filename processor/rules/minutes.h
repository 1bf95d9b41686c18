// SPDX-License-Identifier: MIT
// What a provider reported, minute by minute, as the incident rules read it (failing, slow, silent). Not for:
// calls of an endpoint (refusing). Minutes are Unix minutes. Thread: any, one provider at a time.
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { MINUTES_DAY = 24 * 60 };

#define NOT_OPEN INT64_MIN // as the time at which an incident was opened

struct minute_counts {
  // Receipts, each in one counter, in the minute in which ingress received them.
  uint32_t delivered, failed, recipient_fault, account_fault, unconfirmed, repeated;
  // Messages, in the minute of their acceptance; and those of them whose first receipt came in time.
  uint32_t taken, in_time;
  // Receipts of this minute may have come late by no fault of the provider's pace: `silent`, `refusing` or
  // `unreachable` was open (but for a certificate that will end), or ingress reported nothing or spooled
  // rows.
  bool blind;
};

// The minutes up to `now`, the last one whose counters are complete.
struct minutes {
  struct minute_counts *list; // list[age]: minute now - age. Borrowed
  int64_t n;                  // of the list. A day, and an hour more, is enough for every rule
  int64_t now;
};

// Makes `now` the newest minute: the counters move up, those of new minutes are 0, the oldest are forgotten.
// An earlier minute changes nothing.
void minutes_advance(struct minutes *minutes, int64_t now);
// A minute's counters, for reading or to be set. NULL: it is not kept.
struct minute_counts *minutes_at(const struct minutes *minutes, int64_t minute);
// Receipts of any kind.
int64_t minute_receipts(const struct minute_counts *counts);
// Minutes with a receipt among the last `n`, but for those up to `after`.
int64_t minutes_live(const struct minutes *minutes, int64_t n, int64_t after);
// Whether all minutes from `first` to `last` are kept, and none is blind: a message accepted in the first,
// and due in the last, could be reported in time.
bool minutes_seen(const struct minutes *minutes, int64_t first, int64_t last);
