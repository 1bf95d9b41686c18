// SPDX-License-Identifier: MIT
// What one kind of sender may hold at once: handler threads and bytes of bodies. An endpoint has at most half
// of the threads for bodies that come slowly, and at most half of all threads while connections wait for one;
// a burst of quick requests is not refused. Unauthenticated senders have an eighth of the threads together
// for what follows the checks of the head. Thread: any.
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
  int64_t alone_max; // bytes; 0: no limit. It bounds what many lanes with one request each can hold
  _Atomic int64_t threads, slow, bytes;
};

// Takes a thread. False: the lane has threads_max already. Not `strict`: however many it has. Pair of
// quota_leave().
bool quota_enter(struct quota_lane *lane, bool strict);
void quota_leave(struct quota_lane *lane);

// The body of a request that has entered comes slowly, or in chunks. False: too many others of the lane do
// so. Pair of quota_end_slow().
bool quota_begin_slow(struct quota_lane *lane);
void quota_end_slow(struct quota_lane *lane);

// Takes bytes; `own` is what the request holds already. False: it would be too much, and nothing is taken. A
// request that is alone in its lane gets them, so that nothing that is allowed is refused for ever: up to
// alone_max whatever the others hold, more only if all bytes leave room. A sixteenth of all bytes is each
// lane's own, whatever the others hold.
bool quota_hold(struct quota_lane *lane, int64_t bytes, int64_t own);
void quota_release(struct quota_lane *lane, int64_t bytes);
