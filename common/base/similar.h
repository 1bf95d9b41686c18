// SPDX-License-Identifier: MIT
// Finds the known name that a misspelt one probably meant, for "did you mean". Thread: any.
#pragma once
#include <stddef.h>

struct similar {
  const char *given;
  const char *best; // NULL: none is near enough; begin with NULL
  size_t distance;  // of `best`
};
// Takes `known` as the best where it is nearer than the one before. Near enough is: at most a third of its
// letters were added, dropped, changed or swapped with the next one; case does not count. Both names are
// borrowed; names of more than 64 bytes are never near.
void similar_try(struct similar *similar, const char *known);
