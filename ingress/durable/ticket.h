// SPDX-License-Identifier: MIT
// What one request waits for: the reports on its events. Each event has a slot, which its report finds again.
// A ticket outlives a request that gives up before the last report. Its parts belong to the request's thread
// and to the poller, the one thread that reads the producer's reports.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum slot_state {
  SLOT_UNSENT,
  SLOT_SENT, // there will be a report
  SLOT_DURABLE,
  SLOT_FAILED,
  SLOT_TOO_LARGE,
};

struct ticket;

struct slot {
  struct ticket *ticket;
  int32_t partition;
  enum slot_state state;
};

struct ticket *ticket_new(size_t n);

// ---- the request's thread ----

// The event's slot, to go with the record: there will be a report on it.
struct slot *ticket_expect(struct ticket *ticket, size_t i, int32_t partition);
// There will be no report on it after all, since librdkafka refused the record.
void ticket_take_back(struct slot *slot);
// Waits for the last report, until the deadline (monotonic) at most, and copies the n slots as they are then.
// True: all reports have come. No event is handed over any more. It may be called again.
bool ticket_wait(struct ticket *ticket, int64_t deadline_ms, struct slot *slots, size_t n);
// The end of the waiting; the ticket is gone afterwards.
void ticket_leave(struct ticket *ticket);

// ---- the poller ----

// A report. The last one puts the ticket in front of the list `*settled`.
void ticket_report(struct slot *slot, enum slot_state state, struct ticket **settled);
// Wakes the requests of all tickets in the list, and frees the tickets that were given up. Called once for
// many reports: a request that woke at once would take the poller's processor away.
void ticket_settle_all(struct ticket **settled);
