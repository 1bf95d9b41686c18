// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "processor/rules/ingress_minute.h"
#include "processor/rules/ledger.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const int64_t MINUTE_AT_MS = INT64_C(1795940100000); // 2026-11-29T08:15:00Z

#define AT      "\"minute\":\"2026-11-29T08:15:00Z\","
#define BY      "\"instance\":\"i-1\","
#define COUNTS  "\"calls\":17,\"good\":12,\"failed\":2,\"failed_in_a_row\":1,\"spooled\":0,"
#define REFUSED "\"refused\":{\"ip\":2,\"query_token\":1},"
#define REST    "\"spooled_since\":null,\"leaving\":false"

static bool parse(const char *text, struct ingress_minute *minute, struct err *err) {
  return ingress_minute_parse(text, strlen(text), minute, err);
}

static void test_a_minute_is_read_as_ingress_wrote_it(void **state) {
  struct ingress_minute minute;
  struct err err;
  assert_true(parse("{" AT BY COUNTS REFUSED REST "}", &minute, &err));
  assert_true(minute.at == MINUTE_AT_MS);
  assert_string_equal(minute.instance, "i-1");
  assert_true(minute.calls == 17 && minute.good == 12 && minute.failed == 2 && minute.failed_in_a_row == 1);
  assert_true(minute.refused == 3 && minute.spooled == 0 && minute.spooled_since == NO_TIME);
  assert_string_equal(minute.refused_by, "{\"ip\":2,\"query_token\":1}");
  assert_false(minute.leaving);
  ingress_minute_fini(&minute);
}

static void test_a_last_minute_with_rows_in_the_spool_says_both(void **state) {
  struct ingress_minute minute;
  struct err err;
  assert_true(
      parse("{" AT BY
            "\"calls\":0,\"good\":0,\"failed\":0,\"failed_in_a_row\":0,\"spooled\":41,\"refused\":{\"ip\":0},"
            "\"spooled_since\":\"2026-11-29T08:15:02.5Z\",\"leaving\":true}",
            &minute, &err));
  assert_true(minute.leaving && minute.spooled == 41 && minute.spooled_since == MINUTE_AT_MS + 2500);
  assert_true(minute.calls == 0 && minute.refused == 0);
  assert_string_equal(minute.refused_by, "{\"ip\":0}");
  ingress_minute_fini(&minute);
}

static const struct {
  const char *value, *fault;
} faults[] = {
    {"", "empty"},
    {"not JSON", "not JSON"},
    {"[]", "expected an object"},
    {"{" AT COUNTS REFUSED REST "}", "/instance"},
    {"{" AT "\"instance\":\"\"," COUNTS REFUSED REST "}", "/instance"},
    {"{" AT "\"instance\":7," COUNTS REFUSED REST "}", "/instance"},
    {"{" BY COUNTS REFUSED REST "}", "/minute"},
    {"{\"minute\":\"now\"," BY COUNTS REFUSED REST "}", "/minute"},
    {"{\"minute\":5," BY COUNTS REFUSED REST "}", "/minute"},
    {"{" AT BY REFUSED REST "}", "/calls"},
    {"{" AT BY "\"calls\":-1,\"good\":0,\"failed\":0,\"failed_in_a_row\":0,\"spooled\":0," REFUSED REST "}",
     "/calls"},
    {"{" AT BY "\"calls\":1.5,\"good\":0,\"failed\":0,\"failed_in_a_row\":0,\"spooled\":0," REFUSED REST "}",
     "/calls"},
    {"{" AT BY "\"calls\":1,\"good\":\"1\",\"failed\":0,\"failed_in_a_row\":0,\"spooled\":0," REFUSED REST
     "}",
     "/good"},
    {"{" AT BY "\"calls\":1,\"good\":0,\"failed\":null,\"failed_in_a_row\":0,\"spooled\":0," REFUSED REST "}",
     "/failed"},
    {"{" AT BY "\"calls\":1,\"good\":0,\"failed\":0,\"failed_in_a_row\":[],\"spooled\":0," REFUSED REST "}",
     "/failed_in_a_row"},
    {"{" AT BY "\"calls\":1,\"good\":0,\"failed\":0,\"failed_in_a_row\":0,\"spooled\":true," REFUSED REST "}",
     "/spooled"},
    {"{" AT BY
     "\"calls\":9223372036854775807,\"good\":0,\"failed\":0,\"failed_in_a_row\":0,\"spooled\":0," REFUSED REST
     "}",
     "/calls"},
    {"{" AT BY
     "\"calls\":1,\"good\":0,\"failed\":0,\"failed_in_a_row\":1000000000001,\"spooled\":0," REFUSED REST "}",
     "/failed_in_a_row"},
    {"{" AT BY COUNTS "\"refused\":{\"ip\":1000000000001}," REST "}", "/refused"},
    {"{" AT BY COUNTS "\"refused\":{\"ip\":1000000000000,\"query_token\":1}," REST "}",
     "/refused: expected at most"},
    {"{" AT BY COUNTS REST "}", "/refused"},
    {"{" AT BY COUNTS "\"refused\":[1]," REST "}", "/refused"},
    {"{" AT BY COUNTS "\"refused\":{\"ip\":-1}," REST "}", "/refused"},
    {"{" AT BY COUNTS "\"refused\":{\"ip\":\"many\"}," REST "}", "/refused"},
    {"{" AT BY COUNTS REFUSED "\"spooled_since\":\"yesterday\",\"leaving\":false}", "/spooled_since"},
};

static void test_what_is_no_minute_names_the_member(void **state) {
  for (size_t i = 0; i < COUNT_OF(faults); i++) {
    struct ingress_minute minute, none = {0};
    struct err err = {0};
    memset(&minute, 1, sizeof minute);
    if (parse(faults[i].value, &minute, &err)) fail_msg("%s", faults[i].value);
    if (!strstr(err.text, faults[i].fault)) fail_msg("%s: %s", faults[i].value, err.text);
    assert_memory_equal(&minute, &none, sizeof minute);
  }
}

static bool takes_instance(int len) {
  AUTO_FREE char *text = mem_printf("{" AT "\"instance\":\"%0*d\"," COUNTS REFUSED REST "}", len, 0);
  struct ingress_minute minute;
  struct err err;
  bool taken = parse(text, &minute, &err);
  ingress_minute_fini(&minute);
  return taken;
}

static void test_the_name_of_an_ingress_has_at_most_255_bytes(void **state) {
  assert_true(takes_instance(255));
  assert_false(takes_instance(256));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_minute_is_read_as_ingress_wrote_it),
      cmocka_unit_test(test_a_last_minute_with_rows_in_the_spool_says_both),
      cmocka_unit_test(test_what_is_no_minute_names_the_member),
      cmocka_unit_test(test_the_name_of_an_ingress_has_at_most_255_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
