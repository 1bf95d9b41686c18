// SPDX-License-Identifier: MIT
// Silence without registration: learns in which minutes of the week calls of an endpoint arrive, and decides,
// minute by minute, whether they have stopped. Pure: no clock, no I/O, no allocation. Not for: messages that
// were registered (they become overdue), and when a minute is finished, which the caller knows.
//
// The rule: a minute in which a call should have come raises the score, a minute with a call takes off eight.
// `silent` opens when the score reaches the bar: twice the highest score of 13 weeks that ended by itself,
// and at least what chance alone requires. It closes when the score is back at 0. Until a day has shown
// calls, it counts like a day half as busy as the quietest weekday, since it may be a holiday. An endpoint
// that rests one day a week or more shows nothing then, so for it whole days without a call are counted
// besides.
//
// Minutes are Unix minutes and hours Unix hours of the endpoint's zone (rhythm_hour_of()); an hour of the
// week is 0 for Monday from 00:00 on. Calls are counted at the minute in which ingress received them. Thread:
// any, one endpoint at a time.
#pragma once
#include "processor/rules/holidays.h"
#include "processor/rules/verdict.h"
#include <stdbool.h>
#include <stdint.h>

enum {
  RHYTHM_HOURS = 7 * 24, // of a week
  RHYTHM_WEEKS = 13,     // that are remembered
  RHYTHM_EVIDENCE = 480, // minutes before a pause that say how alive the endpoint was
  RHYTHM_BLOCKS = 14,    // of four weeks: those of a year
};
static const int64_t RHYTHM_NEVER = INT64_MAX;

// ---- what is learned: once a night ----

struct rhythm_hour {
  uint32_t calls;
  uint8_t live;  // minutes with a call
  uint8_t known; // minutes that are not unknown; 0 where rhythm_hour_counts() is false
};

struct rhythm_history {
  int64_t until;                                         // the hour behind the newest one
  struct rhythm_hour hours[RHYTHM_WEEKS * RHYTHM_HOURS]; // the newest first
};

int64_t rhythm_hour_of(int64_t minute, int zone_minutes);
// Hours of an incident `silent`, `refusing` or `unreachable` (but for a certificate that will end) are not
// learned, from the start of its pause to its end (RHYTHM_NEVER while it is open). After 14 days they are:
// the endpoint has changed.
bool rhythm_hour_counts(int64_t hour, int zone_minutes, int64_t pause_start, int64_t closed);

// Derived from the history and the highest scores; made again at a start, never stored.
struct rhythm {
  int zone_minutes;
  const struct holidays *holidays; // borrowed; NULL: none for this zone
  double p[RHYTHM_HOURS];          // share of the minutes with a call
  double h[RHYTHM_HOURS];          // what a silent minute adds to the score
  double e1[RHYTHM_HOURS];         // calls that make a minute fully alive
  double q[7];                     // how alive a day is before it has shown calls, by weekday
  double day[7];                   // minutes with a call that are expected on a weekday
  double bar;
  uint32_t learned;    // hours
  int64_t speaks_from; // minute at which four weeks are learned, if no hour is lost until then
  bool closed;         // rests one day a week or more
  bool watches_score;  // else it is learning, or too irregular
  bool watches_days;   // closed, and few enough working days were dead
};

struct rhythm_state;
void rhythm_build(struct rhythm *out, const struct rhythm_history *history, const struct rhythm_state *state,
                  int zone_minutes, const struct holidays *holidays);

// LEARNING: speaks from `speaks_from` on. IRREGULAR: only a floor can watch it (floor.h).
enum rhythm_standing { RHYTHM_LEARNING, RHYTHM_IRREGULAR, RHYTHM_WATCHING };
enum rhythm_standing rhythm_standing(const struct rhythm *rhythm);

// ---- what is decided: each minute ----

enum rhythm_open { RHYTHM_QUIET, RHYTHM_BY_SCORE, RHYTHM_BY_DAYS };

// Plain data, to be stored as it is; `alive` and `expected` need not be (rhythm_refill()).
struct rhythm_state {
  int64_t minute;      // the last one that was counted
  int64_t last_call;   // minute; before the first one that was counted if there was none
  int64_t pause_start; // the minute after the score was last 0
  double score;
  double peak; // the highest score of this pause
  enum rhythm_open open;
  double bar_at_open;
  int64_t week;                // of peaks[0]
  double peaks[RHYTHM_WEEKS];  // the highest score that ended by itself, for each week, the newest first
  double day_expected;         // minutes with a call that were expected of this day so far
  int32_t dead_days;           // in a row, until yesterday
  int64_t dead_since;          // minute: the first of them began
  int64_t block;               // of runs[0]
  uint8_t runs[RHYTHM_BLOCKS]; // the longest row of dead days that ended by itself, for each block
  float alive[RHYTHM_EVIDENCE], expected[RHYTHM_EVIDENCE]; // of the last minutes, at minute % RHYTHM_EVIDENCE
};
// The next minute to count is `minute`.
void rhythm_init(struct rhythm_state *state, int64_t minute);

// The clock was ahead, by years perhaps: the next minute to count is `minute`, which was counted before. The
// records of the weeks until then stay, and an open `silent` stays open.
void rhythm_set_back(struct rhythm_state *state, int64_t minute, int zone_minutes);

// `calls` of a minute for which ingress did not report itself, or reported spooled rows. It adds nothing and
// takes nothing.
enum { RHYTHM_UNKNOWN = -1 };
// Counts the minute after state->minute.
enum verdict rhythm_minute(struct rhythm_state *state, const struct rhythm *rhythm, int64_t minute,
                           int64_t calls);

// After a restart or a takeover: fills `alive` and `expected` from the last minutes, the newest last.
void rhythm_refill(struct rhythm_state *state, const struct rhythm *rhythm,
                   const int64_t calls[RHYTHM_EVIDENCE]);

// For calls that arrived late (a drained spool): decides again from the start of the silence. `calls` holds
// each minute from rhythm_rerun_from() to state->minute. The verdict is the difference. An open `silent`
// stays open unless the late calls have ended its pause.
int64_t rhythm_rerun_from(const struct rhythm_state *state);
enum verdict rhythm_rerun(struct rhythm_state *state, const struct rhythm *rhythm, const int64_t *calls);

// The minute at whose end the alert would come if no call came any more; RHYTHM_NEVER: none within 28 days,
// or it is open.
int64_t rhythm_horizon(const struct rhythm_state *state, const struct rhythm *rhythm);
// Dead days in a row at which `silent` opens, on the day of the last minute.
int32_t rhythm_dead_days_max(const struct rhythm_state *state, const struct rhythm *rhythm);
