// SPDX-License-Identifier: MIT
#include "processor/rules/alert.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const types[] = {
    [LEDGER_DEAD_LETTERED] = ALERT_DEAD_LETTERED,
    [LEDGER_RECOVERED] = ALERT_RECOVERED,
    [LEDGER_OVERDUE] = ALERT_OVERDUE,
};

char *alert_source_event(const struct fact *fact) {
  if (fact->ev.type == NULL)
    return mem_printf("%s/%d/%lld", rd_kafka_topic_name(fact->rkm->rkt), fact->rkm->partition,
                      (long long)fact->rkm->offset);
  char id[UUID_TEXT_SIZE];
  uuid_format(fact->ev.id, id);
  return mem_strdup(id);
}

json_t *alert_time(int64_t ms) {
  char text[CLOCK_RFC3339_SIZE];
  if (ms == NO_TIME) return json_null();
  clock_format_rfc3339(ms, text);
  return json_string(text);
}

static void set_source(struct alert *out, const struct fact *fact) {
  out->traceparent = mem_strdup_or_null(fact->ev.traceparent);
  out->raised_at = clock_wall_ms();
  out->source_topic = mem_strdup(rd_kafka_topic_name(fact->rkm->rkt));
  out->source_event = alert_source_event(fact);
  out->source_partition = fact->rkm->partition;
  out->source_offset = fact->rkm->offset;
}

static void set_notification(struct alert *out, enum ledger_alert kind, const struct notification *n,
                             enum status before, const char *scope, int64_t at) {
  assert(kind != LEDGER_NO_ALERT);
  *out = (struct alert){
      .type = mem_strdup(types[kind]), .provider = mem_strdup(n->provider), .subject = mem_strdup(n->id)};
  AUTO_JSON *data = json_pack(
      "{ss ss ss ss? ss? ss? ss? ss? ss? ss? so so}", "provider", n->provider, "notification_id", n->id,
      "status", status_name(n->status), "previous_status", status_name(before), "outcome", n->outcome, "code",
      n->code, "reason", n->reason, "channel", n->channel, "recipient", n->recipient, "reference",
      n->reference, "accepted_at", alert_time(n->accepted_at), "occurred_at", alert_time(at));
  assert(data); // every text was valid UTF-8 when it was parsed or read from a header
  if (kind == LEDGER_DEAD_LETTERED)
    json_object_set_new(data, "scope", scope ? json_string(scope) : json_null());
  out->json = json_text(data);
}

void alert_of_notification(struct alert *out, enum ledger_alert kind, const struct notification *n,
                           enum status before, const struct fact *fact) {
  set_notification(out, kind, n, before, fact->signal.scope, fact->signal.at);
  AUTO_FREE char *corrected = mem_printf("%d", n->corrected_version);
  const char *const fields[] = {n->provider, n->id, out->type, corrected};
  out->id = uuid_of_fields(fields, n->corrected_version ? 4 : 3);
  set_source(out, fact);
}

char *alert_replay_source(const char *events_topic) {
  return mem_printf("%s#replay", events_topic);
}

void alert_of_correction(struct alert *out, enum ledger_alert kind, const struct notification *n,
                         enum status before, const char *scope, const char *source) {
  set_notification(out, kind, n, before, scope, n->resolved_at);
  AUTO_FREE char *version = mem_printf("%d", n->corrected_version);
  out->id = uuid_of_fields((const char *const[]){n->provider, n->id, out->type, "replay", version}, 5);
  out->raised_at = clock_wall_ms();
  out->source_topic = mem_strdup(source);
  out->source_event = mem_strdup("replay");
}

int64_t alert_quarantined_at(const struct fact *fact) {
  int64_t at = fact->ev.type ? fact->ev.time_ms : rd_kafka_message_timestamp(fact->rkm, NULL);
  return at < 0 ? clock_wall_ms() : at; // a record without a timestamp
}

const char *alert_quarantine_reason(const struct fact *fact) {
  bool given = fact->ev.reason && *fact->ev.reason;
  return given ? fact->ev.reason : "not an event of ours";
}

