// SPDX-License-Identifier: MIT
#include "common/provider/provider_load.h"
#include "common/base/mem.h"
#include "common/json/schema.h"
#include "common/provider/provider_value.h"
#include <stdlib.h>
#include <string.h>

enum { THREE_DAYS_S = 3 * 24 * 60 * 60, TEN_MINUTES_S = 10 * 60 };

// ---- kinds and send responses

static int zone_minutes(const char *zone) { // "+09:00", or NULL for UTC
  if (!zone) return 0;
  int minutes = ((zone[1] - '0') * 10 + zone[2] - '0') * 60 + (zone[4] - '0') * 10 + zone[5] - '0';
  return zone[0] == '-' ? -minutes : minutes;
}

static enum provider_time_format time_format_of(const json_t *kind, enum provider_time_format otherwise) {
  static const struct {
    const char *name;
    enum provider_time_format format;
  } formats[] = {{"epoch_s", TIME_EPOCH_S},
                 {"epoch_ms", TIME_EPOCH_MS},
                 {"yyyyMMddHHmmss", TIME_DATE},
                 {"yyMMddHHmm", TIME_SHORT_DATE}};
  const char *name = json_string_value(json_object_get(kind, "time_format"));
  for (size_t i = 0; name && i < COUNT_OF(formats); i++)
    if (strcmp(formats[i].name, name) == 0) return formats[i].format;
  return otherwise;
}

static enum provider_kind kind_of(const char *name) {
  if (strcmp(name, "receipt") == 0) return PROVIDER_RECEIPT;
  return strcmp(name, "contact") == 0 ? PROVIDER_CONTACT : PROVIDER_OTHER;
}

static void consents_load(struct provider *provider, struct provider_kind_rule *kind, json_t *consents) {
  const char *name;
  json_t *node;
  kind->consents = provider_keep(provider, mem_array(json_object_size(consents), sizeof *kind->consents));
  json_object_foreach(consents, name, node) {
    kind->consents[kind->n_consents++] = (struct provider_consent_rule){
        .name = name,
        .pointer = provider_pointer(provider, json_string_value(json_object_get(node, "at"))),
        .withdrawn = json_is_true(json_object_get(node, "withdrawn"))};
  }
}

static void contact_load(struct provider *provider, struct provider_kind_rule *kind, const json_t *node) {
  const json_t *deleted = json_object_get(node, "deleted");
  kind->provider_id = provider_where_of(provider, node, "provider_id");
  kind->phone = provider_where_of(provider, node, "phone");
  kind->email = provider_where_of(provider, node, "email");
  kind->version = provider_where_of(provider, node, "version");
  kind->seen = provider_where_of(provider, node, "seen");
  kind->deleted = provider_keep(provider, mem_array(json_array_size(deleted), sizeof *kind->deleted));
  for (size_t i = 0; i < json_array_size(deleted); i++)
    provider_conditions_load(provider, &kind->deleted[kind->n_deleted++], json_array_get(deleted, i));
  consents_load(provider, kind, json_object_get(node, "consents"));
}

static void kind_load(struct provider *provider, struct provider_kind_rule *kind, const json_t *node) {
  kind->name = json_string_value(json_object_get(node, "name"));
  kind->kind = kind_of(json_string_value(json_object_get(node, "kind")));
  provider_conditions_load(provider, &kind->when, json_object_get(node, "when"));
  kind->channel = provider_where_of(provider, node, "channel");
  kind->code = provider_where_of(provider, node, "code");
  kind->reason = provider_where_of(provider, node, "reason");
  kind->time = provider_where_of(provider, node, "time");
  kind->zone_minutes = zone_minutes(json_string_value(json_object_get(node, "zone")));
  kind->time_format = time_format_of(node, kind->kind == PROVIDER_CONTACT ? TIME_OF_CONTACT : TIME_NO_DIGITS);
  kind->recipient = provider_where_of(provider, node, "recipient");
  kind->id = provider_id_load(provider, node, &kind->recipient);
  kind->reference = provider_where_of(provider, node, "reference");
  kind->dedupe = provider_where_of(provider, node, "dedupe");
  kind->masked = provider_where_of(provider, node, "masked");
  kind->otherwise = json_object_get(node, "otherwise");
  contact_load(provider, kind, node);
}

