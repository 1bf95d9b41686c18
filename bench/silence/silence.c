// SPDX-License-Identifier: MIT
// An endpoint's life under the rule of processor/rules/rhythm.h, minute by minute, for bench/silence.py
// (ctypes). It does what the watch does around the pure rule: collects the hours, learns at local midnight,
// leaves out the hours of an incident.
#include "common/base/mem.h"
#include "processor/rules/holidays.h"
#include "processor/rules/rhythm.h"
#include <stdlib.h>
#include <string.h>

struct life {
  int zone_minutes;
  const struct holidays *holidays;
  struct rhythm_state state;
  struct rhythm rhythm;
  struct rhythm_history history;
  struct rhythm_hour hour; // the current one
  int64_t silent_from;     // of the open incident
  bool spoilt;             // an incident closed in this hour
};

struct life *life_new(int64_t minute, int zone_minutes, const struct holidays *holidays);
struct life *life_copy(const struct life *life);
void life_free(struct life *life);
int64_t life_run(struct life *life, const uint16_t *calls, int64_t n, int64_t *opened, int64_t opened_max,
                 bool stop_at_open);
struct holidays *life_holidays(const char *text, size_t len);

struct holidays *life_holidays(const char *text, size_t len) {
  struct err err;
  return holidays_new(text, len, &err);
}

struct life *life_new(int64_t minute, int zone_minutes, const struct holidays *holidays) {
  struct life *life = mem_alloc(sizeof *life);
  life->zone_minutes = zone_minutes;
  life->holidays = holidays;
  rhythm_init(&life->state, minute);
  life->history.until = rhythm_hour_of(minute, zone_minutes);
  rhythm_build(&life->rhythm, &life->history, &life->state, zone_minutes, holidays);
  return life;
}

struct life *life_copy(const struct life *life) {
  struct life *copy = mem_alloc(sizeof *copy);
  memcpy(copy, life, sizeof *copy);
  return copy;
}

void life_free(struct life *life) {
  free(life);
}

static void leave_out(struct life *life, int64_t closed) {
  for (int i = 0; i < RHYTHM_WEEKS * RHYTHM_HOURS; i++) {
    int64_t hour = life->history.until - 1 - i;
    if (!rhythm_hour_counts(hour, life->zone_minutes, life->silent_from, closed))
      life->history.hours[i].known = 0;
  }
}

static void end_hour(struct life *life) {
  struct rhythm_history *history = &life->history;
  memmove(history->hours + 1, history->hours, sizeof history->hours - sizeof *history->hours);
  history->hours[0] = life->hour;
  if (life->spoilt) history->hours[0].known = 0;
  history->until++;
  life->hour = (struct rhythm_hour){0};
  life->spoilt = false;
  if (history->until % 24 != 0) return;
  if (life->state.open) leave_out(life, RHYTHM_NEVER);
  rhythm_build(&life->rhythm, history, &life->state, life->zone_minutes, life->holidays);
}

static void run_minute(struct life *life, unsigned calls, enum verdict *verdict) {
  struct rhythm_state *s = &life->state;
  int64_t minute = s->minute + 1;
  int64_t silent_from = s->pause_start < s->last_call + 1 ? s->pause_start : s->last_call + 1;
  *verdict = rhythm_minute(s, &life->rhythm, minute, calls);
  if (*verdict == VERDICT_OPEN) life->silent_from = silent_from;
  life->hour.calls += calls;
  life->hour.live = (uint8_t)(life->hour.live + (calls > 0));
  life->hour.known++;
  if (*verdict == VERDICT_CLOSE) leave_out(life, minute);
  if (*verdict == VERDICT_CLOSE) life->spoilt = true;
  if (rhythm_hour_of(minute + 1, life->zone_minutes) != life->history.until) end_hour(life);
}

// Returns the number of alerts, and when each opened. `calls` of NULL: none.
int64_t life_run(struct life *life, const uint16_t *calls, int64_t n, int64_t *opened, int64_t opened_max,
                 bool stop_at_open) {
  int64_t alerts = 0;
  for (int64_t i = 0; i < n; i++) {
    enum verdict verdict;
    run_minute(life, calls ? calls[i] : 0, &verdict);
    if (verdict != VERDICT_OPEN) continue;
    if (alerts < opened_max) opened[alerts] = life->state.minute;
    alerts++;
    if (stop_at_open) break;
  }
  return alerts;
}
