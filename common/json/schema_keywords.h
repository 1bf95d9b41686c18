// SPDX-License-Identifier: MIT
// Private to schema.c and schema_keywords.c: one table of every keyword, read twice. Opening a schema asks it
// what may stand behind a keyword; checking a document asks it what to run.
#pragma once
#include "common/json/schema.h"
#include "common/json/schema_fault.h"
#include <regex.h>

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
  struct fault fault; // none as long as all is well
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

struct keyword {
  const char *name;
  enum schema_argument argument;
  enum schema_subject subject; // a keyword says nothing about values of another type
  bool (*run)(struct check *check, const struct rule *rule, const json_t *value, const struct place *place);
};
extern const struct keyword schema_keywords[];
extern const size_t schema_n_keywords;

#define SCHEMA_REF_PREFIX "#/$defs/"

// schema.c's, for keywords that hold schemas. False with check->fault set.
bool schema_check_value(struct check *check, const json_t *schema, const json_t *value,
                        const struct place *place);
// Sets check->fault to a text. Parts of the schema may be quoted, values of the document not. Returns false.
bool schema_fail(struct check *check, const struct place *place, const char *fmt, ...) PRINTF_LIKE(3, 4);
