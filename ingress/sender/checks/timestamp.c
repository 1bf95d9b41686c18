// SPDX-License-Identifier: MIT
// Check `hmac_timestamp`: HMAC-SHA256 over the text of a timestamp header (BizGo: bizgo-api-spec,
// webhooks/report.yaml). The body is not signed: a pair of headers that leaks can be sent with any body until
// the tolerance is over, so use it together with another check.
#include "ingress/sender/checks/check.h"
#include <string.h>

// BizGo does not document the encoding; its own SDK accepts both.
static bool timestamp_passes(const struct check_conf *conf, const struct request *req) {
  const char *time = check_header_once(req, conf->texts[0]), *given = check_header_once(req, conf->texts[1]);
  if (!time || !given || !check_fresh(conf, req, time)) return false;
  struct signatures expected;
  secrets_sign(&conf->secrets, DIGEST_SHA256, &(struct piece){time, strlen(time)}, 1, &expected);
  return signatures_hold(&expected, SIGNATURE_HEX | SIGNATURE_BASE64, given, strlen(given));
}

const struct check check_hmac_timestamp = {
    .name = "hmac_timestamp",
    .texts = {{"timestamp_header", "X-IB-Timestamp"}, {"signature_header", "X-IB-Signature"}},
    .names = {[1] = CHECK_NAMES_HEADER},
    .of_signature = true,
    .passes = timestamp_passes};
