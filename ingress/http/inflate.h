// SPDX-License-Identifier: MIT
// Inflates a gzip body (RFC 1952) up to a limit.
#pragma once
#include "common/base/err.h"
#include <stddef.h>

// Asked before so many bytes more are allocated. False: there is no room for them.
typedef bool inflate_hold_fn(void *arg, size_t bytes);

// OVER: larger than max_bytes. BROKEN: no gzip, or not complete, or followed by other bytes. NO_ROOM: `hold`
// said so. In any case *out is new and contains what could be inflated, at most max_bytes; NULL: nothing.
// `hold` was asked for *out_len bytes or more.
enum inflate_result { INFLATE_DONE, INFLATE_OVER, INFLATE_BROKEN, INFLATE_NO_ROOM };
enum inflate_result inflate_gzip(const char *bytes, size_t len, size_t max_bytes, inflate_hold_fn *hold,
                                 void *arg, char **out, size_t *out_len);
