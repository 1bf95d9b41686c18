// SPDX-License-Identifier: MIT
// Each sentence of the rule: what is learned from a history, what a minute does to the score, dead days, late
// calls, the horizon. What the rule makes of whole streams is in test_rhythm_stream.c.
#include "common/base/mem.h"
#include "processor/rules/rhythm.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DAY = 1440, WEEK = 7 * DAY, KOREA = 540 };
static const int64_t MONDAY = INT64_C(20822) * DAY; // 2027-01-04 00:00 UTC

static void assert_near(double is, double should) {
  if (fabs(is - should) > 1e-6) fail_msg("is %.9f, should be %.9f", is, should);
}

// ---- learning ----

// The history ends on a Monday 00:00, so the hour of the week `hour` is that many hours before the end.
static struct rhythm_hour *hour_at(struct rhythm_history *history, int age, int hour) {
  return &history->hours[age * RHYTHM_HOURS + RHYTHM_HOURS - 1 - hour];
}

static struct rhythm_history *new_history(void) {
  struct rhythm_history *history = mem_alloc(sizeof *history);
  history->until = MONDAY / 60;
  return history;
}

static void learn(struct rhythm *y, const struct rhythm_history *history) {
  struct rhythm_state s;
  rhythm_init(&s, MONDAY);
  rhythm_build(y, history, &s, 0, NULL);
}

enum { ALL = RHYTHM_WEEKS, HOUR = 100 };

static const struct {
  const char *name;
  struct rhythm_hour weeks[ALL]; // calls, minutes with a call, known minutes; the newest first
  double p, e1;
} hours[] = {
    {"never seen", {{0}}, 0, 1},
    {"a week", {{30, 30, 60}}, 0.5, 1},
    {"the newest weighs more", {{30, 30, 60}, {0, 0, 60}}, 30 / (60 + 60 * 0.840896415), 1},
    {"the older weighs less", {{0, 0, 60}, {30, 30, 60}}, 30 * 0.840896415 / (60 + 60 * 0.840896415), 1},
    {"four weeks halve it", {{30, 30, 60}, {0}, {0}, {0}, {12, 12, 60}}, (30 + 0.5 * 12) / 90, 1},
    {"a campaign in one of three", {{5000, 60, 60}, {2, 2, 60}, {2, 2, 60}}, 3.5 / 60, 1},
    {"a campaign, nothing else", {{5000, 60, 60}, {0, 0, 60}, {0, 0, 60}}, 1.0 / 60, 5000.0 / 60 / 2},
    {"every minute", {{60, 60, 60}, {60, 60, 60}}, 1, 1},
    {"unknown minutes", {{20, 20, 40}}, 0.5, 1},
    {"unknown minutes before a median", {{15, 15, 30}, {30, 30, 60}, {30, 30, 60}}, 0.5, 1},
    {"half of it known", {{30, 30, 30}}, 1, 1},
    {"less than half known", {{29, 29, 29}}, 0, 1},
    {"calls a minute", {{600, 30, 60}}, 0.5, 10},
    {"their lower quartile", {{10, 1, 60}, {20, 1, 60}, {30, 1, 60}, {40, 1, 60}}, 1.0 / 60, 8.75},
    {"without silent weeks", {{600, 30, 60}, {0, 0, 60}}, 30 / (60 + 60 * 0.840896415), 10},
};

static void test_an_hour_is_learned_from_its_weeks(void **state) {
  for (size_t i = 0; i < COUNT_OF(hours); i++) {
    AUTO_FREE struct rhythm_history *history = new_history();
    struct rhythm y;
    for (int age = 0; age < ALL; age++) *hour_at(history, age, HOUR) = hours[i].weeks[age];
    learn(&y, history);
    if (fabs(y.p[HOUR] - hours[i].p) > 1e-6) fail_msg("%s: p is %f", hours[i].name, y.p[HOUR]);
    assert_near(y.e1[HOUR], hours[i].e1);
    assert_near(y.h[HOUR], hours[i].p > 0.7 ? 1.5 : -log(1 - hours[i].p));
    assert_near(y.p[HOUR - 1], 0);
    assert_near(y.p[HOUR + 1], 0);
  }
}

// `weeks` weeks in which each hour of a weekday has so many minutes with a call.
static void fill(struct rhythm_history *history, const uint8_t live[7], int weeks) {
  for (int age = 0; age < weeks; age++)
    for (int hour = 0; hour < RHYTHM_HOURS; hour++)
      *hour_at(history, age, hour) = (struct rhythm_hour){live[hour / 24], live[hour / 24], 60};
}

static const struct {
  uint8_t live[7];
  bool closed;
  double q_monday, q_sunday;
} weeks[] = {
    {{10, 10, 10, 10, 10, 10, 10}, false, 0.51020408163, 0.51020408163}, // (0.5·240 + 5) / (240 + 5)
    {{39, 39, 39, 39, 39, 39, 2}, false, 0.03081827843, 0.54716981132},  // 48 minutes on Sunday
    {{41, 39, 39, 39, 39, 39, 2}, true, 0, 0},                           // less than 5 % of Monday's
    {{20, 20, 20, 20, 20, 0, 0}, true, 0, 0},
    {{0, 0, 0, 0, 0, 0, 0}, false, 1, 1},
};

