// SPDX-License-Identifier: MIT
// A civetweb server: its settings in one place, and whole answers in one write. Both listeners are made here,
// the public one (ingress/http/edge.h) and that of operations (admin.h).
#pragma once
#include "common/base/err.h"
#include <civetweb.h>
#include <stddef.h>
#include <stdint.h>

// Answers a request that civetweb itself refuses, and returns the status.
typedef int listen_refusal(struct mg_connection *conn, int status, const char *code, const char *message);

struct listen_options {
  const char *address; // "127.0.0.1:8080"; port 0 takes a free one
  int64_t threads;     // one handles one connection at a time
  int64_t timeout_ms;  // of a whole head, of a pause inside a body, and of an idle connection
  bool keep_alive;
  _Atomic int64_t *connections; // the number of connections that have a thread, busy or idle; or NULL
  listen_refusal *refuse;       // NULL: http_answer_error()
};

// Starts a server with one handler for every path and method. The handler sends an answer and returns its
// status. There is no document root, no form and no directory. A request that civetweb itself refuses is
// answered in the same form, with 503 if its head came too slowly. Paths are left as sent: compare
// info->local_uri_raw. NULL: "127.0.0.1:8080: cannot bind to …: 98 (Address already in use)".
MUST_CHECK struct mg_context *listen_start(const struct listen_options *options, mg_request_handler handler,
                                           void *handler_arg, struct err *err);
int listen_port(const struct mg_context *ctx); // the port really bound
// Whether connections wait for a thread. Thread: any.
bool listen_is_crowded(const struct mg_context *ctx);
void listen_refuse(struct mg_context *ctx); // refuses new connections from now on; the others go on
void listen_stop(struct mg_context *ctx);   // cuts off requests in flight: wait for them first

// Reads up to `len` bytes of the body: fewer if it ends, if the peer fails or pauses, or at by_ms
// (monotonic). Returns their number; 0 also behind the last chunk; -1: none. Chunks that by_ms has cut cannot
// be read on. Thread: the connection's.
int listen_read(struct mg_connection *conn, void *to, size_t len, int64_t by_ms);
// From when the peer may have waited for the answer (monotonic). Of a connection's first request, since the
// connection has a thread. civetweb does not tell when the first byte of a later one came: then it is now.
int64_t listen_began_ms(const struct mg_connection *conn);

struct http_answer {
  int status;
  const char *content_type; // NULL: no body
  const char *body;
  size_t body_len;
  const char *headers; // further header lines, each with its \r\n, or NULL
  bool close;          // answer Connection: close and read no more
};
// Sends it with one write. Returns the status, which is what a civetweb handler returns.
int http_answer_send(struct mg_connection *conn, const struct http_answer *answer);
// {"error":{"code":…,"message":…}}: for callers of our own API, not for providers. New string.
char *http_error_body(const char *code, const char *message);
// Sends http_error_body(); `headers` and `close` as above.
int http_answer_error(struct mg_connection *conn, int status, const char *code, const char *message,
                      const char *headers, bool close);
