// SPDX-License-Identifier: MIT
#include "ingress/sender/checks/check.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEADER_MAX_BYTES = 4096, TOLERANCE_S = 300, MS_DIGITS = 13 };

const char *check_header_once(const struct verify_request *req, const char *name) {
  const char *value = NULL;
  for (size_t i = 0; i < req->n_headers; i++) {
    if (strcasecmp(req->headers[i].name, name) != 0) continue;
    if (value) return NULL;
    value = req->headers[i].value;
  }
  size_t len = value ? strnlen(value, HEADER_MAX_BYTES + 1) : 0;
  return len > 0 && len <= HEADER_MAX_BYTES ? value : NULL;
}

bool check_fresh(const struct verify_request *req, const char *text, enum check_time unit,
                 int64_t tolerance_ms) {
  size_t digits = strspn(text, "0123456789");
  if (digits == 0 || digits > (unit == CHECK_TIME_SECONDS ? 12 : 16) || text[digits]) return false;
  int64_t then = strtoll(text, NULL, 10); // 16 digits fit, 12 with three more too
  if (unit == CHECK_TIME_SECONDS || digits < MS_DIGITS) then *= 1000;
  return then >= req->now_ms - tolerance_ms && then <= req->now_ms + tolerance_ms;
}

const char *check_text(const json_t *json, const char *name, const char *otherwise) {
  const json_t *value = json_object_get(json, name);
  return value ? json_string_value(value) : otherwise;
}

int64_t check_tolerance_ms(const json_t *json) {
  const json_t *seconds = json_object_get(json, "tolerance_s");
  return 1000 * (seconds ? json_integer_value(seconds) : TOLERANCE_S);
}
