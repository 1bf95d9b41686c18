// SPDX-License-Identifier: MIT
// The incident `silent` of a provider whose messages are registered: results are due and no receipt comes at
// all. Pure: no clock, no I/O. Not for: endpoints without registration (rhythm). Thread: any, one provider at
// a time.
#pragma once
#include "processor/rules/minutes.h"
#include "processor/rules/verdict.h"

struct silent_seen { // times are Unix milliseconds
  int64_t now_ms;
  int64_t last_receipt_ms; // when ingress received the provider's last receipt of any kind; 0: never
  int64_t blind_until_ms;  // the end of the last minute that ingress did not see; 0: none
  // Of the messages accepted after silent_begins_ms(), while it is open after the last receipt: when the
  // first was accepted, and how many are due by now (the provider's receipt_within_s). Five of these show
  // that receipts are missing. Five of those accepted before do not: one in a hundred never gets a receipt.
  int64_t first_unreported_ms; // 0: none
  int64_t due;
  // Of the messages accepted before the last receipt: those whose receipt was due after it, and how many of
  // them have none. They show that a campaign has broken off. Both are 0 until all are due, unless it is
  // open.
  int64_t due_before, missing_before;
  double usual_late;    // slow_usual_share(), or negative
  int64_t live_minutes; // minutes_live() since the opening, of the last silent_live_window() minutes
};
int64_t silent_live_window(int64_t silent_after_ms); // minutes
// From when on nothing came: the last receipt, or the end of what ingress did not see, since it cannot miss
// that; 0: neither is known.
int64_t silent_begins_ms(const struct silent_seen *seen);

// How many must be due, where this share is late on any day (slow_usual_share(), or negative).
int64_t silent_due_enough(double usual_late);
// Whether so many of the messages that are due after the last receipt have none that its provider may have
// stopped: more than half, or than three times the usual share, and not by chance. 20 messages at least.
bool silent_breaks_off(int64_t due, int64_t missing, double usual_late);
// By when `silent` has opened, if no receipt comes any more: of the messages accepted after the last one, the
// first was accepted at `first_ms`, and with the one of `enough_ms` there are enough. It begins to count at
// silent_begins_ms(); of those accepted before, others take the places. Two minutes more than
// its conditions take, as they are judged by whole minutes, and a batch has to read what was decided. Until
// then the overdue ones raise no alert: they would be thousands, and soon one alert says it for all.
int64_t silent_opens_by(int64_t begins_ms, int64_t first_ms, int64_t enough_ms, int64_t silent_after_ms,
                        int64_t receipt_within_ms);

struct silent_found {
  int64_t since_ms; // the last receipt; where none ever came, the first message that has none
  int64_t due;      // messages without a receipt that should have one
};

// OPEN: nothing came for the provider's silence window, and either as long (but for a hundredth) since the
// first message that should have had one, and 5 due, or as many more as it takes that chance alone does it
// once in a million times; or silent_breaks_off() of those accepted before. CLOSE: receipts in 3 different
// minutes of a window; or one receipt, for a window after it nothing became due, and it would not open again.
// `opened_ms`: or NOT_OPEN. `found` is set in any case.
enum verdict silent_judge(const struct silent_seen *seen, int64_t silent_after_ms, int64_t opened_ms,
                          struct silent_found *found);
