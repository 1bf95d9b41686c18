// SPDX-License-Identifier: MIT
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/config/options.h"
#include "tests/unit/support/faults.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { INGRESS = 1, PROCESSOR = 2 };

struct values {
  char *prefix, *key, *listen;
  int64_t workers;
  enum log_level level;
};

static const struct option table[] = {
    {"DOCHAK_PREFIX", OPTION_TEXT, offsetof(struct values, prefix), "dochak.", 0, 0, INGRESS | PROCESSOR,
     "What names begin with: a|b."},
    {"DOCHAK_KEY", OPTION_SECRET, offsetof(struct values, key), "", 8, 0, INGRESS, "The key."},
    {"DOCHAK_LISTEN", OPTION_LISTEN, offsetof(struct values, listen), "0.0.0.0:8080", 0, 0, INGRESS,
     "Where."},
    {"DOCHAK_WORKERS", OPTION_INT, offsetof(struct values, workers), "2", 1, 64, PROCESSOR, "Threads."},
    {"DOCHAK_LEVEL", OPTION_LEVEL, offsetof(struct values, level), "info", 0, 0, INGRESS | PROCESSOR,
     "Least level."},
};

static char folder[] = "/tmp/dochak-options-XXXXXX";

// A file in the test's folder; the path is good until the next call.
static const char *file_with(const char *content, size_t len) {
  static char path[64];
  snprintf(path, sizeof path, "%s/value", folder);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  assert_int_equal(write(fd, content, len), len);
  close(fd);
  return path;
}

static bool load_table(const struct option *rows, size_t n, unsigned service, struct values *values,
                       struct err *err) {
  struct faults faults = {0};
  bool good = options_load(rows, n, service, values, &faults);
  faults_first(&faults, err);
  return good;
}

static bool load(unsigned service, struct values *values, struct err *err) {
  *values = (struct values){0};
  return load_table(table, COUNT_OF(table), service, values, err);
}

static void unload(struct values *values) {
  options_free(table, COUNT_OF(table), values);
}

static char *printed(unsigned service, const struct values *values) {
  char *text;
  size_t len;
  FILE *to = open_memstream(&text, &len);
  options_print(table, COUNT_OF(table), service, values, to);
  fclose(to);
  return text;
}

static int forget_environment(void **state) {
  for (char **entry = environ; *entry;) {
    if (strncmp(*entry, "DOCHAK_", strlen("DOCHAK_")) != 0) {
      entry++;
      continue;
    }
    AUTO_FREE char *name = mem_strndup(*entry, strcspn(*entry, "="));
    unsetenv(name);
    entry = environ;
  }
  return 0;
}

static void test_defaults_stand_where_nothing_is_given(void **state) {
  struct values values;
  struct err err;
  assert_true(load(INGRESS | PROCESSOR, &values, &err));
  AUTO_FREE char *text = printed(INGRESS | PROCESSOR, &values);
  assert_string_equal(text,
                      "DOCHAK_PREFIX=dochak.\nDOCHAK_KEY=\nDOCHAK_LISTEN=0.0.0.0:8080\nDOCHAK_WORKERS=2\n"
                      "DOCHAK_LEVEL=info\n");
  unload(&values);
}

static void test_the_environment_wins_and_an_empty_value_is_none(void **state) {
  struct values values;
  struct err err;
  setenv("DOCHAK_PREFIX", "x.", 1);
  setenv("DOCHAK_WORKERS", "64", 1);
  setenv("DOCHAK_LEVEL", "debug", 1);
  setenv("DOCHAK_LISTEN", "", 1);
  assert_true(load(INGRESS | PROCESSOR, &values, &err));
  assert_string_equal(values.prefix, "x.");
  assert_int_equal(values.workers, 64);
  assert_int_equal(values.level, LOG_LEVEL_DEBUG);
  assert_string_equal(values.listen, "0.0.0.0:8080");
  unload(&values);
}

