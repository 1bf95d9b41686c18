// SPDX-License-Identifier: MIT
// UUIDs (RFC 9562) and the digests made of several fields.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uuid {
  uint8_t bytes[16];
};
enum { UUID_TEXT_SIZE = 37 };

// Version 7: Unix milliseconds, then a counter within the millisecond and randomness. Thread: any.
struct uuid uuid_new_v7(void);
// Version 5 in dochak's own namespace, over the fields, each with its length in front: the same fields, the
// same id.
struct uuid uuid_of_fields(const char *const *fields, size_t n);
void uuid_format(struct uuid uuid, char out[UUID_TEXT_SIZE]);
bool uuid_parse(const char *text, struct uuid *out);
