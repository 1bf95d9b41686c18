// SPDX-License-Identifier: MIT
// Senders that show a secret as it is: in a query parameter (Channel Talk), in a header (NHN, Kakao), or as
// its SHA-1 in a header (Solapi).
#include "common/base/mem.h"
#include "ingress/sender/checks/check.h"
#include "ingress/sender/checks/form.h"
#include "ingress/sender/checks/keys.h"
#include "ingress/sender/secrets.h"
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

struct shown {
  char *name; // of the header or parameter
  struct secrets secrets;
};

static void shown_free(void *self) {
  struct shown *shown = self;
  if (!shown) return;
  free(shown->name);
  secrets_fini(&shown->secrets);
  free(shown);
}

// What the sender will show for one key.
typedef bool show_fn(const json_t *conf, const struct key *key, struct secrets *secrets, struct err *err);

static bool show_all(const json_t *conf, const struct keys *keys, show_fn *show, struct secrets *secrets,
                     struct err *err) {
  for (size_t i = 0; i < keys->n; i++)
    if (!show(conf, &keys->list[i], secrets, err)) return err_prefix(err, "/secrets/%zu: ", i);
  return true;
}

static void *shown_new(const json_t *conf, const char *name, show_fn *show, struct err *err) {
  struct keys keys;
  if (!keys_load(&keys, json_object_get(conf, "secrets"), err)) return NULL;
  struct shown *shown = mem_alloc(sizeof *shown);
  shown->name = mem_strdup(name);
  bool good = show_all(conf, &keys, show, &shown->secrets, err);
  keys_fini(&keys);
  if (good) return shown;
  shown_free(shown);
  return NULL;
}

// ---- header ----

// KakaoAK <key>: the prefix is no secret, but compared with it.
static bool show_prefixed(const json_t *conf, const struct key *key, struct secrets *secrets,
                          struct err *err) {
  char *text = mem_printf("%s%s", check_text(conf, "prefix", ""), (const char *)key->bytes);
  size_t len = strlen(text);
  bool good = secrets_add_foreign(secrets, text, len, err);
  OPENSSL_cleanse(text, len);
  free(text);
  return good;
}

static void *header_new(const json_t *conf, struct err *err) {
  return shown_new(conf, check_text(conf, "header", ""), show_prefixed, err);
}

static bool header_passes(const void *self, const struct verify_request *req) {
  const struct shown *shown = self;
  const char *given = check_header_once(req, shown->name);
  return given && secrets_hold(&shown->secrets, given, strlen(given));
}

const struct check check_header = {
    .name = "header", .new = header_new, .passes = header_passes, .free = shown_free};

// ---- header_sha1 ----

static bool show_sha1(const json_t *conf, const struct key *key, struct secrets *secrets, struct err *err) {
  (void)conf;
  struct digest digest;
  if (!digest_of(DIGEST_SHA1, &(struct piece){key->bytes, key->len}, 1, &digest))
    return err_set(err, "OpenSSL cannot do SHA-1");
  char hex[DIGEST_HEX_SIZE];
  digest_hex(&digest, hex);
  return secrets_add_foreign(secrets, hex, strlen(hex), err);
}

static void *header_sha1_new(const json_t *conf, struct err *err) {
  return shown_new(conf, check_text(conf, "header", "X-Solapi-Secret"), show_sha1, err);
}

static bool header_sha1_passes(const void *self, const struct verify_request *req) {
  enum { DIGITS = 40 };
  const struct shown *shown = self;
  const char *given = check_header_once(req, shown->name);
  if (!given || strlen(given) != DIGITS) return false;
  char small[DIGITS];
  digest_hex_lower(small, given, DIGITS);
  return secrets_hold(&shown->secrets, small, DIGITS);
}

const struct check check_header_sha1 = {
    .name = "header_sha1", .new = header_sha1_new, .passes = header_sha1_passes, .free = shown_free};

// ---- query_token ----

static void *query_token_new(const json_t *conf, struct err *err) {
  return shown_new(conf, check_text(conf, "parameter", "token"), show_prefixed, err);
}

static bool query_token_passes(const void *self, const struct verify_request *req) {
  const struct shown *shown = self;
  struct form form;
  if (!req->query || !form_parse(&form, req->query, strlen(req->query), FORM_PLUS_IS_PLUS)) return false;
  const struct form_pair *pair = form_only(&form, shown->name);
  bool good = pair && secrets_hold(&shown->secrets, pair->value.bytes, pair->value.len);
  form_fini(&form);
  return good;
}

const struct check check_query_token = {
    .name = "query_token", .new = query_token_new, .passes = query_token_passes, .free = shown_free};
