// SPDX-License-Identifier: MIT
// The public listener: routes by path and method, each lane's share of threads and bytes, the metrics of the
// answers, and the end of the listener. Does not read or write HTTP (http/edge.h). Thread: requests run on
// civetweb's handler threads, one a connection; start, drain and free on the main thread.
#pragma once
#include "common/base/err.h"
#include "common/config/settings.h"
#include "common/ops/metrics.h"
#include "ingress/durable/publisher.h"
#include "ingress/minutes.h"
#include "ingress/routes/register.h"
#include "ingress/sender/endpoints.h"

// The parts of the program; main builds them and hands them down. None changes while it serves.
struct ingress {
  struct settings settings;
  char *instance; // never empty: DOCHAK_INSTANCE, or a UUID
  struct metrics *metrics;
  struct providers *providers;
  struct endpoints *endpoints;
  struct registrar *registrar;
  struct publisher *publisher;
  struct minutes *minutes;
  struct server *server;
  struct admin *admin;
};

// What a body may have, where the endpoint says nothing, and an element of it.
#define SERVER_BODY_LIMIT "DOCHAK_BODY_MAX_BYTES"

// The lanes of the quota. Each endpoint has its own. A sender that is refused by its head is counted in
// LANE_UNAUTHENTICATED, so that it does not use up the endpoint's share.
enum server_lane { LANE_REGISTRATIONS, LANE_UNAUTHENTICATED, LANE_FIRST_ENDPOINT };

struct server;

// `ingress` is borrowed.
MUST_CHECK struct server *server_start(struct ingress *ingress, struct err *err);
int server_port(const struct server *server);
// NULL, or why readiness is red: an admin_ready_fn. Thread: any.
const char *server_unready(void *server);
// Turns readiness red and answers "Connection: close" from now on. Accepts connections for a second more,
// since a load balancer learns late of red readiness. Waits up to max_ms for requests in flight. NULL is let
// through.
void server_drain(struct server *server, int64_t max_ms);
void server_free(struct server *server); // after server_drain()