static void test_a_day_is_assumed_to_be_half_as_busy_as_the_quietest(void **state) {
  for (size_t i = 0; i < COUNT_OF(weeks); i++) {
    AUTO_FREE struct rhythm_history *history = new_history();
    struct rhythm y;
    fill(history, weeks[i].live, 6);
    learn(&y, history);
    assert_int_equal(y.closed, weeks[i].closed);
    assert_near(y.day[0], 24 * weeks[i].live[0]);
    assert_near(y.q[0], weeks[i].q_monday);
    assert_near(y.q[6], weeks[i].q_sunday);
  }
}

static const struct {
  uint8_t live; // minutes of each hour
  double peak, bar;
  bool watches;
} bars[] = {
    {10, 0, 16.68038, true},                        // 3 + ln(10·52·1680)
    {10, 8.3, 16.68038, true},                      // twice the highest score is less
    {10, 8.5, 17, true},       {10, 76, 152, true}, // half of the week's 168·60·0.1823 is 919
    {10, 459, 918, true},      {10, 460, 920, false},
    {1, 0, 14.37779, true},    {0, 0, 9.907755, false}, // N is at least 100
};

static void test_the_bar_is_what_chance_and_the_record_require(void **state) {
  for (size_t i = 0; i < COUNT_OF(bars); i++) {
    AUTO_FREE struct rhythm_history *history = new_history();
    struct rhythm_state s;
    struct rhythm y;
    uint8_t live[7];
    memset(live, bars[i].live, sizeof live);
    fill(history, live, 6);
    rhythm_init(&s, MONDAY);
    s.peaks[(i + RHYTHM_WEEKS - 2) % RHYTHM_WEEKS] = bars[i].peak;
    rhythm_build(&y, history, &s, 0, NULL);
    if (fabs(y.bar - bars[i].bar) > 1e-4) fail_msg("%zu: bar %f", i, y.bar);
    assert_int_equal(y.watches_score, bars[i].watches);
    assert_int_equal(rhythm_standing(&y), bars[i].watches ? RHYTHM_WATCHING : RHYTHM_IRREGULAR);
  }
}

static void test_it_speaks_after_four_weeks_of_known_hours(void **state) {
  static const struct {
    int unknown; // hours of the last 4 weeks
    int64_t missing;
  } learned[] = {{0, 0}, {1, 1}, {168, 168}, {672, 672}};
  for (size_t i = 0; i < COUNT_OF(learned); i++) {
    AUTO_FREE struct rhythm_history *history = new_history();
    struct rhythm y;
    fill(history, (const uint8_t[]){10, 10, 10, 10, 10, 10, 10}, 4);
    for (int k = 0; k < learned[i].unknown; k++) history->hours[k].known = 0;
    learn(&y, history);
    assert_int_equal(y.speaks_from, MONDAY + 60 * learned[i].missing);
    assert_int_equal(y.watches_score, learned[i].missing == 0);
    assert_int_equal(rhythm_standing(&y), learned[i].missing ? RHYTHM_LEARNING : RHYTHM_WATCHING);
  }
}

// Some of the days from Monday to Friday had no call.
static void test_days_are_not_watched_if_many_working_days_were_dead(void **state) {
  static const struct {
    int weeks, dead; // 15 % of 65 are 9.75, of 60 they are 9
    uint8_t known;   // minutes of their hours
    bool watches;
  } cases[] = {{13, 0, 60, true},   {13, 9, 60, true},  {13, 10, 60, false}, {12, 9, 60, true},
               {12, 10, 60, false}, {13, 10, 29, true}, {13, 10, 30, false}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    AUTO_FREE struct rhythm_history *history = new_history();
    struct rhythm y;
    fill(history, (const uint8_t[]){9, 9, 9, 9, 9, 0, 0}, cases[i].weeks);
    for (int k = 0; k < cases[i].dead; k++)
      for (int hour = 0; hour < 24; hour++)
        *hour_at(history, k % cases[i].weeks, 24 * (4 - k / cases[i].weeks) + hour) =
            (struct rhythm_hour){0, 0, cases[i].known};
    learn(&y, history);
    assert_int_equal(y.watches_days, cases[i].watches);
  }
}

// The working days of the last week are dead: 5 of 30. Since the last call they are what is to be judged.
static void test_the_days_of_this_silence_do_not_stop_the_watch(void **state) {
  static const struct {
    int last_call; // days ago
    bool watches;
  } cases[] = {{1, false}, {3, false}, {7, true}, {8, true}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    AUTO_FREE struct rhythm_history *history = new_history();
    struct rhythm_state s;
    struct rhythm y;
    fill(history, (const uint8_t[]){9, 9, 9, 9, 9, 0, 0}, 6);
    for (int hour = 0; hour < 5 * 24; hour++) *hour_at(history, 0, hour) = (struct rhythm_hour){0, 0, 60};
    rhythm_init(&s, MONDAY);
    s.last_call = MONDAY - cases[i].last_call * DAY;
    rhythm_build(&y, history, &s, 0, NULL);
    assert_int_equal(y.watches_days, cases[i].watches);
  }
}

// After a restart the newest day of the history is not over. The five working days before it were dead,
// of 30.
static void test_the_newest_whole_day_is_counted(void **state) {
  enum { SATURDAY = 5 * 24 };
  for (int past_midnight = 0; past_midnight < 24; past_midnight += 5) {
    AUTO_FREE struct rhythm_history *history = new_history();
    struct rhythm_state s;
    struct rhythm y;
    history->until = MONDAY / 60 + SATURDAY + past_midnight;
    for (int i = 0; i < 6 * RHYTHM_HOURS; i++) {
      int hour = (SATURDAY + past_midnight - 1 - i + 10 * RHYTHM_HOURS) % RHYTHM_HOURS;
      uint8_t live = hour < SATURDAY && i >= past_midnight + SATURDAY ? 9 : 0;
      history->hours[i] = (struct rhythm_hour){live, live, 60};
    }
    rhythm_init(&s, history->until * 60);
    rhythm_build(&y, history, &s, 0, NULL);
    assert_true(y.closed);
    assert_false(y.watches_days);
  }
}

