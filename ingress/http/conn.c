// SPDX-License-Identifier: MIT
#include "ingress/http/conn.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/kafka/event.h"
#include "common/ops/http.h"
#include "ingress/http/chunked.h"
#include "ingress/share.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  IN_BYTES = 2048, // most requests fit, head and body
  CHUNKED_BYTES_FIRST = 4096,
  STEPS_A_TURN = 32, // of one connection that sends much at once
};

static const int64_t NEVER = INT64_MAX;

enum state {
  STATE_HEAD, // waiting for a request, or for the rest of its head
  STATE_BODY,
  STATE_WORKING, // somebody else has it
  STATE_WRITING,
  STATE_LINGERING,
  STATE_CLOSED,
};

struct conn {
  struct loop_watch watch;
  struct loop_timer timer; // fires at or before deadline_ms
  struct mail mail;        // to be freed, or to go on in the next turn
  struct guest guest;
  struct conns *conns;
  struct in_addr address;
  int fd;
  enum state state;
  bool readable, writable, hung_up; // as epoll has said and no call has contradicted
  bool running;                     // run() is on the stack
  int64_t deadline_ms, began_ms;

  char *in; // a head and what follows it; does not move while a request points into it
  size_t in_len, in_size, scanned, used; // used: by the request
  char *rest;                            // what came behind a chunked body
  size_t rest_len;

  struct request *req;
  bool owns_body, body_read;
  struct chunked chunked;
  size_t body_size;

  char *out;
  size_t out_len, out_done;
  bool close_after, says_close;
};

static void run(struct conn *conn);

// ---- clocks ----

static void set_deadline(struct conn *conn, int64_t at_ms) {
  conn->deadline_ms = at_ms;
  if (at_ms != NEVER && (!conn->timer.place || conn->timer.at_ms > at_ms))
    loop_set_timer(conn->conns->loop, &conn->timer, at_ms);
}

static int64_t in_ms(const struct conn *conn, int64_t ms) {
  return loop_now_ms(conn->conns->loop) + ms;
}

// ---- the end ----

static void free_buffers(struct conn *conn) {
  free(conn->in);
  free(conn->rest);
  free(conn->out);
}

static void on_gone(struct mail *mail) {
  struct conn *conn = CONTAINER_OF(mail, struct conn, mail);
  free_buffers(conn);
  free(conn);
}

static void free_request(struct conn *conn) {
  struct request *req = conn->req;
  if (!req) return;
  if (conn->owns_body) free(req->body.bytes);
  if (req->share) share_give_back(req->share, req->share_held);
  free(req);
  conn->req = NULL;
  conn->owns_body = false;
  atomic_fetch_sub_explicit(conn->conns->in_flight, 1, memory_order_relaxed);
}

static void close_now(struct conn *conn) {
  if (conn->state == STATE_CLOSED) return;
  conn->state = STATE_CLOSED;
  free_request(conn);
  crowd_leave(&conn->conns->crowd, &conn->guest);
  loop_clear_timer(conn->conns->loop, &conn->timer);
  close(conn->fd);
  atomic_fetch_sub(conn->conns->open, 1);
  bool posted = conn->mail.deliver != NULL;
  conn->mail.deliver = on_gone; // events of this turn may still name it
  if (!posted) loop_later(conn->conns->loop, &conn->mail);
}

// The peer has said all it will, or has sent what we do not read: the answer must not be lost to a reset.
static void linger(struct conn *conn) {
  shutdown(conn->fd, SHUT_WR);
  conn->state = STATE_LINGERING;
  conn->in_len = 0;
  crowd_set_idle(&conn->conns->crowd, &conn->guest, true);
  set_deadline(conn, in_ms(conn, CONN_LINGER_MS));
}

// ---- reading ----

enum got { GOT_BYTES, GOT_NOTHING, GOT_END };

static enum got receive(struct conn *conn, char *to, size_t room, size_t *len) {
  *len = 0;
  if (!conn->readable) return GOT_NOTHING;
  ssize_t n;
  do n = recv(conn->fd, to, room, 0);
  while (n < 0 && errno == EINTR);
  if (n < 0 && errno == EAGAIN) {
    conn->readable = false;
    return GOT_NOTHING;
  }
  if (n <= 0) return GOT_END;
  *len = (size_t)n;
  if ((size_t)n < room && !conn->hung_up) conn->readable = false; // epoll(7): then nothing is left
  return GOT_BYTES;
}

