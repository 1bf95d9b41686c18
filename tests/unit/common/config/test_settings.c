// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "common/config/settings.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/support/faults.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { BOTH = SERVICE_INGRESS | SERVICE_PROCESSOR };

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

#define KEY_63 "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789ABCDE"
#define KEY_64 KEY_63 "0"

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
    {SERVICE_PROCESSOR, "DOCHAK_PING_KEY", "1234567890123456", "12345678901234567", "123456789012345", NULL},
    {SERVICE_PROCESSOR, "DOCHAK_RECIPIENT_KEY", "1234567890123456", "12345678901234567", "123456789012345",
     NULL},
    {SERVICE_PROCESSOR, "DOCHAK_CONTACT_KEY", KEY_64, KEY_64, KEY_63, KEY_63 "01"},
    {SERVICE_PROCESSOR, "DOCHAK_CONTACT_KEY", NULL, NULL, KEY_63 "g", NULL},
    {SERVICE_PROCESSOR, "DOCHAK_CONSENT_ALERTS", "on", "off", "1", "On"},
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

static void test_a_public_url_is_a_place_and_no_query(void **state) {
  static const struct {
    const char *value;
    bool ok;
  } rows[] = {
      {"https://api.example.com", true},
      {"https://api.example.com/", true},
      {"http://127.0.0.1:8080", true},
      {"https://[::1]:8443/dochak/eu", true},
      {"https://api.example.com?x=1", false},
      {"https://api.example.com/a?x=1", false},
      {"https://api.example.com/#a", false},
      {"https://user:secret-0123@api.example.com", false},
      {"https://", false},
      {"https:///v1", false},
      {"https://a:99999", false},
      {"https://a b", false},
      {"https://a/b c", false},
      {"https://a/\xec\x95\x8c", false},
      {"ftp://api.example.com", false},
      {"api.example.com", false},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    only_what_is_required(NULL);
    expect(SERVICE_PROCESSOR, "DOCHAK_PUBLIC_URL", rows[i].value, rows[i].ok);
  }
}

static void test_a_wrong_key_is_not_shown(void **state) {
  static const char *const keys[] = {KEY_63, KEY_63 "g"};
  for (size_t i = 0; i < COUNT_OF(keys); i++) {
    struct settings settings;
    struct err err = {0};
    setenv("DOCHAK_CONTACT_KEY", keys[i], 1);
    assert_false(load(SERVICE_PROCESSOR, &settings, &err));
    assert_null(strstr(err.text, "01234567"));
    settings_fini(&settings);
  }
}

