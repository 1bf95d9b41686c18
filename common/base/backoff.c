// SPDX-License-Identifier: MIT
#include "common/base/backoff.h"

#include <sys/random.h>

// Evenly enough over [0, bound]; without randomness there is no jitter, and no harm.
static int64_t random_up_to(int64_t bound) {
  uint64_t random = 0;
  if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random) random = 0;
  return (int64_t)(random % ((uint64_t)bound + 1));
}

int64_t backoff_next_ms(struct backoff *backoff) {
  int64_t ceiling = backoff->first_ms < backoff->max_ms ? backoff->first_ms : backoff->max_ms;
  for (unsigned i = 0; i < backoff->tries && ceiling < backoff->max_ms; i++)
    ceiling = ceiling > backoff->max_ms / 2 ? backoff->max_ms : ceiling * 2;
  backoff->tries++;
  if (ceiling <= 0) return 0;
  return ceiling - random_up_to(ceiling / 2);
}
