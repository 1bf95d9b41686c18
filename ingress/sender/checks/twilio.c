// SPDX-License-Identifier: MIT
// X-Twilio-Signature. A form is signed with the URL; any other body only through its SHA-256 in the URL's
// query, so a body that is neither is refused. Twilio's own servers disagree on whether the port is part of
// the URL, so both are tried, as its libraries do.
#include "ingress/sender/checks/twilio.h"

#include "common/base/mem.h"
#include "ingress/sender/checks/check.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct twilio {
  char *with_port, *without_port; // the public URL up to the endpoint's name, with the port and without
  struct keys keys;
};

static void twilio_free(void *self) {
  struct twilio *check = self;
  if (!check) return;
  free(check->with_port);
  free(check->without_port);
  keys_fini(&check->keys);
  free(check);
}

static void split_url(struct twilio *check, const char *url) {
  const char *host = strstr(url, "://") + 3; // the schema has seen to it
  size_t host_len = strcspn(host, ":/");
  const char *port = host + host_len, *path = port + strcspn(port, "/");
  int scheme_and_host = (int)(port - url);
  check->without_port = mem_printf("%.*s%s", scheme_and_host, url, path);
  if (*port == ':')
    check->with_port = mem_strdup(url);
  else
    check->with_port =
        mem_printf("%.*s:%s%s", scheme_and_host, url, strncmp(url, "https:", 6) == 0 ? "443" : "80", path);
}

static void *twilio_new(const json_t *conf, struct err *err) {
  struct twilio *check = mem_alloc(sizeof *check);
  split_url(check, check_text(conf, "url", ""));
  if (keys_load(&check->keys, json_object_get(conf, "secrets"), err)) return check;
  twilio_free(check);
  return NULL;
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

static bool signed_at(const struct twilio *check, const char *url, const struct verify_request *req,
                      const struct form *form, const char *given) {
  const char *query = req->query ? req->query : "";
  const struct piece pieces[] = {
      {url, strlen(url)}, {req->rest, strlen(req->rest)}, {"?", req->query != NULL}, {query, strlen(query)}};
  struct keys_signatures expected;
  twilio_sign(&check->keys, pieces, COUNT_OF(pieces), form, &expected);
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

// How the body is covered by the signature; NOTHING: it is not.
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

static bool twilio_passes(const void *self, const struct verify_request *req) {
  const struct twilio *check = self;
  const char *given = check_header_once(req, "X-Twilio-Signature");
  if (!given) return false;
  enum signing signing = covered(req);
  struct form form;
  if (signing == SIGNING_NOTHING || !read_form(req, signing, &form)) return false;
  bool good = signed_at(check, check->with_port, req, &form, given);
  good |= signed_at(check, check->without_port, req, &form, given);
  form_fini(&form);
  return good;
}

const struct check check_twilio = {
    .name = "twilio", .wants_body = true, .new = twilio_new, .passes = twilio_passes, .free = twilio_free};
