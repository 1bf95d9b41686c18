// SPDX-License-Identifier: MIT
// Memory. Input sizes are limited, so running out of memory is not handled: these functions abort.
// Scoped locals: `AUTO_FREE char *p = ...;` frees on leaving the scope; hand it out with take().
#pragma once
#include <stdarg.h>
#include <stddef.h>

void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull)); // zeroed
void *mem_array(size_t count, size_t size)
    __attribute__((malloc, returns_nonnull)); // zeroed, overflow aborts
void *mem_grow(void *old, size_t count, size_t size)
    __attribute__((returns_nonnull)); // realloc, overflow aborts
char *mem_strdup(const char *s) __attribute__((malloc, returns_nonnull));
char *mem_strdup_or_null(const char *s); // NULL of NULL
char *mem_strndup(const char *s, size_t len) __attribute__((malloc, returns_nonnull));
char *mem_vprintf(const char *fmt, va_list args)
    __attribute__((format(printf, 1, 0), malloc, returns_nonnull));
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2), malloc, returns_nonnull));

// The text itself, borrowed; "" of NULL.
static inline const char *mem_or_empty(const char *s) {
  return s ? s : "";
}

void mem_free_cleanup(void *pointer_to_pointer); // for AUTO_FREE only
#define AUTO_FREE __attribute__((cleanup(mem_free_cleanup)))

// Hands out the pointer and sets the variable to NULL: `return take(p);`
#define take(p)                                                                                              \
  __extension__({                                                                                            \
    __typeof__(p) taken_ = (p);                                                                              \
    (p) = NULL;                                                                                              \
    taken_;                                                                                                  \
  })

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
