// SPDX-License-Identifier: MIT
// The edge on a real listener, with a handler that only reads: what is framed in two ways is refused, a body
// is bounded in size and time, and whoever is refused gets to read why.
#include "ingress/http/edge.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/ops/listen.h"
#include "tests/unit/support/wire.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define GO_ON "HTTP/1.1 100 Continue\r\n\r\n"
#define POST  "POST /a HTTP/1.1\r\nHost: t\r\n"
#define END   "\r\n"
enum { LIMIT = 3000, TIMEOUT_MS = 250, FAR_MS = 10000, BUDGET_BYTES = 1 << 26, LATE_MS = 600 };

static int port;
static atomic_int bodies; // that came whole
static _Atomic int64_t body_ms = FAR_MS;
static atomic_size_t limit = LIMIT;
static struct quota quota = {.bytes_max = BUDGET_BYTES};
static struct quota_lane lane = {.quota = &quota, .threads_max = 100};

static unsigned sum_of(const char *bytes, size_t len) {
  unsigned sum = 0;
  for (size_t i = 0; i < len; i++) sum = sum * 31 + (unsigned char)bytes[i];
  return sum;
}

static bool read_request(struct request *req, struct mg_connection *conn) {
  if (!edge_open(req, conn)) return false;
  req->quota = quota_enter(&lane, false) ? &lane : NULL;
  req->body_max_bytes = atomic_load(&limit);
  req->body_limit = "DOCHAK_BODY_MAX_BYTES";
  req->body_by_ms = req->began_ms + atomic_load(&body_ms);
  return edge_read_body(req);
}

static int serve(struct mg_connection *conn, void *arg) {
  struct request req;
  if (read_request(&req, conn)) {
    char *body = mem_printf("%zu %u", req.body.len, sum_of(req.body.bytes, req.body.len));
    reply_ok(&req, 200, body, REPLY_NONE);
    atomic_fetch_add(&bodies, 1);
  }
  edge_close(&req);
  return req.reply.status;
}

static struct mg_context *ctx;

static int start(void **state) {
  struct err err;
  const struct listen_options options = {
      .address = "127.0.0.1:0", .threads = 64, .timeout_ms = TIMEOUT_MS, .keep_alive = true};
  ctx = listen_start(&options, serve, NULL, &err);
  if (!ctx) return 1;
  port = listen_port(ctx);
  return 0;
}

// What a request holds is given back, whatever became of it.
static int stop(void **state) {
  listen_stop(ctx);
  return atomic_load(&quota.bytes) || atomic_load(&lane.bytes) || atomic_load(&lane.threads) ||
         atomic_load(&lane.slow);
}

static char *ask(const char *request) {
  return wire_exchange(port, request, strlen(request));
}

// All that comes until the connection ends.
static char *receive_all(int fd) {
  char *text = mem_alloc(WIRE_ANSWER_MAX + 1);
  size_t len = 0;
  for (ssize_t n; (n = recv(fd, text + len, WIRE_ANSWER_MAX - len, 0)) > 0;) len += (size_t)n;
  return text;
}

static size_t count_answers(const char *text) {
  size_t n = 0;
  for (const char *at = text; (at = strstr(at, "HTTP/1.1 ")); at++)
    n += strncmp(at, GO_ON, strlen("HTTP/1.1 100")) != 0;
  return n;
}

static void assert_status(const char *what, const char *answer, int status, const char *text) {
  if (wire_status(answer) != status) fail_msg("%s: expected %d, got: %s", what, status, answer);
  if (text && !strstr(answer, text)) fail_msg("%s: expected %s in: %s", what, text, answer);
}

// ---- the head ----

