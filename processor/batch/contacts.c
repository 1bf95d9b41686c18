// SPDX-License-Identifier: MIT
// A person has one row. Its names are the contact's id and the provider's own ones, of which there may be
// several, one after the other; a fact may name only such a one. What came under that name alone, before a
// fact names both, is a row of its own until then.
#include "processor/batch/contacts.h"
#include "common/base/mem.h"
#include "processor/tables/contact.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct named { // a row, in the bucket of one of its names
  size_t row;
  struct named *next; // in the same bucket
};

struct withdrawn {
  const char *provider, *consent;
};

struct contacts {
  const struct fact **facts;
  enum contact_change *changes; // parallel: what each did
  size_t n;
  struct contact_row *rows; // those that were there, then new ones
  bool *changed, *removed;  // parallel
  size_t n_rows;
  struct named **buckets; // all names of all rows
  size_t n_buckets;
  struct withdrawn *withdrawn;
  struct alert *alerts; // about these, if they are wanted
  size_t n_withdrawn, n_alerts;
};

struct contacts *contacts_new(struct fact *const *facts, size_t n) {
  struct contacts *contacts = mem_alloc(sizeof *contacts);
  contacts->facts = mem_array(n, sizeof *contacts->facts);
  for (size_t i = 0; i < n; i++)
    if (facts[i]->type == FACT_CONTACT) contacts->facts[contacts->n++] = facts[i];
  contacts->changes = mem_array(contacts->n, sizeof *contacts->changes);
  return contacts;
}

static void free_names(struct contacts *contacts) {
  for (size_t i = 0; i < contacts->n_buckets; i++)
    for (struct named *named = contacts->buckets[i], *next; named; named = next) {
      next = named->next;
      free(named);
    }
  free(contacts->buckets);
}

void contacts_free(struct contacts *contacts) {
  if (!contacts) return;
  free_names(contacts);
  contact_free(contacts->rows, contacts->n_rows);
  free(contacts->facts);
  free(contacts->changes);
  free(contacts->changed);
  free(contacts->removed);
  free(contacts->withdrawn);
  alerts_free(contacts->alerts, contacts->n_alerts);
  free(contacts);
}

size_t contacts_send_read(struct contacts *contacts, struct pipeline *pipeline) {
  if (contacts->n == 0) return 0;
  AUTO_FREE const char **providers = mem_array(2 * contacts->n, sizeof *providers);
  AUTO_FREE const char **ids = mem_array(2 * contacts->n, sizeof *ids);
  size_t n = 0;
  for (size_t i = 0; i < contacts->n; i++) {
    const struct fact *fact = contacts->facts[i];
    const char *const of_fact[] = {fact->id, fact->contact->mark.provider_id};
    for (size_t j = 0; j < COUNT_OF(of_fact); j++) {
      if (!of_fact[j]) continue;
      providers[n] = fact->provider;
      ids[n++] = of_fact[j];
    }
  }
  return contact_send_read(pipeline, providers, ids, n);
}

// ---- names ----

static struct named **bucket_of(const struct contacts *contacts, const char *provider, const char *id) {
  uint64_t hash = UINT64_C(14695981039346656037); // FNV-1a
  for (const char *at = id; *at; at++) hash = (hash ^ (uint8_t)*at) * UINT64_C(1099511628211);
  for (const char *at = provider; *at; at++) hash = (hash ^ (uint8_t)*at) * UINT64_C(1099511628211);
  return &contacts->buckets[(hash ^ hash >> 32) % contacts->n_buckets];
}

// Then a search for the id comes by the row.
static void name_row(struct contacts *contacts, size_t row, const char *id) {
  struct named **bucket = bucket_of(contacts, contacts->rows[row].provider, id);
  for (const struct named *named = *bucket; named; named = named->next)
    if (named->row == row) return;
  struct named *named = mem_alloc(sizeof *named);
  *named = (struct named){.row = row, .next = *bucket};
  *bucket = named;
}

