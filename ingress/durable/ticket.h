// SPDX-License-Identifier: MIT
// What one request waits for: the reports on its events. Each event has a slot, which its report finds again.
// A ticket outlives a request that gives up before the last report. Its parts belong to the request's thread
// and to the poller, the one thread that reads the producer's reports.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum slot_state { // up to SLOT_FAILED the event is not durable
  SLOT_UNSENT,
  SLOT_SENT, // there will be a report
  SLOT_FAILED,
  SLOT_ACKED, // by Kafka
  SLOT_SPOOLED,
  SLOT_STATE_COUNT
};

struct ticket;

struct slot {
  struct ticket *ticket;
  int32_t partition;
  enum slot_state state;    // the request's
  enum slot_state reported; // the poller's, until a wait takes it over; SLOT_UNSENT: no report yet
};

struct ticket *ticket_new(size_t n);

// ---- the request's thread ----

// One for each event. A record goes with its slot, whose state is SLOT_SENT before it is handed over, and
// another one again if librdkafka refuses it.
struct slot *ticket_slots(struct ticket *ticket);
// No event is handed over any more. Comes once, before the waits.
void ticket_begin(struct ticket *ticket);
// Waits for the last report, until the deadline (monotonic) at most, and takes over what was reported: events
// without a report are still SLOT_SENT. It may be called again.
void ticket_wait(struct ticket *ticket, int64_t deadline_ms);
// The end of the waiting; the ticket and its slots are gone afterwards.
void ticket_leave(struct ticket *ticket);

// ---- the poller ----

// A report. The last one puts the ticket in front of the list `*settled`.
void ticket_report(struct slot *slot, enum slot_state state, struct ticket **settled);
// Wakes the requests of all tickets in the list, and frees the tickets that were given up. Called once for
// many reports: a request that woke at once would take the poller's processor away.
void ticket_settle_all(struct ticket **settled);
