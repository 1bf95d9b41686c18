// SPDX-License-Identifier: MIT
// What every migration promises to the programs of the version before it.
#include "processor/postgres/schema_version.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_each_migration_follows_the_one_before_and_bears_its_programs(void **state) {
  long before = 0;
  for (const struct embedded *m = embedded_migrations; m->name; m++) {
    long version = schema_version_of(m), borne = schema_version_borne(m);
    print_message("%s bears %ld\n", m->name, borne);
    assert_true(version > before);
    assert_true(borne >= 1);
    assert_true(borne <= (version > 2 ? before : version)); // older than the rule
    before = version;
  }
  assert_int_equal(schema_version_known(), before);
}

static void test_a_migration_that_does_not_say_bears_nobody(void **state) {
  static const struct embedded silent = {"0007_x.sql", "-- bearskin\nSELECT 1;\n", 22};
  static const struct embedded plain = {"0007_x.sql", "-- why\n-- bears: 12\nSELECT 1;\n", 30};
  assert_int_equal(schema_version_borne(&silent), 0);
  assert_int_equal(schema_version_borne(&plain), 12);
  assert_int_equal(schema_version_of(&plain), 7);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_migration_follows_the_one_before_and_bears_its_programs),
      cmocka_unit_test(test_a_migration_that_does_not_say_bears_nobody),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
