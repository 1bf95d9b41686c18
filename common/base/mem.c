// SPDX-License-Identifier: MIT
#include "common/base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *present(void *p) {
  if (p) return p;
  fputs("dochak: out of memory\n", stderr);
  abort();
}

void *mem_alloc(size_t size) {
  return mem_array(1, size);
}

// glibc's calloc() passes by the cache that each thread has, and takes the lock of an arena instead.
void *mem_array(size_t count, size_t size) {
  enum { CACHED_BYTES = 1024 };
  if (count == 0 || size == 0) count = size = 1; // calloc(0) may be NULL
  if (count > CACHED_BYTES || size > CACHED_BYTES || count * size > CACHED_BYTES)
    return present(calloc(count, size));
  return memset(present(malloc(count * size)), 0, count * size);
}

void *mem_grow(void *old, size_t count, size_t size) {
  if (count == 0 || size == 0) count = size = 1; // realloc(…, 0) may free
  return present(reallocarray(old, count, size));
}

char *mem_strdup(const char *s) {
  return present(strdup(s));
}

char *mem_strdup_or_null(const char *s) {
  return s ? mem_strdup(s) : NULL;
}

// Not strndup(): under AddressSanitizer's strict_string_checks it needs a NUL behind the bytes, which a
// record's value does not have.
char *mem_strndup(const char *s, size_t len) {
  size_t n = strnlen(s, len);
  char *copy = mem_alloc(n + 1);
  return memcpy(copy, s, n);
}

char *mem_vprintf(const char *fmt, va_list args) {
  char *text = NULL;
  int len = vasprintf(&text, fmt, args);
  return present(len < 0 ? NULL : text);
}

char *mem_printf(const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  char *text = mem_vprintf(fmt, args);
  va_end(args);
  return text;
}

void mem_free_cleanup(void *pointer_to_pointer) {
  free(*(void **)pointer_to_pointer);
}
