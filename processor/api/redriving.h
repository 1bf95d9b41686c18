// SPDX-License-Identifier: MIT
// Takes one quarantined record in again, as "dochak-processor quarantine redrive PLACE" does. One at a time.
// With connections of its own, to Postgres as a worker has them. Thread: any.
#pragma once
#include "processor/api/problem.h"
#include "processor/processor.h"

struct redriving;

struct redriving *redriving_new(struct processor *processor); // borrowed
void redriving_free(struct redriving *redriving);             // nothing runs

// The place as a path has it. *body: what was done, JSON, new string. May take half a minute where Kafka is
// away.
MUST_CHECK bool redriving_run(struct redriving *redriving, const char *partition, const char *offset,
                              char **body, struct problem *problem);
