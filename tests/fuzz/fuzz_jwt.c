// SPDX-License-Identifier: MIT
// jwt: a token as it comes, which never passes; then header and claims that are signed here, so that they are
// read. What passes has to name the algorithm, and the hash of the body.
#include "tests/fuzz/checks.h"
#include "tests/fuzz/input.h"
#include "tests/unit/support/jwt.h"

enum { PART_MAX = 4096 };

static bool passes(const struct verify *verify, const char *token, char *body) {
  const struct mg_header header = {"T", token};
  return checks_pass(verify, &header, 1, NULL, body, 1767225600000);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  static const struct verify *verify;
  if (!verify)
    verify = checks_of("{\"jwt\":{\"header\":\"T\",\"prefix\":\"\",\"secrets\":[\"DOCHAK_SECRET_FUZZ\"]}}");
  struct input input = input_open(bytes, len);
  const char *token = input_line(&input), *header = input_line(&input), *claims = input_line(&input);
  if (passes(verify, token, input.rest)) abort();
  AUTO_FREE char *good = strlen(header) < PART_MAX && strlen(claims) < PART_MAX
                             ? jwt_make(header, claims, DIGEST_SHA256, getenv("DOCHAK_SECRET_FUZZ"))
                             : NULL;
  if (good && passes(verify, good, input.rest)) {
    char hash[DIGEST_HEX_SIZE];
    digest_sha256_hex(input.rest, strlen(input.rest), hash);
    if (!strstr(header, "HS256") || !strcasestr(claims, hash)) abort();
  }
  free(input.text);
  return 0;
}
