// SPDX-License-Identifier: MIT
#include "common/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// Formats beside the text first: an argument may be the old text itself.
static bool PRINTF_LIKE(3, 0) set(struct err *err, const char *class, const char *fmt, va_list args) {
  char text[sizeof err->text];
  vsnprintf(text, sizeof text, fmt, args);
  memcpy(err->text, text, sizeof text);
  err->class = class;
  return false;
}

bool err_set(struct err *err, const char *fmt, ...) {
  if (!err) return false;
  va_list args;
  va_start(args, fmt);
  set(err, NULL, fmt, args);
  va_end(args);
  return false;
}

bool err_set_class(struct err *err, const char *class, const char *fmt, ...) {
  if (!err) return false;
  va_list args;
  va_start(args, fmt);
  set(err, class, fmt, args);
  va_end(args);
  return false;
}

bool err_prefix(struct err *err, const char *fmt, ...) {
  if (!err) return false;
  char text[sizeof err->text];
  va_list args;
  va_start(args, fmt);
  int len = vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  if (len >= 0 && (size_t)len < sizeof text) snprintf(text + len, sizeof text - (size_t)len, "%s", err->text);
  memcpy(err->text, text, sizeof text);
  return false;
}
