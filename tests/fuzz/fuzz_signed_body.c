// SPDX-License-Identifier: MIT
// signed_body with a public key: time, signature, body. What passes has to carry the seed's time and body.
#include "tests/fuzz/checks.h"
#include "tests/fuzz/input.h"

#define KEY                                                                                                  \
  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENDWkP7yJ3L2288yU3aDYjoHnJ7NE7rOsO6kBawpBdoU1vS8+cSOA/"                \
  "ODUIjd1SD9jHxHjm7kehI+5/2WugRXvEA=="

static const struct verify *check(void) {
  static const struct verify *verify;
  setenv("DOCHAK_SECRET_FUZZ_KEY", KEY, 1);
  if (!verify)
    verify = checks_of("{\"signed_body\":{\"header\":\"S\",\"algorithm\":\"ecdsa_p256_sha256\",\"signs\":"
                       "\"${header:T}${body}\",\"secrets\":[\"DOCHAK_SECRET_FUZZ_KEY\"]}}");
  return verify;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  struct input input = input_open(bytes, len);
  const char *time = input_line(&input), *signature = input_line(&input);
  const struct mg_header headers[] = {{"T", time}, {"S", signature}};
  AUTO_FREE char *is_signed = mem_printf("%s%s", time, input.rest);
  if (checks_pass(check(), headers, 2, NULL, input.rest, 1767225600000) &&
      strcmp(is_signed, "1767225600[{\"event\":\"delivered\",\"sg_event_id\":\"E1\"}]\r\n") != 0)
    abort();
  free(input.text);
  return 0;
}
