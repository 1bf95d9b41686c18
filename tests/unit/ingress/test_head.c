// SPDX-License-Identifier: MIT
// Heads as texts. Each is read whole, byte by byte, and cut in two at every place: the verdict is the same.
#include "common/base/mem.h"
#include "ingress/http/head.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GET(headers) "GET / HTTP/1.1\r\nHost: h\r\n" headers "\r\n"
#define OLD(headers) "GET / HTTP/1.0\r\n" headers "\r\n"

struct verdict {
  enum http_scan scan;
  size_t seen; // WHOLE: the head's length
  struct http_fault fault;
};

// As it comes in: up to `first`, then in pieces of `step`. A copy of each size, so that one byte too far is
// seen.
static struct verdict scan(const char *text, size_t len, size_t first, size_t step) {
  struct verdict out = {.scan = HTTP_SCAN_MORE};
  for (size_t come = first; out.scan == HTTP_SCAN_MORE; come += step) {
    if (come > len) come = len;
    AUTO_FREE char *copy = mem_grow(NULL, come + !come, 1);
    memcpy(copy, text, come);
    out.scan = http_head_scan(copy, come, &out.seen, &out.fault);
    if (come == len) break;
  }
  return out;
}

static void assert_same(const char *text, struct verdict a, struct verdict b, size_t cut) {
  bool same = a.scan == b.scan && (a.scan == HTTP_SCAN_FAULT || a.seen == b.seen) &&
              a.fault.status == b.fault.status && a.fault.message == b.fault.message;
  if (!same)
    fail_msg("cut at %zu: %d %d, whole: %d %d, of %.60s", cut, b.scan, b.fault.status, a.scan, a.fault.status,
             text);
}

static struct verdict scan_any_way(const char *text, size_t len) {
  struct verdict whole = scan(text, len, len, len);
  assert_same(text, whole, scan(text, len, 1, 1), 1);
  for (size_t cut = 0; cut < len; cut += 1 + len / 200)
    assert_same(text, whole, scan(text, len, cut, len), cut);
  return whole;
}

// The status, 0 for a good head. `*bytes` is what `out` points into.
static int read_head(const char *text, size_t len, struct http_head *out, char **bytes, const char **code) {
  struct verdict verdict = scan_any_way(text, len);
  *bytes = NULL;
  *code = verdict.fault.code;
  if (verdict.scan == HTTP_SCAN_FAULT) return verdict.fault.status;
  if (verdict.scan == HTTP_SCAN_MORE) fail_msg("no end in %.60s", text);
  *bytes = mem_grow(NULL, verdict.seen, 1);
  memcpy(*bytes, text, verdict.seen);
  *out = (struct http_head){0};
  if (http_head_read(out, *bytes, verdict.seen, &verdict.fault)) return 0;
  *code = verdict.fault.code;
  return verdict.fault.status;
}

static void assert_status(const char *text, size_t len, int status, const char *code) {
  struct http_head head;
  char *bytes;
  const char *got_code;
  int got = read_head(text, len, &head, &bytes, &got_code);
  free(bytes);
  if (got != status || (code && strcmp(got_code, code) != 0))
    fail_msg("expected %d %s, got %d %s: %.80s", status, code, got, got ? got_code : "", text);
}

// ---- what is read ----

