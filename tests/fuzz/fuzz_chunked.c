// SPDX-License-Identifier: MIT
// A chunked body: however it was cut, the same bytes, the same end and the same fault.
#include "ingress/http/chunked.h"
#include "tests/fuzz/cuts.h"

struct outcome {
  enum chunked_result result;
  const char *message;
  char *body;
  size_t body_len, used;
};

static struct outcome read_cut(const uint8_t *bytes, size_t len, const uint8_t *cut) {
  struct outcome out = {.result = CHUNKED_MORE, .body = mem_alloc(len + 1)};
  struct chunked chunked = {0};
  uint32_t state = cut ? *cut : 0;
  while (out.used < len && out.result == CHUNKED_MORE) {
    size_t came = cut ? cut_next(&state, len - out.used) : len, used = came, body_len;
    char *piece = exact_copy(bytes + out.used, came);
    out.result = chunked_read(&chunked, piece, &used, &body_len, &out.message);
    if (body_len > came || out.body_len + body_len > len) abort();
    if (out.result != CHUNKED_FAULT && (used > came || body_len > used)) abort();
    memcpy(out.body + out.body_len, piece, body_len);
    out.body_len += body_len;
    if (out.result != CHUNKED_FAULT) out.used += used;
    free(piece);
  }
  return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  if (len < 1) return 0;
  struct outcome whole = read_cut(bytes + 1, len - 1, NULL), cut = read_cut(bytes + 1, len - 1, bytes);
  if (whole.result != cut.result || whole.body_len != cut.body_len) abort();
  if (memcmp(whole.body, cut.body, whole.body_len) != 0) abort();
  if (whole.result == CHUNKED_FAULT ? whole.message != cut.message : whole.used != cut.used) abort();
  free(whole.body);
  free(cut.body);
  return 0;
}
