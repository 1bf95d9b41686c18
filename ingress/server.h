// SPDX-License-Identifier: MIT
// What the public listener is for: which path and method is whose, what every request is allowed in bytes and
// time, what every answer counts, and the way it all ends.
#pragma once
#include "common/base/err.h"
#include "common/config/settings.h"
#include "common/ops/metrics.h"
#include "common/provider/provider.h"
#include "ingress/durable/publisher.h"
#include "ingress/http/request.h"
#include "ingress/routes/register.h"
#include "ingress/sender/endpoints.h"

// What ingress is made of; main builds it and hands it down. Nothing in it changes while it serves.
struct ingress {
  struct settings settings;
  struct metrics *metrics;
  struct providers *providers;
  struct endpoints *endpoints;
  struct registrar *registrar;
  struct publisher *publisher;
  struct server *server;
  struct admin *admin;
};

struct server;

// `ingress` is borrowed.
MUST_CHECK struct server *server_start(struct ingress *ingress, struct err *err);
int server_port(const struct server *server);
// NULL, or why there should be no new requests: an admin_ready_fn. Thread: any.
const char *server_unready(void *server);
// Readiness is red at once, and everyone is told "Connection: close". For a second who still comes is served,
// then nobody new is let in, and what is there is finished, for at most max_ms. NULL is let through.
void server_drain(struct server *server, int64_t max_ms);
void server_free(struct server *server); // after server_drain() and publisher_close()
