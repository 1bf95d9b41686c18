// SPDX-License-Identifier: MIT
#include "common/base/digest.h"
#include "common/base/mem.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool same(const struct digest *a, const struct digest *b) {
  return digest_same((struct piece){a->bytes, a->len}, (struct piece){b->bytes, b->len});
}

#define PIECE(text)                                                                                          \
  { (text), sizeof(text) - 1 }

static const struct {
  enum digest_kind kind;
  const char *hex, *base64; // of "abc": FIPS 180-2
} hashes[] = {
    {DIGEST_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d", "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="},
    {DIGEST_SHA384,
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
     "ywB1P0WjXou1oD1pmsZQBycsMqsO3tFjGotgWkP/W+2AhgcroefMI1i67KE0yCWn"},
    {DIGEST_SHA512,
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
     "454d4423643ce80e2a9ac94fa54ca49f",
     "3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw=="},
    {DIGEST_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
     "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="},
};

static void test_pieces_are_hashed_as_one(void **state) {
  static const struct piece pieces[] = {PIECE("a"), PIECE(""), PIECE("bc")};
  for (size_t i = 0; i < COUNT_OF(hashes); i++) {
    struct digest digest;
    char hex[DIGEST_HEX_SIZE], base64[DIGEST_BASE64_SIZE];
    assert_true(digest_of(hashes[i].kind, pieces, COUNT_OF(pieces), &digest));
    digest_hex(&digest, hex);
    digest_base64(&digest, base64);
    assert_string_equal(hex, hashes[i].hex);
    assert_string_equal(base64, hashes[i].base64);
  }
}

// RFC 2202 and RFC 4231, second case each.
static void test_hmac(void **state) {
  static const struct piece pieces[] = {PIECE("what do ya want "), PIECE("for nothing?")};
  static const char *const expected[] = {
      [DIGEST_SHA1] = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
      [DIGEST_SHA256] = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      [DIGEST_SHA384] =
          "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
      [DIGEST_SHA512] =
          ("164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d03"
           "4f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737")};
  for (size_t i = 0; i < COUNT_OF(expected); i++) {
    struct digest digest;
    char hex[DIGEST_HEX_SIZE];
    assert_true(
        digest_hmac((enum digest_kind)i, (struct piece)PIECE("Jefe"), pieces, COUNT_OF(pieces), &digest));
    digest_hex(&digest, hex);
    assert_string_equal(hex, expected[i]);
  }
}

// A thread's context is used again and again: nothing of the call before may show, its key least of all.
static void test_a_call_leaves_nothing_to_the_next(void **state) {
  struct digest first, again, other;
  const struct piece text = PIECE("text"), key = PIECE("key"), empty = PIECE("");
  for (enum digest_kind kind = DIGEST_SHA1; kind <= DIGEST_SHA512; kind++) {
    assert_true(digest_hmac(kind, key, &text, 1, &first));
    assert_false(digest_hmac(kind, (struct piece){NULL, 0}, &text, 1, &other));
    assert_true(digest_hmac(kind, empty, &text, 1, &other));
    assert_false(same(&first, &other));
    assert_true(digest_hmac(kind, key, &text, 1, &again));
    assert_true(same(&first, &again));
    assert_true(digest_of(kind, &text, 1, &first) && digest_of(kind, &key, 1, &other));
    assert_true(digest_of(kind, &text, 1, &again));
    assert_true(same(&first, &again) && !same(&first, &other));
  }
}

static void *digest_often(void *arg) {
  struct digest *expected = arg, digest;
  const struct piece text = PIECE("text"), key = PIECE("key");
  for (int i = 0; i < 1000; i++)
    if (!digest_hmac(DIGEST_SHA256, key, &text, 1, &digest) || !same(expected, &digest)) return NULL;
  return arg;
}

static void test_threads_have_contexts_of_their_own(void **state) {
  struct digest expected;
  const struct piece text = PIECE("text"), key = PIECE("key");
  pthread_t threads[4];
  void *good;
  assert_true(digest_hmac(DIGEST_SHA256, key, &text, 1, &expected));
  for (size_t i = 0; i < COUNT_OF(threads); i++) pthread_create(&threads[i], NULL, digest_often, &expected);
  for (size_t i = 0; i < COUNT_OF(threads); i++) {
    pthread_join(threads[i], &good);
    assert_ptr_equal(good, &expected);
  }
}

static void test_every_byte_and_the_length_count(void **state) {
  char a[40] = "1234567890123456789012345678901234567890", b[40];
  for (size_t i = 0; i < sizeof a; i++) {
    memcpy(b, a, sizeof a);
    assert_true(digest_same((struct piece){a, sizeof a}, (struct piece){b, sizeof b}));
    b[i] = (char)~b[i];
    assert_false(digest_same((struct piece){a, sizeof a}, (struct piece){b, sizeof b}));
    assert_false(digest_same((struct piece){a, sizeof a}, (struct piece){a, i}));
  }
}

static void test_texts(void **state) {
  assert_true(digest_same((struct piece)PIECE("same"), (struct piece)PIECE("same")));
  assert_true(digest_same((struct piece)PIECE(""), (struct piece)PIECE("")));
  assert_false(digest_same((struct piece)PIECE("same"), (struct piece)PIECE("sam")));
  assert_false(digest_same((struct piece)PIECE("same"), (struct piece)PIECE("same\0")));
  char lower[9] = "";
  digest_hex_lower(lower, "AFaf09GZ", 8);
  assert_string_equal(lower, "afaf09GZ");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pieces_are_hashed_as_one),
      cmocka_unit_test(test_hmac),
      cmocka_unit_test(test_a_call_leaves_nothing_to_the_next),
      cmocka_unit_test(test_threads_have_contexts_of_their_own),
      cmocka_unit_test(test_every_byte_and_the_length_count),
      cmocka_unit_test(test_texts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
