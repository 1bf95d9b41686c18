// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "processor/processor.h"
#include "processor/watch/watch_metrics.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct metric list[METRIC_COUNT] = {
    [METRIC_WATCH_BEHIND] = {"behind", "", METRIC_GAUGE, NULL},
    [METRIC_WATCH_HIDDEN] = {"hidden", "", METRIC_GAUGE, NULL},
    [METRIC_INCIDENTS_OPEN] = {"incidents", "", METRIC_GAUGE, "kind,provider"},
    [METRIC_PENDING_AGE] = {"age", "", METRIC_GAUGE, "provider"},
    [METRIC_SILENCE_SCORE] = {"score", "", METRIC_GAUGE, "endpoint"},
    [METRIC_SILENCE_BAR] = {"bar", "", METRIC_GAUGE, "endpoint"},
};

bool __wrap_silence_at(const struct silence *silence, size_t i, const char **endpoint, double *score,
                       double *bar) {
  *endpoint = "blux/sms";
  *score = 3.5;
  *bar = 9;
  return i == 0;
}

static int64_t value_of(struct metrics *metrics, enum processor_metric id) {
  return atomic_load(metrics_at(metrics, id, "blux/sms"));
}

static void test_a_process_that_leads_no_more_shows_no_silence(void **state) {
  struct metrics *metrics = metrics_new(list, COUNT_OF(list));
  struct view view = {0};
  watch_metrics_silence(metrics, NULL);
  assert_int_equal(value_of(metrics, METRIC_SILENCE_SCORE), 350);
  assert_int_equal(value_of(metrics, METRIC_SILENCE_BAR), 900);
  watch_metrics_clear(metrics, &view, NULL);
  assert_int_equal(value_of(metrics, METRIC_SILENCE_SCORE), 0);
  assert_int_equal(value_of(metrics, METRIC_SILENCE_BAR), 0);
  metrics_free(metrics);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_process_that_leads_no_more_shows_no_silence)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
