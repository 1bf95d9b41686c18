// SPDX-License-Identifier: MIT
#include "processor/postgres/pgerror.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// One of each class of PostgreSQL 15's appendix A, and each code that is not like its class.
static const struct {
  const char *sqlstate;
  enum pg_fault fault;
  const char *name;
} cases[] = {
    {NULL, PG_FAULT_WAIT, "connection"},
    {"03000", PG_FAULT_WAIT, "other"},
    {"08006", PG_FAULT_WAIT, "connection"},
    {"09000", PG_FAULT_REFUSED, "trigger"},
    {"0A000", PG_FAULT_REFUSED, "unsupported"},
    {"0B000", PG_FAULT_WAIT, "other"},
    {"0F000", PG_FAULT_WAIT, "other"},
    {"0L000", PG_FAULT_WAIT, "other"},
    {"0P000", PG_FAULT_WAIT, "other"},
    {"0Z000", PG_FAULT_WAIT, "other"},
    {"20000", PG_FAULT_REFUSED, "trigger"},
    {"21000", PG_FAULT_REFUSED, "trigger"},
    {"22000", PG_FAULT_REFUSED, "data"},
    {"22001", PG_FAULT_REFUSED, "data"},
    {"22003", PG_FAULT_REFUSED, "data"},
    {"22008", PG_FAULT_REFUSED, "data"},
    {"22021", PG_FAULT_REFUSED, "data"},
    {"22030", PG_FAULT_REFUSED, "data"},
    {"2203F", PG_FAULT_REFUSED, "data"},
    {"22P01", PG_FAULT_REFUSED, "data"},
    {"22P02", PG_FAULT_REFUSED, "data"},
    {"22P03", PG_FAULT_REFUSED, "data"},
    {"22P05", PG_FAULT_REFUSED, "data"},
    {"23502", PG_FAULT_REFUSED, "constraint"},
    {"23505", PG_FAULT_AGAIN, "conflict"},
    {"23514", PG_FAULT_REFUSED, "constraint"},
    {"23P01", PG_FAULT_REFUSED, "constraint"},
    {"24000", PG_FAULT_WAIT, "other"},
    {"25006", PG_FAULT_WAIT, "read_only"},
    {"25P02", PG_FAULT_WAIT, "other"},
    {"25P03", PG_FAULT_WAIT, "too_slow"},
    {"26000", PG_FAULT_WAIT, "session"},
    {"27000", PG_FAULT_REFUSED, "trigger"},
    {"28P01", PG_FAULT_WAIT, "access"},
    {"2B000", PG_FAULT_WAIT, "other"},
    {"2D000", PG_FAULT_WAIT, "other"},
    {"2F005", PG_FAULT_REFUSED, "trigger"},
    {"34000", PG_FAULT_WAIT, "other"},
    {"38000", PG_FAULT_REFUSED, "trigger"},
    {"39P01", PG_FAULT_REFUSED, "trigger"},
    {"3B000", PG_FAULT_WAIT, "other"},
    {"3D000", PG_FAULT_WAIT, "no_database"},
    {"3F000", PG_FAULT_WAIT, "other"},
    {"40001", PG_FAULT_AGAIN, "serialization"},
    {"40003", PG_FAULT_WAIT, "unknown_commit"},
    {"40P01", PG_FAULT_AGAIN, "deadlock"},
    {"42501", PG_FAULT_WAIT, "access"},
    {"42601", PG_FAULT_WAIT, "other"},
    {"42703", PG_FAULT_WAIT, "schema"},
    {"42883", PG_FAULT_WAIT, "other"},
    {"42P01", PG_FAULT_WAIT, "schema"},
    {"44000", PG_FAULT_REFUSED, "constraint"},
    {"53100", PG_FAULT_WAIT, "disk_full"},
    {"53200", PG_FAULT_WAIT, "resources"},
    {"53300", PG_FAULT_WAIT, "connections"},
    {"54000", PG_FAULT_REFUSED, "too_large"},
    {"54001", PG_FAULT_REFUSED, "too_large"},
    {"54023", PG_FAULT_REFUSED, "too_large"},
    {"55000", PG_FAULT_WAIT, "other"},
    {"55P03", PG_FAULT_WAIT, "lock"},
    {"57014", PG_FAULT_WAIT, "cancelled"},
    {"57P01", PG_FAULT_WAIT, "shutdown"},
    {"57P03", PG_FAULT_WAIT, "starting"},
    {"58030", PG_FAULT_WAIT, "system"},
    {"72000", PG_FAULT_WAIT, "other"},
    {"F0000", PG_FAULT_WAIT, "other"},
    {"HV000", PG_FAULT_WAIT, "other"},
    {"P0001", PG_FAULT_REFUSED, "trigger"},
    {"P0004", PG_FAULT_REFUSED, "trigger"},
    {"XX000", PG_FAULT_WAIT, "other"},
    {"XX001", PG_FAULT_WAIT, "corrupted"},
    {"XX002", PG_FAULT_WAIT, "corrupted"},
    {"", PG_FAULT_WAIT, "other"},
    {"4", PG_FAULT_WAIT, "other"},
};

