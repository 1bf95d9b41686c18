// SPDX-License-Identifier: MIT
// UTF-8 as RFC 3629 has it: neither overlong forms nor surrogates, nothing beyond U+10FFFF.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The character at `at`, which is before `end`: its bytes, or 0 when it is ill-formed.
size_t utf8_decode(const char *at, const char *end, uint32_t *code);
bool utf8_ok(const char *text, size_t len);
// The bytes of the longest beginning of `text` that is at most max_bytes long and ends between characters.
size_t utf8_cut(const char *text, size_t max_bytes);
size_t utf8_count(const char *text); // characters of a well-formed text
// Whether a well-formed text has a control character: C0, DEL or C1.
bool utf8_has_control(const char *text);
