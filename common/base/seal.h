// SPDX-License-Identifier: MIT
// Encryption of what is stored: AES-256-GCM of OpenSSL, a random nonce for each text. What is sealed names
// what it is about, and opens only for that. Thread: any.
#pragma once
#include "common/base/digest.h"
#include "common/base/err.h"
#include <stddef.h>
#include <stdint.h>

enum { SEAL_KEY_SIZE = 32, SEAL_KEY_DIGITS = 2 * SEAL_KEY_SIZE };

struct seal_key {
  uint8_t bytes[SEAL_KEY_SIZE];
};

// Reads 64 hexadecimal digits. The error does not show them.
MUST_CHECK bool seal_key_parse(const char *text, struct seal_key *out, struct err *err);
// Nonce, encrypted text and tag: new bytes, *len of them.
uint8_t *seal(const struct seal_key *key, struct piece about, struct piece text, size_t *len);
// The text, new string; NULL: it is not what seal() made with this key about this.
char *seal_open(const struct seal_key *key, struct piece about, struct piece sealed);