static void grow_in(struct conn *conn) {
  conn->in_size = conn->in_size ? 2 * conn->in_size : IN_BYTES;
  conn->in = mem_grow(conn->in, conn->in_size, 1);
}

// An empty line in front of a request is nothing of it yet: some clients send one behind a body.
static bool has_begun(const struct conn *conn) {
  return conn->in_len > 2 || (conn->in_len && conn->in[0] != '\r');
}

// ---- answers ----

static bool send_out(struct conn *conn) {
  while (conn->out_done < conn->out_len) {
    ssize_t n = send(conn->fd, conn->out + conn->out_done, conn->out_len - conn->out_done, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) {
      conn->writable = false;
      return false;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      close_now(conn);
      return false;
    }
    conn->out_done += (size_t)n;
  }
  return true;
}

// What was sent ahead of its turn comes to the front.
static void forget_request(struct conn *conn) {
  free_request(conn);
  size_t left = conn->in_len - conn->used;
  if (conn->rest) {
    free(conn->in);
    conn->in = take(conn->rest);
    conn->in_len = conn->in_size = conn->rest_len;
  } else if (left) {
    memmove(conn->in, conn->in + conn->used, left);
    conn->in_len = left;
  } else {
    free(take(conn->in));
    conn->in_len = conn->in_size = 0;
  }
  conn->scanned = conn->used = 0;
}

static void go_on(struct conn *conn) {
  bool all_read = conn->body_read && conn->in_len == conn->used && !conn->rest;
  free(take(conn->out));
  conn->out_len = conn->out_done = 0;
  if (conn->close_after) {
    free_request(conn);
    if (all_read && conn->says_close)
      close_now(conn);
    else
      linger(conn);
    return;
  }
  forget_request(conn);
  conn->state = STATE_HEAD;
  crowd_set_idle(&conn->conns->crowd, &conn->guest, true);
  conn->began_ms = loop_now_ms(conn->conns->loop);
  set_deadline(conn, in_ms(conn, has_begun(conn) ? CONN_HEAD_MS : CONN_KEEP_ALIVE_MS));
}

static void write_answer(struct conn *conn, const struct reply *reply) {
  const struct request *req = conn->req;
  bool has_content = reply->status != 204; // RFC 9110, section 15.3.5
  size_t body_len = has_content && reply->body ? strlen(reply->body) : 0;
  char length[40] = "", head[512];
  if (has_content) snprintf(length, sizeof length, "Content-Length: %zu\r\n", body_len);
  int head_len =
      snprintf(head, sizeof head, "HTTP/1.1 %d %s\r\n%s%s%sConnection: %s\r\n\r\n", reply->status,
               http_status_text(reply->status), body_len ? "Content-Type: application/json\r\n" : "",
               reply->headers ? reply->headers : "", length, conn->close_after ? "close" : "keep-alive");
  if (req && req->head.method && strcmp(req->head.method, "HEAD") == 0) body_len = 0;
  conn->out = mem_alloc((size_t)head_len + body_len);
  memcpy(conn->out, head, (size_t)head_len);
  if (body_len) memcpy(conn->out + head_len, reply->body, body_len);
  conn->out_len = (size_t)head_len + body_len;
}

static void answer(struct conn *conn, struct reply reply) {
  const struct request *req = conn->req;
  conn->says_close = req && req->head.version && !req->head.keep_alive;
  conn->close_after = reply.close || !conn->body_read || !req || conn->says_close ||
                      atomic_load_explicit(conn->conns->draining, memory_order_relaxed);
  conn->conns->note(conn->conns->arg, req, &reply);
  write_answer(conn, &reply);
  free(reply.body);
  conn->state = STATE_WRITING;
  set_deadline(conn, in_ms(conn, CONN_WRITE_MS));
  if (send_out(conn)) go_on(conn);
}

void request_answer(struct request *req, struct reply reply) {
  struct conn *conn = req->conn;
  answer(conn, reply);
  if (!conn->running) run(conn);
}

static void answer_fault(struct conn *conn, const struct http_fault *fault) {
  conn->body_read = false;
  answer(conn, reply_closing(fault->status, fault->code, fault->message));
}

// ---- the body ----

static void answer_incomplete(struct conn *conn) {
  answer(conn, reply_closing(503, "incomplete", "the body did not come whole and in time"));
}

