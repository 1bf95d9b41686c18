// SPDX-License-Identifier: MIT
#include "ingress/request.h"

#include "common/clock.h"
#include "common/event.h"
#include "common/mem.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
  BODY_BUDGET_MS = 10000,
  LINGER_MS = 1000,
  // civetweb waits up to its request timeout for each byte of a read, so the reads are small: whoever sends
  // byte by byte overruns our clock by 32 timeouts, a minute. What came with the head costs no system call.
  READ_BYTES = 32,
  FIRST_CHUNKED_BYTES = 4096,
};

// ---- replies ----

struct reply reply_error(int status, const char *code, const char *message) {
  return (struct reply){.status = status, .body = http_error_body(code, message)};
}

struct reply reply_unavailable(void) {
  struct reply reply = reply_error(503, "unavailable", "it could not be stored now; send it again");
  reply.headers = "Retry-After: 5\r\n";
  return reply;
}

struct reply reply_ack(struct provider_ack ack) {
  return (struct reply){.status = ack.status, .body = ack.body};
}

void reply_send(struct request *req, struct reply *reply) {
  http_answer_send(req->conn, &(struct http_answer){.status = reply->status,
                                                    .content_type = reply->body ? "application/json" : NULL,
                                                    .body = reply->body,
                                                    .body_len = reply->body ? strlen(reply->body) : 0,
                                                    .headers = reply->headers,
                                                    .close = reply->close});
  free(take(reply->body));
}

// Sets an answer after which the connection is closed. Returns false.
static bool refuse(struct reply *refusal, int status, const char *code, const char *message) {
  *refusal = reply_error(status, code, message);
  refusal->close = true;
  return false;
}

static bool refuse_too_large(struct reply *refusal, size_t max_bytes) {
  AUTO_FREE char *message =
      mem_printf("the body is over the limit of %zu bytes (DOCHAK_BODY_MAX_BYTES)", max_bytes);
  return refuse(refusal, 413, "too_large", message);
}

// ---- the head ----

// How often the header occurs; *value is the last one's.
static size_t count_header(const struct mg_request_info *info, const char *name, const char **value) {
  size_t n = 0;
  for (int i = 0; i < info->num_headers; i++) {
    if (strcasecmp(info->http_headers[i].name, name) != 0) continue;
    *value = info->http_headers[i].value;
    n++;
  }
  return n;
}

static bool is_length(const char *value) {
  size_t digits = strspn(value, "0123456789");
  return digits > 0 && digits <= 18 && value[digits] == '\0';
}

// RFC 9112, section 6.3: what two readers could frame in two ways is refused. civetweb takes the first of
// each.
static bool framed_once(const struct mg_request_info *info) {
  const char *length = NULL, *coding = NULL;
  size_t lengths = count_header(info, "Content-Length", &length);
  size_t codings = count_header(info, "Transfer-Encoding", &coding);
  if (codings)
    return codings == 1 && lengths == 0 && strcasecmp(coding, "chunked") == 0 &&
           strcmp(info->http_version, "1.1") == 0;
  return lengths == 0 || (lengths == 1 && is_length(length));
}

bool request_init(struct request *req, struct mg_connection *conn, struct reply *refusal) {
  const struct mg_request_info *info = mg_get_request_info(conn);
  const char *traceparent = mg_get_header(conn, "traceparent");
  *req =
      (struct request){.conn = conn,
                       .info = info,
                       .traceparent = traceparent && event_traceparent_ok(traceparent) ? traceparent : NULL,
                       .received_ms = clock_wall_ms(),
                       .body_pending = info->content_length > 0 || mg_get_header(conn, "Transfer-Encoding")};
  if (info->num_headers >= MG_MAX_HEADERS) // civetweb drops the rest, which may say another length
    return refuse(refusal, 431, "head_too_large", "fewer than 64 headers, please");
  if (!framed_once(info))
    return refuse(refusal, 400, "bad_framing",
                  "one Content-Length, or Transfer-Encoding: chunked, and not both");
  return true;
}

bool request_is_plain(const struct request *req) {
  const char *coding = mg_get_header(req->conn, "Content-Encoding");
  return !coding || *coding == '\0' || strcasecmp(coding, "identity") == 0;
}

// ---- the body ----

// civetweb leaves this to handlers; without it a client waits a second before it sends.
static void answer_expectation(const struct request *req) {
  static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
  const char *expect = mg_get_header(req->conn, "Expect");
  if (expect && strcasecmp(expect, "100-continue") == 0 && strcmp(req->info->http_version, "1.1") == 0)
    mg_write(req->conn, go_on, sizeof go_on - 1);
}

enum progress { PROGRESS_READ, PROGRESS_ENDED, PROGRESS_FAILED };

// Reads at most `room` bytes.
static enum progress read_some(struct request *req, char *to, size_t room, int64_t deadline, size_t *len) {
  int n = mg_read(req->conn, to, room < READ_BYTES ? room : READ_BYTES);
  *len = n > 0 ? (size_t)n : 0;
  if (n > 0) return clock_mono_ms() < deadline ? PROGRESS_READ : PROGRESS_FAILED;
  if (n < 0) return PROGRESS_FAILED;
  if (req->info->content_length < 0) return PROGRESS_ENDED;            // chunked: the last chunk
  return clock_mono_ms() < deadline ? PROGRESS_READ : PROGRESS_FAILED; // only silence
}

static bool read_sized(struct request *req, int64_t deadline, struct request_body *body) {
  size_t total = (size_t)req->info->content_length;
  body->bytes = mem_alloc(total);
  while (body->len < total) {
    size_t n;
    if (read_some(req, body->bytes + body->len, total - body->len, deadline, &n) != PROGRESS_READ)
      return false;
    body->len += n;
  }
  return true;
}

// One byte more than the limit is room enough to see that it is passed.
static bool read_chunked(struct request *req, size_t max_bytes, int64_t deadline, struct request_body *body) {
  size_t room = 0;
  for (;;) {
    if (body->len == room) {
      room = room ? 2 * room : FIRST_CHUNKED_BYTES;
      if (room > max_bytes + 1) room = max_bytes + 1;
      body->bytes = mem_grow(body->bytes, room, 1);
    }
    size_t n;
    enum progress progress = read_some(req, body->bytes + body->len, room - body->len, deadline, &n);
    body->len += n;
    if (progress != PROGRESS_READ || body->len > max_bytes) return progress != PROGRESS_FAILED;
  }
}

bool request_read_body(struct request *req, size_t max_bytes, struct request_body *out,
                       struct reply *refusal) {
  *out = (struct request_body){0};
  if (!req->body_pending) return true;
  bool sized = req->info->content_length >= 0;
  if (sized && (size_t)req->info->content_length > max_bytes) return refuse_too_large(refusal, max_bytes);
  answer_expectation(req);
  int64_t deadline = clock_mono_ms() + BODY_BUDGET_MS;
  bool read = sized ? read_sized(req, deadline, out) : read_chunked(req, max_bytes, deadline, out);
  req->body_pending = !read || out->len > max_bytes;
  if (!req->body_pending) return true;
  free(take(out->bytes));
  if (read) return refuse_too_large(refusal, max_bytes);
  return refuse(refusal, 503, "incomplete", "the body did not come whole and in time");
}

void request_linger(struct request *req) {
  char rest[READ_BYTES];
  int64_t deadline = clock_mono_ms() + LINGER_MS;
  size_t n;
  do {
    if (read_some(req, rest, sizeof rest, deadline, &n) != PROGRESS_READ) return;
  } while (n > 0);
}
