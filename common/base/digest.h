// SPDX-License-Identifier: MIT
// SHA and HMAC over several pieces, and the comparison of secrets and signatures in constant time. A failure
// of OpenSSL is false, never a match. Thread: any.
#pragma once
#include "common/base/err.h"
#include <stddef.h>
#include <stdint.h>

struct piece {
  const void *bytes;
  size_t len;
};

enum digest_kind { DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };
enum { DIGEST_MAX = 64, DIGEST_HEX_SIZE = 2 * DIGEST_MAX + 1, DIGEST_BASE64_SIZE = 89 };

struct digest {
  uint8_t bytes[DIGEST_MAX]; // zero behind len
  size_t len;
};

MUST_CHECK bool digest_of(enum digest_kind kind, const struct piece *pieces, size_t n, struct digest *out);
MUST_CHECK bool digest_hmac(enum digest_kind kind, struct piece key, const struct piece *pieces, size_t n,
                            struct digest *out);
// Compares secrets: the time depends on the lengths, and not on where the first difference is.
MUST_CHECK bool digest_same(struct piece a, struct piece b);

// Hex of SHA-256, for ids. Aborts when memory is out.
void digest_sha256_hex(const void *bytes, size_t len, char out[DIGEST_HEX_SIZE]);
void digest_hex(const struct digest *digest, char out[DIGEST_HEX_SIZE]); // lower case
// A-F to lower case; other characters stay as they are.
void digest_hex_lower(char *out, const char *text, size_t len);
void digest_base64(const struct digest *digest, char out[DIGEST_BASE64_SIZE]);
