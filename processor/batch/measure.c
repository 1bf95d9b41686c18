// SPDX-License-Identifier: MIT
#include "processor/batch/measure.h"
#include "common/base/clock.h"

static const struct {
  const char *name, *part;
} phases[PHASE_COUNT] = {
    [PHASE_NONE] = {"none", "kafka"},           [PHASE_FETCH] = {"fetch", "kafka"},
    [PHASE_INTERPRET] = {"interpret", "kafka"}, [PHASE_POSTGRES] = {"postgres", "postgres"},
    [PHASE_KAFKA] = {"kafka", "kafka"},
};

void measure_reset(struct measure *measure) {
  *measure = (struct measure){.since_us = clock_mono_us()};
}

void measure_enter(struct measure *measure, enum phase phase) {
  int64_t now = clock_mono_us();
  measure->spent_us[measure->phase] += now - measure->since_us;
  measure->since_us = now;
  measure->phase = phase;
}

const char *measure_part(const struct measure *measure) {
  return phases[measure->phase].part;
}

// By two machines' clocks. What is no event of ours has no age.
static void observe_age(struct metric_histogram *ages, const struct fact *fact, int64_t now_ms) {
  int64_t age_ms = now_ms - fact->ev.time_ms;
  if (fact->ev.type) metrics_observe(ages, age_ms > 0 ? age_ms * 1000 : 0);
}

void measure_committed(struct measure *measure, struct metrics *metrics, const struct fact *facts, size_t n) {
  struct metric_histogram *ages = metrics_histogram_at(metrics, METRIC_EVENT_AGE_SECONDS, NULL);
  int64_t now_ms = clock_wall_ms();
  const char *outcome = NULL;
  metric_value *count = NULL;
  for (size_t i = 0; i < n; i++) {
    if (fact_outcome(&facts[i]) != outcome) { // static names, and mostly the one before
      outcome = fact_outcome(&facts[i]);
      count = metrics_at(metrics, METRIC_RECORDS, outcome);
    }
    atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
    observe_age(ages, &facts[i], now_ms);
  }
  metrics_observe(metrics_histogram_at(metrics, METRIC_BATCH_RECORDS, NULL), (int64_t)n);
  measure_enter(measure, PHASE_NONE);
  for (enum phase p = PHASE_FETCH; p < PHASE_COUNT; p++)
    metrics_observe(metrics_histogram_at(metrics, METRIC_PHASE_SECONDS, phases[p].name),
                    measure->spent_us[p]);
}

void measure_published(struct metrics *metrics, const struct fact *fact) {
  observe_age(metrics_histogram_at(metrics, METRIC_ALERT_AGE_SECONDS, NULL), fact, clock_wall_ms());
}
