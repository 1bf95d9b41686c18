// SPDX-License-Identifier: MIT
// Check `twilio` (X-Twilio-Signature). Twilio signs a form together with the URL, and any other body only
// through its SHA-256 in the URL's query, so a body that is neither is refused. Some of Twilio's servers sign
// the URL with its port and some without, so both are tried, as Twilio's own libraries do.
#include "ingress/sender/checks/twilio.h"

#include "common/base/mem.h"
#include "ingress/sender/checks/check.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// names[0] is the endpoint's public URL with its port, names[1] without. The schema has checked its form.
static bool twilio_load(struct check_conf *out, const json_t *json, struct err *err) {
  const char *url = check_text(json, "url", ""), *host = strstr(url, "://") + 3;
  const char *port = host + strcspn(host, ":/"), *path = port + strcspn(port, "/");
  const char *usual = strncmp(url, "https:", 6) == 0 ? "443" : "80";
  int to_host = (int)(port - url);
  out->names[0] = *port == ':' ? mem_strdup(url) : mem_printf("%.*s:%s%s", to_host, url, usual, path);
  out->names[1] = mem_printf("%.*s%s", to_host, url, path);
  return keys_load(&out->keys, json_object_get(json, "secrets"), err);
}

void twilio_sign(const struct keys *keys, const struct piece *url, size_t n, const struct form *form,
                 struct keys_signatures *out) {
  AUTO_FREE struct piece *pieces = mem_array(n + 2 * form->n, sizeof *pieces);
  memcpy(pieces, url, n * sizeof *pieces);
  for (size_t i = 0; i < form->n; i++) {
    pieces[n++] = form->pairs[i].name;
    pieces[n++] = form->pairs[i].value;
  }
  keys_sign(keys, DIGEST_SHA1, pieces, n, out);
}

static bool signed_at(const struct keys *keys, const char *url, const struct verify_request *req,
                      const struct form *form, const char *given) {
  const char *query = req->query ? req->query : "";
  const struct piece pieces[] = {
      {url, strlen(url)}, {req->rest, strlen(req->rest)}, {"?", req->query != NULL}, {query, strlen(query)}};
  struct keys_signatures expected;
  twilio_sign(keys, pieces, COUNT_OF(pieces), form, &expected);
  return keys_signed(&expected, KEYS_BASE64, given, strlen(given));
}

// ---- the body ----

static bool is_form(const struct verify_request *req) {
  static const char form[] = "application/x-www-form-urlencoded";
  const char *type = check_header_once(req, "Content-Type");
  return type && strncasecmp(type, form, sizeof form - 1) == 0 && strchr("; \t", type[sizeof form - 1]);
}

static bool hash_matches(const struct form_pair *pair, const struct verify_request *req) {
  struct digest digest;
  char hex[DIGEST_HEX_SIZE];
  if (!digest_of(DIGEST_SHA256, &(struct piece){req->body ? req->body : "", req->body_len}, 1, &digest))
    return false;
  digest_hex(&digest, hex);
  return digest_same_text((struct piece){hex, strlen(hex)}, pair->value);
}

enum signing { SIGNING_NOTHING, SIGNING_FORM, SIGNING_HASH };

// How the signature covers the body.
static enum signing covered(const struct verify_request *req) {
  struct form query;
  const char *text = req->query ? req->query : "";
  if (!form_parse(&query, text, strlen(text), FORM_PLUS_IS_SPACE)) return SIGNING_NOTHING;
  const struct form_pair *hash = form_only(&query, "bodySHA256");
  enum signing signing = SIGNING_NOTHING;
  if (hash)
    signing = hash_matches(hash, req) ? SIGNING_HASH : SIGNING_NOTHING;
  else if (is_form(req) || req->body_len == 0)
    signing = SIGNING_FORM;
  form_fini(&query);
  return signing;
}

static bool read_form(const struct verify_request *req, enum signing signing, struct form *form) {
  size_t len = signing == SIGNING_FORM ? req->body_len : 0;
  if (!form_parse(form, len ? req->body : "", len, FORM_PLUS_IS_SPACE)) return false;
  form_sort(form);
  return true;
}

static bool twilio_passes(const struct check_conf *conf, const struct verify_request *req) {
  const char *given = check_header_once(req, "X-Twilio-Signature");
  if (!given) return false;
  enum signing signing = covered(req);
  struct form form;
  if (signing == SIGNING_NOTHING || !read_form(req, signing, &form)) return false;
  bool good = signed_at(&conf->keys, conf->names[0], req, &form, given);
  good |= signed_at(&conf->keys, conf->names[1], req, &form, given);
  form_fini(&form);
  return good;
}

const struct check check_twilio = {
    .name = "twilio", .wants_body = true, .of_signature = true, .load = twilio_load, .passes = twilio_passes};
