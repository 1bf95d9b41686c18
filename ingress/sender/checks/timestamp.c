// SPDX-License-Identifier: MIT
// HMAC-SHA256 over the text of a timestamp header (BizGo: bizgo-api-spec, webhooks/report.yaml). The body is
// not signed: whoever sees one fresh pair of headers can send any body with it until the tolerance is over,
// so this belongs beside another check.
#include "common/base/mem.h"
#include "ingress/sender/checks/check.h"
#include "ingress/sender/checks/keys.h"
#include <stdlib.h>
#include <string.h>

struct timestamp {
  char *timestamp_header, *signature_header;
  int64_t tolerance_ms;
  struct keys keys;
};

static void timestamp_free(void *self) {
  struct timestamp *check = self;
  if (!check) return;
  free(check->timestamp_header);
  free(check->signature_header);
  keys_fini(&check->keys);
  free(check);
}

static void *timestamp_new(const json_t *conf, struct err *err) {
  struct timestamp *check = mem_alloc(sizeof *check);
  check->timestamp_header = mem_strdup(check_text(conf, "timestamp_header", "X-IB-Timestamp"));
  check->signature_header = mem_strdup(check_text(conf, "signature_header", "X-IB-Signature"));
  check->tolerance_ms = check_tolerance_ms(conf);
  if (keys_load(&check->keys, json_object_get(conf, "secrets"), err)) return check;
  timestamp_free(check);
  return NULL;
}

// BizGo has not said which encoding it uses; its own SDK takes both.
static bool timestamp_passes(const void *self, const struct verify_request *req) {
  const struct timestamp *check = self;
  const char *time = check_header_once(req, check->timestamp_header);
  const char *given = check_header_once(req, check->signature_header);
  if (!time || !given || !check_fresh(req, time, CHECK_TIME_BY_DIGITS, check->tolerance_ms)) return false;
  struct keys_signatures expected;
  keys_sign(&check->keys, DIGEST_SHA256, &(struct piece){time, strlen(time)}, 1, &expected);
  return keys_signed(&expected, KEYS_HEX | KEYS_BASE64, given, strlen(given));
}

const struct check check_hmac_timestamp = {
    .name = "hmac_timestamp", .new = timestamp_new, .passes = timestamp_passes, .free = timestamp_free};
