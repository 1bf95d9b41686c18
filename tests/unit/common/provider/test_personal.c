// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "common/provider/personal.h"
#include "tests/unit/support/guarded.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
  const char *recipient, *masked;
} recipients[] = {
    {"+821012345678", "+8210****5678"},
    {"01012345678", "010****5678"},
    {"010-1234-5678", "010****5678"},
    {"+82 10-1234-5678", "+8210****5678"},
    {"(02) 123-4567", "0****4567"},
    {"15881234", "****1234"},
    {"1588123", "***"},
    {"114", "***"},
    {"12345678901234567890", "1234****7890"},
    {"０１０１２３４５６７８", "010****5678"},
    {"０１０－１２３４－５６７８", "010****5678"},
    {"＋８２　（０）１０ 1234 5678", "+8201****5678"},
    {"tel:+82-10-1234-5678", "+8210****5678"},
    {"whatsapp:+821012345678", "+8210****5678"},
    {" TEL: 01012345678\n", "010****5678"},
    {"ｔｅｌ：01012345678", "010****5678"},
    {"tel:ann", "***"},
    {"tel:", "***"},
    {"tel:tel:01012345678", "***"},
    {"ann@x.kr", "a***@x.kr"},
    {"a@x.kr", "a***@x.kr"},
    {"Ann.Lee+news@mail.example.com", "A***@mail.example.com"},
    {"안@x.kr", "***@x.kr"},
    {"01012345678@01012345678.com", "0***@010****5678.com"},
    {"ann@x.kr, 01012345678", "***"},
    {"Ann <ann@x.kr>", "***"},
    {"@x.kr", "***"},
    {"ann@", "***"},
    {"ann", "***"},
    {"user-01012345678", "***"},
    {"", "***"},
    {"\xff\xfe", "***"},
    {"010한12345678", "***"}, // only a dash or a space stands between digits
    {"010/1234/5678", "***"},
    {"010_1234_5678", "***"},
    {"+", "***"},
};

static void test_recipients_are_masked(void **state) {
  for (size_t i = 0; i < COUNT_OF(recipients); i++) {
    AUTO_FREE char *masked = personal_mask(recipients[i].recipient);
    assert_string_equal(masked, recipients[i].masked);
  }
}

static const struct {
  const char *text, *masked;
} texts[] = {
    {"", ""},
    {"no route to the handset", "no route to the handset"},
    {"code 64008, retry 3 of 5", "code 64008, retry 3 of 5"},
    {"to 01012345678: blocked", "to 010****5678: blocked"},
    {"수신자(010-1234-5678)님", "수신자(010****5678)님"},
    {"+82 10 1234 5678 and 010 1234 5678", "+8210****5678 and 010****5678"},
    {"010 - 1234 - 5678.", "010****5678."},
    {"12345678", "12345678"},
    {"123456789", "1****6789"},
    {"x123456789y", "x1****6789y"},
    {"mail ann.lee+1@x.kr로", "mail a***@x.kr로"},
    {"ann@x.kr,bob@y.kr;<c@z.kr>", "a***@x.kr,b***@y.kr;<c***@z.kr>"},
    {"12345678 9ann@x.kr", "1****6789a***@x.kr"},
    {"a @ b", "a @ b"},
    {"1588-1234 or 1544-5678", "1588-1234 or 1544-5678"},
    {"- - - 1 - - -", "- - - 1 - - -"},
    {"\xff"
     "01012345678\xff",
     "\xff"
     "010****5678\xff"},
    {"to 010.1234.5678.", "to 010****5678."},
    {"(010) 1234-5678", "(010****5678"},
    {"+82(0)10-1234-5678", "+8201****5678"},
    {"010/1234/5678, 010_1234_5678", "010****5678, 010****5678"},
    {"010–1234—5678", "010****5678"},
    {"010‐1234‑5678 010‒1234―5678", "0101****5678"},
    {"010−1234－5678", "010****5678"},
    {"010\xc2\xa0"
     "1234　5678",
     "010****5678"},
    {"０１０１２３４５６７８로", "０１０****５６７８로"},
    {"０10-1２34-567８", "０10****567８"},
    {"０１０９９９９９９９９", "０１０****９９９９"},
    {"010\xe2\x80"
     "12345678",
     "010\xe2\x80"
     "12345678"},
    {"at 2026-05-11T10:23:45 and 2026/05/11", "at 2026-05-11T10:23:45 and 2026/05/11"},
    {"v1.2.3 (4) 5/6_7", "v1.2.3 (4) 5/6_7"},
    {"12345....6789", "12345....6789"},
};

