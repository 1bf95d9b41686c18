// SPDX-License-Identifier: MIT
// Opens a schema: walks it and refuses keywords that are not implemented. Checks a document: walks the schema
// and the document together. The keywords are in schema_keywords.c.
#include "common/base/embedded.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "common/json/schema_keywords.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 256 };

// ---- opening

static bool open_node(struct schema *schema, const json_t *node, unsigned depth, struct err *err);

const regex_t *schema_pattern_find(const struct schema *schema, const char *text) {
  for (size_t i = 0; i < schema->n_patterns; i++)
    if (strcmp(schema->patterns[i].text, text) == 0) return &schema->patterns[i].regex;
  return NULL;
}

static bool open_pattern(struct schema *schema, const char *text, struct err *err) {
  regex_t regex;
  if (schema_pattern_find(schema, text)) return true;
  if (regcomp(&regex, text, REG_EXTENDED | REG_NOSUB) != 0)
    return err_set(err, "pattern %s: not understood", text);
  schema->patterns = mem_grow(schema->patterns, schema->n_patterns + 1, sizeof *schema->patterns);
  schema->patterns[schema->n_patterns++] = (struct schema_pattern){.text = text, .regex = regex};
  return true;
}

static bool open_list(struct schema *schema, const json_t *list, unsigned depth, struct err *err) {
  for (size_t i = 0; i < json_array_size(list); i++)
    if (!open_node(schema, json_array_get(list, i), depth, err)) return false;
  return true;
}

static bool open_map(struct schema *schema, const json_t *map, unsigned depth, struct err *err) {
  const char *key;
  json_t *node;
  json_object_foreach((json_t *)(uintptr_t)map, key, node) // jansson's iterators know no const
      if (!open_node(schema, node, depth, err)) return err_prefix(err, "%s: ", key);
  return true;
}

static bool is_reference(const struct schema *schema, const json_t *reference) {
  const char *text = json_string_value(reference);
  if (!text || strncmp(text, SCHEMA_REF_PREFIX, strlen(SCHEMA_REF_PREFIX)) != 0) return false;
  return json_object_get(json_object_get(schema->document, "$defs"), text + strlen(SCHEMA_REF_PREFIX)) !=
         NULL;
}

static bool open_argument(struct schema *schema, enum schema_argument kind, const json_t *value,
                          unsigned depth, struct err *err) {
  switch (kind) {
  case ARG_VALUE:
    return true;
  case ARG_REF:
    return is_reference(schema, value) || err_set(err, "expected " SCHEMA_REF_PREFIX "<name> that exists");
  case ARG_SCHEMA:
    return open_node(schema, value, depth, err);
  case ARG_SCHEMAS:
    return open_list(schema, value, depth, err);
  case ARG_SCHEMA_MAP:
    return open_map(schema, value, depth, err);
  case ARG_PATTERN:
    return open_pattern(schema, json_string_value(value), err);
  }
  return false;
}

static const struct keyword *keyword_find(const char *name) {
  for (size_t i = 0; i < schema_n_keywords; i++) {
    if (strcmp(schema_keywords[i].name, name) == 0) return &schema_keywords[i];
  }
  return NULL;
}

static bool open_node(struct schema *schema, const json_t *node, unsigned depth, struct err *err) {
  if (json_is_boolean(node)) return true;
  if (!json_is_object(node)) return err_set(err, "expected a schema");
  if (depth >= DEPTH_MAX) return err_set(err, "nested too deep");
  const char *name;
  json_t *argument;
  json_object_foreach((json_t *)(uintptr_t)node, name, argument) {
    const struct keyword *keyword = keyword_find(name);
    if (!keyword) return err_set(err, "%s: a keyword that is not implemented", name);
    if (!open_argument(schema, keyword->argument, argument, depth + 1, err))
      return err_prefix(err, "%s: ", name);
  }
  return true;
}

struct schema *schema_new(const json_t *document, struct err *err) {
  struct schema *schema = mem_alloc(sizeof *schema);
  schema->document = json_deep_copy(document);
  if (open_node(schema, schema->document, 0, err)) return schema;
  schema_free(schema);
  return NULL;
}

struct schema *schema_open(const char *name, struct err *err) {
  for (const struct embedded *file = embedded_schemas; file->name; file++) {
    if (strcmp(file->name, name) != 0) continue;
    AUTO_JSON *document = json_parse(file->text, file->len, err);
    struct schema *schema = document ? schema_new(document, err) : NULL;
    if (!schema) err_prefix(err, "%s: ", name);
    return schema;
  }
  err_set(err, "%s: no such schema is built in", name);
  return NULL;
}

void schema_free(struct schema *schema) {
  if (!schema) return;
  for (size_t i = 0; i < schema->n_patterns; i++) regfree(&schema->patterns[i].regex);
  free(schema->patterns);
  json_decref(schema->document);
  free(schema);
}

// ---- checking

static bool is_subject(const json_t *value, enum schema_subject subject) {
  switch (subject) {
  case ON_ALL:
    return true;
  case ON_OBJECT:
    return json_is_object(value);
  case ON_ARRAY:
    return json_is_array(value);
  case ON_STRING:
    return json_is_string(value);
  case ON_NUMBER:
    return json_is_number(value);
  case ON_NOTHING:
    return false;
  }
  return false;
}

static bool check_keywords(struct check *check, const json_t *schema, const struct place *place) {
  bool good = true;
  for (size_t i = 0; i < schema_n_keywords; i++) {
    const struct keyword *keyword = &schema_keywords[i];
    if (!is_subject(place->value, keyword->subject) || (keyword->failure == LAST && !good)) continue;
    struct rule rule = {.schema = schema, .argument = json_object_get(schema, keyword->name)};
    if (!rule.argument || keyword->run(check, &rule, place)) continue;
    good = false;
    if (keyword->failure == ENDS || !check->faults) break;
  }
  return good;
}

bool schema_check_value(struct check *check, const json_t *schema, const struct place *place) {
  if (json_is_true(schema)) return true;
  if (json_is_false(schema)) return schema_fail(check, place, "expected nothing here");
  if (check->depth >= DEPTH_MAX) return schema_fail(check, place, "expected less nesting");
  check->depth++;
  bool holds = check_keywords(check, schema, place);
  check->depth--;
  return holds;
}

bool schema_check_all(const struct schema *schema, const json_t *document, struct faults *faults) {
  struct check check = {.schema = schema, .faults = faults};
  struct place root = {.value = document};
  return schema_check_value(&check, schema->document, &root);
}

bool schema_check(const struct schema *schema, const json_t *document, struct err *err) {
  if (schema_check_all(schema, document, NULL)) return true;
  AUTO_FREE struct faults *faults = mem_alloc(sizeof *faults);
  (void)!schema_check_all(schema, document, faults);
  err_set(err, "%s", faults->list[0].text);
  faults_fini(faults);
  return false;
}
