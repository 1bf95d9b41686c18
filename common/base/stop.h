// SPDX-License-Identifier: MIT
// SIGTERM and SIGINT set a flag and make a descriptor readable; nothing else happens in the handler. SIGPIPE
// is ignored.
#pragma once
#include <stdbool.h>
#include <stdint.h>

void stop_init(void);
bool stop_requested(void);
void stop_request(void);       // by ourselves, for example after a fatal error. Thread: any.
bool stop_wait_ms(int64_t ms); // sleeps, returns true at once when a stop is requested. Thread: any.
