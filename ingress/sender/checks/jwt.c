// SPDX-License-Identifier: MIT
// Check `jwt`: a header is a JSON Web Token (RFC 7519, RFC 7515) that is signed with HMAC and holds the
// SHA-256 of the body in the claim payload_hash (Vonage: signed-webhooks.md; MessageBird:
// messagebird-nodejs, webhook-signature-jwt.js, with url_hash too). The endpoints file names the algorithm;
// the token has to name the same, so that no sender chooses a weaker one. Nothing of the token is parsed
// before its signature has passed.
#include "common/base/base64.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "ingress/sender/checks/check.h"
#include <math.h>
#include <string.h>

enum { HEADER, PREFIX, ALGORITHM, ISSUER, URL };
enum { TOKEN_MAX_BYTES = 8192 };

// ---- the token: header.claims.signature, each in base64url

struct token {
  struct piece header, claims, signature; // as text
  size_t signed_len;                      // of "header.claims"
};

static bool cut(const char *text, struct token *out) {
  const char *first = strchr(text, '.'), *second = first ? strchr(first + 1, '.') : NULL;
  if (!second || strlen(text) > TOKEN_MAX_BYTES) return false;
  out->header = (struct piece){text, (size_t)(first - text)};
  out->claims = (struct piece){first + 1, (size_t)(second - first - 1)};
  out->signature = (struct piece){second + 1, strlen(second + 1)};
  out->signed_len = (size_t)(second - text);
  return true;
}

static const struct {
  const char *name;
  enum digest_kind kind;
} algorithms[] = {{"HS256", DIGEST_SHA256}, {"HS384", DIGEST_SHA384}, {"HS512", DIGEST_SHA512}};

static bool sign(const struct check_conf *conf, const struct token *token, struct signatures *out) {
  for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
    if (strcmp(algorithms[i].name, conf->texts[ALGORITHM]) != 0) continue;
    secrets_sign(&conf->secrets, algorithms[i].kind, &(struct piece){token->header.bytes, token->signed_len},
                 1, out);
    return true;
  }
  return false;
}

static bool is_signed(const struct check_conf *conf, const struct token *token) {
  struct signatures expected;
  struct piece given = {0};
  AUTO_FREE char *bytes = base64_read(BASE64_URL, token->signature.bytes, token->signature.len, &given.len);
  given.bytes = bytes;
  if (!bytes || !sign(conf, token, &expected)) return false;
  bool found = false;
  for (size_t i = 0; i < expected.n; i++) // all of them: takes the same time whichever matches
    found |= digest_same((struct piece){expected.list[i].bytes, expected.list[i].len}, given);
  return found;
}

// New; NULL: it is no base64url of JSON.
static json_t *read_part(struct piece part) {
  size_t len;
  AUTO_FREE char *text = base64_read(BASE64_URL, part.bytes, part.len, &len);
  return text ? json_parse(text, len, NULL) : NULL;
}

static bool says(const json_t *object, const char *key, const char *text) {
  const char *value = json_string_value(json_object_get(object, key));
  return value && strcmp(value, text) == 0;
}

// `crit` names extensions that the reader must know (RFC 7515, 4.1.11); none is known here.
static bool is_header_good(const struct check_conf *conf, const struct token *token) {
  AUTO_JSON *header = read_part(token->header);
  return says(header, "alg", conf->texts[ALGORITHM]) && !json_object_get(header, "crit");
}

// ---- the claims

// False: it is there and no number.
static bool time_of(const json_t *claims, const char *name, double otherwise_ms, double *out_ms) {
  const json_t *value = json_object_get(claims, name);
  *out_ms = value ? 1000 * json_number_value(value) : otherwise_ms;
  return !value || json_is_number(value);
}

// Either `iat` or `exp` bounds how long a token that leaks may be used.
static bool are_times_good(const struct check_conf *conf, const struct request *req, const json_t *claims) {
  double now = (double)req->received_ms, tolerance = (double)conf->tolerance_ms, iat, nbf, exp;
  if (!json_object_get(claims, "iat") && !json_object_get(claims, "exp")) return false;
  return time_of(claims, "iat", now, &iat) && fabs(now - iat) <= tolerance &&
         time_of(claims, "nbf", now, &nbf) && nbf <= now + tolerance && //
         time_of(claims, "exp", now, &exp) && exp >= now - tolerance;
}

// Whether the claim is the SHA-256 of the pieces, in hex.
static bool is_hash(const json_t *claim, const struct piece *pieces, size_t n) {
  struct digest digest;
  char expected[DIGEST_HEX_SIZE], given[DIGEST_HEX_SIZE];
  size_t len = json_string_length(claim);
  if (len >= sizeof given || !digest_of(DIGEST_SHA256, pieces, n, &digest)) return false;
  digest_hex(&digest, expected);
  digest_hex_lower(given, json_is_string(claim) ? json_string_value(claim) : "", len);
  return digest_same((struct piece){expected, strlen(expected)}, (struct piece){given, len});
}

// Without `url` each call has to name its body's hash; with it, only a call that has a body.
static bool is_content_signed(const struct check_conf *conf, const struct request *req,
                              const json_t *claims) {
  const char *url = conf->texts[URL], *query = req->info->query_string ? req->info->query_string : "";
  const struct piece body = {req->body.bytes, req->body.len};
  const json_t *payload = json_object_get(claims, "payload_hash");
  if (url) {
    const struct piece pieces[] = {{url, strlen(url)},
                                   {req->rest, strlen(req->rest)},
                                   {"?", req->info->query_string != NULL},
                                   {query, strlen(query)}};
    if (!is_hash(json_object_get(claims, "url_hash"), pieces, COUNT_OF(pieces))) return false;
    if (!payload && body.len == 0) return true;
  }
  return is_hash(payload, &body, 1);
}

static bool jwt_passes(const struct check_conf *conf, const struct request *req) {
  struct token token;
  const char *text = check_header_behind(req, conf->texts[HEADER], conf->texts[PREFIX]);
  if (!text || !cut(text, &token) || !is_signed(conf, &token) || !is_header_good(conf, &token)) return false;
  AUTO_JSON *claims = read_part(token.claims);
  if (conf->texts[ISSUER] && !says(claims, "iss", conf->texts[ISSUER])) return false;
  return are_times_good(conf, req, claims) && is_content_signed(conf, req, claims);
}

const struct check check_jwt = {.name = "jwt",
                                .texts = {[HEADER] = {"header", "Authorization"},
                                          [PREFIX] = {"prefix", "Bearer "},
                                          [ALGORITHM] = {"algorithm", "HS256"},
                                          [ISSUER] = {"issuer", NULL},
                                          [URL] = {"url", NULL}},
                                .names = {[HEADER] = CHECK_NAMES_HEADER},
                                .stage = VERIFY_BODY,
                                .of_signature = true,
                                .passes = jwt_passes};
