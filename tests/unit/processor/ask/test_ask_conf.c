// SPDX-License-Identifier: MIT
// Which credentials are taken from the endpoints file, and what is wrong with them. No fault shows a secret.
#include "common/base/mem.h"
#include "processor/ask/ask_conf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define FILE_WITH(ask) "{\"endpoints\":[{\"endpoint\":\"a\",\"provider\":\"bizgo\"}],\"ask\":{" ask "}}"
#define V2(rest)       FILE_WITH("\"bizgo\":{\"form\":\"v2\"" rest "}")
#define KEY            "\"api_key\":\"DOCHAK_SECRET_KEY\""
#define SECRETS(list)  ",\"secrets\":{" list "}"

static char *new_file(const char *text) {
  char *path = mem_strdup("/tmp/ask-conf-XXXXXX");
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), strlen(text));
  close(fd);
  return path;
}

static struct ask_conf *load(const char *text, struct faults *faults) {
  struct faults none = {0};
  struct providers *providers = providers_load("", &none);
  assert_non_null(providers);
  AUTO_FREE char *file = new_file(text);
  struct ask_conf *conf = ask_conf_load(file, providers, faults);
  const struct ask_account *account = conf ? ask_conf_find(conf, "bizgo") : NULL;
  if (account) { // while the providers are there
    assert_string_equal(account->form->name, "v2");
    assert_string_equal(ask_account_secret(account, "api_key"), "secret-0123456789");
    assert_null(ask_account_secret(account, "other"));
  }
  providers_free(providers);
  unlink(file);
  return conf;
}

static const struct {
  const char *text, *secret;
  const char *fault; // NULL: good
} rows[] = {
    {V2(SECRETS(KEY)), "secret-0123456789", NULL},
    {V2(",\"base\":\"https://sandbox-mars.ibapi.kr\"" SECRETS(KEY)), "secret-0123456789", NULL},
    {V2(",\"base\":\"http://127.0.0.1:8080\"" SECRETS(KEY)), "secret-0123456789", NULL},
    {V2(",\"base\":\"http://localhost\"" SECRETS(KEY)), "secret-0123456789", NULL},
    {V2(",\"base\":\"http://[::1]:8080\"" SECRETS(KEY)), "secret-0123456789", NULL},
    // only https leaves the machine
    {V2(",\"base\":\"http://mars.ibapi.kr\"" SECRETS(KEY)), "secret-0123456789", "/ask/bizgo/base: expected"},
    {V2(",\"base\":\"http://127.0.0.1.example.com\"" SECRETS(KEY)), "secret-0123456789",
     "/ask/bizgo/base: expected"},
    {V2(",\"base\":\"http://localhost@example.com\"" SECRETS(KEY)), "secret-0123456789",
     "/ask/bizgo/base: expected"},
    {V2(",\"base\":\"https://user:word@mars.ibapi.kr\"" SECRETS(KEY)), "secret-0123456789",
     "/ask/bizgo/base: expected"},
    {V2(",\"base\":\"https://mars.ibapi.kr/?a=1\"" SECRETS(KEY)), "secret-0123456789",
     "/ask/bizgo/base: expected"},
    {V2(",\"base\":\"ftp://mars.ibapi.kr\"" SECRETS(KEY)), "secret-0123456789", "/ask/bizgo/base: expected"},
    // secrets
    {V2(""), NULL, "/ask/bizgo/secrets: the form \"v2\" needs api_key"},
    {V2(SECRETS(KEY)), NULL, "/ask/bizgo/secrets/api_key: DOCHAK_SECRET_KEY: not set"},
    {V2(SECRETS(KEY)), "short", "/ask/bizgo/secrets/api_key: DOCHAK_SECRET_KEY: expected at least 8"},
    {V2(SECRETS(KEY)), "secret\r\nX-Other: 1",
     "/ask/bizgo/secrets/api_key: DOCHAK_SECRET_KEY: expected only printable"},
    {V2(SECRETS(KEY)), "Bearer secret-01",
     "/ask/bizgo/secrets/api_key: DOCHAK_SECRET_KEY: expected only printable"},
    {V2(SECRETS(KEY ",\"client_id\":\"DOCHAK_SECRET_ID\"")), "secret-0123456789",
     "/ask/bizgo/secrets/client_id: the form \"v2\" names no such secret"},
    {V2(",\"every_s\":0,\"wait_s\":0" SECRETS(KEY)), "secret-0123456789", NULL},
    {V2(",\"every_s\":86401" SECRETS(KEY)), "secret-0123456789", "/ask/bizgo/every_s: expected"},
    {V2(",\"wait_s\":-1" SECRETS(KEY)), "secret-0123456789", "/ask/bizgo/wait_s: expected"},
    // names
    {FILE_WITH("\"bizgo\":{\"form\":\"v3\"}"), NULL, "/ask/bizgo/form: \"v3\" is none of v2, v1"},
    {FILE_WITH("\"blux\":{\"form\":\"v1\"}"), NULL, "/ask/blux/form: the provider file has no \"ask\""},
    {FILE_WITH("\"nobody\":{\"form\":\"v1\"}"), NULL, "/ask/nobody: there is no provider file of that name"},
    {V2(",\"ca\":\"/nowhere/ca.pem\"" SECRETS(KEY)), "secret-0123456789",
     "/ask/bizgo/ca: /nowhere/ca.pem: cannot be read"},
    {V2(",\"token\":\"secret-0123456789\"" SECRETS(KEY)), "secret-0123456789", "/ask/bizgo"},
};

