// SPDX-License-Identifier: MIT
#include "ingress/http/inflate.h"

#include "common/base/mem.h"
#include <stdbool.h>
#include <stdint.h>
#include <zlib.h>

enum { GZIP_ONLY = 16 + MAX_WBITS, FIRST_BYTES = 16384, USUAL_RATIO = 4 };

struct room {
  char *bytes;
  size_t len, most; // one byte more than the limit shows that the limit is exceeded
  inflate_hold_fn *hold;
  void *arg;
};

static bool make_room(struct room *room, size_t more) {
  if (more > room->most - room->len) more = room->most - room->len;
  if (!room->hold(room->arg, more)) return false;
  room->len += more;
  room->bytes = mem_grow(room->bytes, room->len, 1);
  return true;
}

// False: there is no room. *whole: to the end of the gzip, which is the end of the body.
static bool inflate_into(struct room *room, z_stream *stream, bool *whole) {
  int result = Z_OK;
  while (result == Z_OK && stream->total_out < room->most) {
    if (stream->total_out == room->len && !make_room(room, room->len)) return false;
    stream->next_out = (unsigned char *)room->bytes + stream->total_out;
    stream->avail_out = (unsigned)(room->len - stream->total_out);
    result = inflate(stream, Z_NO_FLUSH);
  }
  *whole = result == Z_STREAM_END && stream->avail_in == 0;
  return true;
}

enum inflate_result inflate_gzip(const char *bytes, size_t len, size_t max_bytes, inflate_hold_fn *hold,
                                 void *arg, char **out, size_t *out_len) {
  struct room room = {.most = max_bytes + 1, .hold = hold, .arg = arg};
  z_stream stream = {.next_in = (unsigned char *)(uintptr_t)bytes, .avail_in = (unsigned)len};
  bool whole = false;
  *out = NULL;
  *out_len = 0;
  if (!make_room(&room, USUAL_RATIO * len > FIRST_BYTES ? USUAL_RATIO * len : FIRST_BYTES))
    return INFLATE_NO_ROOM;
  AUTO_FREE char *inflated = NULL; // of room.bytes, which moves
  bool fits = inflateInit2(&stream, GZIP_ONLY) == Z_OK && inflate_into(&room, &stream, &whole);
  size_t n = stream.total_out;
  inflateEnd(&stream);
  inflated = room.bytes;
  if (!fits) return INFLATE_NO_ROOM;
  if (!whole && n == 0) return INFLATE_BROKEN; // the caller may be able to read the body itself
  *out = mem_grow(take(inflated), n, 1);
  *out_len = n < max_bytes ? n : max_bytes;
  return n > max_bytes ? INFLATE_OVER : whole ? INFLATE_DONE : INFLATE_BROKEN;
}
