// SPDX-License-Identifier: MIT
// A request sees every report that came before it left, and leaves nothing behind when it gives up: the
// sanitizers watch what the assertions cannot.
#include "ingress/durable/ticket.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { FAR_MS = 6000 };

// As the publisher does when it hands the event over.
static struct slot *send(struct ticket *ticket, size_t i, int32_t partition) {
  struct slot *slot = &ticket_slots(ticket)[i];
  slot->partition = partition;
  slot->state = SLOT_SENT;
  return slot;
}

static void take_back(struct slot *slot) {
  slot->state = SLOT_UNSENT;
}

// A wait, and a copy of what is the request's then. True: no report is missing.
static bool look(struct ticket *ticket, int64_t deadline_ms, struct slot *slots, size_t n) {
  bool complete = true;
  ticket_wait(ticket, deadline_ms);
  for (size_t i = 0; i < n; i++) {
    const struct slot *slot = &ticket_slots(ticket)[i];
    slots[i] = (struct slot){.partition = slot->partition, .state = slot->state};
    complete &= slot->state != SLOT_SENT;
  }
  return complete;
}

static void look_and_leave(struct ticket *ticket, int64_t deadline_ms, struct slot *slots, size_t n) {
  look(ticket, deadline_ms, slots, n);
  ticket_leave(ticket);
}

static void wait_and_leave(struct ticket *ticket, int64_t deadline_ms, struct slot *slots, size_t n) {
  ticket_begin(ticket);
  look_and_leave(ticket, deadline_ms, slots, n);
}

static void report_one(struct slot *slot, enum slot_state state) {
  struct ticket *settled = NULL;
  ticket_report(slot, state, &settled);
  ticket_settle_all(&settled);
  assert_null(settled);
}

// ---- one thread ----

static void test_without_an_event_nothing_is_waited_for(void **state) {
  struct slot slots[2];
  int64_t began = clock_mono_ms();
  wait_and_leave(ticket_new(2), began + FAR_MS, slots, 2);
  assert_true(clock_mono_ms() - began < FAR_MS / 2);
  assert_int_equal(slots[0].state, SLOT_UNSENT);
  assert_int_equal(slots[1].state, SLOT_UNSENT);
}

static void test_reports_before_the_wait_are_seen_and_not_waited_for(void **state) {
  struct ticket *ticket = ticket_new(3);
  struct slot slots[3];
  int64_t began = clock_mono_ms();
  report_one(send(ticket, 0, 7), SLOT_ACKED);
  struct slot *second = send(ticket, 2, 9);
  report_one(second, SLOT_FAILED);
  wait_and_leave(ticket, began + FAR_MS, slots, 3);
  assert_true(clock_mono_ms() - began < FAR_MS / 2);
  assert_int_equal(slots[0].state, SLOT_ACKED);
  assert_int_equal(slots[0].partition, 7);
  assert_int_equal(slots[1].state, SLOT_UNSENT);
  assert_int_equal(slots[2].state, SLOT_FAILED);
  assert_int_equal(slots[2].partition, 9);
}

static void test_an_event_that_is_taken_back_is_not_waited_for(void **state) {
  struct ticket *ticket = ticket_new(2);
  struct slot slots[2];
  int64_t began = clock_mono_ms();
  take_back(send(ticket, 0, 1));
  report_one(send(ticket, 1, 1), SLOT_FAILED);
  wait_and_leave(ticket, began + FAR_MS, slots, 2);
  assert_true(clock_mono_ms() - began < FAR_MS / 2);
  assert_int_equal(slots[0].state, SLOT_UNSENT);
  assert_int_equal(slots[1].state, SLOT_FAILED);
}

static void test_an_event_that_was_taken_back_can_be_sent_again(void **state) {
  struct ticket *ticket = ticket_new(1);
  struct slot slot;
  take_back(send(ticket, 0, 1));
  report_one(send(ticket, 0, 2), SLOT_ACKED);
  wait_and_leave(ticket, clock_mono_ms() + FAR_MS, &slot, 1);
  assert_int_equal(slot.state, SLOT_ACKED);
  assert_int_equal(slot.partition, 2);
}

static void test_the_wait_ends_at_the_deadline_and_the_late_report_frees_the_ticket(void **state) {
  struct ticket *ticket = ticket_new(2);
  struct slot slots[2], *late = send(ticket, 0, 1);
  report_one(send(ticket, 1, 2), SLOT_ACKED);
  int64_t began = clock_mono_ms();
  wait_and_leave(ticket, began + 30, slots, 2);
  assert_true(clock_mono_ms() - began >= 30);
  assert_int_equal(slots[0].state, SLOT_SENT);
  assert_int_equal(slots[1].state, SLOT_ACKED);
  report_one(late, SLOT_ACKED); // of no use to anyone, and no leak
}

