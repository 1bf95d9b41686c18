// SPDX-License-Identifier: MIT
// Check `standard_webhooks` (standard-webhooks.md, "Verifying signatures"): a signature of id.timestamp.body,
// which one of a list has to be: v1 by HMAC-SHA256, or v1a by Ed25519. The file says which. An endpoint never
// takes both: a public key that served as the key of an HMAC would let everybody in.
#include "common/base/base64.h"
#include "common/base/mem.h"
#include "ingress/sender/checks/check.h"
#include "ingress/sender/checks/public_key.h"
#include <string.h>

enum { ALGORITHM };
enum { LIST_MAX = 32, SECRET_MIN_BYTES = 24, SECRET_MAX_BYTES = 64 };

// ---- the secret ----

static const char *behind(const char *text, const char *prefix) {
  size_t len = strlen(prefix);
  return strncmp(text, prefix, len) == 0 ? text + len : text;
}

// Leaves out whpk_.
static bool open_public_key(struct secret *secret, enum public_key_kind kind, struct err *err) {
  char *text = mem_strdup(behind(secret->bytes, "whpk_"));
  secret_take(secret, text, strlen(text));
  return public_key_open(secret, kind, err);
}

// whsec_<base64> becomes the bytes it stands for.
static bool open_key(struct secret *secret, const json_t *conf, struct err *err) {
  enum public_key_kind kind = public_key_kind_of(json_string_value(json_object_get(conf, "algorithm")));
  if (kind != PUBLIC_KEY_NONE) return open_public_key(secret, kind, err);
  const char *text = behind(secret->bytes, "whsec_");
  size_t len = 0;
  char *bytes = base64_read(BASE64_PADDED, text, strlen(text), &len);
  secret_take(secret, bytes, len);
  return (len >= SECRET_MIN_BYTES && len <= SECRET_MAX_BYTES) ||
         err_set(err, "expected whsec_ and the base64 of %d to %d bytes", SECRET_MIN_BYTES, SECRET_MAX_BYTES);
}

// ---- the signature ----

// What each signature of the list is compared with; made once, however long the list is.
struct expected {
  enum public_key_kind kind;
  struct signatures hmacs;    // where the kind is NONE
  const struct secrets *keys; // else these keys, and the text that one of them has signed
  struct piece text;
};

static bool is_good(const struct expected *expected, const char *signature, size_t len) {
  if (expected->kind == PUBLIC_KEY_NONE)
    return signatures_hold(&expected->hmacs, SIGNATURE_BASE64, signature, len);
  return public_keys_hold(expected->keys, expected->kind, expected->text, signature, len);
}

// The list is such as "v1,<base64> v1a,<base64>", with LIST_MAX entries at most.
static bool listed(const char *list, const struct expected *expected) {
  const char *version = expected->kind == PUBLIC_KEY_NONE ? "v1," : "v1a,";
  size_t head = strlen(version);
  bool found = false;
  for (size_t i = 0; *list; i++) {
    if (i == LIST_MAX) return false;
    size_t len = strcspn(list, " ");
    if (len > head && memcmp(list, version, head) == 0) found |= is_good(expected, list + head, len - head);
    list += len + (list[len] == ' ');
  }
  return found;
}

static bool standard_passes(const struct check_conf *conf, const struct request *req) {
  const char *id = check_header_once(req, "webhook-id");
  const char *time = check_header_once(req, "webhook-timestamp");
  const char *list = check_header_once(req, "webhook-signature");
  if (!id || !time || !list || !check_fresh(conf, req, time)) return false;
  const struct piece pieces[] = {
      {id, strlen(id)}, {".", 1}, {time, strlen(time)}, {".", 1}, {req->body.bytes, req->body.len}};
  struct expected expected = {.kind = public_key_kind_of(conf->texts[ALGORITHM]), .keys = &conf->secrets};
  bool is_public = expected.kind != PUBLIC_KEY_NONE;
  AUTO_FREE char *text = is_public ? public_key_text(pieces, COUNT_OF(pieces), &expected.text.len) : NULL;
  expected.text.bytes = text;
  if (!is_public) secrets_sign(&conf->secrets, DIGEST_SHA256, pieces, COUNT_OF(pieces), &expected.hmacs);
  return listed(list, &expected);
}

const struct check check_standard_webhooks = {.name = "standard_webhooks",
                                              .texts = {[ALGORITHM] = {"algorithm", "hmac_sha256"}},
                                              .stage = VERIFY_BODY,
                                              .of_signature = true,
                                              .form = open_key,
                                              .passes = standard_passes};
