// SPDX-License-Identifier: MIT
#include "ingress/sender/checks/keys.h"

#include "common/base/mem.h"
#include "common/config/options.h"
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

static bool fit(const char *text, size_t len, struct err *err) {
  if (len < KEY_MIN) return err_set(err, "expected at least %d bytes, got %zu", KEY_MIN, len);
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
      return err_set(err, "expected no control characters such as a line break");
  return true;
}

static bool load(struct key *out, const char *name, struct err *err) {
  char *text;
  if (!options_secret(name, &text, err)) return false;
  out->bytes = (unsigned char *)text;
  out->len = strlen(text);
  return fit(text, out->len, err) || err_prefix(err, "%s: ", name);
}

bool keys_load(struct keys *out, const json_t *names, struct err *err) {
  *out = (struct keys){0};
  for (size_t i = 0; i < json_array_size(names) && i < KEYS_MAX; i++) {
    out->n = i + 1;
    if (load(&out->list[i], json_string_value(json_array_get(names, i)), err)) continue;
    keys_fini(out);
    return err_prefix(err, "/secrets/%zu: ", i);
  }
  return out->n > 0 || err_set(err, "/secrets: expected at least one");
}

void keys_fini(struct keys *keys) {
  for (size_t i = 0; i < keys->n; i++) {
    if (keys->list[i].bytes) OPENSSL_cleanse(keys->list[i].bytes, keys->list[i].len);
    free(keys->list[i].bytes);
  }
  *keys = (struct keys){0};
}

void keys_sign(const struct keys *keys, enum digest_kind kind, const struct piece *pieces, size_t n,
               struct keys_signatures *out) {
  *out = (struct keys_signatures){0};
  for (size_t i = 0; i < keys->n; i++) {
    struct piece key = {keys->list[i].bytes, keys->list[i].len};
    if (digest_hmac(kind, key, pieces, n, &out->list[out->n])) out->n++;
  }
}

static bool same(const char *expected, const char *given, size_t len) {
  return digest_same_text((struct piece){expected, strlen(expected)}, (struct piece){given, len});
}

bool keys_signed(const struct keys_signatures *signatures, unsigned encodings, const char *given,
                 size_t len) {
  char text[DIGEST_HEX_SIZE], small[DIGEST_HEX_SIZE];
  if (len == 0 || len >= sizeof small) return false;
  digest_hex_lower(small, given, len);
  bool found = false;
  for (size_t i = 0; i < signatures->n; i++) { // all of them: takes the same time whichever matches
    digest_base64(&signatures->list[i], text);
    if (encodings & KEYS_BASE64) found |= same(text, given, len);
    digest_hex(&signatures->list[i], text);
    if (encodings & KEYS_HEX) found |= same(text, small, len);
  }
  return found;
}
