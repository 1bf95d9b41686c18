// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "processor/watch/watched.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SEOLLAL = 20501, DAY_S = 86400 }; // 2026-02-17

// A new file with this text; its name, which the caller frees.
static char *new_file(const char *text) {
  char *path = mem_strdup("/tmp/watched-XXXXXX");
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), strlen(text));
  close(fd);
  return path;
}

static const char *const endpoints = "{\"endpoints\": ["
                                     "{\"endpoint\": \"a\", \"provider\": \"bizgo\"},"
                                     "{\"endpoint\": \"b/c\", \"provider\": \"blux\", \"zone\": \"-08:30\","
                                     " \"floor\": {\"calls\": 20, \"within_s\": 86400}},"
                                     "{\"endpoint\": \"d\", \"provider\": \"blux\", \"zone\": \"+09:00\","
                                     " \"secret_path\": [\"DOCHAK_SECRET_THAT_IS_NOT_SET\"]}]}";

static const struct {
  const char *name, *provider;
  int zone_minutes;
  enum holidays_day seollal;
  int64_t calls, within_s;
} listed[] = {
    {"a", "bizgo", 540, HOLIDAYS_HOLIDAY, 0, 0},
    {"b/c", "blux", -510, HOLIDAYS_UNLISTED, 20, DAY_S},
    {"d", "blux", 540, HOLIDAYS_HOLIDAY, 0, 0},
    {"b", NULL, 540, HOLIDAYS_HOLIDAY, 0, 0},
};

static void assert_watched(const struct watched_list *list, size_t i) {
  const struct watched *watched = watched_find(list, listed[i].name);
  if (listed[i].provider)
    assert_string_equal(watched->provider, listed[i].provider);
  else
    assert_null(watched->endpoint);
  assert_int_equal(watched->zone_minutes, listed[i].zone_minutes);
  assert_int_equal(holidays_on(watched->holidays, SEOLLAL), listed[i].seollal);
  assert_int_equal(watched->floor.calls, listed[i].calls);
  assert_int_equal(watched->floor.within_s, listed[i].within_s);
}

static void test_zone_and_floor_of_each_endpoint(void **state) {
  struct faults faults = {0};
  AUTO_FREE char *file = new_file(endpoints);
  struct watched_list *list = watched_load(file, "", &faults);
  faults_print(&faults, "test");
  assert_non_null(list);
  for (size_t i = 0; i < COUNT_OF(listed); i++) assert_watched(list, i);
  watched_free(list);
  unlink(file);
}

static void test_without_a_file_each_endpoint_is_korean(void **state) {
  struct faults faults = {0};
  struct watched_list *list = watched_load("", "", &faults);
  assert_non_null(list);
  assert_watched(list, 3);
  watched_free(list);
}

static void test_a_list_of_the_operator_replaces_the_one_built_in(void **state) {
  struct faults faults = {0};
  AUTO_FREE char *file = new_file(endpoints);
  AUTO_FREE char *holidays = new_file("zone -08:30\n2026-02-18 ours\n");
  struct watched_list *list = watched_load(file, holidays, &faults);
  assert_non_null(list);
  assert_null(watched_find(list, "a")->holidays);
  assert_int_equal(holidays_on(watched_find(list, "b/c")->holidays, SEOLLAL), HOLIDAYS_ORDINARY);
  watched_free(list);
  unlink(file);
  unlink(holidays);
}

static void test_every_fault_names_its_file(void **state) {
  static const struct {
    const char *endpoints, *holidays, *faults[2];
  } cases[] = {
      {"{", "zone Z\n2026-02-17", {"not JSON"}},
      {"{}", "zone Z\n", {"contains no date", "expected a key \"endpoints\""}},
      {"{\"endpoints\": [{\"endpoint\": \"a\", \"provider\": \"b\", \"zone\": \"Seoul\"}]}",
       "zone Z\n2026-02-17",
       {"/endpoints/0/zone: expected an offset from UTC such as +09:00"}},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct faults faults = {0};
    AUTO_FREE char *file = new_file(cases[i].endpoints);
    AUTO_FREE char *holidays = new_file(cases[i].holidays);
    assert_null(watched_load(file, holidays, &faults));
    for (size_t k = 0; k < 2 && cases[i].faults[k]; k++)
      if (k >= faults.n || !strstr(faults.list[k].text, cases[i].faults[k]))
        fail_msg("%zu: %s", i, k < faults.n ? faults.list[k].text : "no fault");
    assert_true(strncmp(faults.list[faults.n - 1].text, file, strlen(file)) == 0);
    faults_fini(&faults);
    unlink(file);
    unlink(holidays);
  }
}

static void test_a_file_that_is_not_there_is_a_fault(void **state) {
  static const char *const cases[][3] = {{"/nowhere/endpoints.json", "", "/nowhere/endpoints.json: "},
                                         {"", "/nowhere/kr.txt", "DOCHAK_HOLIDAYS_FILE: /nowhere/kr.txt: "}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct faults faults = {0};
    assert_null(watched_load(cases[i][0], cases[i][1], &faults));
    assert_int_equal(faults.n_errors, 1);
    assert_true(strncmp(faults.list[0].text, cases[i][2], strlen(cases[i][2])) == 0);
    faults_fini(&faults);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_zone_and_floor_of_each_endpoint),
      cmocka_unit_test(test_without_a_file_each_endpoint_is_korean),
      cmocka_unit_test(test_a_list_of_the_operator_replaces_the_one_built_in),
      cmocka_unit_test(test_every_fault_names_its_file),
      cmocka_unit_test(test_a_file_that_is_not_there_is_a_fault),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