static void shape_load(struct provider *provider, struct provider_shape *shape, const json_t *node) {
  shape->each = provider_where_of(provider, node, "each");
  provider_equals_load(provider, &shape->requires, json_object_get(node, "requires"), NULL);
  shape->code = provider_where_of(provider, node, "code");
  shape->accepted = json_object_get(node, "accepted");
  shape->has_boolean_codes =
      provider_lists(shape->accepted, "true") || provider_lists(shape->accepted, "false");
  shape->reason = provider_where_of(provider, node, "reason");
  shape->recipient = provider_where_of(provider, node, "recipient");
  shape->id = provider_id_load(provider, node, &shape->recipient);
  shape->reference = provider_where_of(provider, node, "reference");
  shape->shared_reference = provider_where_of(provider, node, "shared_reference");
  shape->channel = provider_where_of(provider, node, "channel");
}

// ---- codes

// Of two codes that are the same, the one that is written as the report's counts, else the first; --check
// warns.
static void codes_load(struct provider *provider, json_t *outcomes, const json_t *ignored) {
  const char *code;
  json_t *row;
  provider->outcomes = outcomes;
  provider->ignores_case = provider_lists(ignored, "case");
  provider->ignores_zeros = provider_lists(ignored, "leading_zeros");
  provider->listed = ignored ? json_object() : NULL;
  json_object_foreach(ignored ? outcomes : NULL, code, row) {
    AUTO_FREE char *key = mem_alloc(strlen(code) + 1);
    provider_code_key(provider, code, key);
    if (!json_object_get(provider->listed, key))
      json_object_set_new(provider->listed, key, json_string(code));
  }
  provider->has_boolean_codes =
      provider_code_listed(provider, "true") || provider_code_listed(provider, "false");
}

// ---- what stands outside of an element

static bool is_beside(const struct provider *provider, const char *text) {
  for (size_t i = 0; i < provider->n_beside; i++)
    if (strcmp(provider->beside[i].place.text, text) == 0) return true;
  return false;
}

static void beside_add(struct provider *provider, const struct json_pointer *pointer) {
  enum provider_source source = 0;
  if (pointer->n_parts > 0 && strcmp(pointer->parts[0], PROVIDER_ELEMENT) == 0)
    provider->reads_element = true;
  if (pointer->n_parts < 2 || is_beside(provider, pointer->text)) return;
  while (source < PROVIDER_SOURCES && strcmp(provider_source_name(source), pointer->parts[0]) != 0) source++;
  if (source == PROVIDER_SOURCES) return;
  provider->beside[provider->n_beside++] = (struct provider_beside){
      .source = source, .place = {pointer->text, pointer->parts + 1, pointer->n_parts - 1}};
}

// The kinds' pointers are those from `first` on.
static void beside_load(struct provider *provider, size_t first) {
  size_t n = provider->n_pointers - first;
  provider->beside = provider_keep(provider, mem_array(n, sizeof *provider->beside));
  for (size_t i = first; i < provider->n_pointers; i++) beside_add(provider, &provider->pointers[i]);
}

// ---- the whole file

// JSON Schema accepts a whole number as 300 and as 300.0.
static int64_t number_at(const json_t *object, const char *key, int64_t otherwise) {
  const json_t *node = json_object_get(object, key);
  return node ? (int64_t)json_number_value(node) : otherwise;
}

static void kind_ack_load(struct provider *provider, struct provider_kind_rule *kind, const json_t *node) {
  if (!node) return;
  struct provider_answer *answer = provider_keep(provider, mem_alloc(sizeof *answer));
  provider_answer_load(provider, answer, node);
  kind->ack = answer;
}

static void suffixes_load(struct provider *provider, json_t *suffixes) {
  const char *text;
  json_t *name;
  provider->suffixes =
      provider_keep(provider, mem_array(json_object_size(suffixes), sizeof *provider->suffixes));
  json_object_foreach(suffixes, text, name) provider->suffixes[provider->n_suffixes++].text = text;
}

// A place, several, or {"levels": [places]}.
static void levels_load(struct provider *provider, const json_t *elements) {
  const json_t *levels = json_object_get(elements, "levels");
  provider->n_levels = levels ? json_array_size(levels) : 1;
  for (size_t i = 0; i < provider->n_levels; i++)
    provider->levels[i] = provider_where_at(provider, levels ? json_array_get(levels, i) : elements);
}

static void handshake_load(struct provider *provider, const json_t *node) {
  const json_t *challenge = json_object_get(node, "challenge");
  provider->challenge =
      (struct provider_challenge){.answer = json_string_value(json_object_get(challenge, "answer")),
                                  .token = json_string_value(json_object_get(challenge, "token")),
                                  .equals = json_object_get(challenge, "equals")};
  provider->empty = json_object_get(node, "empty");
}

