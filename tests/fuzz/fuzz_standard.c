// SPDX-License-Identifier: MIT
// standard_webhooks: id, timestamp, list of signatures, body. What passes has to carry the seed's id, time
// and body.
#include "tests/fuzz/checks.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  static const struct verify *verify;
  if (!verify) verify = checks_of("{\"standard_webhooks\":{\"secrets\":[\"DOCHAK_SECRET_FUZZ\"]}}");
  struct input input = input_open(bytes, len);
  const char *id = input_line(&input), *time = input_line(&input), *list = input_line(&input);
  const char *body = input.rest;
  struct mg_header headers[] = {{"webhook-id", id}, {"webhook-timestamp", time}, {"webhook-signature", list}};
  bool passed = checks_pass(verify, headers, 3, NULL, input.rest, 1614265330000);
  if (passed && (strcmp(id, "msg_p5jXN8AQM9LWM0D4loKWxJek") != 0 || strcmp(time, "1614265330") != 0 ||
                 strcmp(body, "{\"test\": 2432232314}") != 0))
    abort();
  free(input.text);
  return 0;
}
