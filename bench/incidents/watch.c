// SPDX-License-Identifier: MIT
// A provider under the incident rules, minute by minute, for bench/incidents/watch.py (ctypes). It does what
// the watch does around the pure rules: keeps the minutes, learns what is usual, marks minutes as blind.
#include "common/base/mem.h"
#include "processor/rules/failing.h"
#include "processor/rules/silent.h"
#include "processor/rules/slow.h"
#include <stdlib.h>

enum { KEPT = MINUTES_DAY + 60, DAYS = 29, HOURS = DAYS * 24, MINUTE_MS = 60 * 1000 };
enum kind { FAILING, SILENT, SLOW, KINDS };

struct happened {
  int64_t minute;
  int32_t kind, verdict;
  int64_t since; // minute
};

struct watch {
  unsigned kinds; // bit set: the rules that are asked
  int64_t due_minutes, silent_after_ms;
  struct minute_counts list[KEPT];
  struct minutes minutes;
  struct slow_usual hours[DAYS]; // by day, at day % DAYS
  struct slow_usual usual;
  int64_t opened[KINDS];
  int64_t last_receipt; // minute; 0: none
};

struct watch *watch_new(unsigned kinds, int64_t minute, int64_t due_minutes, int64_t silent_after_ms);
void watch_free(struct watch *watch);
int64_t watch_run(struct watch *watch, const struct minute_counts *stream, int64_t n, struct happened *out,
                  int64_t max);

struct watch *watch_new(unsigned kinds, int64_t minute, int64_t due_minutes, int64_t silent_after_ms) {
  struct watch *watch = mem_alloc(sizeof *watch);
  watch->kinds = kinds;
  watch->due_minutes = due_minutes;
  watch->silent_after_ms = silent_after_ms;
  watch->minutes = (struct minutes){watch->list, KEPT, minute};
  for (int kind = 0; kind < KINDS; kind++) watch->opened[kind] = NOT_OPEN;
  return watch;
}

void watch_free(struct watch *watch) {
  free(watch);
}

// ---- what is usual

static void add_hours(struct slow_usual *to, const struct slow_usual *from) {
  for (int hour = 0; hour < 24; hour++) {
    to->taken[hour] += from->taken[hour];
    to->late[hour] += from->late[hour];
  }
}

// The 28 days before the last one.
static void learn(struct watch *watch) {
  int64_t now = watch->minutes.now, day = now / MINUTES_DAY;
  if (now % MINUTES_DAY == 0) {
    watch->usual = (struct slow_usual){0};
    for (int64_t i = 1; i < DAYS; i++) add_hours(&watch->usual, &watch->hours[(day + i) % DAYS]);
    watch->hours[day % DAYS] = (struct slow_usual){0};
  }
  const struct minute_counts *due = minutes_at(&watch->minutes, now - watch->due_minutes);
  int64_t hour = (now - watch->due_minutes) / 60 % 24;
  if (due->blind || watch->opened[SLOW] != NOT_OPEN) return;
  watch->hours[day % DAYS].taken[hour] += due->taken;
  watch->hours[day % DAYS].late[hour] += due->taken - due->in_time;
}

// ---- the rules

static int64_t opened_ms(const struct watch *watch, enum kind kind) {
  return watch->opened[kind] == NOT_OPEN ? NOT_OPEN : (watch->opened[kind] + 1) * MINUTE_MS;
}

static struct silent_seen look(const struct watch *watch) {
  const struct minutes *minutes = &watch->minutes;
  struct silent_seen seen = {.now_ms = (minutes->now + 1) * MINUTE_MS};
  seen.last_receipt_ms = watch->last_receipt ? (watch->last_receipt + 1) * MINUTE_MS : 0;
  seen.usual_late = slow_usual_share(&watch->usual, minutes->now);
  seen.live_minutes =
      minutes_live(minutes, silent_live_window(watch->silent_after_ms), watch->opened[SILENT]);
  for (int64_t age = watch->due_minutes; age < KEPT && minutes->now - age > watch->last_receipt; age++) {
    if (watch->list[age].taken == watch->list[age].in_time) continue;
    seen.first_unreported_ms = (minutes->now - age) * MINUTE_MS + MINUTE_MS / 2;
    seen.due += watch->list[age].taken - watch->list[age].in_time;
  }
  int64_t last_age = watch->last_receipt ? minutes->now - watch->last_receipt : KEPT;
  bool counts = watch->opened[SILENT] != NOT_OPEN || last_age >= watch->due_minutes;
  for (int64_t age = last_age; counts && age < last_age + watch->due_minutes && age < KEPT; age++) {
    seen.due_before += watch->list[age].taken;
    seen.missing_before += watch->list[age].taken - watch->list[age].in_time;
  }
  return seen;
}

static enum verdict judge(struct watch *watch, enum kind kind, int64_t *since) {
  enum verdict verdict = VERDICT_NOTHING;
  if (kind == FAILING) {
    struct failing_found found;
    verdict = failing_judge(&watch->minutes, watch->opened[kind], &found);
    *since = found.since;
  } else if (kind == SILENT) {
    struct silent_seen seen = look(watch);
    struct silent_found found;
    verdict = silent_judge(&seen, watch->silent_after_ms, opened_ms(watch, SILENT), &found);
    *since = found.since_ms / MINUTE_MS;
  } else {
    struct slow_found found;
    verdict = slow_judge(&watch->minutes, watch->due_minutes, &watch->usual, watch->opened[kind], &found);
    *since = found.since;
  }
  return verdict;
}

// Receipts of a silence come late, whatever the provider's pace.
static void blind_since(struct watch *watch, int64_t since) {
  for (int64_t minute = since; minute <= watch->minutes.now; minute++) {
    struct minute_counts *counts = minutes_at(&watch->minutes, minute);
    if (counts) counts->blind = true;
  }
}

static void step(struct watch *watch, const struct minute_counts *counts) {
  minutes_advance(&watch->minutes, watch->minutes.now + 1);
  watch->list[0] = *counts;
  watch->list[0].blind = watch->opened[SILENT] != NOT_OPEN;
  if (minute_receipts(counts)) watch->last_receipt = watch->minutes.now;
  learn(watch);
}

// Returns how many verdicts there were.
int64_t watch_run(struct watch *watch, const struct minute_counts *stream, int64_t n, struct happened *out,
                  int64_t max) {
  int64_t happened = 0;
  for (int64_t i = 0; i < n; i++) {
    step(watch, &stream[i]);
    for (enum kind kind = FAILING; kind < KINDS; kind++) {
      int64_t since;
      if (!(watch->kinds & 1u << kind)) continue;
      enum verdict verdict = judge(watch, kind, &since);
      if (verdict == VERDICT_NOTHING) continue;
      watch->opened[kind] = verdict == VERDICT_OPEN ? watch->minutes.now : NOT_OPEN;
      if (kind == SILENT && verdict == VERDICT_OPEN) blind_since(watch, since);
      if (happened < max) out[happened++] = (struct happened){watch->minutes.now, kind, verdict, since};
    }
  }
  return happened;
}
