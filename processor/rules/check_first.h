// SPDX-License-Identifier: MIT
// What the person on call should look at first. Pure. Thread: any.
#pragma once
#include "common/provider/provider.h"
#include "processor/rules/incident.h"

// An array of texts for an alert, new: what is quickly seen on our side, what the provider file says
// (`provider` may be NULL), what holds for any provider. Where the file says something, no text asks about
// the console again. The scope is that of the incident.
json_t *check_first(enum incident_kind kind, const char *scope, const struct provider *provider);
