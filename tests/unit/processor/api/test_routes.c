// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "processor/api/routes.h"
#include "processor/postgres/pg.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOTIFICATIONS "/v1/notifications"
#define AT            "2026-01-12T02:00:03.123456Z"

// A request as far as it goes without a database. "": no fault; else the parameter that is wrong.
struct asked {
  const struct route *route;
  char *path[PATH_VALUES_MAX];
  struct query query;
  struct route_values values;
  struct problem problem;
};

static bool begin(struct asked *asked, const char *path, const char *text) {
  *asked = (struct asked){0};
  asked->route = routes_find(path, asked->path);
  assert_non_null(asked->route);
  return query_read(asked->route->parameters, asked->route->n, text, &asked->query, &asked->problem) &&
         (!asked->route->check || asked->route->check(&asked->query, &asked->problem)) &&
         route_values_init(&asked->values, asked->route, asked->path, &asked->query, "{}", &asked->problem);
}

static void end(struct asked *asked) {
  for (size_t i = 0; i < PATH_VALUES_MAX; i++) free(asked->path[i]);
  query_fini(&asked->query);
  route_values_fini(&asked->values);
}

// A parameter too few, or one at another's place, would be found by nothing but Postgres.
static void test_each_statement_takes_as_many_values_as_its_route_gives(void **state) {
  for (size_t i = 0; routes_at(i); i++) {
    const struct route *route = routes_at(i);
    struct asked asked;
    if (!route->statement) continue;
    char last[8], more[8];
    assert_true(route->n <= QUERY_PARAMETERS_MAX);
    AUTO_FREE char *path = mem_strdup(route->path);
    for (char *at = path; *at; at++)
      if (*at == '{' || *at == '}') *at = 'x';
    assert_true(begin(&asked, path, NULL));
    assert_ptr_equal(asked.route, route);
    snprintf(last, sizeof last, "$%d", asked.values.n);
    snprintf(more, sizeof more, "$%d", asked.values.n + 1);
    print_message("%s: %d values\n", route->path, asked.values.n);
    assert_non_null(strstr(pg_sql(route->statement), last));
    assert_null(strstr(pg_sql(route->statement), more));
    end(&asked);
  }
}

static void test_a_first_page_begins_before_a_time(void **state) {
  struct asked asked;
  assert_true(begin(&asked, NOTIFICATIONS, "status=SENT"));
  assert_int_equal(asked.values.n, 12);
  assert_null(asked.values.list[0]);
  assert_string_equal(asked.values.list[2], "SENT");
  assert_string_equal(asked.values.list[8], "infinity");
  assert_string_equal(asked.values.list[9], "");
  assert_string_equal(asked.values.list[11], "51"); // one more than a page shows that there is another
  end(&asked);
  assert_true(begin(&asked, "/v1/alerts", "until=2026-01-12T02:00:03Z&limit=200"));
  assert_string_equal(asked.values.list[4], "2026-01-12T02:00:03.000Z");
  assert_string_equal(asked.values.list[5], "00000000-0000-0000-0000-000000000000");
  assert_string_equal(asked.values.list[6], "201");
  end(&asked);
}

static const struct {
  const char *until, *at, *key;
} pages[] = {
    {"", AT, "bizgo"},
    {"&until=2026-01-12T02:00:03.124Z", AT, "bizgo"},
    {"&until=2026-01-12T02:00:03.123Z", "2026-01-12T02:00:03.123Z", ""},
    {"&until=2025-01-12T02:00:03Z", "2025-01-12T02:00:03.000Z", ""},
};

static void test_a_next_page_begins_behind_the_cursor_and_never_after_until(void **state) {
  AUTO_FREE char *cursor = cursor_encode(NOTIFICATIONS, AT, "bizgo", "a");
  for (size_t i = 0; i < COUNT_OF(pages); i++) {
    struct asked asked;
    AUTO_FREE char *query = mem_printf("cursor=%s%s", cursor, pages[i].until);
    print_message("%s\n", query);
    assert_true(begin(&asked, NOTIFICATIONS, query));
    assert_string_equal(asked.values.list[8], pages[i].at);
    assert_string_equal(asked.values.list[9], pages[i].key);
    end(&asked);
  }
}

static const struct {
  const char *path, *query, *parameter;
} checked[] = {
    {NOTIFICATIONS, "code=x", "code"},
    {NOTIFICATIONS, "code=x&status=SENT", "code"},
    {NOTIFICATIONS, "code=x&status=PENDING", ""},
    {NOTIFICATIONS, "code=x&status=DEAD_LETTER&provider=bizgo", ""},
    {NOTIFICATIONS, "code=x&status=SENT&reference=r", ""},
    {NOTIFICATIONS, "code=x&status=SENT&id=i", ""},
    {NOTIFICATIONS, "code=x&overdue=yes", ""},
    {NOTIFICATIONS, "overdue=no", "overdue"},
    {NOTIFICATIONS, "cursor=abc", "cursor"},
    {"/v1/stats", "", ""},
    {"/v1/stats", "since=2026-01-12T00:00:00Z&until=2026-01-13T00:00:00Z", ""},
    {"/v1/stats", "since=2026-01-12T00:00:00Z&until=2026-01-13T00:00:01Z", "since"},
    {"/v1/stats", "since=2026-01-12T00:00:00Z&until=2026-01-12T00:00:00Z", "since"},
    {"/v1/stats", "since=2026-01-12T00:00:00Z&until=2026-01-19T00:00:00Z&step=hour", ""},
    {"/v1/stats", "since=2026-01-12T00:00:00Z&until=2026-01-20T00:00:00Z&step=hour", "since"},
    {"/v1/stats", "since=2026-01-12T00:00:00Z&until=2026-02-12T00:00:00Z&step=day", ""},
    {"/v1/stats", "until=2026-02-12T00:00:00Z&step=day", ""},
    {"/v1/stats", "step=week", "step"},
    {"/v1/stats/codes", "channel=SMS&code=x", ""},
    {"/v1/stats/codes", "since=2026-01-12T00:00:00Z&until=2026-01-13T00:00:01Z", "since"},
    {"/v1/alerts", "kind=restored&provider=bizgo", ""},
    {"/v1/alerts", "kind=nothing", "kind"},
    {"/v1/contacts", "consent_given=email&consent_withdrawn=texting&status=known", ""},
    {"/v1/contacts", "status=gone", "status"},
    {"/v1/contacts", "recipient_hash=12", "recipient_hash"},
};

static void test_what_no_parameter_shows_by_itself(void **state) {
  for (size_t i = 0; i < COUNT_OF(checked); i++) {
    struct asked asked;
    print_message("%s?%s\n", checked[i].path, checked[i].query);
    assert_int_equal(begin(&asked, checked[i].path, checked[i].query), !*checked[i].parameter);
    assert_string_equal(asked.problem.parameter, checked[i].parameter);
    end(&asked);
  }
}

static void test_a_path_that_is_not_there(void **state) {
  char *values[PATH_VALUES_MAX];
  static const char *const unknown[] = {
      "/", "/v1", "/v1/notifications/", "/v1/notifications/bizgo", "/v1/Alerts", "/v2/alerts"};
  for (size_t i = 0; i < COUNT_OF(unknown); i++) assert_null(routes_find(unknown[i], values));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_statement_takes_as_many_values_as_its_route_gives),
      cmocka_unit_test(test_a_first_page_begins_before_a_time),
      cmocka_unit_test(test_a_next_page_begins_behind_the_cursor_and_never_after_until),
      cmocka_unit_test(test_what_no_parameter_shows_by_itself),
      cmocka_unit_test(test_a_path_that_is_not_there),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
