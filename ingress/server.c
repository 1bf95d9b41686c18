// SPDX-License-Identifier: MIT
#include "ingress/server.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "ingress/counters.h"
#include "ingress/http/listener.h"
#include "ingress/routes/webhook.h"
#include "ingress/share.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  DRAIN_LAG_MS = 1000, // whoever routes to us learns a little late that we are not ready
  DRAIN_IDLE_MS = 500, // who has just been let in may be about to ask
  DRAIN_QUIET_MS = 50,
  DRAIN_LOOK_MS = 5,
};

struct server {
  struct ingress *ingress;
  struct listener *listener;
  metric_value *in_flight, *connections;
  atomic_bool draining;
  struct share_pool bodies;
  struct share *shares; // one a lane
};

static const struct route {
  const char *path, *method, *allow;
  bool (*admit)(struct ingress *ingress, struct request *req, struct reply *refusal);
  void (*handle)(struct ingress *ingress, struct request *req);
  bool prefix; // the rest of the path is the handler's
} routes[] = {
    {"/webhook/", "POST", "Allow: POST\r\n", webhook_admit, webhook_handle, true},
    {"/v1/notifications", "POST", "Allow: POST\r\n", register_admit, register_handle, false},
};

static const struct route *find_route(const char *path, const char **rest) {
  for (size_t i = 0; i < COUNT_OF(routes); i++) {
    size_t len = strlen(routes[i].path);
    if (strncmp(path, routes[i].path, len) != 0 || (!routes[i].prefix && path[len])) continue;
    *rest = path + len;
    return &routes[i];
  }
  return NULL;
}

static struct reply reply_not_allowed(const struct route *route) {
  AUTO_FREE char *message = mem_printf("this path takes %s", route->method);
  struct reply reply = reply_error(405, "method_not_allowed", message);
  reply.headers = route->allow;
  return reply;
}

// ---- requests ----

static bool admit(void *arg, struct request *req, struct reply *refusal) {
  struct server *server = arg;
  const struct route *route = req->route = find_route(req->head.path, &req->rest);
  if (!route) {
    *refusal = reply_error(404, "not_found", "nothing is here");
    return false;
  }
  if (strcmp(req->head.method, route->method) != 0) {
    *refusal = reply_not_allowed(route);
    return false;
  }
  req->body_max_bytes = (size_t)server->ingress->settings.body_max_bytes;
  if (!route->admit(server->ingress, req, refusal)) return false;
  req->share = &server->shares[req->lane];
  return true;
}

static void handle(void *arg, struct request *req) {
  struct server *server = arg;
  req->route->handle(server->ingress, req);
}

// A provider that takes a 4xx for final never sends it again: somebody has to know.
static void log_too_large(const struct server *server, const struct endpoint *endpoint) {
  AUTO_FREE char *key = mem_printf("413 %s", endpoint->name);
  log_warn_rarely(
      key, "webhook body over DOCHAK_BODY_MAX_BYTES: answered 413, and the sender may not try again",
      LOG_STR("endpoint", endpoint->name), LOG_INT("limit_bytes", server->ingress->settings.body_max_bytes));
}

static const char *endpoint_of(const struct request *req) {
  if (req && req->endpoint) return req->endpoint->name;
  return req && req->route && !req->route->prefix ? "v1/notifications" : "none";
}

static void note(void *arg, const struct request *req, const struct reply *reply) {
  struct server *server = arg;
  struct metrics *metrics = server->ingress->metrics;
  const char *endpoint = endpoint_of(req);
  char status[12];
  snprintf(status, sizeof status, "%d", reply->status);
  const char *const labels[] = {endpoint, status, reply->way ? reply->way : "none"};
  atomic_fetch_add_explicit(metrics_at_each(metrics, COUNTER_ANSWERS, labels), 1, memory_order_relaxed);
  if (reply->way)
    metrics_observe(metrics_histogram_at(metrics, COUNTER_ACK_SECONDS, endpoint),
                    (clock_mono_ms() - req->began_ms) * 1000);
  if (reply->status == 413 && req->endpoint) log_too_large(server, req->endpoint);
}

// ---- start, stop ----

static void init_shares(struct server *server, size_t lanes) {
  server->bodies.max_bytes = server->ingress->settings.bodies_max_bytes;
  server->shares = mem_array(lanes, sizeof *server->shares);
  for (size_t i = 0; i < lanes; i++) server->shares[i].pool = &server->bodies;
}

struct server *server_start(struct ingress *ingress, struct err *err) {
  const struct settings *settings = &ingress->settings;
  struct server *server = mem_alloc(sizeof *server);
  server->ingress = ingress;
  server->in_flight = metrics_at(ingress->metrics, COUNTER_IN_FLIGHT, NULL);
  server->connections = metrics_at(ingress->metrics, COUNTER_CONNECTIONS, NULL);
  size_t lanes = LANE_FIRST_ENDPOINT + endpoints_count(ingress->endpoints);
  init_shares(server, lanes);
  const struct listener_options options = {
      .address = settings->ingress_listen,
      .loops = (size_t)settings->ingress_threads,
      .connections_max = (size_t)settings->connections_max,
      .connections_per_address = (size_t)settings->connections_per_address,
      .unlimited = endpoints_trusted_proxies(ingress->endpoints),
      .lanes = lanes,
      .open = server->connections,
      .in_flight = server->in_flight,
      .made_room = metrics_at(ingress->metrics, COUNTER_MADE_ROOM, NULL),
      .arg = server,
      .admit = admit,
      .handle = handle,
      .note = note,
  };
  server->listener = listener_start(&options, err);
  if (server->listener) return server;
  server_free(server);
  return NULL;
}

int server_port(const struct server *server) {
  return listener_port(server->listener);
}

const char *server_unready(void *arg) {
  const struct server *server = arg;
  if (atomic_load(&server->draining)) return "stopping";
  return publisher_unready(server->ingress->publisher);
}

// Whoever was told to close has closed.
static bool wait_quiet(const struct server *server, int64_t max_ms) {
  int64_t now = clock_mono_ms(), deadline = now + max_ms, quiet_since = now;
  for (; now < deadline; now = clock_mono_ms()) {
    if (atomic_load(server->connections)) quiet_since = now;
    if (now - quiet_since >= DRAIN_QUIET_MS) return true;
    clock_sleep_ms(DRAIN_LOOK_MS);
  }
  return false;
}

void server_drain(struct server *server, int64_t max_ms) {
  if (!server) return;
  atomic_store(&server->draining, true);
  metrics_set(server->ingress->metrics, COUNTER_READY, NULL, 0);
  listener_close_after_answers(server->listener);
  clock_sleep_ms(DRAIN_LAG_MS);
  listener_refuse(server->listener);
  if (!wait_quiet(server, DRAIN_IDLE_MS)) listener_close_idle(server->listener);
  if (!wait_quiet(server, max_ms))
    log_warn("requests were still in flight when the time to stop was up",
             LOG_INT("requests", atomic_load(server->in_flight)),
             LOG_INT("connections", atomic_load(server->connections)));
  listener_stop(server->listener);
}

void server_free(struct server *server) {
  if (!server) return;
  listener_free(server->listener);
  free(server->shares);
  free(server);
}
