// SPDX-License-Identifier: MIT
// Closes the incidents that no rule looks at any more.
#include "processor/watch/judge.h"
#include "processor/watch/judge_event.h"
#include <string.h>

enum { MINUTE_MS = 60 * 1000, FORGOTTEN_MINUTES = 12 * 60 };

// The rule closes it by good calls, and an idle endpoint gets none.
static bool is_forgotten(const struct judge *j, const struct view_incident *row) {
  int64_t since = j->view->loaded_until - FORGOTTEN_MINUTES;
  return row->row.kind == INCIDENT_REFUSING && row->opened_ms / MINUTE_MS < since &&
         view_refused_at(j->view, row->row.endpoint) < since;
}

static const char *why_gone(const struct judge *j, const struct view_incident *row, bool has_door) {
  const struct incident *incident = &row->row;
  bool is_door = incident->kind == INCIDENT_UNREACHABLE && strcmp(incident->scope, "ingress") != 0;
  if (*incident->endpoint && view_endpoint_is_gone(j->view, incident->endpoint))
    return "no ingress has had this endpoint for a day";
  if (*incident->provider && view_provider_is_gone(j->view, incident->provider))
    return "there is no provider file of this name, and no endpoint of it";
  if (is_door && !has_door) return "the front door is not called any more: no DOCHAK_PUBLIC_URL is set";
  return is_forgotten(j, row) ? "no call was refused for 12 hours" : NULL;
}

bool judge_gone(struct judge *j, bool has_door, struct err *err) {
  for (size_t i = 0; i < j->view->n_incidents; i++) {
    const struct view_incident *row = &j->view->incidents[i];
    const char *why = why_gone(j, row, has_door);
    if (why && !judge_event_close(j, row, why, err)) return false;
  }
  return true;
}