static void test_the_hours_of_an_incident_are_not_learned_for_14_days(void **state) {
  static const struct {
    int64_t hour;   // after the hour in which the pause began, at its half
    int64_t closed; // minutes after the beginning of that hour
    bool counts;
  } cases[] = {
      {-1, RHYTHM_NEVER, true},
      {0, RHYTHM_NEVER, false},
      {5, RHYTHM_NEVER, false},
      {14 * 24, RHYTHM_NEVER, false},
      {14 * 24 + 1, RHYTHM_NEVER, true},
      {1, 61, false},
      {1, 60, true},
      {2, 61, true},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    int64_t first = rhythm_hour_of(MONDAY, KOREA), closed = cases[i].closed;
    if (closed != RHYTHM_NEVER) closed += MONDAY;
    assert_int_equal(rhythm_hour_counts(first + cases[i].hour, KOREA, MONDAY + 30, closed), cases[i].counts);
  }
  assert_true(rhythm_hour_counts(MONDAY / 60 - 1, 0, MONDAY, RHYTHM_NEVER));
  assert_false(rhythm_hour_counts(MONDAY / 60, 0, MONDAY, RHYTHM_NEVER));
  assert_true(rhythm_hour_counts(MONDAY / 60 + 14 * 24, 0, MONDAY, RHYTHM_NEVER));
}

static void test_hours_are_those_of_the_zone(void **state) {
  AUTO_FREE struct rhythm_history *history = new_history();
  struct rhythm_state s;
  struct rhythm y;
  assert_int_equal(rhythm_hour_of(59, 0), 0);
  assert_int_equal(rhythm_hour_of(59, 1), 1);
  assert_int_equal(rhythm_hour_of(0, -1), -1);
  assert_int_equal(rhythm_hour_of(0, -61), -2);
  history->until = rhythm_hour_of(MONDAY, KOREA) + 1; // 9 to 10 o'clock of Monday is the newest
  history->hours[0] = (struct rhythm_hour){60, 60, 60};
  rhythm_init(&s, MONDAY);
  rhythm_build(&y, history, &s, KOREA, NULL);
  assert_near(y.p[9], 1);
  assert_int_equal(y.speaks_from, MONDAY + 60 + 671 * 60);
}

// ---- the score ----

// Half of the minutes have a call, two calls make one fully alive, a silent minute weighs 0.5.
static struct rhythm plain(void) {
  struct rhythm y = {.bar = 10, .learned = 4 * RHYTHM_HOURS, .watches_score = true};
  for (int hour = 0; hour < RHYTHM_HOURS; hour++) {
    y.p[hour] = y.h[hour] = 0.5;
    y.e1[hour] = 2;
  }
  for (int day = 0; day < 7; day++) y.q[day] = 0.4, y.day[day] = 720;
  return y;
}

static enum verdict count(struct rhythm_state *s, const struct rhythm *y, int64_t calls) {
  return rhythm_minute(s, y, s->minute + 1, calls);
}

// The number of minutes of so many calls until a verdict, which must be this; 0: none came.
static int count_until(struct rhythm_state *s, const struct rhythm *y, int64_t calls, int n,
                       enum verdict verdict) {
  for (int i = 1; i <= n; i++) {
    enum verdict is = count(s, y, calls);
    if (is == VERDICT_NOTHING) continue;
    assert_int_equal(is, verdict);
    return i;
  }
  return 0;
}

enum { U = RHYTHM_UNKNOWN, STEPS = 4 };
static const struct {
  double score; // before
  int64_t calls[STEPS];
  double scores[STEPS]; // after each; a silent minute adds h·q = 0.2 where nothing is known
} steps[] = {
    {0, {0, 0, 0, 0}, {0.2, 0.4, 0.6, 0.8}},
    {0, {0, U, U, 0}, {0.2, 0.2, 0.2, 0.4}},
    {0, {2, 0, 3, 0}, {0, 0.238095238, 0, 0.260869565}}, // (4 + 1) / 10.5, then (4 + 2) / 11.5
    {9, {2, 0, U, 0}, {1.2, 1.4, 1.4, 1.6}},
    {9, {1, 1, 1, 0}, {5.2, 1.4, 0, 0.239130435}}, // (4 + 1.5) / 11.5: the pause is over, its minutes count
    {9, {100, 0, 0, 0}, {1.2, 1.4, 1.6, 1.8}},
    {8.2, {2, 0, 0, 0}, {0.4, 0.6, 0.8, 1.0}},
};

static void test_a_silent_minute_adds_and_a_live_one_takes_eight(void **state) {
  for (size_t i = 0; i < COUNT_OF(steps); i++) {
    struct rhythm y = plain();
    struct rhythm_state s;
    rhythm_init(&s, MONDAY);
    s.score = steps[i].score;
    for (int k = 0; k < STEPS; k++) {
      assert_int_equal(count(&s, &y, steps[i].calls[k]), VERDICT_NOTHING);
      if (fabs(s.score - steps[i].scores[k]) > 1e-6) fail_msg("%zu, %d: score %.9f", i, k, s.score);
    }
  }
}

