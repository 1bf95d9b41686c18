// SPDX-License-Identifier: MIT
#include "processor/rules/rhythm.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  HOUR_MINUTES = 60,
  DAY_MINUTES = 24 * HOUR_MINUTES,
  MONDAY = 3, // 1970-01-01 was a Thursday: with 3 days more, whole weeks begin on Monday
  BLOCK_DAYS = 28,
  LOOKBACK_MINUTES = DAY_MINUTES, // before a rerun: the evidence, and the day so far
  HORIZON_MINUTES = 28 * DAY_MINUTES,
  KNOWN_MIN = HOUR_MINUTES / 2, // an hour with fewer known minutes is not learned
  CHANGED_AFTER_MINUTES = 14 * DAY_MINUTES,
  RECORDS_AFTER_HOURS = 2 * RHYTHM_HOURS,
  SPEAKS_AFTER_HOURS = 4 * RHYTHM_HOURS,
};

// ---- time ----

static int64_t floor_div(int64_t a, int64_t b) {
  return a / b - (a % b < 0);
}

int64_t rhythm_hour_of(int64_t minute, int zone_minutes) {
  return floor_div(minute + zone_minutes, HOUR_MINUTES);
}

static int64_t day_of(int64_t minute, int zone_minutes) {
  return floor_div(minute + zone_minutes, DAY_MINUTES);
}

static int hour_of_week(int64_t hour) {
  return (int)((hour + INT64_C(24) * MONDAY) % RHYTHM_HOURS);
}

static int weekday_of(int64_t day) {
  return (int)((day + MONDAY) % 7);
}

static int64_t week_of(int64_t day) {
  return (day + MONDAY) / 7;
}

static int64_t first_minute_of(int64_t day, int zone_minutes) {
  return day * DAY_MINUTES - zone_minutes;
}

bool rhythm_hour_counts(int64_t hour, int zone_minutes, int64_t pause_start, int64_t closed) {
  int64_t first = hour * HOUR_MINUTES - zone_minutes, end = first + HOUR_MINUTES;
  int64_t changed = pause_start + CHANGED_AFTER_MINUTES;
  return end <= pause_start || first >= closed || first >= changed;
}

// ---- the rhythm ----

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// Between the two nearest values where it falls between them. `values` is sorted by it.
static double quantile(double *values, size_t n, double share) {
  qsort(values, n, sizeof *values, compare_doubles);
  double at = share * (double)(n - 1);
  size_t below = (size_t)at;
  double above = values[below + 1 < n ? below + 1 : below];
  return values[below] + (at - (double)below) * (above - values[below]);
}

// One hour of the week over the weeks in which it is learned.
struct weeks {
  double live[RHYTHM_WEEKS]; // A
  double busy[RHYTHM_WEEKS]; // C/A, of the weeks with a call
  size_t n, n_busy;
  double sum_live, sum_known; // weighted by age
};

static void add_week(struct weeks *weeks, const struct rhythm_hour *hour, int age) {
  if (hour->known < KNOWN_MIN) return;
  double w = exp2(-age / 4.0);
  weeks->live[weeks->n++] = (double)hour->live * HOUR_MINUTES / hour->known;
  weeks->sum_live += w * hour->live;
  weeks->sum_known += w * hour->known;
  if (hour->live > 0) weeks->busy[weeks->n_busy++] = (double)hour->calls / hour->live;
}

// A campaign in a few of the weeks does not raise the share.
static double share_of(struct weeks *weeks) {
  if (weeks->n == 0) return 0;
  double p = weeks->sum_live / weeks->sum_known;
  return fmin(p, (1.25 * quantile(weeks->live, weeks->n, 0.5) + 1) / HOUR_MINUTES);
}

static double calls_of_live_minute(struct weeks *weeks) {
  return weeks->n_busy ? fmax(1, quantile(weeks->busy, weeks->n_busy, 0.25) / 2) : 1;
}

// `ago`: the place of the hour's newest occurrence in the history.
static void learn_hour(struct rhythm *y, const struct rhythm_history *history, int ago, int hour) {
  struct weeks weeks = {0};
  for (int age = 0; age < RHYTHM_WEEKS; age++)
    add_week(&weeks, &history->hours[age * RHYTHM_HOURS + ago], age);
  y->learned += (uint32_t)weeks.n;
  y->p[hour] = share_of(&weeks);
  y->h[hour] = fmin(-log1p(-fmin(y->p[hour], 0.999)), 1.5);
  y->e1[hour] = calls_of_live_minute(&weeks);
}

