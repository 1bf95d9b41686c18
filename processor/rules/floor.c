// SPDX-License-Identifier: MIT
#include "processor/rules/floor.h"

static int64_t part_minutes(const struct floor *f) {
  return (f->within_s / 60 + FLOOR_PARTS - 1) / FLOOR_PARTS;
}

static int32_t part_count(const struct floor *f) {
  int64_t minutes = part_minutes(f);
  return (int32_t)((f->within_s / 60 + minutes - 1) / minutes);
}

int64_t floor_calls(const struct floor_state *s) {
  int64_t sum = 0;
  for (int i = 0; i < FLOOR_PARTS; i++) sum += s->parts[i];
  return sum;
}

static void begin(struct floor_state *s, const struct floor *f, bool open) {
  *s = (struct floor_state){.floor = *f, .open = open};
}

static enum verdict decide(struct floor_state *s, const struct floor *f, enum verdict verdict) {
  begin(s, f, verdict == VERDICT_OPEN);
  return verdict;
}

enum verdict floor_minute(struct floor_state *s, const struct floor *f, int64_t calls) {
  int32_t n = part_count(f);
  if (calls == FLOOR_UNKNOWN) return VERDICT_NOTHING;
  if (s->floor.calls != f->calls || s->floor.within_s != f->within_s) begin(s, f, s->open);
  s->parts[s->finished % n] += (uint32_t)calls;
  if (s->open && floor_calls(s) >= f->calls) return decide(s, f, VERDICT_CLOSE);
  if (++s->minutes < part_minutes(f)) return VERDICT_NOTHING;
  s->minutes = 0;
  s->finished++;
  if (!s->open && s->finished >= n && floor_calls(s) < f->calls) return decide(s, f, VERDICT_OPEN);
  s->parts[s->finished % n] = 0;
  return VERDICT_NOTHING;
}
