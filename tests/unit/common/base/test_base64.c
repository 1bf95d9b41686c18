// SPDX-License-Identifier: MIT
#include "common/base/base64.h"
#include "common/base/mem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
  const char *text, *padded, *url; // NULL: refused
} rows[] = {
    // RFC 4648, section 10
    {"Zg==", "f", NULL},
    {"Zm8=", "fo", NULL},
    {"Zm9v", "foo", "foo"},
    {"Zm9vYg", NULL, "foob"},
    {"Zm9vYmE", NULL, "fooba"},
    {"Zm9vYmFy", "foobar", "foobar"},
    {"+/+/", "\xfb\xff\xbf", NULL},
    {"-_-_", NULL, "\xfb\xff\xbf"},
    {"", NULL, NULL},
    {"Z", NULL, NULL},
    {"Zm9vY", NULL, NULL},
    {"Zh==", NULL, NULL}, // bits behind the last byte
    {"Zh", NULL, NULL},
    {"Zg=", NULL, NULL},
    {"Zg", NULL, "f"},
    {"====", NULL, NULL},
    {"Z===", NULL, NULL},
    {"Zm9v\n", NULL, NULL},
    {" Zm9v", NULL, NULL},
    {"Zm 9", NULL, NULL},
    {"Zg==Zg==", NULL, NULL},
    {"Zm9*", NULL, NULL},
    {"\xc3\xa4", NULL, NULL},
};

static void check(enum base64_form form, const char *text, const char *expected) {
  size_t len = 99;
  AUTO_FREE char *bytes = base64_read(form, text, strlen(text), &len);
  if (!bytes != !expected) fail_msg("\"%s\" in form %d", text, (int)form);
  if (expected) assert_int_equal(len, strlen(expected));
  if (expected) assert_string_equal(bytes, expected);
}

static void test_only_what_would_be_written_so_is_read(void **state) {
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    check(BASE64_PADDED, rows[i].text, rows[i].padded);
    check(BASE64_URL, rows[i].text, rows[i].url);
  }
}

static void test_a_nul_is_no_end(void **state) {
  size_t len;
  assert_null(base64_read(BASE64_PADDED, "Zm9v\0m9v", 8, &len));
  AUTO_FREE char *bytes = base64_read(BASE64_PADDED, "AAAA", 4, &len);
  assert_non_null(bytes);
  assert_int_equal(len, 3);
}

static void test_what_is_written_is_read_again(void **state) {
  static const char bytes[] = {(char)0xfb, (char)0xff, 'a', 0};
  static const char *const texts[] = {"", "-w", "-_8", "-_9h", "-_9hAA"};
  for (size_t len = 0; len <= sizeof bytes; len++) {
    size_t read_len = 0;
    AUTO_FREE char *text = base64_url(bytes, len);
    assert_string_equal(text, texts[len]);
    AUTO_FREE char *again = base64_read(BASE64_URL, text, strlen(text), &read_len);
    assert_int_equal(read_len, len);
    if (again) assert_memory_equal(again, bytes, len);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_is_written_is_read_again),
      cmocka_unit_test(test_only_what_would_be_written_so_is_read),
      cmocka_unit_test(test_a_nul_is_no_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
