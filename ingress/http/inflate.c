// SPDX-License-Identifier: MIT
#include "ingress/http/inflate.h"

#include "common/base/mem.h"
#include <stdbool.h>
#include <stdint.h>
#include <zlib.h>

enum { GZIP_ONLY = 16 + MAX_WBITS };

// One byte more than the limit shows that the limit is exceeded.
enum inflate_result inflate_gzip(const char *bytes, size_t len, size_t max_bytes, char **out,
                                 size_t *out_len) {
  AUTO_FREE char *room = mem_grow(NULL, max_bytes + 1, 1);
  z_stream stream = {.next_in = (unsigned char *)(uintptr_t)bytes,
                     .avail_in = (unsigned)len,
                     .next_out = (unsigned char *)room,
                     .avail_out = (unsigned)max_bytes + 1};
  *out = NULL;
  *out_len = 0;
  if (inflateInit2(&stream, GZIP_ONLY) != Z_OK) return INFLATE_BROKEN;
  bool whole = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_in == 0;
  size_t inflated = stream.total_out;
  inflateEnd(&stream);
  if (!whole && inflated == 0) return INFLATE_BROKEN; // the caller may be able to read the body itself
  *out = mem_grow(take(room), inflated, 1);
  *out_len = inflated < max_bytes ? inflated : max_bytes;
  return inflated > max_bytes ? INFLATE_OVER : whole ? INFLATE_DONE : INFLATE_BROKEN;
}