static void test_the_last_eight_hours_say_how_alive_it_was(void **state) {
  static const struct {
    int minutes; // with one call each, which makes them half alive
    int silent, unknown;
    double adds; // the next silent minute
  } cases[] = {
      {480, 0, 0, 0.5 * 244 / 250},    {1000, 0, 0, 0.5 * 244 / 250},  {480, 100, 0, 0.5 * 194 / 200},
      {480, 479, 0, 0.5 * 4.5 / 10.5}, {480, 480, 0, 0.5 * 4 / 10},    {480, 900, 0, 0.5 * 4 / 10},
      {480, 0, 100, 0.5 * 194 / 200},  {480, 20, 80, 0.5 * 194 / 200}, {480, 0, 900, 0.5 * 4 / 10},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct rhythm y = plain();
    struct rhythm_state s;
    y.bar = 1000;
    rhythm_init(&s, MONDAY);
    count_until(&s, &y, 1, cases[i].minutes, VERDICT_NOTHING);
    count_until(&s, &y, 0, cases[i].silent, VERDICT_NOTHING);
    count_until(&s, &y, U, cases[i].unknown, VERDICT_NOTHING);
    double before = s.score;
    count(&s, &y, 0);
    assert_near(s.score - before, cases[i].adds);
  }
}

static void test_unknown_minutes_begin_no_pause_and_end_none(void **state) {
  struct rhythm y = plain();
  struct rhythm_state s;
  rhythm_init(&s, MONDAY);
  count_until(&s, &y, U, 5, VERDICT_NOTHING);
  assert_int_equal(s.pause_start, MONDAY + 5);
  count(&s, &y, 0);
  count_until(&s, &y, U, 5, VERDICT_NOTHING);
  assert_int_equal(s.pause_start, MONDAY + 5);
}

static void test_it_was_never_more_than_alive(void **state) {
  struct rhythm y = plain();
  struct rhythm_state s;
  rhythm_init(&s, MONDAY);
  count_until(&s, &y, 2, 480, VERDICT_NOTHING); // twice what is expected
  count(&s, &y, 0);
  assert_near(s.score, 0.5);
}

static void test_silent_opens_at_the_bar_and_closes_at_0(void **state) {
  struct rhythm y = plain();
  struct rhythm_state s;
  y.q[0] = 0.5; // each silent minute adds a quarter
  rhythm_init(&s, MONDAY);
  s.score = 9.5;
  assert_int_equal(count(&s, &y, 0), VERDICT_NOTHING);
  assert_int_equal(count(&s, &y, 0), VERDICT_OPEN);
  assert_int_equal(s.open, RHYTHM_BY_SCORE);
  assert_int_equal(count_until(&s, &y, 0, 3 * DAY, VERDICT_OPEN), 0);
  assert_near(s.score, 10); // the bar: two live minutes close it, however long it was open
  assert_int_equal(count(&s, &y, 2), VERDICT_NOTHING);
  assert_int_equal(s.open, RHYTHM_BY_SCORE);
  assert_int_equal(count(&s, &y, 2), VERDICT_CLOSE);
  assert_int_equal(s.open, RHYTHM_QUIET);
  assert_int_equal(s.pause_start, s.minute + 1);
}

static void test_a_bar_that_moves_does_not_move_an_open_one(void **state) {
  struct rhythm y = plain();
  struct rhythm_state s;
  rhythm_init(&s, MONDAY);
  s.score = 10;
  assert_int_equal(count(&s, &y, 0), VERDICT_OPEN);
  y.bar = 500;
  count_until(&s, &y, 0, 3 * DAY, VERDICT_OPEN);
  assert_near(s.score, 10);
}

static void test_it_stays_quiet_while_it_does_not_watch(void **state) {
  struct rhythm y = plain();
  struct rhythm_state s;
  y.watches_score = false;
  rhythm_init(&s, MONDAY);
  assert_int_equal(count_until(&s, &y, 0, 3 * DAY, VERDICT_OPEN), 0);
  y.watches_score = true;
  assert_int_equal(count(&s, &y, 0), VERDICT_OPEN);
}

// The pause ends by itself, or after an alarm.
static void test_the_highest_score_of_a_week_is_recorded(void **state) {
  static const struct {
    uint32_t learned;
    double score, bar, recorded;
    enum rhythm_open open;
  } cases[] = {
      {2 * RHYTHM_HOURS, 7, 10, 7, RHYTHM_QUIET},      {2 * RHYTHM_HOURS - 1, 7, 10, 1, RHYTHM_QUIET},
      {4 * RHYTHM_HOURS, 7, 10, 7, RHYTHM_QUIET},      {4 * RHYTHM_HOURS, 0.5, 10, 1, RHYTHM_QUIET},
      {4 * RHYTHM_HOURS, 14, 10, 14, RHYTHM_BY_SCORE}, {4 * RHYTHM_HOURS, 16, 10, 15, RHYTHM_BY_SCORE},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct rhythm y = plain();
    struct rhythm_state s;
    y.learned = cases[i].learned;
    rhythm_init(&s, MONDAY);
    count(&s, &y, 2);
    s.peaks[0] = 1;
    s.peaks[1] = 2;
    s.score = s.peak = cases[i].score;
    s.open = cases[i].open;
    s.bar_at_open = cases[i].bar;
    for (int k = 0; k < 3; k++) count(&s, &y, 2);
    assert_near(s.peaks[0], cases[i].recorded);
    assert_near(s.peaks[1], 2);
    assert_near(s.peak, 0);
  }
}

