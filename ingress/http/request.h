// SPDX-License-Identifier: MIT
// One request on the public listener and its reply, between the connection it came on (http/conn.h) and who
// handles it (webhook.h, register.h). Thread: that of its loop.
#pragma once
#include "common/provider/provider.h"
#include "ingress/http/head.h"
#include "ingress/loop.h"
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct endpoint;
struct route;
struct share;

// Whoever is refused by his head alone is a stranger, and uses up nobody else's share; an endpoint has a lane
// of its own.
enum request_lane { LANE_REGISTRATIONS, LANE_STRANGERS, LANE_FIRST_ENDPOINT };

struct request_body {
  char *bytes; // NULL: empty
  size_t len;
};

struct request {
  struct conn *conn;
  struct loop *loop;
  struct http_head head;
  struct request_body body;
  char peer[INET_ADDRSTRLEN]; // the connection's other end
  const char *traceparent;    // well-formed, or NULL
  int64_t received_ms;        // Unix
  int64_t began_ms;           // monotonic: its first byte

  // Set by who admits it.
  const struct route *route;
  const char *rest; // of the path, behind the route's
  const struct endpoint *endpoint;
  const char *refused; // the check of the endpoint that has said no already, or NULL
  size_t lane;         // requests of one lane stand behind each other, lanes take turns
  struct share *share; // what it counts towards, or NULL
  int64_t share_held;  // of it
  size_t body_max_bytes;
  int64_t body_by_ms;   // monotonic: when its body has to be whole
  int64_t answer_by_ms; // monotonic: when the sender stops waiting for an answer

  // While it is handled.
  struct request *next; // in its lane
};

struct reply {
  int status;
  char *body; // new JSON, or NULL
  const char *headers;
  const char *way; // how what it carried became durable: "kafka", "spool", or NULL: nothing did
  bool close;
};

struct reply reply_error(int status, const char *code, const char *message);
struct reply reply_closing(int status, const char *code, const char *message); // the connection goes with it
struct reply reply_unavailable(void);                                          // 503 with Retry-After
struct reply reply_inflates_too_much(void);                                    // a gzip body's 413
struct reply reply_ack(struct provider_ack ack);                               // takes the ack's body

// Answers; the request is gone after it. The reply's body is taken over.
void request_answer(struct request *req, struct reply reply);

// Counts so many bytes more towards its share, until it is answered. False: that would be too much.
MUST_CHECK bool request_hold(struct request *req, size_t bytes);

// The encoding its body is in: no Content-Encoding but identity; gzip alone; or any other.
enum request_encoding { REQUEST_PLAIN, REQUEST_GZIP, REQUEST_FOREIGN };
enum request_encoding request_encoding(const struct request *req);
