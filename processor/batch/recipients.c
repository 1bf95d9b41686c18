// SPDX-License-Identifier: MIT
#include "processor/batch/recipients.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "processor/tables/rows.h"
#include <string.h>

static bool names_recipient(const struct fact *fact) {
  return fact->type == FACT_RECEIPT && fact->signal.recipient;
}

// Adds each notification that gets a receipt with a recipient. One without an outcome has no receipts yet.
static size_t add_keys(struct pgarray *c, struct fact *const *facts, struct notification *const *of,
                       size_t n) {
  const struct notification *last = NULL;
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    if (of[i] == last || !of[i]->outcome || !names_recipient(facts[i])) continue;
    last = of[i];
    pgarray_add_text(&c[0], last->provider);
    pgarray_add_text(&c[1], last->id);
    count++;
  }
  return count;
}

// NULL: there is nothing to read, or it failed.
static PGresult *read_stored(PGconn *conn, struct fact *const *facts, struct notification *const *of,
                             size_t n) {
  static const enum pg_type types[] = {PG_TEXT, PG_TEXT};
  struct pgarray c[COUNT_OF(types)];
  rows_begin(c, types, COUNT_OF(types));
  if (add_keys(c, facts, of, n)) return rows_run(conn, RECIPIENTS_STATEMENT, c, COUNT_OF(types));
  for (size_t i = 0; i < COUNT_OF(types); i++) pgarray_fini(&c[i]);
  return NULL;
}

struct named { // what earlier receipts name
  bool same, other;
};

static void note(struct named *named, const char *masked, const struct fact *fact) {
  bool differ = personal_differ(masked, fact->signal.recipient);
  named->same |= !differ;
  named->other |= differ;
}

static void note_element(struct named *named, const char *text, const struct fact *fact) {
  AUTO_JSON *element = json_parse(text, strlen(text), NULL);
  const char *masked = json_string_value(json_at(element, fact->recipient_place));
  if (masked) note(named, masked, fact);
}

static int compare_row(const PGresult *res, int row, const struct fact *fact) {
  return notification_compare_key(PQgetvalue(res, row, 0), PQgetvalue(res, row, 1), fact->provider, fact->id);
}

// The first of the sorted rows that is not before the fact's notification.
static int first_row(const PGresult *res, const struct fact *fact) {
  int from = 0, to = PQntuples(res);
  while (from < to) {
    int middle = from + (to - from) / 2;
    if (compare_row(res, middle, fact) < 0)
      from = middle + 1;
    else
      to = middle;
  }
  return from;
}

static void note_stored(struct named *named, const PGresult *res, const struct fact *fact) {
  for (int row = first_row(res, fact); row < PQntuples(res) && compare_row(res, row, fact) == 0; row++)
    note_element(named, PQgetvalue(res, row, 2), fact);
}

static bool is_of_another(const PGresult *res, struct fact *const *facts, struct notification *const *of,
                          size_t at, const bool *refused) {
  struct named named = {0};
  if (!names_recipient(facts[at])) return false;
  note_stored(&named, res, facts[at]);
  for (size_t i = at; i > 0 && of[i - 1] == of[at]; i--)
    if (names_recipient(facts[i - 1]) && !refused[i - 1])
      note(&named, facts[i - 1]->signal.recipient, facts[at]);
  return named.other && !named.same;
}

bool recipients_compare(PGconn *conn, struct fact *const *facts, struct notification *const *of, size_t n,
                        bool *refused, enum pg_fault *fault, struct err *err) {
  AUTO_RESULT *res = read_stored(conn, facts, of, n);
  if (res && !pg_ok(conn, res, "receipt_elements", fault, err)) return false;
  for (size_t i = 0; i < n; i++) refused[i] = is_of_another(res, facts, of, i, refused);
  return true;
}

char *recipients_reason(const struct fact *fact) {
  return mem_printf("its id belongs to another recipient: \"%s\"", fact->id);
}
