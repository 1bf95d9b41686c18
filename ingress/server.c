// SPDX-License-Identifier: MIT
#include "ingress/server.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "ingress/counters.h"
#include "ingress/webhook.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  DRAIN_LAG_MS = 1000, // whoever routes to us learns a little late that we are not ready
  DRAIN_QUIET_MS = 50,
  DRAIN_LOOK_MS = 5,
};

struct server {
  struct ingress *ingress;
  struct mg_context *ctx;
  metric_value *in_flight;
  atomic_bool draining;
};

typedef struct reply handler_fn(struct ingress *ingress, struct request *req);

static const struct route {
  const char *path, *method, *allow;
  handler_fn *handle;
  bool prefix; // the rest of the path is the handler's
} routes[] = {
    {"/webhook/", "POST", "Allow: POST\r\n", webhook_handle, true},
    {"/v1/notifications", "POST", "Allow: POST\r\n", register_handle, false},
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

static struct reply dispatch(struct ingress *ingress, struct request *req) {
  const struct route *route = find_route(req->info->local_uri_raw, &req->rest);
  if (!route) return reply_error(404, "not_found", "nothing is here");
  if (strcmp(req->info->request_method, route->method) == 0) return route->handle(ingress, req);
  return reply_not_allowed(route);
}

static void count_answer(struct ingress *ingress, int status) {
  char label[12];
  snprintf(label, sizeof label, "%d", status);
  metrics_add(ingress->metrics, COUNTER_ANSWERS, label, 1);
}

static int serve(struct mg_connection *conn, void *arg) {
  struct server *server = arg;
  struct request req;
  struct reply reply;
  atomic_fetch_add(server->in_flight, 1);
  if (request_init(&req, conn, &reply)) reply = dispatch(server->ingress, &req);
  if (req.body_pending || atomic_load(&server->draining)) reply.close = true;
  int status = reply.status;
  reply_send(&req, &reply);
  count_answer(server->ingress, status);
  if (req.body_pending) request_linger(&req);
  atomic_fetch_sub(server->in_flight, 1);
  return status;
}

struct server *server_start(struct ingress *ingress, struct err *err) {
  struct server *server = mem_alloc(sizeof *server);
  *server =
      (struct server){.ingress = ingress, .in_flight = metrics_at(ingress->metrics, COUNTER_IN_FLIGHT, NULL)};
  const struct listen_options options = {.address = ingress->settings.ingress_listen,
                                         .threads = ingress->settings.ingress_threads};
  server->ctx = listen_start(&options, serve, server, err);
  if (server->ctx) return server;
  free(server);
  return NULL;
}

int server_port(const struct server *server) {
  return listen_port(server->ctx);
}

const char *server_unready(void *arg) {
  const struct server *server = arg;
  if (atomic_load(&server->draining)) return "stopping";
  return publisher_unready(server->ingress->publisher);
}

// Whoever was told to close has closed, and whoever was idle has been.
static bool wait_quiet(const struct server *server, int64_t max_ms) {
  int64_t now = clock_mono_ms(), deadline = now + max_ms, quiet_since = now;
  for (; now < deadline; now = clock_mono_ms()) {
    if (listen_connections(server->ctx)) quiet_since = now;
    if (now - quiet_since >= DRAIN_QUIET_MS) return true;
    clock_sleep_ms(DRAIN_LOOK_MS);
  }
  return false;
}

void server_drain(struct server *server, int64_t max_ms) {
  if (!server) return;
  atomic_store(&server->draining, true);
  metrics_set(server->ingress->metrics, COUNTER_READY, NULL, 0);
  wait_quiet(server, DRAIN_LAG_MS);
  listen_refuse(server->ctx);
  if (!wait_quiet(server, max_ms))
    log_warn("requests were still in flight when the time to stop was up",
             LOG_INT("connections", listen_connections(server->ctx)));
  listen_stop(server->ctx);
}

void server_free(struct server *server) {
  free(server);
}
