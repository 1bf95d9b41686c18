// SPDX-License-Identifier: MIT
// The spans of json.h as offsets in a text.
#pragma once
#include "common/json/json.h"

static inline enum json_found span_at(const char *text, size_t len, const struct json_pointer *pointer,
                                      size_t *start, size_t *out_len) {
  struct json_span span = {text, text};
  enum json_found found = json_span_at((struct json_span){text, text + len}, pointer, &span);
  *start = (size_t)(span.from - text);
  *out_len = (size_t)(span.to - span.from);
  return found;
}

static inline bool span_next(const char *text, size_t len, const char **cursor, size_t *start,
                             size_t *out_len) {
  struct json_span span;
  if (!json_span_next((struct json_span){text, text + len}, cursor, &span)) return false;
  *start = (size_t)(span.from - text);
  *out_len = (size_t)(span.to - span.from);
  return true;
}

static inline bool scalar_at(const char *text, size_t len, const struct json_pointer *pointer, size_t *start,
                             size_t *out_len) {
  struct json_span span;
  if (!json_scalar_at((struct json_span){text, text + len}, pointer, &span)) return false;
  *start = (size_t)(span.from - text);
  *out_len = (size_t)(span.to - span.from);
  return true;
}
