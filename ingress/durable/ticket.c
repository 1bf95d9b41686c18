// SPDX-License-Identifier: MIT
#include "ingress/durable/ticket.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include <pthread.h>
#include <stdlib.h>

struct ticket {
  pthread_mutex_t lock;
  pthread_cond_t wake;
  size_t n, pending; // slots; reports still to come, before ticket_begin() also for events that are not sent
  bool settled;      // all reports have come, and the poller has done all it had to
  bool abandoned;    // the request has left; the poller frees the ticket
  struct ticket *next;
  struct slot slots[];
};

struct ticket *ticket_new(size_t n) {
  struct ticket *ticket = mem_alloc(sizeof *ticket + n * sizeof ticket->slots[0]);
  pthread_mutex_init(&ticket->lock, NULL);
  clock_cond_init(&ticket->wake);
  ticket->n = ticket->pending = n;
  for (size_t i = 0; i < n; i++) ticket->slots[i].ticket = ticket;
  return ticket;
}

static void ticket_free(struct ticket *ticket) {
  pthread_cond_destroy(&ticket->wake);
  pthread_mutex_destroy(&ticket->lock);
  free(ticket);
}

// ---- the request's thread ----

struct slot *ticket_slots(struct ticket *ticket) {
  return ticket->slots;
}

// The ticket is settled by the one that finds the last pending event: here, or the poller.
void ticket_begin(struct ticket *ticket) {
  size_t unsent = 0;
  for (size_t i = 0; i < ticket->n; i++) unsent += ticket->slots[i].state != SLOT_SENT;
  pthread_mutex_lock(&ticket->lock);
  ticket->pending -= unsent;
  if (unsent && !ticket->pending) ticket->settled = true;
  pthread_mutex_unlock(&ticket->lock);
}

void ticket_wait(struct ticket *ticket, int64_t deadline_ms) {
  struct timespec at = clock_timespec_at(deadline_ms);
  int expired = 0;
  pthread_mutex_lock(&ticket->lock);
  while (!ticket->settled && !expired) expired = pthread_cond_timedwait(&ticket->wake, &ticket->lock, &at);
  for (struct slot *slot = ticket->slots; slot < &ticket->slots[ticket->n]; slot++)
    if (slot->state == SLOT_SENT && slot->reported) slot->state = slot->reported;
  pthread_mutex_unlock(&ticket->lock);
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
  slot->reported = state;
  bool last = --ticket->pending == 0;
  pthread_mutex_unlock(&ticket->lock);
  if (!last) return;
  ticket->next = *settled;
  *settled = ticket;
}

void ticket_settle_all(struct ticket **settled) {
  for (struct ticket *ticket = take(*settled), *next; ticket; ticket = next) {
    next = ticket->next;
    pthread_mutex_lock(&ticket->lock);
    ticket->settled = true;
    bool abandoned = ticket->abandoned;
    if (!abandoned) pthread_cond_signal(&ticket->wake);
    pthread_mutex_unlock(&ticket->lock);
    if (abandoned) ticket_free(ticket);
  }
}
