// SPDX-License-Identifier: MIT
// Base64 (RFC 4648). It is read strictly: a text is read only if encoding its bytes gives the same text. So
// no two texts stand for the same bytes. Thread: any.
#pragma once
#include "common/base/err.h"
#include <stddef.h>

// Section 4, with padding; section 5 (base64url), without padding, as in JWTs.
enum base64_form { BASE64_PADDED, BASE64_URL };
// New bytes, followed by a NUL that is not counted in *out_len; NULL: the text is no such base64, or is
// empty.
MUST_CHECK char *base64_read(enum base64_form form, const char *text, size_t len, size_t *out_len);
// The bytes as base64url without padding. New string.
char *base64_url(const void *bytes, size_t len);
