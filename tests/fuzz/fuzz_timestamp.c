// SPDX-License-Identifier: MIT
// hmac_timestamp: a timestamp header and a signature header, each possibly twice. Nobody guesses the key, so
// whatever passes would have to be the seed.
#include "tests/fuzz/checks.h"
#include "tests/fuzz/input.h"

static const char good[] =
    "f9d43b9d9b16bc8353f9ab621221c1a878c2b10f9155df19b169c48ff7eabf67"; // see corpus/timestamp/good

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  static const struct verify *verify;
  if (!verify) verify = checks_of("{\"hmac_timestamp\":{\"secrets\":[\"DOCHAK_SECRET_FUZZ\"]}}");
  struct input input = input_open(bytes, len);
  const char *time = input_line(&input), *signature = input_line(&input), *more = input_line(&input);
  struct http_header headers[] = {
      {"X-IB-Timestamp", time}, {"X-IB-Signature", signature}, {"X-IB-Signature", more}};
  struct verify_request req = {
      .headers = headers, .n_headers = *more ? 3 : 2, .now_ms = 1743381600000, .rest = "", .body = ""};
  bool passed = !verify_head(verify, &req) && !verify_body(verify, &req);
  if (passed && (strcmp(time, "1743381600000") != 0 || *more || strcasecmp(signature, good) != 0)) abort();
  free(input.text);
  return 0;
}
