// SPDX-License-Identifier: MIT
// What every migration promises to the programs of the version before it.
#include "processor/postgres/schema_version.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_each_migration_follows_the_one_before_and_lets_its_programs_run(void **state) {
  long before = 0;
  for (const struct embedded *m = embedded_migrations; m->name; m++) {
    long version = schema_version_of(m), oldest = schema_version_oldest(m);
    print_message("%s: oldest program %ld\n", m->name, oldest);
    assert_true(version > before);
    assert_true(oldest >= 1);
    assert_true(oldest <= (version > 2 ? before : version)); // older than the rule
    before = version;
  }
  assert_int_equal(schema_version_known(), before);
}

static void test_a_migration_without_the_line_has_no_oldest_program(void **state) {
  static const struct embedded silent = {"0007_x.sql", "-- bearskin\nSELECT 1;\n", 22};
  static const struct embedded plain = {"0007_x.sql", "-- why\n-- bears: 12\nSELECT 1;\n", 30};
  assert_int_equal(schema_version_oldest(&silent), 0);
  assert_int_equal(schema_version_oldest(&plain), 12);
  assert_int_equal(schema_version_of(&plain), 7);
}

static void assert_builds_the_index_of_its_name(const struct embedded *migration, size_t len) {
  static const char create[] = "\nCREATE INDEX CONCURRENTLY IF NOT EXISTS ";
  const char *statement = strstr(migration->text, create), *name = strchr(migration->name, '_') + 1;
  size_t name_len = strcspn(name, ".");
  assert_non_null(statement);
  statement += sizeof create - 1;
  assert_memory_equal(statement, name, name_len);
  assert_int_equal(statement[name_len], ' ');
  assert_true(statement < migration->text + len); // no comment before it has a semicolon
}

static void test_what_runs_outside_of_a_transaction_builds_the_index_that_its_file_is_named_after(
    void **state) {
  for (const struct embedded *m = embedded_migrations; m->name; m++) {
    size_t len = schema_version_index_len(m);
    if (len) assert_builds_the_index_of_its_name(m, len);
  }
}

static void test_only_the_first_line_takes_a_statement_out_of_the_transaction(void **state) {
#define CREATE "CREATE INDEX CONCURRENTLY IF NOT EXISTS x ON y (z);"
  static const char marked[] = "-- outside of a transaction\n" CREATE "\nCOMMENT ON INDEX x IS 'y';\n";
  const struct embedded first = {"0007_x.sql", marked, sizeof marked - 1};
  static const struct embedded second = {"0007_x.sql", "-- why\n-- outside of a transaction\n", 36};
  static const struct embedded longer = {"0007_x.sql", "-- outside of a transaction, or not\n", 37};
  assert_string_equal(marked + schema_version_index_len(&first), "\nCOMMENT ON INDEX x IS 'y';\n");
  assert_int_equal(schema_version_index_len(&second), 0);
  assert_int_equal(schema_version_index_len(&longer), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_migration_follows_the_one_before_and_lets_its_programs_run),
      cmocka_unit_test(test_a_migration_without_the_line_has_no_oldest_program),
      cmocka_unit_test(test_what_runs_outside_of_a_transaction_builds_the_index_that_its_file_is_named_after),
      cmocka_unit_test(test_only_the_first_line_takes_a_statement_out_of_the_transaction),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
