// SPDX-License-Identifier: MIT
// What the person on call should look at first. Pure. Thread: any.
#pragma once
#include "common/provider/provider.h"
#include "processor/rules/incident.h"

// An array of texts for an alert: what the provider file says (`provider` may be NULL), then what holds for
// any provider. The scope is that of the incident. New.
json_t *check_first(enum incident_kind kind, const char *scope, const struct provider *provider);
