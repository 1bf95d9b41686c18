// SPDX-License-Identifier: MIT
// What each keyword of JSON Schema means, and how a document that breaks it is told so. The arguments were
// checked when the schema was opened (schema.c), so none is looked at twice here.
#include "common/json/schema_keywords.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// jansson's iterators know no const; nothing is written through this.
static json_t *unconst(const json_t *value) {
  return (json_t *)(uintptr_t)value;
}

// ---- faults; names are copied, since the schema belongs to all threads

bool schema_fail(struct check *check, const struct place *place, const char *fmt, ...) {
  fault_init(&check->fault, FAULT_TEXT, place);
  va_list args;
  va_start(args, fmt);
  if (vasprintf(&check->fault.text, fmt, args) < 0) abort(); // out of memory, as in mem.c
  va_end(args);
  return false;
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

static bool check_type(struct check *check, const struct rule *rule, const json_t *value,
                       const struct place *place) {
  if (has_one_type(value, rule->argument)) return true;
  fault_init(&check->fault, FAULT_TYPE, place);
  check->fault.text = mem_strdup(fault_type_shown(type_of(value)));
  if (json_is_string(rule->argument)) fault_name(&check->fault, json_deep_copy(rule->argument));
  for (size_t i = 0; i < json_array_size(rule->argument); i++)
    fault_name(&check->fault, json_deep_copy(json_array_get(rule->argument, i)));
  return false;
}

static bool check_const(struct check *check, const struct rule *rule, const json_t *value,
                        const struct place *place) {
  if (same_value(rule->argument, value)) return true;
  fault_init(&check->fault, FAULT_CONST, place);
  fault_name(&check->fault, json_deep_copy(rule->argument));
  return false;
}

// Words stand as they are, anything else as JSON.
static void choice_print(const json_t *choice, FILE *to) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  const char *word = json_string_value(choice);
  if (word && *word && word[strspn(word, letters)] == '\0')
    fputs(word, to);
  else
    json_dumpf(choice, to, JSON_ENCODE_ANY | JSON_COMPACT);
}

static bool check_enum(struct check *check, const struct rule *rule, const json_t *value,
                       const struct place *place) {
  for (size_t i = 0; i < json_array_size(rule->argument); i++) {
    if (same_value(json_array_get(rule->argument, i), value)) return true;
  }
  fault_init(&check->fault, FAULT_TEXT, place);
  size_t len;
  FILE *to = open_memstream(&check->fault.text, &len);
  if (!to) abort();
  fputs("expected one of ", to);
  for (size_t i = 0; i < json_array_size(rule->argument); i++) {
    if (i) fputs(", ", to);
    choice_print(json_array_get(rule->argument, i), to);
  }
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

static bool fail_unknown_key(struct check *check, const json_t *schema, const char *key,
                             const struct place *place) {
  fault_init(&check->fault, FAULT_UNKNOWN, place);
  check->fault.key = key;
  const char *known;
  json_t *rule;
  json_object_foreach(json_object_get(schema, "properties"), known, rule)
      fault_name(&check->fault, json_string(known));
  return false;
}

static bool check_additional_properties(struct check *check, const struct rule *rule, const json_t *value,
                                        const struct place *place) {
  const char *key;
  json_t *member;
  json_object_foreach(unconst(value), key, member) {
    if (is_named(check->schema, rule->schema, key)) continue;
    struct place at = {.up = place, .key = key};
    if (json_is_false(rule->argument)) return fail_unknown_key(check, rule->schema, key, place);
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
    json_t *key = json_array_get(rule->argument, i);
    if (json_object_get(value, json_string_value(key))) continue;
    fault_init(&check->fault, FAULT_REQUIRED, place);
    fault_name(&check->fault, json_copy(key));
    return false;
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

static const json_t *resolve(const struct schema *schema, const json_t *node) {
  const json_t *defs = json_object_get(schema->document, "$defs");
  for (size_t hops = json_object_size(defs); hops > 0; hops--) {
    const char *reference = json_string_value(json_object_get(node, "$ref"));
    if (!reference) break;
    node = json_object_get(defs, reference + strlen(SCHEMA_REF_PREFIX));
  }
  return node;
}

// How many keys are missing and how many are there that the schema does not know: the branch with the fewest
// was meant.
static size_t key_cost(const struct schema *schema, const json_t *node, const json_t *value) {
  node = resolve(schema, node);
  if (!json_is_object(value)) return 0;
  size_t cost = 0;
  const json_t *required = json_object_get(node, "required");
  for (size_t i = 0; i < json_array_size(required); i++)
    cost += !json_object_get(value, json_string_value(json_array_get(required, i)));
  if (!json_is_false(json_object_get(node, "additionalProperties"))) return cost;
  const char *key;
  json_t *member;
  json_object_foreach(unconst(value), key, member) cost += !is_named(schema, node, key);
  return cost;
}

// How many branches hold, counting no further than `enough`; if none, the fault of the one that was meant.
static size_t count_branches(struct check *check, const json_t *branches, const json_t *value,
                             const struct place *place, size_t enough) {
  size_t hold = 0;
  for (size_t i = 0; i < json_array_size(branches) && hold < enough; i++) {
    const json_t *node = json_array_get(branches, i);
    struct check branch = {.schema = check->schema, .depth = check->depth};
    if (schema_check_value(&branch, node, value, place)) {
      hold++;
      continue;
    }
    branch.fault.cost = key_cost(check->schema, node, value);
    fault_meet(&check->fault, &branch.fault, place);
  }
  if (hold > 0) fault_fini(&check->fault);
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
  fault_fini(&inner.fault);
  if (!holds) return true;
  const char *pattern = json_string_value(json_object_get(rule->argument, "pattern"));
  fault_init(&check->fault, FAULT_NOT, place);
  check->fault.text = pattern ? mem_printf("expected text that does not match %s", pattern)
                              : mem_strdup("expected another form: this one is ruled out");
  return false;
}

// In the order they are checked, so that the cause is found before what follows from it: a member's own fault
// and a key that nobody knows (a typo) before the key that is missing, all of them before the forms a
// document may have; and a branch of an anyOf that was not meant fails at the const which says so.
const struct keyword schema_keywords[] = {
    {"type", ARG_TYPE, ON_ALL, check_type},
    {"const", ARG_ANY, ON_ALL, check_const},
    {"enum", ARG_LIST, ON_ALL, check_enum},
    {"$ref", ARG_REF, ON_ALL, check_ref},
    {"properties", ARG_SCHEMA_MAP, ON_OBJECT, check_properties},
    {"patternProperties", ARG_PATTERN_MAP, ON_OBJECT, check_pattern_properties},
    {"propertyNames", ARG_SCHEMA, ON_OBJECT, check_property_names},
    {"additionalProperties", ARG_SCHEMA, ON_OBJECT, check_additional_properties},
    {"required", ARG_NAMES, ON_OBJECT, check_required},
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
    {"allOf", ARG_SCHEMAS, ON_ALL, check_all_of},
    {"anyOf", ARG_SCHEMAS, ON_ALL, check_any_of},
    {"oneOf", ARG_SCHEMAS, ON_ALL, check_one_of},
    {"not", ARG_SCHEMA, ON_ALL, check_not},
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
