// SPDX-License-Identifier: MIT
// Inflates a gzip body (RFC 1952) up to a limit. Pure.
#pragma once
#include "common/base/err.h"
#include <stddef.h>

// OVER: larger than max_bytes. BROKEN: no gzip, or not complete, or followed by other bytes. In any case *out
// is new and contains what could be inflated, at most max_bytes; NULL: nothing.
enum inflate_result { INFLATE_DONE, INFLATE_OVER, INFLATE_BROKEN };
enum inflate_result inflate_gzip(const char *bytes, size_t len, size_t max_bytes, char **out,
                                 size_t *out_len);