static void test_secrets_are_masked_when_printed(void **state) {
  struct values values;
  struct err err;
  setenv("DOCHAK_KEY", "open sesame", 1);
  assert_true(load(INGRESS, &values, &err));
  assert_string_equal(values.key, "open sesame");
  AUTO_FREE char *text = printed(INGRESS, &values);
  assert_non_null(strstr(text, "DOCHAK_KEY=********\n"));
  assert_null(strstr(text, "sesame"));
  unload(&values);
}

static const struct {
  const char *name, *value, *error; // the whole error; NULL: accepted
} rows[] = {
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
    {"DOCHAK_LEVEL", "warn", NULL},
    {"DOCHAK_LEVEL", "loud", "DOCHAK_LEVEL: \"loud\" is none of debug, info, warn, error"},
    {"DOCHAK_KEY", "12345678", NULL},
    {"DOCHAK_KEY", "1234567", "DOCHAK_KEY: shorter than 8 characters"},
    {"DOCHAK_LISTEN", "127.0.0.1:0", NULL},
    {"DOCHAK_LISTEN", "127.0.0.1:65535", NULL},
    {"DOCHAK_LISTEN", "127.0.0.1:65536",
     "DOCHAK_LISTEN: \"127.0.0.1:65536\" is not IPv4-address:port, such as "
     "0.0.0.0:8080"},
    {"DOCHAK_LISTEN", "127.0.0.1",
     "DOCHAK_LISTEN: \"127.0.0.1\" is not IPv4-address:port, such as 0.0.0.0:8080"},
    {"DOCHAK_LISTEN", "8080", "DOCHAK_LISTEN: \"8080\" is not IPv4-address:port, such as 0.0.0.0:8080"},
    {"DOCHAK_LISTEN", ":8080", "DOCHAK_LISTEN: \":8080\" is not IPv4-address:port, such as 0.0.0.0:8080"},
    {"DOCHAK_LISTEN",
     "127.0.0.1:", "DOCHAK_LISTEN: \"127.0.0.1:\" is not IPv4-address:port, such as 0.0.0.0:8080"},
    {"DOCHAK_LISTEN", "[::1]:80",
     "DOCHAK_LISTEN: \"[::1]:80\" is not IPv4-address:port, such as 0.0.0.0:8080"},
    {"DOCHAK_LISTEN", "localhost:80",
     "DOCHAK_LISTEN: \"localhost:80\" is not IPv4-address:port, such as "
     "0.0.0.0:8080"},
    {"DOCHAK_LISTEN", "1.2.3.4:80,1.2.3.4:81",
     "DOCHAK_LISTEN: \"1.2.3.4:80,1.2.3.4:81\" is not IPv4-address:port, "
     "such as 0.0.0.0:8080"},
    {"DOCHAK_LISTEN", "0.0.0.0:8443s",
     "DOCHAK_LISTEN: \"0.0.0.0:8443s\": TLS ends at the proxy in front; give address:port"},
    {"DOCHAK_LISTEN", "0.0.0.0:8080r",
     "DOCHAK_LISTEN: \"0.0.0.0:8080r\": TLS ends at the proxy in front; give address:port"},
    {"DOCHAK_WORKRES", "3", "DOCHAK_WORKRES: unknown setting; did you mean DOCHAK_WORKERS?"},
    {"DOCHAK_WORKER", "3", "DOCHAK_WORKER: unknown setting; did you mean DOCHAK_WORKERS?"},
    {"DOCHAK_WORKERS_FIL", "3", "DOCHAK_WORKERS_FIL: unknown setting; did you mean DOCHAK_WORKERS?"},
    {"DOCHAK_COLOUR_OF_THE_SEA", "3", "DOCHAK_COLOUR_OF_THE_SEA: unknown setting; --help lists them"},
    {"DOCHAK_", "3", "DOCHAK_: unknown setting; did you mean DOCHAK_KEY?"},
    {"DOCHAK_workers", "3", "DOCHAK_workers: unknown setting; did you mean DOCHAK_WORKERS?"},
    {"DOCHAK_WROKERS", "3", "DOCHAK_WROKERS: unknown setting; did you mean DOCHAK_WORKERS?"},
    {"DOCHAK_LISTEN", "[::ffff:1.2.3.4]:80",
     "DOCHAK_LISTEN: \"[::ffff:1.2.3.4]:80\" is not IPv4-address:port, such as 0.0.0.0:8080"},
    {"DOCHAK_SECRET_BIZGO_PATH", "anything", NULL},
    {"DOCHAK_SECRET_BIZGO_PATH_FILE", "/nowhere", NULL},
    {"dochak_workers", "0", NULL},
    {"DOCHAK_PREFIX_FILE", "/nowhere/at/all",
     "DOCHAK_PREFIX_FILE: /nowhere/at/all: No such file or directory"},
};