static void test_each_sqlstate_has_its_fault_and_its_class(void **state) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const struct pg_class *class = pg_class_of(cases[i].sqlstate);
    if (class->fault != cases[i].fault) fail_msg("%s", cases[i].sqlstate);
    assert_string_equal(class->name, cases[i].name);
  }
}

static void test_what_is_refused_has_words(void **state) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const struct pg_class *class = pg_class_of(cases[i].sqlstate);
    if (class->fault == PG_FAULT_REFUSED) assert_non_null(class->words);
  }
}

// Texts of libpq 15 and of a server of version 15.
static void test_a_failed_connection_names_the_setting(void **state) {
  static const struct {
    const char *text, *setting; // NULL: no hint
  } rows[] = {
      {"root certificate file \"/ca.pem\" does not exist Either provide the file or change sslmode to "
       "disable "
       "server certificate verification.",
       "PGSSLROOTCERT"},
      {"SSL error: certificate verify failed", "PGSSLROOTCERT"},
      {"server certificate for \"db\" does not match host name \"localhost\"", "PGHOST "},
      {"server does not support SSL, but SSL was required", "PGSSLMODE"},
      {"FATAL:  no pg_hba.conf entry for host \"127.0.0.1\", user \"u\", database \"d\", no encryption",
       "PGSSLMODE=verify-full"},
      {"FATAL:  no pg_hba.conf entry for host \"127.0.0.1\", user \"u\", database \"d\", SSL encryption",
       "pg_hba.conf"},
      {"FATAL:  connection requires a valid client certificate", "PGSSLCERT"},
      {"FATAL:  certificate authentication failed for user \"u\"", "PGSSLCERT"},
      {"fe_sendauth: no password supplied", "DOCHAK_PG_PASSWORD"},
      {"FATAL:  password authentication failed for user \"u\"", "DOCHAK_PG_PASSWORD"},
      {"FATAL:  role \"u\" does not exist", "PGUSER"},
      {"FATAL:  role \"u\" is not permitted to log in", "PGUSER"},
      {"FATAL:  permission denied for database \"d\" DETAIL:  User does not have CONNECT privilege.",
       "CONNECT"},
      {"FATAL:  database \"d\" does not exist", "PGDATABASE"},
      {"could not translate host name \"db\" to address: Name or service not known", "PGHOST"},
      {"Connection refused Is the server running on that host and accepting TCP/IP connections?", NULL},
      {"FATAL:  the database system is starting up", NULL},
      {"FATAL:  sorry, too many clients already", NULL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const char *hint = pg_connect_hint(rows[i].text);
    bool as_expected = rows[i].setting ? hint && strstr(hint, rows[i].setting) : !hint;
    if (!as_expected) fail_msg("%s: %s", rows[i].text, hint ? hint : "no hint");
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
      cmocka_unit_test(test_what_is_refused_has_words),
      cmocka_unit_test(test_a_failed_connection_names_the_setting),
      cmocka_unit_test(test_a_migration_tells_busy_and_undefined_from_all_else),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
