// SPDX-License-Identifier: MIT
// Facts that name a person, an object of the provider, or both, batch after batch: in every order, and
// however they are cut into batches, the table ends with the same rows. The table is the test's own.
#include "common/base/mem.h"
#include "processor/batch/contacts.h"
#include "processor/tables/contact.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 4, ROWS_MAX = 2 * N };

// ---- the table

static struct contact_row table[ROWS_MAX];
static size_t n_rows;
static size_t found[ROWS_MAX]; // what the batch reads

static void copy_row(struct contact_row *to, const struct contact_row *from) {
  contact_row_init(to, from->provider, from->id);
  contact_merge(to, from);
  to->is_stored = true;
}

static void remove_row(const char *id) {
  for (size_t i = 0; i < n_rows; i++) {
    if (strcmp(table[i].id, id) != 0) continue;
    contact_row_fini(&table[i]);
    table[i] = table[--n_rows];
    return;
  }
}

static void empty_table(void) {
  while (n_rows) remove_row(table[0].id);
}

void __wrap_contact_read_row(const PGresult *res, int row, struct contact_row *out);
void __wrap_contact_send_rows(struct pipeline *pipeline, const struct contact_row *const *removed,
                              size_t n_removed, const struct contact_row *const *written, size_t n_written);

void __wrap_contact_read_row(const PGresult *res, int row, struct contact_row *out) {
  (void)res;
  copy_row(out, &table[found[row]]);
}

void __wrap_contact_send_rows(struct pipeline *pipeline, const struct contact_row *const *removed,
                              size_t n_removed, const struct contact_row *const *written, size_t n_written) {
  (void)pipeline;
  for (size_t i = 0; i < n_removed; i++) remove_row(removed[i]->id);
  for (size_t i = 0; i < n_written; i++) {
    remove_row(written[i]->id);
    assert_true(n_rows < ROWS_MAX);
    copy_row(&table[n_rows++], written[i]);
  }
}

static bool has_id(const struct contact_row *row, const char *id) {
  return id && (strcmp(row->id, id) == 0 || contact_is_object(row, id));
}

// As contact_read.sql: a result with so many rows.
static PGresult *read_rows(const struct fact *const *facts, size_t n) {
  PGresAttDesc column = {.name = (char *)(uintptr_t) "row"};
  PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
  int n_found = 0;
  PQsetResultAttrs(res, 1, &column);
  for (size_t row = 0; row < n_rows; row++) {
    bool is_named = false;
    for (size_t i = 0; i < n; i++)
      is_named |=
          has_id(&table[row], facts[i]->id) || has_id(&table[row], facts[i]->contact->mark.provider_id);
    if (!is_named) continue;
    found[n_found] = row;
    PQsetvalue(res, n_found++, 0, NULL, -1);
  }
  return res;
}

// ---- facts

// With the operator's id, or by the provider's own alone.
static struct fact make(bool is_named, bool is_delete, const char *object, int version, int64_t at) {
  struct contact_said *said = mem_alloc(sizeof *said);
  *said = (struct contact_said){.id = mem_strdup(is_named ? "m" : object),
                                .is_delete = is_delete,
                                .received_at = at,
                                .mark = {.has_version = version > 0,
                                         .version = version,
                                         .at = at,
                                         .asked_at = NO_TIME,
                                         .provider_id = mem_strdup(object)}};
  if (!is_delete) {
    said->details.phone = mem_printf("at %lld", (long long)at);
    memcpy(said->details.phone_hash, said->details.phone, strlen(said->details.phone));
  }
  return (struct fact){.type = FACT_CONTACT,
                       .provider = mem_strdup("channeltalk"),
                       .id = mem_strdup(said->id),
                       .contact = said};
}

static void finish(struct fact facts[N]) {
  for (size_t i = 0; i < N; i++) fact_fini(&facts[i]);
}

// ---- living through them

static void take_batch(struct fact *const *facts, size_t n) {
  static const struct settings settings;
  const struct processor processor = {.settings = &settings};
  struct contacts *contacts = contacts_new(facts, n);
  PGresult *rows = read_rows((const struct fact *const *)facts, n);
  contacts_join(contacts, rows, &processor);
  contacts_send(contacts, NULL, &processor);
  contacts_free(contacts);
  PQclear(rows);
}

static char *show_row(const struct contact_row *row) {
  AUTO_FREE char *others = row->other_ids ? json_dumps(row->other_ids, 0) : mem_strdup("[]");
  const char *own = contact_provider_id(row);
  return mem_printf("%s is %s%s, %s, deleted at %lld, gone at %lld, was %s; ", row->id, own ? own : "-",
                    row->is_deleted ? ", deleted" : "", row->details.phone ? row->details.phone : "-",
                    (long long)row->deletion.at, (long long)row->gone_at, others);
}

