// SPDX-License-Identifier: MIT
// What is measured of a worker's batches: how long each phase took, what the records said, how old they were.
// Which phase it is in also says who is to blame when it fails. Thread: the worker's.
#pragma once
#include "processor/processor.h"
#include "processor/rules/alert.h"

enum phase { PHASE_NONE, PHASE_FETCH, PHASE_INTERPRET, PHASE_POSTGRES, PHASE_KAFKA, PHASE_COUNT };

struct measure {
  enum phase phase;
  int64_t since_us;
  int64_t spent_us[PHASE_COUNT];
};

void measure_reset(struct measure *measure); // a new batch, in PHASE_NONE: waiting for its first record
void measure_enter(struct measure *measure, enum phase phase);
// "postgres" or "kafka".
const char *measure_part(const struct measure *measure);

// Postgres has committed the batch: everything about it goes to the metrics.
void measure_committed(struct measure *measure, struct metrics *metrics, const struct fact *facts, size_t n);
// One of its alerts is, caused by `fact`.
void measure_published(struct metrics *metrics, const struct fact *fact);
