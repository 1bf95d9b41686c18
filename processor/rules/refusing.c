// SPDX-License-Identifier: MIT
#include "processor/rules/refusing.h"

enum { HOUR = 60, OPENS_AFTER = 2, CLOSES_AFTER = 3 };
static const int64_t BUSY = 15; // usual good calls of a window

static int64_t good_calls(const struct endpoint_minute *list, int64_t from, int64_t to) {
  int64_t good = 0;
  for (int64_t age = from; age < to; age++) good += (int64_t)list[age].calls - list[age].refused;
  return good;
}

static int most(const int64_t *by_check) {
  int check = 0;
  for (int i = 1; i < REFUSING_CHECKS; i++)
    if (by_check[i] > by_check[check]) check = i;
  return check;
}

// Counts backwards until the window is long enough and holds enough, but not beyond `after`.
static struct refusing_found look_back(const struct endpoint_minute *list, int64_t now, int64_t least,
                                       int64_t after) {
  struct refusing_found found = {.since = now};
  int64_t by_check[REFUSING_CHECKS] = {0};
  while (found.minutes < least || found.calls < REFUSING_ENOUGH) {
    if (found.minutes == HOUR || now - found.minutes <= after) break;
    const struct endpoint_minute *minute = &list[found.minutes++];
    found.calls += minute->calls;
    found.refused += minute->refused;
    for (int i = 0; i < REFUSING_CHECKS; i++) by_check[i] += minute->by_check[i];
  }
  found.check = most(by_check);
  return found;
}

// Where the surplus of refused calls is largest is where it began; within the hour.
static int64_t beginning(const struct endpoint_minute *list, int64_t now) {
  int64_t since = now, surplus = 0, largest = 0;
  for (int64_t age = 0; age < HOUR; age++) {
    surplus += 2 * (int64_t)list[age].refused - list[age].calls;
    if (surplus <= largest) continue;
    largest = surplus;
    since = now - age;
  }
  return since;
}

static bool is_repeated(const struct endpoint_minute *list, int64_t minutes) {
  int64_t with_refusals = 0;
  for (int64_t age = 0; age < minutes; age++) with_refusals += list[age].refused > 0;
  return with_refusals >= 2;
}

// Good calls come as usual, so the refused ones are not the provider's.
static bool is_somebody_else(const struct endpoint_minute *list, int64_t minutes) {
  int64_t usual = good_calls(list, minutes, minutes + HOUR) * minutes; // times HOUR
  return usual >= BUSY * HOUR && 4 * good_calls(list, 0, minutes) * HOUR >= usual;
}

// One minute says enough where many calls are usual, and hardly any is good.
static bool is_cut_off(const struct endpoint_minute *list) {
  int64_t usual = good_calls(list, 1, 1 + HOUR); // times HOUR
  return list[0].refused >= REFUSING_ENOUGH && usual >= BUSY * HOUR &&
         8 * good_calls(list, 0, 1) * HOUR <= usual;
}

static bool is_refusing(const struct endpoint_minute *list, const struct refusing_found *found) {
  if (is_cut_off(list)) return true;
  return found->refused >= REFUSING_ENOUGH && 2 * found->refused >= found->calls &&
         is_repeated(list, found->minutes) && !is_somebody_else(list, found->minutes);
}

static bool is_over(const struct refusing_found *found) {
  if (found->minutes == HOUR && found->calls < REFUSING_ENOUGH) return found->calls && !found->refused;
  return found->minutes >= CLOSES_AFTER && found->calls >= REFUSING_ENOUGH &&
         5 * found->refused <= found->calls;
}

enum verdict refusing_judge(const struct endpoint_minute *list, int64_t now, int64_t opened,
                            struct refusing_found *found) {
  bool is_open = opened != NOT_OPEN;
  *found = look_back(list, now, is_open ? CLOSES_AFTER : OPENS_AFTER, opened);
  found->since = beginning(list, now);
  if (is_open) return is_over(found) ? VERDICT_CLOSE : VERDICT_NOTHING;
  return is_refusing(list, found) ? VERDICT_OPEN : VERDICT_NOTHING;
}
