// SPDX-License-Identifier: MIT
// A gzip body, as it was before (RFC 1952), never larger than what an open one may be. Pure.
#pragma once
#include "common/base/err.h"
#include <stddef.h>

// OVER: it would be larger than max_bytes. BROKEN: it is no gzip, or not whole, or something follows it. *out
// is new and holds what could be inflated in any case, at most max_bytes; NULL: nothing.
enum inflate_result { INFLATE_DONE, INFLATE_OVER, INFLATE_BROKEN };
enum inflate_result inflate_gzip(const char *bytes, size_t len, size_t max_bytes, char **out,
                                 size_t *out_len);