static char *show_table(void) {
  char *all = mem_strdup("");
  static const char *const ids[] = {"m", "p1", "p2", "p3"};
  for (size_t i = 0; i < COUNT_OF(ids); i++)
    for (size_t row = 0; row < n_rows; row++) {
      if (strcmp(table[row].id, ids[i]) != 0) continue;
      AUTO_FREE char *before = all, *text = show_row(&table[row]);
      all = mem_printf("%s%s", before, text);
    }
  return all;
}

// A batch ends behind each fact that `cuts` has a bit for.
static char *live(struct fact facts[N], const size_t order[N], unsigned cuts) {
  struct fact *batch[N];
  size_t n = 0;
  for (size_t i = 0; i < N; i++) {
    batch[n++] = &facts[order[i]];
    if (i < N - 1 && !(cuts & 1u << i)) continue;
    take_batch(batch, n);
    n = 0;
  }
  char *text = show_table();
  empty_table();
  return text;
}

static void compare(const char *first, struct fact facts[N], const size_t order[N], unsigned cuts) {
  AUTO_FREE char *text = live(facts, order, cuts);
  if (strcmp(text, first) != 0)
    fail_msg("order %zu %zu %zu %zu, cuts %u\n%s, first\n%s", order[0], order[1], order[2], order[3], cuts,
             text, first);
}

static bool is_permutation(const size_t order[N]) {
  unsigned seen = 0;
  for (size_t i = 0; i < N; i++) seen |= 1u << order[i];
  return seen == (1u << N) - 1;
}

// All orders, cut in all ways. `ends`: what the table shows first, or NULL.
static void test_orders(struct fact facts[N], const char *ends) {
  static const size_t in_order[N] = {0, 1, 2, 3};
  AUTO_FREE char *first = live(facts, in_order, 0);
  if (ends && strncmp(first, ends, strlen(ends)) != 0) fail_msg("expected %s, got %s", ends, first);
  for (size_t which = 0; which < 256; which++) {
    const size_t order[N] = {which & 3, which >> 2 & 3, which >> 4 & 3, which >> 6};
    for (unsigned cuts = 0; is_permutation(order) && cuts < 1u << (N - 1); cuts++)
      compare(first, facts, order, cuts);
  }
  finish(facts);
}

static void test_a_deletion_that_names_only_an_earlier_object_finds_the_person(void **state) {
  struct fact before[N] = {make(true, false, "p1", 1, 100), make(false, true, "p1", 2, 200),
                           make(true, false, "p2", 1, 300), make(true, false, "p2", 2, 400)};
  test_orders(before, "m is p2, at 400, deleted at 200, gone at -9223372036854775808, was [\"p1\"]; ");
  struct fact without_version[N] = {make(true, false, "p1", 1, 100), make(false, true, "p1", 0, 200),
                                    make(true, false, "p2", 1, 300), make(true, false, "p3", 1, 400)};
  test_orders(without_version,
              "m is p3, at 400, deleted at -9223372036854775808, gone at 200, was [\"p1\", \"p2\"]; ");
  struct fact last[N] = {make(true, false, "p1", 1, 100), make(true, false, "p2", 1, 200),
                         make(true, false, "p3", 1, 300), make(false, true, "p3", 2, 400)};
  test_orders(last, "m is p3, deleted, -, deleted at 400, ");
}

static void test_a_lead_that_was_an_earlier_object_is_no_one_else(void **state) {
  struct fact facts[N] = {make(false, false, "p1", 1, 100), make(true, false, "p1", 2, 200),
                          make(true, false, "p2", 1, 300), make(false, true, "p2", 2, 400)};
  test_orders(facts, "m is p2, deleted, -, deleted at 400, ");
}

// The member is one object or the other, and each fact names it or only the object.
static void test_every_order_and_every_cut_ends_in_the_same_rows(void **state) {
  for (unsigned objects = 0; objects < 1u << N; objects++)
    for (unsigned named = 0; named < 1u << N; named++)
      for (size_t deleted = 0; deleted <= N; deleted++) {
        struct fact facts[N];
        int versions[2] = {0};
        for (size_t i = 0; i < N; i++) {
          unsigned object = objects >> i & 1;
          facts[i] = make(named >> i & 1, i == deleted, object ? "p2" : "p1", ++versions[object],
                          100 * (int64_t)(i + 1));
        }
        test_orders(facts, NULL);
      }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_deletion_that_names_only_an_earlier_object_finds_the_person),
      cmocka_unit_test(test_a_lead_that_was_an_earlier_object_is_no_one_else),
      cmocka_unit_test(test_every_order_and_every_cut_ends_in_the_same_rows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
