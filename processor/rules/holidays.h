// SPDX-License-Identifier: MIT
// A list of public holidays, which a rhythm does not take for silence (rhythm.h). schemas/holidays/kr.txt is
// built in; schemas/holidays/README.md describes the form. Pure: no file, no clock. Not for: working hours.
// Immutable once made. Thread: any.
#pragma once
#include "common/base/embedded.h"
#include "common/base/err.h"
#include <stddef.h>
#include <stdint.h>

extern const struct embedded embedded_holidays[]; // schemas/holidays/*.txt

struct holidays;

// Reads the text of a list. NULL with the line and the fault: a line that is neither a date nor the zone, a
// date that does not follow the one before, no date or no zone at all.
MUST_CHECK struct holidays *holidays_new(const char *text, size_t len, struct err *err);
void holidays_free(struct holidays *holidays);

// The list is right for endpoints of this zone only: minutes east of UTC.
int holidays_zone_minutes(const struct holidays *holidays);

// A list covers the years from its first date to its last. Beyond them a day is UNLISTED, which says nothing:
// a list that has run out must not look like a country without holidays.
enum holidays_day { HOLIDAYS_UNLISTED, HOLIDAYS_ORDINARY, HOLIDAYS_HOLIDAY };
// `day` is the number of days since 1970-01-01. NULL has no list: UNLISTED.
enum holidays_day holidays_on(const struct holidays *holidays, int64_t day);
