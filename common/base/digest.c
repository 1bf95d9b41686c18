// SPDX-License-Identifier: MIT
#include "common/base/digest.h"

#include "common/base/mem.h"
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {[DIGEST_SHA1] = "SHA1",
                                    [DIGEST_SHA256] = "SHA256",
                                    [DIGEST_SHA384] = "SHA384",
                                    [DIGEST_SHA512] = "SHA512"};

// Finding an algorithm and making a context cost several times as much as a short digest. The algorithms are
// found once, the contexts are made once for each thread.
struct contexts {
  EVP_MD_CTX *digest;
  EVP_MAC_CTX *hmac[COUNT_OF(names)];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t contexts_key;
static EVP_MD *algorithms[COUNT_OF(names)];
static EVP_MAC *hmac;

static void contexts_free(void *arg) {
  struct contexts *contexts = arg;
  EVP_MD_CTX_free(contexts->digest);
  for (size_t kind = 0; kind < COUNT_OF(names); kind++) EVP_MAC_CTX_free(contexts->hmac[kind]);
  free(contexts);
}

static void look_up(void) {
  if (pthread_key_create(&contexts_key, contexts_free) != 0) abort(); // out of memory, as in mem.c
  for (size_t kind = 0; kind < COUNT_OF(names); kind++)
    algorithms[kind] = EVP_MD_fetch(NULL, names[kind], NULL);
  hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
}

static EVP_MAC_CTX *hmac_new(enum digest_kind kind) {
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t)names[kind], 0),
      OSSL_PARAM_construct_end()};
  EVP_MAC_CTX *ctx = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
  if (ctx && EVP_MAC_CTX_set_params(ctx, params)) return ctx;
  EVP_MAC_CTX_free(ctx);
  return NULL;
}

static struct contexts *contexts_of_thread(void) {
  pthread_once(&once, look_up);
  struct contexts *contexts = pthread_getspecific(contexts_key);
  if (contexts) return contexts;
  contexts = mem_alloc(sizeof *contexts);
  contexts->digest = EVP_MD_CTX_new();
  for (size_t kind = 0; kind < COUNT_OF(names); kind++)
    contexts->hmac[kind] = hmac_new((enum digest_kind)kind);
  pthread_setspecific(contexts_key, contexts);
  return contexts;
}

bool digest_of(enum digest_kind kind, const struct piece *pieces, size_t n, struct digest *out) {
  *out = (struct digest){0};
  unsigned len = 0;
  EVP_MD_CTX *ctx = contexts_of_thread()->digest;
  bool good = ctx && algorithms[kind] && EVP_DigestInit_ex(ctx, algorithms[kind], NULL);
  for (size_t i = 0; good && i < n; i++) good = EVP_DigestUpdate(ctx, pieces[i].bytes, pieces[i].len);
  good = good && EVP_DigestFinal_ex(ctx, out->bytes, &len);
  out->len = len;
  return good;
}

bool digest_hmac(enum digest_kind kind, struct piece key, const struct piece *pieces, size_t n,
                 struct digest *out) {
  *out = (struct digest){0};
  EVP_MAC_CTX *ctx = contexts_of_thread()->hmac[kind];
  bool good =
      ctx && key.bytes && EVP_MAC_init(ctx, key.bytes, key.len, NULL); // a NULL key would mean the last one
  for (size_t i = 0; good && i < n; i++) good = EVP_MAC_update(ctx, pieces[i].bytes, pieces[i].len);
  return good && EVP_MAC_final(ctx, out->bytes, &out->len, sizeof out->bytes);
}

bool digest_same(struct piece a, struct piece b) {
  return a.len == b.len && CRYPTO_memcmp(a.bytes, b.bytes, a.len) == 0;
}

void digest_hex(const struct digest *digest, char out[DIGEST_HEX_SIZE]) {
  out[0] = '\0';
  for (size_t i = 0; i < digest->len; i++) snprintf(out + 2 * i, 3, "%02x", digest->bytes[i]);
}

void digest_sha256_hex(const void *bytes, size_t len, char out[DIGEST_HEX_SIZE]) {
  struct digest digest;
  if (!digest_of(DIGEST_SHA256, &(struct piece){bytes, len}, 1, &digest)) abort(); // out of memory
  digest_hex(&digest, out);
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
