// SPDX-License-Identifier: MIT
#include "common/base/clock.h"
#include "common/base/mem.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

enum { MS_PER_S = 1000, NS_PER_MS = 1000000 };
static const int64_t WALL_MAX_MS = 253402300799999; // 9999-12-31T23:59:59.999Z

static int64_t now_ms(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

int64_t clock_mono_ms(void) {
  return now_ms(CLOCK_MONOTONIC);
}

int64_t clock_mono_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_wall_ms(void) {
  return now_ms(CLOCK_REALTIME);
}

void clock_cond_init(pthread_cond_t *cond) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(cond, &attributes);
  pthread_condattr_destroy(&attributes);
}

struct timespec clock_timespec_at(int64_t mono_ms) {
  return (struct timespec){.tv_sec = mono_ms / MS_PER_S, .tv_nsec = mono_ms % MS_PER_S * NS_PER_MS};
}

void clock_sleep_ms(int64_t ms) {
  if (ms <= 0) return;
  struct timespec until = clock_timespec_at(clock_mono_ms() + ms);
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) continue;
}

static char *put_number(char *at, int value, int digits) {
  for (int i = digits; i-- > 0; value /= 10) at[i] = (char)('0' + value % 10);
  return at + digits;
}

// Called for each record and log line; snprintf() takes ten times as long.
void clock_format_rfc3339(int64_t wall_ms, char out[CLOCK_RFC3339_SIZE]) {
  if (wall_ms < 0) wall_ms = 0;
  if (wall_ms > WALL_MAX_MS) wall_ms = WALL_MAX_MS;
  time_t seconds = wall_ms / MS_PER_S;
  struct tm tm;
  gmtime_r(&seconds, &tm);
  const struct {
    int value, digits;
    char end;
  } parts[] = {{tm.tm_year + 1900, 4, '-'},
               {tm.tm_mon + 1, 2, '-'},
               {tm.tm_mday, 2, 'T'},
               {tm.tm_hour, 2, ':'},
               {tm.tm_min, 2, ':'},
               {tm.tm_sec, 2, '.'},
               {(int)(wall_ms % MS_PER_S), 3, 'Z'}};
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    out = put_number(out, parts[i].value, parts[i].digits);
    *out++ = parts[i].end;
  }
  *out = '\0';
}

static bool read_char(const char **at, char want) {
  if (**at != want) return false;
  ++*at;
  return true;
}

// Exactly `digits` decimal digits, a value within [min, max].
static bool read_number(const char **at, int digits, int min, int max, int *out) {
  int value = 0;
  for (int i = 0; i < digits; i++, ++*at) {
    if (**at < '0' || **at > '9') return false;
    value = value * 10 + (**at - '0');
  }
  *out = value;
  return value >= min && value <= max;
}

// ".5" is 500 ms; what is finer than a millisecond is cut.
static bool read_fraction(const char **at, int *ms) {
  *ms = 0;
  if (!read_char(at, '.')) return true;
  if (**at < '0' || **at > '9') return false;
  for (int scale = 100; **at >= '0' && **at <= '9'; scale /= 10, ++*at) *ms += (**at - '0') * scale;
  return true;
}

static bool read_zone(const char **at, int *minutes) {
  if (**at == '\0') return true; // none: the caller's stays
  if (read_char(at, 'Z')) {
    *minutes = 0;
    return true;
  }
  int sign = **at == '-' ? -1 : 1;
  if (!read_char(at, '+') && !read_char(at, '-')) return false;
  int hh, mm;
  if (!read_number(at, 2, 0, 23, &hh)) return false;
  read_char(at, ':');
  if (!read_number(at, 2, 0, 59, &mm)) return false;
  *minutes = sign * (hh * 60 + mm);
  return true;
}

// Midnight of the day in Unix seconds. False: there is no such day.
static bool seconds_of_day(int year, int month, int day, int64_t *seconds) {
  struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
  *seconds = timegm(&tm); // writes 30 February as 1 or 2 March
  return tm.tm_mday == day;
}

struct civil { // a time of the calendar
  int year, month, day, hour, minute, second, ms;
};

// False: there is no such day, or it is not in the years 1970–9999.
static bool to_wall(const struct civil *at, int zone_minutes, int64_t *wall_ms) {
  int64_t seconds;
  if (!seconds_of_day(at->year, at->month, at->day, &seconds)) return false;
  seconds += (at->hour * 60LL + at->minute - zone_minutes) * 60 + at->second;
  int64_t result = seconds * MS_PER_S + at->ms;
  if (result < 0 || result > WALL_MAX_MS) return false;
  *wall_ms = result;
  return true;
}

