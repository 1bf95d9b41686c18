// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "common/config/settings.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/support/faults.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool load(unsigned service, struct settings *settings, struct err *err) {
  struct faults faults = {0};
  bool good = settings_load(service, settings, &faults);
  faults_first(&faults, err);
  return good;
}

static int only_what_is_required(void **state) {
  for (char **entry = environ; *entry;) {
    AUTO_FREE char *name = mem_strndup(*entry, strcspn(*entry, "="));
    bool ours = strncmp(name, "DOCHAK_", strlen("DOCHAK_")) == 0;
    if (ours) unsetenv(name);
    entry = ours ? environ : entry + 1;
  }
  setenv("DOCHAK_ENDPOINTS_FILE", "endpoints.json", 1);
  setenv("DOCHAK_INGRESS_KEY", "ingress-key-of-16", 1);
  setenv("DOCHAK_RECIPIENT_KEY", "recipient-key-of-16", 1);
  return 0;
}

static void test_defaults_are_those_documented(void **state) {
  struct settings settings;
  struct err err = {0};
  if (!load(SERVICE_INGRESS, &settings, &err)) fail_msg("%s", err.text);
  assert_string_equal(settings.kafka_bootstrap, "127.0.0.1:9092");
  assert_string_equal(settings.topic_prefix, "dochak.");
  assert_string_equal(settings.ingress_listen, "0.0.0.0:8080");
  assert_string_equal(settings.ingress_ops_listen, "0.0.0.0:9080");
  assert_int_equal(settings.ingress_threads, 256);
  assert_int_equal(settings.body_max_bytes, 524288);
  assert_int_equal(settings.ack_budget_ms, 1500);
  assert_int_equal(settings.log_level, LOG_LEVEL_INFO);
  assert_null(settings.group_id);
  settings_fini(&settings);

  if (!load(SERVICE_PROCESSOR, &settings, &err)) fail_msg("%s", err.text);
  assert_string_equal(settings.processor_ops_listen, "0.0.0.0:9081");
  assert_string_equal(settings.group_id, "dochak-processor");
  assert_string_equal(settings.instance, "");
  assert_int_equal(settings.workers, 2);
  assert_int_equal(settings.batch_max_records, 10000);
  assert_int_equal(settings.batch_max_ms, 200);
  assert_int_equal(settings.topic_partitions, 8);
  assert_int_equal(settings.topic_replication, -1);
  assert_null(settings.ingress_key);
  settings_fini(&settings);
}

static const struct {
  unsigned service;
  const char *name, *least, *most, *below, *above;
} ranges[] = {
    {SERVICE_INGRESS, "DOCHAK_INGRESS_THREADS", "8", "4096", "7", "4097"},
    {SERVICE_INGRESS, "DOCHAK_BODY_MAX_BYTES", "1024", "900000", "1023", "900001"},
    {SERVICE_INGRESS, "DOCHAK_ACK_BUDGET_MS", "50", "30000", "49", "30001"},
    {SERVICE_INGRESS, "DOCHAK_INGRESS_KEY", "1234567890123456", "12345678901234567", "123456789012345", NULL},
    {SERVICE_PROCESSOR, "DOCHAK_WORKERS", "1", "64", "0", "65"},
    {SERVICE_PROCESSOR, "DOCHAK_BATCH_MAX_RECORDS", "1", "10000", "0", "10001"},
    {SERVICE_PROCESSOR, "DOCHAK_BATCH_MAX_MS", "1", "5000", "0", "5001"},
    {SERVICE_PROCESSOR, "DOCHAK_TOPIC_PARTITIONS", "1", "1000", "0", "1001"},
    {SERVICE_PROCESSOR, "DOCHAK_TOPIC_REPLICATION", "-1", "16", "-2", "17"},
    {SERVICE_PROCESSOR, "DOCHAK_RECIPIENT_KEY", "1234567890123456", "12345678901234567", "123456789012345",
     NULL},
};