static void name_by_objects(struct contacts *contacts, size_t row) {
  const json_t *others = contacts->rows[row].other_ids;
  const char *own = contact_provider_id(&contacts->rows[row]);
  if (own) name_row(contacts, row, own);
  for (size_t i = 0; i < json_array_size(others); i++)
    name_row(contacts, row, json_string_value(json_array_get(others, i)));
}

// The next row behind *at that has this id, as its own or as one of the provider's; NULL: no more. *at is
// NULL first.
static struct contact_row *next_row(struct contacts *contacts, const char *provider, const char *id,
                                    struct named **at) {
  for (*at = *at ? (*at)->next : *bucket_of(contacts, provider, id); *at; *at = (*at)->next) {
    struct contact_row *row = &contacts->rows[(*at)->row];
    if (contacts->removed[(*at)->row] || strcmp(row->provider, provider) != 0) continue;
    if (strcmp(row->id, id) == 0 || contact_is_object(row, id)) return row;
  }
  return NULL;
}

static struct contact_row *find_row(struct contacts *contacts, const char *provider, const char *contact_id) {
  struct named *at = NULL;
  struct contact_row *row;
  while ((row = next_row(contacts, provider, contact_id, &at)))
    if (strcmp(row->id, contact_id) == 0) return row;
  return NULL;
}

static struct contact_row *row_of(struct contacts *contacts, const char *provider, const char *contact_id) {
  struct contact_row *row = find_row(contacts, provider, contact_id);
  if (row) return row;
  contact_row_init(&contacts->rows[contacts->n_rows], provider, contact_id);
  name_row(contacts, contacts->n_rows, contact_id);
  return &contacts->rows[contacts->n_rows++];
}

// ---- reading ----

static void take_rows(struct contacts *contacts, const PGresult *res) {
  size_t read = (size_t)PQntuples(res), max = read + contacts->n; // one new row a fact
  contacts->rows = mem_array(max, sizeof *contacts->rows);
  contacts->changed = mem_array(max, sizeof *contacts->changed);
  contacts->removed = mem_array(max, sizeof *contacts->removed);
  contacts->n_buckets = 2 * max + 1;
  contacts->buckets = mem_array(contacts->n_buckets, sizeof(struct named *));
  for (size_t i = 0; i < read; i++) {
    contact_read_row(res, (int)i, &contacts->rows[i]);
    contacts->n_rows++;
    name_row(contacts, i, contacts->rows[i].id);
    name_by_objects(contacts, i);
  }
}

// ---- joining ----

static void note_change(struct contacts *contacts, struct contact_row *row, enum contact_change change) {
  size_t place = (size_t)(row - contacts->rows);
  if (change == CONTACT_SAME) return;
  contacts->changed[place] = true;
  name_by_objects(contacts, place);
}

static void note_withdrawn(struct contacts *contacts, const struct contact_row *row, const char *consent,
                           const struct fact *fact, bool with_alert) {
  size_t n = contacts->n_withdrawn++, n_alerts = contacts->n_alerts;
  contacts->withdrawn = mem_grow(contacts->withdrawn, n + 1, sizeof *contacts->withdrawn);
  contacts->withdrawn[n] = (struct withdrawn){fact->provider, consent};
  if (!with_alert) return;
  contacts->alerts = mem_grow(contacts->alerts, n_alerts + 1, sizeof *contacts->alerts);
  alert_of_withdrawn(&contacts->alerts[contacts->n_alerts++], row, consent, fact);
}

static void compare_consents(struct contacts *contacts, const struct contact_row *row, const json_t *before,
                             const struct fact *fact, bool with_alerts) {
  const char *consent;
  json_t *value;
  json_object_foreach(row->details.consents, consent, value) {
    if (contact_is_withdrawn(before, row->details.consents, consent))
      note_withdrawn(contacts, row, consent, fact, with_alerts);
  }
}

static enum contact_change join_row(struct contacts *contacts, struct contact_row *row,
                                    const struct fact *fact, const struct processor *processor) {
  AUTO_JSON *before = json_incref(row->details.consents);
  enum contact_change change = contact_join(row, fact->contact);
  note_change(contacts, row, change);
  if (change == CONTACT_CHANGED)
    compare_consents(contacts, row, before, fact, processor->settings->consent_alerts);
  return change;
}

