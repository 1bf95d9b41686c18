// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "common/ops/form.h"
#include "tests/unit/support/guarded.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// "name=value;" for each pair.
static char *show(const struct form *form) {
  char *text = mem_strdup("");
  for (size_t i = 0; i < form->n; i++) {
    const struct form_pair *pair = &form->pairs[i];
    char *longer = mem_printf("%s%.*s=%.*s;", text, (int)pair->name.len, (const char *)pair->name.bytes,
                              (int)pair->value.len, (const char *)pair->value.bytes);
    free(text);
    text = longer;
  }
  return text;
}

static const struct {
  const char *text, *pairs, *sorted; // NULL: refused
} rows[] = {
    {"", "", ""},
    {"a=1", "a=1;", "a=1;"},
    {"a=1&b=2", "a=1;b=2;", "a=1;b=2;"},
    {"b=2&a=1", "b=2;a=1;", "a=1;b=2;"},
    {"a", "a=;", "a=;"},
    {"a=", "a=;", "a=;"},
    {"=a", "=a;", "=a;"},
    {"=", "=;", "=;"},
    {"&&a=1&&", "a=1;", "a=1;"},
    {"a=b=c", "a=b=c;", "a=b=c;"},
    {"a=1;b=2", "a=1;b=2;", "a=1;b=2;"}, // one pair: ';' separates nothing
    {"a=x+y&b+c=1", "a=x y;b c=1;", "a=x y;b c=1;"},
    {"a=%41%2b%2B%26%3d", "a=A++&=;", "a=A++&=;"},
    {"%61=1", "a=1;", "a=1;"},
    {"a=%ea%b0%80", "a=\xea\xb0\x80;", "a=\xea\xb0\x80;"},
    {"b=2&a=2&b=1&a=2&b=2", "b=2;a=2;b=1;a=2;b=2;", "a=2;b=1;b=2;"},
    {"ab=1&a=2&B=3", "ab=1;a=2;B=3;", "B=3;a=2;ab=1;"},
    {"%", NULL, NULL},
    {"a=%", NULL, NULL},
    {"a=%4", NULL, NULL},
    {"a=%4&b=1", NULL, NULL},
    {"a=%zz", NULL, NULL},
    {"a=%4g", NULL, NULL},
    {"%g4=1", NULL, NULL},
    {"a=%%41", NULL, NULL},
};

static void test_pairs_as_they_stand_and_sorted(void **state) {
  struct guarded guarded;
  guarded_init(&guarded);
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct form form;
    size_t len = strlen(rows[i].text);
    bool good = form_parse(&form, guarded_copy(&guarded, rows[i].text, len), len, FORM_PLUS_IS_SPACE);
    if (good != (rows[i].pairs != NULL)) fail_msg("%s", rows[i].text);
    if (!good) continue;
    AUTO_FREE char *pairs = show(&form);
    form_sort(&form);
    AUTO_FREE char *sorted = show(&form);
    form_fini(&form);
    assert_string_equal(pairs, rows[i].pairs);
    assert_string_equal(sorted, rows[i].sorted);
  }
  guarded_fini(&guarded);
}

static void test_only_one_of_a_name(void **state) {
  static const char text[] = "a=1&b=%00&b%00=3&c=4&c=5&d=+";
  struct form form;
  assert_true(form_parse(&form, text, sizeof text - 1, FORM_PLUS_IS_PLUS));
  assert_memory_equal(form_only(&form, "a")->bytes, "1", 1);
  assert_int_equal(form_only(&form, "b")->len, 1); // "b\0" is another name
  assert_null(form_only(&form, "c"));
  assert_null(form_only(&form, ""));
  assert_memory_equal(form_only(&form, "d")->bytes, "+", 1);
  form_fini(&form);
}

static void test_too_many_pairs_are_refused(void **state) {
  static char text[2 * (FORM_PAIRS_MAX + 1)];
  for (size_t i = 0; i < sizeof text; i += 2) memcpy(text + i, "a&", 2);
  struct form form;
  assert_true(form_parse(&form, text, 2 * FORM_PAIRS_MAX, FORM_PLUS_IS_SPACE));
  form_sort(&form);
  assert_int_equal(form.n, 1);
  form_fini(&form);
  assert_false(form_parse(&form, text, sizeof text, FORM_PLUS_IS_SPACE));
}

static void test_pairs_of_a_name_are_taken_out(void **state) {
  static const char *const pairs[][2] = {
      {"", ""},
      {"t=1", ""},
      {"t", ""},
      {"a=1&t=1&b=%32&t=3", "a=1&b=%32"},
      {"%74=1&a", "a"},
      {"T=1&tt=1", "T=1&tt=1"},
      {"a=t&=t", "a=t&=t"},
      {"%=1&t%zz=1&t=%zz", "%=1&t%zz=1"},
  };
  for (size_t i = 0; i < COUNT_OF(pairs); i++) {
    AUTO_FREE char *left = form_without(pairs[i][0], "t");
    assert_string_equal(left, pairs[i][1]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pairs_of_a_name_are_taken_out),
      cmocka_unit_test(test_pairs_as_they_stand_and_sorted),
      cmocka_unit_test(test_only_one_of_a_name),
      cmocka_unit_test(test_too_many_pairs_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
