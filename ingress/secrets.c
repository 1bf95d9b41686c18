// SPDX-License-Identifier: MIT
#include "ingress/secrets.h"

#include "common/mem.h"
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

static bool url_safe(const char *text, size_t len) {
  static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-";
  for (size_t i = 0; i < len; i++)
    if (!memchr(safe, text[i], sizeof safe - 1)) return false;
  return true;
}

static void digest(const char *text, size_t len, unsigned char out[SECRET_DIGEST_SIZE]) {
  SHA256((const unsigned char *)text, len, out);
}

bool secrets_add(struct secrets *secrets, const char *text, size_t len, struct err *err) {
  if (len < SECRET_MIN) return err_set(err, "expected at least %d characters, got %zu", SECRET_MIN, len);
  if (!url_safe(text, len)) return err_set(err, "expected only letters, digits and . _ ~ -");
  secrets->digests = mem_grow(secrets->digests, secrets->n + 1, sizeof *secrets->digests);
  digest(text, len, secrets->digests[secrets->n++]);
  return true;
}

void secrets_fini(struct secrets *secrets) {
  free(secrets->digests);
  *secrets = (struct secrets){0};
}

bool secrets_hold(const struct secrets *secrets, const char *text, size_t len) {
  unsigned char given[SECRET_DIGEST_SIZE];
  digest(text, len, given);
  bool held = false;
  for (size_t i = 0; i < secrets->n; i++) // all of them, whichever it is
    held |= CRYPTO_memcmp(given, secrets->digests[i], sizeof given) == 0;
  return held;
}
