// SPDX-License-Identifier: MIT
#include "common/base/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {[DIGEST_SHA1] = "SHA1", [DIGEST_SHA256] = "SHA256"};

static const EVP_MD *algorithm(enum digest_kind kind) {
  return kind == DIGEST_SHA1 ? EVP_sha1() : EVP_sha256();
}

bool digest_of(enum digest_kind kind, const struct piece *pieces, size_t n, struct digest *out) {
  *out = (struct digest){0};
  unsigned len = 0;
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  bool good = ctx && EVP_DigestInit_ex(ctx, algorithm(kind), NULL);
  for (size_t i = 0; good && i < n; i++) good = EVP_DigestUpdate(ctx, pieces[i].bytes, pieces[i].len);
  good = good && EVP_DigestFinal_ex(ctx, out->bytes, &len);
  EVP_MD_CTX_free(ctx);
  out->len = len;
  return good;
}

bool digest_hmac(enum digest_kind kind, struct piece key, const struct piece *pieces, size_t n,
                 struct digest *out) {
  *out = (struct digest){0};
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t)names[kind], 0),
      OSSL_PARAM_construct_end()};
  EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
  EVP_MAC_CTX *ctx = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
  bool good = ctx && EVP_MAC_init(ctx, key.bytes, key.len, params);
  for (size_t i = 0; good && i < n; i++) good = EVP_MAC_update(ctx, pieces[i].bytes, pieces[i].len);
  good = good && EVP_MAC_final(ctx, out->bytes, &out->len, sizeof out->bytes);
  EVP_MAC_CTX_free(ctx);
  EVP_MAC_free(hmac);
  return good;
}

bool digest_same(const struct digest *a, const struct digest *b) {
  bool whole = a->len > 0 && a->len == b->len; // public: it follows from the kind
  return (CRYPTO_memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0) & whole;
}

bool digest_same_text(struct piece a, struct piece b) {
  struct digest left, right;
  if (!digest_of(DIGEST_SHA256, &a, 1, &left) || !digest_of(DIGEST_SHA256, &b, 1, &right)) return false;
  return digest_same(&left, &right);
}

void digest_hex(const struct digest *digest, char out[DIGEST_HEX_SIZE]) {
  out[0] = '\0';
  for (size_t i = 0; i < digest->len; i++) snprintf(out + 2 * i, 3, "%02x", digest->bytes[i]);
}

void digest_hex_lower(char *out, const char *text, size_t len) {
  static const char upper[] = "ABCDEF", lower[] = "abcdef";
  memcpy(out, text, len);
  for (size_t i = 0; i < len; i++) {
    const char *found = memchr(upper, out[i], sizeof upper - 1);
    if (found) out[i] = lower[found - upper];
  }
}

void digest_base64(const struct digest *digest, char out[DIGEST_BASE64_SIZE]) {
  EVP_EncodeBlock((unsigned char *)out, digest->bytes, (int)digest->len);
}
