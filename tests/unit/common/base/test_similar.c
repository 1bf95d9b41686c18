// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "common/base/similar.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const known[] = {"endpoint", "provider", "secret_path", "checks", ""};

static const struct {
  const char *given, *meant; // NULL: none is near enough
} rows[] = {
    {"endpoint", "endpoint"},
    {"Endpoint", "endpoint"},
    {"endpoints", "endpoint"},
    {"enpdoint", "endpoint"}, // two letters swapped are one fault
    {"endpnt", "endpoint"},
    {"secretpath", "secret_path"},
    {"chcek", "checks"},
    {"secret", NULL},
    {"x", NULL},
    {"0123456789012345678901234567890123456789012345678901234567890123456789", NULL},
};

static void test_the_nearest_name_is_found(void **state) {
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct similar similar = {.given = rows[i].given};
    for (size_t j = 0; j < COUNT_OF(known); j++) similar_try(&similar, known[j]);
    if (!similar.best != !rows[i].meant) fail_msg("%s: %s", rows[i].given, similar.best);
    if (similar.best) assert_string_equal(similar.best, rows[i].meant);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_nearest_name_is_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
