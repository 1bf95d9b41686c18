// SPDX-License-Identifier: MIT
// What a route reads of a head, and the replies that have no route.
#include "ingress/http/request.h"

#include "common/base/mem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void set_headers(struct mg_request_info *info, const struct mg_header *headers, int n) {
  *info = (struct mg_request_info){.num_headers = n};
  for (int i = 0; i < n; i++) info->http_headers[i] = headers[i];
}

static void test_a_header_is_found_in_any_case_and_counted(void **state) {
  static const struct mg_header headers[] = {{"X-A", "1"}, {"x-b", ""}, {"X-a", "2"}, {"X-AB", "3"}};
  struct mg_request_info info;
  struct request req = {.info = &info};
  size_t count;
  set_headers(&info, headers, COUNT_OF(headers));
  assert_string_equal(request_header(&req, "x-A", &count), "2"); // the last one's
  assert_int_equal(count, 2);
  assert_string_equal(request_header(&req, "X-B", &count), "");
  assert_int_equal(count, 1);
  assert_null(request_header(&req, "X-", &count));
  assert_int_equal(count, 0);
}

#define ENCODING "Content-Encoding"

static const struct {
  struct mg_header headers[3];
  enum request_encoding encoding;
} encodings[] = {
    {{{"Accept-Encoding", "br"}}, REQUEST_PLAIN},
    {{{ENCODING, ""}}, REQUEST_PLAIN},
    {{{ENCODING, "identity"}}, REQUEST_PLAIN},
    {{{ENCODING, "Identity"}}, REQUEST_PLAIN},
    {{{ENCODING, "gzip"}}, REQUEST_GZIP},
    {{{"content-encoding", "GZip"}}, REQUEST_GZIP},
    {{{ENCODING, "x-gzip"}}, REQUEST_GZIP},
    {{{ENCODING, "identity"}, {ENCODING, "gzip"}}, REQUEST_GZIP},
    {{{ENCODING, "gzip"}, {ENCODING, ""}}, REQUEST_GZIP},
    {{{ENCODING, "gzip"}, {ENCODING, "gzip"}}, REQUEST_FOREIGN},
    {{{ENCODING, "br"}}, REQUEST_FOREIGN},
    {{{ENCODING, "gzip, gzip"}}, REQUEST_FOREIGN},
    {{{ENCODING, "br"}, {ENCODING, "gzip"}}, REQUEST_FOREIGN},
    {{{ENCODING, "gzip"}, {ENCODING, "deflate"}}, REQUEST_FOREIGN},
};

static void test_encodings_by_table(void **state) {
  for (size_t i = 0; i < COUNT_OF(encodings); i++) {
    struct mg_request_info info;
    struct request req = {.info = &info};
    int n = 0;
    while (n < 3 && encodings[i].headers[n].name) n++;
    set_headers(&info, encodings[i].headers, n);
    if (request_encoding(&req) != encodings[i].encoding) fail_msg("row %zu", i);
  }
  struct mg_request_info none = {0};
  assert_int_equal(request_encoding(&(struct request){.info = &none}), REQUEST_PLAIN);
}

static void test_bytes_are_held_once_and_refused_without_a_trace(void **state) {
  struct quota quota = {.bytes_max = 1000};
  struct quota_lane lane = {.quota = &quota, .threads_max = 2};
  struct request first = {.quota = &lane}, second = {.quota = &lane}, none = {0};
  assert_true(request_hold(&first, 100));
  assert_true(request_hold(&first, 5000)); // alone in its lane
  assert_int_equal(first.held_bytes, 5100);
  assert_false(request_hold(&second, 100));
  assert_int_equal(second.held_bytes, 0);
  assert_int_equal(quota.bytes, 5100);
  assert_true(request_hold(&none, SIZE_MAX / 2)); // counts towards no lane
  assert_int_equal(none.held_bytes, 0);
}

static void check_reply(const struct request *req, int status, const char *code, const char *headers,
                        bool close) {
  AUTO_FREE char *want = mem_printf("{\"error\":{\"code\":\"%s\"", code);
  assert_int_equal(req->reply.status, status);
  assert_memory_equal(req->reply.body, want, strlen(want));
  assert_int_equal(req->reply.close, close);
  assert_int_equal(req->reply.way, REPLY_NONE);
  if (headers)
    assert_string_equal(req->reply.headers, headers);
  else
    assert_null(req->reply.headers);
}

// Each takes the place of the one before.
static void test_the_replies_without_a_route(void **state) {
  struct request req = {0};
  assert_false(reply_error(&req, 404, "not_found", "m"));
  check_reply(&req, 404, "not_found", NULL, false);
  assert_false(reply_overload(&req));
  check_reply(&req, 503, "overload", "Retry-After: 1\r\n", true);
  assert_false(reply_unavailable(&req));
  check_reply(&req, 503, "unavailable", "Retry-After: 5\r\n", false);
  assert_false(reply_closing(&req, 400, "bad", "m"));
  check_reply(&req, 400, "bad", NULL, true);
  reply_ok(&req, 202, mem_strdup("{}"), REPLY_SPOOL);
  assert_int_equal(req.reply.status, 202);
  assert_string_equal(req.reply.body, "{}");
  assert_int_equal(req.reply.way, REPLY_SPOOL);
  assert_false(req.reply.close);
  free(req.reply.body);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_header_is_found_in_any_case_and_counted),
      cmocka_unit_test(test_encodings_by_table),
      cmocka_unit_test(test_bytes_are_held_once_and_refused_without_a_trace),
      cmocka_unit_test(test_the_replies_without_a_route),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
