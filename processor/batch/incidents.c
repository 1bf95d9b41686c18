// SPDX-License-Identifier: MIT
#include "processor/batch/incidents.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "processor/rules/failing.h"
#include "processor/tables/incident.h"
#include <stdlib.h>
#include <string.h>

enum { CODES_MAX = 5 };

// What changes an incident: one of the watch's events, or the account faults of one scope in this batch.
struct change {
  const struct fact *fact;         // the first one that causes it
  const struct incident *incident; // of the fact, or `made`
  struct incident *made;           // of account faults, or NULL
  json_t *codes;                   // of account faults
  struct failing_faults faults;
};

struct folded {
  const char *provider; // borrowed from `folding`
  int64_t n;
};

struct incidents {
  struct change *changes; // as many as facts, at most
  size_t n_changes;
  PGresult *folding;     // or NULL: nothing can be folded
  struct folded *folded; // one for each row of it
  size_t n_folded;
};

static bool any_overdue(struct fact *const *facts, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (facts[i]->type == FACT_DEADLINE && facts[i]->signal.kind == SIGNAL_OVERDUE) return true;
  return false;
}

struct incidents *incidents_new(PGconn *conn, struct fact *const *facts, size_t n, enum pg_fault *fault,
                                struct err *err) {
  struct incidents *in = mem_alloc(sizeof *in);
  in->changes = mem_array(n, sizeof *in->changes);
  if (any_overdue(facts, n) && !incident_folding(conn, &in->folding, fault, err)) {
    incidents_free(in);
    return NULL;
  }
  in->n_folded = in->folding ? (size_t)PQntuples(in->folding) : 0;
  in->folded = mem_array(in->n_folded, sizeof *in->folded);
  for (size_t i = 0; i < in->n_folded; i++) in->folded[i].provider = PQgetvalue(in->folding, (int)i, 0);
  for (size_t i = 0; i < n; i++)
    if (facts[i]->type == FACT_INCIDENT)
      in->changes[in->n_changes++] = (struct change){.fact = facts[i], .incident = facts[i]->incident};
  return in;
}

void incidents_free(struct incidents *in) {
  if (in == NULL) return;
  for (size_t i = 0; i < in->n_changes; i++) {
    if (in->changes[i].made) incident_fini(in->changes[i].made);
    free(in->changes[i].made);
    json_decref(in->changes[i].codes);
  }
  PQclear(in->folding);
  free(in->folded);
  free(in->changes);
  free(in);
}

// ---- folding ----

bool incidents_fold(struct incidents *in, const char *provider) {
  for (size_t i = 0; i < in->n_folded; i++) {
    if (strcmp(in->folded[i].provider, provider) != 0) continue;
    in->folded[i].n++;
    return true;
  }
  return false;
}

// ---- account faults ----

static struct change *change_of(struct incidents *in, const struct incident *key) {
  for (size_t i = 0; i < in->n_changes; i++)
    if (in->changes[i].made && incident_compare(in->changes[i].made, key) == 0) return &in->changes[i];
  return NULL;
}

static struct change *begin(struct incidents *in, const struct fact *fact, const struct incident *key) {
  struct change *change = &in->changes[in->n_changes++];
  char event[UUID_TEXT_SIZE];
  uuid_format(fact->ev.id, event);
  *change = (struct change){.fact = fact, .made = mem_alloc(sizeof *change->made), .codes = json_array()};
  change->incident = change->made;
  *change->made = *key;
  change->made->id = uuid_of_fields((const char *const[]){event, EVENT_FAILING, key->scope}, 3);
  change->made->provider = mem_strdup(key->provider);
  change->made->endpoint = mem_strdup(key->endpoint);
  change->made->scope = mem_strdup(key->scope);
  return change;
}

static void count_code(json_t *codes, const struct signal *signal) {
  size_t i;
  json_t *row;
  json_array_foreach(codes, i, row) {
    if (strcmp(json_string_value(json_object_get(row, "code")), mem_or_empty(signal->code)) != 0) continue;
    json_object_set_new(row, "count", json_integer(json_integer_value(json_object_get(row, "count")) + 1));
    return;
  }
  if (json_array_size(codes) < CODES_MAX)
    json_array_append_new(codes, json_pack("{ss ss? si}", "code", mem_or_empty(signal->code), "reason",
                                           signal->reason, "count", 1));
}

