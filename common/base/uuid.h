// SPDX-License-Identifier: MIT
// UUIDs (RFC 9562). Thread: any.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uuid {
  uint8_t bytes[16];
};
enum { UUID_TEXT_SIZE = 37 };

// Version 7: Unix milliseconds, a counter within the millisecond, randomness.
struct uuid uuid_new_v7(void);
// Version 5 in dochak's own namespace, over at most 32 fields, each preceded by its length. The same fields
// give the same id.
struct uuid uuid_of_fields(const char *const *fields, size_t n);
void uuid_format(struct uuid uuid, char out[UUID_TEXT_SIZE]);
bool uuid_parse(const char *text, struct uuid *out);