static void test_an_ill_formed_or_unknown_setting_is_an_error_that_names_it(void **state) {
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct values values;
    struct err err;
    setenv(rows[i].name, rows[i].value, 1);
    bool ok = load(INGRESS | PROCESSOR, &values, &err);
    assert_string_equal(err.text, rows[i].error ? rows[i].error : "");
    assert_int_equal(ok, rows[i].error == NULL);
    unload(&values);
    unsetenv(rows[i].name);
  }
}

static void test_all_wrong_settings_are_reported_at_once(void **state) {
  struct values values = {0};
  struct faults faults = {0};
  setenv("DOCHAK_KEY", "short", 1);
  setenv("DOCHAK_LISTEN", "8080", 1);
  setenv("DOCHAK_WORKERS", "0", 1);
  setenv("DOCHAK_LEVLE", "info", 1);
  setenv("DOCHAK_PREFIX", "kept.", 1);
  assert_false(options_load(table, COUNT_OF(table), INGRESS | PROCESSOR, &values, &faults));
  assert_int_equal(faults.n, 4);
  assert_int_equal(faults.n_errors, 4);
  assert_string_equal(faults.list[0].text, "DOCHAK_LEVLE: unknown setting; did you mean DOCHAK_LEVEL?");
  assert_string_equal(faults.list[1].text, "DOCHAK_KEY: shorter than 8 characters");
  assert_memory_equal(faults.list[2].text, "DOCHAK_LISTEN: ", 15);
  assert_string_equal(faults.list[3].text, "DOCHAK_WORKERS: 0 is not in 1 to 64");
  assert_string_equal(values.prefix, "kept.");
  faults_fini(&faults);
  unload(&values);
}

static void test_a_service_leaves_the_others_settings_alone(void **state) {
  struct values values;
  struct err err;
  setenv("DOCHAK_WORKERS", "not a number", 1);
  assert_true(load(INGRESS, &values, &err));
  assert_int_equal(values.workers, 0);
  AUTO_FREE char *text = printed(INGRESS, &values);
  assert_null(strstr(text, "DOCHAK_WORKERS"));
  unload(&values);
  assert_false(load(PROCESSOR, &values, &err));
  assert_int_equal(values.workers, 0);
  unload(&values);
}

static void test_what_is_required_must_be_given(void **state) {
  static const struct option required[] = {
      {"DOCHAK_KEY", OPTION_SECRET, offsetof(struct values, key), NULL, 8, 0, INGRESS, "The key."}};
  struct values values = {0};
  struct err err;
  assert_false(load_table(required, 1, INGRESS, &values, &err));
  assert_string_equal(err.text, "DOCHAK_KEY: required, but not set; --help says what it is");
  assert_true(load_table(required, 1, PROCESSOR, &values, &err));
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
    struct values values;
    struct err err;
    setenv("DOCHAK_KEY_FILE", file_with(files[i].content, files[i].len), 1);
    bool ok = load(INGRESS, &values, &err);
    assert_int_equal(ok, files[i].value != NULL);
    if (ok) assert_string_equal(values.key, files[i].value);
    if (!ok) assert_non_null(strstr(err.text, files[i].error));
    if (!ok) assert_memory_equal(err.text, "DOCHAK_KEY_FILE: /", 18);
    unload(&values);
  }
}

