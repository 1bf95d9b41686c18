// SPDX-License-Identifier: MIT
// hmac_timestamp: a timestamp header and a signature header, each possibly twice. Nobody guesses the key, so
// whatever passes would have to be a seed.
#include "tests/fuzz/checks.h"
#include "tests/fuzz/input.h"

// The seeds' times and signatures. Of base64, the last digit has bits that say nothing.
static bool is_seed(const char *time, const char *signature) {
  static const char hex[] = "f9d43b9d9b16bc8353f9ab621221c1a878c2b10f9155df19b169c48ff7eabf67";
  static const char base64[] = "08N0YBo9r37agYrNbtreLvJduxVsUk7xWnTdohKDZt";
  return (strcmp(time, "1743381600000") == 0 && strcasecmp(signature, hex) == 0) ||
         (strcmp(time, "1743381601") == 0 && strncmp(signature, base64, sizeof base64 - 1) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  static const struct verify *verify;
  if (!verify) verify = checks_of("{\"hmac_timestamp\":{\"secrets\":[\"DOCHAK_SECRET_FUZZ\"]}}");
  struct input input = input_open(bytes, len);
  const char *time = input_line(&input), *signature = input_line(&input), *more = input_line(&input);
  struct mg_header headers[] = {
      {"X-IB-Timestamp", time}, {"X-IB-Signature", signature}, {"X-IB-Signature", more}};
  char body[] = "";
  bool passed = checks_pass(verify, headers, *more ? 3 : 2, NULL, body, 1743381600000);
  if (passed && (*more || !is_seed(time, signature))) abort();
  free(input.text);
  return 0;
}
