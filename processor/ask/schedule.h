// SPDX-License-Identifier: MIT
// Asks a provider by itself, one thread for each provider that may be asked: every so often for what has
// become overdue, and for all of it when a `silent` incident of the provider opens or closes. Of all
// processes one asks a provider at a time (ask_run_lock()); when that one dies, another one goes on with its
// run, and an operator's `reconcile` is waited for. Not for: which notifications then expire
// (watch/deadlines.h). Thread: its own.
#pragma once
#include "processor/processor.h"

struct schedule;

// Starts the threads; none where no provider may be asked.
MUST_CHECK struct schedule *schedule_start(struct processor *processor, struct err *err);
// As retention_join().
MUST_CHECK bool schedule_join(struct schedule *schedule, int64_t until_ms);
