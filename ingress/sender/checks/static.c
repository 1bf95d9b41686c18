// SPDX-License-Identifier: MIT
// Senders that show a secret as it is: in a header (NHN, Kakao), in a query parameter (Channel Talk), or as
// its SHA-1 in a header (Solapi).
#include "common/base/mem.h"
#include "ingress/sender/checks/check.h"
#include "ingress/sender/checks/form.h"
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

// Adds what the sender shows for one key.
typedef bool show_fn(const json_t *json, const struct key *key, struct secrets *secrets, struct err *err);

static bool load_shown(struct check_conf *out, const json_t *json, const char *name, show_fn *show,
                       struct err *err) {
  out->names[0] = mem_strdup(name);
  if (!keys_load(&out->keys, json_object_get(json, "secrets"), err)) return false;
  for (size_t i = 0; i < out->keys.n; i++)
    if (!show(json, &out->keys.list[i], &out->secrets, err)) return err_prefix(err, "/secrets/%zu: ", i);
  keys_fini(&out->keys);
  return true;
}

// KakaoAK <key>: the prefix is no secret, but compared with it.
static bool show_prefixed(const json_t *json, const struct key *key, struct secrets *secrets,
                          struct err *err) {
  char *text = mem_printf("%s%s", check_text(json, "prefix", ""), (const char *)key->bytes);
  size_t len = strlen(text);
  bool good = secrets_add_foreign(secrets, text, len, err);
  OPENSSL_cleanse(text, len);
  free(text);
  return good;
}

// ---- header ----

static bool header_load(struct check_conf *out, const json_t *json, struct err *err) {
  return load_shown(out, json, check_text(json, "header", ""), show_prefixed, err);
}

static bool header_passes(const struct check_conf *conf, const struct verify_request *req) {
  const char *given = check_header_once(req, conf->names[0]);
  return given && secrets_hold(&conf->secrets, given, strlen(given));
}

const struct check check_header = {.name = "header", .load = header_load, .passes = header_passes};

// ---- header_sha1 ----

static bool show_sha1(const json_t *json, const struct key *key, struct secrets *secrets, struct err *err) {
  (void)json;
  struct digest digest;
  if (!digest_of(DIGEST_SHA1, &(struct piece){key->bytes, key->len}, 1, &digest))
    return err_set(err, "OpenSSL cannot do SHA-1");
  char hex[DIGEST_HEX_SIZE];
  digest_hex(&digest, hex);
  return secrets_add_foreign(secrets, hex, strlen(hex), err);
}

static bool header_sha1_load(struct check_conf *out, const json_t *json, struct err *err) {
  return load_shown(out, json, check_text(json, "header", "X-Solapi-Secret"), show_sha1, err);
}

static bool header_sha1_passes(const struct check_conf *conf, const struct verify_request *req) {
  enum { DIGITS = 40 };
  const char *given = check_header_once(req, conf->names[0]);
  if (!given || strlen(given) != DIGITS) return false;
  char small[DIGITS];
  digest_hex_lower(small, given, DIGITS);
  return secrets_hold(&conf->secrets, small, DIGITS);
}

const struct check check_header_sha1 = {
    .name = "header_sha1", .load = header_sha1_load, .passes = header_sha1_passes};

// ---- query_token ----

static bool query_token_load(struct check_conf *out, const json_t *json, struct err *err) {
  return load_shown(out, json, check_text(json, "parameter", "token"), show_prefixed, err);
}

static bool query_token_passes(const struct check_conf *conf, const struct verify_request *req) {
  struct form form;
  if (!req->query || !form_parse(&form, req->query, strlen(req->query), FORM_PLUS_IS_PLUS)) return false;
  const struct form_pair *pair = form_only(&form, conf->names[0]);
  bool good = pair && secrets_hold(&conf->secrets, pair->value.bytes, pair->value.len);
  form_fini(&form);
  return good;
}

const struct check check_query_token = {
    .name = "query_token", .load = query_token_load, .passes = query_token_passes};
