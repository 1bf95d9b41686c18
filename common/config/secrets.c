// SPDX-License-Identifier: MIT
#include "common/config/secrets.h"

#include "common/base/mem.h"
#include "common/config/settings.h"
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

enum { OURS_MIN = 16, PROVIDER_MIN = 8 };

static bool is_url_safe(const char *text, size_t len) {
  static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-";
  for (size_t i = 0; i < len; i++)
    if (!memchr(safe, text[i], sizeof safe - 1)) return false;
  return true;
}

static bool has_control(const char *text, size_t len) {
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) return true;
  return false;
}

static bool check(enum secrets_maker maker, const char *text, size_t len, struct err *err) {
  size_t least = maker == SECRETS_OURS ? OURS_MIN : PROVIDER_MIN;
  if (len < least) return err_set(err, "expected at least %zu characters, got %zu", least, len);
  if (maker == SECRETS_OURS && !is_url_safe(text, len))
    return err_set(err, "expected only letters, digits and . _ ~ -");
  if (has_control(text, len)) return err_set(err, "expected no control characters such as a line break");
  return true;
}

bool secrets_add(struct secrets *secrets, enum secrets_maker maker, const char *text, size_t len,
                 struct err *err) {
  if (!check(maker, text, len, err)) return false;
  secrets->list = mem_grow(secrets->list, secrets->n + 1, sizeof *secrets->list);
  secrets->list[secrets->n++] = (struct secret){mem_strndup(text, len), len};
  return true;
}

void secret_take(struct secret *secret, char *bytes, size_t len) {
  OPENSSL_cleanse(secret->bytes, secret->len);
  free(secret->bytes);
  *secret = (struct secret){bytes, len};
}

static bool load(struct secrets *secrets, enum secrets_maker maker, const char *name, secrets_form_fn *form,
                 const json_t *conf, struct err *err) {
  char *text;
  if (!settings_secret(name, &text, err)) return false;
  struct secret held = {text, strlen(text)};
  bool good = secrets_add(secrets, maker, text, held.len, err);
  secret_take(&held, NULL, 0);
  if (good && form) good = form(&secrets->list[secrets->n - 1], conf, err);
  return good || err_prefix(err, "%s: ", name);
}

void secrets_load(struct secrets *secrets, enum secrets_maker maker, const json_t *names,
                  secrets_form_fn *form, const json_t *conf, struct faults *faults) {
  struct err err;
  for (size_t i = 0; i < json_array_size(names); i++)
    if (!load(secrets, maker, json_string_value(json_array_get(names, i)), form, conf, &err))
      faults_error(faults, "/%zu: %s", i, err.text);
}

void secrets_fini(struct secrets *secrets) {
  for (size_t i = 0; i < secrets->n; i++) secret_take(&secrets->list[i], NULL, 0);
  free(secrets->list);
  *secrets = (struct secrets){0};
}

bool secrets_hold(const struct secrets *secrets, const char *text, size_t len) {
  bool found = false;
  for (size_t i = 0; i < secrets->n; i++) { // all of them: takes the same time whichever matches
    struct piece secret = {secrets->list[i].bytes, secrets->list[i].len};
    found |= digest_same(secret, (struct piece){text, len});
  }
  return found;
}

void secrets_sign(const struct secrets *secrets, enum digest_kind kind, const struct piece *pieces, size_t n,
                  struct signatures *out) {
  *out = (struct signatures){0};
  for (size_t i = 0; i < secrets->n && i < SIGNATURES_MAX; i++) {
    struct piece key = {secrets->list[i].bytes, secrets->list[i].len};
    if (digest_hmac(kind, key, pieces, n, &out->list[out->n])) out->n++;
  }
}

static bool same(const char *expected, const char *given, size_t len) {
  return digest_same((struct piece){expected, strlen(expected)}, (struct piece){given, len});
}

bool signatures_hold(const struct signatures *signatures, unsigned encodings, const char *text, size_t len) {
  char expected[DIGEST_HEX_SIZE], small[DIGEST_HEX_SIZE];
  if (len == 0 || len >= sizeof small) return false;
  digest_hex_lower(small, text, len);
  bool found = false;
  for (size_t i = 0; i < signatures->n; i++) { // all of them, as above
    digest_base64(&signatures->list[i], expected);
    if (encodings & SIGNATURE_BASE64) found |= same(expected, text, len);
    digest_hex(&signatures->list[i], expected);
    if (encodings & SIGNATURE_HEX) found |= same(expected, small, len);
  }
  return found;
}
