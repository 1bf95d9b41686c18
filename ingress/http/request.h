// SPDX-License-Identifier: MIT
// One request on the public listener and its reply, between civetweb (edge.h) and the routes (webhook.h,
// register.h). Not for: reading from and writing to the connection. Thread: the connection's handler thread.
#pragma once
#include "common/base/err.h"
#include "ingress/http/quota.h"
#include <civetweb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct endpoint;
struct provider;
struct route;

struct request_body {
  char *bytes; // NULL: not read
  size_t len;
};

enum reply_way { REPLY_NONE, REPLY_KAFKA, REPLY_SPOOL };

struct reply {
  int status;
  char *body; // or NULL
  const char *content_type, *headers;
  enum reply_way way; // what made the events durable; NONE: there were none
  bool close;
};

struct request {
  struct mg_connection *conn;
  const struct mg_request_info *info; // paths, headers and query as sent; nothing is decoded
  struct request_body body;
  struct request_body content; // the body without its Content-Encoding, after request_decode()
  const char *traceparent;     // well-formed, or NULL
  int64_t received_ms;         // Unix
  int64_t began_ms;            // monotonic: listen_began_ms()
  bool body_pending;           // the body is not read yet
  bool no_length;              // a POST that does not say whether it has a body
  struct reply reply;

  // Set when the route admits it.
  const struct route *route;
  const char *rest; // of the path, behind the route's own; then behind the endpoint's name: "" or "/…"
  const struct endpoint *endpoint;
  const struct provider *provider; // whose file applies: the endpoint's, or that of a suffix of its URL
  bool is_unsigned;                // the provider does not sign it: no check of a signature is run
  bool is_handshake;               // the provider tries the URL out: no call with results
  const char *refused;             // the check of the endpoint that has refused the sender already, or NULL
  size_t lane;                     // index of its quota_lane
  size_t body_max_bytes;
  const char *body_limit; // what sets it, for messages
  int64_t body_by_ms;     // monotonic: the body has to be complete by then
  int64_t answer_by_ms;   // monotonic: the sender waits for an answer until then

  // Set when it enters its lane.
  struct quota_lane *quota; // NULL: not entered
  int64_t held_bytes;       // of the quota
};

// They set the reply in place of an earlier one. All but reply_ok() and reply_text() return false, so that
// `return reply_error(...)` reads well.
bool reply_error(struct request *req, int status, const char *code, const char *message);
bool reply_closing(struct request *req, int status, const char *code, const char *message); // and closes
// 405. `allow` is the header with the methods, and lives as long as the program.
bool reply_not_allowed(struct request *req, const char *methods, const char *allow);
// 413, closing: `what` has more than body_max_bytes. The message names the limit.
bool reply_too_large(struct request *req, const char *what);
bool reply_unavailable(struct request *req); // 503 with Retry-After: nothing was stored, or not all
bool reply_overload(struct request *req);    // 503 with Retry-After, closing: too many requests, or bytes
void reply_ok(struct request *req, int status, char *json, enum reply_way way); // takes the JSON, or NULL
// Takes the text, or NULL. No browser takes it for something other than text.
void reply_text(struct request *req, int status, char *text, enum reply_way way);

// The header's value, and how often it occurs: the value is the last one's. NULL: none.
const char *request_header(const struct request *req, const char *name, size_t *count);

// Counts bytes towards the lane of the request until the request ends. False: there is no room.
MUST_CHECK bool request_hold(struct request *req, size_t bytes);

// What Content-Encoding says; FOREIGN: a coding other than gzip.
enum request_encoding { REQUEST_PLAIN, REQUEST_GZIP, REQUEST_FOREIGN };
enum request_encoding request_encoding(const struct request *req);

// Sets req->content, at most body_max_bytes when inflated: the body as far as it can be decoded, else as it
// is. *fault is the reason why it could not be decoded whole, or NULL. False with a reply: it inflates to
// more (413), or there is no room (503).
bool request_decode(struct request *req, const char **fault);
