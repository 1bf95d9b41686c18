// SPDX-License-Identifier: MIT
// The incident `slow`: many more messages than is usual at this hour have no receipt in time. Pure: no clock,
// no I/O. Thread: any, one provider at a time.
#pragma once
#include "processor/rules/minutes.h"
#include "processor/rules/verdict.h"

// By hour of the day (UTC): the messages accepted in 28 days, and those of them that were late. The last day
// is not among them, so that an incident does not become usual before it is found; nor are messages for which
// a minute from their acceptance until they were due is blind, or that became due while `slow` was open.
struct slow_usual {
  int64_t taken[24], late[24];
};
// The usual share of late messages in the hour of a minute; that of the whole day where the hour had fewer
// than 20. Negative: there are not even 20 in all.
double slow_usual_share(const struct slow_usual *usual, int64_t minute);

struct slow_found {
  int64_t since;       // the minute of acceptance from which on messages are late
  int64_t taken, late; // of the window
  double expected;     // of them late, usually
  int64_t minutes;     // the window's length
};

// Looks at the messages of ten minutes, or of as many as 20 messages took, a day at most, the newest accepted
// `due_minutes` ago (the provider's receipt_within_s: in_time is measured by it). Blind minutes are passed
// over. With p = three times the usual share, 0.1 to 0.9: OPEN if for ten minutes in a row the late ones are
// above n·p + 4·sqrt(n·p·(1 - p)), and in 7 different minutes above that minute's n·p: a pause or a campaign
// of some minutes is no incident. CLOSE if for ten minutes in a row they are at most halfway between usual
// and p, counted from the opening; or in a day with few messages none was late. Decides nothing where nothing
// is usual yet. `opened`: the minute, or NOT_OPEN. `found` is set in any case.
enum verdict slow_judge(const struct minutes *minutes, int64_t due_minutes, const struct slow_usual *usual,
                        int64_t opened, struct slow_found *found);
