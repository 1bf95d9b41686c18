// SPDX-License-Identifier: MIT
// gzip: any bytes with any limit, which is kept; and what was packed comes out as it was, or not at all.
#include "ingress/http/inflate.h"
#include "tests/fuzz/cuts.h"
#include <stdbool.h>
#include <zlib.h>

static bool hold(void *arg, size_t bytes) {
  (void)arg, (void)bytes;
  return true;
}

static void unpack(const uint8_t *bytes, size_t len, size_t max_bytes) {
  char *packed = exact_copy(bytes, len), *out = NULL;
  size_t out_len;
  enum inflate_result result = inflate_gzip(packed, len, max_bytes, hold, NULL, &out, &out_len);
  if (out_len > max_bytes || (!out && (result != INFLATE_BROKEN || out_len))) abort();
  free(out);
  free(packed);
}

static char *pack(const uint8_t *bytes, size_t len, size_t *packed_len) {
  char *plain = exact_copy(bytes, len), *packed = mem_alloc(len + 1024);
  z_stream stream = {.next_in = (unsigned char *)plain,
                     .avail_in = (unsigned)len,
                     .next_out = (unsigned char *)packed,
                     .avail_out = (unsigned)len + 1024};
  if (deflateInit2(&stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) abort();
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) abort();
  *packed_len = stream.total_out;
  deflateEnd(&stream);
  free(plain);
  return packed;
}

static void expect(enum inflate_result wanted, const char *packed, size_t packed_len, size_t max_bytes,
                   const uint8_t *plain, size_t len) {
  char *out = NULL, *exact = exact_copy(packed, packed_len);
  size_t out_len;
  if (inflate_gzip(exact, packed_len, max_bytes, hold, NULL, &out, &out_len) != wanted) abort();
  if (wanted == INFLATE_DONE && out_len != len) abort();
  if (out && (out_len > max_bytes || out_len > len || memcmp(out, plain, out_len) != 0)) abort();
  free(out);
  free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  if (len < 2) return 0;
  size_t max_bytes = (size_t)bytes[0] << 8 | bytes[1], packed_len;
  bytes += 2;
  len -= 2;
  unpack(bytes, len, max_bytes);
  char *packed = pack(bytes, len, &packed_len);
  expect(INFLATE_DONE, packed, packed_len, len, bytes, len);
  if (len) expect(INFLATE_OVER, packed, packed_len, len - 1, bytes, len);
  expect(INFLATE_BROKEN, packed, max_bytes % packed_len, len, bytes, len);
  expect(INFLATE_BROKEN, packed, packed_len + 1, len, bytes, len); // a byte behind it
  free(packed);
  return 0;
}
