// SPDX-License-Identifier: MIT
// A worker: one thread with its own consumer, transactional producer and Postgres connection, doing one batch
// after the other. Whatever fails, it lets go of all three, waits, and starts over from the committed
// offsets: there is one way to recover, and it is the way every start takes.
#pragma once
#include "processor/processor.h"

struct worker;

// Whether the Kafka settings make a worker's clients, without connecting. For --check.
MUST_CHECK bool worker_check(const struct settings *settings, struct err *err);

// Starts worker number `index` of the process.
MUST_CHECK struct worker *worker_start(struct processor *processor, int index, struct err *err);
// Waits for its end after stop_request(), until then (clock_mono_ms()) at most, and frees it. False: it hangs
// in a call to Kafka or Postgres, and is still at work. NULL is none, and true.
MUST_CHECK bool worker_join(struct worker *worker, int64_t until_ms);
