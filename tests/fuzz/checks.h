// SPDX-License-Identifier: MIT
// A configured check for a fuzzer, made once.
#pragma once
#include "ingress/sender/verify.h"
#include <stdlib.h>

static inline const struct verify *checks_of(const char *text) {
  struct faults faults = {0};
  setenv("DOCHAK_SECRET_FUZZ", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1);
  json_t *conf = json_loads(text, 0, NULL);
  const struct verify *verify = verify_new(conf, &faults);
  json_decref(conf);
  if (!verify) abort();
  return verify;
}
