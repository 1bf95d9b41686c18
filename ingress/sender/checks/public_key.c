// SPDX-License-Identifier: MIT
#include "ingress/sender/checks/public_key.h"
#include "common/base/base64.h"
#include "common/base/mem.h"
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

enum { ED25519_BYTES = 32 };

enum public_key_kind public_key_kind_of(const char *algorithm) {
  if (algorithm && strcmp(algorithm, "ecdsa_p256_sha256") == 0) return PUBLIC_KEY_P256;
  return algorithm && strcmp(algorithm, "ed25519") == 0 ? PUBLIC_KEY_ED25519 : PUBLIC_KEY_NONE;
}

// ---- keys ----

static bool is_of_kind(const EVP_PKEY *key, enum public_key_kind kind) {
  char curve[32];
  if (kind == PUBLIC_KEY_ED25519) return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
  return EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL) && strcmp(curve, SN_X9_62_prime256v1) == 0;
}

// NULL: no key of that kind. EVP_PKEY_free().
static EVP_PKEY *key_of(const struct secret *secret, enum public_key_kind kind) {
  const unsigned char *at = (const unsigned char *)secret->bytes;
  if (!at) return NULL;
  if (kind == PUBLIC_KEY_ED25519 && secret->len == ED25519_BYTES)
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, at, secret->len);
  EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)secret->len);
  if (key && is_of_kind(key, kind)) return key;
  EVP_PKEY_free(key);
  return NULL;
}

bool public_key_open(struct secret *secret, enum public_key_kind kind, struct err *err) {
  size_t len = 0;
  char *bytes = base64_read(BASE64_PADDED, secret->bytes, secret->len, &len);
  secret_take(secret, bytes, len);
  EVP_PKEY *key = key_of(secret, kind);
  EVP_PKEY_free(key);
  if (key) return true;
  if (kind == PUBLIC_KEY_P256) return err_set(err, "expected a public key on P-256, as base64 of its DER");
  return err_set(err, "expected a public key of Ed25519, as base64 of its 32 bytes or of its DER");
}

// ---- signatures ----

char *public_key_text(const struct piece *pieces, size_t n, size_t *len) {
  *len = 0;
  for (size_t i = 0; i < n; i++) *len += pieces[i].len;
  char *bytes = mem_alloc(*len + 1), *at = bytes;
  for (size_t i = 0; i < n; at += pieces[i++].len)
    if (pieces[i].len) memcpy(at, pieces[i].bytes, pieces[i].len);
  return bytes;
}

static bool is_signed_by(const struct secret *secret, enum public_key_kind kind, struct piece text,
                         struct piece signature) {
  EVP_PKEY *key = key_of(secret, kind);
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  const EVP_MD *hash = kind == PUBLIC_KEY_P256 ? EVP_sha256() : NULL; // Ed25519 has its own
  bool good = key && ctx && EVP_DigestVerifyInit(ctx, NULL, hash, NULL, key) == 1 &&
              EVP_DigestVerify(ctx, signature.bytes, signature.len, text.bytes, text.len) == 1;
  EVP_MD_CTX_free(ctx);
  EVP_PKEY_free(key);
  return good;
}

bool public_keys_hold(const struct secrets *keys, enum public_key_kind kind, struct piece text,
                      const char *signature, size_t len) {
  size_t n;
  AUTO_FREE char *bytes = base64_read(BASE64_PADDED, signature, len, &n);
  bool found = false;
  for (size_t i = 0; bytes && i < keys->n; i++)
    found |= is_signed_by(&keys->list[i], kind, text, (struct piece){bytes, n});
  return found;
}
