// SPDX-License-Identifier: MIT
// The wait before the next try: doubles each time, with jitter over its upper half.
#pragma once
#include <stdint.h>

struct backoff {
  int64_t first_ms, max_ms;
  unsigned tries; // so far; set to 0 after a success
};

// The wait before the next try; counts it.
int64_t backoff_next_ms(struct backoff *backoff);
