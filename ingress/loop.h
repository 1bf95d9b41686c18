// SPDX-License-Identifier: MIT
// One thread's event loop: descriptors that are ready, timers that are due, and mail from other threads.
// Everything is called on the loop's own thread, in turns; nothing that is called may wait. Not for: what the
// descriptors carry.
#pragma once
#include "common/base/err.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

MUST_CHECK struct loop *loop_new(struct err *err);
// Mail that nobody has fetched is dropped. Descriptors stay the caller's.
void loop_free(struct loop *loop);

// One turn: waits until something is ready or due, and calls it. For tests, and for loop_run().
void loop_turn(struct loop *loop);
void loop_run(struct loop *loop);  // turns until loop_stop()
void loop_stop(struct loop *loop); // Thread: any.

// The monotonic clock, as it was when the turn's work began.
int64_t loop_now_ms(const struct loop *loop);

// ---- descriptors: edge-triggered (epoll(7)), so whoever is called reads or writes until nothing is left
// ----

struct loop_watch {
  void (*ready)(struct loop_watch *watch,
                uint32_t events); // EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLERR, EPOLLHUP
};
// `watch` is borrowed until the descriptor is closed. Called within a turn, a closed descriptor's watch may
// still be called once in that turn: free it with loop_later().
MUST_CHECK bool loop_watch(struct loop *loop, int fd, struct loop_watch *watch, struct err *err);

// ---- timers ----

struct loop_timer {
  void (*due)(struct loop_timer *timer);
  int64_t at_ms;
  size_t place; // in the heap, from 1; 0: not set
};
void loop_set_timer(struct loop *loop, struct loop_timer *timer, int64_t at_ms); // sets it anew if it was set
void loop_clear_timer(struct loop *loop, struct loop_timer *timer);

// ---- mail: how another thread has something done here ----

struct mail {
  struct mail *next;
  void (*deliver)(struct mail *mail); // on the loop's thread, once
};
// In the order of posting. The mail is the loop's until it is delivered. Wakes the loop only when its box was
// empty, so a whole batch costs one wake. Thread: any.
void loop_post(struct loop *loop, struct mail *mail);
// Delivered behind everything else in this turn.
void loop_later(struct loop *loop, struct mail *mail);

// ---- work: what is done between looking at descriptors ----

// Called each turn; true: there is more, so the next turn does not wait.
typedef bool loop_work_fn(void *arg);
void loop_set_work(struct loop *loop, loop_work_fn *work, void *arg);
