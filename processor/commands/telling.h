// SPDX-License-Identifier: MIT
// Brings the alerts that replays have raised to the alert topic, each once, whenever a replay dies: they are
// written with what they are about, in one transaction, and marked when they are told. Where the mark is
// missing, the topic itself says whether it was done: no other replay writes there meanwhile, since opening
// this ends what the one before had begun. Thread: one.
#pragma once
#include "processor/batch/store.h"
#include "processor/processor.h"

struct telling;

// `store` and `source`, that of the alerts, are borrowed. Waits for the end of an earlier replay's
// transaction, tells what that one has left untold, and adds it to *n_told.
MUST_CHECK struct telling *telling_open(struct processor *processor, struct store *store, const char *source,
                                        size_t *n_told, struct err *err);
void telling_close(struct telling *telling);
// Tells what is not told yet. `n_told` counts it, and may be NULL.
MUST_CHECK bool telling_tell(struct telling *telling, size_t *n_told, struct err *err);
