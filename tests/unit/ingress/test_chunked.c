// SPDX-License-Identifier: MIT
// Chunked bodies as texts. Each is read whole, byte by byte, and cut in two at every place: body, end and
// fault are the same.
#include "common/base/mem.h"
#include "ingress/http/chunked.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct outcome {
  enum chunked_result result;
  const char *message;
  size_t used, body_len;
  char body[65536];
};

// As it comes in: `first` bytes, then pieces of `step`. A copy of each piece, so that one byte too far is
// seen.
static void read_cut(const char *text, size_t len, size_t first, size_t step, struct outcome *out) {
  struct chunked chunked = {0};
  *out = (struct outcome){.result = CHUNKED_MORE};
  for (size_t size = first; out->used < len && out->result == CHUNKED_MORE; size = step) {
    size_t used = size < len - out->used ? size : len - out->used, body_len;
    AUTO_FREE char *piece = mem_grow(NULL, used + !used, 1);
    memcpy(piece, text + out->used, used);
    out->result = chunked_read(&chunked, piece, &used, &body_len, &out->message);
    if (out->result == CHUNKED_FAULT) return;
    memcpy(out->body + out->body_len, piece, body_len);
    out->body_len += body_len;
    out->used += used;
  }
}

static void assert_same(const char *text, const struct outcome *a, const struct outcome *b, size_t cut) {
  bool same = a->result == b->result;
  if (same && a->result == CHUNKED_FAULT)
    same = a->message == b->message;
  else if (same)
    same = a->used == b->used && a->body_len == b->body_len && memcmp(a->body, b->body, a->body_len) == 0;
  if (!same) fail_msg("cut at %zu: %d, whole: %d, of %.60s", cut, b->result, a->result, text);
}

static void read_any_way(const char *text, size_t len, struct outcome *whole) {
  static struct outcome cut;
  read_cut(text, len, len, len, whole);
  read_cut(text, len, 1, 1, &cut);
  assert_same(text, whole, &cut, 1);
  for (size_t at = 0; at < len; at += 1 + len / 200) {
    read_cut(text, len, at, len, &cut);
    assert_same(text, whole, &cut, at);
  }
}

static void assert_result(const char *text, enum chunked_result result, const char *body) {
  static struct outcome out;
  read_any_way(text, strlen(text), &out);
  bool good = out.result == result;
  if (good && body) good = out.body_len == strlen(body) && memcmp(out.body, body, out.body_len) == 0;
  if (!good) fail_msg("expected %d, got %d with %zu bytes of %.80s", result, out.result, out.body_len, text);
}

static void test_the_chunks_bytes_are_the_body(void **state) {
  static const struct {
    const char *text, *body;
  } rows[] = {
      {"0\r\n\r\n", ""},
      {"00000000\r\n\r\n", ""},
      {"3\r\nabc\r\n0\r\n\r\n", "abc"},
      {"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n", "abc"},
      {"00000003\r\nabc\r\n000\r\n\r\n", "abc"},
      {"a\r\n0123456789\r\nB\r\n0123456789A\r\n0\r\n\r\n", "01234567890123456789A"},
      {"5\r\n\r\n0\r\n\r\n0\r\n\r\n", "\r\n0\r\n"}, // what looks like an end is none inside a chunk
      {"3;x\r\nabc\r\n0;y=\"z\"\r\n\r\n", "abc"},
      {"3;\r\nabc\r\n0\r\n\r\n", "abc"},
      {"3; a = \"\t\xea\xb0\x80\" ;b\r\nabc\r\n0\r\n\r\n", "abc"},
      {"3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n", "abc"},
      {"0\r\nX:\r\nContent-Length: 5\r\nY-2:\ta b \xff\r\n\r\n", ""},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) assert_result(rows[i].text, CHUNKED_WHOLE, rows[i].body);
}

static void test_what_follows_belongs_to_the_next_request(void **state) {
  static const char text[] = "3\r\nabc\r\n0\r\nX: y\r\n\r\nGET / HTTP/1.1\r\n";
  static struct outcome out;
  read_any_way(text, strlen(text), &out);
  assert_int_equal(out.result, CHUNKED_WHOLE);
  assert_string_equal(text + out.used, "GET / HTTP/1.1\r\n");
}

static void test_nothing_short_of_the_end_is_whole(void **state) {
  static const char text[] = "3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nX: y\r\n\r\n";
  static struct outcome out;
  for (size_t len = 0; len < strlen(text); len++) {
    read_any_way(text, len, &out);
    assert_int_equal(out.result, CHUNKED_MORE);
    assert_int_equal(out.used, len);
  }
}

