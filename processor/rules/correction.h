// SPDX-License-Identifier: MIT
// What a notification's row would be had today's provider files been in force from the start. Pure: no
// database, no Kafka. Not for: what an event means (interpret) or the status rules (ledger), which it applies
// once more.
#pragma once
#include "processor/rules/ledger.h"

// Builds `out`, as the version that `stored` is, to be written as a correction, of `stored` and what was
// said, in the order in which it came: all receipts, and the acceptances that are stored and understood. The
// effect of other acceptances is taken from the row, as far as it still shows, as if they had come first.
// Recipient and reference are the row's.
void correction_build(struct notification *out, const struct notification *stored, const struct signal *said,
                      size_t n);

// Whether the row shows that an acceptance was applied to it.
bool correction_needs_acceptance(const struct notification *stored);
// Keeps the contradiction of the row, which is that of a rejection whose acceptance is not stored.
void correction_keep_contradiction(struct notification *out, const struct notification *stored);

// Whether the two rows differ in anything but the versions, first_seen_at and next_look_at, which follows
// from the rest.
bool correction_differs(const struct notification *a, const struct notification *b);

// The scope of the account fault that `n` stands on: that of what said so. NULL: it stands on none.
const char *correction_scope(const struct notification *n, const struct signal *said, size_t n_said);

// The alert that is due: for a status that has really become DEAD_LETTER, or has turned from it to SENT. One
// that is open again raises none yet.
enum ledger_alert correction_alert(enum status before, enum status after);
