// SPDX-License-Identifier: MIT
// A hexadecimal digit's value.
#pragma once

static inline int hex_value(char c) { // -1: it is none
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
