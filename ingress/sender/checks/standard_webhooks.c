// SPDX-License-Identifier: MIT
// Standard Webhooks (standard-webhooks.md, "Verifying signatures"): HMAC-SHA256 over id.timestamp.body, any
// one of a list of signatures. Only the symmetric kind, v1; others in the list are passed over.
#include "common/base/mem.h"
#include "ingress/sender/checks/check.h"
#include "ingress/sender/checks/keys.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { ID_MAX_BYTES = 256, LIST_MAX = 32, SECRET_MIN_BYTES = 24, SECRET_MAX_BYTES = 64 };

struct standard {
  int64_t tolerance_ms;
  struct keys keys;
};

static void standard_free(void *self) {
  struct standard *check = self;
  if (!check) return;
  keys_fini(&check->keys);
  free(check);
}

// ---- the secret ----

// OpenSSL's decoder forgives what it should not, so what it has read has to encode to the same text.
static bool canonical(const unsigned char *bytes, size_t len, const char *text) {
  unsigned char again[4 * (SECRET_MAX_BYTES + 2) / 3 + 4];
  EVP_EncodeBlock(again, bytes, (int)len);
  bool good = strcmp((const char *)again, text) == 0;
  OPENSSL_cleanse(again, sizeof again);
  return good;
}

// The number of bytes, 0 when it is no base64 or too long.
static size_t decode(const char *text, unsigned char out[SECRET_MAX_BYTES + 3]) {
  size_t len = strlen(text);
  if (len % 4 != 0 || len / 4 * 3 > SECRET_MAX_BYTES + 2) return 0;
  int n = EVP_DecodeBlock(out, (const unsigned char *)text, (int)len);
  if (n <= 0) return 0;
  size_t bytes = (size_t)n - (text[len - 1] == '=') - (text[len - 2] == '=');
  return bytes <= SECRET_MAX_BYTES && canonical(out, bytes, text) ? bytes : 0;
}

// whsec_<base64> becomes the bytes it stands for.
static bool open_key(struct key *key, struct err *err) {
  static const char prefix[] = "whsec_";
  const char *text = (const char *)key->bytes;
  if (strncmp(text, prefix, sizeof prefix - 1) == 0) text += sizeof prefix - 1;
  unsigned char *bytes = mem_alloc(SECRET_MAX_BYTES + 3);
  size_t len = decode(text, bytes);
  OPENSSL_cleanse(key->bytes, key->len);
  free(key->bytes);
  key->bytes = bytes;
  key->len = len;
  return len >= SECRET_MIN_BYTES ||
         err_set(err, "expected whsec_ and the base64 of %d to %d bytes", SECRET_MIN_BYTES, SECRET_MAX_BYTES);
}

static bool load(struct standard *check, const json_t *conf, struct err *err) {
  check->tolerance_ms = check_tolerance_ms(conf);
  if (!keys_load(&check->keys, json_object_get(conf, "secrets"), err)) return false;
  for (size_t i = 0; i < check->keys.n; i++)
    if (!open_key(&check->keys.list[i], err)) return err_prefix(err, "/secrets/%zu: ", i);
  return true;
}

static void *standard_new(const json_t *conf, struct err *err) {
  struct standard *check = mem_alloc(sizeof *check);
  if (load(check, conf, err)) return check;
  standard_free(check);
  return NULL;
}

// ---- the signature ----

// One of a list such as "v1,<base64> v1a,<base64>". A list of more than LIST_MAX is nobody's.
static bool listed(const char *list, const struct keys_signatures *expected) {
  bool found = false;
  for (size_t i = 0; *list; i++) {
    if (i == LIST_MAX) return false;
    size_t len = strcspn(list, " ");
    if (len > 3 && memcmp(list, "v1,", 3) == 0)
      found |= keys_signed(expected, KEYS_BASE64, list + 3, len - 3);
    list += len + (list[len] == ' ');
  }
  return found;
}

static bool standard_passes(const void *self, const struct verify_request *req) {
  const struct standard *check = self;
  const char *id = check_header_once(req, "webhook-id");
  const char *time = check_header_once(req, "webhook-timestamp");
  const char *list = check_header_once(req, "webhook-signature");
  if (!id || !time || !list || strlen(id) > ID_MAX_BYTES) return false;
  if (!check_fresh(req, time, CHECK_TIME_SECONDS, check->tolerance_ms)) return false;
  const struct piece pieces[] = {{id, strlen(id)},
                                 {".", 1},
                                 {time, strlen(time)},
                                 {".", 1},
                                 {req->body ? req->body : "", req->body_len}};
  struct keys_signatures expected;
  keys_sign(&check->keys, DIGEST_SHA256, pieces, COUNT_OF(pieces), &expected);
  return listed(list, &expected);
}

const struct check check_standard_webhooks = {.name = "standard_webhooks",
                                              .wants_body = true,
                                              .new = standard_new,
                                              .passes = standard_passes,
                                              .free = standard_free};