static void test_records_are_kept_for_13_weeks_and_runs_for_a_year(void **state) {
  struct rhythm y = plain();
  struct rhythm_state s;
  rhythm_init(&s, MONDAY);
  count(&s, &y, 2);
  s.peaks[0] = 5;
  s.runs[0] = 6;
  count_until(&s, &y, 2, WEEK - 1, VERDICT_NOTHING); // the last minute of Sunday
  assert_near(s.peaks[0], 5);
  count(&s, &y, 2);
  assert_near(s.peaks[0], 0);
  assert_near(s.peaks[1], 5);
  count_until(&s, &y, 2, 12 * WEEK, VERDICT_NOTHING);
  for (int i = 0; i < RHYTHM_WEEKS; i++) assert_near(s.peaks[i], 0);
  assert_int_equal(rhythm_dead_days_max(&s, &y), 7);
  count_until(&s, &y, 2, 52 * WEEK - 13 * WEEK - DAY, VERDICT_NOTHING);
  assert_int_equal(rhythm_dead_days_max(&s, &y), 7);
  count_until(&s, &y, 2, 4 * WEEK + DAY, VERDICT_NOTHING);
  assert_int_equal(rhythm_dead_days_max(&s, &y), 5);
}

static void test_a_clock_that_was_ahead_costs_the_records_of_no_week_that_has_been(void **state) {
  struct rhythm y = plain();
  struct rhythm_state s;
  rhythm_init(&s, MONDAY);
  count(&s, &y, 2);
  int64_t week = s.week, block = s.block;
  s.peaks[0] = 5;
  s.runs[0] = 6;
  s.minute = MONDAY + 3 * WEEK;
  count(&s, &y, 0);
  assert_near(s.peaks[3], 5);
  assert_int_equal(s.runs[1], 6);
  s.open = RHYTHM_BY_SCORE;
  s.pause_start = s.dead_since = s.last_call = s.minute;
  rhythm_set_back(&s, MONDAY + DAY, 0);
  assert_true(s.minute == MONDAY + DAY - 1 && s.week == week && s.block == block);
  assert_near(s.peaks[0], 5);
  assert_int_equal(s.runs[0], 6);
  for (int i = 1; i < RHYTHM_WEEKS; i++) assert_near(s.peaks[i], 0);
  assert_true(s.pause_start <= MONDAY + DAY && s.dead_since <= MONDAY + DAY && s.last_call <= s.minute);
  assert_int_equal(s.open, RHYTHM_BY_SCORE);
  s.minute = MONDAY + 1000 * WEEK;
  count(&s, &y, 0);
  rhythm_set_back(&s, MONDAY + 2 * DAY, 0);
  assert_true(s.week == week && s.block == block);
  s.open = RHYTHM_QUIET;
  s.score = s.peak = 7;
  count_until(&s, &y, 2, 3, VERDICT_NOTHING);
  assert_near(s.peaks[0], 7); // what comes now is recorded
}

// ---- dead days ----

// Rests at the weekend.
static struct rhythm resting(void) {
  struct rhythm y = plain();
  y.closed = y.watches_days = true;
  for (int hour = 5 * 24; hour < RHYTHM_HOURS; hour++) y.p[hour] = y.h[hour] = 0;
  for (int day = 0; day < 7; day++) y.q[day] = 0;
  y.day[5] = y.day[6] = 0;
  return y;
}

static void test_dead_days_in_a_row_open_at_midnight(void **state) {
  static const struct {
    uint8_t run; // of before
    bool watches;
    int opens; // days after Monday 00:00
  } cases[] = {{0, true, 5}, {3, true, 5}, {4, true, 5}, {5, true, 8}, {7, true, 10}, {0, false, 0}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct rhythm y = resting();
    struct rhythm_state s;
    y.watches_days = cases[i].watches;
    rhythm_init(&s, MONDAY);
    count(&s, &y, 0);
    s.runs[3] = cases[i].run;
    int minutes = count_until(&s, &y, 0, 12 * DAY, VERDICT_OPEN);
    assert_int_equal(minutes ? minutes + 1 : 0, cases[i].opens * DAY);
    if (!minutes) continue;
    assert_int_equal(s.open, RHYTHM_BY_DAYS);
    assert_near(s.score, 0); // a morning without calls adds nothing
    assert_int_equal(count_until(&s, &y, 0, DAY, VERDICT_CLOSE), 0);
    assert_int_equal(count(&s, &y, 1), VERDICT_CLOSE);
    assert_int_equal(s.dead_days, 0);
    assert_int_equal(s.open, RHYTHM_QUIET);
  }
}

// A row that ended by itself counts in full; one that raised an alarm as the number at which it did.
static void test_the_longest_row_of_dead_days_is_recorded(void **state) {
  static const struct {
    int dead;
    bool watches;
    int recorded;
  } cases[] = {{0, true, 0}, {4, true, 4}, {5, true, 5}, {9, true, 5}, {9, false, 9}, {300, false, 255}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct rhythm y = resting();
    struct rhythm_state s;
    y.watches_days = cases[i].watches;
    rhythm_init(&s, MONDAY);
    while (s.dead_days < cases[i].dead) count(&s, &y, 0);
    count(&s, &y, 1);
    assert_int_equal(s.runs[0], cases[i].recorded);
    assert_int_equal(s.dead_days, 0);
  }
}