static void learn_days(struct rhythm *y) {
  double least = INFINITY, most = 0;
  for (int hour = 0; hour < RHYTHM_HOURS; hour++) y->day[hour / 24] += HOUR_MINUTES * y->p[hour];
  for (int day = 0; day < 7; day++) {
    least = fmin(least, y->day[day]);
    most = fmax(most, y->day[day]);
  }
  y->closed = least < 0.05 * most;
  for (int day = 0; day < 7; day++) y->q[day] = y->closed ? 0 : (0.5 * least + 5) / (y->day[day] + 5);
}

// Half of what a silent week adds must be above it.
static bool is_reachable(const struct rhythm *y) {
  double week = 0;
  for (int hour = 0; hour < RHYTHM_HOURS; hour++) week += HOUR_MINUTES * y->h[hour];
  return y->bar <= week / 2;
}

// ln(10·N): N independent pauses a year, a tenth of an alarm wanted; 3 is a margin. Where pauses are not
// independent the endpoint's own record decides.
static double bar_of(const struct rhythm *y, const double peaks[RHYTHM_WEEKS]) {
  double week = 0, highest = 0;
  for (int day = 0; day < 7; day++) week += y->day[day];
  for (int i = 0; i < RHYTHM_WEEKS; i++) highest = fmax(highest, peaks[i]);
  return fmax(3 + log(10 * fmax(100, 52 * week)), 2 * highest);
}

enum { DAY_LEAST = 3 }; // expected minutes with a call, from which a day without any is dead

static bool is_working_day(const struct rhythm *y, int64_t day) {
  return y->day[weekday_of(day)] >= DAY_LEAST && holidays_on(y->holidays, day) != HOLIDAYS_HOLIDAY;
}

// Calls of the day whose last hour is newest[0]; -1: not all of it is learned.
static int64_t calls_of_day(const struct rhythm_hour *newest) {
  int64_t calls = 0;
  for (int i = 0; i < 24; i++) {
    if (newest[i].known < KNOWN_MIN) return -1;
    calls += newest[i].calls;
  }
  return calls;
}

// At most 15 % of the working days had no call. Those since the last call do not count: they are what the
// rule has to judge.
static bool has_few_dead_days(const struct rhythm *y, const struct rhythm_history *history,
                              int64_t last_call) {
  int working = 0, dead = 0;
  int64_t last = floor_div(history->until, 24) - 1;
  int skip = (int)(history->until % 24); // of a day that is not over
  for (int ago = 0; skip + (ago + 1) * 24 <= RHYTHM_WEEKS * RHYTHM_HOURS; ago++) {
    int64_t calls = calls_of_day(&history->hours[skip + ago * 24]);
    if (calls < 0 || last - ago > last_call || !is_working_day(y, last - ago)) continue;
    working++;
    dead += calls == 0;
  }
  return dead <= 0.15 * working;
}

void rhythm_build(struct rhythm *y, const struct rhythm_history *history, const struct rhythm_state *s,
                  int zone_minutes, const struct holidays *holidays) {
  *y = (struct rhythm){.zone_minutes = zone_minutes, .holidays = holidays};
  for (int ago = 0; ago < RHYTHM_HOURS; ago++)
    learn_hour(y, history, ago, hour_of_week(history->until - 1 - ago));
  learn_days(y);
  y->bar = bar_of(y, s->peaks);
  bool learned = y->learned >= SPEAKS_AFTER_HOURS;
  int64_t missing = learned ? 0 : SPEAKS_AFTER_HOURS - (int64_t)y->learned;
  y->speaks_from = (history->until + missing) * HOUR_MINUTES - zone_minutes;
  y->watches_score = learned && is_reachable(y);
  int64_t last_call = day_of(s->last_call, zone_minutes);
  y->watches_days = learned && y->closed && has_few_dead_days(y, history, last_call);
}

enum rhythm_standing rhythm_standing(const struct rhythm *y) {
  if (y->learned < SPEAKS_AFTER_HOURS) return RHYTHM_LEARNING;
  return y->watches_score || y->watches_days ? RHYTHM_WATCHING : RHYTHM_IRREGULAR;
}