static void test_a_deadline_in_the_past_still_shows_what_is_known(void **state) {
  struct ticket *ticket = ticket_new(2);
  struct slot slots[2], *late = send(ticket, 0, 1);
  report_one(send(ticket, 1, 2), SLOT_FAILED);
  wait_and_leave(ticket, clock_mono_ms() - 1000, slots, 2);
  assert_int_equal(slots[0].state, SLOT_SENT);
  assert_int_equal(slots[1].state, SLOT_FAILED);
  report_one(late, SLOT_FAILED);
}

// A report between the last one and the settling has found the ticket; the request leaves in between.
static void test_a_request_may_leave_between_the_last_report_and_the_wake(void **state) {
  struct ticket *ticket = ticket_new(1), *settled = NULL;
  struct slot slot;
  struct slot *sent = send(ticket, 0, 1);
  wait_and_leave(ticket, clock_mono_ms(), &slot, 1);
  assert_int_equal(slot.state, SLOT_SENT);
  ticket_report(sent, SLOT_ACKED, &settled);
  assert_ptr_equal(settled, ticket);
  ticket_settle_all(&settled);
  assert_null(settled);
}

static void test_a_look_before_the_end_shows_what_has_come_and_the_wait_goes_on(void **state) {
  struct ticket *ticket = ticket_new(2);
  struct slot slots[2], *late = send(ticket, 0, 1);
  report_one(send(ticket, 1, 2), SLOT_ACKED);
  int64_t began = clock_mono_ms();
  ticket_begin(ticket);
  assert_false(look(ticket, began + 20, slots, 2));
  assert_true(clock_mono_ms() - began >= 20);
  assert_int_equal(slots[0].state, SLOT_SENT);
  assert_int_equal(slots[1].state, SLOT_ACKED);
  report_one(late, SLOT_FAILED);
  assert_true(look(ticket, began + FAR_MS, slots, 2));
  assert_int_equal(slots[0].state, SLOT_FAILED);
  look_and_leave(ticket, began + FAR_MS, slots, 2);
  assert_int_equal(slots[0].state, SLOT_FAILED);
  assert_true(clock_mono_ms() - began < FAR_MS / 2);
}

static void test_a_look_at_nothing_does_not_wait(void **state) {
  struct ticket *ticket = ticket_new(1);
  struct slot slot;
  int64_t began = clock_mono_ms();
  ticket_begin(ticket);
  assert_true(look(ticket, began + FAR_MS, &slot, 1));
  assert_int_equal(slot.state, SLOT_UNSENT);
  look_and_leave(ticket, began + FAR_MS, &slot, 1);
  assert_true(clock_mono_ms() - began < FAR_MS / 2);
}

static void test_a_request_may_give_up_after_a_look(void **state) {
  struct ticket *ticket = ticket_new(1);
  struct slot slot, *late = send(ticket, 0, 1);
  ticket_begin(ticket);
  assert_false(look(ticket, 0, &slot, 1));
  look_and_leave(ticket, 0, &slot, 1);
  assert_int_equal(slot.state, SLOT_SENT);
  report_one(late, SLOT_ACKED);
}

// ---- the list ----

struct waiting {
  struct ticket *ticket;
  struct slot slot;
  pthread_t thread;
  atomic_bool done;
};

static void *wait_for_one(void *arg) {
  struct waiting *waiting = arg;
  wait_and_leave(waiting->ticket, clock_mono_ms() + FAR_MS, &waiting->slot, 1);
  atomic_store(&waiting->done, true);
  return NULL;
}

static void test_only_the_last_report_settles_and_the_latest_ticket_is_in_front(void **state) {
  struct ticket *tickets[3], *settled = NULL;
  struct slot *sent[3][2], slots[2];
  for (size_t i = 0; i < COUNT_OF(tickets); i++) {
    tickets[i] = ticket_new(2);
    for (size_t k = 0; k < 2; k++) sent[i][k] = send(tickets[i], k, (int32_t)k);
    wait_and_leave(tickets[i], 0, slots, 2); // gives up, so that the settling frees it
  }
  for (size_t i = 0; i < COUNT_OF(tickets); i++) {
    struct ticket *before = settled;
    ticket_report(sent[i][1], SLOT_ACKED, &settled);
    assert_ptr_equal(settled, before);
    ticket_report(sent[i][0], SLOT_ACKED, &settled);
    assert_ptr_equal(settled, tickets[i]);
  }
  ticket_settle_all(&settled);
  assert_null(settled);
  ticket_settle_all(&settled); // an empty list
}

