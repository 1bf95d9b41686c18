// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "processor/api/cursor.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define AT   "2026-01-12T02:00:03.123456Z"
#define UUID "0198c0de-0000-7000-8000-000000000001"

static void assert_refused(const char *list, enum cursor_keys keys, const char *text) {
  struct cursor cursor;
  print_message("%s\n", text);
  assert_false(cursor_decode(list, keys, text, &cursor));
  cursor_fini(&cursor);
}

static void test_what_was_encoded_is_decoded(void **state) {
  static const char *const ids[] = {"a", "ab", "abc", "\"\\/?&=+ %", "번호-1", ""};
  for (size_t i = 0; i < COUNT_OF(ids); i++) {
    struct cursor cursor;
    AUTO_FREE char *text = cursor_encode("/v1/x", AT, "bizgo", ids[i]);
    assert_int_equal(text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")],
                     0);
    assert_true(cursor_decode("/v1/x", CURSOR_NAMES, text, &cursor));
    assert_string_equal(cursor.at, AT);
    assert_true(cursor.at_ms == 1768183203123);
    assert_string_equal(cursor.keys[0], "bizgo");
    assert_string_equal(cursor.keys[1], ids[i]);
    cursor_fini(&cursor);
  }
}

static void test_a_longest_id_fits(void **state) {
  struct cursor cursor;
  char id[256] = {0};
  memset(id, 1, 255); // a control character is six characters in JSON
  AUTO_FREE char *widest = cursor_encode("/v1/notifications", AT, "a-provider-of-thirty-two-letters", id);
  assert_true(strlen(widest) > CURSOR_TEXT_MAX); // but ids have none
  memset(id, '"', 255);
  AUTO_FREE char *text = cursor_encode("/v1/notifications", AT, "a-provider-of-thirty-two-letters", id);
  assert_true(cursor_decode("/v1/notifications", CURSOR_NAMES, text, &cursor));
  cursor_fini(&cursor);
}

static void test_a_cursor_of_a_uuid(void **state) {
  struct cursor cursor;
  AUTO_FREE char *text = cursor_encode("/v1/x", AT, UUID, NULL);
  assert_true(cursor_decode("/v1/x", CURSOR_UUID, text, &cursor));
  assert_string_equal(cursor.keys[0], UUID);
  assert_null(cursor.keys[1]);
  cursor_fini(&cursor);
}

static void test_a_cursor_of_a_place(void **state) {
  static const char *const wrong[][2] = {
      {"-1", "0"},   {"0", ""}, {"0", "1.5"}, {"1234567890", "0"}, {"0", "1234567890123456789"},
      {"bizgo", "a"}};
  struct cursor cursor;
  AUTO_FREE char *text = cursor_encode("/v1/x", AT, "12", "345678901234567890");
  assert_true(cursor_decode("/v1/x", CURSOR_PLACE, text, &cursor));
  assert_string_equal(cursor.keys[1], "345678901234567890");
  cursor_fini(&cursor);
  for (size_t i = 0; i < COUNT_OF(wrong); i++) {
    AUTO_FREE char *other = cursor_encode("/v1/x", AT, wrong[i][0], wrong[i][1]);
    assert_refused("/v1/x", CURSOR_PLACE, other);
  }
}

static void test_a_cursor_of_another_list_or_kind_is_refused(void **state) {
  AUTO_FREE char *names = cursor_encode("/v1/x", AT, "bizgo", "a"),
                 *uuid = cursor_encode("/v1/x", AT, UUID, NULL);
  assert_refused("/v1/y", CURSOR_NAMES, names);
  assert_refused("/v1/x", CURSOR_UUID, names);
  assert_refused("/v1/x", CURSOR_NAMES, uuid);
}

// Postgres would not read them.
static void test_a_time_or_a_uuid_that_is_none_is_refused(void **state) {
  AUTO_FREE char *time = cursor_encode("/v1/x", "infinity", "bizgo", "a");
  AUTO_FREE char *uuid = cursor_encode("/v1/x", AT, "bizgo", NULL);
  AUTO_FREE char *control = cursor_encode("/v1/x", AT, "bizgo", "a\nb");
  assert_refused("/v1/x", CURSOR_NAMES, time);
  assert_refused("/v1/x", CURSOR_UUID, uuid);
  assert_refused("/v1/x", CURSOR_NAMES, control);
}

static void test_any_other_text_is_refused(void **state) {
  static const char *const texts[] = {"",     "A",    "AA",     "AAA",        "AAAA", "=",    "W10",
                                      "W10=", "W1sx", "bnVsbA", "eyJhIjoxfQ", "!!!!", "+/+/", "WzEsMiwzLDRd"};
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    assert_refused("/v1/x", CURSOR_NAMES, texts[i]);
    assert_refused("/v1/x", CURSOR_UUID, texts[i]);
  }
}

static void test_no_part_of_a_cursor_is_taken_for_a_whole_one(void **state) {
  AUTO_FREE char *text = cursor_encode("/v1/x", AT, "bizgo", "a");
  for (size_t len = strlen(text) - 1; len > 0; len--) {
    text[len] = '\0';
    assert_refused("/v1/x", CURSOR_NAMES, text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_was_encoded_is_decoded),
                                     cmocka_unit_test(test_a_longest_id_fits),
                                     cmocka_unit_test(test_a_cursor_of_a_uuid),
                                     cmocka_unit_test(test_a_cursor_of_a_place),
                                     cmocka_unit_test(test_a_cursor_of_another_list_or_kind_is_refused),
                                     cmocka_unit_test(test_a_time_or_a_uuid_that_is_none_is_refused),
                                     cmocka_unit_test(test_any_other_text_is_refused),
                                     cmocka_unit_test(test_no_part_of_a_cursor_is_taken_for_a_whole_one)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