static void test_a_wrong_public_url_is_not_shown(void **state) {
  struct settings settings;
  struct err err = {0};
  setenv("DOCHAK_PUBLIC_URL", "https://user:secret-0123@api.example.com", 1);
  assert_false(load(SERVICE_PROCESSOR, &settings, &err));
  assert_null(strstr(err.text, "secret-0123"));
  settings_fini(&settings);
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

static char *printed(unsigned service, const struct settings *settings) {
  char text[16384];
  int saved;
  fflush(stdout);
  int out = redirect(STDOUT_FILENO, &saved);
  settings_print(service, settings);
  fflush(stdout);
  restore(STDOUT_FILENO, saved, out, text, sizeof text);
  return mem_strdup(text);
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
  assert_int_equal(lines, 2 + 44);
}

static void test_version_names_the_program(void **state) {
  struct said said;
  run(SERVICE_PROCESSOR, "--version", NULL, &said);
  assert_int_equal(said.code, 0);
  assert_string_equal(said.out, "dochak-processor " DOCHAK_VERSION "\n");
}

static void test_the_manual_says_defaults_and_ranges(void **state) {
  static const char *const help[] = {
      "  DOCHAK_INGRESS_KEY              required; 16 characters or more\n      Bearer key of",
      "  DOCHAK_SPOOL_DIR                optional\n      Folder, ",
      "  DOCHAK_INGRESS_THREADS          default 256; 8 to 4096\n      Handler threads, ",
  };
  static const char *const markdown[] = {
      "| setting | default | read by | what it is |\n|---|---|---|---|\n| `DOCHAK_KAFKA_BOOTSTRAP` | ",
      "| `DOCHAK_SPOOL_DIR` | – | ingress | Folder, ",
      "partitions stay idle. (1 to 64) |\n",
      "each of this length. (16 characters or more) |\n",
  };
  struct said said;
  run(SERVICE_INGRESS, "--help", NULL, &said);
  for (size_t i = 0; i < COUNT_OF(help); i++) assert_non_null(strstr(said.out, help[i]));
  run(SERVICE_INGRESS, "--help-markdown", NULL, &said);
  for (size_t i = 0; i < COUNT_OF(markdown); i++) assert_non_null(strstr(said.out, markdown[i]));
}

static void test_settings_are_printed_as_read(void **state) {
  struct settings settings;
  struct err err;
  assert_true(load(BOTH, &settings, &err));
  AUTO_FREE char *text = printed(BOTH, &settings);
  assert_non_null(strstr(text, "DOCHAK_TOPIC_PREFIX=dochak.\n"));
  assert_non_null(strstr(text, "DOCHAK_LOG_LEVEL=info\n"));
  assert_non_null(strstr(text, "DOCHAK_SPOOL_DIR=\n"));
  assert_non_null(strstr(text, "DOCHAK_INGRESS_LISTEN=0.0.0.0:8080\n"));
  assert_non_null(strstr(text, "DOCHAK_TOPIC_REPLICATION=-1\n"));
  settings_fini(&settings);
}

static void test_the_environment_wins_and_an_empty_value_is_none(void **state) {
  struct settings settings;
  struct err err;
  setenv("DOCHAK_PROVIDERS_DIR", "x.", 1);
  setenv("DOCHAK_WORKERS", "64", 1);
  setenv("DOCHAK_LOG_LEVEL", "debug", 1);
  setenv("DOCHAK_INGRESS_LISTEN", "", 1);
  assert_true(load(BOTH, &settings, &err));
  assert_string_equal(settings.providers_dir, "x.");
  assert_int_equal(settings.workers, 64);
  assert_int_equal(settings.log_level, LOG_LEVEL_DEBUG);
  assert_string_equal(settings.ingress_listen, "0.0.0.0:8080");
  settings_fini(&settings);
}

static void test_secrets_are_masked_when_printed(void **state) {
  struct settings settings;
  struct err err;
  setenv("DOCHAK_INGRESS_KEY", "open sesame, please", 1);
  assert_true(load(SERVICE_INGRESS, &settings, &err));
  assert_string_equal(settings.ingress_key, "open sesame, please");
  AUTO_FREE char *text = printed(SERVICE_INGRESS, &settings);
  assert_non_null(strstr(text, "DOCHAK_INGRESS_KEY=********\n"));
  assert_null(strstr(text, "sesame"));
  settings_fini(&settings);
}

static const struct {
  const char *name, *value, *error; // the whole error; NULL: accepted
} faulty[] = {
    {"DOCHAK_WORKERS", "1", NULL},
    {"DOCHAK_WORKERS", "0", "DOCHAK_WORKERS: 0 is not in 1 to 64"},
    {"DOCHAK_WORKERS", "65", "DOCHAK_WORKERS: 65 is not in 1 to 64"},
    {"DOCHAK_WORKERS", "-1", "DOCHAK_WORKERS: -1 is not in 1 to 64"},
    {"DOCHAK_WORKERS", "99999999999999999999", "DOCHAK_WORKERS: 99999999999999999999 is not in 1 to 64"},
    {"DOCHAK_WORKERS", "2x", "DOCHAK_WORKERS: \"2x\" is not a whole number"},
    {"DOCHAK_WORKERS", " 2", "DOCHAK_WORKERS: \" 2\" is not a whole number"},
    {"DOCHAK_WORKERS", "+2", "DOCHAK_WORKERS: \"+2\" is not a whole number"},
    {"DOCHAK_WORKERS", "1.5", "DOCHAK_WORKERS: \"1.5\" is not a whole number"},
    {"DOCHAK_WORKERS", "-", "DOCHAK_WORKERS: \"-\" is not a whole number"},
    {"DOCHAK_WORKERS", "0x10", "DOCHAK_WORKERS: \"0x10\" is not a whole number"},
    {"DOCHAK_LOG_LEVEL", "warn", NULL},
    {"DOCHAK_LOG_LEVEL", "loud", "DOCHAK_LOG_LEVEL: \"loud\" is none of debug, info, warn, error"},
    {"DOCHAK_INGRESS_KEY", "1234567890123456", NULL},
    {"DOCHAK_INGRESS_KEY", "123456789012345", "DOCHAK_INGRESS_KEY: shorter than 16 characters"},
    {"DOCHAK_INGRESS_LISTEN", "127.0.0.1:0", NULL},
    {"DOCHAK_INGRESS_LISTEN", "127.0.0.1:65535", NULL},
    {"DOCHAK_INGRESS_LISTEN", "127.0.0.1:65536",
     "DOCHAK_INGRESS_LISTEN: \"127.0.0.1:65536\" is not IPv4-address:port, such as "
     "0.0.0.0:8080"},
    {"DOCHAK_INGRESS_LISTEN", "127.0.0.1",
     "DOCHAK_INGRESS_LISTEN: \"127.0.0.1\" is not IPv4-address:port, such as 0.0.0.0:8080"},
    {"DOCHAK_INGRESS_LISTEN", "8080",
     "DOCHAK_INGRESS_LISTEN: \"8080\" is not IPv4-address:port, such as 0.0.0.0:8080"},
    {"DOCHAK_INGRESS_LISTEN", ":8080",
     "DOCHAK_INGRESS_LISTEN: \":8080\" is not IPv4-address:port, such as 0.0.0.0:8080"},
    {"DOCHAK_INGRESS_LISTEN",
     "127.0.0.1:", "DOCHAK_INGRESS_LISTEN: \"127.0.0.1:\" is not IPv4-address:port, such as 0.0.0.0:8080"},
    {"DOCHAK_INGRESS_LISTEN", "[::1]:80",
     "DOCHAK_INGRESS_LISTEN: \"[::1]:80\" is not IPv4-address:port, such as 0.0.0.0:8080"},
    {"DOCHAK_INGRESS_LISTEN", "localhost:80",
     "DOCHAK_INGRESS_LISTEN: \"localhost:80\" is not IPv4-address:port, such as "
     "0.0.0.0:8080"},
    {"DOCHAK_INGRESS_LISTEN", "1.2.3.4:80,1.2.3.4:81",
     "DOCHAK_INGRESS_LISTEN: \"1.2.3.4:80,1.2.3.4:81\" is not IPv4-address:port, "
     "such as 0.0.0.0:8080"},
    {"DOCHAK_INGRESS_LISTEN", "0.0.0.0:8443s",
     "DOCHAK_INGRESS_LISTEN: \"0.0.0.0:8443s\": TLS ends at the proxy in front; give address:port"},
    {"DOCHAK_INGRESS_LISTEN", "0.0.0.0:8080r",
     "DOCHAK_INGRESS_LISTEN: \"0.0.0.0:8080r\": TLS ends at the proxy in front; give address:port"},
    {"DOCHAK_WORKRES", "3", "DOCHAK_WORKRES: unknown setting; did you mean DOCHAK_WORKERS?"},
    {"DOCHAK_WORKER", "3", "DOCHAK_WORKER: unknown setting; did you mean DOCHAK_WORKERS?"},
    {"DOCHAK_WORKERS_FIL", "3", "DOCHAK_WORKERS_FIL: unknown setting; did you mean DOCHAK_WORKERS?"},
    {"DOCHAK_COLOUR_OF_THE_SEA", "3", "DOCHAK_COLOUR_OF_THE_SEA: unknown setting; --help lists them"},
    {"DOCHAK_", "3", "DOCHAK_: unknown setting; --help lists them"},
    {"DOCHAK_workers", "3", "DOCHAK_workers: unknown setting; did you mean DOCHAK_WORKERS?"},
    {"DOCHAK_WROKERS", "3", "DOCHAK_WROKERS: unknown setting; did you mean DOCHAK_WORKERS?"},
    {"DOCHAK_INGRESS_LISTEN", "[::ffff:1.2.3.4]:80",
     "DOCHAK_INGRESS_LISTEN: \"[::ffff:1.2.3.4]:80\" is not IPv4-address:port, such as 0.0.0.0:8080"},
    {"DOCHAK_SECRET_BIZGO_PATH", "anything", NULL},
    {"DOCHAK_SECRET_BIZGO_PATH_FILE", "/nowhere", NULL},
    {"dochak_workers", "0", NULL},
    {"DOCHAK_PROVIDERS_DIR_FILE", "/nowhere/at/all",
     "DOCHAK_PROVIDERS_DIR_FILE: /nowhere/at/all: No such file or directory"},
};

static void test_an_ill_formed_or_unknown_setting_is_an_error_that_names_it(void **state) {
  for (size_t i = 0; i < COUNT_OF(faulty); i++) {
    struct settings settings;
    struct err err;
    setenv(faulty[i].name, faulty[i].value, 1);
    bool ok = load(BOTH, &settings, &err);
    assert_string_equal(err.text, faulty[i].error ? faulty[i].error : "");
    assert_int_equal(ok, faulty[i].error == NULL);
    settings_fini(&settings);
    unsetenv(faulty[i].name);
    only_what_is_required(NULL);
  }
}

static void test_all_wrong_settings_are_reported_at_once(void **state) {
  struct settings settings = {0};
  struct faults faults = {0};
  setenv("DOCHAK_INGRESS_KEY", "short", 1);
  setenv("DOCHAK_INGRESS_LISTEN", "8080", 1);
  setenv("DOCHAK_WORKERS", "0", 1);
  setenv("DOCHAK_LEVLE", "info", 1);
  setenv("DOCHAK_PROVIDERS_DIR", "kept.", 1);
  assert_false(settings_load(BOTH, &settings, &faults));
  assert_int_equal(faults.n, 4);
  assert_int_equal(faults.n_errors, 4);
  assert_string_equal(faults.list[0].text, "DOCHAK_LEVLE: unknown setting; did you mean DOCHAK_LOG_LEVEL?");
  assert_memory_equal(faults.list[1].text, "DOCHAK_INGRESS_LISTEN: ", 23);
  assert_string_equal(faults.list[2].text, "DOCHAK_INGRESS_KEY: shorter than 16 characters");
  assert_string_equal(faults.list[3].text, "DOCHAK_WORKERS: 0 is not in 1 to 64");
  assert_string_equal(settings.providers_dir, "kept.");
  faults_fini(&faults);
  settings_fini(&settings);
}

static void test_a_service_leaves_the_others_settings_alone(void **state) {
  struct settings settings;
  struct err err;
  setenv("DOCHAK_WORKERS", "not a number", 1);
  assert_true(load(SERVICE_INGRESS, &settings, &err));
  assert_int_equal(settings.workers, 0);
  AUTO_FREE char *text = printed(SERVICE_INGRESS, &settings);
  assert_null(strstr(text, "DOCHAK_WORKERS"));
  settings_fini(&settings);
  assert_false(load(SERVICE_PROCESSOR, &settings, &err));
  assert_int_equal(settings.workers, 0);
  settings_fini(&settings);
}

static void test_what_is_required_must_be_given(void **state) {
  struct settings settings;
  struct err err;
  unsetenv("DOCHAK_INGRESS_KEY");
  assert_false(load(SERVICE_INGRESS, &settings, &err));
  assert_string_equal(err.text, "DOCHAK_INGRESS_KEY: required, but not set; --help says what it is");
  settings_fini(&settings);
  assert_true(load(SERVICE_PROCESSOR, &settings, &err));
  settings_fini(&settings);
}

static char folder[] = "/tmp/dochak-settings-XXXXXX";

// A file in the test's folder; the path is good until the next call.
static const char *file_with(const char *content, size_t len) {
  static char path[64];
  snprintf(path, sizeof path, "%s/value", folder);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  assert_int_equal(write(fd, content, len), len);
  close(fd);
  return path;
}

static const struct {
  const char *content;
  size_t len;
  const char *value, *error;
} files[] = {
    {"from a file", 11, "from a file", NULL},
    {"one newline cut\n", 16, "one newline cut", NULL},
    {"one of two\n\n", 12, "one of two\n", NULL},
    {"carriage return\r\n", 17, "carriage return", NULL},
    {"  spaces kept  ", 15, "  spaces kept  ", NULL},
    {"", 0, NULL, "is empty"},
    {"\n", 1, NULL, "is empty"},
    {"a\0b", 3, NULL, "contains a NUL byte"},
};

static void test_a_value_may_stand_in_a_file(void **state) {
  for (size_t i = 0; i < COUNT_OF(files); i++) {
    struct settings settings;
    struct err err;
    setenv("DOCHAK_PROVIDERS_DIR_FILE", file_with(files[i].content, files[i].len), 1);
    bool ok = load(SERVICE_INGRESS, &settings, &err);
    assert_int_equal(ok, files[i].value != NULL);
    if (ok) assert_string_equal(settings.providers_dir, files[i].value);
    if (!ok) assert_non_null(strstr(err.text, files[i].error));
    if (!ok) assert_memory_equal(err.text, "DOCHAK_PROVIDERS_DIR_FILE: /", 28);
    settings_fini(&settings);
  }
}

static void test_a_file_without_end_is_refused(void **state) {
  struct settings settings;
  struct err err;
  setenv("DOCHAK_PROVIDERS_DIR_FILE", "/dev/zero", 1);
  assert_false(load(SERVICE_INGRESS, &settings, &err));
  settings_fini(&settings);
  AUTO_FREE char *large = mem_alloc(70000);
  memset(large, 'x', 70000);
  setenv("DOCHAK_PROVIDERS_DIR_FILE", file_with(large, 70000), 1);
  assert_false(load(SERVICE_INGRESS, &settings, &err));
  assert_non_null(strstr(err.text, "expected 65536 bytes at most"));
  settings_fini(&settings);
}

static void test_a_value_and_a_file_at_once_is_an_error(void **state) {
  struct settings settings;
  struct err err;
  setenv("DOCHAK_PROVIDERS_DIR", "x", 1);
  setenv("DOCHAK_PROVIDERS_DIR_FILE", file_with("y", 1), 1);
  assert_false(load(SERVICE_INGRESS, &settings, &err));
  assert_string_equal(err.text,
                      "DOCHAK_PROVIDERS_DIR and DOCHAK_PROVIDERS_DIR_FILE are both set; one is enough");
  settings_fini(&settings);
}

static void test_secrets_by_name_come_from_either_place_or_fail(void **state) {
  char *secret = NULL;
  struct err err;
  assert_false(settings_secret("DOCHAK_SECRET_X", &secret, &err));
  assert_string_equal(err.text, "DOCHAK_SECRET_X: not set; give it or DOCHAK_SECRET_X_FILE");
  setenv("DOCHAK_SECRET_X", "s3cret", 1);
  assert_true(settings_secret("DOCHAK_SECRET_X", &secret, &err));
  assert_string_equal(secret, "s3cret");
  free(secret);
  setenv("DOCHAK_SECRET_X_FILE", file_with("other\n", 6), 1);
  assert_false(settings_secret("DOCHAK_SECRET_X", &secret, &err));
  assert_null(strstr(err.text, "s3cret"));
  unsetenv("DOCHAK_SECRET_X");
  assert_true(settings_secret("DOCHAK_SECRET_X", &secret, &err));
  assert_string_equal(secret, "other");
  free(secret);
}

// A file of the secrets folder, which is the test's.
static void put_secret(const char *name, const char *content) {
  AUTO_FREE char *path = mem_printf("%s/%s", folder, name);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  assert_int_equal(write(fd, content, strlen(content)), strlen(content));
  close(fd);
  setenv("DOCHAK_SECRETS_DIR", folder, 1);
}

static void remove_secret(const char *name) {
  AUTO_FREE char *path = mem_printf("%s/%s", folder, name);
  unlink(path);
}

static void test_a_folder_may_hold_settings_and_secrets_by_their_names(void **state) {
  struct settings settings;
  struct err err;
  char *secret = NULL;
  put_secret("DOCHAK_TOPIC_PREFIX", "of-the-folder.\n");
  put_secret("DOCHAK_SECRET_X", "s3cret");
  put_secret("..data", "what Kubernetes adds is no setting");
  put_secret("DOCHAK_GROUP_ID", "a setting of the other program");
  if (!load(SERVICE_INGRESS, &settings, &err)) fail_msg("%s", err.text);
  assert_string_equal(settings.topic_prefix, "of-the-folder.");
  assert_true(settings_secret("DOCHAK_SECRET_X", &secret, &err));
  assert_string_equal(secret, "s3cret");
  free(secret);
  settings_fini(&settings);
  remove_secret("DOCHAK_TOPIC_PREFIX");
  remove_secret("DOCHAK_SECRET_X");
  remove_secret("..data");
  remove_secret("DOCHAK_GROUP_ID");
}

static const struct {
  const char *file, *variable, *error; // variable: also set in the environment, or NULL
} bad_folders[] = {
    {"DOCHAK_TOPIC_PREFIX", "DOCHAK_TOPIC_PREFIX",
     "DOCHAK_TOPIC_PREFIX is set, and is a file in DOCHAK_SECRETS_DIR, too; one is enough"},
    {"DOCHAK_TOPIC_PREFIX", "DOCHAK_TOPIC_PREFIX_FILE",
     "DOCHAK_TOPIC_PREFIX_FILE is set, and is a file in DOCHAK_SECRETS_DIR, too; one is enough"},
    {"DOCHAK_TOPIC_PREFIXX", NULL,
     "DOCHAK_SECRETS_DIR: DOCHAK_TOPIC_PREFIXX: unknown setting; did you mean DOCHAK_TOPIC_PREFIX?"},
    {"DOCHAK_TOPIC_PREFIX_FILE", NULL,
     "DOCHAK_SECRETS_DIR: DOCHAK_TOPIC_PREFIX_FILE: unknown setting; did you mean DOCHAK_TOPIC_PREFIX?"},
    {"DOCHAK_SECRETS_DIR", NULL,
     "DOCHAK_SECRETS_DIR: DOCHAK_SECRETS_DIR: unknown setting; did you mean DOCHAK_SECRETS_DIR?"},
};

static void test_a_folder_with_a_setting_twice_or_unknown_is_an_error(void **state) {
  for (size_t i = 0; i < COUNT_OF(bad_folders); i++) {
    struct settings settings;
    struct err err;
    put_secret(bad_folders[i].file, "x.");
    if (bad_folders[i].variable) setenv(bad_folders[i].variable, "/nowhere", 1);
    assert_false(load(SERVICE_INGRESS, &settings, &err));
    assert_string_equal(err.text, bad_folders[i].error);
    if (bad_folders[i].variable) unsetenv(bad_folders[i].variable);
    settings_fini(&settings);
    remove_secret(bad_folders[i].file);
  }
}

static void test_a_folder_of_secrets_that_is_missing_is_named(void **state) {
  struct settings settings;
  struct err err;
  setenv("DOCHAK_SECRETS_DIR", "/nowhere", 1);
  assert_false(load(SERVICE_INGRESS, &settings, &err));
  assert_string_equal(err.text, "DOCHAK_SECRETS_DIR: /nowhere: No such file or directory");
  settings_fini(&settings);
}

static int make_folder(void **state) {
  return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
  unlink(file_with("", 0));
  return rmdir(folder);
}

#define TEST(name) cmocka_unit_test_setup(name, only_what_is_required)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_defaults_are_those_documented),
      TEST(test_ranges_hold_at_their_borders),
      TEST(test_brokers_and_topics_that_cannot_be_are_refused),
      TEST(test_a_public_url_is_a_place_and_no_query),
      TEST(test_a_wrong_key_is_not_shown),
      TEST(test_a_wrong_public_url_is_not_shown),
      TEST(test_each_service_needs_only_its_own),
      TEST(test_flags_are_left_to_the_caller),
      TEST(test_an_unknown_argument_is_named),
      TEST(test_help_lists_the_services_own_settings),
      TEST(test_help_fits_a_screen_of_100_columns),
      TEST(test_the_table_for_the_readme_holds_every_setting),
      TEST(test_version_names_the_program),
      TEST(test_the_manual_says_defaults_and_ranges),
      TEST(test_settings_are_printed_as_read),
      TEST(test_the_environment_wins_and_an_empty_value_is_none),
      TEST(test_secrets_are_masked_when_printed),
      TEST(test_an_ill_formed_or_unknown_setting_is_an_error_that_names_it),
      TEST(test_all_wrong_settings_are_reported_at_once),
      TEST(test_a_service_leaves_the_others_settings_alone),
      TEST(test_what_is_required_must_be_given),
      TEST(test_a_value_may_stand_in_a_file),
      TEST(test_a_file_without_end_is_refused),
      TEST(test_a_value_and_a_file_at_once_is_an_error),
      TEST(test_secrets_by_name_come_from_either_place_or_fail),
      TEST(test_a_folder_may_hold_settings_and_secrets_by_their_names),
      TEST(test_a_folder_with_a_setting_twice_or_unknown_is_an_error),
      TEST(test_a_folder_of_secrets_that_is_missing_is_named),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
