// SPDX-License-Identifier: MIT
// Input that is quarantined at one endpoint for one kind of reason raises one alert a day; the next alert
// says how many records raised none. Not for: what an alert says (alert). Thread: that of the connection.
#pragma once
#include "processor/postgres/pipeline.h"
#include "processor/rules/alert.h"

// Two steps of one transaction. quarantine_alert_hold() locks the rows of these records' fingerprints until
// the end: of two workers with the same kind, the second one sees what the first did. *held is the result.
// quarantine_alert_send() appends the alerts that are due to `alerts`, adds to *n_alerts, and stores when
// each fingerprint last raised one, and how many records raised none since. A record that was counted before
// (delivery_minute.h, `advanced`) is not counted again.
MUST_CHECK bool quarantine_alert_hold(PGconn *conn, const struct uuid *fingerprints, size_t n,
                                      PGresult **held, enum pg_fault *fault, struct err *err);
void quarantine_alert_send(struct pipeline *pipeline, struct fact *const *quarantined,
                           const struct uuid *fingerprints, size_t n, const PGresult *held,
                           const PGresult *advanced, struct alert *alerts, size_t *n_alerts);
