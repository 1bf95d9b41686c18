// SPDX-License-Identifier: MIT
// One table of all keywords. Opening a schema reads from it what the argument of a keyword is, and refuses
// keywords that are not in it; checking a document reads from it which function to run.
#include "common/json/schema.h"

#include "common/base/embedded.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/base/similar.h"
#include "common/base/utf8.h"
#include "common/json/json.h"
#include <math.h>
#include <regex.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_SHOWN_BYTES = 64 };

#define REF_PREFIX "#/$defs/"

// A value of the document and its position: a list from here up to the root, on the stack.
struct place {
  const struct place *up; // NULL: the root
  const char *key;        // NULL: `index`
  size_t index;
  const json_t *value;
};

struct pattern {
  const char *text; // borrowed from the schema's document
  regex_t regex;
};

struct schema {
  json_t *document;
  struct pattern *patterns;
  size_t n_patterns;
};

struct check {
  const struct schema *schema;
  struct faults *faults; // NULL: faults are not reported
};

struct rule {
  const json_t *schema;   // the node that contains the keyword
  const json_t *argument; // of the keyword
};

// What the argument of a keyword is: a value without a schema or a pattern in it, …, or a list or a map of
// schemas.
enum argument { ARG_VALUE, ARG_PATTERN, ARG_REF, ARG_SCHEMA, ARG_SCHEMA_OR_FALSE, ARG_SCHEMAS };

// The types of values that a keyword applies to, as a bit set over jansson's.
enum {
  ON_NOTHING = 0,
  ON_OBJECT = 1 << JSON_OBJECT,
  ON_ARRAY = 1 << JSON_ARRAY,
  ON_STRING = 1 << JSON_STRING,
  ON_NUMBER = 1 << JSON_INTEGER | 1 << JSON_REAL,
  ON_ALL = -1,
};

// What happens to the following keywords when a keyword fails.
enum failure {
  GOES_ON, // They are checked too.
  ENDS, // They are not checked: their faults would only follow from this one (a wrong type, a misspelt key).
  LAST, // As GOES_ON; the keyword itself is checked only if all keywords before it hold.
};

struct keyword {
  const char *name;
  enum argument argument;
  unsigned subjects;
  bool (*run)(struct check *check, const struct rule *rule, const struct place *place);
  enum failure failure;
};

static bool check_value(struct check *check, const json_t *schema, const struct place *place);

// jansson's iterators know no const; nothing is written through this.
static json_t *unconst(const json_t *value) {
  return (json_t *)(uintptr_t)value;
}

// ---- texts ----

