// SPDX-License-Identifier: MIT
// Why a worker cannot publish: the partition that its last transaction could not write, or what a database
// that refuses every record says. /readyz says it until a transaction is committed, while the worker starts
// over again and again. Or why a worker is not at work. One worker sets it. Thread: any.
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct publish_fault {
  pthread_mutex_t lock;
  int64_t set_ms; // by the monotonic clock; 0: none
  char text[512];
};

void publish_fault_init(struct publish_fault *fault); // needs no end
void publish_fault_set(struct publish_fault *fault, const char *text);
void publish_fault_clear(struct publish_fault *fault);
// Copies the text. False: there is none, or none that was set within the last max_age_ms: the partitions may
// be another worker's by now.
bool publish_fault_copy(struct publish_fault *fault, int64_t max_age_ms, char *to, size_t size);
