// SPDX-License-Identifier: MIT
#include "processor/batch/publish_fault.h"

#include "common/base/clock.h"
#include <stdio.h>

void publish_fault_init(struct publish_fault *fault) {
  *fault = (struct publish_fault){.lock = PTHREAD_MUTEX_INITIALIZER};
}

void publish_fault_set(struct publish_fault *fault, const char *text) {
  pthread_mutex_lock(&fault->lock);
  snprintf(fault->text, sizeof fault->text, "%s", text);
  fault->set_ms = clock_mono_ms();
  pthread_mutex_unlock(&fault->lock);
}

void publish_fault_clear(struct publish_fault *fault) {
  pthread_mutex_lock(&fault->lock);
  fault->set_ms = 0;
  pthread_mutex_unlock(&fault->lock);
}

bool publish_fault_copy(struct publish_fault *fault, int64_t max_age_ms, char *to, size_t size) {
  pthread_mutex_lock(&fault->lock);
  bool is_set = fault->set_ms && clock_mono_ms() - fault->set_ms <= max_age_ms;
  if (is_set) snprintf(to, size, "%s", fault->text);
  pthread_mutex_unlock(&fault->lock);
  return is_set;
}
