// SPDX-License-Identifier: MIT
#include "ingress/http/edge.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/kafka/event.h"
#include "common/ops/listen.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
  LINGER_MS = 1000,
  LINGER_SHORT_MS = 50, // of a request that got no share of the threads
  // civetweb waits up to its timeout for each byte of a read. So a peer that sends byte by byte can overrun
  // our clock by as many timeouts as a read has bytes: reads are small, begin with one byte and double only
  // while bytes come quickly.
  READ_MOST_BYTES = 128,
  LINGER_MOST_BYTES = 128,
  AT_ONCE_MS = 5,
  QUICK_MS = 200,
  FIRST_CHUNKED_BYTES = 4096,
  HEADERS_MAX = 64,       // civetweb's MG_MAX_HEADERS
  HEAD_MAX_BYTES = 16384, // its buffer: max_request_size
};

static bool refuse(struct reply *refusal, int status, const char *code, const char *message) {
  *refusal = reply_closing(status, code, message);
  return false;
}

// ---- the head ----

static bool is_length(const char *value) {
  size_t digits = strspn(value, "0123456789");
  return digits > 0 && digits <= 18 && value[digits] == '\0';
}

static bool is_http_1_1(const struct request *req) {
  return strcmp(req->info->http_version, "1.1") == 0;
}

// RFC 9112, section 6.3: what two readers could frame in two ways is refused.
static bool is_framed_once(const struct request *req) {
  size_t lengths, codings;
  const char *length = request_header(req, "Content-Length", &lengths);
  const char *coding = request_header(req, "Transfer-Encoding", &codings);
  if (codings) return codings == 1 && !lengths && strcasecmp(coding, "chunked") == 0 && is_http_1_1(req);
  return !lengths || (lengths == 1 && is_length(length));
}

// Where a line begins with a space, a colon or a byte above 0x7e, or an empty line follows a bare LF,
// civetweb ends the headers without a word. What stands behind it, a length too, is in no list. So the head
// has to end where its last header does. civetweb has put NULs for the CR LF behind a value and for the
// head's last LF.
static bool is_head_whole(const struct mg_request_info *info) {
  if (info->num_headers == 0) return false;
  const char *value = info->http_headers[info->num_headers - 1].value;
  const char *end = value + strlen(value);
  bool fits = end - info->request_method < HEAD_MAX_BYTES - 4; // what is read next is still in the buffer
  return fits && end[1] == '\0' && end[2] == '\r' && end[3] == '\0';
}

bool edge_open(struct request *req, struct mg_connection *conn, struct reply *refusal) {
  const struct mg_request_info *info = mg_get_request_info(conn);
  const char *traceparent = mg_get_header(conn, "traceparent");
  *req = (struct request){
      .conn = conn,
      .info = info,
      .traceparent = traceparent && event_traceparent_ok(traceparent) ? traceparent : NULL,
      .received_ms = clock_wall_ms(),
      .began_ms = clock_mono_ms(),
      .body_pending = info->content_length > 0 || mg_get_header(conn, "Transfer-Encoding"),
  };
  if (info->num_headers >= HEADERS_MAX)
    return refuse(refusal, 431, "head_too_large", "expected fewer than 64 headers");
  if (!is_head_whole(info))
    return refuse(refusal, 400, "bad_head", "expected headers of one line each, behind each CR LF");
  return is_framed_once(req) ||
         refuse(refusal, 400, "bad_framing", "expected one Content-Length, or Transfer-Encoding: chunked");
}

// ---- the body ----

static bool refuse_too_large(struct reply *refusal, size_t max_bytes) {
  AUTO_FREE char *message =
      mem_printf("the body is over the limit of %zu bytes (DOCHAK_BODY_MAX_BYTES)", max_bytes);
  return refuse(refusal, 413, "too_large", message);
}

// A client that expects 100 waits for it before it sends the body. An empty Expect is none (RFC
// 9110, 10.1.1).
static bool answer_expectation(const struct request *req, struct reply *refusal) {
  static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
  size_t count;
  const char *expect = request_header(req, "Expect", &count);
  if (!expect || !*expect) return true;
  if (strcasecmp(expect, "100-continue") != 0)
    return refuse(refusal, 417, "expectation_failed", "expected no Expect but 100-continue");
  if (is_http_1_1(req) && req->body_pending) mg_write(req->conn, go_on, sizeof go_on - 1);
  return true;
}

enum progress { PROGRESS_READ, PROGRESS_ENDED, PROGRESS_FAILED };

// Reads at most `room` bytes. Counts a silence as progress as long as the clock allows it.
static enum progress read_some(const struct request *req, char *to, size_t room, int64_t by_ms, size_t *len) {
  int n = mg_read(req->conn, to, room);
  bool in_time = clock_mono_ms() < by_ms;
  *len = n > 0 ? (size_t)n : 0;
  if (n < 0) return PROGRESS_FAILED;
  if (n == 0 && req->info->content_length < 0) return PROGRESS_ENDED; // behind the last chunk
  return in_time ? PROGRESS_READ : PROGRESS_FAILED;
}

static bool is_quick(const struct request *req) {
  return clock_mono_ms() - req->began_ms < QUICK_MS;
}

// A body that is not whole soon counts as slow.
static bool may_go_on(struct request *req, bool quick) {
  if (quick || req->slow || !req->quota) return true;
  return req->slow = quota_begin_slow(req->quota);
}

