// SPDX-License-Identifier: MIT
// The public listener: which path and method is whose, which share of the threads and bytes a sender has,
// what every answer counts, and how the listener ends.
#pragma once
#include "common/base/err.h"
#include "common/config/settings.h"
#include "common/ops/metrics.h"
#include "common/provider/framing.h"
#include "common/provider/provider.h"
#include "ingress/durable/publisher.h"
#include "ingress/routes/register.h"
#include "ingress/sender/endpoints.h"

// What ingress is made of; main builds it and hands it down. Nothing in it changes while it serves.
struct ingress {
  struct settings settings;
  struct metrics *metrics;
  metric_value *elements[FRAMING_QUARANTINED + 1]; // of COUNTER_ELEMENTS, by framing_kind
  struct providers *providers;
  struct endpoints *endpoints;
  struct registrar *registrar;
  struct publisher *publisher;
  struct server *server;
  struct admin *admin;
};

// The lanes of the quota. A sender that is refused by its head alone is in LANE_UNAUTHENTICATED, so that it
// uses up nobody else's share; each endpoint has a lane of its own.
enum server_lane { LANE_REGISTRATIONS, LANE_UNAUTHENTICATED, LANE_FIRST_ENDPOINT };

struct server;

// `ingress` is borrowed.
MUST_CHECK struct server *server_start(struct ingress *ingress, struct err *err);
int server_port(const struct server *server);
// NULL, or why there should be no new requests: an admin_ready_fn. Thread: any.
const char *server_unready(void *server);
// Turns readiness red at once and answers "Connection: close" from now on. New connections are taken for a
// second more, since a load balancer learns late of red readiness; then none. Requests in flight are
// finished, for at most max_ms. NULL is let through.
void server_drain(struct server *server, int64_t max_ms);
void server_free(struct server *server); // after server_drain()
