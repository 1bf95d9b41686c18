// SPDX-License-Identifier: MIT
#include "ingress/server.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/ops/listen.h"
#include "common/provider/provider_answer.h"
#include "ingress/counters.h"
#include "ingress/http/edge.h"
#include "ingress/routes/ping.h"
#include "ingress/routes/webhook.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  TIMEOUT_MS = 1500,                // of a head, and of an idle connection: each of them holds a thread
  LANE_THREADS_PART = 2,            // of all threads, what one endpoint may hold for long
  UNAUTHENTICATED_THREADS_PART = 8, // the most that all unauthenticated senders have
  // While every thread has a connection, one of so many answers looks whether others wait …
  LOOK_ANSWERS = 4,
  TURN_ANSWERS = 512, // … and one of so many closes its own connection
  // What a call needs that is alone on its endpoint, with any body of DOCHAK_BODY_MAX_BYTES. A larger one
  // (max_body_bytes) has to wait until there is room.
  ENDPOINT_ALONE_BYTES = 6 * 1024 * 1024,
  BURST_MS = 1000, // a burst on one endpoint is over in less, and the others have to wait for no longer
  DRAIN_LAG_MS = 1000,
  DRAIN_QUIET_MS = 50,
  DRAIN_LOOK_MS = 5,
};

// The metrics of a lane's acks are found at start, so that no ack looks them up by name.
struct lane {
  struct quota_lane quota;
  int ack_status;                      // of the usual ack; another status is looked up
  metric_value *acks[REPLY_SPOOL + 1]; // by reply_way
  struct metric_histogram *ack_seconds;
};

struct server {
  struct ingress *ingress;
  struct mg_context *ctx;
  metric_value *in_flight, *connections;
  _Atomic unsigned turn;
  _Atomic int64_t crowded_ms; // monotonic: since when connections wait for a thread; 0: none does
  atomic_bool draining;
  struct quota quota;
  struct lane *lanes;
};