static void test_which_days_are_dead(void **state) {
  static const struct {
    int64_t calls_at; // minute of the day; -1: none
    int known_from;   // the minutes before are unknown
    double p;         // of a minute
    bool dead;
  } cases[] = {
      {-1, 0, 0.5, true},        {0, 0, 0.5, false},        {DAY - 1, 0, 0.5, false},
      {-1, 0, 3.0 / DAY, true},  {-1, 0, 2.9 / DAY, false}, {-1, DAY - 6, 0.5, true},
      {-1, DAY - 5, 0.5, false}, {-1, DAY, 0.5, false},
  };
  for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
    size_t k = i / 2;
    struct rhythm y = resting();
    struct rhythm_state s;
    y.zone_minutes = i % 2 ? KOREA : 0;
    int64_t midnight = MONDAY - y.zone_minutes;
    for (int hour = 0; hour < 24; hour++) y.p[hour] = cases[k].p + 1e-12;
    rhythm_init(&s, midnight - 1);
    count(&s, &y, 1); // on Sunday
    for (int m = 0; m < DAY; m++) count(&s, &y, m == cases[k].calls_at ? 1 : m < cases[k].known_from ? U : 0);
    assert_int_equal(s.dead_days, cases[k].dead);
    if (cases[k].dead) assert_int_equal(s.dead_since, midnight);
    assert_near(s.day_expected, 0);
  }
}

// ---- holidays ----

static struct holidays *list_of(const char *dates) {
  struct err err;
  AUTO_FREE char *text = mem_printf("zone +00:00\n%s", dates);
  struct holidays *holidays = holidays_new(text, strlen(text), &err);
  if (!holidays) fail_msg("%s", err.text);
  return holidays;
}

static void test_a_holiday_of_the_list_is_no_dead_day(void **state) {
  static const struct {
    const char *dates;
    int opens; // days after Monday, 2027-01-04
  } cases[] = {
      {"2027-12-25", 2},
      {"2027-01-05", 3},
      {"2027-01-04\n2027-01-05\n2027-01-06", 5},
      {"2026-12-25", 5}, // ran out
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct rhythm y = resting();
    struct rhythm_state s;
    struct holidays *holidays = list_of(cases[i].dates);
    y.holidays = holidays;
    rhythm_init(&s, MONDAY);
    assert_int_equal(count_until(&s, &y, 0, 12 * DAY, VERDICT_OPEN), cases[i].opens * DAY);
    holidays_free(holidays);
  }
}

static void test_a_day_that_is_no_holiday_is_assumed_to_be_half_alive(void **state) {
  static const struct {
    const char *dates;
    bool closed;
    double q, adds;
  } cases[] = {
      {"2027-12-25", false, 0.1, 0.25}, {"2027-12-25", false, 0.6, 0.3}, {"2027-01-04", false, 0.1, 0.05},
      {"2026-12-25", false, 0.1, 0.05}, {"2027-12-25", true, 0, 0},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct rhythm y = plain();
    struct rhythm_state s;
    struct holidays *holidays = list_of(cases[i].dates);
    y.holidays = holidays;
    y.closed = cases[i].closed;
    y.q[0] = cases[i].q;
    rhythm_init(&s, MONDAY);
    count(&s, &y, 0);
    assert_near(s.score, cases[i].adds);
    holidays_free(holidays);
  }
}

static void test_a_holiday_is_no_working_day_that_was_dead(void **state) {
  for (int listed = 0; listed < 2; listed++) {
    AUTO_FREE struct rhythm_history *history = new_history();
    struct rhythm_state s;
    struct rhythm y;
    struct holidays *holidays =
        list_of(listed ? "2026-12-28\n2026-12-29\n2026-12-30\n2026-12-31" : "2026-01-01");
    fill(history, (const uint8_t[]){40, 40, 40, 40, 40, 0, 0}, 5);
    for (int hour = 0; hour < 4 * 24; hour++) *hour_at(history, 0, hour) = (struct rhythm_hour){0, 0, 60};
    rhythm_init(&s, MONDAY);
    rhythm_build(&y, history, &s, 0, holidays);
    assert_int_equal(y.watches_days, listed); // 4 of 25 are 16 %
    holidays_free(holidays);
  }
}

// ---- late calls, a restart, the horizon ----

enum { HISTORY = 4 * DAY };

// A stream in which nothing comes from `stop` on; late[] come in these minutes behind it.
struct rerun {
  int64_t stop, late[STEPS];
  int64_t now;
  enum verdict first, again; // of the silence, and of the rerun with the late calls
};
static const struct rerun reruns[] = {
    {2 * DAY, {0}, 2 * DAY + 5, VERDICT_NOTHING, VERDICT_NOTHING},
    {2 * DAY, {0}, 2 * DAY + 60, VERDICT_OPEN, VERDICT_NOTHING},
    {2 * DAY, {50, 51, 52, 53}, 2 * DAY + 60, VERDICT_OPEN, VERDICT_CLOSE},
    {2 * DAY, {50}, 2 * DAY + 60, VERDICT_OPEN, VERDICT_NOTHING},   // it takes off eight, and no more
    {2 * DAY, {1, 2}, 2 * DAY + 60, VERDICT_OPEN, VERDICT_NOTHING}, // the later pause opens as well
    {2 * DAY, {15}, 2 * DAY + 20, VERDICT_NOTHING, VERDICT_NOTHING},
    {DAY + 600, {0}, DAY + 610, VERDICT_NOTHING, VERDICT_NOTHING}, // within the day
    {DAY + 600, {0}, 3 * DAY + 60, VERDICT_OPEN, VERDICT_NOTHING},
    {DAY + 600, {900, 901, 902, 1440}, 3 * DAY + 60, VERDICT_OPEN, VERDICT_NOTHING},
};

