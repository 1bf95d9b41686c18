// SPDX-License-Identifier: MIT
// What the query API offers, as a table: a path, its parameters, and the statement that answers. The contract
// is schemas/openapi-processor.yaml. Not for: connections (pool), HTTP (api). Thread: any.
#pragma once
#include "processor/api/cursor.h"
#include "processor/api/query.h"
#include <stddef.h>

enum route_kind {
  ROUTE_ONE,     // the statement's only row, or 404
  ROUTE_LIST,    // a page: see routes.c
  ROUTE_REDRIVE, // no statement: the record at this place is taken in (redriving.h). The only POST
};

// Where a list's parameters stand in its table, before its own.
enum { LIST_CURSOR, LIST_LIMIT, LIST_UNTIL, LIST_PARAMETERS };

struct route {
  const char *path;      // a pattern, of path_match()
  const char *statement; // or NULL
  enum route_kind kind;
  bool takes_words;      // the statement's last parameter: the words of codes, of ROUTE_ONE
  enum cursor_keys keys; // of a list
  size_t n;
  struct parameter parameters[QUERY_PARAMETERS_MAX];
  // What no parameter shows by itself, and what is not given; or NULL.
  bool (*check)(struct query *query, struct problem *problem);
};

// The route of a path, with its values, new strings; NULL: there is none.
const struct route *routes_find(const char *path, char *values[PATH_VALUES_MAX]);
const struct route *routes_at(size_t i); // NULL: there are no more

// The statement's parameters, in their order: the values of the path, then those of the query but the ones of
// a list, then a list's place and limit, or the words of codes. All borrowed.
enum { ROUTE_VALUES_MAX = PATH_VALUES_MAX + QUERY_PARAMETERS_MAX + 4 };
struct route_values {
  int n;
  const char *list[ROUTE_VALUES_MAX];
  long limit;           // of a list: items of a page. The statement is asked for one more
  struct cursor cursor; // owned
  char limit_text[12];
};
// `words`: the reasons of all codes by provider, JSON. False: the cursor is none of this list.
// route_values_fini() in any case.
MUST_CHECK bool route_values_init(struct route_values *out, const struct route *route,
                                  char *const path[PATH_VALUES_MAX], const struct query *query,
                                  const char *words, struct problem *problem);
void route_values_fini(struct route_values *values);
