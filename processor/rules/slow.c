// SPDX-License-Identifier: MIT
#include "processor/rules/slow.h"
#include <math.h>

enum { ENOUGH = 20, WINDOW = 10, IN_A_ROW = 10, LATE_MINUTES = 7 };

double slow_usual_share(const struct slow_usual *usual, int64_t minute) {
  int64_t hour = minute / 60 % 24, taken = usual->taken[hour], late = usual->late[hour];
  if (taken >= ENOUGH) return (double)late / (double)taken;
  taken = late = 0;
  for (int64_t i = 0; i < 24; i++) {
    taken += usual->taken[i];
    late += usual->late[i];
  }
  return taken >= ENOUGH ? (double)late / (double)taken : -1;
}

struct window {
  struct slow_found found;
  double at_most;   // late ones, unless it is slow
  double variance;  // of them
  int late_minutes; // in which there are more
};

static double limit_of(double share) {
  return fmin(fmax(0.1, 3 * share), 0.9);
}

static void count(struct window *window, const struct minute_counts *counts, double share) {
  double p = limit_of(share), taken = counts->taken;
  int64_t late = (int64_t)counts->taken - counts->in_time;
  window->found.taken += counts->taken;
  window->found.late += late;
  window->late_minutes += (double)late > taken * p;
  window->found.expected += taken * share;
  window->at_most += taken * p;
  window->variance += taken * p * (1 - p);
}

// The window that ends with messages of minute `newest`, without those up to `after`. Where the surplus of
// late ones is largest is where it began.
static struct window look_back(const struct minutes *minutes, int64_t newest, int64_t due_minutes,
                               const struct slow_usual *usual, int64_t after) {
  struct window window = {.found.since = newest};
  struct slow_found *found = &window.found;
  double surplus, largest = 0;
  while (found->minutes < WINDOW || found->taken < ENOUGH) {
    int64_t minute = newest - found->minutes;
    const struct minute_counts *counts = minutes_at(minutes, minute);
    if (!counts || found->minutes == MINUTES_DAY || minute <= after) break;
    found->minutes++;
    if (counts->taken && minutes_seen(minutes, minute, minute + due_minutes))
      count(&window, counts, slow_usual_share(usual, minute));
    surplus = (double)found->late - window.at_most;
    if (surplus <= largest) continue;
    largest = surplus;
    found->since = minute;
  }
  return window;
}

static bool is_slow(const struct window *window) {
  return window->found.taken >= ENOUGH &&
         (double)window->found.late > window->at_most + 4 * sqrt(window->variance);
}

static bool is_over(const struct window *window) {
  if (window->found.taken < ENOUGH)
    return window->found.minutes == MINUTES_DAY && window->found.taken && !window->found.late;
  return window->found.minutes >= WINDOW &&
         (double)window->found.late <= (window->found.expected + window->at_most) / 2;
}

enum verdict slow_judge(const struct minutes *minutes, int64_t due_minutes, const struct slow_usual *usual,
                        int64_t opened, struct slow_found *found) {
  bool is_open = opened != NOT_OPEN;
  *found = (struct slow_found){.since = minutes->now};
  if (slow_usual_share(usual, minutes->now) < 0) return VERDICT_NOTHING;
  for (int64_t ago = 0; ago < IN_A_ROW; ago++) {
    struct window window = look_back(minutes, minutes->now - ago - due_minutes, due_minutes, usual, opened);
    if (ago == 0) *found = window.found;
    if (ago == 0 && !is_open && window.late_minutes < LATE_MINUTES) return VERDICT_NOTHING;
    if (is_open ? !is_over(&window) : !is_slow(&window)) return VERDICT_NOTHING;
  }
  return is_open ? VERDICT_CLOSE : VERDICT_OPEN;
}