static void make_calls(const struct rerun *one, bool late, int64_t calls[HISTORY]) {
  for (int64_t m = 0; m < HISTORY; m++) calls[m] = m < one->stop ? m % 2 : 0;
  for (int i = 0; late && i < STEPS; i++)
    if (one->late[i]) calls[one->stop + one->late[i]] = 2;
}

static enum verdict run_to(struct rhythm_state *s, const struct rhythm *y, const int64_t *calls,
                           int64_t end) {
  enum verdict last = VERDICT_NOTHING;
  while (s->minute + 1 < MONDAY + end) {
    enum verdict verdict = count(s, y, calls[s->minute + 1 - MONDAY]);
    if (verdict) last = verdict;
  }
  return last;
}

static void assert_same(const struct rhythm_state *a, const struct rhythm_state *b) {
  assert_int_equal(a->minute, b->minute);
  assert_int_equal(a->pause_start, b->pause_start);
  assert_int_equal(a->last_call, b->last_call);
  assert_int_equal(a->dead_days, b->dead_days);
  assert_int_equal(a->open, b->open);
  assert_near(a->score, b->score);
  assert_near(a->day_expected, b->day_expected);
  assert_near(a->peaks[0], b->peaks[0]);
  assert_memory_equal(a->alive, b->alive, sizeof a->alive);
  assert_memory_equal(a->expected, b->expected, sizeof a->expected);
}

static void test_late_calls_decide_as_if_they_had_come_in_time(void **state) {
  static int64_t in_time[HISTORY], late[HISTORY];
  for (size_t i = 0; i < COUNT_OF(reruns); i++) {
    const struct rerun *one = &reruns[i];
    struct rhythm y = plain();
    struct rhythm_state s, right;
    make_calls(one, false, in_time);
    make_calls(one, true, late);
    rhythm_init(&s, MONDAY);
    rhythm_init(&right, MONDAY);
    assert_int_equal(run_to(&s, &y, in_time, one->now), one->first);
    run_to(&right, &y, late, one->now);
    int64_t from = rhythm_rerun_from(&s);
    assert_int_equal(from, MONDAY + one->stop - DAY);
    if (rhythm_rerun(&s, &y, late + (from - MONDAY)) != one->again) fail_msg("%zu: verdict", i);
    assert_same(&s, &right);
  }
}

static void test_a_rerun_goes_back_to_the_first_dead_day(void **state) {
  for (int late = 0; late < 2; late++) {
    struct rhythm y = resting();
    struct rhythm_state s;
    y.watches_score = false;
    rhythm_init(&s, MONDAY);
    while (s.minute < MONDAY + 4 * WEEK + 60) count(&s, &y, s.minute + 1 < MONDAY + DAY ? 1 : 0);
    assert_int_equal(s.open, RHYTHM_BY_DAYS);
    int64_t from = rhythm_rerun_from(&s), n = s.minute + 1 - from;
    assert_int_equal(from, MONDAY);
    AUTO_FREE int64_t *calls = mem_array((size_t)n, sizeof *calls);
    for (int m = 0; m < DAY; m++) calls[m] = 1;
    if (late) calls[n - 100] = 1;
    assert_int_equal(rhythm_rerun(&s, &y, calls), late ? VERDICT_CLOSE : VERDICT_NOTHING);
    assert_int_equal(s.dead_days, late ? 0 : 19);
    assert_int_equal(s.minute, from + n - 1);
  }
}

// On Monday the last eight hours say nothing, so the score stays 0 and no pause begins.
static void test_a_rerun_goes_back_to_the_only_dead_day(void **state) {
  struct rhythm y = resting();
  struct rhythm_state s;
  rhythm_init(&s, MONDAY);
  while (s.minute + 1 < MONDAY + 8 * DAY + 60) count(&s, &y, s.minute + 1 < MONDAY + 5 * DAY ? 1 : 0);
  assert_int_equal(s.dead_days, 1);
  assert_int_equal(s.pause_start, MONDAY + 8 * DAY + 60);
  assert_int_equal(rhythm_rerun_from(&s), MONDAY + 6 * DAY);
  static const int64_t calls[2 * DAY + 60];
  assert_int_equal(rhythm_rerun(&s, &y, calls), VERDICT_NOTHING);
  assert_int_equal(s.dead_days, 1);
  assert_int_equal(s.last_call, MONDAY + 5 * DAY - 1);
}

// The rhythm was learned again meanwhile, and the same pause would no longer reach its bar.
static void test_an_open_incident_stays_open_while_its_pause_lasts(void **state) {
  static int64_t calls[HISTORY];
  struct rhythm y = plain();
  struct rhythm_state s;
  make_calls(&(struct rerun){.stop = 2 * DAY}, false, calls);
  rhythm_init(&s, MONDAY);
  assert_int_equal(run_to(&s, &y, calls, 2 * DAY + 60), VERDICT_OPEN);
  y.bar = 500;
  assert_int_equal(rhythm_rerun(&s, &y, calls + (rhythm_rerun_from(&s) - MONDAY)), VERDICT_NOTHING);
  assert_int_equal(s.open, RHYTHM_BY_SCORE);
  assert_near(s.bar_at_open, 10);
  assert_near(s.score, 10);
}

