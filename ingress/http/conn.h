// SPDX-License-Identifier: MIT
// One connection of the public listener: reads a request at a time, hands it over, writes the answer, and
// ends what is too slow. No thread waits for a peer, so a slow one costs its memory and nothing else. Not
// for: what is asked and answered. Thread: its loop's.
#pragma once
#include "ingress/http/crowd.h"
#include "ingress/http/lanes.h"
#include "ingress/http/request.h"
#include "ingress/loop.h"

enum {
  CONN_FIRST_MS = 10000,      // a new connection's first byte
  CONN_HEAD_MS = 5000,        // from a head's first byte to its last
  CONN_KEEP_ALIVE_MS = 75000, // longer than common proxies hold an idle connection to us, so that they end it
  CONN_WRITE_MS = 10000,      // for a peer to take its answer
  CONN_LINGER_MS = 1000,      // for what a peer still sends after an answer that closes
};

// What a connection belongs to: those of one loop.
struct conns {
  struct loop *loop;
  struct crowd crowd;
  struct lanes lanes;         // requests that are whole, waiting to be handled
  atomic_bool *draining;      // answers close
  _Atomic int64_t *open;      // how many there are, of all loops
  _Atomic int64_t *made_room; // counts who was closed for another
  _Atomic int64_t *in_flight; // requests from their head to their answer
  void *arg;
  // The head is there: sets what request.h says, or answers at once and returns false; then the body is not
  // read.
  bool (*admit)(void *arg, struct request *req, struct reply *refusal);
  // An answer goes out; req is NULL where there was no request that could be read.
  void (*note)(void *arg, const struct request *req, const struct reply *reply);
};

// Takes the descriptor over. `unlimited`: no limit for its address.
void conn_start(struct conns *conns, int fd, struct in_addr address, bool unlimited);
// Closes all connections that have no request in progress.
void conns_close_idle(struct conns *conns);
