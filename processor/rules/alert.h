// SPDX-License-Identifier: MIT
// The records of the alert topic: the id, and the data as schemas/alert.schema.json demands. Ids are made of
// what the alert is about, so the same alert never gets a second one. No full phone number, no secret, no
// body goes in.
#pragma once
#include "processor/rules/interpret.h"
#include "processor/rules/ledger.h"

struct alert { // owns its strings
  struct uuid id;
  char *type;
  char *provider, *subject;          // NULL: none
  char *json;                        // the record's value
  char *traceparent;                 // or NULL
  int64_t raised_at;                 // Unix milliseconds
  char *source_topic, *source_event; // the record that caused it
  int32_t source_partition;
  int64_t source_offset;
};

// An alert about a notification as it stands after `fact` was applied; `before` is its status until then.
// Each type is one alert until a replay puts the notification right, and one more after each that does.
void alert_of_notification(struct alert *out, enum ledger_alert kind, const struct notification *notification,
                           enum status before, const struct fact *fact);
// An alert about a notification that a replay has put right. Each time it does is an alert of its own, also
// where the type was published before. Its source is no record of the topics but alert_replay_source(): no
// batch finds it, the replay publishes it. `scope`: of the receipt that decided (struct signal), or NULL.
void alert_of_correction(struct alert *out, enum ledger_alert kind, const struct notification *notification,
                         enum status before, const char *scope, const char *source);
// "<events topic>#replay", which can be no topic. New string.
char *alert_replay_source(const char *events_topic);
// When a record of the quarantine topic was put there, Unix milliseconds, and what it has in common with
// others that raise no alert of their own: endpoint and reason, but for the values in the reason (numbers,
// quoted text); or the type of an event that was quarantined whole.
int64_t alert_quarantined_at(const struct fact *fact);
// Why such a record was put there. Borrowed.
const char *alert_quarantine_reason(const struct fact *fact);
struct uuid alert_fingerprint(const struct fact *fact);
// An alert about a record of the quarantine topic. `folded`: records of its fingerprint since the last alert,
// which raised none.
void alert_of_quarantined(struct alert *out, const struct fact *fact, int64_t folded);
// An alert about records `first` to `last` of a partition, which were deleted before a processor read them.
// Its source is the last of them.
void alert_of_lost(struct alert *out, const char *topic, int32_t partition, int64_t first, int64_t last);
// What the row of an incident says beside the incident itself.
struct alert_incident {
  int64_t opened_at, closed_at; // Unix milliseconds; NO_TIME: it is open
  int64_t folded;               // overdue notifications that raised no alert of their own
};
// An alert that an incident has opened, or closed. `fact` caused it.
void alert_of_incident(struct alert *out, const struct incident *incident, const struct alert_incident *row,
                       const struct fact *fact);
// An alert that a contact has withdrawn a consent, as the row stands after `fact`. One for each contact,
// consent and version; where the row has no version, its time.
void alert_of_withdrawn(struct alert *out, const struct contact_row *row, const char *consent,
                        const struct fact *fact);
void alert_fini(struct alert *alert);
void alerts_free(struct alert *list, size_t n);

// A time (Unix milliseconds) as alerts have it: RFC 3339, null for NO_TIME. New.
json_t *alert_time(int64_t ms);

// ce_id of the record that a fact comes from; for a record that is no event of ours, its place. New string.
char *alert_source_event(const struct fact *fact);