// Meanwhile a longer row of dead days has become usual.
static void test_an_incident_of_days_stays_open_while_they_last(void **state) {
  enum { DAYS = 7 };
  static int64_t calls[(DAYS + 1) * DAY];
  struct rhythm y = resting();
  struct rhythm_state s;
  rhythm_init(&s, MONDAY);
  assert_int_equal(count_until(&s, &y, 0, DAYS * DAY, VERDICT_OPEN), 5 * DAY);
  s.runs[0] = 100;
  assert_int_equal(rhythm_rerun(&s, &y, calls), VERDICT_NOTHING);
  assert_int_equal(s.open, RHYTHM_BY_DAYS);
}

static void test_after_a_restart_it_goes_on_from_the_last_480_minutes(void **state) {
  static int64_t calls[HISTORY];
  struct rhythm y = plain();
  struct rhythm_state s, read;
  make_calls(&(struct rerun){.stop = 2 * DAY}, false, calls);
  rhythm_init(&s, MONDAY);
  calls[2 * DAY - 100] = U;
  calls[2 * DAY - 50] = 9;
  run_to(&s, &y, calls, 2 * DAY + 5);
  read = s;
  memset(read.alive, 0, sizeof read.alive);
  memset(read.expected, 0, sizeof read.expected);
  rhythm_refill(&read, &y, calls + 2 * DAY + 5 - RHYTHM_EVIDENCE);
  assert_same(&read, &s);
  assert_int_equal(count(&s, &y, 0), count(&read, &y, 0));
  assert_same(&read, &s);
}

static void test_the_horizon_is_the_minute_in_which_it_would_open(void **state) {
  static const struct {
    bool watches_score, watches_days;
  } cases[] = {{true, false}, {true, true}, {false, false}, {false, true}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct rhythm y = cases[i].watches_days ? resting() : plain();
    struct rhythm_state s, before;
    y.watches_score = cases[i].watches_score;
    rhythm_init(&s, MONDAY);
    for (int m = 0; m < 600; m++) count(&s, &y, m % 2);
    before = s;
    int64_t horizon = rhythm_horizon(&s, &y);
    assert_memory_equal(&before, &s, sizeof s);
    int minutes = count_until(&s, &y, 0, 28 * DAY, VERDICT_OPEN);
    assert_int_equal(horizon, minutes ? s.minute : RHYTHM_NEVER);
    assert_int_equal(minutes > 0, cases[i].watches_score || cases[i].watches_days);
    assert_int_equal(rhythm_horizon(&s, &y), RHYTHM_NEVER);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_hour_is_learned_from_its_weeks),
      cmocka_unit_test(test_a_day_is_assumed_to_be_half_as_busy_as_the_quietest),
      cmocka_unit_test(test_the_bar_is_what_chance_and_the_record_require),
      cmocka_unit_test(test_it_speaks_after_four_weeks_of_known_hours),
      cmocka_unit_test(test_days_are_not_watched_if_many_working_days_were_dead),
      cmocka_unit_test(test_the_days_of_this_silence_do_not_stop_the_watch),
      cmocka_unit_test(test_the_newest_whole_day_is_counted),
      cmocka_unit_test(test_the_hours_of_an_incident_are_not_learned_for_14_days),
      cmocka_unit_test(test_hours_are_those_of_the_zone),
      cmocka_unit_test(test_a_silent_minute_adds_and_a_live_one_takes_eight),
      cmocka_unit_test(test_the_last_eight_hours_say_how_alive_it_was),
      cmocka_unit_test(test_unknown_minutes_begin_no_pause_and_end_none),
      cmocka_unit_test(test_it_was_never_more_than_alive),
      cmocka_unit_test(test_silent_opens_at_the_bar_and_closes_at_0),
      cmocka_unit_test(test_a_bar_that_moves_does_not_move_an_open_one),
      cmocka_unit_test(test_it_stays_quiet_while_it_does_not_watch),
      cmocka_unit_test(test_the_highest_score_of_a_week_is_recorded),
      cmocka_unit_test(test_records_are_kept_for_13_weeks_and_runs_for_a_year),
      cmocka_unit_test(test_dead_days_in_a_row_open_at_midnight),
      cmocka_unit_test(test_the_longest_row_of_dead_days_is_recorded),
      cmocka_unit_test(test_which_days_are_dead),
      cmocka_unit_test(test_a_holiday_of_the_list_is_no_dead_day),
      cmocka_unit_test(test_a_day_that_is_no_holiday_is_assumed_to_be_half_alive),
      cmocka_unit_test(test_a_holiday_is_no_working_day_that_was_dead),
      cmocka_unit_test(test_late_calls_decide_as_if_they_had_come_in_time),
      cmocka_unit_test(test_a_rerun_goes_back_to_the_first_dead_day),
      cmocka_unit_test(test_a_rerun_goes_back_to_the_only_dead_day),
      cmocka_unit_test(test_an_open_incident_stays_open_while_its_pause_lasts),
      cmocka_unit_test(test_an_incident_of_days_stays_open_while_they_last),
      cmocka_unit_test(test_a_clock_that_was_ahead_costs_the_records_of_no_week_that_has_been),
      cmocka_unit_test(test_after_a_restart_it_goes_on_from_the_last_480_minutes),
      cmocka_unit_test(test_the_horizon_is_the_minute_in_which_it_would_open),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
