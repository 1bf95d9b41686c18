// SPDX-License-Identifier: MIT
// The bytes Postgres expects; that it really takes them is shown by the integration tests.
#include "processor/postgres/pgarray.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_a_text_array_has_header_lengths_and_nulls(void **state) {
  static const char expected[] =
      "\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\3\0\0\0\1" // 1-d, nulls, text, 3 rows, from 1
      "\0\0\0\2ab"
      "\xff\xff\xff\xff"
      "\0\0\0\0";
  struct pgarray a;
  pgarray_init(&a, PG_TEXT);
  pgarray_add_text(&a, "ab");
  pgarray_add_text(&a, NULL);
  pgarray_add_text(&a, "");
  pgarray_finish(&a);
  assert_int_equal(a.len, sizeof expected - 1);
  assert_memory_equal(a.bytes, expected, a.len);
  pgarray_fini(&a);
}

static void test_the_rows_of_a_copy_have_signature_counts_and_an_end(void **state) {
  static const char expected[] = "PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0"
                                 "\0\2\0\0\0\2ab\xff\xff\xff\xff"
                                 "\0\1\0\0\0\4\0\0\0\7"
                                 "\xff\xff";
  struct pgarray a;
  pgarray_copy_begin(&a);
  pgarray_copy_row(&a, 2);
  pgarray_add_text(&a, "ab");
  pgarray_add_null(&a);
  pgarray_copy_row(&a, 1);
  pgarray_add_int4(&a, 7);
  pgarray_copy_end(&a);
  assert_int_equal(a.len, sizeof expected - 1);
  assert_memory_equal(a.bytes, expected, a.len);
  pgarray_fini(&a);
}

static void test_jsonb_carries_its_version(void **state) {
  struct pgarray a;
  pgarray_init(&a, PG_JSONB);
  pgarray_add_jsonb(&a, "{}");
  pgarray_finish(&a);
  assert_memory_equal(a.bytes + 20, "\0\0\0\3\1{}", 7);
  pgarray_fini(&a);
}

static void test_times_survive_the_way_there_and_back(void **state) {
  static const int64_t times[] = {0, 946684800000, 1768183203123};
  struct pgarray a;
  pgarray_init(&a, PG_TIMESTAMPTZ);
  for (size_t i = 0; i < 3; i++) pgarray_add_time(&a, times[i]);
  pgarray_add_time(&a, INT64_MIN);
  pgarray_finish(&a);
  for (size_t i = 0; i < 3; i++) assert_true(pgvalue_time(a.bytes + 20 + i * 12 + 4) == times[i]);
  assert_memory_equal(a.bytes + 20 + 36, "\xff\xff\xff\xff", 4);
  pgarray_fini(&a);
}

static void test_an_array_grows_past_its_first_buffer(void **state) {
  struct pgarray a;
  pgarray_init(&a, PG_INT8);
  for (int64_t i = 0; i < 1000; i++) pgarray_add_int8(&a, i);
  pgarray_finish(&a);
  assert_int_equal(a.len, 20 + 1000 * 12);
  assert_true(pgvalue_int8(a.bytes + 20 + 999 * 12 + 4) == 999);
  pgarray_fini(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_text_array_has_header_lengths_and_nulls),
      cmocka_unit_test(test_the_rows_of_a_copy_have_signature_counts_and_an_end),
      cmocka_unit_test(test_jsonb_carries_its_version),
      cmocka_unit_test(test_times_survive_the_way_there_and_back),
      cmocka_unit_test(test_an_array_grows_past_its_first_buffer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
