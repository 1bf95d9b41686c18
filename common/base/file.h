// SPDX-License-Identifier: MIT
// Small files, read whole.
#pragma once
#include "common/base/err.h"
#include <stddef.h>

// New, with a NUL behind its *len bytes; NULL with the cause, which does not name the file.
MUST_CHECK char *file_read(const char *path, size_t max_bytes, size_t *len, struct err *err);
