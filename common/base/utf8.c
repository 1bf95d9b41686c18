// SPDX-License-Identifier: MIT
#include "common/base/utf8.h"

#include "common/base/mem.h"
#include <string.h>

static bool is_continuation(char c) {
  return ((unsigned char)c & 0xc0) == 0x80;
}

// How a character begins, by its length, and the least code that needs so many bytes.
static const struct {
  unsigned char mask, mark;
  uint32_t least;
} forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

size_t utf8_decode(const char *at, const char *end, uint32_t *code) {
  unsigned char first = (unsigned char)*at;
  size_t i = 0;
  while (i < COUNT_OF(forms) && (first & forms[i].mask) != forms[i].mark) i++;
  if (i == COUNT_OF(forms) || (size_t)(end - at) <= i) return 0;
  uint32_t value = first & (unsigned char)~forms[i].mask;
  for (size_t j = 1; j <= i; j++) {
    if (!is_continuation(at[j])) return 0;
    value = value << 6 | ((unsigned char)at[j] & 0x3f);
  }
  if (value < forms[i].least || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return 0;
  *code = value;
  return i + 1;
}

bool utf8_ok(const char *text, size_t len) {
  uint32_t code;
  for (const char *at = text, *end = text + len; at < end;) {
    size_t step = (unsigned char)*at < 0x80 ? 1 : utf8_decode(at, end, &code);
    if (!step) return false;
    at += step;
  }
  return true;
}

size_t utf8_cut(const char *text, size_t max_bytes) {
  size_t len = strnlen(text, max_bytes + 1);
  if (len <= max_bytes) return len;
  while (max_bytes && is_continuation(text[max_bytes])) max_bytes--;
  return max_bytes;
}

size_t utf8_count(const char *text) {
  size_t n = 0;
  for (; *text; text++) n += !is_continuation(*text);
  return n;
}

bool utf8_has_control(const char *text) {
  for (const unsigned char *c = (const unsigned char *)text; *c; c++)
    if (*c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0)) return true;
  return false;
}
