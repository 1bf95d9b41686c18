// SPDX-License-Identifier: MIT
#include "processor/api/api.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/config/secrets.h"
#include "common/json/json.h"
#include "common/ops/listen.h"
#include "processor/api/page.h"
#include "processor/api/pool.h"
#include "processor/api/redriving.h"
#include "processor/api/routes.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
  THREADS = 32,      // each with one connection of a client at a time
  TIMEOUT_MS = 2000, // of a head, and of a client that does not read its answer
  KEY_MIN = 32,
};

struct api {
  struct mg_context *ctx;
  struct processor *processor;
  struct secrets keys;
  char *words; // of route_values_init()
  struct pool *pool;
  struct redriving *redriving;
};

// ---- settings ----

static bool read_keys(const char *keys, struct secrets *out, struct err *err) {
  for (size_t nth = 1; *keys; nth++) {
    size_t len = strcspn(keys, ",");
    if (len < KEY_MIN)
      return err_set(err, "DOCHAK_API_KEY: key %zu: expected at least %d characters, got %zu", nth, KEY_MIN,
                     len);
    if (!secrets_add(out, SECRETS_OURS, keys, len, err))
      return err_prefix(err, "DOCHAK_API_KEY: key %zu: ", nth);
    keys += len + (keys[len] == ',');
  }
  return true;
}

static bool read_settings(const struct settings *settings, struct secrets *keys, struct err *err) {
  if (!read_keys(settings->api_key, keys, err)) return false;
  return pg_url_check(settings->api_postgres_url, err) || err_prefix(err, "DOCHAK_API_POSTGRES_URL: ");
}

bool api_check(const struct settings *settings, struct err *err) {
  struct secrets keys = {0};
  bool good = read_settings(settings, &keys, err);
  secrets_fini(&keys);
  return good;
}

// ---- one request ----

struct request {
  struct api *api;
  struct mg_connection *conn;
  const struct mg_request_info *info;
  const struct route *route; // NULL: none was found
  char *path[PATH_VALUES_MAX];
  struct query query;
  struct route_values values;
  struct problem problem;
};

// The header's value; NULL: it is not there, or twice.
static const char *only_header(const struct request *req, const char *name) {
  const char *value = NULL;
  for (int i = 0; i < req->info->num_headers; i++) {
    if (strcasecmp(req->info->http_headers[i].name, name) != 0) continue;
    if (value) return NULL;
    value = req->info->http_headers[i].value;
  }
  return value;
}

static bool check_key(struct request *req) {
  static const char scheme[] = "Bearer ";
  const char *given = only_header(req, "Authorization");
  bool is_bearer = given && strncasecmp(given, scheme, sizeof scheme - 1) == 0;
  if (is_bearer) given += sizeof scheme - 1;
  if (is_bearer && secrets_hold(&req->api->keys, given, strlen(given))) return true;
  log_warn_rarely("query api refused", "query api: refused, no valid bearer key",
                  LOG_STR("peer", req->info->remote_addr));
  return problem_set(&req->problem, PROBLEM_KEY, "expected Authorization: Bearer and a valid key");
}

static bool find_route(struct request *req) {
  req->route = routes_find(req->info->local_uri_raw, req->path);
  return req->route ||
         problem_set(&req->problem, PROBLEM_PATH, "schemas/openapi-processor.yaml lists the paths");
}

static bool check_method(struct request *req) {
  const char *method = req->info->request_method;
  bool is_post = req->route->kind == ROUTE_REDRIVE;
  if (strcmp(method, is_post ? "POST" : "GET") == 0 || (!is_post && strcmp(method, "HEAD") == 0)) return true;
  problem_set(&req->problem, PROBLEM_METHOD, "this path takes %s", is_post ? "POST" : "GET");
  req->problem.allow = is_post ? "Allow: POST\r\n" : "Allow: GET, HEAD\r\n";
  return false;
}

static bool check_body(struct request *req) {
  const char *length = only_header(req, "Content-Length");
  bool has_length = mg_get_header(req->conn, "Content-Length") && (!length || strcmp(length, "0") != 0);
  if (!has_length && !mg_get_header(req->conn, "Transfer-Encoding")) return true;
  return problem_set(&req->problem, PROBLEM_BODY, "send this request without a body");
}

// A number or an address in the URL would be in the log of each proxy, so it comes in a header.
static bool read_recipient(struct request *req) {
  static const struct parameter header = {"Dochak-Recipient", PARAMETER_TEXT, NULL};
  char **hash = NULL;
  for (size_t i = 0; i < req->route->n; i++)
    if (req->route->parameters[i].type == PARAMETER_HASH) hash = &req->query.values[i];
  const char *given = mg_get_header(req->conn, header.name);
  if (!given || !hash) return true;
  if (*hash)
    return problem_set_parameter(&req->problem, header.name, "expected either this header or recipient_hash");
  AUTO_FREE char *recipient = NULL;
  if (!query_read_value(&header, given, strlen(given), &recipient, &req->problem)) return false;
  struct digest digest = {.len = PERSONAL_HASH_SIZE};
  char hex[DIGEST_HEX_SIZE];
  personal_hash(req->api->processor->settings->recipient_key, recipient, digest.bytes);
  digest_hex(&digest, hex);
  *hash = mem_strdup(hex);
  return true;
}

static bool read_query(struct request *req) {
  const struct route *route = req->route;
  if (!query_read(route->parameters, route->n, req->info->query_string, &req->query, &req->problem))
    return false;
  if (!read_recipient(req)) return false;
  if (route->check && !route->check(&req->query, &req->problem)) return false;
  return route_values_init(&req->values, route, req->path, &req->query, req->api->words, &req->problem);
}

