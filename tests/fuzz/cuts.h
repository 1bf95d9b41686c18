// SPDX-License-Identifier: MIT
// How a network may cut a text: the first byte of a fuzzer's input says so, the text is what follows.
#pragma once
#include "common/base/mem.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// A copy of exactly this size, so that one byte too far is seen.
static inline char *exact_copy(const void *bytes, size_t len) {
  char *copy = mem_grow(NULL, len ? len : 1, 1);
  if (len) memcpy(copy, bytes, len);
  return copy;
}

// The next piece's length, 1 to 64 bytes or what is left; `state` is the first byte at first.
static inline size_t cut_next(uint32_t *state, size_t left) {
  *state = *state * 1103515245 + 12345;
  size_t len = 1 + (*state >> 16) % 64;
  return len < left ? len : left;
}
