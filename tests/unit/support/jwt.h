// SPDX-License-Identifier: MIT
// Makes a JSON Web Token (RFC 7515), whatever its header says.
#pragma once
#include "common/base/base64.h"
#include "common/base/digest.h"
#include "common/base/mem.h"
#include <stdlib.h>
#include <string.h>

static inline char *jwt_make(const char *header, const char *claims, enum digest_kind kind, const char *key) {
  struct digest digest;
  AUTO_FREE char *first = base64_url(header, strlen(header));
  AUTO_FREE char *second = base64_url(claims, strlen(claims));
  AUTO_FREE char *both = mem_printf("%s.%s", first, second);
  const struct piece signs = {both, strlen(both)};
  if (!digest_hmac(kind, (struct piece){key, strlen(key)}, &signs, 1, &digest)) abort();
  AUTO_FREE char *third = base64_url(digest.bytes, digest.len);
  return mem_printf("%s.%s", both, third);
}
