// SPDX-License-Identifier: MIT
// The public listener: one socket, some loops, each a thread with its share of the connections. Not for: what
// is asked and answered.
#pragma once
#include "common/base/err.h"
#include "ingress/http/request.h"
#include "ingress/sender/network.h"

struct listener_options {
  const char *address; // "127.0.0.1:8080"; port 0 takes a free one
  size_t loops;
  size_t connections_max, connections_per_address;
  const struct networks *unlimited; // addresses that have no limit of their own: proxies we trust
  size_t lanes;
  _Atomic int64_t *open, *in_flight; // counts: connections; requests from their head to their answer
  _Atomic int64_t *made_room;        // connections that were closed to make room for others

  void *arg; // of all of these. Thread: the loop's
  // A head is there: sets what request.h says, or says the answer and returns false; then no body is read.
  bool (*admit)(void *arg, struct request *req, struct reply *refusal);
  // The body is there, too. Ends in request_answer(), at once or later.
  void (*handle)(void *arg, struct request *req);
  // An answer goes out; req is NULL where there was none that could be read.
  void (*note)(void *arg, const struct request *req, const struct reply *reply);
};

struct listener;

MUST_CHECK struct listener *listener_start(const struct listener_options *options, struct err *err);
int listener_port(const struct listener *listener); // the port really bound

// How it ends, in this order. From now on every answer closes its connection.
void listener_close_after_answers(struct listener *listener);
void listener_refuse(struct listener *listener);     // nobody new is let in
void listener_close_idle(struct listener *listener); // who has no request in progress is sent away
void listener_stop(struct listener *listener);       // the loops end; who is still there gets no answer
void listener_free(struct listener *listener);       // after listener_stop()