// ---- records: the newest first ----

static void turn_records(struct rhythm_state *s, int64_t day) {
  for (; s->week < week_of(day); s->week++) {
    memmove(s->peaks + 1, s->peaks, sizeof s->peaks - sizeof *s->peaks);
    s->peaks[0] = 0;
  }
  for (; s->block < day / BLOCK_DAYS; s->block++) {
    memmove(s->runs + 1, s->runs, sizeof s->runs - sizeof *s->runs);
    s->runs[0] = 0;
  }
}

// A score that raised an alarm, false or true, counts as at most 1.5 times its bar. A rerun records for a
// week that is over.
static void record_peak(struct rhythm_state *s, const struct rhythm *y, int64_t day) {
  double peak = s->open ? fmin(s->peak, 1.5 * s->bar_at_open) : s->peak;
  int64_t age = s->week - week_of(day);
  if (y->learned >= RECORDS_AFTER_HOURS && age < RHYTHM_WEEKS) s->peaks[age] = fmax(s->peaks[age], peak);
}

static int32_t dead_days_max(const struct rhythm_state *s, const struct rhythm *y, int64_t day) {
  int32_t max = holidays_on(y->holidays, day) == HOLIDAYS_UNLISTED ? 5 : 2;
  for (int i = 0; i < RHYTHM_BLOCKS; i++)
    if (max < 1 + s->runs[i]) max = 1 + s->runs[i];
  return max;
}

int32_t rhythm_dead_days_max(const struct rhythm_state *s, const struct rhythm *y) {
  return dead_days_max(s, y, day_of(s->minute, y->zone_minutes));
}

// A row of days that raised an alarm counts as the number at which it did.
static void record_run(struct rhythm_state *s, const struct rhythm *y, int64_t day) {
  int32_t run = s->dead_days, max = dead_days_max(s, y, day);
  int64_t age = s->block - day / BLOCK_DAYS;
  if (s->open && run > max) run = max;
  if (run > UINT8_MAX) run = UINT8_MAX;
  if (age < RHYTHM_BLOCKS && s->runs[age] < run) s->runs[age] = (uint8_t)run;
}

// ---- the score ----

// How alive this day is assumed to be. With a list of holidays, a day that is none is a day of work.
static double assumed_of(const struct rhythm *y, int64_t day) {
  double q = y->q[weekday_of(day)];
  bool works = !y->closed && holidays_on(y->holidays, day) == HOLIDAYS_ORDINARY;
  return works ? fmax(q, 0.5) : q;
}

// How alive the endpoint was in the eight hours before this minute. The pause itself is no evidence.
static double alive_of(const struct rhythm_state *s, double assumed) {
  double alive = 0, expected = 0;
  for (int64_t m = s->minute - RHYTHM_EVIDENCE; m < s->pause_start; m++) {
    alive += s->alive[m % RHYTHM_EVIDENCE];
    expected += s->expected[m % RHYTHM_EVIDENCE];
  }
  return fmin(1, (10 * assumed + alive) / (10 + expected));
}

static void push_evidence(struct rhythm_state *s, double alive, double expected) {
  s->alive[s->minute % RHYTHM_EVIDENCE] = (float)alive;
  s->expected[s->minute % RHYTHM_EVIDENCE] = (float)expected;
}

static void move_score(struct rhythm_state *s, const struct rhythm *y, int64_t day, int hour, double alive) {
  double most = s->score + y->h[hour] - 8 * alive; // if the endpoint was as alive as ever
  s->score = most <= 0 ? 0 : fmax(0, s->score + y->h[hour] * alive_of(s, assumed_of(y, day)) - 8 * alive);
  s->peak = fmax(s->peak, s->score);
}

static enum verdict end_pause(struct rhythm_state *s, const struct rhythm *y, int64_t day) {
  record_peak(s, y, day);
  s->peak = 0;
  s->pause_start = s->minute + 1;
  if (s->open != RHYTHM_BY_SCORE) return VERDICT_NOTHING;
  s->open = RHYTHM_QUIET;
  return VERDICT_CLOSE;
}