static void answer_crowded(struct conn *conn) {
  struct reply reply = reply_closing(503, "busy", "too much is being received here at once; send it again");
  reply.headers = "Retry-After: 5\r\n";
  answer(conn, reply);
}

static void hand_over(struct conn *conn, bool body_read) {
  conn->body_read = body_read;
  conn->state = STATE_WORKING;
  set_deadline(conn, NEVER);
  lanes_add(&conn->conns->lanes, conn->req);
}

// Who is refused already learns no limit either: his refusal does without the body.
static void answer_too_large(struct conn *conn) {
  struct request *req = conn->req;
  if (req->refused) {
    req->body.len = 0;
    hand_over(conn, false);
    return;
  }
  AUTO_FREE char *message =
      mem_printf("the body is over the limit of %zu bytes (DOCHAK_BODY_MAX_BYTES)", req->body_max_bytes);
  answer(conn, reply_closing(413, "too_large", message));
}

// Counts what has come, not what was announced: that is what memory is used for. False: answered.
static bool take_bytes(struct conn *conn, size_t n) {
  if (!request_hold(conn->req, n)) {
    answer_crowded(conn);
    return false;
  }
  conn->req->body.len += n;
  return true;
}

// What came with the head is used where it is if all of the body is or fits there.
static bool begin_sized(struct conn *conn) {
  struct request *req = conn->req;
  size_t total = (size_t)req->head.content_length, here = conn->in_len - conn->used;
  if (total > req->body_max_bytes) {
    answer_too_large(conn);
    return false;
  }
  if (here > total) here = total;
  conn->body_size = total;
  conn->owns_body = conn->used + total > conn->in_size;
  req->body.bytes = conn->owns_body ? mem_grow(NULL, total, 1) : conn->in + conn->used;
  if (conn->owns_body) memcpy(req->body.bytes, conn->in + conn->used, here);
  conn->used += here;
  return take_bytes(conn, here);
}

static bool read_sized(struct conn *conn) {
  struct request_body *body = &conn->req->body;
  while (body->len < conn->body_size) {
    size_t n;
    enum got got = receive(conn, body->bytes + body->len, conn->body_size - body->len, &n);
    if (got == GOT_END) answer_incomplete(conn);
    if (got != GOT_BYTES) return got == GOT_END;
    if (!conn->owns_body) conn->used = conn->in_len += n;
    if (!take_bytes(conn, n)) return true;
  }
  hand_over(conn, true);
  return true;
}

// Makes room for `more` bytes of a chunked body. False: answered.
static bool make_room(struct conn *conn, size_t more) {
  struct request *req = conn->req;
  size_t needed = req->body.len + more, size = conn->body_size;
  if (needed <= size) return true;
  while (size < needed) size = size ? 2 * size : CHUNKED_BYTES_FIRST;
  if (!request_hold(req, size - conn->body_size)) {
    answer_crowded(conn);
    return false;
  }
  req->body.bytes = mem_grow(req->body.bytes, size, 1);
  conn->body_size = size;
  conn->owns_body = true;
  return true;
}

static void keep_rest(struct conn *conn, const char *bytes, size_t len) {
  if (!len) return;
  conn->rest = mem_alloc(len);
  memcpy(conn->rest, bytes, len);
  conn->rest_len = len;
}

// Takes raw bytes in. True: the state has changed.
static bool take_chunked(struct conn *conn, char *bytes, size_t len) {
  struct request *req = conn->req;
  size_t used = len, body_len;
  const char *message = NULL;
  enum chunked_result result = chunked_read(&conn->chunked, bytes, &used, &body_len, &message);
  if (result == CHUNKED_FAULT) {
    answer_fault(conn, &(struct http_fault){400, "bad_framing", message});
    return true;
  }
  if (req->body.len + body_len + conn->chunked.left >
      req->body_max_bytes) { // what is still to come of a chunk, too
    answer_too_large(conn);
    return true;
  }
  if (!make_room(conn, body_len)) return true;
  if (body_len) memcpy(req->body.bytes + req->body.len, bytes, body_len);
  req->body.len += body_len;
  if (result == CHUNKED_MORE) return false;
  keep_rest(conn, bytes + used, len - used);
  hand_over(conn, true);
  return true;
}