static void test_a_file_without_end_is_refused(void **state) {
  struct values values;
  struct err err;
  setenv("DOCHAK_PREFIX_FILE", "/dev/zero", 1);
  assert_false(load(INGRESS, &values, &err));
  unload(&values);
  AUTO_FREE char *large = mem_alloc(70000);
  memset(large, 'x', 70000);
  setenv("DOCHAK_PREFIX_FILE", file_with(large, 70000), 1);
  assert_false(load(INGRESS, &values, &err));
  assert_non_null(strstr(err.text, "expected 65536 bytes at most"));
  unload(&values);
}

static void test_a_value_and_a_file_at_once_is_an_error(void **state) {
  struct values values;
  struct err err;
  setenv("DOCHAK_PREFIX", "x", 1);
  setenv("DOCHAK_PREFIX_FILE", file_with("y", 1), 1);
  assert_false(load(INGRESS, &values, &err));
  assert_string_equal(err.text, "DOCHAK_PREFIX and DOCHAK_PREFIX_FILE are both set; one is enough");
  unload(&values);
}

static void test_secrets_by_name_come_from_either_place_or_fail(void **state) {
  char *secret = NULL;
  struct err err;
  assert_false(options_secret("DOCHAK_SECRET_X", &secret, &err));
  assert_string_equal(err.text, "DOCHAK_SECRET_X: not set; give it or DOCHAK_SECRET_X_FILE");
  setenv("DOCHAK_SECRET_X", "s3cret", 1);
  assert_true(options_secret("DOCHAK_SECRET_X", &secret, &err));
  assert_string_equal(secret, "s3cret");
  free(secret);
  setenv("DOCHAK_SECRET_X_FILE", file_with("other\n", 6), 1);
  assert_false(options_secret("DOCHAK_SECRET_X", &secret, &err));
  assert_null(strstr(err.text, "s3cret"));
  unsetenv("DOCHAK_SECRET_X");
  assert_true(options_secret("DOCHAK_SECRET_X", &secret, &err));
  assert_string_equal(secret, "other");
  free(secret);
}

static void test_the_manual_is_the_table(void **state) {
  static const char *const names[] = {"ingress", "processor", NULL};
  char *text;
  size_t len;
  FILE *to = open_memstream(&text, &len);
  options_help(table, COUNT_OF(table), INGRESS, to);
  options_markdown(table, COUNT_OF(table), names, to);
  fclose(to);
  assert_string_equal(text,
                      "  DOCHAK_PREFIX                   default dochak.\n"
                      "      What names begin with: a|b.\n"
                      "  DOCHAK_KEY                      optional; 8 characters or more\n"
                      "      The key.\n"
                      "  DOCHAK_LISTEN                   default 0.0.0.0:8080\n"
                      "      Where.\n"
                      "  DOCHAK_LEVEL                    default info\n"
                      "      Least level.\n"
                      "| setting | default | read by | what it is |\n"
                      "|---|---|---|---|\n"
                      "| `DOCHAK_PREFIX` | `dochak.` | ingress, processor | What names begin with: a\\|b. |\n"
                      "| `DOCHAK_KEY` | – | ingress | The key. (8 characters or more) |\n"
                      "| `DOCHAK_LISTEN` | `0.0.0.0:8080` | ingress | Where. |\n"
                      "| `DOCHAK_WORKERS` | `2` | processor | Threads. (1 to 64) |\n"
                      "| `DOCHAK_LEVEL` | `info` | ingress, processor | Least level. |\n");
  free(text);
}

static int make_folder(void **state) {
  return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
  unlink(file_with("", 0));
  return rmdir(folder);
}

#define TEST(name) cmocka_unit_test_setup(name, forget_environment)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_defaults_stand_where_nothing_is_given),
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
      TEST(test_the_manual_is_the_table),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