static const struct route {
  const char *path, *method, *allow;
  bool (*admit)(struct ingress *ingress, struct request *req); // false: it has the reply
  void (*handle)(struct ingress *ingress, struct request *req);
  bool prefix; // the route reads the rest of the path
} routes[] = {
    {"/webhook/", NULL, NULL, webhook_admit, webhook_handle, true}, // the provider's methods
    {REGISTER_PATH, "POST", "Allow: POST\r\n", register_admit, register_handle, false},
    {PING_PATH, "GET", "Allow: GET\r\n", ping_admit, NULL, false},
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

// ---- a request, from its head to its answer ----

static bool admit(struct server *server, struct request *req) {
  const struct route *route = req->route = find_route(req->info->local_uri_raw, &req->rest);
  req->lane = LANE_UNAUTHENTICATED;
  req->body_max_bytes = (size_t)server->ingress->settings.body_max_bytes;
  req->body_limit = SERVER_BODY_LIMIT;
  if (!route) return reply_error(req, 404, "not_found", "no such path");
  if (route->method && strcmp(req->info->request_method, route->method) != 0)
    return reply_not_allowed(req, route->method, route->allow);
  return route->admit(server->ingress, req);
}

// Connections wait for a thread for longer than a burst takes.
static bool is_crowded(const struct server *server) {
  int64_t since_ms = atomic_load_explicit(&server->crowded_ms, memory_order_relaxed);
  return since_ms && clock_mono_ms() - since_ms >= BURST_MS;
}

static bool enter(struct server *server, struct request *req) {
  struct quota_lane *lane = &server->lanes[req->lane].quota;
  if (!quota_enter(lane, req->lane == LANE_UNAUTHENTICATED || is_crowded(server))) return false;
  req->quota = lane;
  return true;
}

// A refused request needs a thread, too: the rest of its body is read for a while. A refused sender gets the
// same answer whatever the body's length.
static void respond(struct server *server, struct request *req) {
  bool admitted = admit(server, req);
  if (!enter(server, req))
    reply_overload(req);
  else if (admitted && (edge_read_body(req) || (req->reply.status == 413 && req->refused)))
    req->route->handle(server->ingress, req);
}

// ---- metrics ----

// Some providers take a 4xx for final and never send the event again, so an operator has to know.
static void log_too_large(const struct request *req) {
  AUTO_FREE char *key = mem_printf("413 %s", req->endpoint->name);
  log_warn_rarely(key, "webhook body over a limit: answered 413, and the sender may not try again",
                  LOG_STR("endpoint", req->endpoint->name), LOG_STR("limit", req->body_limit),
                  LOG_INT("limit_bytes", (int64_t)req->body_max_bytes));
}

static metric_value *answers_at(const struct server *server, const char *endpoint, int status,
                                enum reply_way way) {
  static const char *const ways[] = {"none", "kafka", "spool"};
  char text[12];
  snprintf(text, sizeof text, "%d", status);
  const char *const labels[] = {endpoint, text, ways[way]};
  return metrics_at_each(server->ingress->metrics, COUNTER_ANSWERS, labels);
}

static metric_value *find_answers(const struct server *server, const struct request *req) {
  const struct lane *lane = &server->lanes[req->lane];
  const struct reply *reply = &req->reply;
  if (reply->way && reply->status == lane->ack_status) return lane->acks[reply->way];
  bool is_ours = req->route && !req->route->prefix;
  const char *endpoint = req->endpoint ? req->endpoint->name : is_ours ? req->route->path + 1 : "none";
  return answers_at(server, endpoint, reply->status, reply->way);
}

static void count(const struct server *server, const struct request *req) {
  metric_add(find_answers(server, req), 1);
  if (req->reply.way)
    metrics_observe(server->lanes[req->lane].ack_seconds, (clock_mono_ms() - req->began_ms) * 1000);
  if (!req->endpoint || req->is_handshake) return;
  minutes_count(server->ingress->minutes, req->endpoint, req->refused, req->reply.status);
  if (req->reply.status == 413) log_too_large(req);
}

// ---- civetweb calls ----

// Whether connections wait for a thread, and since when.
static void look_for_waiting(struct server *server, const struct mg_connection *conn) {
  int64_t none = 0;
  if (listen_is_crowded(mg_get_context(conn)))
    atomic_compare_exchange_strong(&server->crowded_ms, &none, clock_mono_ms());
  else
    atomic_store(&server->crowded_ms, 0);
}

// More connections than threads: some wait for a thread. While they do, each answer closes its connection and
// so frees its thread. The two connections in civetweb's own queue cannot be seen; every TURN_ANSWERS-th
// answer closes for them. A free thread does not end it: it may be that of a connection closed just now.
static bool gives_way(struct server *server, const struct mg_connection *conn) {
  int64_t connections = atomic_load_explicit(server->connections, memory_order_relaxed);
  bool full = connections >= server->ingress->settings.ingress_threads;
  if (!full && !atomic_load_explicit(&server->crowded_ms, memory_order_relaxed)) return false;
  unsigned turn = atomic_fetch_add_explicit(&server->turn, 1, memory_order_relaxed);
  if (!full || turn % LOOK_ANSWERS == 0) look_for_waiting(server, conn);
  return turn % TURN_ANSWERS == TURN_ANSWERS - 1 || atomic_load(&server->crowded_ms);
}

static int serve(struct mg_connection *conn, void *arg) {
  struct server *server = arg;
  struct request req;
  atomic_fetch_add(server->in_flight, 1);
  if (edge_open(&req, conn)) respond(server, &req);
  if (atomic_load(&server->draining) || gives_way(server, conn)) req.reply.close = true;
  count(server, &req); // first, so that a client that has the answer finds it counted
  edge_close(&req);
  atomic_fetch_sub(server->in_flight, 1);
  return req.reply.status;
}

// ---- start, stop ----

static struct lane *init_lane(struct server *server, size_t i, int64_t threads_part) {
  server->lanes[i].quota = (struct quota_lane){
      .quota = &server->quota, .threads_max = server->ingress->settings.ingress_threads / threads_part};
  return &server->lanes[i];
}

static void init_acking_lane(struct server *server, size_t i, const char *endpoint, int status) {
  struct lane *lane = init_lane(server, i, LANE_THREADS_PART);
  if (i >= LANE_FIRST_ENDPOINT) lane->quota.alone_max = ENDPOINT_ALONE_BYTES;
  lane->ack_status = status;
  for (enum reply_way way = REPLY_KAFKA; way <= REPLY_SPOOL; way++)
    lane->acks[way] = answers_at(server, endpoint, status, way);
  lane->ack_seconds = metrics_histogram_at(server->ingress->metrics, COUNTER_ACK_SECONDS, endpoint);
}

// What alert rules watch. A counter that appeared with its first event would hide it: Prometheus sees no
// increase.
static void start_counters(const struct server *server, const char *endpoint) {
  metrics_at(server->ingress->metrics, COUNTER_QUARANTINED, endpoint);
  metrics_at(server->ingress->metrics, COUNTER_REFUSED, endpoint);
  answers_at(server, endpoint, 413, REPLY_NONE);
}

static void init_lanes(struct server *server) {
  const struct endpoints *endpoints = server->ingress->endpoints;
  server->quota.bytes_max = server->ingress->settings.bodies_max_bytes;
  server->lanes = mem_array(LANE_FIRST_ENDPOINT + endpoints->n, sizeof *server->lanes);
  init_lane(server, LANE_UNAUTHENTICATED, UNAUTHENTICATED_THREADS_PART);
  init_acking_lane(server, LANE_REGISTRATIONS, REGISTER_NAME, REGISTER_STATUS);
  for (size_t i = 0; i < endpoints->n; i++) {
    const struct endpoint *endpoint = &endpoints->list[i];
    struct provider_ack ack = provider_ack(endpoint->provider, NULL, NULL, 0);
    init_acking_lane(server, LANE_FIRST_ENDPOINT + i, endpoint->name, ack.status);
    start_counters(server, endpoint->name);
    free(ack.body);
  }
}

struct server *server_start(struct ingress *ingress, struct err *err) {
  const struct settings *settings = &ingress->settings;
  struct server *server = mem_alloc(sizeof *server);
  server->ingress = ingress;
  server->in_flight = metrics_at(ingress->metrics, COUNTER_IN_FLIGHT, NULL);
  server->connections = metrics_at(ingress->metrics, COUNTER_CONNECTIONS, NULL);
  init_lanes(server);
  const struct listen_options options = {.address = settings->ingress_listen,
                                         .threads = settings->ingress_threads,
                                         .timeout_ms = TIMEOUT_MS,
                                         .keep_alive = true,
                                         .connections = server->connections};
  server->ctx = listen_start(&options, serve, server, err);
  if (server->ctx) return server;
  server_free(server);
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

// Each answer has closed its connection; idle connections end with their time-out.
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
  if (!server || !server->ctx) return;
  atomic_store(&server->draining, true);
  metrics_set(server->ingress->metrics, COUNTER_READY, NULL, 0);
  clock_sleep_ms(DRAIN_LAG_MS);
  listen_refuse(server->ctx);
  if (!wait_quiet(server, max_ms))
    log_warn("stopping with requests still in flight", LOG_INT("requests", atomic_load(server->in_flight)),
             LOG_INT("connections", atomic_load(server->connections)));
  listen_stop(take(server->ctx));
}

void server_free(struct server *server) {
  if (!server) return;
  free(server->lanes);
  free(server);
}