static void test_what_is_wrong_is_said_without_a_secret(void **state) {
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct faults faults = {0};
    unsetenv("DOCHAK_SECRET_KEY");
    if (rows[i].secret) setenv("DOCHAK_SECRET_KEY", rows[i].secret, 1);
    struct ask_conf *conf = load(rows[i].text, &faults);
    const char *got = faults.n ? faults.list[0].text : "nothing";
    if (!conf != !!rows[i].fault || (rows[i].fault && !strstr(got, rows[i].fault)))
      fail_msg("%s: expected %s, got %s", rows[i].text, rows[i].fault ? rows[i].fault : "nothing", got);
    for (size_t k = 0; k < faults.n; k++) {
      assert_null(strstr(faults.list[k].text, "secret-01"));
      assert_null(strstr(faults.list[k].text, "X-Other"));
    }
    faults_fini(&faults);
    ask_conf_free(conf);
  }
}

static const struct {
  const char *text;
  int64_t every_s, wait_s;
} times[] = {
    {V2(SECRETS(KEY)), 600, 3600},
    {V2(",\"every_s\":0" SECRETS(KEY)), 0, 3600},
    {V2(",\"every_s\":60,\"wait_s\":0" SECRETS(KEY)), 60, 0},
};

static void test_how_often_the_processors_ask_by_themselves(void **state) {
  setenv("DOCHAK_SECRET_KEY", "secret-0123456789", 1);
  for (size_t i = 0; i < COUNT_OF(times); i++) {
    struct faults faults = {0};
    struct ask_conf *conf = load(times[i].text, &faults);
    assert_non_null(conf);
    assert_int_equal(ask_conf_count(conf), 1);
    assert_int_equal(ask_conf_at(conf, 0)->every_s, times[i].every_s);
    assert_int_equal(ask_conf_at(conf, 0)->wait_s, times[i].wait_s);
    ask_conf_free(conf);
  }
}

static void test_a_secret_may_stand_in_a_file(void **state) {
  struct faults faults = {0};
  AUTO_FREE char *secret = new_file("secret-0123456789\n");
  unsetenv("DOCHAK_SECRET_KEY");
  setenv("DOCHAK_SECRET_KEY_FILE", secret, 1);
  struct ask_conf *conf = load(V2(SECRETS(KEY)), &faults);
  assert_non_null(conf);
  ask_conf_free(conf);
  unsetenv("DOCHAK_SECRET_KEY_FILE");
  unlink(secret);
}

static void test_without_a_file_or_without_the_member_nobody_is_asked(void **state) {
  static const char *const texts[] = {"{\"endpoints\":[{\"endpoint\":\"a\",\"provider\":\"bizgo\"}]}"};
  struct faults faults = {0};
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    struct ask_conf *conf = load(texts[i], &faults);
    assert_non_null(conf);
    assert_null(ask_conf_find(conf, "bizgo"));
    ask_conf_free(conf);
  }
  struct ask_conf *conf = ask_conf_load("", NULL, &faults);
  assert_non_null(conf);
  assert_null(ask_conf_find(conf, "bizgo"));
  ask_conf_free(conf);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_is_wrong_is_said_without_a_secret),
      cmocka_unit_test(test_how_often_the_processors_ask_by_themselves),
      cmocka_unit_test(test_a_secret_may_stand_in_a_file),
      cmocka_unit_test(test_without_a_file_or_without_the_member_nobody_is_asked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