static void test_requests_wake_when_the_list_is_settled_and_not_before(void **state) {
  static struct waiting waiting[8];
  struct slot *sent[COUNT_OF(waiting)];
  struct ticket *settled = NULL;
  for (size_t i = 0; i < COUNT_OF(waiting); i++) {
    waiting[i].ticket = ticket_new(1);
    sent[i] = send(waiting[i].ticket, 0, 0);
    pthread_create(&waiting[i].thread, NULL, wait_for_one, &waiting[i]);
  }
  clock_sleep_ms(20); // most of them wait by now
  for (size_t i = 0; i < COUNT_OF(waiting); i++)
    ticket_report(sent[i], i % 2 ? SLOT_ACKED : SLOT_FAILED, &settled);
  for (size_t i = 0; i < COUNT_OF(waiting); i++) assert_false(waiting[i].done);
  int64_t began = clock_mono_ms();
  ticket_settle_all(&settled);
  for (size_t i = 0; i < COUNT_OF(waiting); i++) {
    pthread_join(waiting[i].thread, NULL);
    assert_true(waiting[i].done);
    assert_int_equal(waiting[i].slot.state, i % 2 ? SLOT_ACKED : SLOT_FAILED);
  }
  assert_true(clock_mono_ms() - began < FAR_MS / 2);
}

// ---- many requests, one poller ----

enum { REQUESTS = 8, ROUNDS = 400, EVENTS = 3, QUEUE_MAX = REQUESTS * EVENTS * ROUNDS };

static struct {
  pthread_mutex_t lock;
  struct slot *sent[QUEUE_MAX]; // as librdkafka's queue
  size_t n;
  atomic_bool ended;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *poll_queue(void *arg) {
  struct ticket *settled = NULL;
  for (size_t done = 0;;) {
    bool ended = atomic_load(&queue.ended);
    pthread_mutex_lock(&queue.lock);
    size_t n = queue.n;
    pthread_mutex_unlock(&queue.lock);
    if (done == n && ended) return NULL;
    for (; done < n; done++) ticket_report(queue.sent[done], SLOT_ACKED, &settled);
    ticket_settle_all(&settled);
  }
}

static void enqueue(struct slot *slot) {
  pthread_mutex_lock(&queue.lock);
  queue.sent[queue.n++] = slot;
  pthread_mutex_unlock(&queue.lock);
}

// One round in four gives up at once, and one event in three is taken back.
static void *send_rounds(void *arg) {
  intptr_t seen = 0;
  for (int round = 0; round < ROUNDS; round++) {
    struct ticket *ticket = ticket_new(EVENTS);
    struct slot slots[EVENTS];
    bool patient = round % 4 != 0;
    for (size_t i = 0; i < EVENTS; i++) {
      struct slot *slot = send(ticket, i, 0);
      if (i == 1)
        take_back(slot);
      else
        enqueue(slot);
    }
    ticket_begin(ticket);
    if (round % 2) look(ticket, 0, slots, EVENTS);
    look_and_leave(ticket, patient ? clock_mono_ms() + FAR_MS : 0, slots, EVENTS);
    if (patient) seen += (slots[0].state == SLOT_ACKED) + (slots[2].state == SLOT_ACKED);
    if (slots[1].state != SLOT_UNSENT) return (void *)-1;
  }
  return (void *)seen;
}

static void test_many_requests_and_one_poller(void **state) {
  pthread_t poller, requests[REQUESTS];
  pthread_create(&poller, NULL, poll_queue, NULL);
  for (size_t i = 0; i < REQUESTS; i++) pthread_create(&requests[i], NULL, send_rounds, NULL);
  for (size_t i = 0; i < REQUESTS; i++) {
    void *seen;
    pthread_join(requests[i], &seen);
    assert_int_equal((intptr_t)seen, ROUNDS / 4 * 3 * 2);
  }
  atomic_store(&queue.ended, true);
  pthread_join(poller, NULL);
  assert_int_equal(queue.n, REQUESTS * ROUNDS * 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_without_an_event_nothing_is_waited_for),
      cmocka_unit_test(test_reports_before_the_wait_are_seen_and_not_waited_for),
      cmocka_unit_test(test_an_event_that_is_taken_back_is_not_waited_for),
      cmocka_unit_test(test_an_event_that_was_taken_back_can_be_sent_again),
      cmocka_unit_test(test_the_wait_ends_at_the_deadline_and_the_late_report_frees_the_ticket),
      cmocka_unit_test(test_a_deadline_in_the_past_still_shows_what_is_known),
      cmocka_unit_test(test_a_request_may_leave_between_the_last_report_and_the_wake),
      cmocka_unit_test(test_a_look_before_the_end_shows_what_has_come_and_the_wait_goes_on),
      cmocka_unit_test(test_a_look_at_nothing_does_not_wait),
      cmocka_unit_test(test_a_request_may_give_up_after_a_look),
      cmocka_unit_test(test_only_the_last_report_settles_and_the_latest_ticket_is_in_front),
      cmocka_unit_test(test_requests_wake_when_the_list_is_settled_and_not_before),
      cmocka_unit_test(test_many_requests_and_one_poller),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
