// SPDX-License-Identifier: MIT
#include "common/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// Formats beside the text first: an argument may be the old text itself.
bool err_set_class(struct err *err, const char *class, const char *fmt, ...) {
  if (!err) return false;
  char text[sizeof err->text];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  memcpy(err->text, text, sizeof text);
  err->class = class;
  return false;
}

bool err_hint(struct err *err, const char *hint) {
  if (!err || !hint) return false;
  size_t len = strlen(err->text);
  snprintf(err->text + len, sizeof err->text - len, "; %s", hint);
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
