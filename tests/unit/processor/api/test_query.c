// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "processor/api/query.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STATUS, TEXT, SINCE, HASH, LIMIT, CURSOR, N };
static const struct parameter table[N] = {
    [STATUS] = {"status", PARAMETER_CHOICE, "PENDING, SENT"},
    [TEXT] = {"text", PARAMETER_TEXT, NULL},
    [SINCE] = {"since", PARAMETER_TIME, NULL},
    [HASH] = {"hash", PARAMETER_HASH, NULL},
    [LIMIT] = {"limit", PARAMETER_NUMBER, NULL},
    [CURSOR] = {"cursor", PARAMETER_CURSOR, NULL},
};
#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
  const char *query;
  size_t parameter;
  const char *value;
} good[] = {
    {"status=SENT", STATUS, "SENT"},
    {"text=a%20b+c&status=SENT", TEXT, "a b c"},
    {"text=%EB%B2%88", TEXT, "번"},
    {"text=a%3Db=c", TEXT, "a=b=c"},
    {"since=2026-01-12T11:00:03%2B09:00", SINCE, "2026-01-12T02:00:03.000Z"},
    {"since=2026-01-12T02:00:03.5678Z", SINCE, "2026-01-12T02:00:03.567Z"},
    {"since=2026-01-12T02:00:03", SINCE, "2026-01-12T02:00:03.000Z"},
    {"hash=0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", HASH, HEX64},
    {"limit=1", LIMIT, "1"},
    {"limit=200", LIMIT, "200"},
    {"limit=007", LIMIT, "7"},
    {"cursor=abc", CURSOR, "abc"},
    {"&&limit=7&", LIMIT, "7"},
};

static void test_values_are_read_as_statements_take_them(void **state) {
  for (size_t i = 0; i < COUNT_OF(good); i++) {
    struct query query;
    struct problem problem = {0};
    print_message("%s\n", good[i].query);
    assert_true(query_read(table, N, good[i].query, &query, &problem));
    assert_string_equal(query.values[good[i].parameter], good[i].value);
    query_fini(&query);
  }
}

static void test_no_query_is_no_values(void **state) {
  struct query query;
  struct problem problem;
  static const char *const none[] = {NULL, "", "&"};
  for (size_t i = 0; i < COUNT_OF(none); i++) {
    assert_true(query_read(table, N, none[i], &query, &problem));
    for (size_t v = 0; v < QUERY_PARAMETERS_MAX; v++) assert_null(query.values[v]);
    query_fini(&query);
  }
}

static const struct {
  const char *query;
  int status;
  const char *parameter, *detail; // what stands in it
} bad[] = {
    {"status=sent", 400, "status", "expected one of PENDING, SENT"},
    {"status=PEND", 400, "status", "PENDING, SENT"},
    {"status=,", 400, "status", "PENDING, SENT"},
    {"status=", 400, "status", "PENDING, SENT"},
    {"status", 400, "status", "PENDING, SENT"},
    {"text=", 400, "text", "1 to 255 characters"},
    {"text=a%00b", 400, "text", "without NUL"},
    {"text=%ff", 400, "text", "UTF-8"},
    {"text=a%0Ab", 400, "text", "none a control character"},
    {"text=%", 400, "", "two digits"},
    {"text=%4", 400, "", "two digits"},
    {"text=%zz", 400, "", "two digits"},
    {"since=yesterday", 400, "since", "2026-01-12T02:00:00Z"},
    {"since=2026-01-12T11:00:03+09:00", 400, "since", "+ is written %2B"},
    {"since=infinity", 400, "since", "expected a time"},
    {"hash=" HEX64 "0", 400, "hash", "64 hexadecimal digits"},
    {"hash=g", 400, "hash", "64 hexadecimal digits"},
    {"limit=0", 400, "limit", "from 1 to 200"},
    {"limit=201", 400, "limit", "from 1 to 200"},
    {"limit=-1", 400, "limit", "from 1 to 200"},
    {"limit=+1", 400, "limit", "from 1 to 200"},
    {"limit=1.5", 400, "limit", "from 1 to 200"},
    {"limit=99999999999999999999", 400, "limit", "from 1 to 200"},
    {"cursor=", 400, "cursor", "next"},
    {"limit=1&limit=1", 400, "limit", "more than once"},
    {"limits=1", 400, "limits", "did you mean limit?"},
    {"quite_another=1", 400, "quite_another", "this path takes status, text, since, hash, limit, cursor"},
    {"%00=1", 400, "", "unknown parameter"},
    {"%EB%B2%88=1", 400, "", "unknown parameter"},
    {"=1", 400, "", "unknown parameter"},
};