static const struct {
  const char *what, *request;
  int status;
  const char *text;
} heads[] = {
    {"a length", POST "Content-Length: 2\r\n" END "{}", 200, "keep-alive"},
    {"its name in any case", POST "content-LENGTH: 2\r\n" END "{}", 200, NULL},
    {"zeroes in front", POST "Content-Length: 0002\r\n" END "{}", 200, NULL},
    {"no body", POST "Content-Length: 0\r\n" END, 200, "\r\n\r\n0 0"},
    {"the same length twice", POST "Content-Length: 2\r\nContent-Length: 2\r\n" END "{}", 400, "bad_framing"},
    {"two lengths", POST "Content-Length: 2\r\nContent-Length: 1\r\n" END "{}", 400, "bad_framing"},
    {"two, in two cases", POST "content-length: 2\r\nCONTENT-LENGTH: 2\r\n" END "{}", 400, "bad_framing"},
    {"a list", POST "Content-Length: 2, 2\r\n" END "{}", 400, "bad_framing"},
    {"a plus", POST "Content-Length: +2\r\n" END "{}", 400, "bad_framing"},
    {"a minus", POST "Content-Length: -2\r\n" END "{}", 400, "bad_framing"},
    {"minus nought", POST "Content-Length: -0\r\n" END, 400, "bad_framing"},
    {"hexadecimal", POST "Content-Length: 0x2\r\n" END "{}", 400, "bad_framing"},
    {"a fraction", POST "Content-Length: 2.0\r\n" END "{}", 400, "bad_framing"},
    {"an exponent", POST "Content-Length: 2e0\r\n" END "{}", 400, "bad_framing"},
    {"two numbers", POST "Content-Length: 2 2\r\n" END "{}", 400, "bad_framing"},
    {"no number", POST "Content-Length:\r\n" END "{}", 400, "bad_framing"},
    {"more than 2^63", POST "Content-Length: 9223372036854775808\r\n" END "{}", 400, "bad_framing"},
    {"2^64 + 2", POST "Content-Length: 18446744073709551618\r\n" END "{}", 400, "bad_framing"},
    {"19 digits", POST "Content-Length: 1000000000000000000\r\n" END "{}", 400, "bad_framing"},
    {"18 digits", POST "Content-Length: 999999999999999999\r\n" END "{}", 413, "too_large"},
    {"a length and chunks", POST "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n" END "0\r\n\r\n", 400,
     "bad_framing"},
    {"chunks and a length", POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" END "0\r\n\r\n", 400,
     "bad_framing"},
    {"chunks twice", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" END "0\r\n\r\n", 400,
     NULL},
    {"another coding", POST "Transfer-Encoding: gzip\r\n" END "0\r\n\r\n", 400, NULL},
    {"codings", POST "Transfer-Encoding: gzip, chunked\r\n" END "0\r\n\r\n", 400, NULL},
    {"identity", POST "Transfer-Encoding: identity\r\nContent-Length: 2\r\n" END "{}", 400, NULL},
    {"nearly chunked", POST "Transfer-Encoding: xchunked\r\n" END "0\r\n\r\n", 400, NULL},
    {"chunks of HTTP/1.0", "POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" END "0\r\n\r\n", 400, NULL},
    {"a length of HTTP/1.0", "POST /a HTTP/1.0\r\nContent-Length: 2\r\n" END "{}", 200, "Connection: close"},
    {"chunked in any case", POST "Transfer-Encoding: Chunked\r\n" END "0\r\n\r\n", 200, "\r\n\r\n0 0"},
    {"no length", POST END, 411, "length_required"},
    {"no length but a body", POST END "{}", 411, "Connection: close"},
    {"wish to close", POST "Connection: close\r\nContent-Length: 2\r\n" END "{}", 200, "Connection: close"},
    {"announced too large", POST "Content-Length: 3001\r\n" END, 413, "3000 bytes (DOCHAK_BODY_MAX_BYTES)"},
};

static void test_a_head_that_can_be_read_in_two_ways_is_refused(void **state) {
  for (size_t i = 0; i < COUNT_OF(heads); i++) {
    char *answer = ask(heads[i].request);
    assert_status(heads[i].what, answer, heads[i].status, heads[i].text);
    if (heads[i].status >= 400 && !strstr(answer, "Connection: close\r\n")) fail_msg("%s", heads[i].what);
    free(answer);
  }
}

