// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "ingress/http/inflate.h"
#include "tests/unit/support/pack.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ZLIB = MAX_WBITS, RAW = -MAX_WBITS };

static size_t room, held; // how much may be held, and what was asked for

static bool hold(void *arg, size_t bytes) {
  size_t *sum = arg;
  if (bytes > room - *sum) return false;
  *sum += bytes;
  return true;
}

// From a copy of exactly that size, so that one byte too far is seen.
static enum inflate_result unpack(const char *packed, size_t len, size_t max_bytes, char **out,
                                  size_t *out_len) {
  AUTO_FREE char *copy = mem_grow(NULL, len + !len, 1);
  memcpy(copy, packed, len);
  *out = NULL;
  held = 0;
  room = SIZE_MAX;
  enum inflate_result result = inflate_gzip(copy, len, max_bytes, hold, &held, out, out_len);
  assert_true(*out_len <= max_bytes && (*out || (result == INFLATE_BROKEN && *out_len == 0)));
  assert_true(held >= *out_len && held <= max_bytes + 1);
  return result;
}

static void assert_result(enum inflate_result expected, const char *packed, size_t len, size_t max_bytes) {
  AUTO_FREE char *out = NULL;
  size_t out_len;
  assert_int_equal(unpack(packed, len, max_bytes, &out, &out_len), expected);
}

static void test_what_was_packed_comes_out_up_to_the_limit(void **state) {
  static const size_t sizes[] = {0, 1, 2, 8191, 8192, 8193, 16384, 16385, 524288};
  for (size_t i = 0; i < COUNT_OF(sizes); i++) {
    size_t len = sizes[i], packed_len, out_len;
    AUTO_FREE char *plain = mem_alloc(len + 1);
    for (size_t at = 0; at < len; at++) plain[at] = (char)(at * at >> 3);
    AUTO_FREE char *packed = pack(plain, len, PACK_GZIP, &packed_len);
    AUTO_FREE char *out = NULL;
    assert_int_equal(unpack(packed, packed_len, len, &out, &out_len), INFLATE_DONE);
    assert_int_equal(out_len, len);
    assert_memory_equal(out, plain, len);
    assert_result(INFLATE_DONE, packed, packed_len, 1000000);
    if (len) assert_result(INFLATE_OVER, packed, packed_len, len - 1);
  }
}

static void test_a_bomb_stops_at_the_limit(void **state) {
  enum { BOMB_BYTES = 64 * 1024 * 1024 };
  AUTO_FREE char *plain = mem_alloc(BOMB_BYTES);
  size_t packed_len;
  AUTO_FREE char *packed = pack(plain, BOMB_BYTES, PACK_GZIP, &packed_len);
  assert_true(packed_len < 100000);
  assert_result(INFLATE_OVER, packed, packed_len, 524288);
  assert_result(INFLATE_OVER, packed, packed_len - 1, 524288); // that it is not whole is not even seen
}

static void test_what_is_no_gzip_or_not_whole_or_more_is_broken(void **state) {
  static const char plain[] = "{\"events\":[]}", text[] = "{\"events\":[]}";
  size_t len;
  AUTO_FREE char *packed = pack(plain, strlen(plain), PACK_GZIP, &len);
  for (size_t cut = 0; cut < len; cut++) assert_result(INFLATE_BROKEN, packed, cut, 1000);
  assert_result(INFLATE_BROKEN, packed, len + 1, 1000); // a NUL behind it
  AUTO_FREE char *twice = mem_alloc(2 * len);
  memcpy(mempcpy(twice, packed, len), packed, len);
  assert_result(INFLATE_BROKEN, twice, 2 * len, 1000);
  assert_result(INFLATE_BROKEN, text, strlen(text), 1000);
  static const int others[] = {ZLIB, RAW};
  for (size_t i = 0; i < COUNT_OF(others); i++) {
    size_t other_len;
    AUTO_FREE char *other = pack(plain, strlen(plain), others[i], &other_len);
    assert_result(INFLATE_BROKEN, other, other_len, 1000);
  }
}

static void test_what_was_inflated_before_the_fault_is_handed_out(void **state) {
  static const char plain[] = "{\"msgKey\":\"k1\",\"reportCode\":\"10000\"}";
  size_t len, out_len;
  AUTO_FREE char *packed = pack(plain, strlen(plain), PACK_GZIP, &len);
  AUTO_FREE char *cut = NULL, *over = NULL;
  assert_int_equal(unpack(packed, len - 8, 1000, &cut, &out_len), INFLATE_BROKEN); // its checksum is missing
  assert_int_equal(out_len, strlen(plain));
  assert_memory_equal(cut, plain, out_len);
  assert_int_equal(unpack(packed, len, 16, &over, &out_len), INFLATE_OVER);
  assert_int_equal(out_len, 16);
  assert_memory_equal(over, plain, out_len);
}

// What is held grows with what is inflated, not with the limit.
static void test_room_is_asked_for_in_steps(void **state) {
  enum { BYTES = 200000, LIMIT = 8 * 1024 * 1024 };
  AUTO_FREE char *plain = mem_alloc(BYTES);
  size_t len, out_len;
  AUTO_FREE char *packed = pack(plain, BYTES, PACK_GZIP, &len);
  AUTO_FREE char *out = NULL;
  assert_int_equal(unpack(packed, len, LIMIT, &out, &out_len), INFLATE_DONE);
  assert_true(held >= BYTES && held <= 2 * BYTES);
  size_t needed = held;
  for (room = 0; room < needed; room += 1024) {
    char *none;
    held = 0;
    assert_int_equal(inflate_gzip(packed, len, LIMIT, hold, &held, &none, &out_len), INFLATE_NO_ROOM);
    assert_null(none);
    assert_true(held <= room);
  }
}

static void test_a_flipped_bit_is_never_taken_for_something_else(void **state) {
  static const char plain[] = "{\"msgKey\":\"k1\",\"reportCode\":\"10000\"}";
  enum { HEAD_BYTES = 10 }; // of it, some bits say nothing about the bytes that follow
  size_t len;
  AUTO_FREE char *packed = pack(plain, strlen(plain), PACK_GZIP, &len);
  for (size_t bit = 8 * HEAD_BYTES; bit < 8 * len; bit++) {
    packed[bit / 8] = (char)(packed[bit / 8] ^ 1 << bit % 8);
    AUTO_FREE char *out = NULL;
    size_t out_len;
    enum inflate_result result = unpack(packed, len, 1000, &out, &out_len);
    if (result == INFLATE_DONE) assert_memory_equal(out, plain, strlen(plain)); // padding
    packed[bit / 8] = (char)(packed[bit / 8] ^ 1 << bit % 8);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_was_packed_comes_out_up_to_the_limit),
      cmocka_unit_test(test_a_bomb_stops_at_the_limit),
      cmocka_unit_test(test_what_is_no_gzip_or_not_whole_or_more_is_broken),
      cmocka_unit_test(test_what_was_inflated_before_the_fault_is_handed_out),
      cmocka_unit_test(test_room_is_asked_for_in_steps),
      cmocka_unit_test(test_a_flipped_bit_is_never_taken_for_something_else),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