void incidents_add_fault(struct incidents *in, const struct fact *fact) {
  const struct signal *signal = &fact->signal;
  struct incident key = incident_key(INCIDENT_FAILING, fact->provider, mem_or_empty(fact->ev.endpoint),
                                     mem_or_empty(signal->scope));
  key.opens = true;
  key.since = signal->received_at;
  struct change *change = change_of(in, &key);
  if (!change) change = begin(in, fact, &key);
  struct incident *made = change->made;
  failing_fault_add(&change->faults, signal->received_at, provider_expects(fact->file).silent_after_s * 1000);
  if (signal->received_at < made->since) made->since = signal->received_at;
  made->faults++;
  count_code(change->codes, signal);
}

// When all its faults are known.
static void complete(const struct change *change) {
  const struct signal *signal = &change->fact->signal;
  AUTO_JSON *counts = json_pack("{sI}", "account_faults", (json_int_t)change->made->faults);
  AUTO_FREE char *summary =
      mem_printf("%s reports that messages of this %s fail until somebody acts: %s%s%s",
                 change->made->provider, *change->made->scope ? change->made->scope : "account",
                 mem_or_empty(signal->code), signal->reason ? ", " : "", mem_or_empty(signal->reason));
  const struct incident_story story = {.summary = summary,
                                       .example = change->fact->id,
                                       .provider = change->fact->file,
                                       .counts = counts,
                                       .codes = change->codes};
  change->made->judged_until = change->faults.last_ms;
  change->made->gap_ms = change->faults.gap_ms;
  change->made->details = incident_details(change->made, &story);
}

// ---- writing ----

static int by_key(const void *left, const void *right) {
  const struct change *a = left, *b = right;
  int order = incident_compare(a->incident, b->incident);
  if (order) return order;
  return (a->fact->rkm->offset > b->fact->rkm->offset) - (a->fact->rkm->offset < b->fact->rkm->offset);
}

// The changes that open, or those that close; of each key the first one. Returns how many.
static size_t pick(const struct incidents *in, bool opens, struct incident_change *list) {
  size_t n = 0;
  for (size_t i = 0; i < in->n_changes; i++) {
    const struct change *change = &in->changes[i];
    if (change->incident->opens != opens) continue;
    if (n > 0 && incident_compare(list[n - 1].incident, change->incident) == 0) continue;
    list[n++] = (struct incident_change){.incident = change->incident, .fact = change->fact};
  }
  return n;
}

static void add_alerts(const struct incident_change *list, size_t n, struct alert *alerts, size_t *n_alerts) {
  for (size_t i = 0; i < n; i++)
    if (list[i].is_done)
      alert_of_incident(&alerts[(*n_alerts)++], list[i].incident, &list[i].row, list[i].fact);
}

// Folding, opening and closing are three statements, each of which takes its rows in an order of its own. So
// all rows are locked first, in one order.
static bool lock_and_fold(const struct incidents *in, PGconn *conn, enum pg_fault *fault, struct err *err) {
  AUTO_FREE const char **providers = mem_array(in->n_folded + in->n_changes, sizeof *providers);
  AUTO_FREE int64_t *counts = mem_array(in->n_folded, sizeof *counts);
  size_t n = 0;
  for (size_t i = 0; i < in->n_folded; i++) {
    if (in->folded[i].n == 0) continue;
    providers[n] = in->folded[i].provider;
    counts[n++] = in->folded[i].n;
  }
  size_t n_counts = n;
  for (size_t i = 0; i < in->n_changes; i++) providers[n++] = in->changes[i].incident->provider;
  if (n && !incident_lock(conn, providers, n, fault, err)) return false;
  return n_counts == 0 || incident_fold(conn, providers, counts, n_counts, fault, err);
}

bool incidents_write(struct incidents *in, PGconn *conn, struct alert *alerts, size_t *n_alerts,
                     enum pg_fault *fault, struct err *err) {
  if (!lock_and_fold(in, conn, fault, err)) return false;
  if (in->n_changes == 0) return true;
  AUTO_FREE struct incident_change *list = mem_array(in->n_changes, sizeof *list);
  int64_t now = clock_wall_ms();
  for (size_t i = 0; i < in->n_changes; i++)
    if (in->changes[i].made) complete(&in->changes[i]);
  qsort(in->changes, in->n_changes, sizeof *in->changes, by_key);
  size_t n = pick(in, true, list);
  if (n && !incident_open(conn, list, n, now, fault, err)) return false;
  add_alerts(list, n, alerts, n_alerts);
  n = pick(in, false, list);
  if (n && !incident_close(conn, list, n, now, fault, err)) return false;
  add_alerts(list, n, alerts, n_alerts);
  return true;
}
