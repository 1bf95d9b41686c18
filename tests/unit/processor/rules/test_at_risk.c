// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "processor/rules/at_risk.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct {
  const char *name;
  struct at_risk failed, limits;
  enum at_risk_level open;
  enum verdict verdict;
  struct at_risk_found found;
} cases[] = {
    {"nothing failed", {0, 0}, {1000, 0}, AT_RISK_NONE, VERDICT_NOTHING, {AT_RISK_NONE, false, 0, 1000}},
    {"below half", {499, 0}, {1000, 0}, AT_RISK_NONE, VERDICT_NOTHING, {AT_RISK_NONE, false, 499, 1000}},
    {"half", {500, 0}, {1000, 0}, AT_RISK_NONE, VERDICT_OPEN, {AT_RISK_HALF, false, 500, 1000}},
    {"half, once", {899, 0}, {1000, 0}, AT_RISK_HALF, VERDICT_NOTHING, {AT_RISK_HALF, false, 899, 1000}},
    {"nine tenths", {900, 0}, {1000, 0}, AT_RISK_HALF, VERDICT_OPEN, {AT_RISK_NEARLY, false, 900, 1000}},
    {"nine tenths, once",
     {5000, 0},
     {1000, 0},
     AT_RISK_NEARLY,
     VERDICT_NOTHING,
     {AT_RISK_NEARLY, false, 5000, 1000}},
    {"nine tenths at once",
     {950, 0},
     {1000, 0},
     AT_RISK_NONE,
     VERDICT_OPEN,
     {AT_RISK_NEARLY, false, 950, 1000}},
    {"back below nine tenths",
     {600, 0},
     {1000, 0},
     AT_RISK_NEARLY,
     VERDICT_NOTHING,
     {AT_RISK_HALF, false, 600, 1000}},
    {"a third is too much",
     {334, 0},
     {1000, 0},
     AT_RISK_HALF,
     VERDICT_NOTHING,
     {AT_RISK_NONE, false, 334, 1000}},
    {"a third exactly", {300, 0}, {900, 0}, AT_RISK_HALF, VERDICT_NOTHING, {AT_RISK_NONE, false, 300, 900}},
    {"below a third", {333, 0}, {1000, 0}, AT_RISK_NEARLY, VERDICT_CLOSE, {AT_RISK_NONE, false, 333, 1000}},
    {"below a third of nothing open",
     {333, 0},
     {1000, 0},
     AT_RISK_NONE,
     VERDICT_NOTHING,
     {AT_RISK_NONE, false, 333, 1000}},
    {"in a row", {0, 50}, {0, 100}, AT_RISK_NONE, VERDICT_OPEN, {AT_RISK_HALF, true, 50, 100}},
    {"in a row, without such a limit",
     {0, 5000},
     {1000, 0},
     AT_RISK_NONE,
     VERDICT_NOTHING,
     {AT_RISK_NONE, false, 0, 1000}},
    {"the nearer limit decides: a day",
     {800, 50},
     {1000, 100},
     AT_RISK_NONE,
     VERDICT_OPEN,
     {AT_RISK_HALF, false, 800, 1000}},
    {"the nearer limit decides: a row",
     {800, 90},
     {1000, 100},
     AT_RISK_HALF,
     VERDICT_OPEN,
     {AT_RISK_NEARLY, true, 90, 100}},
    {"as near to the one as to the other",
     {500, 50},
     {1000, 100},
     AT_RISK_NONE,
     VERDICT_OPEN,
     {AT_RISK_HALF, false, 500, 1000}},
    {"the other limit keeps it open",
     {400, 0},
     {1000, 100},
     AT_RISK_HALF,
     VERDICT_NOTHING,
     {AT_RISK_NONE, false, 400, 1000}},
    {"no limits", {900, 900}, {0, 0}, AT_RISK_NONE, VERDICT_NOTHING, {AT_RISK_NONE, true, 900, 0}},
    {"no limits any more", {900, 900}, {0, 0}, AT_RISK_HALF, VERDICT_CLOSE, {AT_RISK_NONE, true, 900, 0}},
};

static void test_failed_calls_raise_two_alarms_before_the_providers_limit(void **state) {
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct at_risk_found found;
    const struct at_risk_found *wanted = &cases[i].found;
    if (at_risk_judge(&cases[i].failed, &cases[i].limits, cases[i].open, &found) != cases[i].verdict)
      fail_msg("%s: another verdict", cases[i].name);
    if (found.level != wanted->level || found.in_a_row != wanted->in_a_row ||
        found.failed != wanted->failed || found.limit != wanted->limit)
      fail_msg("%s: level %d, %lld of %lld", cases[i].name, found.level, (long long)found.failed,
               (long long)found.limit);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_failed_calls_raise_two_alarms_before_the_providers_limit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
