// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "common/base/seal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DIGITS "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789ABCDEF"
#define OTHER  "1123456789abcdef0123456789ABCDEF0123456789abcdef0123456789ABCDEF"

static struct piece piece(const char *text) {
  return (struct piece){text, strlen(text)};
}

static struct seal_key key_of(const char *digits) {
  struct seal_key key;
  struct err err;
  assert_true(seal_key_parse(digits, &key, &err));
  return key;
}

static void test_a_key_is_64_hexadecimal_digits(void **state) {
  static const uint8_t bytes[SEAL_KEY_SIZE] = {
      0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
      0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
  static const char *const wrong[] = {"",
                                      "01",
                                      DIGITS "0",
                                      DIGITS "01",
                                      "x123456789abcdef0123456789ABCDEF0123456789abcdef0123456789ABCDEF",
                                      "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789ABCDE "};
  struct seal_key key = key_of(DIGITS);
  assert_memory_equal(key.bytes, bytes, sizeof bytes);
  for (size_t i = 0; i < COUNT_OF(wrong); i++) {
    struct err err = {0};
    assert_false(seal_key_parse(wrong[i], &key, &err));
    assert_null(strstr(err.text, "123456"));
  }
}

static void test_what_is_sealed_opens_with_its_key_about_its_subject_only(void **state) {
  const struct seal_key key = key_of(DIGITS), other = key_of(OTHER);
  size_t len;
  AUTO_FREE uint8_t *sealed = seal(&key, piece("a"), piece("+821012345678"), &len);
  const struct piece whole = {sealed, len};
  AUTO_FREE char *opened = seal_open(&key, piece("a"), whole);
  assert_string_equal(opened, "+821012345678");
  assert_null(memmem(sealed, len, "12345678", 8));
  assert_null(seal_open(&other, piece("a"), whole));
  assert_null(seal_open(&key, piece("b"), whole));
  assert_null(seal_open(&key, piece(""), whole));
  for (size_t shorter = 0; shorter < len; shorter++)
    assert_null(seal_open(&key, piece("a"), (struct piece){sealed, shorter}));
  for (size_t i = 0; i < len; i++) {
    sealed[i] ^= 1;
    assert_null(seal_open(&key, piece("a"), whole));
    sealed[i] ^= 1;
  }
}

static void test_an_empty_text_is_sealed_too(void **state) {
  const struct seal_key key = key_of(DIGITS);
  size_t len;
  AUTO_FREE uint8_t *sealed = seal(&key, piece("a"), piece(""), &len);
  AUTO_FREE char *opened = seal_open(&key, piece("a"), (struct piece){sealed, len});
  assert_string_equal(opened, "");
}

static void test_the_same_text_is_never_sealed_the_same(void **state) {
  const struct seal_key key = key_of(DIGITS);
  size_t len, len_again;
  AUTO_FREE uint8_t *one = seal(&key, piece("a"), piece("b"), &len);
  AUTO_FREE uint8_t *again = seal(&key, piece("a"), piece("b"), &len_again);
  assert_int_equal(len, len_again);
  assert_memory_not_equal(one, again, len);
}

// AES-256-GCM of another library (Python's cryptography 48), about "p\nm".
static void test_what_another_library_has_sealed_opens(void **state) {
  static const uint8_t sealed[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a,
                                   0x0b, 0xfa, 0x26, 0xea, 0x75, 0x69, 0x89, 0x47, 0x2a, 0xa0, 0xa5,
                                   0xbc, 0x7f, 0x1b, 0xc2, 0xff, 0xb6, 0x27, 0xe6, 0x46, 0x45, 0x79,
                                   0xcd, 0xc9, 0xff, 0xc5, 0x4d, 0xe4, 0x6c, 0xe1, 0x3a};
  const struct seal_key key = key_of(DIGITS);
  AUTO_FREE char *opened = seal_open(&key, piece("p\nm"), (struct piece){sealed, sizeof sealed});
  assert_string_equal(opened, "{\"phone\":null}");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_key_is_64_hexadecimal_digits),
      cmocka_unit_test(test_what_is_sealed_opens_with_its_key_about_its_subject_only),
      cmocka_unit_test(test_an_empty_text_is_sealed_too),
      cmocka_unit_test(test_the_same_text_is_never_sealed_the_same),
      cmocka_unit_test(test_what_another_library_has_sealed_opens),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
