// SPDX-License-Identifier: MIT
#include "processor/rules/holidays.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DATE_LEN = sizeof "2026-02-17" - 1, LINE_MAX_BYTES = 200 };
static const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;

struct holidays {
  int64_t *days; // ascending
  size_t n;
  int64_t from, until; // the days that are covered; `until` is behind the last
  int zone_minutes;
  bool has_zone;
};

// Midnight of "2026-02-17", which may have text behind it.
static bool read_day(const char *text, int64_t *day) {
  char time[sizeof "2026-02-17T00:00:00Z"];
  int64_t ms;
  snprintf(time, sizeof time, "%.*sT00:00:00Z", DATE_LEN, text);
  if (strlen(time) != sizeof time - 1 || !clock_parse_time(time, 0, &ms)) return false;
  *day = ms / day_ms;
  return true;
}

static int64_t first_day_of_year(long year) {
  char date[DATE_LEN + 1];
  int64_t day;
  snprintf(date, sizeof date, "%04u-01-01", (unsigned)(year % 10000));
  return read_day(date, &day) ? day : INT64_MAX; // behind the last year that can be written
}

static bool read_zone(struct holidays *holidays, const char *text, struct err *err) {
  if (holidays->has_zone || !clock_parse_zone(text, &holidays->zone_minutes))
    return err_set(err, "expected one line \"zone +09:00\"");
  return holidays->has_zone = true;
}

static bool read_date(struct holidays *holidays, const char *line, struct err *err) {
  int64_t day;
  char behind = '\0';
  if (!read_day(line, &day) || ((behind = line[DATE_LEN]) != ' ' && behind != '\0'))
    return err_set(err, "expected a date such as 2026-02-17, and a blank before its name");
  if (holidays->n > 0 && day <= holidays->days[holidays->n - 1])
    return err_set(err, "the date does not follow the one before");
  long year = strtol(line, NULL, 10);
  if (holidays->n == 0) holidays->from = first_day_of_year(year);
  holidays->until = first_day_of_year(year + 1);
  holidays->days = mem_grow(holidays->days, holidays->n + 1, sizeof *holidays->days);
  holidays->days[holidays->n++] = day;
  return true;
}

static bool read_line(struct holidays *holidays, const char *line, struct err *err) {
  if (*line == '\0' || *line == '#') return true;
  if (strncmp(line, "zone ", 5) == 0) return read_zone(holidays, line + 5, err);
  return read_date(holidays, line, err);
}

static bool read_lines(struct holidays *holidays, const char *text, size_t len, struct err *err) {
  const char *end = text + len;
  for (size_t number = 1; text < end; number++) {
    const char *newline = memchr(text, '\n', (size_t)(end - text));
    size_t line_len = (size_t)((newline ? newline : end) - text);
    char line[LINE_MAX_BYTES];
    if (line_len >= sizeof line) return err_set(err, "line %zu: is too long", number);
    memcpy(line, text, line_len);
    line[line_len] = '\0';
    line[strcspn(line, "\r")] = '\0';
    if (!read_line(holidays, line, err)) return err_prefix(err, "line %zu: ", number);
    text += line_len + 1;
  }
  if (holidays->n == 0) return err_set(err, "contains no date");
  return holidays->has_zone || err_set(err, "contains no line \"zone +09:00\"");
}

struct holidays *holidays_new(const char *text, size_t len, struct err *err) {
  struct holidays *holidays = mem_alloc(sizeof *holidays);
  if (read_lines(holidays, text, len, err)) return holidays;
  holidays_free(holidays);
  return NULL;
}

void holidays_free(struct holidays *holidays) {
  if (!holidays) return;
  free(holidays->days);
  free(holidays);
}

int holidays_zone_minutes(const struct holidays *holidays) {
  return holidays->zone_minutes;
}

static int compare_days(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

enum holidays_day holidays_on(const struct holidays *holidays, int64_t day) {
  if (!holidays || day < holidays->from || day >= holidays->until) return HOLIDAYS_UNLISTED;
  bool found = bsearch(&day, holidays->days, holidays->n, sizeof day, compare_days) != NULL;
  return found ? HOLIDAYS_HOLIDAY : HOLIDAYS_ORDINARY;
}