static void webhook_load(struct provider *provider, const json_t *webhook) {
  const char *json_at = json_string_value(json_object_get(webhook, "json_at"));
  provider->has_json_at = json_at != NULL;
  if (json_at) provider->json_at = provider_pointer(provider, json_at);
  levels_load(provider, json_object_get(webhook, "elements"));
  const char *body = json_string_value(json_object_get(webhook, "body"));
  const json_t *methods = json_object_get(webhook, "methods");
  provider->takes_get = provider_lists(methods, "GET");
  provider->takes_post = !methods || provider_lists(methods, "POST");
  provider->reads_forms = provider->takes_get || (body && strcmp(body, "form") == 0);
  provider_answer_load(provider, &provider->ack, json_object_get(webhook, "ack"));
  provider_answer_load(provider, &provider->refused, json_object_get(webhook, "refused"));
  provider->budget_ms = number_at(webhook, "budget_ms", 0);
  provider->deadline_ms = number_at(webhook, "deadline_ms", provider->budget_ms + 3500);
  provider->is_unsigned = json_is_true(json_object_get(webhook, "unsigned"));
  handshake_load(provider, json_object_get(webhook, "handshake"));
  suffixes_load(provider, json_object_get(webhook, "suffixes"));
  const json_t *kinds = json_object_get(webhook, "kinds");
  size_t first_pointer = provider->n_pointers;
  provider->n_kinds = json_array_size(kinds);
  provider->kinds = provider_keep(provider, mem_array(provider->n_kinds, sizeof *provider->kinds));
  for (size_t i = 0; i < provider->n_kinds; i++)
    kind_load(provider, &provider->kinds[i], json_array_get(kinds, i));
  beside_load(provider, first_pointer);
  for (size_t i = 0; i < provider->n_kinds; i++)
    kind_ack_load(provider, &provider->kinds[i], json_object_get(json_array_get(kinds, i), "ack"));
}

static void times_load(struct provider *provider, const json_t *expects) {
  provider->expects = (struct provider_expects){
      .receipt_within_s = number_at(expects, "receipt_within_s", 300),
      .expires_after_s = number_at(expects, "expires_after_s", THREE_DAYS_S),
      .unconfirmed_within_s = number_at(expects, "unconfirmed_within_s", THREE_DAYS_S),
      .silent_after_s = number_at(expects, "silent_after_s", TEN_MINUTES_S),
  };
}

static void limits_load(struct provider *provider, const json_t *blocks) {
  provider->blocks = (struct provider_blocks){
      .failed_a_day = number_at(blocks, "failed_a_day", 0),
      .failed_in_a_row = number_at(blocks, "failed_in_a_row", 0),
  };
}

static struct provider *provider_compile(const json_t *document) {
  struct provider *provider = mem_alloc(sizeof *provider);
  provider->document = json_deep_copy(document);
  document = provider->document;
  provider->name = json_string_value(json_object_get(document, "provider"));
  webhook_load(provider, json_object_get(document, "webhook"));
  codes_load(provider, json_object_get(document, "outcomes"), json_object_get(document, "codes_ignore"));
  const json_t *shapes = json_object_get(json_object_get(document, "acceptance"), "shapes");
  provider->n_shapes = json_array_size(shapes);
  provider->shapes = provider_keep(provider, mem_array(provider->n_shapes, sizeof *provider->shapes));
  for (size_t i = 0; i < provider->n_shapes; i++)
    shape_load(provider, &provider->shapes[i], json_array_get(shapes, i));
  times_load(provider, json_object_get(document, "expects"));
  limits_load(provider, json_object_get(document, "blocks"));
  provider_ask_load(provider, json_object_get(document, "ask"));
  return provider;
}

struct provider *provider_new(const json_t *document, struct faults *faults) {
  struct err err;
  struct provider *provider = NULL;
  struct schema *schema = schema_open("provider.schema.json", &err);
  if (!schema) {
    faults_error(faults, "%s", err.text);
  } else if (schema_check_all(schema, document, faults)) {
    provider = provider_compile(document);
    provider_lint(provider, faults);
  }
  schema_free(schema);
  return provider;
}

void provider_free(struct provider *provider) {
  if (!provider) return;
  for (size_t i = 0; i < provider->n_pointers; i++) json_pointer_fini(&provider->pointers[i]);
  for (size_t i = 0; i < provider->n_kept; i++) free(provider->kept[i]);
  free(provider->pointers);
  free(provider->kept);
  json_decref(provider->listed);
  json_decref(provider->document);
  free(provider->file);
  free(provider);
}