static char *with_headers(int n) {
  char *request = mem_strdup("POST /a HTTP/1.1\r\n");
  for (int i = 1; i < n; i++) {
    char *more = mem_printf("%sX-%d: %d\r\n", request, i, i);
    free(request);
    request = more;
  }
  char *whole = mem_printf("%sContent-Length: 2\r\n\r\n{}", request);
  free(request);
  return whole;
}

// civetweb keeps 64 and drops the rest, which may be the one that matters.
static void test_no_header_is_dropped(void **state) {
  static const struct {
    int n, status;
  } rows[] = {{1, 200}, {62, 200}, {63, 200}, {64, 431}, {65, 431}, {200, 431}};
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    AUTO_FREE char *request = with_headers(rows[i].n);
    char *answer = ask(request);
    AUTO_FREE char *what = mem_printf("%d headers", rows[i].n);
    assert_status(what, answer, rows[i].status, NULL);
    free(answer);
  }
}

static const struct {
  const char *what, *request;
  bool goes_on;
  int status;
} expectations[] = {
    {"100-continue", POST "Expect: 100-continue\r\nContent-Length: 2\r\n" END "{}", true, 200},
    {"in any case", POST "expect: 100-Continue\r\nContent-Length: 2\r\n" END "{}", true, 200},
    {"with chunks", POST "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n" END "0\r\n\r\n", true, 200},
    {"none", POST "Expect:\r\nContent-Length: 2\r\n" END "{}", false, 200},
    {"only space", POST "Expect:   \r\nContent-Length: 2\r\n" END "{}", false, 200},
    {"without a body", POST "Expect: 100-continue\r\nContent-Length: 0\r\n" END, false, 200},
    {"HTTP/1.0", "POST /a HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n" END "{}", false, 200},
    {"another", POST "Expect: 200-ok\r\nContent-Length: 2\r\n" END "{}", false, 417},
    {"nearly", POST "Expect: 100-continued\r\nContent-Length: 2\r\n" END "{}", false, 417},
    {"too large a body", POST "Expect: 100-continue\r\nContent-Length: 3001\r\n" END, false, 413},
};

static void test_an_expectation_is_met_or_refused(void **state) {
  for (size_t i = 0; i < COUNT_OF(expectations); i++) {
    char *answer = ask(expectations[i].request);
    assert_status(expectations[i].what, answer, expectations[i].status, NULL);
    if ((strncmp(answer, GO_ON, strlen(GO_ON)) == 0) != expectations[i].goes_on)
      fail_msg("%s: %s", expectations[i].what, answer);
    free(answer);
  }
}

static void test_the_body_may_wait_for_the_continue(void **state) {
  static const char head[] = POST "Expect: 100-continue\r\nContent-Length: 2\r\n" END;
  char got[sizeof GO_ON] = "";
  int fd = wire_connect(port);
  wire_send(fd, head, strlen(head));
  assert_int_equal(recv(fd, got, sizeof got - 1, MSG_WAITALL), sizeof got - 1);
  assert_string_equal(got, GO_ON);
  wire_send(fd, "{}", 2);
  char *answer = wire_receive(fd);
  assert_status("expect", answer, 200, NULL);
  free(answer);
  close(fd);
}

// ---- the body ----

static void assert_read(const char *what, const char *answer, const char *body, size_t len) {
  AUTO_FREE char *want = mem_printf("%zu %u", len, sum_of(body, len));
  assert_status(what, answer, 200, NULL);
  assert_string_equal(wire_body(answer), want);
}

static char *body_of(size_t len) {
  char *body = mem_alloc(len + 1);
  for (size_t i = 0; i < len; i++) body[i] = (char)('a' + i % 23);
  return body;
}

static char *chunked(const char *body, size_t len, size_t chunk) {
  char *request = mem_alloc(sizeof POST + 64 + len * 12);
  char *to = stpcpy(request, POST "Transfer-Encoding: chunked\r\n" END);
  for (size_t at = 0; at < len; at += chunk) {
    size_t n = len - at < chunk ? len - at : chunk;
    to += sprintf(to, "%zX\r\n%.*s\r\n", n, (int)n, body + at);
  }
  strcpy(to, "0\r\n\r\n");
  return request;
}

