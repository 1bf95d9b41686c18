// SPDX-License-Identifier: MIT
// The operations listener: /livez (the process runs), /readyz (it can do its work), /metrics. It has threads
// of its own, so that probes do not wait behind webhooks.
#pragma once
#include "common/base/err.h"
#include "common/ops/metrics.h"

struct admin;

// Why the service is not ready; NULL: it is. Called on the listener's threads; must not block.
typedef const char *admin_ready_fn(void *arg);

// The metrics are borrowed. /readyz answers 200 {"ready":true} or 503 {"ready":false,"reason":…}.
MUST_CHECK struct admin *admin_start(const char *address, struct metrics *metrics, admin_ready_fn *ready,
                                     void *arg, struct err *err);
// Asks the listener of another process at `address` (0.0.0.0: this host) for /readyz. False with the reason
// that it gives, or why it did not answer within two seconds.
MUST_CHECK bool admin_ask_ready(const char *address, struct err *err);
int admin_port(const struct admin *admin);
void admin_stop(struct admin *admin);
