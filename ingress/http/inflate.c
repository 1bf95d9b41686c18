// SPDX-License-Identifier: MIT
#include "ingress/http/inflate.h"

#include "common/base/mem.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

enum { GZIP_ONLY = 16 + MAX_WBITS, FIRST_BYTES = 8192 };

// One byte more than the limit shows that the limit is exceeded.
static int inflate_all(z_stream *stream, size_t max_bytes, char **out) {
  size_t room = 0;
  int code;
  do {
    if (stream->total_out == room) {
      if (room > max_bytes) return Z_MEM_ERROR;
      room = room ? 2 * room : FIRST_BYTES;
      if (room > max_bytes + 1) room = max_bytes + 1;
      *out = mem_grow(*out, room, 1);
    }
    stream->next_out = (unsigned char *)*out + stream->total_out;
    stream->avail_out = (unsigned)(room - stream->total_out);
    code = inflate(stream, Z_NO_FLUSH);
  } while (code == Z_OK || (code == Z_BUF_ERROR && stream->avail_out == 0));
  return code;
}

enum inflate_result inflate_gzip(const char *bytes, size_t len, size_t max_bytes, char **out,
                                 size_t *out_len) {
  z_stream stream = {.next_in = (unsigned char *)(uintptr_t)bytes, .avail_in = (unsigned)len};
  *out = NULL;
  *out_len = 0;
  if (inflateInit2(&stream, GZIP_ONLY) != Z_OK) return INFLATE_BROKEN;
  int code = inflate_all(&stream, max_bytes, out);
  bool whole = code == Z_STREAM_END && stream.avail_in == 0;
  size_t inflated = stream.total_out;
  inflateEnd(&stream);
  *out_len = inflated < max_bytes ? inflated : max_bytes;
  if (code == Z_MEM_ERROR || inflated > max_bytes) return INFLATE_OVER;
  if (whole) return INFLATE_DONE;
  if (inflated == 0) { // the caller may be able to read the body itself
    free(*out);
    *out = NULL;
  }
  return INFLATE_BROKEN;
}
