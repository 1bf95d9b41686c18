// SPDX-License-Identifier: MIT
#include "common/base/seal.h"
#include "common/base/mem.h"
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

enum { NONCE_SIZE = 12, TAG_SIZE = 16 }; // NIST SP 800-38D: 96 bits of nonce, at most 2^32 random ones a key

static int digit_of(char c) {
  static const char digits[] = "0123456789abcdef0123456789ABCDEF";
  const char *found = c ? strchr(digits, c) : NULL;
  return found ? (int)(found - digits) % 16 : -1;
}

bool seal_key_parse(const char *text, struct seal_key *out, struct err *err) {
  size_t len = strlen(text);
  if (len != SEAL_KEY_DIGITS)
    return err_set(err, "expected %d hexadecimal digits, got %zu characters", SEAL_KEY_DIGITS, len);
  for (size_t i = 0; i < len; i++) {
    int digit = digit_of(text[i]);
    if (digit < 0) return err_set(err, "expected hexadecimal digits, got another character");
    uint8_t *byte = &out->bytes[i / 2];
    *byte = (uint8_t)(i % 2 ? *byte | digit : digit << 4);
  }
  return true;
}

uint8_t *seal(const struct seal_key *key, struct piece about, struct piece text, size_t *len) {
  *len = NONCE_SIZE + text.len + TAG_SIZE;
  uint8_t *sealed = mem_alloc(*len), *to = sealed + NONCE_SIZE;
  int n = 0;
  EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
  bool done = ctx && RAND_bytes(sealed, NONCE_SIZE) == 1 &&
              EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, sealed) == 1 &&
              EVP_EncryptUpdate(ctx, NULL, &n, about.bytes, (int)about.len) == 1 &&
              EVP_EncryptUpdate(ctx, to, &n, text.bytes, (int)text.len) == 1 &&
              EVP_EncryptFinal_ex(ctx, to + n, &n) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, to + text.len) == 1;
  EVP_CIPHER_CTX_free(ctx);
  if (!done) abort(); // no memory or no randomness: never store what is not encrypted
  return sealed;
}

static bool decrypt(EVP_CIPHER_CTX *ctx, const struct seal_key *key, struct piece about,
                    const uint8_t *sealed, size_t len, char *out) {
  uint8_t tag[TAG_SIZE];
  int n = 0;
  memcpy(tag, sealed + NONCE_SIZE + len, TAG_SIZE);
  return EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, sealed) == 1 &&
         EVP_DecryptUpdate(ctx, NULL, &n, about.bytes, (int)about.len) == 1 &&
         EVP_DecryptUpdate(ctx, (uint8_t *)out, &n, sealed + NONCE_SIZE, (int)len) == 1 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) == 1 &&
         EVP_DecryptFinal_ex(ctx, (uint8_t *)out + n, &n) == 1;
}

char *seal_open(const struct seal_key *key, struct piece about, struct piece sealed) {
  if (sealed.len < NONCE_SIZE + TAG_SIZE) return NULL;
  size_t len = sealed.len - NONCE_SIZE - TAG_SIZE;
  AUTO_FREE char *text = mem_alloc(len + 1);
  EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
  bool opened = ctx && decrypt(ctx, key, about, sealed.bytes, len, text);
  EVP_CIPHER_CTX_free(ctx);
  return opened ? take(text) : NULL;
}