bool clock_parse_time(const char *text, int zone_minutes, int64_t *wall_ms) {
  const char *at = text;
  struct civil t = {0};
  bool date = read_number(&at, 4, 1, 9999, &t.year) && read_char(&at, '-') &&
              read_number(&at, 2, 1, 12, &t.month) && read_char(&at, '-') &&
              read_number(&at, 2, 1, 31, &t.day);
  if (!date || !(read_char(&at, 'T') || read_char(&at, ' '))) return false;
  bool time = read_number(&at, 2, 0, 23, &t.hour) && read_char(&at, ':') &&
              read_number(&at, 2, 0, 59, &t.minute) && read_char(&at, ':') &&
              read_number(&at, 2, 0, 60, &t.second) && read_fraction(&at, &t.ms);
  return time && read_zone(&at, &zone_minutes) && *at == '\0' && to_wall(&t, zone_minutes, wall_ms);
}

bool clock_parse_compact(const char *text, bool is_short, int zone_minutes, int64_t *wall_ms) {
  const char *at = text;
  struct civil t = {0};
  bool year = is_short ? read_number(&at, 2, 0, 99, &t.year) : read_number(&at, 4, 1, 9999, &t.year);
  bool rest = year && read_number(&at, 2, 1, 12, &t.month) && read_number(&at, 2, 1, 31, &t.day) &&
              read_number(&at, 2, 0, 23, &t.hour) && read_number(&at, 2, 0, 59, &t.minute) &&
              (is_short || read_number(&at, 2, 0, 60, &t.second));
  if (is_short) t.year += 2000;
  return rest && *at == '\0' && to_wall(&t, zone_minutes, wall_ms);
}

// One of the names, of three letters each, in any case; its number, from 1 on.
static bool read_name(const char **at, const char *names, int *number) {
  for (*number = 1; *names; names += 3, ++*number)
    if (strncasecmp(*at, names, 3) == 0) {
      *at += 3;
      return true;
    }
  return false;
}

static void skip_spaces(const char **at) {
  while (**at == ' ') ++*at;
}

static bool read_named_zone(const char **at, int *minutes) {
  static const char *const names[] = {"GMT", "UTC", "UT"};
  for (size_t i = 0; i < COUNT_OF(names); i++)
    if (strcasecmp(*at, names[i]) == 0) {
      *at += strlen(names[i]);
      *minutes = 0;
      return true;
    }
  return read_zone(at, minutes);
}

// "Mon, ", or nothing.
static bool skip_day_name(const char **at) {
  int day;
  if (!read_name(at, "MonTueWedThuFriSatSun", &day)) return true;
  bool ends = read_char(at, ',');
  skip_spaces(at);
  return ends;
}

static bool read_day_and_month(const char **at, struct civil *t) {
  if (!read_number(at, (*at)[0] && (*at)[1] == ' ' ? 1 : 2, 1, 31, &t->day)) return false;
  skip_spaces(at);
  if (!read_name(at, "JanFebMarAprMayJunJulAugSepOctNovDec", &t->month)) return false;
  skip_spaces(at);
  return true;
}

bool clock_parse_rfc2822(const char *text, int zone_minutes, int64_t *wall_ms) {
  const char *at = text;
  struct civil t = {0};
  bool date = skip_day_name(&at) && read_day_and_month(&at, &t) && read_number(&at, 4, 1, 9999, &t.year);
  if (!date || !read_char(&at, ' ')) return false;
  skip_spaces(&at);
  bool time = read_number(&at, 2, 0, 23, &t.hour) && read_char(&at, ':') &&
              read_number(&at, 2, 0, 59, &t.minute) &&
              (!read_char(&at, ':') || read_number(&at, 2, 0, 60, &t.second));
  if (!time) return false;
  skip_spaces(&at);
  return read_named_zone(&at, &zone_minutes) && *at == '\0' && to_wall(&t, zone_minutes, wall_ms);
}

bool clock_parse_zone(const char *text, int *minutes) {
  const char *at = text;
  int read;
  if (*text == '\0' || !read_zone(&at, &read) || *at != '\0') return false;
  *minutes = read;
  return true;
}