static const struct {
  const char *text, *method, *path, *query, *version;
} lines[] = {
    {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET", "/", NULL, "1.1"},
    {"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET", "/", NULL, "1.1"},
    {"GET / HTTP/1.0\r\n\r\n", "GET", "/", NULL, "1.0"},
    {"GET / HTTP/1.9\r\nHost: h\r\n\r\n", "GET", "/", NULL, "1.9"},
    {"POST /webhook/a/b?token=x&y?z HTTP/1.1\r\nHost: h\r\n\r\n", "POST", "/webhook/a/b", "token=x&y?z",
     "1.1"},
    {"POST /a? HTTP/1.1\r\nHost: h\r\n\r\n", "POST", "/a", "", "1.1"},
    {"POST /a/../%2e%2E//b;c=d HTTP/1.1\r\nHost: h\r\n\r\n", "POST", "/a/../%2e%2E//b;c=d", NULL, "1.1"},
    {"POST //a HTTP/1.1\r\nHost: h\r\n\r\n", "POST", "//a", NULL, "1.1"},
    {"!#$%&'*+-.^_`|~09azAZ / HTTP/1.1\r\nHost: h\r\n\r\n", "!#$%&'*+-.^_`|~09azAZ", "/", NULL, "1.1"},
    {"POST http://h:80/a/b?c HTTP/1.1\r\nHost: h\r\n\r\n", "POST", "/a/b", "c", "1.1"},
    {"POST HTTPS://h/a HTTP/1.1\r\nHost: h\r\n\r\n", "POST", "/a", NULL, "1.1"},
    {"POST http://h HTTP/1.1\r\nHost: h\r\n\r\n", "POST", "/", NULL, "1.1"},
    {"POST http://h?c HTTP/1.1\r\nHost: h\r\n\r\n", "POST", "/", "c", "1.1"},
    {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS", "*", NULL, "1.1"},
};

static void test_the_request_line_is_taken_apart_and_nothing_in_it_decoded(void **state) {
  for (size_t i = 0; i < COUNT_OF(lines); i++) {
    struct http_head head;
    char *bytes;
    const char *code;
    if (read_head(lines[i].text, strlen(lines[i].text), &head, &bytes, &code)) fail_msg("%s", lines[i].text);
    assert_string_equal(head.method, lines[i].method);
    assert_string_equal(head.path, lines[i].path);
    assert_string_equal(head.query ? head.query : "none", lines[i].query ? lines[i].query : "none");
    assert_string_equal(head.version, lines[i].version);
    free(bytes);
  }
}

static const struct {
  const char *text;
  enum http_body body;
  int64_t content_length;
  bool keep_alive, expects_continue;
} messages[] = {
    {GET(""), HTTP_BODY_NONE, 0, true, false},
    {GET("Content-Length: 0\r\n"), HTTP_BODY_NONE, 0, true, false},
    {GET("Content-Length: 12\r\n"), HTTP_BODY_SIZED, 12, true, false},
    {GET("content-length:\t 007 \t\r\n"), HTTP_BODY_SIZED, 7, true, false},
    {GET("Content-Length: 999999999999999999\r\n"), HTTP_BODY_SIZED, 999999999999999999, true, false},
    {GET("Transfer-Encoding: chunked\r\n"), HTTP_BODY_CHUNKED, 0, true, false},
    {GET("TRANSFER-ENCODING: Chunked\r\n"), HTTP_BODY_CHUNKED, 0, true, false},
    {GET("Connection: close\r\n"), HTTP_BODY_NONE, 0, false, false},
    {GET("Connection: TE , CLOSE\r\n"), HTTP_BODY_NONE, 0, false, false},
    {GET("Connection: keep-alive\r\nConnection: x,close\r\n"), HTTP_BODY_NONE, 0, false, false},
    {GET("Connection: closed, enclose\r\n"), HTTP_BODY_NONE, 0, true, false},
    {GET("Connection:\r\n"), HTTP_BODY_NONE, 0, true, false},
    {OLD(""), HTTP_BODY_NONE, 0, false, false},
    {OLD("Connection: Keep-Alive\r\n"), HTTP_BODY_NONE, 0, true, false},
    {OLD("Connection: keep-alive, close\r\n"), HTTP_BODY_NONE, 0, false, false},
    {OLD("Content-Length: 2\r\n"), HTTP_BODY_SIZED, 2, false, false},
    {OLD("Expect: 100-continue\r\n"), HTTP_BODY_NONE, 0, false, false},
    {GET("Expect: 100-Continue\r\n"), HTTP_BODY_NONE, 0, true, true},
};

static void test_the_headers_say_what_follows_and_whether_the_connection_stays(void **state) {
  for (size_t i = 0; i < COUNT_OF(messages); i++) {
    struct http_head head;
    char *bytes;
    const char *code;
    if (read_head(messages[i].text, strlen(messages[i].text), &head, &bytes, &code))
      fail_msg("%s", messages[i].text);
    bool same = head.body == messages[i].body && head.content_length == messages[i].content_length &&
                head.keep_alive == messages[i].keep_alive &&
                head.expects_continue == messages[i].expects_continue;
    if (!same) fail_msg("%s", messages[i].text);
    free(bytes);
  }
}

static void test_headers_are_found_in_any_case_and_their_values_trimmed(void **state) {
  static const char text[] = GET("X-One: \t a b\t \r\nx-two:\r\nX-ONE:second\r\nX-Hangul: \xea\xb0\x80\r\n");
  struct http_head head;
  char *bytes;
  const char *code;
  assert_int_equal(read_head(text, strlen(text), &head, &bytes, &code), 0);
  assert_int_equal(head.n_headers, 5);
  assert_string_equal(http_header(&head, "x-one"), "a b");
  assert_string_equal(http_header(&head, "X-TWO"), "");
  assert_string_equal(http_header(&head, "x-hangul"), "\xea\xb0\x80");
  assert_null(http_header(&head, "x-on"));
  assert_int_equal(http_header_count(&head, "X-One"), 2);
  assert_int_equal(http_header_count(&head, "X-Three"), 0);
  free(bytes);
}

static void test_a_head_ends_before_what_follows_it(void **state) {
  static const char first[] = GET("Content-Length: 2\r\n"),
                    both[] = GET("Content-Length: 2\r\n") "{}" GET("");
  struct verdict verdict = scan_any_way(both, strlen(both));
  assert_int_equal(verdict.scan, HTTP_SCAN_WHOLE);
  assert_int_equal(verdict.seen, strlen(first));
}

static void test_a_list_holds_whole_items_only(void **state) {
  static const struct {
    const char *list;
    bool holds;
  } rows[] = {{"close", true},       {"CLOSE", true},       {"a, close", true}, {"close,a", true},
              {",,\tclose ,", true}, {"a,b ,close,", true}, {"closes", false},  {"aclose", false},
              {"", false},           {NULL, false},         {"clos", false}};
  for (size_t i = 0; i < COUNT_OF(rows); i++)
    if (http_list_holds(rows[i].list, "close") != rows[i].holds) fail_msg("%s", rows[i].list);
}

// ---- what is refused ----

static const struct {
  const char *text;
  int status;
  const char *code;
} bad[] = {
    // the request line
    {"GET /\r\n\r\n", 400, NULL},
    {"GET\r\n\r\n", 400, NULL},
    {"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET /  HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400, NULL},
    {" GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"\r\n GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET /\tHTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET /a\tb HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET /\xea\xb0\x80 HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET /?\xff HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET /\x7f HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET a HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET ?a HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET *a HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET http:// HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET http:///a HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET ftp://h/a HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"G(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"G\xea\xb0\x80T / HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET / http/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET / HTTP/1\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.1a\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.10\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET / HTTP/11\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET / HTTPS/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"GET / HTTP/0.9\r\nHost: h\r\n\r\n", 505, "http_version"},
    {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505, "http_version"},
    {"PRI * HTTP/2.0\r\n\r\n", 505, "http_version"},
    {"GET / HTTP/9.9\r\nHost: h\r\n\r\n", 505, "http_version"},
    // lines
    {"GET / HTTP/1.1\n", 400, "bad_request"},
    {"GET / HTTP/1.1\r\nHost: h\n", 400, NULL},
    {"GET / HTTP/1.1\rHost: h\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.1\r\nHost: h\r\n\r\r", 400, NULL},
    {GET("X: a\rb\r\n"), 400, NULL},
    {GET("X: a\n b\r\n"), 400, NULL},
    {"\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400, NULL},
    {"\x16\x03\x01", 400, NULL}, // TLS
    {"\"", 400, NULL},
    // headers
    {GET("X : a\r\n"), 400, NULL},
    {GET(" X: a\r\n"), 400, NULL},
    {GET("X: a\r\n b\r\n"), 400, NULL},
    {GET("X: a\r\n\tb: c\r\n"), 400, NULL},
    {GET("X\r\n"), 400, NULL},
    {GET(": a\r\n"), 400, NULL},
    {GET("X(: a\r\n"), 400, NULL},
    {GET("X\xea\xb0\x80: a\r\n"), 400, NULL},
    {GET("X: a\x01\r\n"), 400, NULL},
    {GET("X: a\x7f\r\n"), 400, NULL},
    // the host
    {"GET / HTTP/1.1\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.2\r\n\r\n", 400, NULL},
    {"GET http://h/ HTTP/1.1\r\n\r\n", 400, NULL},
    {GET("Host: h\r\n"), 400, NULL},
    {GET("host: other\r\n"), 400, NULL},
    {OLD("Host: h\r\nHost: h\r\n"), 400, NULL},
    {"GET / HTTP/1.1\r\nHost: h i\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.1\r\nHost: h/i\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.1\r\nHost: a@h\r\n\r\n", 400, NULL},
    {"GET / HTTP/1.1\r\nHost: h, i\r\n\r\n", 400, NULL},
    // where the body ends
    {GET("Content-Length: 2\r\nContent-Length: 2\r\n"), 400, "bad_framing"},
    {GET("Content-Length: 2\r\ncontent-length: 3\r\n"), 400, "bad_framing"},
    {GET("Content-Length: 2, 2\r\n"), 400, "bad_framing"},
    {GET("Content-Length:\r\n"), 400, "bad_framing"},
    {GET("Content-Length: -1\r\n"), 400, "bad_framing"},
    {GET("Content-Length: +1\r\n"), 400, "bad_framing"},
    {GET("Content-Length: 0x2\r\n"), 400, "bad_framing"},
    {GET("Content-Length: 2 \t3\r\n"), 400, "bad_framing"},
    {GET("Content-Length: 1.0\r\n"), 400, "bad_framing"},
    {GET("Content-Length: 1000000000000000000\r\n"), 400, "bad_framing"}, // 19 digits
    {GET("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"), 400, "bad_framing"},
    {GET("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"), 400, "bad_framing"},
    {GET("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400, "bad_framing"},
    {GET("Transfer-Encoding: chunked, chunked\r\n"), 400, "bad_framing"},
    {GET("Transfer-Encoding: gzip, chunked\r\n"), 400, "bad_framing"},
    {GET("Transfer-Encoding: identity\r\n"), 400, "bad_framing"},
    {GET("Transfer-Encoding: xchunked\r\n"), 400, "bad_framing"},
    {GET("Transfer-Encoding: chunked;q=1\r\n"), 400, "bad_framing"},
    {GET("Transfer-Encoding:\r\n"), 400, "bad_framing"},
    {OLD("Transfer-Encoding: chunked\r\n"), 400, "bad_framing"},
    // what we are asked to do
    {GET("Expect: 200-ok\r\n"), 417, "expectation_failed"},
    {GET("Expect:\r\n"), 417, "expectation_failed"},
    {GET("Expect: 100-continue, x\r\n"), 417, "expectation_failed"},
    {GET("Expect: 100-continue\r\nExpect: 100-continue\r\n"), 417, "expectation_failed"},
};

static void test_what_could_be_read_in_two_ways_is_refused(void **state) {
  for (size_t i = 0; i < COUNT_OF(bad); i++)
    assert_status(bad[i].text, strlen(bad[i].text), bad[i].status, bad[i].code);
}

static void test_no_control_character_gets_in_anywhere(void **state) {
  static const char good[] = "GET /a?b HTTP/1.1\r\nHost: h\r\nX-Y: a b\r\n\r\n";
  for (size_t at = 0; at < sizeof good - 1; at++)
    for (int c = 0; c < 32; c++) {
      char text[sizeof good];
      strcpy(text, good);
      text[at] = (char)c;
      bool in_a_value = (at >= 24 && at < 26) || (at >= 32 && at < 36); // "h" and "a b", a space before each
      if (c == good[at] || (c == '\t' && in_a_value)) continue;
      assert_status(text, sizeof good - 1, 400, NULL);
    }
}

static void test_what_is_no_request_is_told_before_its_end(void **state) {
  static const char *const beginnings[] = {
      "\x16", "GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nX: \x01", "\r\n\r\n", "GET /\rX", "(", "\n"};
  for (size_t i = 0; i < COUNT_OF(beginnings); i++)
    assert_int_equal(scan_any_way(beginnings[i], strlen(beginnings[i])).scan, HTTP_SCAN_FAULT);
}

// ---- bounds ----

// `before`, so many times `of`, `behind`.
static void assert_bound(const char *before, char of, size_t times, const char *behind, int status) {
  AUTO_FREE char *text = mem_alloc(strlen(before) + times + strlen(behind) + 1);
  char *at = stpcpy(text, before);
  memset(at, of, times);
  strcpy(at + times, behind);
  assert_status(text, strlen(text), status, NULL);
}

static void test_each_part_has_its_bound(void **state) {
#define LINE_END " HTTP/1.1\r\nHost: h\r\n\r\n"
  static const struct {
    const char *before;
    char of;
    size_t times;
    const char *behind;
    int status;
  } rows[] = {
      {"", 'M', HTTP_METHOD_MAX_BYTES, " /" LINE_END, 0},
      {"", 'M', HTTP_METHOD_MAX_BYTES + 1, " /" LINE_END, 400},
      {"POST /", 'a', HTTP_TARGET_MAX_BYTES - 1, LINE_END, 0},
      {"\r\n12345678901234567890123456789012 /", 'a', HTTP_TARGET_MAX_BYTES - 1, LINE_END, 0},
      {"POST /", 'a', HTTP_TARGET_MAX_BYTES, LINE_END, 414},
      {"POST /?", 'a', HTTP_TARGET_MAX_BYTES, LINE_END, 414},
      {"POST http://", 'h', HTTP_TARGET_MAX_BYTES, LINE_END, 414},
      {"POST /", 'a', 10000, "", 414}, // and no end
      {"\r\nPOST /", 'a', 10000, "", 414},
      {"POST / HTTP/1.1", '1', 10000, "\r\n\r\n", 414},
      {"", 'M', 10000, LINE_END, 414},
      {"POST /", ' ', 10000, LINE_END, 414},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: ", 'a', HTTP_HEAD_MAX_BYTES - 32, "\r\n\r\n", 0},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: ", 'a', HTTP_HEAD_MAX_BYTES - 31, "\r\n\r\n", 431},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: ", 'a', 20000, "", 431},
      {"GET / HTTP/1.1\r\nHost: h\r\n", 'a', 20000, ": b\r\n\r\n", 431},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++)
    assert_bound(rows[i].before, rows[i].of, rows[i].times, rows[i].behind, rows[i].status);
}

static void test_a_hundred_headers_are_read_and_no_more(void **state) {
  char text[2048], *at = stpcpy(text, "GET / HTTP/1.1\r\nHost: h\r\n");
  for (int i = 2; i <= HTTP_HEADERS_MAX; i++) at += sprintf(at, "X-%d: y\r\n", i);
  strcpy(at, "\r\n");
  assert_status(text, strlen(text), 0, NULL);
  strcpy(at, "X: y\r\n\r\n");
  assert_status(text, strlen(text), 431, "head_too_large");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_request_line_is_taken_apart_and_nothing_in_it_decoded),
      cmocka_unit_test(test_the_headers_say_what_follows_and_whether_the_connection_stays),
      cmocka_unit_test(test_headers_are_found_in_any_case_and_their_values_trimmed),
      cmocka_unit_test(test_a_head_ends_before_what_follows_it),
      cmocka_unit_test(test_a_list_holds_whole_items_only),
      cmocka_unit_test(test_what_could_be_read_in_two_ways_is_refused),
      cmocka_unit_test(test_no_control_character_gets_in_anywhere),
      cmocka_unit_test(test_what_is_no_request_is_told_before_its_end),
      cmocka_unit_test(test_each_part_has_its_bound),
      cmocka_unit_test(test_a_hundred_headers_are_read_and_no_more),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
