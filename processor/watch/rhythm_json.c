// SPDX-License-Identifier: MIT
#include "processor/watch/rhythm_json.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include <assert.h>
#include <stddef.h>
#include <string.h>

enum type { INT64, INT32, UINT32, UINT8, REAL, BOOL, OPEN };

// A list of `n` values is an array; 0 is one value.
struct field {
  const char *name;
  size_t offset, n;
  enum type type;
};

#define FIELD(of, field, type)                                                                               \
  { #field, offsetof(struct of, field), 0, type }
#define LIST(of, field, n, type)                                                                             \
  { #field, offsetof(struct of, field), n, type }

static const struct field rhythm_fields[] = {
    FIELD(rhythm_state, minute, INT64),
    FIELD(rhythm_state, last_call, INT64),
    FIELD(rhythm_state, pause_start, INT64),
    FIELD(rhythm_state, score, REAL),
    FIELD(rhythm_state, peak, REAL),
    FIELD(rhythm_state, open, OPEN),
    FIELD(rhythm_state, bar_at_open, REAL),
    FIELD(rhythm_state, week, INT64),
    LIST(rhythm_state, peaks, RHYTHM_WEEKS, REAL),
    FIELD(rhythm_state, day_expected, REAL),
    FIELD(rhythm_state, dead_days, INT32),
    FIELD(rhythm_state, dead_since, INT64),
    FIELD(rhythm_state, block, INT64),
    LIST(rhythm_state, runs, RHYTHM_BLOCKS, UINT8),
};
static const struct field floor_fields[] = {
    FIELD(floor_state, floor.calls, INT64), FIELD(floor_state, floor.within_s, INT64),
    FIELD(floor_state, open, BOOL),         FIELD(floor_state, finished, INT32),
    FIELD(floor_state, minutes, INT32),     LIST(floor_state, parts, FLOOR_PARTS, UINT32),
};

static const size_t sizes[] = {
    [INT64] = sizeof(int64_t),        [INT32] = sizeof(int32_t), [UINT32] = sizeof(uint32_t),
    [UINT8] = sizeof(uint8_t),        [REAL] = sizeof(double),   [BOOL] = sizeof(bool),
    [OPEN] = sizeof(enum rhythm_open)};

// ---- writing ----

static json_t *get(const void *at, enum type type) {
  switch (type) {
  case INT64:
    return json_integer(*(const int64_t *)at);
  case INT32:
    return json_integer(*(const int32_t *)at);
  case UINT32:
    return json_integer(*(const uint32_t *)at);
  case UINT8:
    return json_integer(*(const uint8_t *)at);
  case REAL:
    return json_real(*(const double *)at);
  case BOOL:
    return json_boolean(*(const bool *)at);
  case OPEN:
    return json_integer(*(const enum rhythm_open *)at);
  }
  return NULL;
}

static char *to_text(const void *state, const struct field *fields, size_t n) {
  AUTO_JSON *value = json_object();
  for (size_t i = 0; i < n; i++) {
    const struct field *f = &fields[i];
    const char *at = (const char *)state + f->offset;
    json_t *list = f->n ? json_array() : get(at, f->type);
    for (size_t k = 0; k < f->n; k++) json_array_append_new(list, get(at + k * sizes[f->type], f->type));
    json_object_set_new(value, f->name, list);
  }
  return json_text(value);
}

char *rhythm_state_text(const struct rhythm_state *state) {
  return to_text(state, rhythm_fields, COUNT_OF(rhythm_fields));
}

char *floor_state_text(const struct floor_state *state) {
  return to_text(state, floor_fields, COUNT_OF(floor_fields));
}

// ---- reading ----

static bool set(void *at, enum type type, const json_t *value) {
  json_int_t number = json_is_true(value) ? 1 : json_integer_value(value);
  if (!json_is_number(value) && !json_is_boolean(value)) return false;
  switch (type) {
  case INT64:
    *(int64_t *)at = number;
    break;
  case INT32:
    *(int32_t *)at = (int32_t)number;
    break;
  case UINT32:
    *(uint32_t *)at = (uint32_t)number;
    break;
  case UINT8:
    *(uint8_t *)at = (uint8_t)number;
    break;
  case REAL:
    *(double *)at = json_number_value(value);
    break;
  case BOOL:
    *(bool *)at = number != 0;
    break;
  case OPEN:
    *(enum rhythm_open *)at = (enum rhythm_open)number;
    break;
  }
  return true;
}

static bool read_field(void *state, const struct field *f, const json_t *value) {
  char *at = (char *)state + f->offset;
  if (f->n == 0) return set(at, f->type, value);
  if (json_array_size(value) != f->n) return false;
  for (size_t k = 0; k < f->n; k++)
    if (!set(at + k * sizes[f->type], f->type, json_array_get(value, k))) return false;
  return true;
}

static bool from_text(const char *text, void *state, const struct field *fields, size_t n) {
  AUTO_JSON *value = json_parse(text, strlen(text), NULL);
  for (size_t i = 0; i < n; i++)
    if (!read_field(state, &fields[i], json_object_get(value, fields[i].name))) return false;
  return true;
}

bool rhythm_state_parse(const char *text, struct rhythm_state *out) {
  struct rhythm_state state = *out;
  if (!from_text(text, &state, rhythm_fields, COUNT_OF(rhythm_fields))) return false;
  *out = state;
  return true;
}

bool floor_state_parse(const char *text, struct floor_state *out) {
  struct floor_state state = *out;
  if (!from_text(text, &state, floor_fields, COUNT_OF(floor_fields))) return false;
  *out = state;
  return true;
}
