// SPDX-License-Identifier: MIT
// The format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
#include "ingress/durable/spool_log.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
  HEADER_BYTES = 32,
  FRAME_HEADER_BYTES = 24,
  PAGE_BYTES = 4096,
  SALTS_BYTES = 8,
  HEADER_SALTS = 16, // where they are
  FRAME_SALTS = 8,
  HEADER_SUM = 24,
  FRAME_SUM = 16,
};

struct frame {
  unsigned char header[FRAME_HEADER_BYTES], page[PAGE_BYTES];
};

struct sum {
  uint32_t a, b;
};

static uint32_t big_endian(const unsigned char *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t word(const unsigned char *at, bool big) {
  uint32_t value = big_endian(at);
  return big ? value : __builtin_bswap32(value);
}

static void sum_add(struct sum *sum, const unsigned char *bytes, size_t len, bool big) {
  for (size_t i = 0; i < len; i += 8) {
    sum->a += word(bytes + i, big) + sum->b;
    sum->b += word(bytes + i + 4, big) + sum->a;
  }
}

static bool is_sum(const struct sum *sum, const unsigned char *at) {
  return big_endian(at) == sum->a && big_endian(at + 4) == sum->b;
}

static bool is_commit(const struct frame *frame) {
  return big_endian(frame->header + 4) != 0;
}

static bool has_salts(const struct frame *frame, const unsigned char *salts) {
  return memcmp(frame->header + FRAME_SALTS, salts, SALTS_BYTES) == 0;
}

static bool read_frame(FILE *file, struct frame *frame) {
  return fread(frame->header, sizeof frame->header, 1, file) == 1 &&
         fread(frame->page, sizeof frame->page, 1, file) == 1;
}

// Without a sound header nothing is played back, and what was written last is what the first frame belongs
// to.
static size_t count_lost(FILE *file) {
  unsigned char header[HEADER_BYTES], salts[SALTS_BYTES];
  if (fread(header, sizeof header, 1, file) != 1) return 0;
  bool big = header[3] & 1;
  struct sum sum = {0};
  sum_add(&sum, header, HEADER_SUM, big);
  bool sound = is_sum(&sum, header + HEADER_SUM);
  memcpy(salts, header + HEADER_SALTS, sizeof salts);
  struct frame frame;
  size_t lost = 0;
  for (bool first = true; read_frame(file, &frame); first = false) {
    if (first && !sound) memcpy(salts, frame.header + FRAME_SALTS, sizeof salts);
    sum_add(&sum, frame.header, FRAME_SALTS, big);
    sum_add(&sum, frame.page, sizeof frame.page, big);
    sound = sound && has_salts(&frame, salts) && is_sum(&sum, frame.header + FRAME_SUM);
    // Salts of another kind are what an earlier round through the log has left.
    if (!sound && has_salts(&frame, salts)) lost += is_commit(&frame);
  }
  return lost > 1 ? lost : 0;
}

bool spool_log_lost(const char *path, size_t *commits, struct err *err) {
  *commits = 0;
  FILE *file = fopen(path, "re");
  if (!file) return errno == ENOENT || err_set(err, "its log: %s", strerror(errno));
  *commits = count_lost(file);
  bool good = !ferror(file);
  fclose(file);
  return good || err_set(err, "its log cannot be read");
}
