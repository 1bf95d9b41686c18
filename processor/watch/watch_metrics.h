// SPDX-License-Identifier: MIT
// The gauges of the watch that leads. Thread: one.
#pragma once
#include "common/ops/metrics.h"
#include "processor/watch/silence.h"
#include "processor/watch/view.h"

// Open incidents, by kind and provider.
void watch_metrics_incidents(struct metrics *metrics, const struct view *view);
// Score and bar of each endpoint's silence, in hundredths.
void watch_metrics_silence(struct metrics *metrics, const struct silence *silence);
// How old the oldest open notification of each provider is.
MUST_CHECK bool watch_metrics_pending(struct metrics *metrics, const struct view *view, PGconn *conn,
                                      struct err *err);
// Another process leads now: its gauges count.
void watch_metrics_clear(struct metrics *metrics, const struct view *view, const struct silence *silence);
