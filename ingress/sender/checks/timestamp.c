// SPDX-License-Identifier: MIT
// Check `hmac_timestamp`: HMAC-SHA256 over the text of a timestamp header (BizGo: bizgo-api-spec,
// webhooks/report.yaml). The body is not signed: a pair of headers that leaks can be sent with any body until
// the tolerance is over, so use it together with another check.
#include "common/base/mem.h"
#include "ingress/sender/checks/check.h"
#include <string.h>

static bool timestamp_load(struct check_conf *out, const json_t *json, struct err *err) {
  out->names[0] = mem_strdup(check_text(json, "timestamp_header", "X-IB-Timestamp"));
  out->names[1] = mem_strdup(check_text(json, "signature_header", "X-IB-Signature"));
  out->tolerance_ms = check_tolerance_ms(json);
  return keys_load(&out->keys, json_object_get(json, "secrets"), err);
}

// BizGo does not document the encoding; its own SDK accepts both.
static bool timestamp_passes(const struct check_conf *conf, const struct verify_request *req) {
  const char *time = check_header_once(req, conf->names[0]);
  const char *given = check_header_once(req, conf->names[1]);
  if (!time || !given || !check_fresh(req, time, CHECK_TIME_BY_DIGITS, conf->tolerance_ms)) return false;
  struct keys_signatures expected;
  keys_sign(&conf->keys, DIGEST_SHA256, &(struct piece){time, strlen(time)}, 1, &expected);
  return keys_signed(&expected, KEYS_HEX | KEYS_BASE64, given, strlen(given));
}

const struct check check_hmac_timestamp = {
    .name = "hmac_timestamp", .of_signature = true, .load = timestamp_load, .passes = timestamp_passes};