// A piece a step: chunks may come with any amount of what is no body.
static bool read_chunked(struct conn *conn) {
  char bytes[16384];
  size_t n;
  enum got got = receive(conn, bytes, sizeof bytes, &n);
  if (got == GOT_END) answer_incomplete(conn);
  if (got == GOT_BYTES) take_chunked(conn, bytes, n);
  return got != GOT_NOTHING;
}

// What came with the head.
static bool begin_chunked(struct conn *conn) {
  conn->chunked = (struct chunked){0};
  conn->body_size = 0;
  size_t at = conn->used;
  conn->used = conn->in_len;
  return !(at < conn->in_len && take_chunked(conn, conn->in + at, conn->in_len - at));
}

static bool body_is_here(const struct conn *conn) {
  const struct request *req = conn->req;
  return req->head.body == HTTP_BODY_SIZED ? req->body.len == conn->body_size : conn->used > conn->scanned;
}

// A client that asks waits a second for this before it sends.
static bool answer_expectation(struct conn *conn) {
  static const char go[] = "HTTP/1.1 100 Continue\r\n\r\n";
  if (!conn->req->head.expects_continue || body_is_here(conn)) return true;
  if (send(conn->fd, go, sizeof go - 1, MSG_NOSIGNAL) == sizeof go - 1) return true;
  close_now(conn);
  return false;
}

static void begin_body(struct conn *conn) {
  bool sized = conn->req->head.body == HTTP_BODY_SIZED;
  conn->state = STATE_BODY;
  set_deadline(conn, conn->req->body_by_ms);
  if (sized ? begin_sized(conn) : begin_chunked(conn)) answer_expectation(conn);
}

// ---- the head ----

static void set_sender(struct conn *conn, struct request *req) {
  inet_ntop(AF_INET, &conn->address, req->peer, sizeof req->peer);
  const char *traceparent = http_header(&req->head, "traceparent");
  if (traceparent && event_traceparent_ok(traceparent)) req->traceparent = traceparent;
}

static void begin_request(struct conn *conn) {
  struct conns *conns = conn->conns;
  struct http_fault fault;
  struct reply refusal;
  struct request *req = conn->req = mem_alloc(sizeof *req);
  atomic_fetch_add_explicit(conns->in_flight, 1, memory_order_relaxed);
  crowd_set_idle(&conns->crowd, &conn->guest, false);
  req->conn = conn;
  req->loop = conns->loop;
  req->received_ms = clock_wall_ms();
  req->began_ms = conn->began_ms;
  conn->used = conn->scanned;
  conn->body_read = false;
  if (!http_head_read(&req->head, conn->in, conn->scanned, &fault)) {
    req->head.version = NULL;
    answer_fault(conn, &fault);
    return;
  }
  set_sender(conn, req);
  conn->body_read = req->head.body == HTTP_BODY_NONE;
  if (!conns->admit(conns->arg, req, &refusal))
    answer(conn, refusal);
  else if (conn->body_read)
    hand_over(conn, true);
  else
    begin_body(conn);
}

// True: the state has changed.
static bool read_head(struct conn *conn) {
  struct http_fault fault;
  for (;;) {
    switch (http_head_scan(conn->in, conn->in_len, &conn->scanned, &fault)) {
    case HTTP_SCAN_WHOLE:
      begin_request(conn);
      return true;
    case HTTP_SCAN_FAULT:
      answer_fault(conn, &fault);
      return true;
    case HTTP_SCAN_MORE:
      break;
    }
    bool nothing = conn->in_len == 0, begun = has_begun(conn);
    size_t n;
    if (conn->in_len == conn->in_size) grow_in(conn);
    enum got got = receive(conn, conn->in + conn->in_len, conn->in_size - conn->in_len, &n);
    if (nothing && got != GOT_BYTES) { // an idle connection holds no memory
      free(take(conn->in));
      conn->in_size = 0;
    }
    if (got == GOT_END) close_now(conn);
    if (got != GOT_BYTES) return got == GOT_END;
    conn->in_len += n;
    if (begun || !has_begun(conn)) continue;
    conn->began_ms = loop_now_ms(conn->conns->loop);
    set_deadline(conn, in_ms(conn, CONN_HEAD_MS));
  }
}

static bool read_away(struct conn *conn) {
  char bytes[16384];
  size_t n;
  enum got got = receive(conn, bytes, sizeof bytes, &n);
  if (got == GOT_END) close_now(conn);
  return got == GOT_BYTES;
}

// ---- events ----

