// SPDX-License-Identifier: MIT
#include "common/ops/admin.h"

#include "common/base/mem.h"
#include "common/json/json.h"
#include "common/ops/listen.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A silent peer occupies a thread until the timeout. With a hundred of them a probe waits for two timeouts at
// most.
enum { ADMIN_THREADS = 64, ADMIN_TIMEOUT_MS = 450 };

struct admin {
  struct mg_context *ctx;
  struct metrics *metrics;
  admin_ready_fn *ready;
  void *ready_arg;
};

static int send_text(struct mg_connection *conn, int status, const char *content_type, const char *body) {
  return http_answer_send(
      conn, &(struct http_answer){
                .status = status, .content_type = content_type, .body = body, .body_len = strlen(body)});
}

static int answer_livez(struct mg_connection *conn, struct admin *admin) {
  (void)admin;
  return send_text(conn, 200, "application/json", "{\"live\":true}");
}

static int answer_readyz(struct mg_connection *conn, struct admin *admin) {
  const char *reason = admin->ready(admin->ready_arg);
  if (!reason) return send_text(conn, 200, "application/json", "{\"ready\":true}");
  AUTO_JSON *body = json_pack("{s:b,s:s}", "ready", 0, "reason", reason);
  AUTO_FREE char *text = json_text(body);
  return send_text(conn, 503, "application/json", text);
}

static int answer_metrics(struct mg_connection *conn, struct admin *admin) {
  AUTO_FREE char *text = metrics_text(admin->metrics);
  return send_text(conn, 200, "text/plain; version=0.0.4; charset=utf-8", text);
}

static const struct route {
  const char *path;
  int (*answer)(struct mg_connection *conn, struct admin *admin);
} routes[] = {{"/livez", answer_livez}, {"/readyz", answer_readyz}, {"/metrics", answer_metrics}};

static const struct route *find_route(const char *path) {
  for (size_t i = 0; i < COUNT_OF(routes); i++)
    if (strcmp(routes[i].path, path) == 0) return &routes[i];
  return NULL;
}

static int serve(struct mg_connection *conn, void *arg) {
  const struct mg_request_info *info = mg_get_request_info(conn);
  const struct route *route = find_route(info->local_uri_raw);
  if (!route)
    return http_answer_error(conn, 404, "not_found", "only /livez, /readyz and /metrics exist", NULL, false);
  if (strcmp(info->request_method, "GET") != 0 && strcmp(info->request_method, "HEAD") != 0)
    return http_answer_error(conn, 405, "method_not_allowed", "GET only", "Allow: GET, HEAD\r\n", false);
  return route->answer(conn, arg);
}

struct admin *admin_start(const char *address, struct metrics *metrics, admin_ready_fn *ready, void *arg,
                          struct err *err) {
  struct admin *admin = mem_alloc(sizeof *admin);
  *admin = (struct admin){.metrics = metrics, .ready = ready, .ready_arg = arg};
  const struct listen_options options = {
      .address = address, .threads = ADMIN_THREADS, .timeout_ms = ADMIN_TIMEOUT_MS};
  admin->ctx = listen_start(&options, serve, admin, err);
  if (!admin->ctx) {
    free(admin);
    return NULL;
  }
  return admin;
}

int admin_port(const struct admin *admin) {
  return listen_port(admin->ctx);
}

void admin_stop(struct admin *admin) {
  if (!admin) return;
  listen_stop(admin->ctx);
  free(admin);
}

// ---- asking ----

static bool read_answer(struct mg_connection *conn, struct err *err) {
  enum { ANSWER_MS = 2000 };
  char error[128] = "", body[512];
  static const char request[] = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  if (mg_write(conn, request, strlen(request)) <= 0 ||
      mg_get_response(conn, error, sizeof error, ANSWER_MS) < 0)
    return err_set(err, "no answer: %s", error);
  if (mg_get_response_info(conn)->status_code == 200) return true;
  int len = mg_read(conn, body, sizeof body);
  return err_set(err, "%.*s", len > 0 ? len : 0, body);
}

bool admin_ask_ready(const char *address, struct err *err) {
  char error[128] = "", host[64];
  snprintf(host, sizeof host, "%.*s", (int)strcspn(address, ":"), address);
  bool any = strcmp(host, "0.0.0.0") == 0;
  int port = (int)strtol(address + strcspn(address, ":") + 1, NULL, 10);
  mg_init_library(MG_FEATURES_DEFAULT);
  struct mg_connection *conn = mg_connect_client(any ? "127.0.0.1" : host, port, 0, error, sizeof error);
  if (!conn) return err_set(err, "%s: %s", address, error);
  bool ready = read_answer(conn, err);
  mg_close_connection(conn);
  return ready;
}
