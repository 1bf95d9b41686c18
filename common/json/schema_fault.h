// SPDX-License-Identifier: MIT
// Private to schema*.c: what is wrong with a document, kept in parts until it is told, since what to say is
// known only when all branches of an anyOf have failed. Parts of the schema and names of the document's keys
// may be told; values of the document never.
#pragma once
#include "common/base/err.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

// Where in the document a check is: a list from here up to the root, living on the stack.
struct place {
  const struct place *up; // NULL: the root
  const char *key;        // NULL: `index`
  size_t index;
};

enum fault_kind {
  FAULT_TEXT,     // anything else: the text says it all
  FAULT_TYPE,     // names: the types it may have; text: the one it has
  FAULT_CONST,    // names: the values it may have
  FAULT_NOT,      // it is of a form that is ruled out
  FAULT_REQUIRED, // names: the missing key, of several branches: one of them is needed
  FAULT_UNKNOWN,  // names: the known keys; key: the unknown one
  FAULT_APART,    // names: two keys that are known, but not together
};

struct fault {
  enum fault_kind kind;
  char *where; // a JSON Pointer, "" for the root; NULL: no fault
  unsigned depth;
  char *text;      // or NULL
  json_t *names;   // or NULL
  const char *key; // borrowed from the document
  size_t cost;     // how far the document's keys are from those that the failed schema asks for
};

void fault_init(struct fault *fault, enum fault_kind kind, const struct place *place);
void fault_fini(struct fault *fault);               // and again none
void fault_name(struct fault *fault, json_t *name); // takes a new reference; each name stands there once

// Another branch of the same anyOf, at `place`, has failed too: keeps the fault of the one that was meant, or
// both in one where they differ only in a name. Takes `other` over.
void fault_meet(struct fault *fault, struct fault *other, const struct place *place);

bool fault_tell(const struct fault *fault, struct err *err); // returns false

const char *fault_type_shown(const char *type); // "string": "a string"; NULL: no such type
