// SPDX-License-Identifier: MIT
#include "ingress/http/chunked.h"

#include "common/base/hex.h"
#include <string.h>

enum { SIZE_DIGITS_MAX = 8, SIZE_LINE_MAX_BYTES = 1024, TRAILERS_MAX_BYTES = 4096 };

// NULL, or what is wrong.
static const char *read_size(struct chunked *chunked, char c) {
  int digit = hex_value(c);
  if (digit >= 0) {
    if (++chunked->digits > SIZE_DIGITS_MAX) return "a chunk's size has more than 8 digits";
    chunked->left = 16 * chunked->left + (unsigned)digit;
    return NULL;
  }
  if (!chunked->digits || (c != '\r' && c != ';')) return "a chunk's size is not a hexadecimal number";
  chunked->state = c == '\r' ? CHUNKED_SIZE_LF : CHUNKED_EXTENSION;
  return NULL;
}

static const char *end_size(struct chunked *chunked) {
  chunked->state = chunked->left ? CHUNKED_BYTES : CHUNKED_TRAILER;
  chunked->digits = 0;
  chunked->line = 0;
  return NULL;
}

static const char *begin_trailer(struct chunked *chunked, char c) {
  if (c == '\r') {
    chunked->state = CHUNKED_END_LF;
    return NULL;
  }
  chunked->state = CHUNKED_TRAILER_NAME;
  return http_is_token((unsigned char)c) ? NULL : "a trailer without a name";
}

static const char *read_trailer(struct chunked *chunked, char c) {
  if (++chunked->line > TRAILERS_MAX_BYTES) return "the trailers are larger than 4 KiB";
  if (chunked->state == CHUNKED_TRAILER) return begin_trailer(chunked, c);
  if (chunked->state == CHUNKED_TRAILER_NAME) {
    if (c == ':') chunked->state = CHUNKED_TRAILER_VALUE;
    return c == ':' || http_is_token((unsigned char)c) ? NULL
                                                       : "a trailer's name holds what no name may hold";
  }
  if (c == '\r') chunked->state = CHUNKED_TRAILER_LF;
  return c == '\r' || http_is_text((unsigned char)c) ? NULL : "a control character in a trailer";
}

static const char *read_extension(struct chunked *chunked, char c) {
  if (++chunked->line > SIZE_LINE_MAX_BYTES) return "a chunk's extension is longer than 1 KiB";
  if (c == '\r') chunked->state = CHUNKED_SIZE_LF;
  return c == '\r' || http_is_text((unsigned char)c) ? NULL : "a control character in a chunk's extension";
}

static const char *expect(struct chunked *chunked, char c, char wanted, int next) {
  chunked->state = next;
  return c == wanted ? NULL : "a chunk does not end where its size says, with CR LF";
}

static const char *read_one(struct chunked *chunked, char c) {
  switch (chunked->state) {
  case CHUNKED_SIZE:
    return read_size(chunked, c);
  case CHUNKED_EXTENSION:
    return read_extension(chunked, c);
  case CHUNKED_SIZE_LF:
    return c == '\n' ? end_size(chunked) : "a line ends without LF";
  case CHUNKED_BYTES_CR:
    return expect(chunked, c, '\r', CHUNKED_BYTES_LF);
  case CHUNKED_BYTES_LF:
    return expect(chunked, c, '\n', CHUNKED_SIZE);
  case CHUNKED_TRAILER:
  case CHUNKED_TRAILER_NAME:
  case CHUNKED_TRAILER_VALUE:
    return read_trailer(chunked, c);
  case CHUNKED_TRAILER_LF:
    return expect(chunked, c, '\n', CHUNKED_TRAILER);
  case CHUNKED_END_LF:
    return expect(chunked, c, '\n', CHUNKED_ENDED);
  case CHUNKED_BYTES:
  case CHUNKED_ENDED:
    break;
  }
  return "more than the body";
}

static size_t take_bytes(struct chunked *chunked, char *to, const char *from, size_t available) {
  size_t n = chunked->left < available ? (size_t)chunked->left : available;
  memmove(to, from, n);
  chunked->left -= n;
  if (!chunked->left) chunked->state = CHUNKED_BYTES_CR;
  return n;
}

enum chunked_result chunked_read(struct chunked *chunked, char *bytes, size_t *len, size_t *body_len,
                                 const char **message) {
  size_t at = 0;
  *body_len = 0;
  while (at < *len && chunked->state != CHUNKED_ENDED) {
    if (chunked->state == CHUNKED_BYTES) {
      size_t n = take_bytes(chunked, bytes + *body_len, bytes + at, *len - at);
      at += n;
      *body_len += n;
    } else if ((*message = read_one(chunked, bytes[at++]))) {
      return CHUNKED_FAULT;
    }
  }
  *len = at;
  return chunked->state == CHUNKED_ENDED ? CHUNKED_WHOLE : CHUNKED_MORE;
}
