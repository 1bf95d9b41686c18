// SPDX-License-Identifier: MIT
// What ingress counted, minute by minute. Not for: what the event says (rules/ingress_minute). Thread: that
// of the connection.
#pragma once
#include "processor/postgres/pipeline.h"
#include "processor/rules/interpret.h"

// Those of the facts that are FACT_MINUTE; nothing is sent if there are none.
void endpoint_minute_send(struct pipeline *pipeline, struct fact *const *facts, size_t n);
