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
  const char *provider = NULL, *reason = NULL;
  int64_t limit = 0;
  bool dry_run = false;
  size_t words = 0;
  struct err err = {0};
  struct flag flags[] = {{"--provider", FLAG_TEXT, &provider, NULL},
                         {"--limit", FLAG_NUMBER, &limit, NULL},
                         {"--reason", FLAG_TEXT, &reason, NULL},
                         {"--dry-run", FLAG_SWITCH, &dry_run, NULL}};
  assert_true(flags_read(COUNT_OF(argv), argv, flags, COUNT_OF(flags), &words, &err));
  assert_string_equal(provider, "blux");
  assert_int_equal(limit, 3);
  assert_string_equal(flags[1].given, "3");
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
      {"everything", NULL, "\"everything\""},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    const char *const texts[] = {"replay", cases[i].argument, cases[i].then};
    char *argv[COUNT_OF(texts)];
    copy_argv(argv, texts, COUNT_OF(texts));
    int64_t limit = 0;
    bool dry_run = false;
    struct err err = {0};
    struct flag flags[] = {{"--limit", FLAG_NUMBER, &limit, NULL},
                           {"--dry-run", FLAG_SWITCH, &dry_run, NULL}};
    assert_false(flags_read(cases[i].then ? 3 : 2, argv, flags, COUNT_OF(flags), NULL, &err));
    assert_non_null(strstr(err.text, cases[i].part));
  }
}

// The one flag "--x" with that value; NULL: it is not given.
static bool read_one(enum flag_type type, const char *value, int64_t *out, struct err *err) {
  const char *const texts[] = {"replay", "--x", value};
  char *argv[COUNT_OF(texts)];
  copy_argv(argv, texts, COUNT_OF(texts));
  struct flag flag = {"--x", type, out, NULL};
  return flags_read(value ? 3 : 1, argv, &flag, 1, NULL, err);
}

static void test_a_time_is_utc_unless_it_says_otherwise(void **state) {
  static const struct {
    const char *text;
    int64_t value;
  } cases[] = {
      {"1970-01-01T09:00:01+09:00", 1000},
      {"1970-01-01T00:00:01.5Z", 1500},
      {"1970-01-01 00:00:01", 1000},
      {"beginning", INT64_MIN},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    int64_t at = 7;
    assert_true(read_one(FLAG_SINCE, cases[i].text, &at, NULL));
    assert_int_equal(at, cases[i].value);
  }
  static const char *const bad[] = {"", "0", "17", "end", "yesterday", "2026-01-12", "beginning"};
  int64_t at = 7;
  struct err err = {0};
  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    assert_false(read_one(FLAG_TIME, bad[i], &at, &err));
    assert_memory_equal(err.text, "--x: \"", 6);
  }
  assert_true(read_one(FLAG_TIME, NULL, &at, &err));
  assert_int_equal(at, 7);
}

static void test_a_number_has_a_least(void **state) {
  int64_t number = 7;
  assert_true(read_one(FLAG_NUMBER, NULL, &number, NULL));
  assert_int_equal(number, 7);
  assert_true(read_one(FLAG_NUMBER, "1", &number, NULL));
  assert_int_equal(number, 1);
  assert_false(read_one(FLAG_NUMBER, "0", &number, NULL));
  assert_false(read_one(FLAG_NUMBER, "+1", &number, NULL));
}

static void test_some_flags_may_be_given_several_times(void **state) {
  char *argv[2 * FLAG_TEXTS_MAX + 4];
  struct err err;
  for (size_t n = 0; n <= FLAG_TEXTS_MAX + 1; n++) {
    struct flag_texts texts = {0};
    struct flag flags[] = {{"--header", FLAG_TEXTS, &texts, NULL}};
    const char *const pair[] = {"--header", "A: 1"};
    copy_argv(argv, (const char *const[]){"explain"}, 1);
    for (size_t i = 0; i < n; i++) copy_argv(argv + 1 + 2 * i, pair, 2);
    bool good = flags_read((int)(1 + 2 * n), argv, flags, 1, NULL, &err);
    assert_int_equal(good, n <= FLAG_TEXTS_MAX);
    if (good) assert_int_equal(texts.n, n);
    if (good && n) assert_string_equal(texts.list[n - 1], "A: 1");
    if (!good) assert_string_equal(err.text, "--header: given more than 16 times");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_some_flags_may_be_given_several_times),
      cmocka_unit_test(test_flags_and_words_stand_in_any_order),
      cmocka_unit_test(test_what_is_not_understood_is_named),
      cmocka_unit_test(test_a_time_is_utc_unless_it_says_otherwise),
      cmocka_unit_test(test_a_number_has_a_least),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
