// SPDX-License-Identifier: MIT
// Private to schema.c and schema_keywords.c: one table of all keywords. Opening a schema reads from it what
// the argument of a keyword may be; checking a document reads from it which function to run.
#pragma once
#include "common/json/schema.h"
#include <regex.h>

// Where in the document a check is: a list from here up to the root, on the stack.
struct place {
  const struct place *up; // NULL: the root
  const char *key;        // NULL: `index`
  size_t index;
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
  struct faults *faults; // NULL: only the verdict is asked for
  unsigned depth;
};

struct rule {
  const json_t *schema;   // the node that holds the keyword
  const json_t *argument; // what stands behind it
};

enum schema_argument {
  ARG_ANY,
  ARG_TYPE,
  ARG_LIST,
  ARG_NAMES,
  ARG_NAMES_MAP,
  ARG_COUNT,
  ARG_NUMBER,
  ARG_TRUTH,
  ARG_PATTERN,
  ARG_REF,
  ARG_SCHEMA,
  ARG_SCHEMAS,
  ARG_SCHEMA_MAP,
  ARG_PATTERN_MAP,
};

enum schema_subject { ON_ALL, ON_OBJECT, ON_ARRAY, ON_STRING, ON_NUMBER, ON_NOTHING };

// What the failure of a keyword does to those behind it, and the other way round.
enum schema_failure {
  GOES_ON, // those behind it are checked, too
  ENDS,    // those behind it are not: what a value of another type lacks, or an object with an unknown key (a
           // typo), is no fault of its own
  LAST,    // it is checked only where all before it hold
};

struct keyword {
  const char *name;
  enum schema_argument argument;
  enum schema_subject subject; // a keyword says nothing about values of another type
  bool (*run)(struct check *check, const struct rule *rule, const json_t *value, const struct place *place);
  enum schema_failure failure;
};
extern const struct keyword schema_keywords[];
extern const size_t schema_n_keywords;

#define SCHEMA_REF_PREFIX "#/$defs/"

// schema.c's, for keywords that hold schemas. False with the faults added to check->faults.
bool schema_check_value(struct check *check, const json_t *schema, const json_t *value,
                        const struct place *place);
// Adds a fault with its place. Parts of the schema and names of the document's keys may be quoted, values of
// the document not. Returns false.
bool schema_fail(struct check *check, const struct place *place, const char *fmt, ...) PRINTF_LIKE(3, 4);

const char *schema_type_shown(const char *type); // "string": "a string"; NULL: no such type
