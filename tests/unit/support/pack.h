// SPDX-License-Identifier: MIT
// A body as a sender packs it.
#pragma once
#include "common/base/mem.h"
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

enum { PACK_GZIP = 16 + MAX_WBITS }; // deflateInit2()'s windowBits, which say the format

static inline char *pack(const char *plain, size_t len, int format, size_t *packed_len) {
  z_stream stream = {.next_in = (unsigned char *)(uintptr_t)plain, .avail_in = (unsigned)len};
  if (deflateInit2(&stream, 9, Z_DEFLATED, format, 8, Z_DEFAULT_STRATEGY) != Z_OK) abort();
  size_t room = deflateBound(&stream, len) + 64;
  char *packed = mem_alloc(room);
  stream.next_out = (unsigned char *)packed;
  stream.avail_out = (unsigned)room;
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) abort();
  *packed_len = stream.total_out;
  deflateEnd(&stream);
  return packed;
}
