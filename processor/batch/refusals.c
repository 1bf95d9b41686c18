// SPDX-License-Identifier: MIT
#include "processor/batch/refusals.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "processor/processor.h"
#include <string.h>

enum { REFUSED_IN_A_ROW_MAX = 100 };

static bool is_quarantined(const struct fact *fact) {
  return fact->type == FACT_QUARANTINED;
}

static size_t in_a_row(const struct refusals *refusals, size_t kind) {
  return refusals->before[kind] + refusals->batch.refused[kind];
}

static void note_taken(struct refusals *refusals, struct fact *const *facts, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (fact_is_about_notification(facts[i]) || is_quarantined(facts[i]))
      refusals->batch.is_taken[is_quarantined(facts[i])] = true;
}

static bool is_record_at_fault(const struct refusals *refusals, struct store *store, const struct fact *fact,
                               struct err *err) {
  switch (store_probe(store, fact->rkm->rkt, err)) {
  case STORE_DONE:
    return true;
  case STORE_WAIT:
    return false;
  case STORE_REFUSED:
    break;
  }
  (void)err_prefix(err, "the database refuses harmless records, too, and waits to be put right: ");
  publish_fault_set(refusals->fault, err->text);
  return false;
}

// Beyond the limit a harmless record proves nothing; a record of the batch that Postgres accepts does.
static bool refuse(struct refusals *refusals, struct store *store, struct fact *fact, struct err *err) {
  refusals->last = *err;
  refusals->batch.refused[is_quarantined(fact)]++;
  if (in_a_row(refusals, is_quarantined(fact)) <= REFUSED_IN_A_ROW_MAX) {
    if (!is_record_at_fault(refusals, store, fact, err)) return false;
    log_warn("record refused by Postgres", LOG_STR("error", refusals->last.text),
             LOG_STR("topic", rd_kafka_topic_name(fact->rkm->rkt)),
             LOG_INT("partition", fact->rkm->partition), LOG_INT("offset", fact->rkm->offset));
  }
  if (is_quarantined(fact))
    fact->type = FACT_OTHER; // it stays where it is, without an alert
  else
    fact_refuse(fact, refusals->last.text);
  return true;
}

// A batch that Postgres refuses is halved until the refused record is alone. Depth: log2 of the batch.
static bool store_all(struct refusals *refusals, struct store *store, struct partitions *partitions,
                      struct fact **facts, size_t n, struct err *err) { // NOLINT(misc-no-recursion)
  size_t n_published;
  AUTO_FREE struct store_range *published = partitions_unmarked(partitions, &n_published);
  switch (store_batch(store, facts, n, published, n_published, err)) {
  case STORE_DONE:
    note_taken(refusals, facts, n);
    partitions_marked(partitions); // in the same transaction
    return true;
  case STORE_WAIT:
    return false;
  case STORE_REFUSED:
    break;
  }
  if (n == 1) return refuse(refusals, store, facts[0], err);
  return store_all(refusals, store, partitions, facts, n / 2, err) &&
         store_all(refusals, store, partitions, facts + n / 2, n - n / 2, err);
}

bool refusals_store(struct refusals *refusals, struct store *store, struct partitions *partitions,
                    struct fact **facts, size_t n, struct err *err) {
  memset(&refusals->batch, 0, sizeof refusals->batch);
  return store_all(refusals, store, partitions, facts, n, err);
}

// A constraint that an operator added may accept a harmless record and refuse all real ones. A provider that
// sends values which Postgres cannot store seldom sends a hundred of them in a row.
bool refusals_check(const struct refusals *refusals, struct err *err) {
  for (size_t kind = 0; kind < COUNT_OF(refusals->before); kind++) {
    if (refusals->batch.is_taken[kind] || in_a_row(refusals, kind) <= REFUSED_IN_A_ROW_MAX) continue;
    err_set_class(err, refusals->last.class,
                  "the database refused the last %zu records, though it takes harmless ones, and waits to be "
                  "put right: %s",
                  in_a_row(refusals, kind), refusals->last.text);
    publish_fault_set(refusals->fault, err->text);
    return false;
  }
  return true;
}

void refusals_committed(struct refusals *refusals, struct metrics *metrics) {
  for (size_t kind = 0; kind < COUNT_OF(refusals->before); kind++) {
    metrics_add(metrics, METRIC_REFUSED, NULL, (int64_t)refusals->batch.refused[kind]);
    refusals->before[kind] = refusals->batch.is_taken[kind] ? 0 : in_a_row(refusals, kind);
  }
}
