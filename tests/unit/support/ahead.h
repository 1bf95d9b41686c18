// SPDX-License-Identifier: MIT
// The clock, which a test sets forward. CMakeLists.txt wraps its two functions for such a test.
#pragma once
#include "common/base/clock.h"
#include <stdatomic.h>

static _Atomic int64_t ahead_ms;

int64_t __real_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void) {
  return __real_clock_mono_ms() + atomic_load(&ahead_ms);
}

struct timespec __real_clock_timespec_at(int64_t mono_ms);
struct timespec __wrap_clock_timespec_at(int64_t mono_ms);
struct timespec __wrap_clock_timespec_at(int64_t mono_ms) {
  return __real_clock_timespec_at(mono_ms - atomic_load(&ahead_ms));
}