// A key as a part of a JSON Pointer, cut at KEY_SHOWN_BYTES; control characters are replaced by "?". New
// string.
static char *key_shown(const char *key) {
  size_t len = utf8_cut(key, KEY_SHOWN_BYTES);
  char *shown = mem_alloc(2 * len + sizeof "..."), *to = shown;
  for (const char *c = key; c < key + len; c++) {
    if (*c == '~' || *c == '/')
      to = stpcpy(to, *c == '~' ? "~0" : "~1");
    else
      *to++ = (char)((unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c);
  }
  if (key[len]) stpcpy(to, "...");
  return shown;
}

// As a JSON Pointer. New string.
static char *place_shown(const struct place *place) {
  if (!place->up) return mem_strdup("");
  AUTO_FREE char *up = place_shown(place->up);
  if (!place->key) return mem_printf("%s/%zu", up, place->index);
  AUTO_FREE char *key = key_shown(place->key);
  return mem_printf("%s/%s", up, key);
}

static const char *const type_names[][2] = {
    {"null", "null"},        {"boolean", "true or false"},
    {"string", "a string"},  {"integer", "a whole number"},
    {"number", "a number"},  {"array", "an array"},
    {"object", "an object"},
};

static const char *type_shown(const char *type) {
  size_t i = 0;
  while (strcmp(type_names[i][0], type) != 0) i++; // the metaschema allows these only
  return type_names[i][1];
}

// Adds a word to a list for list_shown(), unless it is there.
static void add_word(json_t *words, const char *word) {
  for (size_t i = 0; i < json_array_size(words); i++)
    if (strcmp(json_string_value(json_array_get(words, i)), word) == 0) return;
  json_array_append_new(words, json_string(word));
}

static void add_quoted(json_t *words, const json_t *value) {
  AUTO_FREE char *text = json_text(value);
  add_word(words, text);
}

static void add_types(json_t *words, const json_t *types) {
  if (json_is_string(types)) add_word(words, type_shown(json_string_value(types)));
  for (size_t i = 0; i < json_array_size(types); i++) add_types(words, json_array_get(types, i));
}

// "a, b or c", where `last` is " or ". New string.
static char *list_shown(const json_t *words, const char *last) {
  size_t n = json_array_size(words);
  char *text = mem_strdup("");
  for (size_t i = 0; i < n; i++) {
    AUTO_FREE char *before = text;
    const char *separator = i == 0 ? "" : i + 1 < n ? ", " : last;
    text = mem_printf("%s%s%s", before, separator, json_string_value(json_array_get(words, i)));
  }
  return text;
}

// Adds a fault with its place. The text may quote the schema and the document's keys, but none of the
// document's values. Returns false.
PRINTF_LIKE(3, 4)
static bool fail(struct check *check, const struct place *place, const char *fmt, ...) {
  if (!check->faults) return false;
  va_list args;
  va_start(args, fmt);
  AUTO_FREE char *text = mem_vprintf(fmt, args);
  va_end(args);
  AUTO_FREE char *at = place_shown(place);
  return faults_error(check->faults, "%s%s%s", at, place->up ? ": " : "", text);
}

// As fail(), with the title of a schema that has one.
static bool fail_titled(struct check *check, const struct place *place, const json_t *schema,
                        const char *otherwise) {
  const char *title = json_string_value(json_object_get(schema, "title"));
  return fail(check, place, "expected %s", title ? title : otherwise);
}

static const regex_t *pattern_find(const struct schema *schema, const char *text) {
  for (size_t i = 0; i < schema->n_patterns; i++)
    if (strcmp(schema->patterns[i].text, text) == 0) return &schema->patterns[i].regex;
  return NULL;
}

// ---- values

static const char *type_of(const json_t *value) {
  static const char *const names[] = {
      [JSON_OBJECT] = "object", [JSON_ARRAY] = "array",  [JSON_STRING] = "string", [JSON_INTEGER] = "integer",
      [JSON_REAL] = "number",   [JSON_TRUE] = "boolean", [JSON_FALSE] = "boolean", [JSON_NULL] = "null"};
  return names[json_typeof(value)];
}

// `types` is the argument of "type": one, or a list.
static bool has_type(const json_t *value, const json_t *types) {
  for (size_t i = 0; i < json_array_size(types); i++)
    if (has_type(value, json_array_get(types, i))) return true;
  const char *type = json_is_string(types) ? json_string_value(types) : "";
  if (strcmp(type, type_of(value)) == 0) return true;
  if (strcmp(type, "number") == 0) return json_is_integer(value);
  return strcmp(type, "integer") == 0 && json_is_real(value) &&
         floor(json_real_value(value)) == json_real_value(value);
}

// ---- the keywords

// NULL: not a reference to a schema in $defs.
static const json_t *find_def(const struct schema *schema, const json_t *reference) {
  const char *text = json_string_value(reference);
  if (!text || strncmp(text, REF_PREFIX, strlen(REF_PREFIX)) != 0) return NULL;
  return json_object_get(json_object_get(schema->document, "$defs"), text + strlen(REF_PREFIX));
}

static bool check_ref(struct check *check, const struct rule *rule, const struct place *place) {
  return check_value(check, find_def(check->schema, rule->argument), place);
}

// A number with digits that an int64_t cannot hold was read as a real, so it is not exact any more.
static const char *shown_type_of(const json_t *value) {
  bool beyond = json_is_real(value) && fabs(json_real_value(value)) >= 0x1p63; // every such real is whole
  return beyond ? "a whole number beyond 64 bits" : type_shown(type_of(value));
}

static bool fail_type(struct check *check, const json_t *words, const struct place *place) {
  AUTO_FREE char *expected = list_shown(words, " or ");
  return fail(check, place, "expected %s, got %s", expected, shown_type_of(place->value));
}

static bool check_type(struct check *check, const struct rule *rule, const struct place *place) {
  if (has_type(place->value, rule->argument)) return true;
  AUTO_JSON *words = json_array();
  add_types(words, rule->argument);
  return fail_type(check, words, place);
}

static bool check_const(struct check *check, const struct rule *rule, const struct place *place) {
  if (json_equal(rule->argument, place->value)) return true;
  AUTO_FREE char *expected = json_text(rule->argument);
  return fail(check, place, "expected %s", expected);
}

static bool check_enum(struct check *check, const struct rule *rule, const struct place *place) {
  AUTO_JSON *words = json_array();
  for (size_t i = 0; i < json_array_size(rule->argument); i++) {
    const json_t *allowed = json_array_get(rule->argument, i);
    if (json_equal(allowed, place->value)) return true;
    add_quoted(words, allowed);
  }
  AUTO_FREE char *expected = list_shown(words, " or ");
  return fail(check, place, "expected %s", expected);
}

// ---- members and items: every one is checked, so that all faults are reported at once

static bool check_properties(struct check *check, const struct rule *rule, const struct place *place) {
  bool good = true;
  const char *key;
  json_t *node;
  json_object_foreach(unconst(rule->argument), key, node) {
    const json_t *member = json_object_get(place->value, key);
    struct place at = {.up = place, .key = key, .value = member};
    if (member) good &= check_value(check, node, &at);
  }
  return good;
}

static bool fail_unknown_key(struct check *check, const json_t *schema, const char *key,
                             const struct place *place) {
  struct similar similar = {.given = key};
  AUTO_FREE char *shown = key_shown(key);
  AUTO_JSON *words = json_array();
  const char *known;
  json_t *node;
  json_object_foreach(json_object_get(schema, "properties"), known, node) {
    similar_try(&similar, known);
    add_word(words, known);
  }
  if (similar.best)
    return fail(check, place, "unknown key \"%s\"; did you mean \"%s\"?", shown, similar.best);
  AUTO_FREE char *expected = list_shown(words, ", ");
  const char *what = json_array_size(words) > 1 ? "one of" : "only";
  return fail(check, place, "unknown key \"%s\"; expected %s %s", shown, what, expected);
}

static bool check_additional_properties(struct check *check, const struct rule *rule,
                                        const struct place *place) {
  bool good = true;
  const char *key;
  json_t *member;
  json_object_foreach(unconst(place->value), key, member) {
    if (json_object_get(json_object_get(rule->schema, "properties"), key)) continue;
    struct place at = {.up = place, .key = key, .value = member};
    good &= json_is_false(rule->argument) ? fail_unknown_key(check, rule->schema, key, place)
                                          : check_value(check, rule->argument, &at);
  }
  return good;
}

static bool check_property_names(struct check *check, const struct rule *rule, const struct place *place) {
  bool good = true;
  const char *key;
  json_t *member;
  json_object_foreach(unconst(place->value), key, member) {
    AUTO_JSON *name = json_string(key);
    struct place at = {.up = place, .key = key, .value = name};
    good &= check_value(check, rule->argument, &at);
  }
  return good;
}

// The first of the keys that the object does not have, or NULL.
static json_t *first_missing(const json_t *keys, const json_t *object) {
  for (size_t i = 0; i < json_array_size(keys); i++) {
    json_t *key = json_array_get(keys, i);
    if (!json_object_get(object, json_string_value(key))) return key;
  }
  return NULL;
}

static bool check_required(struct check *check, const struct rule *rule, const struct place *place) {
  const json_t *missing = first_missing(rule->argument, place->value);
  return !missing || fail(check, place, "expected a key \"%s\"", json_string_value(missing));
}

static bool check_dependent_required(struct check *check, const struct rule *rule,
                                     const struct place *place) {
  const char *key;
  json_t *keys;
  json_object_foreach(unconst(rule->argument), key, keys) {
    const json_t *missing = json_object_get(place->value, key) ? first_missing(keys, place->value) : NULL;
    if (missing)
      return fail(check, place, "expected a key \"%s\" beside \"%s\"", json_string_value(missing), key);
  }
  return true;
}

static bool check_items(struct check *check, const struct rule *rule, const struct place *place) {
  bool good = true;
  for (size_t i = 0; i < json_array_size(place->value); i++) {
    struct place at = {.up = place, .index = i, .value = json_array_get(place->value, i)};
    good &= check_value(check, rule->argument, &at);
  }
  return good;
}

static bool check_unique_items(struct check *check, const struct rule *rule, const struct place *place) {
  (void)rule; // "uniqueItems": true
  for (size_t i = 1; i < json_array_size(place->value); i++)
    for (size_t j = 0; j < i; j++)
      if (json_equal(json_array_get(place->value, i), json_array_get(place->value, j)))
        return fail(check, place, "expected items that differ, but %zu and %zu are the same", j, i);
  return true;
}

static size_t size_of(const json_t *value, const char **of_what) {
  *of_what = json_is_string(value) ? "characters" : json_is_array(value) ? "items" : "keys";
  if (json_is_string(value)) return utf8_count(json_string_value(value));
  return json_is_array(value) ? json_array_size(value) : json_object_size(value);
}

static bool check_least(struct check *check, const struct rule *rule, const struct place *place) {
  const char *what;
  size_t size = size_of(place->value, &what), least = (size_t)json_integer_value(rule->argument);
  return size >= least || fail(check, place, "expected %zu or more %s, got %zu", least, what, size);
}

static bool check_most(struct check *check, const struct rule *rule, const struct place *place) {
  const char *what;
  size_t size = size_of(place->value, &what), most = (size_t)json_integer_value(rule->argument);
  return size <= most || fail(check, place, "expected %zu %s at most, got %zu", most, what, size);
}

static bool check_pattern(struct check *check, const struct rule *rule, const struct place *place) {
  const char *pattern = json_string_value(rule->argument);
  const regex_t *regex = pattern_find(check->schema, pattern);
  if (regexec(regex, json_string_value(place->value), 0, NULL, 0) == 0) return true;
  AUTO_FREE char *matching = mem_printf("text that matches %s", pattern);
  return fail_titled(check, place, rule->schema, matching);
}

static bool check_minimum(struct check *check, const struct rule *rule, const struct place *place) {
  if (json_number_value(place->value) >= json_number_value(rule->argument)) return true;
  return fail(check, place, "expected %.15g or more", json_number_value(rule->argument));
}

static bool check_maximum(struct check *check, const struct rule *rule, const struct place *place) {
  if (json_number_value(place->value) <= json_number_value(rule->argument)) return true;
  return fail(check, place, "expected %.15g at most", json_number_value(rule->argument));
}

// ---- several schemas

static bool check_all_of(struct check *check, const struct rule *rule, const struct place *place) {
  bool good = true;
  for (size_t i = 0; i < json_array_size(rule->argument); i++)
    good &= check_value(check, json_array_get(rule->argument, i), place);
  return good;
}

static bool has_other_type(const json_t *node, const json_t *value) {
  const json_t *types = json_object_get(node, "type");
  return types && !has_type(value, types);
}

// The first member whose value is not the const of the schema, or NULL.
static const char *other_const(const json_t *node, const json_t *value, const json_t **wanted) {
  const char *key;
  json_t *rule;
  json_object_foreach(json_object_get(node, "properties"), key, rule) {
    const json_t *member = json_object_get(value, key);
    *wanted = json_object_get(rule, "const");
    if (*wanted && member && !json_equal(*wanted, member)) return key;
  }
  return NULL;
}

// A title of all branches says more about a text than the branch that was chosen.
static bool check_chosen(struct check *check, const json_t *schema, const json_t *branch,
                         const struct place *place) {
  struct check silent = {.schema = check->schema};
  if (!json_is_string(place->value) || !json_object_get(schema, "title"))
    return check_value(check, branch, place);
  return check_value(&silent, branch, place) || fail_titled(check, place, schema, "");
}

// The first branch that is of the value's type, has its consts of members, and whose keys are all there
// decides; else the only branch of which just a key is missing.
static bool check_any_of(struct check *check, const struct rule *rule, const struct place *place) {
  AUTO_JSON *words = json_array(); // what would be needed
  const json_t *lacking = NULL, *wanted, *missing;
  struct place member = {.up = place};
  size_t n_lacking = 0;
  for (size_t i = 0; i < json_array_size(rule->argument); i++) {
    const json_t *branch = json_array_get(rule->argument, i);
    const json_t *def = find_def(check->schema, json_object_get(branch, "$ref"));
    const char *key = NULL;
    if (def) branch = def;
    if (has_other_type(branch, place->value)) {
      add_types(words, json_object_get(branch, "type"));
    } else if ((key = other_const(branch, place->value, &wanted))) {
      member.key = key;
      add_quoted(words, wanted);
    } else if ((missing = first_missing(json_object_get(branch, "required"), place->value))) {
      lacking = branch;
      n_lacking++;
      add_quoted(words, missing);
    } else {
      return check_chosen(check, rule->schema, branch, place);
    }
  }
  if (n_lacking == 1) return check_value(check, lacking, place);
  AUTO_FREE char *expected = list_shown(words, " or ");
  bool one = json_array_size(words) == 1;
  if (n_lacking > 1) return fail(check, place, "expected %s%s", one ? "a key " : "", expected);
  if (member.key) return fail(check, &member, "expected %s", expected);
  return fail_type(check, words, place);
}

static bool check_not(struct check *check, const struct rule *rule, const struct place *place) {
  struct check silent = {.schema = check->schema};
  if (!check_value(&silent, rule->argument, place)) return true;
  AUTO_JSON *words = json_array();
  const json_t *keys = json_object_get(rule->argument, "required");
  for (size_t i = 0; i < json_array_size(keys); i++) add_quoted(words, json_array_get(keys, i));
  AUTO_FREE char *listed = list_shown(words, " or "), *not_both = mem_printf("%s, not both", listed);
  return fail_titled(check, place, rule->schema, not_both);
}

// In the order they are checked, so that a cause is reported and not what follows from it.
static const struct keyword keywords[] = {
    {"type", ARG_VALUE, ON_ALL, check_type, ENDS},
    {"const", ARG_VALUE, ON_ALL, check_const, ENDS},
    {"enum", ARG_VALUE, ON_ALL, check_enum, ENDS},
    {"$ref", ARG_REF, ON_ALL, check_ref, ENDS},
    {"properties", ARG_SCHEMAS, ON_OBJECT, check_properties, GOES_ON},
    {"propertyNames", ARG_SCHEMA, ON_OBJECT, check_property_names, GOES_ON},
    {"additionalProperties", ARG_SCHEMA_OR_FALSE, ON_OBJECT, check_additional_properties, ENDS},
    {"required", ARG_VALUE, ON_OBJECT, check_required, GOES_ON},
    {"dependentRequired", ARG_VALUE, ON_OBJECT, check_dependent_required, GOES_ON},
    {"minProperties", ARG_VALUE, ON_OBJECT, check_least, GOES_ON},
    {"maxProperties", ARG_VALUE, ON_OBJECT, check_most, GOES_ON},
    {"minItems", ARG_VALUE, ON_ARRAY, check_least, ENDS},
    {"maxItems", ARG_VALUE, ON_ARRAY, check_most, ENDS},
    {"items", ARG_SCHEMA, ON_ARRAY, check_items, GOES_ON},
    {"uniqueItems", ARG_VALUE, ON_ARRAY, check_unique_items, LAST},
    {"minLength", ARG_VALUE, ON_STRING, check_least, ENDS},
    {"maxLength", ARG_VALUE, ON_STRING, check_most, ENDS},
    {"pattern", ARG_PATTERN, ON_STRING, check_pattern, GOES_ON},
    {"minimum", ARG_VALUE, ON_NUMBER, check_minimum, GOES_ON},
    {"maximum", ARG_VALUE, ON_NUMBER, check_maximum, GOES_ON},
    {"allOf", ARG_SCHEMAS, ON_ALL, check_all_of, LAST},
    {"anyOf", ARG_SCHEMAS, ON_ALL, check_any_of, LAST},
    {"not", ARG_SCHEMA, ON_ALL, check_not, LAST},
    {"$defs", ARG_SCHEMAS, ON_NOTHING, NULL, GOES_ON},
    {"$schema", ARG_VALUE, ON_NOTHING, NULL, GOES_ON},
    {"$id", ARG_VALUE, ON_NOTHING, NULL, GOES_ON},
    {"title", ARG_VALUE, ON_NOTHING, NULL, GOES_ON},
    {"description", ARG_VALUE, ON_NOTHING, NULL, GOES_ON},
    {"default", ARG_VALUE, ON_NOTHING, NULL, GOES_ON},
};

// ---- checking

// False: the faults were added to check->faults.
static bool check_value(struct check *check, const json_t *schema, const struct place *place) {
  bool good = true;
  for (size_t i = 0; i < COUNT_OF(keywords); i++) {
    const struct keyword *keyword = &keywords[i];
    bool applies = keyword->subjects >> json_typeof(place->value) & 1;
    if (!applies || (keyword->failure == LAST && !good)) continue;
    struct rule rule = {.schema = schema, .argument = json_object_get(schema, keyword->name)};
    if (!rule.argument || keyword->run(check, &rule, place)) continue;
    good = false;
    if (keyword->failure == ENDS || !check->faults) break;
  }
  return good;
}

// ---- opening

static bool open_node(struct schema *schema, const json_t *node, struct err *err);

static bool open_pattern(struct schema *schema, const char *text, struct err *err) {
  regex_t regex;
  if (pattern_find(schema, text)) return true;
  if (regcomp(&regex, text, REG_EXTENDED | REG_NOSUB) != 0)
    return err_set(err, "pattern %s: not understood", text);
  schema->patterns = mem_grow(schema->patterns, schema->n_patterns + 1, sizeof *schema->patterns);
  schema->patterns[schema->n_patterns++] = (struct pattern){.text = text, .regex = regex};
  return true;
}

static bool open_all(struct schema *schema, json_t *list_or_map, struct err *err) {
  const char *key;
  json_t *node;
  size_t i;
  json_array_foreach(list_or_map, i, node) {
    if (!open_node(schema, node, err)) return false;
  }
  json_object_foreach(list_or_map, key, node) {
    if (!open_node(schema, node, err)) return err_prefix(err, "%s: ", key);
  }
  return true;
}

static bool open_argument(struct schema *schema, enum argument kind, json_t *value, struct err *err) {
  switch (kind) {
  case ARG_VALUE:
    return true;
  case ARG_REF:
    return find_def(schema, value) || err_set(err, "expected " REF_PREFIX "<name> that exists");
  case ARG_SCHEMA:
    return open_node(schema, value, err);
  case ARG_SCHEMA_OR_FALSE:
    return json_is_false(value) || open_node(schema, value, err);
  case ARG_SCHEMAS:
    return open_all(schema, value, err);
  case ARG_PATTERN:
    return open_pattern(schema, json_string_value(value), err);
  }
  abort(); // not an argument
}

static const struct keyword *keyword_find(const char *name) {
  for (size_t i = 0; i < COUNT_OF(keywords); i++)
    if (strcmp(keywords[i].name, name) == 0) return &keywords[i];
  return NULL;
}

static bool open_node(struct schema *schema, const json_t *node, struct err *err) {
  if (!json_is_object(node)) return err_set(err, "expected a schema");
  const char *name;
  json_t *argument;
  json_object_foreach(unconst(node), name, argument) {
    const struct keyword *keyword = keyword_find(name);
    if (!keyword) return err_set(err, "%s: a keyword that is not implemented", name);
    if (!open_argument(schema, keyword->argument, argument, err)) return err_prefix(err, "%s: ", name);
  }
  return true;
}

struct schema *schema_new(const json_t *document, struct err *err) {
  struct schema *schema = mem_alloc(sizeof *schema);
  schema->document = json_deep_copy(document);
  if (open_node(schema, schema->document, err)) return schema;
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

bool schema_check_all(const struct schema *schema, const json_t *document, struct faults *faults) {
  struct check check = {.schema = schema, .faults = faults};
  struct place root = {.value = document};
  return check_value(&check, schema->document, &root);
}

bool schema_check(const struct schema *schema, const json_t *document, struct err *err) {
  if (schema_check_all(schema, document, NULL)) return true;
  AUTO_FREE struct faults *faults = mem_alloc(sizeof *faults);
  (void)!schema_check_all(schema, document, faults);
  err_set(err, "%s", faults->list[0].text);
  faults_fini(faults);
  return false;
}

json_t *schema_read_file(const char *name, const char *file, struct faults *faults) {
  enum { FILE_MAX_BYTES = 1024 * 1024 };
  struct err err;
  size_t len;
  AUTO_FREE char *text = file_read(file, FILE_MAX_BYTES, &len, &err);
  AUTO_JSON *document = text ? json_parse(text, len, &err) : NULL;
  struct schema *schema = document ? schema_open(name, &err) : NULL;
  bool good = schema ? schema_check_all(schema, document, faults) : faults_error(faults, "%s", err.text);
  schema_free(schema);
  return good ? take(document) : NULL;
}