static void test_a_body_may_be_as_large_as_the_limit_and_no_larger(void **state) {
  static const size_t sizes[] = {1, 31, 32, 33, 63, 64, 65, 1000, LIMIT - 1, LIMIT, LIMIT + 1, LIMIT * 2};
  static const size_t chunks[] = {1, 7, 1000, LIMIT, LIMIT * 2};
  for (size_t i = 0; i < COUNT_OF(sizes); i++) {
    AUTO_FREE char *body = body_of(sizes[i]);
    char *answer = wire_post(port, "/a", "", body, sizes[i]);
    if (sizes[i] <= LIMIT)
      assert_read("sized", answer, body, sizes[i]);
    else
      assert_status("sized", answer, 413, "Connection: close");
    free(answer);
    for (size_t k = 0; k < COUNT_OF(chunks); k++) {
      AUTO_FREE char *request = chunked(body, sizes[i], chunks[k]);
      answer = ask(request);
      if (sizes[i] <= LIMIT)
        assert_read("chunked", answer, body, sizes[i]);
      else
        assert_status("chunked", answer, 413, "Connection: close");
      free(answer);
    }
  }
}

static int connect_nodelay(void) {
  int fd = wire_connect(port), yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

static void test_a_request_may_be_cut_anywhere(void **state) {
  static const char body[] = "one chunk, and a second";
  AUTO_FREE char *request = chunked(body, sizeof body - 1, 11);
  size_t len = strlen(request);
  for (size_t cut = 1; cut < len; cut++) {
    int fd = connect_nodelay();
    wire_send(fd, request, cut);
    clock_sleep_ms(1);
    wire_send(fd, request + cut, len - cut);
    char *answer = wire_receive(fd);
    assert_read("cut", answer, body, sizeof body - 1);
    free(answer);
    close(fd);
  }
}

static void test_a_request_may_come_byte_by_byte(void **state) {
  static const char request[] = POST "Content-Length: 12\r\n" END "twelve bytes";
  int fd = connect_nodelay();
  for (size_t i = 0; i < sizeof request - 1; i++) {
    wire_send(fd, request + i, 1);
    clock_sleep_ms(1);
  }
  char *answer = wire_receive(fd);
  assert_read("drip", answer, "twelve bytes", 12);
  free(answer);
  close(fd);
}

static const struct {
  const char *what, *chunks;
} broken[] = {
    {"no size", "\r\n\r\n"},
    {"no hexadecimal", "zz\r\n{}\r\n0\r\n\r\n"},
    {"a minus", "-2\r\n{}\r\n0\r\n\r\n"},
    {"more than it says", "1\r\n{}\r\n0\r\n\r\n"},
    {"no line end", "2\r\n{}0\r\n\r\n"},
    {"a line feed alone", "2\n{}\n0\n\n"},
};

static void test_broken_chunks_are_no_body(void **state) {
  int before = atomic_load(&bodies);
  for (size_t i = 0; i < COUNT_OF(broken); i++) {
    AUTO_FREE char *request = mem_printf(POST "Transfer-Encoding: chunked\r\n" END "%s", broken[i].chunks);
    char *answer = ask(request);
    assert_status(broken[i].what, answer, 503, "Connection: close");
    free(answer);
  }
  assert_int_equal(atomic_load(&bodies), before);
}

static void test_a_body_that_ends_early_is_not_taken(void **state) {
  static const char *const requests[] = {POST "Content-Length: 3\r\n" END "{}",
                                         POST "Transfer-Encoding: chunked\r\n" END "2\r\n{}\r\n",
                                         POST "Transfer-Encoding: chunked\r\n" END "2\r\n{"};
  int before = atomic_load(&bodies);
  for (size_t i = 0; i < COUNT_OF(requests); i++) {
    int fd = wire_connect(port);
    wire_send(fd, requests[i], strlen(requests[i]));
    shutdown(fd, SHUT_WR);
    int64_t began = clock_mono_ms();
    char *answer = wire_receive(fd);
    assert_status(requests[i], answer, 503, "incomplete");
    assert_true(clock_mono_ms() - began < FAR_MS / 2);
    free(answer);
    close(fd);
  }
  assert_int_equal(atomic_load(&bodies), before);
}

// ---- clocks ----

static const char *const slow_heads[] = {POST "Content-Length: 2900\r\n" END,
                                         POST "Transfer-Encoding: chunked\r\n" END "b54\r\n"};

// Each of the slow bodies begins with n bytes at once, then drips until it is refused.
static void check_drips(const char *first, size_t n) {
  enum { CLOCK_MS = 300, EACH_MS = 20 };
  atomic_store(&body_ms, CLOCK_MS);
  for (size_t i = 0; i < COUNT_OF(slow_heads); i++) {
    int fd = connect_nodelay();
    wire_send(fd, slow_heads[i], strlen(slow_heads[i]));
    if (n) wire_send(fd, first, n);
    int64_t began = clock_mono_ms();
    char byte;
    while (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 1 && clock_mono_ms() - began < FAR_MS) {
      wire_send(fd, "x", 1);
      clock_sleep_ms(EACH_MS);
    }
    char *answer = wire_receive(fd);
    assert_status("drip", answer, 503, "incomplete");
    assert_in_range(clock_mono_ms() - began, CLOCK_MS - EACH_MS, CLOCK_MS + LATE_MS);
    free(answer);
    close(fd);
  }
  atomic_store(&body_ms, FAR_MS);
}

static void test_a_body_that_drips_ends_with_its_clock(void **state) {
  check_drips(NULL, 0);
}

static void test_a_body_that_begins_quickly_and_drips_then_ends_with_its_clock(void **state) {
  enum { QUICKLY = 1500 };
  char first[QUICKLY];
  memset(first, 'x', sizeof first);
  check_drips(first, sizeof first);
}

static void test_a_silent_body_ends_with_its_clock(void **state) {
  atomic_store(&body_ms, 2 * TIMEOUT_MS);
  for (size_t i = 0; i < COUNT_OF(slow_heads); i++) {
    int fd = wire_connect(port);
    wire_send(fd, slow_heads[i], strlen(slow_heads[i]));
    int64_t began = clock_mono_ms();
    char *answer = wire_receive(fd);
    assert_status("silent", answer, 503, "incomplete");
    assert_in_range(clock_mono_ms() - began, TIMEOUT_MS / 2, 2 * TIMEOUT_MS + LATE_MS);
    free(answer);
    close(fd);
  }
  atomic_store(&body_ms, FAR_MS);
}

// A peer that sends `part` again and again, until the connection ends or for FAR_MS.
static int64_t drip(int fd, const char *part, int64_t each_ms) {
  int64_t began = clock_mono_ms();
  while (send(fd, part, strlen(part), MSG_NOSIGNAL) > 0 && clock_mono_ms() - began < FAR_MS)
    clock_sleep_ms(each_ms);
  return clock_mono_ms() - began;
}

static const struct {
  const char *what, *head, *first, *part;
  int64_t clock_ms, max_ms;
} drips[] = {
    {"a chunk's size", POST "Transfer-Encoding: chunked\r\n" END, "0", "0", 300, 300},
    {"chunks of one byte", POST "Transfer-Encoding: chunked\r\n" END, "1\r\nx\r\n", "1\r\nx\r\n", 300, 300},
    {"what is behind a refusal", POST "Content-Length: 4000\r\n" END, NULL, "x", FAR_MS, 1000},
    {"chunks behind a refusal", POST "Expect: x\r\nTransfer-Encoding: chunked\r\n" END "61a80\r\n", NULL, "x",
     FAR_MS, 1000},
    {"what is behind a bad head", POST "Content-Length: 4000\r\nContent-Length: 4000\r\n" END, NULL, "x",
     FAR_MS, 50},
};

// In civetweb each byte of a read may take its whole timeout.
static void test_a_thread_is_free_soon_after_the_clock_however_the_peer_sends(void **state) {
  enum { EACH_MS = 60, QUICKLY = 130 };
  char quickly[QUICKLY + 1] = "";
  memset(quickly, 'x', QUICKLY);
  for (size_t i = 0; i < COUNT_OF(drips); i++) {
    atomic_store(&body_ms, drips[i].clock_ms);
    const char *first = drips[i].first ? drips[i].first : quickly;
    int fd = connect_nodelay();
    wire_send(fd, drips[i].head, strlen(drips[i].head));
    wire_send(fd, first, strlen(first));
    int64_t ms = drip(fd, drips[i].part, EACH_MS);
    if (ms > drips[i].max_ms + LATE_MS) fail_msg("%s: %lld ms", drips[i].what, (long long)ms);
    close(fd);
  }
  atomic_store(&body_ms, FAR_MS);
}

static void test_a_body_that_stops_after_a_quick_beginning_counts_as_slow(void **state) {
  enum { QUICKLY = 127, EACH_MS = 50 };
  char first[QUICKLY] = {0};
  for (size_t i = 0; i < COUNT_OF(slow_heads); i++) {
    int fd = connect_nodelay();
    wire_send(fd, slow_heads[i], strlen(slow_heads[i]));
    wire_send(fd, first, sizeof first);
    int64_t began = clock_mono_ms();
    while (atomic_load(&lane.slow) == 0 && clock_mono_ms() - began < FAR_MS) {
      wire_send(fd, "x", 1);
      clock_sleep_ms(EACH_MS);
    }
    assert_in_range(clock_mono_ms() - began, 0, LATE_MS);
    close(fd);
    while (atomic_load(&lane.slow) && clock_mono_ms() - began < FAR_MS) clock_sleep_ms(1);
  }
}

static void test_large_bodies_that_come_late_are_read_at_once(void **state) {
  enum { BODIES = 40, LARGE = 500000, CLOCK_MS = 3000, NOT_QUICK_MS = 300 };
  AUTO_FREE char *body = body_of(LARGE);
  int fds[BODIES];
  atomic_store(&limit, LARGE);
  atomic_store(&body_ms, CLOCK_MS);
  for (size_t i = 0; i < BODIES; i++) {
    AUTO_FREE char *head = mem_printf(POST "Content-Length: %d\r\n" END "%c", LARGE, body[0]);
    fds[i] = wire_connect(port);
    wire_send(fds[i], head, strlen(head));
  }
  clock_sleep_ms(NOT_QUICK_MS);
  for (size_t i = 0; i < BODIES; i++) wire_send(fds[i], body + 1, LARGE - 1);
  for (size_t i = 0; i < BODIES; i++) {
    AUTO_FREE char *answer = wire_receive(fds[i]);
    assert_read("large", answer, body, LARGE);
    close(fds[i]);
  }
  atomic_store(&body_ms, FAR_MS);
  atomic_store(&limit, LIMIT);
}

// For how long a body is waited for, from `began` on. A busy machine may close the connection before the
// head.
static int64_t wait_late(int fd, int64_t began) {
  wire_send(fd, slow_heads[0], strlen(slow_heads[0]));
  AUTO_FREE char *answer = wire_receive(fd);
  if (*answer) assert_status("late", answer, 503, "incomplete");
  return *answer ? clock_mono_ms() - began : FAR_MS;
}

static int64_t wait_from_connection(int64_t idle_ms) {
  int fd = wire_connect(port);
  int64_t began = clock_mono_ms();
  clock_sleep_ms(idle_ms);
  int64_t ms = wait_late(fd, began);
  close(fd);
  return ms;
}

static int64_t wait_from_next_head(int64_t idle_ms) {
  int fd = wire_connect(port);
  wire_send(fd, heads[0].request, strlen(heads[0].request));
  free(wire_receive(fd));
  clock_sleep_ms(idle_ms);
  int64_t ms = wait_late(fd, clock_mono_ms());
  close(fd);
  return ms;
}

// A busy machine only makes it later: the soonest of several counts.
static void test_the_clock_begins_with_the_connection_or_with_the_next_head(void **state) {
  enum { CLOCK_MS = 600, IDLE_MS = 150, EARLY_MS = 20, TIMES = 8 };
  int64_t first = FAR_MS, next = FAR_MS, end = CLOCK_MS + IDLE_MS - EARLY_MS;
  atomic_store(&body_ms, CLOCK_MS);
  for (int i = 0; i < TIMES && (first > end || next > end); i++) {
    int64_t one = wait_from_connection(IDLE_MS), other = wait_from_next_head(IDLE_MS);
    first = one < first ? one : first;
    next = other < next ? other : next;
  }
  assert_in_range(first, CLOCK_MS - EARLY_MS, end);
  assert_in_range(next, CLOCK_MS - EARLY_MS, end);
  atomic_store(&body_ms, FAR_MS);
}

// ---- the connection ----

static void test_a_connection_serves_one_request_after_another(void **state) {
  static const char *const requests[] = {POST "Content-Length: 2\r\n" END "{}",
                                         POST "Transfer-Encoding: chunked\r\n" END "2\r\n{}\r\n0\r\n\r\n",
                                         POST "Content-Length: 0\r\n" END};
  int fd = wire_connect(port);
  for (int i = 0; i < 12; i++) {
    const char *request = requests[i % 3];
    wire_send(fd, request, strlen(request));
    char *answer = wire_receive(fd);
    assert_status("kept", answer, 200, "Connection: keep-alive");
    free(answer);
  }
  close(fd);
}

static void test_requests_in_a_row_are_answered_in_a_row(void **state) {
  static const char two[] =
      POST "Content-Length: 2\r\n" END "{}" POST "Connection: close\r\nContent-Length: 3\r\n" END "[ ]";
  int fd = wire_connect(port);
  wire_send(fd, two, strlen(two));
  char *all = receive_all(fd);
  assert_int_equal(count_answers(all), 2);
  assert_non_null(strstr(all, "\r\n\r\n2 "));
  assert_non_null(strstr(all, "\r\n\r\n3 "));
  free(all);
  close(fd);
}

// What stands behind a refused request may be its body, or made to look like a request.
static const struct {
  const char *what, *request;
  int status;
} refused[] = {
    {"two lengths", POST "Content-Length: 2\r\nContent-Length: 2\r\n" END "{}", 400},
    {"ill-formed", POST "Content-Length: +2\r\n" END "{}", 400},
    {"both", POST "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n" END "0\r\n\r\n", 400},
    {"coding", POST "Transfer-Encoding: gzip\r\n" END, 400},
    {"no length", POST END, 411},
    {"too large", POST "Content-Length: 4000\r\n" END, 413},
    {"expectation", POST "Expect: x\r\nContent-Length: 2\r\n" END "{}", 417},
    {"chunks", POST "Transfer-Encoding: chunked\r\n" END "zz\r\n", 503},
};

static void test_nothing_behind_a_refused_request_is_answered(void **state) {
  static const char second[] = POST "Content-Length: 2\r\n" END "{}";
  int before = atomic_load(&bodies);
  for (size_t i = 0; i < COUNT_OF(refused); i++) {
    AUTO_FREE char *both = mem_printf("%s%s", refused[i].request, second);
    int fd = wire_connect(port);
    wire_send(fd, both, strlen(both));
    shutdown(fd, SHUT_WR);
    char *all = receive_all(fd);
    assert_status(refused[i].what, all, refused[i].status, NULL);
    if (count_answers(all) != 1) fail_msg("%s: %s", refused[i].what, all);
    free(all);
    close(fd);
  }
  assert_int_equal(atomic_load(&bodies), before);
}

// A close while bytes are unread is a reset, which takes the answer away from a peer that still sends.
static void test_a_refusal_can_be_read_by_a_peer_that_sends_on(void **state) {
  enum { MUCH = 400000 };
  static const struct {
    const char *head;
    int status;
  } peers[] = {{POST "Content-Length: 400000\r\n" END, 413},
               {POST "Transfer-Encoding: chunked\r\n" END "61a80\r\n", 413},
               {POST "Expect: x\r\nTransfer-Encoding: chunked\r\n" END "61a80\r\n", 417}};
  AUTO_FREE char *body = body_of(MUCH);
  for (size_t i = 0; i < COUNT_OF(peers); i++) {
    int fd = wire_connect(port);
    wire_send(fd, peers[i].head, strlen(peers[i].head));
    for (size_t at = 0; at < MUCH; at += MUCH / 20) {
      wire_send(fd, body + at, MUCH / 20);
      clock_sleep_ms(2);
    }
    char *answer = wire_receive(fd);
    assert_status(peers[i].head, answer, peers[i].status, "Connection: close");
    if (recv(fd, answer, 1, 0) != 0) fail_msg("%s: reset", peers[i].head);
    free(answer);
    close(fd);
  }
}

// ---- bytes ----

static void test_a_body_that_finds_no_room_is_our_overload(void **state) {
  struct quota_lane other = {.quota = &quota, .threads_max = 1};
  AUTO_FREE char *body = body_of(1000), *request = chunked(body, 1000, 100);
  assert_true(quota_hold(&other, BUDGET_BYTES, 0));
  assert_true(quota_hold(&lane, BUDGET_BYTES / 16, 0)); // what is each lane's own is used up as well
  char *answer = wire_post(port, "/a", "", body, 1000);
  assert_status("sized", answer, 503, "Retry-After: 1\r\n");
  free(answer);
  answer = ask(request);
  assert_status("chunked", answer, 503, "\"overload\"");
  free(answer);
  quota_release(&other, BUDGET_BYTES);
  quota_release(&lane, BUDGET_BYTES / 16);
  answer = wire_post(port, "/a", "", body, 1000);
  assert_read("room again", answer, body, 1000);
  free(answer);
}

int main(void) {
  log_init("test", LOG_LEVEL_ERROR);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_head_that_can_be_read_in_two_ways_is_refused),
      cmocka_unit_test(test_no_header_is_dropped),
      cmocka_unit_test(test_an_expectation_is_met_or_refused),
      cmocka_unit_test(test_the_body_may_wait_for_the_continue),
      cmocka_unit_test(test_a_body_may_be_as_large_as_the_limit_and_no_larger),
      cmocka_unit_test(test_a_request_may_be_cut_anywhere),
      cmocka_unit_test(test_a_request_may_come_byte_by_byte),
      cmocka_unit_test(test_broken_chunks_are_no_body),
      cmocka_unit_test(test_a_body_that_ends_early_is_not_taken),
      cmocka_unit_test(test_a_body_that_drips_ends_with_its_clock),
      cmocka_unit_test(test_a_body_that_begins_quickly_and_drips_then_ends_with_its_clock),
      cmocka_unit_test(test_a_silent_body_ends_with_its_clock),
      cmocka_unit_test(test_a_thread_is_free_soon_after_the_clock_however_the_peer_sends),
      cmocka_unit_test(test_a_body_that_stops_after_a_quick_beginning_counts_as_slow),
      cmocka_unit_test(test_large_bodies_that_come_late_are_read_at_once),
      cmocka_unit_test(test_the_clock_begins_with_the_connection_or_with_the_next_head),
      cmocka_unit_test(test_a_connection_serves_one_request_after_another),
      cmocka_unit_test(test_requests_in_a_row_are_answered_in_a_row),
      cmocka_unit_test(test_nothing_behind_a_refused_request_is_answered),
      cmocka_unit_test(test_a_refusal_can_be_read_by_a_peer_that_sends_on),
      cmocka_unit_test(test_a_body_that_finds_no_room_is_our_overload),
  };
  return cmocka_run_group_tests(tests, start, stop);
}
