// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "common/base/utf8.h"
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
  const char *text;
  size_t len; // of the character, 0: ill-formed
  uint32_t code;
} characters[] = {
    {"a", 1, 'a'},
    {"\x7f", 1, 0x7f},
    {"\xc2\x80", 2, 0x80},
    {"\xdf\xbf", 2, 0x7ff},
    {"\xe0\xa0\x80", 3, 0x800},
    {"\xed\x9f\xbf", 3, 0xd7ff},
    {"\xee\x80\x80", 3, 0xe000},
    {"\xef\xbf\xbf", 3, 0xffff},
    {"\xf0\x90\x80\x80", 4, 0x10000},
    {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
    {"\x80", 0, 0},
    {"\xc0\x80", 0, 0},
    {"\xc1\xbf", 0, 0},
    {"\xe0\x9f\xbf", 0, 0},
    {"\xed\xa0\x80", 0, 0},
    {"\xed\xbf\xbf", 0, 0},
    {"\xf0\x8f\xbf\xbf", 0, 0},
    {"\xf4\x90\x80\x80", 0, 0},
    {"\xf8\x88\x80\x80\x80", 0, 0},
    {"\xff", 0, 0},
    {"\xc3", 0, 0},
    {"\xc3\x28", 0, 0},
    {"\xe2\x80", 0, 0},
    {"\xe2\x28\xa1", 0, 0},
};

static void test_characters_are_those_of_the_specification(void **state) {
  for (size_t i = 0; i < COUNT_OF(characters); i++) {
    const char *text = characters[i].text;
    size_t len = strlen(text);
    uint32_t code = 0;
    assert_int_equal(utf8_decode(text, text + len, &code), characters[i].len);
    assert_int_equal(code, characters[i].code);
    AUTO_FREE char *within = mem_printf("수%s신", text);
    assert_int_equal(utf8_ok(within, strlen(within)), characters[i].len > 0);
    assert_int_equal(utf8_ok(text, len), characters[i].len > 0);
  }
  assert_true(utf8_ok("", 0));
}

static void test_a_cut_is_between_characters(void **state) {
  static const size_t bytes[] = {0, 1, 1, 1, 4, 4, 4, 7, 8, 8, 8}; // of "a신번b", by the most that is wanted
  for (size_t max = 0; max < COUNT_OF(bytes); max++) assert_int_equal(utf8_cut("a신번b", max), bytes[max]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_characters_are_those_of_the_specification),
      cmocka_unit_test(test_a_cut_is_between_characters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
