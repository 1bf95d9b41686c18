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
  // Of one read: a chunk's framing can be sixty times its bytes, and no clock ends a read of what is there.
  READ_CHUNKED_BYTES = 1024,
  QUICK_MS = 200,
  FIRST_CHUNKED_BYTES = 4096,
  HEADERS_MAX = 64,       // civetweb's MG_MAX_HEADERS
  HEAD_MAX_BYTES = 16384, // its buffer: max_request_size
};

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

bool edge_open(struct request *req, struct mg_connection *conn) {
  const struct mg_request_info *info = mg_get_request_info(conn);
  const char *traceparent = mg_get_header(conn, "traceparent");
  bool chunked = mg_get_header(conn, "Transfer-Encoding") != NULL;
  *req = (struct request){
      .conn = conn,
      .info = info,
      .traceparent = traceparent && event_traceparent_ok(traceparent) ? traceparent : NULL,
      .received_ms = clock_wall_ms(),
      .began_ms = listen_began_ms(conn),
      .body_pending = info->content_length > 0 || chunked,
      .no_length = info->content_length < 0 && !chunked && strcmp(info->request_method, "POST") == 0,
  };
  if (info->num_headers >= HEADERS_MAX)
    return reply_closing(req, 431, "head_too_large", "expected fewer than 64 headers");
  if (!is_head_whole(info))
    return reply_closing(req, 400, "bad_head", "expected headers of one line each, behind each CR LF");
  return is_framed_once(req) ||
         reply_closing(req, 400, "bad_framing", "expected one Content-Length, or Transfer-Encoding: chunked");
}

// ---- the body ----

// A client that expects 100 waits for it before it sends the body. An empty Expect is none (RFC
// 9110, 10.1.1).
static bool answer_expectation(struct request *req) {
  static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
  size_t count;
  const char *expect = request_header(req, "Expect", &count);
  if (!expect || !*expect) return true;
  if (strcasecmp(expect, "100-continue") != 0)
    return reply_closing(req, 417, "expectation_failed", "expected no Expect but 100-continue");
  if (is_http_1_1(req) && req->body_pending) mg_write(req->conn, go_on, sizeof go_on - 1);
  return true;
}

enum body_result { BODY_WHOLE, BODY_LATE, BODY_TOO_LARGE, BODY_NO_ROOM };

// For a length that is known all at once; else it doubles. One byte more than the limit is room enough to see
// that the limit is passed.
static bool make_room(struct request *req, size_t *room) {
  size_t most = req->body_max_bytes + 1, more = *room ? *room : FIRST_CHUNKED_BYTES;
  if (req->info->content_length >= 0) most = more = (size_t)req->info->content_length;
  if (more > most - *room) more = most - *room;
  if (!request_hold(req, more)) return false;
  *room += more;
  req->body.bytes = mem_grow(req->body.bytes, *room, 1);
  return true;
}

// Reads on. LATE: the clock ends it, or the peer has failed.
static enum body_result read_until(struct request *req, size_t *room, int64_t by_ms) {
  struct request_body *body = &req->body;
  int64_t length = req->info->content_length;
  int n;
  do {
    if (body->len == *room && !make_room(req, room)) return BODY_NO_ROOM;
    size_t size = *room - body->len;
    if (length < 0 && size > READ_CHUNKED_BYTES) size = READ_CHUNKED_BYTES;
    n = listen_read(req->conn, body->bytes + body->len, size, by_ms);
    if (n > 0) body->len += (size_t)n;
    if (body->len > req->body_max_bytes) return BODY_TOO_LARGE;
    if (length < 0 ? n == 0 : (int64_t)body->len == length) return BODY_WHOLE; // 0: behind the last chunk
  } while (n >= 0 && clock_mono_ms() < by_ms);
  return BODY_LATE;
}

// Chunks count as slow from the start, since a clock that cuts them ends them.
static enum body_result read_body(struct request *req) {
  int64_t quick_by_ms = clock_mono_ms() + QUICK_MS;
  size_t room = 0;
  enum body_result result = BODY_LATE;
  if (req->info->content_length >= 0) {
    result = read_until(req, &room, quick_by_ms < req->body_by_ms ? quick_by_ms : req->body_by_ms);
    if (result != BODY_LATE || clock_mono_ms() < quick_by_ms) return result;
  }
  if (!quota_begin_slow(req->quota)) return BODY_NO_ROOM;
  result = read_until(req, &room, req->body_by_ms);
  quota_end_slow(req->quota);
  return result;
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

bool edge_read_body(struct request *req) {
  if (req->no_length)
    return reply_closing(req, 411, "length_required",
                         "expected Content-Length, or Transfer-Encoding: chunked");
  if (req->info->content_length > (int64_t)req->body_max_bytes)
    return reply_too_large(req, "the body"); // not asked for
  if (!answer_expectation(req)) return false;
  switch (read_body(req)) {
  case BODY_TOO_LARGE:
    return reply_too_large(req, "the body");
  case BODY_NO_ROOM:
    return reply_overload(req);
  case BODY_LATE:
    return reply_closing(req, 503, "incomplete", "the body did not come whole and in time");
  case BODY_WHOLE:
    break;
  }
  if (begins_with_a_head(req))
    return reply_closing(req, 400, "bad_head", "expected no empty lines before a request");
  req->body_pending = false;
  return true;
}

// ---- the answer ----

static void linger(const struct request *req) {
  char rest[READ_CHUNKED_BYTES];
  int64_t by_ms = clock_mono_ms() + (req->quota ? LINGER_MS : LINGER_SHORT_MS);
  while (clock_mono_ms() < by_ms && listen_read(req->conn, rest, sizeof rest, by_ms) > 0) continue;
}

void edge_close(struct request *req) {
  const struct reply *reply = &req->reply;
  http_answer_send(req->conn,
                   &(struct http_answer){.status = reply->status,
                                         .content_type = reply->content_type,
                                         .body = reply->body,
                                         .body_len = reply->body ? strlen(reply->body) : 0,
                                         .headers = reply->headers,
                                         .close = reply->close || req->body_pending || req->no_length});
  if (req->body_pending) linger(req);
  if (req->content.bytes != req->body.bytes) free(req->content.bytes);
  free(req->body.bytes);
  free(req->reply.body);
  if (!req->quota) return;
  quota_release(req->quota, req->held_bytes);
  quota_leave(req->quota);
}
