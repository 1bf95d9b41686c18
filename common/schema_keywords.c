// SPDX-License-Identifier: MIT
// What each keyword of JSON Schema means, and how a document that breaks it is told so. The arguments were
// checked when the schema was opened (schema.c), so none is looked at twice here.
#include "common/schema_keywords.h"
#include "common/json.h"
#include "common/mem.h"
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_SHOWN_BYTES = 64 };

// jansson's iterators know no const; nothing is written through this.
static json_t *unconst(const json_t *value) {
  return (json_t *)(uintptr_t)value;
}

// ---- faults

// A key as a part of a JSON Pointer, shortened, never inside a character.
static void key_print(const char *key, FILE *to) {
  for (const char *c = key; *c; c++) {
    bool begins_character = ((unsigned char)*c & 0xc0) != 0x80;
    if (begins_character && c - key >= KEY_SHOWN_BYTES) {
      fputs("...", to);
      return;
    }
    if (*c == '~')
      fputs("~0", to);
    else if (*c == '/')
      fputs("~1", to);
    else
      fputc((unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c, to);
  }
}

static void place_print(const struct place *place, FILE *to) {
  if (!place->up) return;
  place_print(place->up, to);
  fputc('/', to);
  if (place->key)
    key_print(place->key, to);
  else
    fprintf(to, "%zu", place->index);
}

// Opens the fault's text at "<pointer>: "; the caller writes the rest and closes. Schema nodes may be quoted,
// values not.
static FILE *fault_open(struct check *check, const struct place *place, size_t *len) {
  free(check->fault);
  check->fault = NULL;
  check->fault_rank = 0;
  for (const struct place *at = place; at->up; at = at->up) check->fault_rank += 2;
  FILE *to = open_memstream(&check->fault, len);
  if (!to) abort();
  if (!place->up) fputs("(root)", to);
  place_print(place, to);
  fputs(": ", to);
  return to;
}

bool schema_fail(struct check *check, const struct place *place, const char *fmt, ...) {
  size_t len;
  FILE *to = fault_open(check, place, &len);
  va_list args;
  va_start(args, fmt);
  vfprintf(to, fmt, args);
  va_end(args);
  fclose(to);
  return false;
}

static void list_print(const json_t *values, const char *separator, FILE *to) {
  for (size_t i = 0; i < json_array_size(values); i++) {
    if (i) fputs(separator, to);
    json_dumpf(json_array_get(values, i), to, JSON_ENCODE_ANY | JSON_COMPACT);
  }
}

// ---- values

static int compare_int_real(json_int_t whole, double real) {
  if (real >= 0x1p63) return -1;
  if (real < -0x1p63) return 1;
  json_int_t floor_of = (json_int_t)floor(real);
  if (whole != floor_of) return whole < floor_of ? -1 : 1;
  return floor(real) < real ? -1 : 0;
}

// By mathematical value: a double cannot hold every 64-bit integer.
static int compare_numbers(const json_t *a, const json_t *b) {
  if (json_is_integer(a) && json_is_integer(b)) {
    json_int_t x = json_integer_value(a), y = json_integer_value(b);
    return (x > y) - (x < y);
  }
  if (json_is_integer(a)) return compare_int_real(json_integer_value(a), json_real_value(b));
  if (json_is_integer(b)) return -compare_int_real(json_integer_value(b), json_real_value(a));
  double x = json_real_value(a), y = json_real_value(b);
  return (x > y) - (x < y);
}

static bool same_value(const json_t *a, const json_t *b);

static bool same_array(const json_t *a, const json_t *b) {
  if (json_array_size(a) != json_array_size(b)) return false;
  for (size_t i = 0; i < json_array_size(a); i++) {
    if (!same_value(json_array_get(a, i), json_array_get(b, i))) return false;
  }
  return true;
}

static bool same_object(const json_t *a, const json_t *b) {
  if (json_object_size(a) != json_object_size(b)) return false;
  const char *key;
  json_t *mine;
  json_object_foreach(unconst(a), key, mine) {
    const json_t *other = json_object_get(b, key);
    if (!other || !same_value(mine, other)) return false;
  }
  return true;
}

// JSON Schema's equality; json_equal() holds 1 and 1.0 apart.
static bool same_value(const json_t *a, const json_t *b) {
  if (json_is_number(a) && json_is_number(b)) return compare_numbers(a, b) == 0;
  if (json_is_array(a) && json_is_array(b)) return same_array(a, b);
  if (json_is_object(a) && json_is_object(b)) return same_object(a, b);
  return json_equal(a, b);
}

static const char *const type_names[][2] = {
    {"null", "null"},        {"boolean", "true or false"},
    {"string", "a string"},  {"integer", "a whole number"},
    {"number", "a number"},  {"array", "an array"},
    {"object", "an object"},
};

static const char *type_shown(const char *type) {
  for (size_t i = 0; i < COUNT_OF(type_names); i++) {
    if (strcmp(type_names[i][0], type) == 0) return type_names[i][1];
  }
  return NULL;
}

static const char *type_of(const json_t *value) {
  switch (json_typeof(value)) {
  case JSON_OBJECT:
    return "object";
  case JSON_ARRAY:
    return "array";
  case JSON_STRING:
    return "string";
  case JSON_INTEGER:
    return "integer";
  case JSON_REAL:
    return "number";
  case JSON_TRUE:
  case JSON_FALSE:
    return "boolean";
  case JSON_NULL:
    return "null";
  }
  return "null";
}

static bool has_type(const json_t *value, const char *type) {
  if (strcmp(type, type_of(value)) == 0) return true;
  if (strcmp(type, "number") == 0) return json_is_integer(value);
  return strcmp(type, "integer") == 0 && json_is_real(value) &&
         floor(json_real_value(value)) == json_real_value(value);
}

bool schema_type_known(const char *name) {
  return type_shown(name) != NULL;
}

static size_t characters(const char *text) {
  size_t n = 0;
  for (; *text; text++) n += ((unsigned char)*text & 0xc0) != 0x80;
  return n;
}

static const regex_t *pattern_find(const struct schema *schema, const char *text) {
  for (size_t i = 0; i < schema->n_patterns; i++) {
    if (strcmp(schema->patterns[i].text, text) == 0) return &schema->patterns[i].regex;
  }
  return NULL;
}

static bool matches(const struct schema *schema, const char *pattern, const char *text) {
  return regexec(pattern_find(schema, pattern), text, 0, NULL, 0) == 0;
}

// ---- the keywords; the arguments were checked when the schema was opened

static bool check_ref(struct check *check, const struct rule *rule, const json_t *value,
                      const struct place *place) {
  const char *name = json_string_value(rule->argument) + strlen(SCHEMA_REF_PREFIX);
  return schema_check_value(check, json_object_get(json_object_get(check->schema->document, "$defs"), name),
                            value, place);
}

static bool has_one_type(const json_t *value, const json_t *types) {
  if (json_is_string(types)) return has_type(value, json_string_value(types));
  for (size_t i = 0; i < json_array_size(types); i++) {
    if (has_type(value, json_string_value(json_array_get(types, i)))) return true;
  }
  return false;
}

static void types_print(const json_t *types, FILE *to) {
  if (json_is_string(types)) fputs(type_shown(json_string_value(types)), to);
  for (size_t i = 0; i < json_array_size(types); i++) {
    fprintf(to, "%s%s", i ? " or " : "", type_shown(json_string_value(json_array_get(types, i))));
  }
}

static bool check_type(struct check *check, const struct rule *rule, const json_t *value,
                       const struct place *place) {
  if (has_one_type(value, rule->argument)) return true;
  size_t len;
  FILE *to = fault_open(check, place, &len);
  fputs("expected ", to);
  types_print(rule->argument, to);
  fprintf(to, ", got %s", type_shown(type_of(value)));
  fclose(to);
  check->fault_rank--;
  return false;
}

static bool check_const(struct check *check, const struct rule *rule, const json_t *value,
                        const struct place *place) {
  if (same_value(rule->argument, value)) return true;
  size_t len;
  FILE *to = fault_open(check, place, &len);
  fputs("expected ", to);
  json_dumpf(rule->argument, to, JSON_ENCODE_ANY | JSON_COMPACT);
  fclose(to);
  check->fault_rank = -1; // a const tells kinds apart: another branch was meant
  return false;
}

static bool check_enum(struct check *check, const struct rule *rule, const json_t *value,
                       const struct place *place) {
  for (size_t i = 0; i < json_array_size(rule->argument); i++) {
    if (same_value(json_array_get(rule->argument, i), value)) return true;
  }
  size_t len;
  FILE *to = fault_open(check, place, &len);
  fputs("expected one of ", to);
  list_print(rule->argument, ", ", to);
  fclose(to);
  return false;
}

static bool check_properties(struct check *check, const struct rule *rule, const json_t *value,
                             const struct place *place) {
  const char *key;
  json_t *node;
  json_object_foreach(unconst(rule->argument), key, node) {
    const json_t *member = json_object_get(value, key);
    struct place at = {.up = place, .key = key};
    if (member && !schema_check_value(check, node, member, &at)) return false;
  }
  return true;
}

static bool check_pattern_properties(struct check *check, const struct rule *rule, const json_t *value,
                                     const struct place *place) {
  const char *pattern, *key;
  json_t *node, *member;
  json_object_foreach(unconst(rule->argument), pattern, node) {
    json_object_foreach(unconst(value), key, member) {
      struct place at = {.up = place, .key = key};
      if (matches(check->schema, pattern, key) && !schema_check_value(check, node, member, &at)) return false;
    }
  }
  return true;
}

static bool is_named(const struct schema *schema, const json_t *node, const char *key) {
  if (json_object_get(json_object_get(node, "properties"), key)) return true;
  const char *pattern;
  json_t *rule;
  json_object_foreach(json_object_get(node, "patternProperties"), pattern, rule) {
    if (matches(schema, pattern, key)) return true;
  }
  return false;
}

static bool fail_unknown_key(struct check *check, const json_t *schema, const struct place *at) {
  size_t len, n = 0;
  FILE *to = fault_open(check, at, &len);
  fputs("unknown key, expected", to);
  const char *known;
  json_t *rule;
  json_object_foreach(json_object_get(schema, "properties"), known, rule) {
    fprintf(to, "%s %s", n++ ? "," : " one of", known);
  }
  if (n == 0) fputs(" no such key", to);
  fclose(to);
  return false;
}

static bool check_additional_properties(struct check *check, const struct rule *rule, const json_t *value,
                                        const struct place *place) {
  const char *key;
  json_t *member;
  json_object_foreach(unconst(value), key, member) {
    if (is_named(check->schema, rule->schema, key)) continue;
    struct place at = {.up = place, .key = key};
    if (json_is_false(rule->argument)) return fail_unknown_key(check, rule->schema, &at);
    if (!schema_check_value(check, rule->argument, member, &at)) return false;
  }
  return true;
}

static bool check_property_names(struct check *check, const struct rule *rule, const json_t *value,
                                 const struct place *place) {
  const char *key;
  json_t *member;
  json_object_foreach(unconst(value), key, member) {
    AUTO_JSON *name = json_string(key);
    struct place at = {.up = place, .key = key};
    if (!schema_check_value(check, rule->argument, name, &at)) return false;
  }
  return true;
}

static bool check_required(struct check *check, const struct rule *rule, const json_t *value,
                           const struct place *place) {
  for (size_t i = 0; i < json_array_size(rule->argument); i++) {
    const char *key = json_string_value(json_array_get(rule->argument, i));
    if (!json_object_get(value, key)) return schema_fail(check, place, "expected a key \"%s\"", key);
  }
  return true;
}

static bool check_items(struct check *check, const struct rule *rule, const json_t *value,
                        const struct place *place) {
  for (size_t i = 0; i < json_array_size(value); i++) {
    struct place at = {.up = place, .index = i};
    if (!schema_check_value(check, rule->argument, json_array_get(value, i), &at)) return false;
  }
  return true;
}

static bool check_unique_items(struct check *check, const struct rule *rule, const json_t *value,
                               const struct place *place) {
  if (json_is_false(rule->argument)) return true;
  for (size_t i = 1; i < json_array_size(value); i++) {
    for (size_t j = 0; j < i; j++) {
      if (same_value(json_array_get(value, i), json_array_get(value, j))) {
        return schema_fail(check, place, "expected items that differ, but %zu and %zu are the same", j, i);
      }
    }
  }
  return true;
}

static bool at_least(struct check *check, const struct place *place, size_t size, const json_t *limit,
                     const char *what) {
  json_int_t min = json_integer_value(limit);
  if ((json_int_t)size >= min) return true;
  return schema_fail(check, place, "expected %" JSON_INTEGER_FORMAT " or more %s, got %zu", min, what, size);
}

static bool at_most(struct check *check, const struct place *place, size_t size, const json_t *limit,
                    const char *what) {
  json_int_t max = json_integer_value(limit);
  if ((json_int_t)size <= max) return true;
  return schema_fail(check, place, "expected %" JSON_INTEGER_FORMAT " %s at most, got %zu", max, what, size);
}

#define CHECK_SIZE(name, size_of, bound, what)                                                               \
  static bool name(struct check *check, const struct rule *rule, const json_t *value,                        \
                   const struct place *place) {                                                              \
    return bound(check, place, size_of, rule->argument, what);                                               \
  }
CHECK_SIZE(check_min_properties, json_object_size(value), at_least, "keys")
CHECK_SIZE(check_max_properties, json_object_size(value), at_most, "keys")
CHECK_SIZE(check_min_items, json_array_size(value), at_least, "items")
CHECK_SIZE(check_max_items, json_array_size(value), at_most, "items")
CHECK_SIZE(check_min_length, characters(json_string_value(value)), at_least, "characters")
CHECK_SIZE(check_max_length, characters(json_string_value(value)), at_most, "characters")

static bool check_pattern(struct check *check, const struct rule *rule, const json_t *value,
                          const struct place *place) {
  const char *pattern = json_string_value(rule->argument);
  if (matches(check->schema, pattern, json_string_value(value))) return true;
  const char *title = json_string_value(json_object_get(rule->schema, "title")); // kinder than the expression
  if (title) return schema_fail(check, place, "expected %s", title);
  return schema_fail(check, place, "expected text that matches %s", pattern);
}

static bool check_minimum(struct check *check, const struct rule *rule, const json_t *value,
                          const struct place *place) {
  if (compare_numbers(value, rule->argument) >= 0) return true;
  return schema_fail(check, place, "expected %.15g or more", json_number_value(rule->argument));
}

static bool check_maximum(struct check *check, const struct rule *rule, const json_t *value,
                          const struct place *place) {
  if (compare_numbers(value, rule->argument) <= 0) return true;
  return schema_fail(check, place, "expected %.15g at most", json_number_value(rule->argument));
}

static bool check_all_of(struct check *check, const struct rule *rule, const json_t *value,
                         const struct place *place) {
  for (size_t i = 0; i < json_array_size(rule->argument); i++) {
    if (!schema_check_value(check, json_array_get(rule->argument, i), value, place)) return false;
  }
  return true;
}

// How many branches hold, counting no further than `enough`; if none, the fault of the one that was meant:
// the deepest.
static size_t count_branches(struct check *check, const json_t *branches, const json_t *value,
                             const struct place *place, size_t enough) {
  size_t hold = 0;
  for (size_t i = 0; i < json_array_size(branches) && hold < enough; i++) {
    struct check branch = {.schema = check->schema, .depth = check->depth};
    if (schema_check_value(&branch, json_array_get(branches, i), value, place)) {
      hold++;
    } else if (!check->fault || branch.fault_rank > check->fault_rank) {
      free(check->fault);
      check->fault = take(branch.fault);
      check->fault_rank = branch.fault_rank;
    }
    free(branch.fault);
  }
  if (hold > 0) {
    free(check->fault);
    check->fault = NULL;
  }
  return hold;
}

static bool check_any_of(struct check *check, const struct rule *rule, const json_t *value,
                         const struct place *place) {
  return count_branches(check, rule->argument, value, place, 1) > 0;
}

static bool check_one_of(struct check *check, const struct rule *rule, const json_t *value,
                         const struct place *place) {
  size_t hold = count_branches(check, rule->argument, value, place, 2);
  if (hold > 1) return schema_fail(check, place, "expected exactly one of the forms, but more than one fits");
  return hold == 1;
}

static bool check_not(struct check *check, const struct rule *rule, const json_t *value,
                      const struct place *place) {
  struct check inner = {.schema = check->schema, .depth = check->depth};
  bool holds = schema_check_value(&inner, rule->argument, value, place);
  free(inner.fault);
  if (!holds) return true;
  const char *pattern = json_string_value(json_object_get(rule->argument, "pattern"));
  if (pattern) return schema_fail(check, place, "expected text that does not match %s", pattern);
  return schema_fail(check, place, "expected another form: this one is ruled out");
}

// In the order they are checked. Members come before `required` and unknown keys: a branch of an anyOf that
// was not meant should fail at the const which says so.
const struct keyword schema_keywords[] = {
    {"type", ARG_TYPE, ON_ALL, check_type},
    {"const", ARG_ANY, ON_ALL, check_const},
    {"enum", ARG_LIST, ON_ALL, check_enum},
    {"$ref", ARG_REF, ON_ALL, check_ref},
    {"allOf", ARG_SCHEMAS, ON_ALL, check_all_of},
    {"anyOf", ARG_SCHEMAS, ON_ALL, check_any_of},
    {"oneOf", ARG_SCHEMAS, ON_ALL, check_one_of},
    {"not", ARG_SCHEMA, ON_ALL, check_not},
    {"properties", ARG_SCHEMA_MAP, ON_OBJECT, check_properties},
    {"patternProperties", ARG_PATTERN_MAP, ON_OBJECT, check_pattern_properties},
    {"required", ARG_NAMES, ON_OBJECT, check_required},
    {"propertyNames", ARG_SCHEMA, ON_OBJECT, check_property_names},
    {"additionalProperties", ARG_SCHEMA, ON_OBJECT, check_additional_properties},
    {"minProperties", ARG_COUNT, ON_OBJECT, check_min_properties},
    {"maxProperties", ARG_COUNT, ON_OBJECT, check_max_properties},
    {"minItems", ARG_COUNT, ON_ARRAY, check_min_items},
    {"maxItems", ARG_COUNT, ON_ARRAY, check_max_items},
    {"items", ARG_SCHEMA, ON_ARRAY, check_items},
    {"uniqueItems", ARG_TRUTH, ON_ARRAY, check_unique_items},
    {"minLength", ARG_COUNT, ON_STRING, check_min_length},
    {"maxLength", ARG_COUNT, ON_STRING, check_max_length},
    {"pattern", ARG_PATTERN, ON_STRING, check_pattern},
    {"minimum", ARG_NUMBER, ON_NUMBER, check_minimum},
    {"maximum", ARG_NUMBER, ON_NUMBER, check_maximum},
    {"$defs", ARG_SCHEMA_MAP, ON_NOTHING, NULL},
    {"$schema", ARG_ANY, ON_NOTHING, NULL},
    {"$id", ARG_ANY, ON_NOTHING, NULL},
    {"$comment", ARG_ANY, ON_NOTHING, NULL},
    {"title", ARG_ANY, ON_NOTHING, NULL},
    {"description", ARG_ANY, ON_NOTHING, NULL},
    {"examples", ARG_ANY, ON_NOTHING, NULL},
    {"default", ARG_ANY, ON_NOTHING, NULL},
};
const size_t schema_n_keywords = COUNT_OF(schema_keywords);
