// SPDX-License-Identifier: MIT
// What stands behind a command's name.
#include "common/base/mem.h"
#include "processor/commands/flags.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

// argv is writable by the standard; nobody writes to what it points to.
static void copy_argv(char **argv, const char *const *texts, size_t n) {
  for (size_t i = 0; i < n; i++) argv[i] = (char *)(uintptr_t)texts[i];
}

static void test_flags_and_words_stand_in_any_order(void **state) {
  static const char *const texts[] = {"quarantine", "list",      "--provider", "blux",
                                      "0:7",        "--limit=3", "--dry-run",  "1:2"};
  char *argv[COUNT_OF(texts)];
  copy_argv(argv, texts, COUNT_OF(texts));
  const char *provider = NULL, *limit = NULL, *reason = NULL;
  bool dry_run = false;
  size_t words = 0;
  struct err err = {0};
  const struct flag flags[] = {{"--provider", &provider, NULL},
                               {"--limit", &limit, NULL},
                               {"--reason", &reason, NULL},
                               {"--dry-run", NULL, &dry_run}};
  assert_true(flags_read(COUNT_OF(argv), argv, flags, COUNT_OF(flags), &words, &err));
  assert_string_equal(provider, "blux");
  assert_string_equal(limit, "3");
  assert_null(reason);
  assert_true(dry_run);
  assert_int_equal(words, 3);
  assert_string_equal(argv[1], "list");
  assert_string_equal(argv[2], "0:7");
  assert_string_equal(argv[3], "1:2");
}

static void test_what_is_not_understood_is_named(void **state) {
  static const struct {
    const char *argument, *then, *part;
  } cases[] = {
      {"--colour", NULL, "\"--colour\""},
      {"--limit", NULL, "--limit: needs a value"},
      {"--dry-run=no", NULL, "\"--dry-run=no\""},
      {"--limit=1", "--limit=2", "--limit: given twice"},
      {"--lim", NULL, "\"--lim\""},
      {"-", NULL, "\"-\""},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    const char *const texts[] = {"replay", cases[i].argument, cases[i].then};
    char *argv[COUNT_OF(texts)];
    copy_argv(argv, texts, COUNT_OF(texts));
    const char *limit = NULL;
    bool dry_run = false;
    size_t words = 0;
    struct err err = {0};
    const struct flag flags[] = {{"--limit", &limit, NULL}, {"--dry-run", NULL, &dry_run}};
    assert_false(flags_read(cases[i].then ? 3 : 2, argv, flags, COUNT_OF(flags), &words, &err));
    assert_non_null(strstr(err.text, cases[i].part));
  }
}

static void test_a_time_is_utc_unless_it_says_otherwise(void **state) {
  static const struct {
    const char *text;
    int64_t value;
  } cases[] = {
      {"1970-01-01T09:00:01+09:00", 1000},
      {"1970-01-01T00:00:01.5Z", 1500},
      {"1970-01-01 00:00:01", 1000},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    int64_t at = 7;
    assert_true(flags_time(cases[i].text, &at, NULL));
    assert_int_equal(at, cases[i].value);
  }
  static const char *const bad[] = {"", "0", "17", "end", "yesterday", "2026-01-12"};
  int64_t at = 7;
  struct err err = {0};
  for (size_t i = 0; i < COUNT_OF(bad); i++) assert_false(flags_time(bad[i], &at, &err));
  assert_true(flags_time(NULL, &at, &err));
  assert_int_equal(at, 7);
}

static void test_a_number_has_a_least(void **state) {
  int64_t number = 7;
  assert_true(flags_number(NULL, 1, &number, NULL));
  assert_int_equal(number, 7);
  assert_true(flags_number("1", 1, &number, NULL));
  assert_int_equal(number, 1);
  assert_false(flags_number("0", 1, &number, NULL));
  assert_false(flags_number("+1", 1, &number, NULL));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_flags_and_words_stand_in_any_order),
      cmocka_unit_test(test_what_is_not_understood_is_named),
      cmocka_unit_test(test_a_time_is_utc_unless_it_says_otherwise),
      cmocka_unit_test(test_a_number_has_a_least),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
