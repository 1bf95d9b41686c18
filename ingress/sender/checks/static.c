// SPDX-License-Identifier: MIT
// Senders that have a fixed address or show a secret as it is: in a header (NHN, Kakao), in a query parameter
// (Channel Talk), or as its SHA-1 in a header (Solapi).
#include "common/base/mem.h"
#include "common/ops/form.h"
#include "ingress/sender/checks/check.h"
#include "ingress/sender/endpoints.h"
#include "ingress/sender/forwarded.h"
#include <string.h>

static bool ip_passes(const struct check_conf *conf, const struct request *req) {
  struct address client;
  return forwarded_client(req, req->endpoint->trusted, &client, NULL) &&
         networks_hold(&conf->allowed, &client);
}

const struct check check_ip = {.name = "ip", .passes = ip_passes};

// ---- header ----

// KakaoAK <key>: the prefix is no secret, but compared with it.
static bool with_prefix(struct secret *secret, const json_t *conf, struct err *err) {
  (void)err;
  const char *prefix = json_string_value(json_object_get(conf, "prefix"));
  if (!prefix) return true;
  char *text = mem_printf("%s%s", prefix, secret->bytes);
  secret_take(secret, text, strlen(text));
  return true;
}

static bool header_passes(const struct check_conf *conf, const struct request *req) {
  const char *given = check_header_once(req, conf->texts[0]);
  return given && secrets_hold(&conf->secrets, given, strlen(given));
}

const struct check check_header = {.name = "header",
                                   .texts = {{"header", NULL}},
                                   .names = {CHECK_NAMES_HEADER},
                                   .form = with_prefix,
                                   .passes = header_passes};

// ---- header_sha1 ----

static bool as_sha1(struct secret *secret, const json_t *conf, struct err *err) {
  (void)conf;
  struct digest digest;
  if (!digest_of(DIGEST_SHA1, &(struct piece){secret->bytes, secret->len}, 1, &digest))
    return err_set(err, "OpenSSL cannot do SHA-1");
  char *hex = mem_alloc(DIGEST_HEX_SIZE);
  digest_hex(&digest, hex);
  secret_take(secret, hex, strlen(hex));
  return true;
}

static bool header_sha1_passes(const struct check_conf *conf, const struct request *req) {
  char small[DIGEST_HEX_SIZE];
  const char *given = check_header_once(req, conf->texts[0]);
  size_t len = given ? strlen(given) : sizeof small;
  if (len >= sizeof small) return false;
  digest_hex_lower(small, given, len);
  return secrets_hold(&conf->secrets, small, len);
}

const struct check check_header_sha1 = {.name = "header_sha1",
                                        .texts = {{"header", "X-Solapi-Secret"}},
                                        .names = {CHECK_NAMES_HEADER},
                                        .form = as_sha1,
                                        .passes = header_sha1_passes};

// ---- query_token ----

static bool query_token_passes(const struct check_conf *conf, const struct request *req) {
  struct form form;
  const char *query = req->info->query_string;
  if (!query || !form_parse(&form, query, strlen(query), FORM_PLUS_IS_PLUS)) return false;
  const struct piece *value = form_only(&form, conf->texts[0]);
  bool good = value && secrets_hold(&conf->secrets, value->bytes, value->len);
  form_fini(&form);
  return good;
}

const struct check check_query_token = {.name = "query_token",
                                        .texts = {{"parameter", "token"}},
                                        .names = {CHECK_NAMES_PARAMETER},
                                        .passes = query_token_passes};