// True: there may be more to do.
static bool step(struct conn *conn) {
  switch (conn->state) {
  case STATE_HEAD:
    return read_head(conn);
  case STATE_BODY:
    return conn->req->head.body == HTTP_BODY_SIZED ? read_sized(conn) : read_chunked(conn);
  case STATE_LINGERING:
    return read_away(conn);
  case STATE_WRITING:
    if (!conn->writable || !send_out(conn)) return false;
    go_on(conn);
    return true;
  case STATE_WORKING:
  case STATE_CLOSED:
    break;
  }
  return false;
}

static void on_again(struct mail *mail) {
  struct conn *conn = CONTAINER_OF(mail, struct conn, mail);
  conn->mail.deliver = NULL;
  run(conn);
}

// Others get their turn, too.
static void run(struct conn *conn) {
  if (conn->running || conn->mail.deliver) return;
  conn->running = true;
  int steps = 0;
  while (step(conn) && ++steps < STEPS_A_TURN) {
  }
  conn->running = false;
  if (steps < STEPS_A_TURN || conn->state == STATE_CLOSED) return;
  conn->mail.deliver = on_again;
  loop_post(conn->conns->loop, &conn->mail);
}

static void on_ready(struct loop_watch *watch, uint32_t events) {
  struct conn *conn = CONTAINER_OF(watch, struct conn, watch);
  if (conn->state == STATE_CLOSED) return;
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) conn->readable = true;
  if (events & EPOLLOUT) conn->writable = true;
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) conn->hung_up = true;
  run(conn);
}

static void on_deadline(struct loop_timer *timer) {
  struct conn *conn = CONTAINER_OF(timer, struct conn, timer);
  if (loop_now_ms(conn->conns->loop) < conn->deadline_ms) {
    set_deadline(conn, conn->deadline_ms);
    return;
  }
  if (conn->state == STATE_BODY)
    answer_incomplete(conn);
  else if (conn->state == STATE_HEAD && has_begun(conn))
    answer_fault(conn, &(struct http_fault){503, "too_slow", "the request's head did not come in time"});
  else
    close_now(conn);
}

// ---- start, stop ----

static bool make_way(struct conns *conns, struct in_addr address, bool unlimited) {
  bool full;
  struct guest *guest = crowd_in_the_way(&conns->crowd, address, unlimited, &full);
  if (guest || full)
    log_warn_rarely(
        "connections",
        "too many connections: the one idle longest makes room for each new one, or the new one is "
        "refused; see DOCHAK_CONNECTIONS_MAX, DOCHAK_CONNECTIONS_PER_ADDRESS and trusted_proxies",
        LOG_INT("connections", atomic_load(conns->open)));
  if (guest) {
    atomic_fetch_add_explicit(conns->made_room, 1, memory_order_relaxed);
    close_now(CONTAINER_OF(guest, struct conn, guest));
  }
  return !full;
}

static void turn_away(const struct conns *conns, int fd) {
  static const char text[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 5\r\n"
                             "Connection: close\r\n\r\n";
  conns->note(conns->arg, NULL, &(struct reply){.status = 503});
  ssize_t n = send(fd, text, sizeof text - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  (void)n; // whoever does not get it sees the connection closed
  close(fd);
}

void conn_start(struct conns *conns, int fd, struct in_addr address, bool unlimited) {
  struct err err;
  if (!make_way(conns, address, unlimited)) {
    turn_away(conns, fd);
    return;
  }
  struct conn *conn = mem_alloc(sizeof *conn);
  conn->conns = conns;
  conn->fd = fd;
  conn->address = address;
  conn->watch.ready = on_ready;
  conn->timer.due = on_deadline;
  crowd_join(&conns->crowd, &conn->guest, address);
  atomic_fetch_add(conns->open, 1);
  if (!loop_watch(conns->loop, fd, &conn->watch, &err))
    close_now(conn);
  else
    set_deadline(conn, in_ms(conn, CONN_FIRST_MS));
}

void conns_close_idle(struct conns *conns) {
  for (struct guest *guest = TAILQ_FIRST(&conns->crowd.idle), *next; guest; guest = next) {
    next = TAILQ_NEXT(guest, of_all);
    struct conn *conn = CONTAINER_OF(guest, struct conn, guest);
    if (conn->state == STATE_HEAD) close_now(conn); // an answer on its way is not cut off
  }
}
