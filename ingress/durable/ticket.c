// SPDX-License-Identifier: MIT
#include "ingress/durable/ticket.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct ticket {
  pthread_mutex_t lock;
  pthread_cond_t wake;
  size_t pending;   // reports still to come, and one for the request while it hands events over
  bool handed_over; // the request hands over no more events
  bool settled;     // all reports have come, and the poller has done all it had to
  bool abandoned;   // the request has left; the poller frees the ticket
  struct ticket *next;
  struct slot slots[];
};

struct ticket *ticket_new(size_t n) {
  struct ticket *ticket = mem_alloc(sizeof *ticket + n * sizeof ticket->slots[0]);
  pthread_mutex_init(&ticket->lock, NULL);
  clock_cond_init(&ticket->wake);
  ticket->pending = 1;
  for (size_t i = 0; i < n; i++) ticket->slots[i].ticket = ticket;
  return ticket;
}

static void ticket_free(struct ticket *ticket) {
  pthread_cond_destroy(&ticket->wake);
  pthread_mutex_destroy(&ticket->lock);
  free(ticket);
}

// ---- the request's thread ----

struct slot *ticket_expect(struct ticket *ticket, size_t i, int32_t partition) {
  struct slot *slot = &ticket->slots[i];
  pthread_mutex_lock(&ticket->lock);
  slot->partition = partition;
  slot->state = SLOT_SENT;
  ticket->pending++;
  pthread_mutex_unlock(&ticket->lock);
  return slot;
}

void ticket_take_back(struct slot *slot) {
  struct ticket *ticket = slot->ticket;
  pthread_mutex_lock(&ticket->lock);
  slot->state = SLOT_UNSENT;
  ticket->pending--;
  pthread_mutex_unlock(&ticket->lock);
}

// Without a report to come, the poller never gets the ticket, and it is settled at once.
bool ticket_wait(struct ticket *ticket, int64_t deadline_ms, struct slot *slots, size_t n) {
  struct timespec at = clock_timespec_at(deadline_ms);
  int expired = 0;
  pthread_mutex_lock(&ticket->lock);
  if (!ticket->handed_over) ticket->settled = --ticket->pending == 0;
  ticket->handed_over = true;
  while (!ticket->settled && !expired) expired = pthread_cond_timedwait(&ticket->wake, &ticket->lock, &at);
  memcpy(slots, ticket->slots, n * sizeof *slots);
  bool settled = ticket->settled;
  pthread_mutex_unlock(&ticket->lock);
  return settled;
}

void ticket_leave(struct ticket *ticket) {
  pthread_mutex_lock(&ticket->lock);
  bool ours = ticket->settled;
  ticket->abandoned = !ours;
  pthread_mutex_unlock(&ticket->lock);
  if (ours) ticket_free(ticket);
}

// ---- the poller ----

void ticket_report(struct slot *slot, enum slot_state state, struct ticket **settled) {
  struct ticket *ticket = slot->ticket;
  pthread_mutex_lock(&ticket->lock);
  slot->state = state;
  bool last = --ticket->pending == 0;
  pthread_mutex_unlock(&ticket->lock);
  if (!last) return;
  ticket->next = *settled;
  *settled = ticket;
}

static void settle(struct ticket *ticket) {
  pthread_mutex_lock(&ticket->lock);
  ticket->settled = true;
  bool abandoned = ticket->abandoned;
  if (!abandoned) pthread_cond_signal(&ticket->wake);
  pthread_mutex_unlock(&ticket->lock);
  if (abandoned) ticket_free(ticket);
}

void ticket_settle_all(struct ticket **settled) {
  for (struct ticket *ticket = take(*settled), *next; ticket; ticket = next) {
    next = ticket->next;
    settle(ticket);
  }
}
