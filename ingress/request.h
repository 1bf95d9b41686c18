// SPDX-License-Identifier: MIT
// One request on the public listener and its reply: what of HTTP civetweb leaves to us. Contradictory lengths
// are refused, bodies are bounded in size and time. Not for: what the body means. Thread: the civetweb worker
// that has the connection.
#pragma once
#include "common/listen.h"
#include "common/provider.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request {
  struct mg_connection *conn;
  const struct mg_request_info *info;
  const char *rest;        // of the path, behind the route's
  const char *traceparent; // well-formed, or NULL
  int64_t received_ms;     // Unix
  bool body_pending;       // there is a body that has not been read
};

struct reply {
  int status;
  char *body; // new JSON, or NULL
  const char *headers;
  bool close;
};

struct reply reply_error(int status, const char *code, const char *message);
struct reply reply_unavailable(void);                      // 503 with Retry-After
struct reply reply_ack(struct provider_ack ack);           // takes the ack's body
void reply_send(struct request *req, struct reply *reply); // frees the reply's body

// False with the answer: two lengths, a length and chunks, too many headers to have seen them all.
MUST_CHECK bool request_init(struct request *req, struct mg_connection *conn, struct reply *refusal);

struct request_body {
  char *bytes; // NULL: empty
  size_t len;
};
// Reads the whole body. False with the answer: too large (413, nothing of it read if it said so), or not
// there in time or cut off (503: a 4xx would make some providers give the event up).
MUST_CHECK bool request_read_body(struct request *req, size_t max_bytes, struct request_body *out,
                                  struct reply *refusal);
// Content-Encoding names nothing but identity.
bool request_is_plain(const struct request *req);

// After an answer that closes the connection: takes in what the peer still sends, for a second at most, so
// that the answer is not lost to a reset.
void request_linger(struct request *req);
