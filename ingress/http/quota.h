// SPDX-License-Identifier: MIT
// What one kind of sender may hold at once: handler threads and bytes of bodies. Half of the threads are an
// endpoint's own; it gets more only while an eighth of all stay free for the others, or while no other
// endpoint is called. So a flood on one endpoint leaves room for the others, and a burst on the only one is
// not refused. Unauthenticated senders have an eighth of the threads together, and never more. Thread: any.
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct quota { // of the whole listener
  int64_t threads_max, bytes_max;
  _Atomic int64_t threads, bytes;
  struct quota_lane *_Atomic last; // that took a thread
  _Atomic int64_t shared_ms;       // monotonic: when another lane took one than the last; 0: never
};

struct quota_lane { // of one endpoint, of registrations, or of unauthenticated senders
  struct quota *quota;
  int64_t threads_max; // its own
  bool firm;           // it never gets more
  _Atomic int64_t threads, bytes;
};

// Takes a thread. False: the lane has all it may have. `now_ms` is monotonic. Pair of quota_leave().
bool quota_enter(struct quota_lane *lane, int64_t now_ms);
void quota_leave(struct quota_lane *lane);

// Takes bytes; `own` is what the request holds already. False: it would be too much, and nothing is taken. A
// request that is alone in its lane always gets them, so that nothing that is allowed is refused for ever;
// a sixteenth of all bytes is each lane's own, whatever the others hold.
bool quota_hold(struct quota_lane *lane, int64_t bytes, int64_t own);
void quota_release(struct quota_lane *lane, int64_t bytes);
