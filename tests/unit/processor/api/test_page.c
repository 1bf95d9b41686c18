// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "processor/api/page.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct embedded built[] = {
    {"app.css.gz", "css", 3}, {"app.js.gz", "js\0", 3}, {"index.html.gz", "html", 4}, {0}};
static const struct embedded none[] = {{0}};

static void test_each_file_has_its_path_and_type(void **state) {
  static const struct {
    const char *path, *content_type, *body;
  } rows[] = {{"/", "text/html; charset=utf-8", "html"},
              {"/app.js", "text/javascript; charset=utf-8", "js\0"},
              {"/app.css", "text/css; charset=utf-8", "css"}};
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct http_answer answer;
    assert_true(page_find(built, i ? "GET" : "HEAD", rows[i].path, &answer));
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.content_type, rows[i].content_type);
    assert_memory_equal(answer.body, rows[i].body, answer.body_len);
    assert_non_null(strstr(answer.headers, "Content-Encoding: gzip\r\n"));
    assert_non_null(strstr(answer.headers, "default-src 'none'"));
  }
}

static void test_all_else_is_the_query_apis(void **state) {
  static const char *const paths[] = {"", "/v1/overview", "/index.html", "/app.js.gz", "/app.js/", "//"};
  struct http_answer answer;
  for (size_t i = 0; i < COUNT_OF(paths); i++) assert_false(page_find(built, "GET", paths[i], &answer));
  assert_false(page_find(built, "POST", "/", &answer));
}

static void test_a_program_without_it_says_so(void **state) {
  struct http_answer answer;
  assert_true(page_find(none, "GET", "/", &answer));
  assert_int_equal(answer.status, 404);
  assert_string_equal(answer.content_type, "text/plain; charset=utf-8");
  assert_int_equal(answer.body_len, strlen(answer.body));
  assert_non_null(strstr(answer.body, "was not built"));
  assert_null(strstr(answer.headers, "Content-Encoding"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_file_has_its_path_and_type),
      cmocka_unit_test(test_all_else_is_the_query_apis),
      cmocka_unit_test(test_a_program_without_it_says_so),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
