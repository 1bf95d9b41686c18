// SPDX-License-Identifier: MIT
#include "ingress/sender/secrets.h"

#include "common/base/mem.h"
#include <stdlib.h>
#include <string.h>

static bool url_safe(const char *text, size_t len) {
  static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-";
  for (size_t i = 0; i < len; i++)
    if (!memchr(safe, text[i], sizeof safe - 1)) return false;
  return true;
}

bool secrets_add(struct secrets *secrets, const char *text, size_t len, struct err *err) {
  if (len < SECRET_MIN) return err_set(err, "expected at least %d characters, got %zu", SECRET_MIN, len);
  if (!url_safe(text, len)) return err_set(err, "expected only letters, digits and . _ ~ -");
  return secrets_add_foreign(secrets, text, len, err);
}

bool secrets_add_foreign(struct secrets *secrets, const char *text, size_t len, struct err *err) {
  struct digest digest;
  if (!digest_of(DIGEST_SHA256, &(struct piece){text, len}, 1, &digest))
    return err_set(err, "OpenSSL cannot do SHA-256");
  secrets->digests = mem_grow(secrets->digests, secrets->n + 1, sizeof *secrets->digests);
  secrets->digests[secrets->n++] = digest;
  return true;
}

void secrets_fini(struct secrets *secrets) {
  free(secrets->digests);
  *secrets = (struct secrets){0};
}

bool secrets_hold(const struct secrets *secrets, const char *text, size_t len) {
  struct digest given;
  if (!digest_of(DIGEST_SHA256, &(struct piece){text, len}, 1, &given)) return false;
  bool held = false;
  for (size_t i = 0; i < secrets->n; i++) // all of them: takes the same time whichever matches
    held |= digest_same(&given, &secrets->digests[i]);
  return held;
}
