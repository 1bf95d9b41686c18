// SPDX-License-Identifier: MIT
// Private to schema.c and schema_keywords.c: one table of all keywords. Opening a schema reads from it what
// the argument of a keyword may be; checking a document reads from it which function to run.
#pragma once
#include "common/json/schema.h"
#include <regex.h>

// A value of the document and its position: a list from here up to the root, on the stack.
struct place {
  const struct place *up; // NULL: the root
  const char *key;        // NULL: `index`
  size_t index;
  const json_t *value;
};

struct schema_pattern {
  const char *text; // borrowed from the schema's document
  regex_t regex;
};

struct schema {
  json_t *document;
  struct schema_pattern *patterns;
  size_t n_patterns;
};

struct check {
  const struct schema *schema;
  struct faults *faults; // NULL: faults are not reported
  unsigned depth;
};

struct rule {
  const json_t *schema;   // the node that contains the keyword
  const json_t *argument; // of the keyword
};

// What the argument of a keyword is. ARG_VALUE is a value without a schema or a pattern in it.
enum schema_argument { ARG_VALUE, ARG_PATTERN, ARG_REF, ARG_SCHEMA, ARG_SCHEMAS, ARG_SCHEMA_MAP };

enum schema_subject { ON_ALL, ON_OBJECT, ON_ARRAY, ON_STRING, ON_NUMBER, ON_NOTHING };

// What happens to the following keywords when a keyword fails.
enum schema_failure {
  GOES_ON, // They are checked too.
  ENDS, // They are not checked: their faults would only follow from this one (a wrong type, a misspelt key).
  LAST, // As GOES_ON; the keyword itself is checked only if all keywords before it hold.
};

struct keyword {
  const char *name;
  enum schema_argument argument;
  enum schema_subject subject; // a keyword says nothing about values of another type
  bool (*run)(struct check *check, const struct rule *rule, const struct place *place);
  enum schema_failure failure;
};
extern const struct keyword schema_keywords[];
extern const size_t schema_n_keywords;

#define SCHEMA_REF_PREFIX "#/$defs/"

// Defined in schema.c, for keywords that contain schemas. False: the faults were added to check->faults.
bool schema_check_value(struct check *check, const json_t *schema, const struct place *place);
// Adds a fault with its place. The text may quote the schema and the document's keys, but none of the
// document's values. Returns false.
bool schema_fail(struct check *check, const struct place *place, const char *fmt, ...) PRINTF_LIKE(3, 4);

// The compiled pattern; NULL if the schema does not contain it.
const regex_t *schema_pattern_find(const struct schema *schema, const char *text);
