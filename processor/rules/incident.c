// SPDX-License-Identifier: MIT
#include "processor/rules/incident.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "processor/rules/check_first.h"
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct kind {
  const char *name, *opens, *closes;
} kinds[INCIDENT_KIND_COUNT] = {
    [INCIDENT_FAILING] = {"failing", EVENT_FAILING, EVENT_PROVIDER_GOOD},
    [INCIDENT_SILENT] = {"silent", EVENT_SILENT, EVENT_PROVIDER_GOOD},
    [INCIDENT_SLOW] = {"slow", EVENT_SLOW, EVENT_PROVIDER_GOOD},
    [INCIDENT_REFUSING] = {"refusing", EVENT_REFUSING, EVENT_ENDPOINT_GOOD},
    [INCIDENT_UNREACHABLE] = {"unreachable", EVENT_UNREACHABLE, EVENT_ENDPOINT_GOOD},
    [INCIDENT_AT_RISK] = {"at_risk", EVENT_AT_RISK, EVENT_ENDPOINT_GOOD},
};

const char *incident_kind_name(enum incident_kind kind) {
  return kinds[kind].name;
}

bool incident_kind_parse(const char *name, enum incident_kind *out) {
  for (enum incident_kind kind = 0; name && kind < INCIDENT_KIND_COUNT; kind++) {
    if (strcmp(name, kinds[kind].name) != 0) continue;
    *out = kind;
    return true;
  }
  return false;
}

const char *incident_type(enum incident_kind kind, bool opens) {
  return opens ? kinds[kind].opens : kinds[kind].closes;
}

struct incident incident_key(enum incident_kind kind, const char *provider, const char *endpoint,
                             const char *scope) {
  return (struct incident){.kind = kind,
                           .provider = (char *)(uintptr_t)provider,
                           .endpoint = (char *)(uintptr_t)endpoint,
                           .scope = (char *)(uintptr_t)scope};
}

void incident_fini(struct incident *incident) {
  free(incident->provider);
  free(incident->endpoint);
  free(incident->scope);
  free(incident->details);
}

int incident_compare(const struct incident *a, const struct incident *b) {
  if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
  int order = strcmp(a->provider, b->provider);
  if (!order) order = strcmp(a->endpoint, b->endpoint);
  return order ? order : strcmp(a->scope, b->scope);
}

const char *incident_subject(const struct incident *incident) {
  if (*incident->endpoint) return incident->endpoint;
  return *incident->provider ? incident->provider : "dochak";
}

struct uuid incident_make_id(const struct incident *incident) {
  char judged[CLOCK_RFC3339_SIZE];
  clock_format_rfc3339(incident->judged_until, judged);
  return uuid_of_fields((const char *const[]){kinds[incident->kind].name, incident->provider,
                                              incident->endpoint, incident->scope, judged},
                        5);
}

// ---- writing ----

char *incident_details(const struct incident *incident, const struct incident_story *story) {
  AUTO_JSON *value =
      json_pack("{ss ss? ss?}", "summary", story->summary, "cause", story->cause, "example", story->example);
  assert(value);
  json_object_set_new(value, "check_first",
                      incident->opens ? check_first(incident->kind, incident->scope, story->provider)
                                      : json_array());
  json_object_set_new(value, "counts", story->counts ? json_deep_copy(story->counts) : json_object());
  json_object_set_new(value, "codes", story->codes ? json_deep_copy(story->codes) : json_array());
  return json_text(value);
}

static json_t *text_or_null(const char *text) {
  return *text ? json_string(text) : json_null();
}

static json_t *time_of(int64_t ms) {
  char text[CLOCK_RFC3339_SIZE];
  clock_format_rfc3339(ms, text);
  return json_string(text);
}

char *incident_format(const struct incident *incident) {
  char id[UUID_TEXT_SIZE];
  uuid_format(incident->id, id);
  AUTO_JSON *value = json_parse(incident->details, strlen(incident->details), NULL);
  assert(value);
  json_object_set_new(value, "incident_id", json_string(id));
  json_object_set_new(value, "kind", json_string(kinds[incident->kind].name));
  json_object_set_new(value, "provider", text_or_null(incident->provider));
  json_object_set_new(value, "endpoint", text_or_null(incident->endpoint));
  json_object_set_new(value, "scope", text_or_null(incident->scope));
  json_object_set_new(value, "since", time_of(incident->since));
  json_object_set_new(value, "judged_until", time_of(incident->judged_until));
  return json_text(value);
}

// ---- reading ----

static bool take_text(json_t *value, const char *name, char **out, struct err *err) {
  json_t *member = json_object_get(value, name);
  if (member && !json_is_string(member) && !json_is_null(member))
    return err_set(err, "/%s: expected a string or null", name);
  *out = mem_strdup(json_is_string(member) ? json_string_value(member) : "");
  json_object_del(value, name);
  return true;
}

static bool take_time(json_t *value, const char *name, int64_t *out, struct err *err) {
  const char *text = json_string_value(json_object_get(value, name));
  if (!text || !clock_parse_time(text, 0, out)) return err_set(err, "/%s: expected an RFC 3339 time", name);
  json_object_del(value, name);
  return true;
}

static bool take_kind(json_t *value, const char *type, struct incident *out, struct err *err) {
  const char *name = json_string_value(json_object_get(value, "kind"));
  if (!incident_kind_parse(name, &out->kind)) return err_set(err, "/kind: expected a kind of incident");
  out->opens = strcmp(type, kinds[out->kind].opens) == 0;
  if (!out->opens && strcmp(type, kinds[out->kind].closes) != 0)
    return err_set(err, "/kind: %s does not belong to the event's type", name);
  json_object_del(value, "kind");
  return true;
}

static bool take_id(json_t *value, struct incident *out, struct err *err) {
  const char *id = json_string_value(json_object_get(value, "incident_id"));
  if (!id || !uuid_parse(id, &out->id)) return err_set(err, "/incident_id: expected a UUID");
  json_object_del(value, "incident_id");
  return true;
}

static bool read_all(json_t *value, const char *type, struct incident *out, struct err *err) {
  if (!json_is_object(value)) return err_set(err, "expected an object");
  if (!take_kind(value, type, out, err) || !take_id(value, out, err) ||
      !take_text(value, "provider", &out->provider, err) ||
      !take_text(value, "endpoint", &out->endpoint, err) || !take_text(value, "scope", &out->scope, err) ||
      !take_time(value, "since", &out->since, err) ||
      !take_time(value, "judged_until", &out->judged_until, err))
    return false;
  out->details = json_text(value);
  return true;
}

bool incident_parse(const char *type, const char *value, size_t len, struct incident *out, struct err *err) {
  AUTO_JSON *document = json_parse(value, len, err);
  *out = (struct incident){0};
  if (document && read_all(document, type, out, err)) return true;
  incident_fini(out);
  *out = (struct incident){0};
  return false;
}
