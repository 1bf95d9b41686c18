// SPDX-License-Identifier: MIT
// The lesser and the greater of two whole numbers.
#pragma once
#include <stdint.h>

static inline int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static inline int64_t greatest(int64_t a, int64_t b) {
  return a > b ? a : b;
}
