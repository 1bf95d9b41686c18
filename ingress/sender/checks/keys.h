// SPDX-License-Identifier: MIT
// The keys that a check names, as bytes, and the signatures they make. Any one of them may match, so that a
// key can be rotated without a gap. Wiped when freed. Thread: any.
#pragma once
#include "common/base/digest.h"
#include <jansson.h>

enum { KEYS_MAX = 4, KEY_MIN = 8 };

struct keys {
  struct key {
    unsigned char *bytes;
    size_t len;
  } list[KEYS_MAX];
  size_t n;
};

// `names` are settings (options_secret). False with "/secrets/0: NAME: …", never the key: missing, shorter
// than KEY_MIN bytes, or with a control character, which is most likely a line break too many.
MUST_CHECK bool keys_load(struct keys *out, const json_t *names, struct err *err);
void keys_fini(struct keys *keys);

enum keys_encoding { KEYS_BASE64 = 1, KEYS_HEX = 2 }; // hex in any case
struct keys_signatures {
  struct digest list[KEYS_MAX];
  size_t n;
};
// Every key's HMAC. One that cannot be computed is left out.
void keys_sign(const struct keys *keys, enum digest_kind kind, const struct piece *pieces, size_t n,
               struct keys_signatures *out);
// Whether one of them, in one of the encodings, equals `given`.
MUST_CHECK bool keys_signed(const struct keys_signatures *signatures, unsigned encodings, const char *given,
                            size_t len);