static void test_each_fault_names_the_parameter_and_what_is_allowed(void **state) {
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    struct query query;
    struct problem problem = {0};
    print_message("%s\n", bad[i].query);
    assert_false(query_read(table, N, bad[i].query, &query, &problem));
    assert_int_equal(problem_status(&problem), bad[i].status);
    assert_string_equal(problem.parameter, bad[i].parameter);
    if (!strstr(problem.detail, bad[i].detail)) fail_msg("the detail is: %s", problem.detail);
    query_fini(&query);
  }
}

static void test_a_path_without_parameters_says_so(void **state) {
  struct query query;
  struct problem problem;
  assert_false(query_read(NULL, 0, "a=1", &query, &problem));
  assert_non_null(strstr(problem.detail, "takes none"));
  query_fini(&query);
}

static void test_a_long_query_or_value_is_refused(void **state) {
  struct query query;
  struct problem problem;
  char text[QUERY_BYTES_MAX + 8] = "text=";
  memset(text + 5, 'a', 255);
  assert_true(query_read(table, N, text, &query, &problem));
  query_fini(&query);
  text[5 + 255] = 'a';
  assert_false(query_read(table, N, text, &query, &problem));
  assert_int_equal(problem_status(&problem), 400);
  query_fini(&query);
  memset(text + 5, 'a', QUERY_BYTES_MAX - 4);
  assert_false(query_read(table, N, text, &query, &problem));
  assert_int_equal(problem_status(&problem), 414);
  query_fini(&query);
}

// ---- paths ----

#define PATTERN "/v1/contacts/{provider}/{id}"

static const struct {
  const char *pattern, *path;
  bool matches;
  const char *values[PATH_VALUES_MAX];
} paths[] = {
    {"/v1/alerts", "/v1/alerts", true, {NULL, NULL}},
    {"/v1/alerts", "/v1/alerts/", false, {NULL, NULL}},
    {"/v1/alerts", "/v1/alert", false, {NULL, NULL}},
    {"/v1/alerts", "/v1/alertss", false, {NULL, NULL}},
    {"/v1/alerts", "/v1//alerts", false, {NULL, NULL}},
    {"/v1/alerts", "v1/alerts", false, {NULL, NULL}},
    {"/v1/alerts", "", false, {NULL, NULL}},
    {PATTERN, "/v1/contacts/bizgo/a", true, {"bizgo", "a"}},
    {PATTERN, "/v1/contacts/bizgo/a%2Fb", true, {"bizgo", "a/b"}},
    {PATTERN, "/v1/contacts/bizgo/a+b&c=d", true, {"bizgo", "a+b&c=d"}},
    {PATTERN, "/v1/contacts/bizgo", false, {NULL, NULL}},
    {PATTERN, "/v1/contacts/bizgo/", false, {NULL, NULL}},
    {PATTERN, "/v1/contacts//a", false, {NULL, NULL}},
    {PATTERN, "/v1/contacts/bizgo/a/b", false, {NULL, NULL}},
    {PATTERN, "/v1/contacts/bizgo/%", false, {NULL, NULL}},
    {PATTERN, "/v1/contacts/bizgo/%00", false, {NULL, NULL}},
    {PATTERN, "/v1/contacts/bizgo/%ff", false, {NULL, NULL}},
};

static void test_paths(void **state) {
  for (size_t i = 0; i < COUNT_OF(paths); i++) {
    char *values[PATH_VALUES_MAX];
    print_message("%s: %s\n", paths[i].pattern, paths[i].path);
    assert_int_equal(path_match(paths[i].pattern, paths[i].path, values), paths[i].matches);
    for (size_t v = 0; v < PATH_VALUES_MAX; v++) {
      if (paths[i].values[v])
        assert_string_equal(values[v], paths[i].values[v]);
      else
        assert_null(values[v]);
      free(values[v]);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_values_are_read_as_statements_take_them),
      cmocka_unit_test(test_no_query_is_no_values),
      cmocka_unit_test(test_each_fault_names_the_parameter_and_what_is_allowed),
      cmocka_unit_test(test_a_path_without_parameters_says_so),
      cmocka_unit_test(test_a_long_query_or_value_is_refused),
      cmocka_unit_test(test_paths),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