static enum verdict open_by(struct rhythm_state *s, const struct rhythm *y, enum rhythm_open by) {
  s->open = by;
  s->bar_at_open = y->bar;
  return VERDICT_OPEN;
}

static enum verdict judge_score(struct rhythm_state *s, const struct rhythm *y, int64_t day) {
  if (s->score == 0) return end_pause(s, y, day);
  if (s->open) s->score = fmin(s->score, s->bar_at_open); // so that a few live minutes close it
  if (s->open || !y->watches_score || s->score < y->bar) return VERDICT_NOTHING;
  return open_by(s, y, RHYTHM_BY_SCORE);
}

// ---- dead days ----

static enum verdict end_dead_days(struct rhythm_state *s, const struct rhythm *y, int64_t day) {
  record_run(s, y, day);
  s->dead_days = 0;
  if (s->open != RHYTHM_BY_DAYS) return VERDICT_NOTHING;
  s->open = RHYTHM_QUIET;
  return VERDICT_CLOSE;
}

// At midnight. A holiday of the list is no dead day, and ends no row of them.
static enum verdict end_day(struct rhythm_state *s, const struct rhythm *y, int64_t day) {
  int64_t first = first_minute_of(day, y->zone_minutes);
  bool dead = s->last_call < first && s->day_expected >= DAY_LEAST &&
              holidays_on(y->holidays, day) != HOLIDAYS_HOLIDAY;
  s->day_expected = 0;
  if (!dead) return VERDICT_NOTHING;
  if (s->dead_days++ == 0) s->dead_since = first;
  if (s->open || !y->watches_days || s->dead_days < dead_days_max(s, y, day)) return VERDICT_NOTHING;
  return open_by(s, y, RHYTHM_BY_DAYS);
}

// ---- one minute ----

void rhythm_init(struct rhythm_state *s, int64_t minute) {
  *s = (struct rhythm_state){.minute = minute - 1, .last_call = minute - 1, .pause_start = minute};
}

static int64_t lower(int64_t a, int64_t b) {
  return a < b ? a : b;
}

void rhythm_set_back(struct rhythm_state *s, int64_t minute, int zone_minutes) {
  int64_t day = day_of(minute, zone_minutes), weeks = s->week - week_of(day),
          blocks = s->block - day / BLOCK_DAYS;
  for (int64_t i = 0; weeks > 0 && i < RHYTHM_WEEKS; i++)
    s->peaks[i] = i + weeks < RHYTHM_WEEKS ? s->peaks[i + weeks] : 0;
  for (int64_t i = 0; blocks > 0 && i < RHYTHM_BLOCKS; i++)
    s->runs[i] = i + blocks < RHYTHM_BLOCKS ? s->runs[i + blocks] : 0;
  s->week = lower(s->week, week_of(day));
  s->block = lower(s->block, day / BLOCK_DAYS);
  s->minute = minute - 1;
  s->last_call = lower(s->last_call, s->minute);
  s->pause_start = lower(s->pause_start, minute);
  s->dead_since = lower(s->dead_since, minute);
  s->day_expected = 0;
}

static enum verdict count_calls(struct rhythm_state *s, const struct rhythm *y, int64_t day, int64_t calls) {
  int hour = hour_of_week(rhythm_hour_of(s->minute, y->zone_minutes));
  double alive = fmin(1, (double)calls / y->e1[hour]);
  enum verdict verdict = VERDICT_NOTHING;
  if (calls > 0) {
    s->last_call = s->minute;
    verdict = end_dead_days(s, y, day);
  }
  s->day_expected += y->p[hour];
  move_score(s, y, day, hour, alive);
  push_evidence(s, alive, y->p[hour]);
  enum verdict by_score = judge_score(s, y, day);
  return verdict ? verdict : by_score;
}

static enum verdict skip_unknown(struct rhythm_state *s) {
  push_evidence(s, 0, 0);
  if (s->score == 0) s->pause_start = s->minute + 1;
  return VERDICT_NOTHING;
}

enum verdict rhythm_minute(struct rhythm_state *s, const struct rhythm *y, int64_t minute, int64_t calls) {
  assert(minute == s->minute + 1);
  int64_t day = day_of(minute, y->zone_minutes);
  s->minute = minute;
  turn_records(s, day);
  enum verdict verdict = calls == RHYTHM_UNKNOWN ? skip_unknown(s) : count_calls(s, y, day, calls);
  if (day_of(minute + 1, y->zone_minutes) == day) return verdict;
  enum verdict by_days = end_day(s, y, day);
  return verdict ? verdict : by_days;
}