static void test_what_is_personal_in_a_text_is_masked_and_the_rest_kept(void **state) {
  struct guarded guarded;
  guarded_init(&guarded);
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    const char *text = guarded_copy(&guarded, texts[i].text, strlen(texts[i].text) + 1);
    AUTO_FREE char *masked = personal_mask_text(text);
    assert_string_equal(masked, texts[i].masked);
  }
  guarded_fini(&guarded);
}

// Longer than RFC 5321 allows it is no address, and none begins in its middle.
static void test_an_address_has_256_bytes_before_its_sign_at_most(void **state) {
  for (int len = 256; len <= 257; len++) {
    AUTO_FREE char *text = mem_printf("to %0*d@x.kr", len, 0);
    memset(text + 3, 'a', (size_t)len);
    AUTO_FREE char *masked = personal_mask_text(text);
    assert_string_equal(masked, len == 256 ? "to a***@x.kr" : text);
  }
}

static size_t longest_run(const char *text) {
  size_t longest = 0, run = 0;
  for (; *text; text++) {
    run = *text >= '0' && *text <= '9' ? run + 1 : 0;
    if (run > longest) longest = run;
  }
  return longest;
}

// Over many small texts of digits and what stands between them; the generator is seeded, so a failure comes
// again.
static void test_nine_digits_in_a_row_never_remain(void **state) {
  static const char alphabet[] = "00123456789 -+@.ax/_()";
  unsigned seed = 1;
  for (int round = 0; round < 20000; round++) {
    char text[48];
    size_t len = (size_t)rand_r(&seed) % (sizeof text - 1);
    for (size_t i = 0; i < len; i++) text[i] = alphabet[(size_t)rand_r(&seed) % (sizeof alphabet - 1)];
    text[len] = '\0';
    AUTO_FREE char *masked_text = personal_mask_text(text);
    AUTO_FREE char *masked = personal_mask(text);
    if (longest_run(masked_text) >= 9 || longest_run(masked) >= 9)
      fail_msg("%s: %s, %s", text, masked_text, masked);
  }
}

static void test_long_texts_take_linear_time(void **state) {
  static const char *const units[] = {"1a", "a", "1", "- ", "+", "a@", "1 ", "１", "–", "1–"};
  for (size_t unit = 0; unit < COUNT_OF(units); unit++) {
    AUTO_FREE char *text = mem_alloc(100000 + 8);
    for (char *at = text; at < text + 100000;) at = stpcpy(at, units[unit]);
    AUTO_FREE char *masked = personal_mask_text(text);
    assert_true(strlen(masked) > 0);
  }
}

static bool same_hash(const char *key_a, const char *a, const char *key_b, const char *b) {
  uint8_t hash_a[PERSONAL_HASH_SIZE], hash_b[PERSONAL_HASH_SIZE];
  personal_hash(key_a, a, hash_a);
  personal_hash(key_b, b, hash_b);
  return memcmp(hash_a, hash_b, sizeof hash_a) == 0;
}

