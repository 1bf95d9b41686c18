// SPDX-License-Identifier: MIT
// Where the next page of a list begins: behind the last item of the one before. It names that item's place in
// the order of the list, so that rows that come or go meanwhile move nothing. To a client it is an opaque
// text. Not for: proving that the text came from us; a made-up one finds nothing that the client may not see.
// Thread: any.
#pragma once
#include "common/base/err.h"
#include <stdint.h>

// What tells items of the same time apart.
enum cursor_keys {
  CURSOR_NAMES, // provider and id
  CURSOR_UUID,
  CURSOR_PLACE, // partition and offset
};

struct cursor {  // owns its texts
  int64_t at_ms; // the time, cut to milliseconds
  char *at;      // the whole time, RFC 3339
  char *keys[2]; // of CURSOR_UUID the second one is NULL
};
enum { CURSOR_TEXT_MAX = 2048 };

// A text of A-Z a-z 0-9 - _; new string. `list` is the list's name; the second key may be NULL.
char *cursor_encode(const char *list, const char *at, const char *first, const char *second);
// False: it is no cursor of this list.
MUST_CHECK bool cursor_decode(const char *list, enum cursor_keys keys, const char *text, struct cursor *out);
void cursor_fini(struct cursor *cursor);
// Whether these are the numbers of a partition and an offset that Kafka could have.
bool cursor_is_place(const char *partition, const char *offset);