static void expect(unsigned service, const char *name, const char *value, bool ok) {
  if (!value) return;
  struct settings settings;
  struct err err = {0};
  setenv(name, value, 1);
  assert_int_equal(load(service, &settings, &err), ok);
  if (!ok) assert_memory_equal(err.text, name, strlen(name));
  settings_fini(&settings);
}

static void test_ranges_hold_at_their_borders(void **state) {
  for (size_t i = 0; i < COUNT_OF(ranges); i++) {
    only_what_is_required(NULL);
    expect(ranges[i].service, ranges[i].name, ranges[i].least, true);
    expect(ranges[i].service, ranges[i].name, ranges[i].most, true);
    expect(ranges[i].service, ranges[i].name, ranges[i].below, false);
    expect(ranges[i].service, ranges[i].name, ranges[i].above, false);
  }
}

static void test_brokers_and_topics_that_cannot_be_are_refused(void **state) {
  static const struct {
    const char *name, *value;
    bool ok;
  } rows[] = {
      {"DOCHAK_KAFKA_BOOTSTRAP", "kafka-1", true},
      {"DOCHAK_KAFKA_BOOTSTRAP", "kafka_1.example.com:9092, 10.0.0.1:65535,[::1]:1,[fe80::1]", true},
      {"DOCHAK_KAFKA_BOOTSTRAP", "http://kafka:9092", false},
      {"DOCHAK_KAFKA_BOOTSTRAP", "127.0.0.1:999999", false},
      {"DOCHAK_KAFKA_BOOTSTRAP", "127.0.0.1:65536", false},
      {"DOCHAK_KAFKA_BOOTSTRAP", "127.0.0.1:0", false},
      {"DOCHAK_KAFKA_BOOTSTRAP", "127.0.0.1:", false},
      {"DOCHAK_KAFKA_BOOTSTRAP", "a:9092;b:9092", false},
      {"DOCHAK_KAFKA_BOOTSTRAP", "a:9092,", false},
      {"DOCHAK_KAFKA_BOOTSTRAP", ":9092", false},
      {"DOCHAK_KAFKA_BOOTSTRAP", "[::1", false},
      {"DOCHAK_TOPIC_PREFIX", "a.B_c-9.", true},
      {"DOCHAK_TOPIC_PREFIX", "bad name ", false},
      {"DOCHAK_TOPIC_PREFIX", "\xec\x95\x8c.", false},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    only_what_is_required(NULL);
    expect(SERVICE_INGRESS, rows[i].name, rows[i].value, rows[i].ok);
  }
}

static void test_each_service_needs_only_its_own(void **state) {
  struct settings settings;
  struct err err;
  unsetenv("DOCHAK_RECIPIENT_KEY");
  assert_true(load(SERVICE_INGRESS, &settings, &err));
  settings_fini(&settings);
  assert_false(load(SERVICE_PROCESSOR, &settings, &err));
  assert_non_null(strstr(err.text, "DOCHAK_RECIPIENT_KEY"));
  settings_fini(&settings);
}

// Runs with stdout and stderr in files, and hands back what was said.
struct said {
  int code;
  unsigned flags;
  char out[16384], err[1024];
};

static int redirect(int fd, int *saved) {
  int file = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  *saved = dup(fd);
  dup2(file, fd);
  return file;
}

static void restore(int fd, int saved, int file, char *text, size_t size) {
  dup2(saved, fd);
  close(saved);
  ssize_t len = pread(file, text, size - 1, 0);
  text[len > 0 ? len : 0] = '\0';
  close(file);
}

static void run(unsigned service, const char *first, const char *second, struct said *said) {
  char *argv[] = {mem_strdup("program"), mem_strdup(first ? first : ""), mem_strdup(second ? second : ""),
                  NULL};
  int argc = first ? second ? 3 : 2 : 1, saved_out, saved_err;
  fflush(stdout);
  int out = redirect(STDOUT_FILENO, &saved_out), err = redirect(STDERR_FILENO, &saved_err);
  said->code = settings_arguments(service, argc, argv, &said->flags);
  fflush(stdout);
  restore(STDOUT_FILENO, saved_out, out, said->out, sizeof said->out);
  restore(STDERR_FILENO, saved_err, err, said->err, sizeof said->err);
  for (size_t i = 0; i < COUNT_OF(argv); i++) free(argv[i]);
}

