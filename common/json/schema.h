// SPDX-License-Identifier: MIT
// Validates our own documents (provider files, endpoints file, registration requests) against our own JSON
// Schemas (draft 2020-12), which are built in. Implements the keywords that those schemas use and refuses a
// schema that uses any other, so no rule is skipped silently. Keywords: type enum const properties required
// dependentRequired additionalProperties propertyNames minProperties maxProperties items minItems maxItems
// uniqueItems (true) minLength maxLength pattern minimum maximum anyOf allOf not and $ref to #/$defs/…;
// annotations ($schema $id title description default) are ignored. Patterns are POSIX extended regular
// expressions that mean the same in ECMA 262. const, enum and uniqueItems compare 1 and 1.0 as different; our
// schemas use them for texts only. minimum and maximum compare doubles. The branches of an anyOf differ in
// their type, in a const of a member or in a required key, and only the first one that these allow is
// checked. A `not` has a title, or is about keys that are required together. Not for: schemas from outside,
// and those that come back to themselves without a step into the document. The arguments of keywords are not
// checked here; tests/contract checks our schemas against the metaschema.
#pragma once
#include "common/base/err.h"
#include "common/base/faults.h"
#include <jansson.h>

struct schema;

// The built-in schema "provider.schema.json". NULL with an error if there is none or it uses an unknown
// keyword.
MUST_CHECK struct schema *schema_open(const char *name, struct err *err);
MUST_CHECK struct schema *schema_new(const json_t *document, struct err *err); // document is copied
void schema_free(struct schema *schema);

// Adds each fault as "<pointer>: <what was expected>", without the pointer at the root. The text names keys
// of the document, and none of its values, which may be a secret or a phone number. Thread: any.
MUST_CHECK bool schema_check_all(const struct schema *schema, const json_t *document, struct faults *faults);
// The JSON document in a file of 1 MiB at most, checked against a built-in schema. New; NULL with every
// fault.
MUST_CHECK json_t *schema_read_file(const char *schema, const char *file, struct faults *faults);
// False with the first fault only.
MUST_CHECK bool schema_check(const struct schema *schema, const json_t *document, struct err *err);
