// SPDX-License-Identifier: MIT
// What a client of the query API may choose: the path, the query, and in it the cursor. What is read is what
// a statement takes: UTF-8 without control characters, and a cursor's time is a time.
#include "common/base/clock.h"
#include "common/base/utf8.h"
#include "processor/api/routes.h"
#include "tests/fuzz/input.h"

static void check_text(const char *text) {
  if (text && (!utf8_ok(text, strlen(text)) || utf8_has_control(text))) abort();
}

static void check_values(const struct route_values *values) {
  int64_t ms;
  for (int i = 0; i < values->n; i++) check_text(values->list[i]);
  if (values->cursor.at && !clock_parse_time(values->cursor.at, 0, &ms)) abort();
}

static void ask(const char *path, const char *text) {
  char *parts[PATH_VALUES_MAX];
  struct query query;
  struct route_values values = {0};
  struct problem problem = {0};
  const struct route *route = routes_find(path, parts);
  if (!route) return;
  if (query_read(route->parameters, route->n, text, &query, &problem) &&
      (!route->check || route->check(&query, &problem)) &&
      route_values_init(&values, route, parts, &query, "{}", &problem))
    check_values(&values);
  else
    check_text(problem.detail);
  for (size_t i = 0; i < PATH_VALUES_MAX; i++) free(parts[i]);
  query_fini(&query);
  route_values_fini(&values);
}

// The first line is the path, the rest the query.
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  struct input input = input_open(bytes, len);
  const char *path = input_line(&input);
  ask(path, *input.rest ? input.rest : NULL);
  free(input.text);
  return 0;
}