static size_t read_size(size_t len, size_t room, bool quick) {
  size_t size = !quick ? 1 : len < READ_MOST_BYTES ? len + 1 : READ_MOST_BYTES;
  return size < room ? size : room;
}

enum body_result { BODY_WHOLE, BODY_LATE, BODY_TOO_LARGE, BODY_NO_ROOM };

// One byte more than the limit is room enough to see that the limit is passed.
static enum body_result read_chunked(struct request *req) {
  struct request_body *body = &req->body;
  for (size_t room = 0;;) {
    if (body->len == room) {
      size_t more = room ? room : FIRST_CHUNKED_BYTES;
      if (room + more > req->body_max_bytes + 1) more = req->body_max_bytes + 1 - room;
      if (!request_hold(req, more)) return BODY_NO_ROOM;
      room += more;
      body->bytes = mem_grow(body->bytes, room, 1);
    }
    bool quick = is_quick(req);
    if (!may_go_on(req, quick)) return BODY_NO_ROOM;
    size_t n, size = read_size(body->len, room - body->len, quick);
    enum progress progress = read_some(req, body->bytes + body->len, size, req->body_by_ms, &n);
    body->len += n;
    if (body->len > req->body_max_bytes) return BODY_TOO_LARGE;
    if (progress != PROGRESS_READ) return progress == PROGRESS_ENDED ? BODY_WHOLE : BODY_LATE;
  }
}

static enum body_result read_sized(struct request *req) {
  struct request_body *body = &req->body;
  size_t total = (size_t)req->info->content_length;
  if (total > req->body_max_bytes) return BODY_TOO_LARGE;
  if (!request_hold(req, total)) return BODY_NO_ROOM;
  body->bytes = mem_grow(NULL, total ? total : 1, 1);
  while (body->len < total) {
    bool quick = is_quick(req);
    if (!may_go_on(req, quick)) return BODY_NO_ROOM;
    size_t n, size = read_size(body->len, total - body->len, quick);
    if (read_some(req, body->bytes + body->len, size, req->body_by_ms, &n) != PROGRESS_READ) return BODY_LATE;
    body->len += n;
  }
  return BODY_WHOLE;
}

// Of a method that has a body: what follows could be one, so it is not read as the next request.
static bool has_no_length(const struct request *req) {
  return req->info->content_length < 0 && !mg_get_header(req->conn, "Transfer-Encoding") &&
         strcmp(req->info->request_method, "POST") == 0;
}

// Behind empty lines civetweb takes an empty one for the end of the head, and the real head for the body's
// first bytes. There it has put a NUL behind the method.
static bool begins_with_a_head(const struct request *req) {
  const struct request_body *body = &req->body;
  const char *method = req->info->request_method;
  size_t from = 0, len = strlen(method) + 1;
  while (from < body->len && (body->bytes[from] == '\r' || body->bytes[from] == '\n')) from++;
  size_t left = body->len - from;
  if (left == 0) return from > 0;
  return memcmp(body->bytes + from, method, left < len ? left : len) == 0;
}

bool edge_read_body(struct request *req, struct reply *refusal) {
  if (has_no_length(req))
    return refuse(refusal, 411, "length_required", "expected Content-Length, or Transfer-Encoding: chunked");
  // A body that is announced as too large is not asked for.
  bool hopeless = req->info->content_length > (int64_t)req->body_max_bytes;
  if (!hopeless && !answer_expectation(req, refusal)) return false;
  switch (req->info->content_length < 0 ? read_chunked(req) : read_sized(req)) {
  case BODY_TOO_LARGE:
    return refuse_too_large(refusal, req->body_max_bytes);
  case BODY_NO_ROOM:
    *refusal = reply_overload();
    return false;
  case BODY_LATE:
    return refuse(refusal, 503, "incomplete", "the body did not come whole and in time");
  case BODY_WHOLE:
    break;
  }
  if (begins_with_a_head(req))
    return refuse(refusal, 400, "bad_head", "expected no empty lines before a request");
  req->body_pending = false;
  return true;
}

// ---- the answer ----

// Reads grow as long as bytes come at once: a peer that sends much costs no more processor than it has to,
// and one that sends slowly is seen to be late after a single byte.
static void linger(const struct request *req) {
  char rest[LINGER_MOST_BYTES];
  int64_t before_ms = clock_mono_ms(), by_ms = before_ms + (req->quota ? LINGER_MS : LINGER_SHORT_MS);
  for (size_t n = 1, size = 1; n > 0 && read_some(req, rest, size, by_ms, &n) == PROGRESS_READ;) {
    int64_t now_ms = clock_mono_ms();
    size = now_ms - before_ms > AT_ONCE_MS ? 1 : 2 * size < sizeof rest ? 2 * size : sizeof rest;
    before_ms = now_ms;
  }
}

void edge_answer(struct request *req, const struct reply *reply) {
  http_answer_send(req->conn,
                   &(struct http_answer){.status = reply->status,
                                         .content_type = reply->body ? "application/json" : NULL,
                                         .body = reply->body,
                                         .body_len = reply->body ? strlen(reply->body) : 0,
                                         .headers = reply->headers,
                                         .close = reply->close || req->body_pending || has_no_length(req)});
  if (req->body_pending) linger(req);
}

void edge_close(struct request *req) {
  if (req->content.bytes != req->body.bytes) free(req->content.bytes);
  free(req->body.bytes);
  if (!req->quota) return;
  quota_release(req->quota, req->held_bytes);
  if (req->slow) quota_end_slow(req->quota);
  quota_leave(req->quota);
}
