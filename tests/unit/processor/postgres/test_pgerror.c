// SPDX-License-Identifier: MIT
#include "processor/postgres/pgerror.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_each_sqlstate_has_its_fault_and_its_class(void **state) {
  static const struct {
    const char *sqlstate;
    enum pg_fault fault;
    const char *name;
  } cases[] = {
      {NULL, PG_FAULT_WAIT, "connection"},     {"08006", PG_FAULT_WAIT, "connection"},
      {"22P05", PG_FAULT_REFUSED, "data"},     {"22021", PG_FAULT_REFUSED, "data"},
      {"23505", PG_FAULT_AGAIN, "conflict"},   {"23514", PG_FAULT_REFUSED, "constraint"},
      {"25006", PG_FAULT_WAIT, "read_only"},   {"25P03", PG_FAULT_WAIT, "too_slow"},
      {"25P02", PG_FAULT_WAIT, "other"},       {"28P01", PG_FAULT_WAIT, "access"},
      {"3D000", PG_FAULT_WAIT, "no_database"}, {"40001", PG_FAULT_AGAIN, "serialization"},
      {"40P01", PG_FAULT_AGAIN, "deadlock"},   {"40003", PG_FAULT_WAIT, "unknown_commit"},
      {"42501", PG_FAULT_WAIT, "access"},      {"42P01", PG_FAULT_WAIT, "schema"},
      {"53100", PG_FAULT_WAIT, "disk_full"},   {"53200", PG_FAULT_WAIT, "resources"},
      {"53300", PG_FAULT_WAIT, "connections"}, {"54000", PG_FAULT_REFUSED, "too_large"},
      {"55P03", PG_FAULT_WAIT, "lock"},        {"57014", PG_FAULT_WAIT, "cancelled"},
      {"57P01", PG_FAULT_WAIT, "shutdown"},    {"57P03", PG_FAULT_WAIT, "starting"},
      {"58030", PG_FAULT_WAIT, "system"},      {"XX000", PG_FAULT_WAIT, "other"},
      {"XX001", PG_FAULT_WAIT, "corrupted"},   {"", PG_FAULT_WAIT, "other"},
      {"4", PG_FAULT_WAIT, "other"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const struct pg_class *class = pg_class_of(cases[i].sqlstate);
    assert_int_equal(class->fault, cases[i].fault);
    assert_string_equal(class->name, cases[i].name);
  }
}

static void test_a_migration_tells_busy_and_undefined_from_all_else(void **state) {
  static const char *const busy[] = {"55P03", "40P01"}, *const undefined[] = {"42P01", "42703"},
                           *const neither[] = {NULL, "", "42601", "40001", "55000"};
  for (size_t i = 0; i < 2; i++) {
    assert_true(pg_is_busy(busy[i]) && !pg_is_undefined(busy[i]));
    assert_true(pg_is_undefined(undefined[i]) && !pg_is_busy(undefined[i]));
  }
  for (size_t i = 0; i < sizeof neither / sizeof *neither; i++)
    assert_false(pg_is_busy(neither[i]) || pg_is_undefined(neither[i]));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_sqlstate_has_its_fault_and_its_class),
      cmocka_unit_test(test_a_migration_tells_busy_and_undefined_from_all_else),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
