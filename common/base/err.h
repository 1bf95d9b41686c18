// SPDX-License-Identifier: MIT
// Errors. A fallible function returns bool or a pointer and takes `struct err *` last. The error belongs to
// the caller, is written only on failure, and is either returned or logged, never both.
#pragma once
#include <stdbool.h>

#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

struct err {
  char text[512];    // what failed, on which object, cause; cut, never overrun
  const char *class; // static name of the kind of failure, where failures are counted by kind; or NULL
};

// Sets the text of a failure of that class, or of none. Returns false, so that `return err_set(err, ...)`
// reads well. `err` may be NULL.
bool err_set_class(struct err *err, const char *class, const char *fmt, ...) PRINTF_LIKE(3, 4);
#define err_set(err, ...) err_set_class((err), NULL, __VA_ARGS__)

// Appends "; hint", what to do about it; NULL appends nothing. Returns false.
bool err_hint(struct err *err, const char *hint);

// Puts context in front of the text: "endpoints.json: " + "/endpoints/0: ...". Returns false.
bool err_prefix(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
