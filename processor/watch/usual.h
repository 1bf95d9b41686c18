// SPDX-License-Identifier: MIT
// What is usual of a provider: the share of messages without a receipt in time, by hour of the day. Written
// hour by hour by the watch that leads, from what it sees (view.h). Not for: what follows from it
// (rules/slow). Thread: one.
#pragma once
#include "processor/watch/view.h"

MUST_CHECK bool usual_prepare(PGconn *conn, struct err *err);
// Stores the hours of the last day that are complete and not stored yet, and reads what is usual into the
// view. To be called when an hour begins, and at the start.
MUST_CHECK bool usual_update(PGconn *conn, struct view *view, struct err *err);