// ---- its answer ----

static const char *value_or_null(const PGresult *res, int row, int column) {
  return column < PQnfields(res) ? PQgetvalue(res, row, column) : NULL;
}

static char *page_text(const struct request *req, const PGresult *res) {
  char *text = NULL;
  size_t len;
  int rows = PQntuples(res), n = rows > req->values.limit ? (int)req->values.limit : rows;
  FILE *to = open_memstream(&text, &len);
  if (!to) abort(); // out of memory, as in mem.c
  fputs("{\"items\":[", to);
  for (int i = 0; i < n; i++) fprintf(to, "%s%s", i ? "," : "", PQgetvalue(res, i, 0));
  if (n < rows) {
    AUTO_FREE char *next = cursor_encode(req->route->path, PQgetvalue(res, n - 1, 1),
                                         PQgetvalue(res, n - 1, 2), value_or_null(res, n - 1, 3));
    fprintf(to, "],\"next\":\"%s\"}", next);
  } else
    fputs("],\"next\":null}", to);
  fclose(to);
  return text;
}

static int send_json(struct request *req, const char *body) {
  return http_answer_send(req->conn, &(struct http_answer){.status = 200,
                                                           .content_type = "application/json",
                                                           .body = body,
                                                           .body_len = strlen(body),
                                                           .headers = "Cache-Control: no-store\r\n"
                                                                      "X-Content-Type-Options: nosniff\r\n"});
}

static bool redrive(struct request *req, char **body) {
  return redriving_run(req->api->redriving, req->path[0], req->path[1], body, &req->problem);
}

static bool ask(struct request *req, char **body) {
  const struct route *route = req->route;
  if (route->kind == ROUTE_REDRIVE) return redrive(req, body);
  AUTO_RESULT *res =
      pool_run(req->api->pool, route->statement, req->values.n, req->values.list, &req->problem);
  if (!res) return false;
  if (route->kind == ROUTE_ONE && PQntuples(res) == 0)
    return problem_set(&req->problem, PROBLEM_NONE_SUCH, "nothing is known by what the path names");
  *body = route->kind == ROUTE_LIST ? page_text(req, res) : mem_strdup(PQgetvalue(res, 0, 0));
  return true;
}

static bool handle(struct request *req, char **body) {
  return check_key(req) && check_body(req) && find_route(req) && check_method(req) && read_query(req) &&
         ask(req, body);
}

static int respond(struct request *req) {
  AUTO_FREE char *body = NULL;
  return handle(req, &body) && body ? send_json(req, body) : problem_answer(req->conn, &req->problem);
}

static void count(const struct request *req, int status, int64_t began_us) {
  struct metrics *metrics = req->api->processor->metrics;
  const char *path = req->route ? req->route->path : "none";
  char text[12];
  snprintf(text, sizeof text, "%d", status);
  metric_add(metrics_at_each(metrics, METRIC_API_REQUESTS, (const char *const[]){path, text}), 1);
  metrics_observe(metrics_histogram_at(metrics, METRIC_API_SECONDS, path), clock_mono_us() - began_us);
}

static int serve(struct mg_connection *conn, void *arg) {
  int64_t began_us = clock_mono_us();
  struct request req = {.api = arg, .conn = conn, .info = mg_get_request_info(conn)};
  struct http_answer page;
  if (page_find(embedded_page, req.info->request_method, req.info->local_uri_raw, &page))
    return http_answer_send(conn, &page);
  int status = respond(&req);
  count(&req, status, began_us);
  for (size_t i = 0; i < PATH_VALUES_MAX; i++) free(req.path[i]);
  query_fini(&req.query);
  route_values_fini(&req.values);
  return status;
}

// ---- start, stop ----

static char *words_of(const struct providers *providers) {
  AUTO_JSON *words = json_object();
  for (size_t i = 0; i < providers_count(providers); i++) {
    const struct provider *provider = providers_at(providers, i);
    json_object_set_new(words, provider_name(provider), provider_code_reasons(provider));
  }
  return json_text(words);
}

static void free_api(struct api *api) {
  secrets_fini(&api->keys);
  free(api->words);
  pool_free(api->pool);
  redriving_free(api->redriving);
  free(api);
}

static bool start_listening(struct api *api, struct err *err) {
  const char *address = api->processor->settings->api_listen;
  const struct listen_options options = {
      .address = address, .threads = THREADS, .timeout_ms = TIMEOUT_MS, .refuse = problem_answer_refused};
  api->ctx = listen_start(&options, serve, api, err);
  if (!api->ctx) return err_prefix(err, "DOCHAK_API_LISTEN: ");
  log_info("query api listens", LOG_STR("address", address), LOG_INT("port", listen_port(api->ctx)));
  return true;
}

bool api_start(struct processor *processor, struct api **out, struct err *err) {
  const struct settings *settings = processor->settings;
  *out = NULL;
  if (!*settings->api_key) return true;
  struct api *api = mem_alloc(sizeof *api);
  api->processor = processor;
  api->words = words_of(processor->providers);
  api->pool = pool_new(settings->api_postgres_url);
  api->redriving = redriving_new(processor);
  if (read_settings(settings, &api->keys, err) && start_listening(api, err)) {
    *out = api;
    return true;
  }
  free_api(api);
  return false;
}

void api_stop(struct api *api) {
  if (!api) return;
  listen_stop(api->ctx);
  free_api(api);
}