// What came under the provider's id alone.
static void merge_unnamed(struct contacts *contacts, struct contact_row *row, const struct fact *fact,
                          const struct processor *processor) {
  const char *own = fact->contact->mark.provider_id;
  struct contact_row *other = own ? find_row(contacts, fact->provider, own) : NULL;
  if (!other || !contact_is_object(other, own)) return;
  if (processor->interpreter.keeps_whole && !other->details.whole)
    other->details.whole = contact_open(other, &processor->contact_key);
  note_change(contacts, row, contact_merge(row, other));
  contacts->removed[other - contacts->rows] = true;
}

// To all that are or were this object of the provider: one, unless the operator has given the person another
// id.
static enum contact_change join_by_provider_id(struct contacts *contacts, const struct fact *fact,
                                               const struct processor *processor) {
  enum contact_change most = CONTACT_SAME;
  struct named *at = NULL;
  struct contact_row *row = next_row(contacts, fact->provider, fact->id, &at);
  if (!row) return join_row(contacts, row_of(contacts, fact->provider, fact->id), fact, processor);
  for (; row; row = next_row(contacts, fact->provider, fact->id, &at)) {
    enum contact_change change = join_row(contacts, row, fact, processor);
    if (change > most) most = change;
  }
  return most;
}

static enum contact_change join(struct contacts *contacts, const struct fact *fact,
                                const struct processor *processor) {
  const char *own = fact->contact->mark.provider_id;
  if (own && strcmp(own, fact->id) == 0) return join_by_provider_id(contacts, fact, processor);
  struct contact_row *row = row_of(contacts, fact->provider, fact->id);
  merge_unnamed(contacts, row, fact, processor);
  return join_row(contacts, row, fact, processor);
}

void contacts_join(struct contacts *contacts, const PGresult *rows, const struct processor *processor) {
  if (contacts->n == 0) return;
  take_rows(contacts, rows);
  for (size_t i = 0; i < contacts->n; i++)
    contacts->changes[i] = join(contacts, contacts->facts[i], processor);
}

size_t contacts_take_alerts(struct contacts *contacts, struct alert **out) {
  size_t n = contacts->n_alerts;
  *out = take(contacts->alerts);
  contacts->n_alerts = 0;
  return n;
}

// ---- writing ----

void contacts_send(struct contacts *contacts, struct pipeline *pipeline, const struct processor *processor) {
  AUTO_FREE const struct contact_row **removed = mem_array(contacts->n_rows, sizeof *removed);
  AUTO_FREE const struct contact_row **written = mem_array(contacts->n_rows, sizeof *written);
  size_t n_removed = 0, n_written = 0;
  for (size_t i = 0; i < contacts->n_rows; i++) {
    struct contact_row *row = &contacts->rows[i];
    if (contacts->removed[i]) {
      if (row->is_stored) removed[n_removed++] = row;
    } else if (contacts->changed[i]) {
      if (processor->interpreter.keeps_whole) contact_seal(row, &processor->contact_key);
      written[n_written++] = row;
    }
  }
  contact_send_rows(pipeline, removed, n_removed, written, n_written);
}

void contacts_count(const struct contacts *contacts, struct metrics *metrics) {
  static const char *const names[] = {[CONTACT_SAME] = "same",
                                      [CONTACT_MARKED] = "same",
                                      [CONTACT_CHANGED] = "changed",
                                      [CONTACT_DELETED] = "deleted"};
  for (size_t i = 0; i < contacts->n; i++) {
    const char *const labels[] = {contacts->facts[i]->provider, names[contacts->changes[i]]};
    atomic_fetch_add(metrics_at_each(metrics, METRIC_CONTACTS, labels), 1);
  }
  for (size_t i = 0; i < contacts->n_withdrawn; i++) {
    const char *const labels[] = {contacts->withdrawn[i].provider, contacts->withdrawn[i].consent};
    atomic_fetch_add(metrics_at_each(metrics, METRIC_WITHDRAWN, labels), 1);
  }
}
