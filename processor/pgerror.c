// SPDX-License-Identifier: MIT
#include "processor/pgerror.h"
#include "common/mem.h"
#include <string.h>

// Classes (or whole codes) that are about a value in the row, by prefix.
static const char *const refused[] = {
    "22", // data exception: a character, number or date Postgres cannot hold
    "23", // integrity constraint: a value our own CHECKs refuse
    "54", // program limit exceeded: an index row or a document too large
};

enum pg_fault pg_fault_of(const char *sqlstate) {
  for (size_t i = 0; sqlstate && i < COUNT_OF(refused); i++)
    if (strncmp(sqlstate, refused[i], strlen(refused[i])) == 0) return PG_FAULT_REFUSED;
  return PG_FAULT_WAIT;
}
