// SPDX-License-Identifier: MIT
// What one kind of sender may hold at once: handler threads and bytes of bodies. An endpoint gets at most
// half of each, so that a flood on one endpoint leaves room for the others; unauthenticated senders together
// get an eighth of the threads. Thread: any.
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct quota { // of the whole listener
  int64_t bytes_max;
  _Atomic int64_t bytes;
};

struct quota_lane { // of one endpoint, of registrations, or of unauthenticated senders
  struct quota *quota;
  int64_t threads_max;
  _Atomic int64_t threads, bytes;
};

// Takes a thread. False: the lane has all it may have. Pair of quota_leave().
bool quota_enter(struct quota_lane *lane);
void quota_leave(struct quota_lane *lane);

// Takes bytes; `own` is what the request holds already. False: it would be too much, and nothing is taken. A
// request that is alone in its lane always gets them, so that nothing that is allowed is refused for ever;
// a sixteenth of all bytes is each lane's own, whatever the others hold.
bool quota_hold(struct quota_lane *lane, int64_t bytes, int64_t own);
void quota_release(struct quota_lane *lane, int64_t bytes);
