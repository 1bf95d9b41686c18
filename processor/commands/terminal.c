// SPDX-License-Identifier: MIT
#include "processor/commands/terminal.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

void terminal_print(const char *text) {
  for (; *text; text++) putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

void terminal_print_json(const json_t *value) {
  AUTO_FREE char *text = json_text(value);
  puts(text);
}

void terminal_format_time(int64_t wall_ms, char out[TERMINAL_TIME_SIZE]) {
  time_t seconds = (time_t)(wall_ms / 1000);
  struct tm local;
  localtime_r(&seconds, &local);
  long offset = local.tm_gmtoff / 60, minutes = offset < 0 ? -offset : offset;
  size_t len = strftime(out, TERMINAL_TIME_SIZE, "%F %T", &local);
  snprintf(out + len, TERMINAL_TIME_SIZE - len, "%c%02ld:%02ld", offset < 0 ? '-' : '+', minutes / 60 % 100,
           minutes % 60);
}

void terminal_format_duration(int64_t ms, char out[TERMINAL_DURATION_SIZE]) {
  static const struct {
    const char *name;
    int64_t seconds;
  } units[] = {{"d", INT64_C(24) * 60 * 60}, {"h", INT64_C(60) * 60}, {"min", 60}, {"s", 1}};
  int64_t left = ms > 0 ? ms / 1000 : 0;
  size_t unit = 0;
  while (unit + 1 < COUNT_OF(units) && left < units[unit].seconds) unit++;
  int len =
      snprintf(out, TERMINAL_DURATION_SIZE, "%" PRId64 " %s", left / units[unit].seconds, units[unit].name);
  left %= units[unit].seconds;
  if (unit + 1 == COUNT_OF(units) || left < units[unit + 1].seconds) return;
  snprintf(out + len, TERMINAL_DURATION_SIZE - (size_t)len, " %" PRId64 " %s", left / units[unit + 1].seconds,
           units[unit + 1].name);
}