// ---- again, and ahead ----

static void fill_evidence(struct rhythm_state *s, const struct rhythm *y, int64_t minute, int64_t calls) {
  int hour = hour_of_week(rhythm_hour_of(minute, y->zone_minutes));
  bool known = calls != RHYTHM_UNKNOWN;
  s->minute = minute;
  push_evidence(s, known ? fmin(1, (double)calls / y->e1[hour]) : 0, known ? y->p[hour] : 0);
}

void rhythm_refill(struct rhythm_state *s, const struct rhythm *y, const int64_t calls[RHYTHM_EVIDENCE]) {
  int64_t first = s->minute + 1 - RHYTHM_EVIDENCE;
  for (int i = 0; i < RHYTHM_EVIDENCE; i++) fill_evidence(s, y, first + i, calls[i]);
}

// Where the row of dead days began, if that was before the pause.
static int64_t start_of_silence(const struct rhythm_state *s) {
  return s->dead_days > 0 && s->dead_since < s->pause_start ? s->dead_since : s->pause_start;
}

int64_t rhythm_rerun_from(const struct rhythm_state *s) {
  return start_of_silence(s) - LOOKBACK_MINUTES;
}

// What a minute before the silence left: evidence, and what the day has shown.
static void look_back(struct rhythm_state *s, const struct rhythm *y, int64_t minute, int64_t calls) {
  int hour = hour_of_week(rhythm_hour_of(minute, y->zone_minutes));
  fill_evidence(s, y, minute, calls);
  if (calls > 0) s->last_call = minute;
  if (calls != RHYTHM_UNKNOWN) s->day_expected += y->p[hour];
  if (day_of(minute + 1, y->zone_minutes) != day_of(minute, y->zone_minutes)) s->day_expected = 0;
}

// To the beginning of the silence, at which the score was 0 and no day was dead. Returns the calls from
// there.
static const int64_t *rewind_to_start(struct rhythm_state *s, const struct rhythm *y, const int64_t *calls) {
  int64_t from = rhythm_rerun_from(s);
  s->pause_start = from + LOOKBACK_MINUTES;
  if (s->last_call >= from) s->last_call = from - 1; // until one is found
  s->score = s->peak = s->day_expected = 0;
  s->dead_days = 0;
  s->open = RHYTHM_QUIET;
  for (int64_t m = from; m < s->pause_start; m++) look_back(s, y, m, *calls++);
  return calls;
}

// Whether the silence in which `before` opened still lasts.
static bool is_unbroken(const struct rhythm_state *s, const struct rhythm_state *before) {
  if (before->open == RHYTHM_BY_DAYS) return s->dead_days > 0 && s->dead_since == before->dead_since;
  return s->pause_start == before->pause_start;
}

static void stay_open(struct rhythm_state *s, const struct rhythm_state *before) {
  s->open = before->open;
  s->bar_at_open = before->bar_at_open;
  s->score = fmin(s->score, s->bar_at_open);
}

enum verdict rhythm_rerun(struct rhythm_state *s, const struct rhythm *y, const int64_t *calls) {
  struct rhythm_state before = *s;
  calls = rewind_to_start(s, y, calls);
  while (s->minute < before.minute) rhythm_minute(s, y, s->minute + 1, *calls++);
  if (before.open && is_unbroken(s, &before)) stay_open(s, &before);
  if ((before.open != RHYTHM_QUIET) == (s->open != RHYTHM_QUIET)) return VERDICT_NOTHING;
  return s->open ? VERDICT_OPEN : VERDICT_CLOSE;
}

int64_t rhythm_horizon(const struct rhythm_state *state, const struct rhythm *y) {
  struct rhythm_state s = *state;
  if (s.open || (!y->watches_score && !y->watches_days)) return RHYTHM_NEVER;
  for (int64_t end = s.minute + HORIZON_MINUTES; s.minute < end;)
    if (rhythm_minute(&s, y, s.minute + 1, 0) == VERDICT_OPEN) return s.minute;
  return RHYTHM_NEVER;
}
