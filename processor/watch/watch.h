// SPDX-License-Identifier: MIT
// The watch: finds what was never reported. One process of all leads (an advisory lock of Postgres); it looks
// once a second and writes events, which the batches take in like any other, exactly once. Another process
// takes over when its session ends: at once after a stop or a crash, after ten seconds if it is frozen.
// Thread: its own.
#pragma once
#include "processor/processor.h"

struct watch;

MUST_CHECK struct watch *watch_start(struct processor *processor, struct err *err);
// As retention_join().
MUST_CHECK bool watch_join(struct watch *watch, int64_t until_ms);
