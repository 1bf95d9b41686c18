// SPDX-License-Identifier: MIT
// The incident `failing`: a provider's messages fail for reasons other than their recipients. Two ways: more
// than half of the last receipts failed (failing_judge()), or one receipt said that the next messages will
// fail too, an account fault: that opens the incident of its scope at once, and failing_fault_is_over() says
// when it ends. Pure: no clock, no I/O. Thread: any, one incident at a time.
#pragma once
#include "processor/rules/minutes.h"
#include "processor/rules/verdict.h"

// ---- by rate ----

struct failing_found {
  int64_t since;             // the minute from which on failures prevail
  int64_t failed, delivered; // of the window
  int64_t minutes;           // its length
};

// Receipts about the recipient, account faults and unconfirmed ones are in neither number: bad lists, and
// incidents of their own, are no failing provider. OPEN: more than half failed of the last 5 minutes, or of
// as many as the last 20 receipts took, a day at most. CLOSE: less than a fifth failed of the last 10
// minutes, or as many as 20 receipts took, counted from the opening; or in a day with few receipts none
// failed. `opened`: the minute, or NOT_OPEN. `found` is set in any case.
enum verdict failing_judge(const struct minutes *minutes, int64_t opened, struct failing_found *found);

// ---- by account faults ----

// The faults of one provider and scope. Plain data, to be kept when the incident closes: the next one of the
// same scope goes on with it. All 0: none yet.
struct failing_faults {
  int64_t last_ms; // the last fault
  int64_t gap_ms;  // how long to expect between two: the longest gap, by 5 % less with each fault
};

// A fault was received.
void failing_fault_add(struct failing_faults *faults, int64_t at_ms, int64_t silent_after_ms);
// Whether the incident may close: a message was delivered since the last fault, and for twice the gap, or for
// the provider's silence window if that is longer, no fault came. After the very first fault the gap is six
// windows, an hour; at most 26 hours are waited. So a template that is used once an hour, or once a day,
// stays one incident, and one that fails a thousand times a minute closes ten minutes after it was repaired.
// `delivered_ms`: when the provider's last "delivered" was received; 0: never.
bool failing_fault_is_over(const struct failing_faults *faults, int64_t now_ms, int64_t delivered_ms,
                           int64_t silent_after_ms);
