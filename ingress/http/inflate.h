// SPDX-License-Identifier: MIT
// A gzip body, as it was before (RFC 1952), never larger than what an open one may be. Pure.
#pragma once
#include "common/base/err.h"
#include <stddef.h>

// OVER: it would be larger than max_bytes. BROKEN: it is no gzip, or not whole, or something follows it.
enum inflate_result { INFLATE_DONE, INFLATE_OVER, INFLATE_BROKEN };
MUST_CHECK enum inflate_result inflate_gzip(const char *bytes, size_t len, size_t max_bytes, char **out,
                                            size_t *out_len);