static void test_flags_are_left_to_the_caller(void **state) {
  struct said said;
  run(SERVICE_INGRESS, NULL, NULL, &said);
  assert_int_equal(said.code, -1);
  assert_int_equal(said.flags, 0);
  run(SERVICE_INGRESS, "--check", NULL, &said);
  assert_int_equal(said.code, -1);
  assert_int_equal(said.flags, SETTINGS_CHECK);
  run(SERVICE_PROCESSOR, "--print-config", "--check", &said);
  assert_int_equal(said.code, -1);
  assert_int_equal(said.flags, SETTINGS_CHECK | SETTINGS_PRINT);
  assert_string_equal(said.out, "");
}

static void test_an_unknown_argument_is_named(void **state) {
  struct said said;
  run(SERVICE_PROCESSOR, "--chekc", NULL, &said);
  assert_int_equal(said.code, 2);
  assert_string_equal(said.out, "");
  assert_string_equal(said.err, "dochak-processor: unknown argument \"--chekc\"; --help lists them\n");
}

static void test_help_lists_the_services_own_settings(void **state) {
  struct said said;
  run(SERVICE_INGRESS, "--help", NULL, &said);
  assert_int_equal(said.code, 0);
  assert_non_null(strstr(said.out, "usage: dochak-ingress"));
  assert_non_null(strstr(said.out, "DOCHAK_INGRESS_LISTEN"));
  assert_null(strstr(said.out, "DOCHAK_WORKERS"));
  assert_null(strstr(said.out, "PGHOST"));
  run(SERVICE_PROCESSOR, "--help", NULL, &said);
  assert_non_null(strstr(said.out, "DOCHAK_WORKERS"));
  assert_non_null(strstr(said.out, "dochak-processor migrate"));
  assert_non_null(strstr(said.out, "PGHOST"));
  assert_null(strstr(said.out, "DOCHAK_INGRESS_LISTEN"));
}

static void test_help_fits_a_screen_of_100_columns(void **state) {
  struct said said;
  run(SERVICE_PROCESSOR, "--help", NULL, &said);
  for (const char *line = said.out; *line; line += strcspn(line, "\n") + 1)
    assert_true(strcspn(line, "\n") <= 100);
}

static void test_the_table_for_the_readme_holds_every_setting(void **state) {
  struct said said;
  run(SERVICE_INGRESS, "--help-markdown", NULL, &said);
  assert_int_equal(said.code, 0);
  assert_non_null(strstr(said.out, "| `DOCHAK_WORKERS` | `2` | processor |"));
  assert_non_null(strstr(said.out, "| `DOCHAK_INGRESS_KEY` | required | ingress |"));
  assert_non_null(strstr(said.out, "| `DOCHAK_LOG_LEVEL` | `info` | ingress, processor |"));
  size_t lines = 0;
  for (const char *at = said.out; *at; at++) lines += *at == '\n';
  assert_int_equal(lines, 2 + 29);
}

static void test_version_names_the_program(void **state) {
  struct said said;
  run(SERVICE_PROCESSOR, "--version", NULL, &said);
  assert_int_equal(said.code, 0);
  assert_string_equal(said.out, "dochak-processor " DOCHAK_VERSION "\n");
}

#define TEST(name) cmocka_unit_test_setup(name, only_what_is_required)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_defaults_are_those_documented),
      TEST(test_ranges_hold_at_their_borders),
      TEST(test_brokers_and_topics_that_cannot_be_are_refused),
      TEST(test_each_service_needs_only_its_own),
      TEST(test_flags_are_left_to_the_caller),
      TEST(test_an_unknown_argument_is_named),
      TEST(test_help_lists_the_services_own_settings),
      TEST(test_help_fits_a_screen_of_100_columns),
      TEST(test_the_table_for_the_readme_holds_every_setting),
      TEST(test_version_names_the_program),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
