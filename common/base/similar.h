// SPDX-License-Identifier: MIT
// Finds the known name that is nearest to a misspelt one, for "did you mean". Thread: any.
#pragma once
#include <stddef.h>

struct similar {
  const char *given;
  const char *best; // NULL: none is near enough; begin with NULL
  size_t distance;  // of `best`
};
// Sets `best` to `known` (borrowed) if it is nearer than the one before and at most a third of its letters
// were added, dropped, changed or swapped with the next one; case does not count. Names of more than 64 bytes
// are never near.
void similar_try(struct similar *similar, const char *known);
