// SPDX-License-Identifier: MIT
// The same bytes, quarantined again, raise one alert a day. Not for: what an alert says (alert). Thread: that
// of the connection.
#pragma once
#include "processor/postgres/pipeline.h"
#include "processor/rules/alert.h"

// Two steps of one transaction. The first locks the rows of these records of the quarantine topic until the
// end: of two workers with the same bytes, the second one sees what the first did. The second step, by the
// first one's result, puts the alerts of those that raise one behind the `n_alerts` in the list, and keeps
// when they did.
void quarantine_alert_send_hold(struct pipeline *pipeline, struct fact *const *quarantined, size_t n);
void quarantine_alert_send(struct pipeline *pipeline, struct fact *const *quarantined, size_t n,
                           const PGresult *held, struct alert *alerts, size_t *n_alerts);