static void test_one_recipient_has_one_hash_however_it_is_written(void **state) {
  static const struct {
    const char *a, *b;
    bool same;
  } pairs[] = {
      {"+821012345678", "01012345678", true},
      {"+821012345678", "010-1234-5678", true},
      {"+821012345678", "821012345678", true},
      {"+821012345678", "+82 (0)10 1234 5678", true},
      {"+821012345678", "0082 10 1234 5678", true},
      {"+821012345678", " +82 10-1234-5678\n", true},
      {"+821012345678", "０１０１２３４５６７８", true},
      {"+821012345678", "０10－1234–5678", true},
      {"+821012345678", "＋８２　１０ １２３４ ５６７８", true},
      {"+821012345678", "tel:+82-10-1234-5678", true},
      {"+821012345678", "WhatsApp:+821012345678", true},
      {"+821012345678", "tel:０１０１２３４５６７８", true},
      {"tel:ann", "ann", false},
      {"ａｎｎ", "ann", false},
      {"Ann@X.kr", "ann@x.kr", true},
      {"ABYZ@X.KR", "abyz@x.kr", true},
      {"+821012345678", "+821012345679", false},
      {"+821012345678", "+811012345678", false},
      {"ann@x.kr", "ann@y.kr", false},
      {"user-1", "user-2", false},
      {"user-1", "other-1", false},
      {"", "0", false},
  };
  for (size_t i = 0; i < COUNT_OF(pairs); i++)
    if (same_hash("key", pairs[i].a, "key", pairs[i].b) != pairs[i].same)
      fail_msg("%s, %s", pairs[i].a, pairs[i].b);
}

static void test_another_key_is_another_hash(void **state) {
  assert_false(same_hash("key", "01012345678", "yek", "01012345678"));
}

// HMAC-SHA256("key", "+821012345678"), by another program. Stored hashes must stay findable.
static void test_hashes_stay_what_they_were(void **state) {
  static const uint8_t expected[PERSONAL_HASH_SIZE] = {
      0xc8, 0xa7, 0x49, 0xb4, 0x6c, 0x38, 0xc7, 0x39, 0x11, 0xcb, 0xd2, 0x76, 0x4a, 0x16, 0xd1, 0x40,
      0xc9, 0x61, 0x3d, 0x08, 0xe3, 0x41, 0xb3, 0x58, 0x29, 0x24, 0x2a, 0xd1, 0xd6, 0x1c, 0x8c, 0x61};
  uint8_t hash[PERSONAL_HASH_SIZE];
  personal_hash("key", "010-1234-5678", hash);
  assert_memory_equal(hash, expected, sizeof hash);
}

static void test_a_tag_is_the_first_eight_bytes_of_a_hash(void **state) {
  char tag[PERSONAL_TAG_SIZE + 1];
  memset(tag, 'x', sizeof tag);
  personal_tag("010-1234-5678", tag);
  assert_string_equal(tag, "2efdd01fdf56e3f0");
  assert_int_equal(tag[PERSONAL_TAG_SIZE], 'x'); // is not the tag's
}

static void test_two_masked_recipients_differ_only_for_sure(void **state) {
  static const struct {
    const char *a, *b;
    bool differ;
  } pairs[] = {
      {"010****5678", "010****4321", true},
      {"010****5678", "+8210****4321", true},
      {"010****5678", "+8210****5678", false},
      {"010****5678", "****5678", false},
      {"a***@x.kr", "b***@x.kr", true},
      {"a***@x.kr", "a***@y.kr", true},
      {"a***@x.kr", "A***@X.kr", false},
      {"***", "010****5678", false},
      {"a***@x.kr", "010****5678", false},
      {"***", "***", false},
      {"5678", "4321", true},
      {"678", "4321", false},
      {"", "010****5678", false},
  };
  for (size_t i = 0; i < COUNT_OF(pairs); i++)
    if (personal_differ(pairs[i].a, pairs[i].b) != pairs[i].differ ||
        personal_differ(pairs[i].b, pairs[i].a) != pairs[i].differ)
      fail_msg("%s, %s", pairs[i].a, pairs[i].b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_recipients_are_masked),
      cmocka_unit_test(test_what_is_personal_in_a_text_is_masked_and_the_rest_kept),
      cmocka_unit_test(test_an_address_has_256_bytes_before_its_sign_at_most),
      cmocka_unit_test(test_nine_digits_in_a_row_never_remain),
      cmocka_unit_test(test_long_texts_take_linear_time),
      cmocka_unit_test(test_one_recipient_has_one_hash_however_it_is_written),
      cmocka_unit_test(test_two_masked_recipients_differ_only_for_sure),
      cmocka_unit_test(test_a_tag_is_the_first_eight_bytes_of_a_hash),
      cmocka_unit_test(test_another_key_is_another_hash),
      cmocka_unit_test(test_hashes_stay_what_they_were),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
