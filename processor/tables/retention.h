// SPDX-License-Identifier: MIT
// Deletes what is finished and old: resolved notifications that were neither first seen nor written within
// DOCHAK_RETENTION_DAYS, with all their receipts and acceptances, alerts that are out, incidents that have
// closed, and runs of asking a provider that have ended. Never what is PENDING, unpublished or open. Whatever
// the setting: after 35 or 98 days, the minutes and hours that only the watch reads. In small batches with
// pauses, each its own transaction, on a connection of its own and by one processor at a time; what a worker
// or a replay holds is left for the next time. Thread: its own.
#pragma once
#include "processor/processor.h"

struct retention;

// Whether so few days are safe. For --check, too.
MUST_CHECK bool retention_check(const struct settings *settings, struct err *err);
// Warns where rows are deleted before their records: read again, these would count as new ones.
void retention_warn(const struct settings *settings, struct faults *faults);

// Starts it, checked.
MUST_CHECK struct retention *retention_start(struct processor *processor, struct err *err);
// Waits for its end after stop_request(), which is at once unless Postgres does not answer, until then
// (clock_mono_ms()) at most, and frees it. False: it still waits. NULL is none, and true.
MUST_CHECK bool retention_join(struct retention *retention, int64_t until_ms);
