// SPDX-License-Identifier: MIT
// The kinds of incidents, and what the person on call should look at first. Pure. Thread: any.
#pragma once
#include "common/provider/provider.h"

enum incident_kind {
  INCIDENT_FAILING, // of a provider
  INCIDENT_SILENT,
  INCIDENT_SLOW,
  INCIDENT_REFUSING, // of an endpoint
  INCIDENT_UNREACHABLE,
  INCIDENT_AT_RISK,
  INCIDENT_COUNT
};
const char *incident_name(enum incident_kind kind); // "failing" …

// An array of texts for an alert: what the provider file says (`provider` may be NULL), then what holds for
// any provider. New.
json_t *check_first(enum incident_kind kind, const struct provider *provider);
