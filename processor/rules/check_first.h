// SPDX-License-Identifier: MIT
// What the person on call should look at first. Pure. Thread: any.
#pragma once
#include "common/provider/provider.h"
#include "processor/rules/incident.h"

// An array of texts for an alert: what the provider file says (`provider` may be NULL), then what holds for
// any provider. New.
json_t *check_first(enum incident_kind kind, const struct provider *provider);
