// SPDX-License-Identifier: MIT
#include "processor/watch/judge_event.h"
#include "common/base/mem.h"
#include <stdlib.h>

enum { MINUTE_MS = 60 * 1000 };

// The order of these events does not matter: one that closes an incident is written after the one that opens
// it was read.
static bool write(struct judge *j, const struct incident *incident, const struct incident_story *story,
                  struct err *err) {
  struct incident row = *incident;
  row.details = incident_details(&row, story);
  AUTO_FREE char *value = incident_format(&row);
  free(row.details);
  const char *provider = *row.provider ? row.provider : NULL, *endpoint = *row.endpoint ? row.endpoint : NULL;
  const char *key = incident_subject(&row);
  int32_t partition = frontier_partition(j->frontier, key);
  const struct emitter_event event = {.type = incident_type(row.kind, row.opens),
                                      .key = key,
                                      .provider = provider,
                                      .endpoint = endpoint,
                                      .value = value,
                                      .partition = &partition};
  j->written++;
  return emitter_send(j->emitter, &event, err);
}

bool judge_event_open(struct judge *j, const struct judge_key *key, int64_t since_ms,
                      const struct incident_story *story, struct err *err) {
  struct incident incident = incident_key(key->kind, key->provider, key->endpoint, key->scope);
  incident.opens = true;
  incident.since = since_ms;
  incident.judged_until = j->until_ms;
  incident.id = incident_make_id(&incident);
  return write(j, &incident, story, err);
}

bool judge_event_close(struct judge *j, const struct view_incident *row, const char *summary,
                       struct err *err) {
  struct incident incident = row->row;
  const struct incident_story story = {.summary = summary};
  incident.opens = false;
  if (incident.judged_until < j->until_ms) incident.judged_until = j->until_ms;
  return write(j, &incident, &story, err);
}

int64_t judge_event_minute(const struct view_incident *row) {
  return row ? row->opened_ms / MINUTE_MS : NOT_OPEN;
}

const struct view_incident *judge_event_find(const struct judge *j, const struct judge_key *key) {
  return view_find(j->view, key->kind, key->provider, key->endpoint, key->scope);
}
