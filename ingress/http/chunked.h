// SPDX-License-Identifier: MIT
// A chunked body as it comes in (RFC 9112, section 7.1), read strictly. Pure. Chunk extensions and trailers
// are passed over, within bounds.
#pragma once
#include "ingress/http/head.h"

struct chunked {
  enum {
    CHUNKED_SIZE,
    CHUNKED_EXTENSION,
    CHUNKED_SIZE_LF,
    CHUNKED_BYTES,
    CHUNKED_BYTES_CR,
    CHUNKED_BYTES_LF,
    CHUNKED_TRAILER, // at the beginning of a line
    CHUNKED_TRAILER_NAME,
    CHUNKED_TRAILER_VALUE,
    CHUNKED_TRAILER_LF,
    CHUNKED_END_LF,
    CHUNKED_ENDED,
  } state; // 0 at first
  unsigned digits;
  size_t line;   // bytes of this size line, or of all trailers
  uint64_t left; // of this chunk
};

enum chunked_result { CHUNKED_MORE, CHUNKED_WHOLE, CHUNKED_FAULT };
// Takes `*len` bytes in. The body's bytes among them are moved to the front, and *body_len says how many.
// WHOLE: *len is set to what was used; the rest belongs to the next request. FAULT: *message is what is
// wrong.
enum chunked_result chunked_read(struct chunked *chunked, char *bytes, size_t *len, size_t *body_len,
                                 const char **message);
