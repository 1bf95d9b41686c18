// SPDX-License-Identifier: MIT
#include "common/base/file.h"
#include "common/base/mem.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_a_file_is_read_whole_or_not_at_all(void **state) {
  static const struct {
    size_t max_bytes;
    const char *error;
  } rows[] = {{6, NULL}, {5, NULL}, {4, "expected 4 bytes at most"}, {0, "expected 0 bytes at most"}};
  char path[] = "/tmp/dochak-file-XXXXXX";
  int fd = mkstemp(path);
  assert_int_equal(write(fd, "ab\0c\n", 5), 5);
  close(fd);
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct err err = {0};
    size_t len;
    AUTO_FREE char *text = file_read(path, rows[i].max_bytes, &len, &err);
    assert_int_equal(!text, !!rows[i].error);
    assert_string_equal(err.text, rows[i].error ? rows[i].error : "");
    if (!text) continue;
    assert_int_equal(len, 5);
    assert_memory_equal(text, "ab\0c\n", 6);
  }
  unlink(path);
}

static void test_what_cannot_be_read_says_why(void **state) {
  static const char *const rows[][2] = {{"/nowhere/x", "No such file or directory"},
                                        {"/tmp", "Is a directory"}};
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct err err = {0};
    size_t len;
    assert_null(file_read(rows[i][0], 10, &len, &err));
    assert_string_equal(err.text, rows[i][1]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_file_is_read_whole_or_not_at_all),
      cmocka_unit_test(test_what_cannot_be_read_says_why),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
