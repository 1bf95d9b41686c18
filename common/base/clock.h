// SPDX-License-Identifier: MIT
// Time: monotonic milliseconds for deadlines, Unix milliseconds for what is stored, RFC 3339 for texts.
// Thread: any.
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

int64_t clock_mono_ms(void);
int64_t clock_mono_us(void); // for measurements
int64_t clock_wall_ms(void); // Unix time
void clock_sleep_ms(int64_t ms);

// A condition variable whose deadlines are monotonic, and such a deadline.
void clock_cond_init(pthread_cond_t *cond);
struct timespec clock_timespec_at(int64_t mono_ms);

enum { CLOCK_RFC3339_SIZE = sizeof "2026-01-12T11:00:03.123Z" };
void clock_format_rfc3339(int64_t wall_ms, char out[CLOCK_RFC3339_SIZE]); // UTC, milliseconds

// Reads "2026-01-12T11:00:03[.fraction][Z|±hh:mm|±hhmm]", 'T' or a space. `zone_minutes` is used for a time
// without a zone. False: not such a time, or not in the years 1970–9999.
bool clock_parse_time(const char *text, int zone_minutes, int64_t *wall_ms);
// Reads "Mon, 12 Jan 2026 11:00:03 +0900" (RFC 2822 section 3.3). The name of the day, which is not compared
// with the date, and the seconds may be missing; GMT, UT and UTC are zones, other names are not.
bool clock_parse_rfc2822(const char *text, int zone_minutes, int64_t *wall_ms);
// Reads "20260112110003", or, with `is_short`, "2601121100", which is of the years 2000–2099.
bool clock_parse_compact(const char *text, bool is_short, int zone_minutes, int64_t *wall_ms);

// Reads "Z", "+09:00" or "+0900": minutes east of UTC.
bool clock_parse_zone(const char *text, int *minutes);
