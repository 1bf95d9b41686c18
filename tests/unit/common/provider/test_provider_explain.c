// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "common/provider/provider_explain.h"
#include "common/provider/provider_load.h"
#include "common/provider/provider_read.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char file[] =
    "{\"provider\":\"acme\",\"webhook\":{\"elements\":\"\",\"kinds\":["
    "{\"name\":\"report\",\"kind\":\"receipt\",\"id\":\"/id\",\"code\":\"/state\",\"dedupe\":[\"/"
    "id\"],\"when\":"
    "{\"present\":[\"/id\",\"/state\"],\"absent\":[\"/text\"],\"equals\":{\"/type\":[\"sms\",\"mms\"]},"
    "\"equals_any_case\":{\"/event\":[\"done\"]}}},"
    "{\"name\":\"rest\",\"kind\":\"other\"}],"
    "\"ack\":{\"status\":200},\"refused\":{\"status\":403},\"budget_ms\":1000},"
    "\"outcomes\":{\"D\":{\"outcome\":\"delivered\"}},"
    "\"acceptance\":{\"shapes\":[{\"id\":\"/id\"}]}}";

static struct provider *load(void) {
  struct faults faults = {0};
  AUTO_JSON *document = json_parse(file, strlen(file), NULL);
  struct provider *provider = provider_new(document, &faults);
  assert_non_null(provider);
  faults_fini(&faults);
  return provider;
}

static void test_the_first_condition_that_is_not_met_is_named(void **state) {
  static const struct {
    const char *element, *rule, *place;
    size_t n_expected;
  } rows[] = {
      {"5", "", "", 0},
      {"{}", "present", "/id", 0},
      {"{\"id\":1,\"state\":null,\"text\":1}", "present", "/state", 0},
      {"{\"id\":1,\"state\":1,\"text\":1}", "absent", "/text", 0},
      {"{\"id\":1,\"state\":1}", "equals", "/type", 2},
      {"{\"id\":1,\"state\":1,\"type\":\"SMS\",\"event\":\"done\"}", "equals", "/type", 2},
      {"{\"id\":1,\"state\":1,\"type\":\"sms\",\"event\":\"do\"}", "equals_any_case", "/event", 1},
  };
  struct provider *provider = load();
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    AUTO_JSON *element = json_parse(rows[i].element, strlen(rows[i].element), NULL);
    assert_false(provider_kind_fits(provider, 0, element));
    struct provider_unmet unmet = provider_kind_unmet(provider, 0, element);
    assert_string_equal(unmet.rule, rows[i].rule);
    assert_string_equal(unmet.place, rows[i].place);
    assert_int_equal(json_array_size(unmet.expected), rows[i].n_expected);
  }
  provider_free(provider);
}

static void test_a_kind_fits_as_the_provider_classifies(void **state) {
  static const char text[] = "{\"id\":1,\"state\":1,\"type\":\"mms\",\"event\":\"DONE\"}";
  struct provider *provider = load();
  struct provider_element read;
  struct err err;
  AUTO_JSON *element = json_parse(text, strlen(text), NULL);
  assert_true(provider_kind_fits(provider, 0, element));
  assert_true(provider_kind_fits(provider, 1, element));
  assert_true(provider_classify(provider, element, &read, &err));
  assert_string_equal(read.kind_name, "report");
  provider_free(provider);
}

static void test_the_rules_are_given_as_the_file_has_them(void **state) {
  struct provider *provider = load();
  assert_int_equal(provider_kinds_count(provider), 2);
  assert_string_equal(json_string_value(json_object_get(provider_kind_at(provider, 1), "name")), "rest");
  assert_true(provider_kind_has_when(provider, 0));
  assert_false(provider_kind_has_when(provider, 1));
  assert_int_equal(json_array_size(provider_shapes(provider)), 1);
  provider_free(provider);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_first_condition_that_is_not_met_is_named),
      cmocka_unit_test(test_a_kind_fits_as_the_provider_classifies),
      cmocka_unit_test(test_the_rules_are_given_as_the_file_has_them),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
