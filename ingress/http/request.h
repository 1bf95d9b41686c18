// SPDX-License-Identifier: MIT
// One request on the public listener and its reply, between civetweb (edge.h) and the routes (webhook.h,
// register.h). Thread: the handler thread that has the connection.
#pragma once
#include "common/provider/provider.h"
#include "ingress/http/quota.h"
#include <civetweb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct endpoint;
struct route;

struct request_body {
  char *bytes; // NULL: empty
  size_t len;
};

struct request {
  struct mg_connection *conn;
  const struct mg_request_info *info; // paths, headers and query as sent; nothing is decoded
  struct request_body body;
  const char *traceparent; // well-formed, or NULL
  int64_t received_ms;     // Unix
  int64_t began_ms;        // monotonic: its head is here
  bool body_pending;       // it has a body that is not read yet

  // Set when the route admits it.
  const struct route *route;
  const char *rest; // of the path, behind the route's
  const struct endpoint *endpoint;
  const struct provider *provider; // whose file applies: the endpoint's, or that of a suffix of its URL
  const char *refused;             // the check of the endpoint that has refused the sender already, or NULL
  size_t lane;                     // index of its quota_lane
  size_t body_max_bytes;
  int64_t body_by_ms;   // monotonic: when its body has to be whole
  int64_t answer_by_ms; // monotonic: when the sender stops waiting for an answer

  // Set when it enters its lane.
  struct quota_lane *quota; // NULL: it counts towards none
  int64_t held_bytes;       // of the quota
};

struct reply {
  int status;
  char *body; // new JSON, or NULL
  const char *headers;
  const char *way; // how the events became durable: "kafka", "spool", or NULL: there were none
  bool close;
};

struct reply reply_error(int status, const char *code, const char *message);
struct reply reply_closing(int status, const char *code, const char *message); // and closes the connection
struct reply reply_unavailable(void); // 503 with Retry-After: nothing was stored, or not all
struct reply reply_overload(void);    // 503 with Retry-After, closing: too many requests, or bytes of bodies
struct reply reply_inflates_too_much(void);      // a gzip body's 413
struct reply reply_ack(struct provider_ack ack); // takes the ack's body

// The header's value, and how often it occurs: the value is the last one's. NULL: none.
const char *request_header(const struct request *req, const char *name, size_t *count);

// What Content-Encoding says; FOREIGN: something that we do not read.
enum request_encoding { REQUEST_PLAIN, REQUEST_GZIP, REQUEST_FOREIGN };
enum request_encoding request_encoding(const struct request *req);

// Counts bytes towards the lane of the request until the request ends. False: there is no room.
MUST_CHECK bool request_hold(struct request *req, size_t bytes);