// A quoted value may itself contain quotation marks; one that was cut off lacks the last.
static void drop_quoted(char *text) {
  char *from = strchr(text, '"'), *to = strrchr(text, '"');
  if (from && to == from) *from = '\0';
  if (from && to > from) memmove(from, to + 1, strlen(to + 1) + 1);
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// What follows a digit up to the end of its word belongs to the value: 0xfe.
static void drop_numbers(char *text) {
  char *to = text;
  for (const char *at = text; *at; at++) {
    *to++ = *at;
    if (!is_digit(*at)) continue;
    to[-1] = '0';
    at += strspn(at + 1, "0123456789abcdefABCDEFx");
  }
  *to = '\0';
}

// Places, sizes and ids differ from record to record.
static char *kind_of_reason(const char *reason) {
  char *kind = mem_strdup(reason);
  drop_quoted(kind);
  drop_numbers(kind);
  return kind;
}

struct uuid alert_fingerprint(const struct fact *fact) {
  const char *type = fact->ev.original_type;
  if (type) return uuid_of_fields((const char *const[]){ALERT_QUARANTINED, "type", type}, 3);
  const char *endpoint = mem_or_empty(fact->ev.endpoint);
  AUTO_FREE char *kind = kind_of_reason(alert_quarantine_reason(fact));
  return uuid_of_fields((const char *const[]){ALERT_QUARANTINED, endpoint, kind}, 3);
}

void alert_of_quarantined(struct alert *out, const struct fact *fact, int64_t folded) {
  *out = (struct alert){.type = mem_strdup(ALERT_QUARANTINED),
                        .provider = mem_strdup_or_null(fact->ev.provider)};
  set_source(out, fact);
  out->id = uuid_of_fields((const char *const[]){out->source_event, out->type}, 2);
  int64_t at = alert_quarantined_at(fact);
  AUTO_JSON *data = json_pack("{ss? ss? ss sI ss si sI so sI}", "provider", fact->ev.provider, "endpoint",
                              fact->ev.endpoint, "reason", alert_quarantine_reason(fact), "size_bytes",
                              (json_int_t)fact->rkm->len, "topic", out->source_topic, "partition",
                              fact->rkm->partition, "offset", (json_int_t)fact->rkm->offset, "occurred_at",
                              alert_time(at), "folded", (json_int_t)folded);
  assert(data);
  out->json = json_text(data);
}

void alert_of_lost(struct alert *out, const char *topic, int32_t partition, int64_t first, int64_t last) {
  *out = (struct alert){.type = mem_strdup(ALERT_EVENTS_LOST),
                        .raised_at = clock_wall_ms(),
                        .source_topic = mem_strdup(topic),
                        .source_event = mem_strdup("lost"),
                        .source_partition = partition,
                        .source_offset = last};
  AUTO_FREE char *range = mem_printf("%d/%lld-%lld", partition, (long long)first, (long long)last);
  out->id = uuid_of_fields((const char *const[]){topic, range, out->type}, 3);
  json_int_t count = last - first + 1;
  AUTO_JSON *data = json_pack("{ss si sI sI sI so}", "topic", topic, "partition", partition, "first_offset",
                              (json_int_t)first, "last_offset", (json_int_t)last, "count", count,
                              "occurred_at", alert_time(out->raised_at));
  assert(data);
  out->json = json_text(data);
}

void alert_of_incident(struct alert *out, const struct incident *incident, const struct alert_incident *row,
                       const struct fact *fact) {
  char id[UUID_TEXT_SIZE];
  uuid_format(incident->id, id);
  *out = (struct alert){.type = mem_strdup(incident_type(incident->kind, incident->opens)),
                        .provider = *incident->provider ? mem_strdup(incident->provider) : NULL,
                        .subject = mem_strdup(incident_subject(incident))};
  out->id = uuid_of_fields((const char *const[]){id, out->type}, 2);
  set_source(out, fact);
  AUTO_FREE char *text = incident_format(incident);
  AUTO_JSON *data = json_parse(text, strlen(text), NULL);
  assert(data);
  json_object_del(data, "judged_until");
  json_object_set_new(data, "status", json_string(incident->opens ? "open" : "closed"));
  json_object_set_new(data, "opened_at", alert_time(row->opened_at));
  json_object_set_new(data, "closed_at", alert_time(row->closed_at));
  json_object_set_new(data, "folded_overdue", json_integer(row->folded));
  json_object_set_new(data, "occurred_at", alert_time(incident->judged_until));
  out->json = json_text(data);
}

void alert_of_withdrawn(struct alert *out, const struct contact_row *row, const char *consent,
                        const struct fact *fact) {
  const struct contact_mark *mark = &row->upsert;
  *out = (struct alert){.type = mem_strdup(ALERT_WITHDRAWN),
                        .provider = mem_strdup(row->provider),
                        .subject = mem_strdup(row->id)};
  AUTO_FREE char *moment = mem_printf("%s %lld", mark->has_version ? "version" : "time",
                                      (long long)(mark->has_version ? mark->version : mark->at));
  out->id = uuid_of_fields((const char *const[]){out->type, row->provider, row->id, consent, moment}, 5);
  set_source(out, fact);
  json_t *version = mark->has_version ? json_integer(mark->version) : json_null();
  AUTO_JSON *data = json_pack("{ss ss ss ss? ss? so so}", "provider", row->provider, "contact_id", row->id,
                              "consent", consent, "phone", row->details.phone, "email", row->details.email,
                              "version", version, "occurred_at", alert_time(mark->at));
  assert(data);
  out->json = json_text(data);
}

void alert_fini(struct alert *alert) {
  free(alert->type);
  free(alert->provider);
  free(alert->subject);
  free(alert->json);
  free(alert->traceparent);
  free(alert->source_topic);
  free(alert->source_event);
}

void alerts_free(struct alert *list, size_t n) {
  for (size_t i = 0; i < n; i++) alert_fini(&list[i]);
  free(list);
}