static void test_any_violation_is_a_fault(void **state) {
  static const char *const rows[] = {
      // sizes
      "\r\n", ";x\r\n", " 3\r\nabc\r\n", "3 \r\nabc\r\n", "3\t;x\r\nabc\r\n", "g\r\n", "-1\r\n",
      "+3\r\nabc\r\n", "0x3\r\nabc\r\n", "3h\r\nabc\r\n", "000000003\r\nabc\r\n", "100000000\r\n",
      "ffffffffffffffff\r\n", "1\r\na\r\n123456789\r\n",
      // line ends
      "3\nabc\r\n", "3\r\rabc", "3\rabc", "3;x\nabc", "3;x\rabc", "3\r\nabc\n0\r\n\r\n", "3\r\nabc\rx",
      "3\r\nabcd\r\n", "3\r\nab\r\n0\r\n\r\n", "3\r\nabc0\r\n\r\n", "0\r\n\n", "0\r\n\rx", "0\n\r\n",
      // extensions and trailers
      "3;\x01\r\nabc\r\n", "3;\x7f\r\nabc\r\n", "0\r\nX\r\n", "0\r\n: y\r\n", "0\r\nX : y\r\n",
      "0\r\n X: y\r\n", "0\r\nX: y\r\n z\r\n", "0\r\nX: \x01\r\n", "0\r\nX: y\nZ: a\r\n\r\n", "0\r\nX: y\rz",
      "0\r\nX(: y\r\n", "0\r\nX\xff: y\r\n", "0\r\n0\r\n\r\n"};
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    static struct outcome out;
    read_any_way(rows[i], strlen(rows[i]), &out);
    if (out.result != CHUNKED_FAULT || !out.message) fail_msg("%d: %s", out.result, rows[i]);
  }
}

static void test_no_NUL_gets_in_but_as_a_byte_of_a_chunk(void **state) {
  static const char good[] = "2;x\r\nab\r\n0\r\nX: y\r\n\r\n";
  static struct outcome out;
  for (size_t at = 0; at < sizeof good - 1; at++) {
    char text[sizeof good];
    memcpy(text, good, sizeof good);
    text[at] = '\0';
    read_any_way(text, sizeof good - 1, &out);
    assert_int_equal(out.result, at == 5 || at == 6 ? CHUNKED_WHOLE : CHUNKED_FAULT);
  }
}

static void test_every_part_has_its_bound(void **state) {
  static const struct {
    const char *before;
    size_t times;
    const char *behind;
    enum chunked_result result;
  } rows[] = {
      {"1;", 1023, "\r\na\r\n0\r\n\r\n", CHUNKED_WHOLE},
      {"1;", 1024, "\r\na\r\n0\r\n\r\n", CHUNKED_FAULT},
      {"1;", 2000, "", CHUNKED_FAULT},                  // and no end
      {"0\r\nX:", 4096 - 4, "\r\n\r\n", CHUNKED_WHOLE}, // with its CR and the last line's
      {"0\r\nX:", 4096 - 3, "\r\n\r\n", CHUNKED_FAULT},
      {"0\r\nX: y\r\nY: z\r\nZ:", 4096 - 14, "\r\n\r\n", CHUNKED_WHOLE},
      {"0\r\nX: y\r\nY: z\r\nZ:", 4096 - 13, "\r\n\r\n", CHUNKED_FAULT},
      {"0\r\n", 5000, "", CHUNKED_FAULT},
      {"7530\r\n", 30000, "\r\n0\r\n\r\n", CHUNKED_WHOLE},
      {"7530\r\n", 30001, "\r\n0\r\n\r\n", CHUNKED_FAULT},
      {"7530\r\n", 29999, "\r\n0\r\n\r\n", CHUNKED_FAULT},
      {"ffffffff\r\n", 60000, "", CHUNKED_MORE},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    AUTO_FREE char *text = mem_alloc(rows[i].times + 128);
    char *at = stpcpy(text, rows[i].before);
    memset(at, 'x', rows[i].times);
    strcpy(at + rows[i].times, rows[i].behind);
    assert_result(text, rows[i].result, NULL);
  }
}

static void test_the_bound_of_an_extension_is_one_of_each_chunk(void **state) {
  char text[8192], *at = text;
  for (int i = 0; i < 3; i++) at += sprintf(at, "1;%01000d\r\na\r\n", 0);
  sprintf(at, "0;%01000d\r\nX:%04000d\r\n\r\n", 0, 0);
  assert_result(text, CHUNKED_WHOLE, "aaa");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_chunks_bytes_are_the_body),
      cmocka_unit_test(test_what_follows_belongs_to_the_next_request),
      cmocka_unit_test(test_nothing_short_of_the_end_is_whole),
      cmocka_unit_test(test_any_violation_is_a_fault),
      cmocka_unit_test(test_no_NUL_gets_in_but_as_a_byte_of_a_chunk),
      cmocka_unit_test(test_every_part_has_its_bound),
      cmocka_unit_test(test_the_bound_of_an_extension_is_one_of_each_chunk),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
