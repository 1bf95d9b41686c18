// SPDX-License-Identifier: MIT
// What the rule makes of whole streams, learned and decided as the watch does it: a small version of
// ./dev bench silence, which the same bounds hold for with room to spare.
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

enum { DAY = 1440, WEEK = 7 * DAY, KOREA = 540, NEVER = 14 * DAY };
static const int64_t MONDAY = INT64_C(20822) * DAY - KOREA; // 2027-01-04 00:00 in Korea

// ---- random numbers, the same at each run ----

static uint64_t chance;

static double uniform(void) { // splitmix64
  uint64_t z = chance += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static int poisson(double mean) {
  int n = -1;
  for (double product = 1, end = exp(-mean); product > end; n++) product *= uniform();
  return n;
}

// ---- an endpoint ----

struct stream {
  const char *name;
  double a_day;
  uint8_t hours[24]; // how busy
  double saturday, sunday;
};

#define BY_DAY                                                                                               \
  { 3, 1, 1, 1, 1, 1, 2, 6, 10, 14, 16, 16, 15, 16, 17, 17, 17, 17, 16, 16, 16, 15, 11, 7 }
#define FLAT                                                                                                 \
  { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 }
#define OFFICE                                                                                               \
  { 0, 0, 0, 0, 0, 0, 0, 1, 5, 22, 26, 26, 18, 24, 26, 26, 25, 22, 8, 4, 2, 1, 0, 0 }

static double mean_of(const struct stream *stream, int64_t minute) {
  int64_t local = minute + KOREA, day = (local / DAY + 3) % 7;
  int sum = 0;
  for (int i = 0; i < 24; i++) sum += stream->hours[i];
  double mean = stream->a_day * stream->hours[local / 60 % 24] / sum / 60;
  return day == 5 ? mean * stream->saturday : day == 6 ? mean * stream->sunday : mean;
}

struct endpoint {
  const struct stream *stream;
  struct rhythm_state state;
  struct rhythm rhythm;
  struct rhythm_history history;
  double noise; // of this hour
  int pause;    // minutes for which the provider still pauses
};

static void learn(struct endpoint *endpoint) {
  rhythm_build(&endpoint->rhythm, &endpoint->history, &endpoint->state, KOREA, NULL);
}

static struct endpoint *new_endpoint(const struct stream *stream, uint64_t seed) {
  struct endpoint *endpoint = mem_alloc(sizeof *endpoint);
  endpoint->stream = stream;
  chance = seed;
  rhythm_init(&endpoint->state, MONDAY);
  endpoint->history.until = rhythm_hour_of(MONDAY, KOREA) + 1; // the first hour is open
  endpoint->noise = 1;
  learn(endpoint);
  return endpoint;
}

static void begin_hour(struct endpoint *endpoint, int64_t hour) {
  struct rhythm_history *history = &endpoint->history;
  if (hour < history->until) return;
  if (hour % 24 == 0) learn(endpoint);
  memmove(history->hours + 1, history->hours, sizeof history->hours - sizeof *history->hours);
  history->hours[0] = (struct rhythm_hour){0};
  history->until = hour + 1;
  endpoint->noise = 0.75 + uniform() / 2;
}

static int calls_of(struct endpoint *endpoint, int64_t minute) {
  if (endpoint->pause == 0 && uniform() < 40.0 / (365 * DAY)) endpoint->pause = 3 + (int)(uniform() * 8);
  if (endpoint->pause > 0 && endpoint->pause--) return 0;
  return poisson(mean_of(endpoint->stream, minute) * endpoint->noise);
}

static enum verdict live_minute(struct endpoint *endpoint, bool stopped) {
  int64_t minute = endpoint->state.minute + 1;
  begin_hour(endpoint, rhythm_hour_of(minute, KOREA));
  int calls = stopped ? 0 : calls_of(endpoint, minute);
  endpoint->history.hours[0].calls += (uint32_t)calls;
  if (calls > 0) endpoint->history.hours[0].live++;
  endpoint->history.hours[0].known++;
  return rhythm_minute(&endpoint->state, &endpoint->rhythm, minute, calls);
}

// Returns the number of alerts.
static int live(struct endpoint *endpoint, int64_t minutes) {
  int alerts = 0;
  while (minutes-- > 0) alerts += live_minute(endpoint, false) == VERDICT_OPEN;
  return alerts;
}

// Minutes until the alert if nothing comes any more; the endpoint itself goes on.
static int stop(const struct endpoint *endpoint) {
  AUTO_FREE struct endpoint *copy = mem_alloc(sizeof *copy);
  *copy = *endpoint;
  for (int minutes = 1; minutes < NEVER; minutes++)
    if (live_minute(copy, true) == VERDICT_OPEN) return minutes;
  return NEVER;
}

// ---- the streams ----

enum { WEEKS = 9, YEAR = 26 };
static const struct {
  struct stream stream;
  int64_t at; // of the stop, after a Monday 00:00
  int fastest, slowest;
} streams[] = {
    {{"steady", 30000, FLAT, 1, 1}, DAY + 14 * 60, 11, 22},
    {{"day and night", 3000, BY_DAY, 0.9, 0.8}, DAY + 14 * 60, 11, 30},
    {{"day and night, at night", 3000, BY_DAY, 0.9, 0.8}, 4 * DAY + 40, 40, 330},
    {{"few", 300, BY_DAY, 0.9, 0.8}, DAY + 14 * 60, 45, 180},
    {{"few, at night", 300, BY_DAY, 0.9, 0.8}, 4 * DAY + 40, 300, 840},
    {{"office", 3000, OFFICE, 0.07, 0.07}, DAY + 14 * 60, 11, 60},
    {{"closed at weekends", 1000, OFFICE, 0, 0}, DAY + 14 * 60, 11, 60},
    {{"closed at weekends, at night", 1000, OFFICE, 0, 0}, 4 * DAY + 40, 6 * DAY, 8 * DAY},
    {{"5 a day", 5, BY_DAY, 1, 1}, DAY + 14 * 60, 2 * DAY, 8 * DAY},
};

// The rule allows a false alarm a year. In the first weeks a pause of the provider may be one; with these
// seeds none is.
static void test_a_stop_is_found_in_time_and_nothing_else(void **state) {
  for (size_t i = 0; i < COUNT_OF(streams); i++) {
    AUTO_FREE struct endpoint *endpoint = new_endpoint(&streams[i].stream, i + 11);
    if (live(endpoint, WEEKS * WEEK + streams[i].at)) fail_msg("%s: a false alarm", streams[i].stream.name);
    int64_t horizon = rhythm_horizon(&endpoint->state, &endpoint->rhythm) - endpoint->state.minute;
    int minutes = stop(endpoint);
    if (minutes < streams[i].fastest || minutes > streams[i].slowest)
      fail_msg("%s: found after %d minutes", streams[i].stream.name, minutes);
    if (minutes < 8 * 60) assert_int_equal(horizon, minutes);
  }
}

// Nine of ten within 30 minutes, by day.
static void test_five_weeks_then_nothing(void **state) {
  enum { STOPS = 20 };
  int in_30 = 0;
  AUTO_FREE struct endpoint *endpoint = new_endpoint(&streams[1].stream, 77);
  assert_int_equal(live(endpoint, 4 * WEEK), 0);
  for (int i = 0; i < STOPS; i++) {
    assert_int_equal(live(endpoint, DAY - endpoint->state.minute % DAY + (int)(uniform() * 540)), 0);
    in_30 += stop(endpoint) <= 30; // 00:00 UTC is 09:00 in Korea
  }
  assert_in_range(in_30, STOPS * 9 / 10, STOPS);
}

static void test_half_a_year_without_a_false_alarm(void **state) {
  AUTO_FREE struct endpoint *endpoint = new_endpoint(&streams[3].stream, 5);
  assert_int_equal(live(endpoint, YEAR * WEEK), 0);
  assert_int_equal(rhythm_standing(&endpoint->rhythm), RHYTHM_WATCHING);
}

static void test_an_alert_closes_when_calls_come_again(void **state) {
  AUTO_FREE struct endpoint *endpoint = new_endpoint(&streams[1].stream, 9);
  live(endpoint, 6 * WEEK + 14 * 60);
  for (int minutes = 0; minutes < 120; minutes++) live_minute(endpoint, true);
  assert_int_equal(endpoint->state.open, RHYTHM_BY_SCORE);
  live(endpoint, 10);
  assert_int_equal(endpoint->state.open, RHYTHM_QUIET);
  assert_int_equal(live(endpoint, 2 * WEEK), 0);
}

static void test_too_irregular_to_watch(void **state) {
  static const struct stream rare = {"once a day", 1, FLAT, 1, 1};
  AUTO_FREE struct endpoint *endpoint = new_endpoint(&rare, 3);
  live(endpoint, 3 * WEEK);
  assert_int_equal(rhythm_standing(&endpoint->rhythm), RHYTHM_LEARNING);
  assert_int_equal(endpoint->rhythm.speaks_from, MONDAY + 4 * WEEK);
  assert_int_equal(live(endpoint, 6 * WEEK), 0);
  assert_int_equal(rhythm_standing(&endpoint->rhythm), RHYTHM_IRREGULAR);
  assert_int_equal(rhythm_horizon(&endpoint->state, &endpoint->rhythm), RHYTHM_NEVER);
  assert_int_equal(stop(endpoint), NEVER);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_stop_is_found_in_time_and_nothing_else),
      cmocka_unit_test(test_five_weeks_then_nothing),
      cmocka_unit_test(test_half_a_year_without_a_false_alarm),
      cmocka_unit_test(test_an_alert_closes_when_calls_come_again),
      cmocka_unit_test(test_too_irregular_to_watch),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
