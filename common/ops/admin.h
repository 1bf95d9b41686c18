// SPDX-License-Identifier: MIT
// The operations listener: /livez (the process runs), /readyz (it can do its work; never asks another system
// while answering), /metrics. A server of its own, so that probes never wait behind
// traffic.
#pragma once
#include "common/base/err.h"
#include "common/ops/metrics.h"
#include <stdatomic.h>

struct admin;

// Why the service is not ready: NULL when it is. Called on the listener's threads; must not block.
typedef const char *admin_ready_fn(void *arg);

// Metrics borrowed. /readyz answers 200 {"ready":true} or 503 {"ready":false,"reason":…}.
MUST_CHECK struct admin *admin_start(const char *address, struct metrics *metrics, admin_ready_fn *ready,
                                     void *arg, struct err *err);
int admin_port(const struct admin *admin);
void admin_stop(struct admin *admin);
