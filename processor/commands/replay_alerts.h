// SPDX-License-Identifier: MIT
// Publishes the alerts that replays have raised, each once, whenever a replay dies: they are written with
// what they are about, in one transaction, and marked when they are published. Where the mark is missing, the
// alert topic is read to find out whether they are there: no other replay writes there meanwhile, since
// opening this ends what the one before had begun. Thread: one.
#pragma once
#include "processor/batch/store.h"
#include "processor/processor.h"

struct replay_alerts;

// `store` and `source`, that of the alerts, are borrowed. Waits for the end of an earlier replay's
// transaction, publishes what that one has left, and sets *n_left to how many these were.
MUST_CHECK struct replay_alerts *replay_alerts_open(struct processor *processor, struct store *store,
                                                    const char *source, size_t *n_left, struct err *err);
void replay_alerts_close(struct replay_alerts *alerts);
// Publishes what has no mark, and marks it. *n: how many.
MUST_CHECK bool replay_alerts_publish(struct replay_alerts *alerts, size_t *n, struct err *err);
