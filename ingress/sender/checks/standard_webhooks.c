// SPDX-License-Identifier: MIT
// Check `standard_webhooks` (standard-webhooks.md, "Verifying signatures"): HMAC-SHA256 over
// id.timestamp.body, which one of a list of signatures has to match. Only the symmetric kind, v1; other kinds
// in the list are ignored.
#include "common/base/base64.h"
#include "common/base/mem.h"
#include "ingress/sender/checks/check.h"
#include <string.h>

enum { LIST_MAX = 32, SECRET_MIN_BYTES = 24, SECRET_MAX_BYTES = 64 };

// ---- the secret ----

// whsec_<base64> becomes the bytes it stands for.
static bool open_key(struct secret *secret, const json_t *conf, struct err *err) {
  (void)conf;
  static const char prefix[] = "whsec_";
  const char *text = secret->bytes;
  if (strncmp(text, prefix, sizeof prefix - 1) == 0) text += sizeof prefix - 1;
  size_t len = 0;
  char *bytes = base64_read(BASE64_PADDED, text, strlen(text), &len);
  secret_take(secret, bytes, len);
  return (len >= SECRET_MIN_BYTES && len <= SECRET_MAX_BYTES) ||
         err_set(err, "expected whsec_ and the base64 of %d to %d bytes", SECRET_MIN_BYTES, SECRET_MAX_BYTES);
}

// ---- the signature ----

// The list is such as "v1,<base64> v1a,<base64>", with LIST_MAX entries at most.
static bool listed(const char *list, const struct signatures *expected) {
  bool found = false;
  for (size_t i = 0; *list; i++) {
    if (i == LIST_MAX) return false;
    size_t len = strcspn(list, " ");
    if (len > 3 && memcmp(list, "v1,", 3) == 0)
      found |= signatures_hold(expected, SIGNATURE_BASE64, list + 3, len - 3);
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
  struct signatures expected;
  secrets_sign(&conf->secrets, DIGEST_SHA256, pieces, COUNT_OF(pieces), &expected);
  return listed(list, &expected);
}

const struct check check_standard_webhooks = {.name = "standard_webhooks",
                                              .stage = VERIFY_BODY,
                                              .of_signature = true,
                                              .form = open_key,
                                              .passes = standard_passes};
