// SPDX-License-Identifier: MIT
// jwt: a token as it comes, which never passes; then header and claims that are signed here, so that they are
// read. What passes has to name the algorithm, and the hash of the body.
#include "common/base/digest.h"
#include "tests/fuzz/checks.h"
#include "tests/fuzz/input.h"
#include <openssl/evp.h>

enum { PART_MAX = 4096 };

static char *base64url(const void *bytes, size_t len) {
  char *out = mem_alloc(4 * ((len + 2) / 3) + 1);
  EVP_EncodeBlock((unsigned char *)out, bytes, (int)len);
  out[strcspn(out, "=")] = '\0';
  for (char *at = out; *at; at++) *at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
  return out;
}

static char *sign(const char *header, const char *claims) {
  struct digest digest;
  const char *key = getenv("DOCHAK_SECRET_FUZZ");
  AUTO_FREE char *first = base64url(header, strlen(header));
  AUTO_FREE char *second = base64url(claims, strlen(claims));
  AUTO_FREE char *both = mem_printf("%s.%s", first, second);
  if (!digest_hmac(DIGEST_SHA256, (struct piece){key, strlen(key)}, &(struct piece){both, strlen(both)}, 1,
                   &digest))
    abort();
  AUTO_FREE char *third = base64url(digest.bytes, digest.len);
  return mem_printf("%s.%s", both, third);
}

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
  AUTO_FREE char *good = strlen(header) < PART_MAX && strlen(claims) < PART_MAX ? sign(header, claims) : NULL;
  if (good && passes(verify, good, input.rest)) {
    char hash[DIGEST_HEX_SIZE];
    digest_sha256_hex(input.rest, strlen(input.rest), hash);
    if (!strstr(header, "HS256") || !strcasestr(claims, hash)) abort();
  }
  free(input.text);
  return 0;
}
