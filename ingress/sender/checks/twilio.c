// SPDX-License-Identifier: MIT
// Check `twilio` (X-Twilio-Signature). Twilio signs a form together with the URL, and any other body only
// through its SHA-256 in the URL's query, so a body that is neither is refused. Some of Twilio's servers sign
// the URL with its port and some without, so both are tried, as Twilio's own libraries do.
// Twilio's documents: twilio.com/docs/usage/security, and its libraries' webhooks.ts, request_validator.py.
#include "common/base/mem.h"
#include "common/ops/form.h"
#include "ingress/sender/checks/check.h"
#include <string.h>
#include <strings.h>

// ---- the body ----

static bool is_form(const struct request *req) {
  static const char form[] = "application/x-www-form-urlencoded";
  const char *type = check_header_once(req, "Content-Type");
  return type && strncasecmp(type, form, sizeof form - 1) == 0 && strchr("; \t", type[sizeof form - 1]);
}

static bool is_hash(const struct piece *hash, const struct request *req) {
  struct digest digest;
  char hex[DIGEST_HEX_SIZE];
  if (!digest_of(DIGEST_SHA256, &(struct piece){req->body.bytes, req->body.len}, 1, &digest)) return false;
  digest_hex(&digest, hex);
  return digest_same((struct piece){hex, strlen(hex)}, *hash);
}

// What is signed of the body, beside its hash in the URL. False: the signature does not cover the body.
static bool read_signed(const struct request *req, const char *query, struct form *out) {
  struct form parameters;
  if (!form_parse(&parameters, query, strlen(query), FORM_PLUS_IS_SPACE)) return false;
  const struct piece *hash = form_only(&parameters, "bodySHA256");
  bool covered = hash ? is_hash(hash, req) : req->body.len == 0 || is_form(req);
  size_t len = hash ? 0 : req->body.len;
  form_fini(&parameters);
  if (!covered || !form_parse(out, req->body.bytes, len, FORM_PLUS_IS_SPACE)) return false;
  form_sort(out);
  return true;
}

// ---- the signature: HMAC-SHA1 of the URL, then of each name and value of the form ----

enum { URL_PIECES = 6 };

static bool is_signed(const struct check_conf *conf, const struct piece url[URL_PIECES],
                      const struct form *form, const char *given) {
  size_t n = URL_PIECES;
  AUTO_FREE struct piece *pieces = mem_array(n + 2 * form->n, sizeof *pieces);
  memcpy(pieces, url, n * sizeof *pieces);
  for (size_t i = 0; i < form->n; i++) {
    pieces[n++] = form->pairs[i].name;
    pieces[n++] = form->pairs[i].value;
  }
  struct signatures expected;
  secrets_sign(&conf->secrets, DIGEST_SHA1, pieces, n, &expected);
  return signatures_hold(&expected, SIGNATURE_BASE64, given, strlen(given));
}

// The schema has checked the form of the URL.
static bool twilio_passes(const struct check_conf *conf, const struct request *req) {
  const char *given = check_header_once(req, "X-Twilio-Signature");
  const char *query = req->info->query_string ? req->info->query_string : "";
  struct form form;
  if (!given || !read_signed(req, query, &form)) return false;
  const char *url = conf->texts[0], *host = strstr(url, "://") + 3;
  const char *port = host + strcspn(host, ":/"), *path = port + strcspn(port, "/");
  const char *usual = strncmp(url, "https:", 6) == 0 ? ":443" : ":80";
  struct piece pieces[URL_PIECES] = {{url, (size_t)(port - url)},
                                     {usual, strlen(usual)},
                                     {path, strlen(path)},
                                     {req->rest, strlen(req->rest)},
                                     {"?", req->info->query_string != NULL},
                                     {query, strlen(query)}};
  if (*port == ':') pieces[1] = (struct piece){port, (size_t)(path - port)};
  bool good = is_signed(conf, pieces, &form, given);
  pieces[1].len = 0;
  good |= is_signed(conf, pieces, &form, given);
  form_fini(&form);
  return good;
}

const struct check check_twilio = {.name = "twilio",
                                   .texts = {{"url", NULL}},
                                   .stage = VERIFY_BODY,
                                   .of_signature = true,
                                   .passes = twilio_passes};
