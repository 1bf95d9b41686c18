// SPDX-License-Identifier: MIT
#include "common/json/schema_fault.h"

#include "common/base/mem.h"
#include "common/json/json.h"
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_SHOWN_BYTES = 64 };

// ---- places ----

// A key as a part of a JSON Pointer, shortened, never inside a character.
static void key_print(const char *key, FILE *to) {
  for (const char *c = key; *c; c++) {
    bool begins_character = ((unsigned char)*c & 0xc0) != 0x80;
    if (begins_character && c - key >= KEY_SHOWN_BYTES) {
      fputs("...", to);
      return;
    }
    if (*c == '~')
      fputs("~0", to);
    else if (*c == '/')
      fputs("~1", to);
    else
      fputc((unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c, to);
  }
}

static void place_print(const struct place *place, FILE *to) {
  if (!place->up) return;
  place_print(place->up, to);
  fputc('/', to);
  if (place->key)
    key_print(place->key, to);
  else
    fprintf(to, "%zu", place->index);
}

static FILE *text_open(char **text, size_t *len) {
  FILE *to = open_memstream(text, len);
  if (!to) abort(); // out of memory, as in mem.c
  return to;
}

static unsigned depth_of(const struct place *place) {
  unsigned depth = 0;
  for (; place->up; place = place->up) depth++;
  return depth;
}

// ---- keeping ----

void fault_init(struct fault *fault, enum fault_kind kind, const struct place *place) {
  fault_fini(fault);
  size_t len;
  FILE *to = text_open(&fault->where, &len);
  place_print(place, to);
  fclose(to);
  fault->kind = kind;
  fault->depth = depth_of(place);
}

void fault_fini(struct fault *fault) {
  free(fault->where);
  free(fault->text);
  json_decref(fault->names);
  *fault = (struct fault){0};
}

void fault_name(struct fault *fault, json_t *name) {
  if (!fault->names) fault->names = json_array();
  for (size_t i = 0; i < json_array_size(fault->names); i++) {
    if (!json_equal(json_array_get(fault->names, i), name)) continue;
    json_decref(name);
    return;
  }
  json_array_append_new(fault->names, name);
}

// ---- choosing ----

static bool names_hold(const struct fault *fault, const char *key) {
  for (size_t i = 0; i < json_array_size(fault->names); i++) {
    if (strcmp(json_string_value(json_array_get(fault->names, i)), key) == 0) return true;
  }
  return false;
}

static bool differ_in_names(const struct fault *a, const struct fault *b) {
  if (a->kind != b->kind || strcmp(a->where, b->where) != 0) return false;
  switch (a->kind) {
  case FAULT_TYPE:
  case FAULT_CONST:
  case FAULT_REQUIRED:
    return true;
  case FAULT_UNKNOWN:
    return strcmp(a->key, b->key) == 0;
  case FAULT_TEXT:
  case FAULT_NOT:
  case FAULT_APART:
    return false;
  }
  return false;
}

// Each branch knows the key that the other does not.
static bool are_apart(const struct fault *a, const struct fault *b) {
  return a->kind == FAULT_UNKNOWN && b->kind == FAULT_UNKNOWN && strcmp(a->where, b->where) == 0 &&
         names_hold(a, b->key) && names_hold(b, a->key);
}

static void set_apart(struct fault *fault, const struct fault *other) {
  fault->kind = FAULT_APART;
  json_decref(fault->names);
  fault->names = json_pack("[s,s]", fault->key, other->key);
}

static void join_names(struct fault *fault, const struct fault *other) {
  for (size_t i = 0; i < json_array_size(other->names); i++)
    fault_name(fault, json_incref(json_array_get(other->names, i)));
  if (other->cost < fault->cost) fault->cost = other->cost;
}

// Some faults say that the branch was not meant: the value is of another type or form, or the const of one of
// its members, which tells kinds apart, is another.
static int likelihood(const struct fault *fault, unsigned branch_depth) {
  switch (fault->kind) {
  case FAULT_TYPE:
    return fault->depth == branch_depth ? 0 : 2;
  case FAULT_CONST:
    return fault->depth <= branch_depth + 1 ? 1 : 2;
  case FAULT_NOT:
    return 1;
  case FAULT_TEXT:
  case FAULT_REQUIRED:
  case FAULT_UNKNOWN:
  case FAULT_APART:
    return 2;
  }
  return 2;
}

static bool is_likelier(const struct fault *fault, const struct fault *than, unsigned branch_depth) {
  int mine = likelihood(fault, branch_depth), its = likelihood(than, branch_depth);
  if (mine != its) return mine > its;
  if (fault->cost != than->cost) return fault->cost < than->cost;
  return fault->depth > than->depth;
}

void fault_meet(struct fault *fault, struct fault *other, const struct place *place) {
  if (fault->where && differ_in_names(fault, other)) {
    join_names(fault, other);
  } else if (fault->where && are_apart(fault, other)) {
    set_apart(fault, other);
  } else if (!fault->where || is_likelier(other, fault, depth_of(place))) {
    fault_fini(fault);
    *fault = *other;
    *other = (struct fault){0};
  }
  fault_fini(other);
}

// ---- telling ----

static const char *const type_names[][2] = {
    {"null", "null"},        {"boolean", "true or false"},
    {"string", "a string"},  {"integer", "a whole number"},
    {"number", "a number"},  {"array", "an array"},
    {"object", "an object"},
};

const char *fault_type_shown(const char *type) {
  for (size_t i = 0; i < COUNT_OF(type_names); i++) {
    if (strcmp(type_names[i][0], type) == 0) return type_names[i][1];
  }
  return NULL;
}

static void name_print(const struct fault *fault, const json_t *name, FILE *to) {
  if (fault->kind == FAULT_TYPE)
    fputs(fault_type_shown(json_string_value(name)), to);
  else
    json_dumpf(name, to, JSON_ENCODE_ANY | JSON_COMPACT);
}

static void alternatives_print(const struct fault *fault, FILE *to) {
  size_t n = json_array_size(fault->names);
  for (size_t i = 0; i < n; i++) {
    if (i) fputs(i + 1 < n ? ", " : " or ", to);
    name_print(fault, json_array_get(fault->names, i), to);
  }
}

static bool is_presentable(const char *key) {
  static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./$-";
  return *key && key[strspn(key, safe)] == '\0';
}

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

static bool same_letter(char a, char b) {
  return tolower((unsigned char)a) == tolower((unsigned char)b);
}

// How many letters to add, drop, change or swap with the next one; case counts for nothing. Both are
// KEY_SHOWN_BYTES at most.
static size_t distance(const char *a, const char *b) {
  size_t rows[3][KEY_SHOWN_BYTES + 1] = {{0}}; // the row before the last one, the last one, this one
  size_t *before = rows[0], *last = rows[1], *row = rows[2], len = strlen(b);
  for (size_t j = 0; j <= len; j++) last[j] = j;
  for (size_t i = 1; a[i - 1]; i++) {
    row[0] = i;
    for (size_t j = 1; j <= len; j++) {
      row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + !same_letter(a[i - 1], b[j - 1]));
      bool swapped = i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]);
      if (swapped) row[j] = least(row[j], before[j - 2] + 1);
    }
    size_t *oldest = before;
    before = last;
    last = row;
    row = oldest;
  }
  return last[len];
}

// The known key that was probably meant, or NULL: at most a third of its letters are others.
static const char *nearest(const struct fault *fault) {
  const char *best = NULL;
  size_t best_distance = SIZE_MAX;
  if (strlen(fault->key) > KEY_SHOWN_BYTES) return NULL;
  for (size_t i = 0; i < json_array_size(fault->names); i++) {
    const char *known = json_string_value(json_array_get(fault->names, i));
    if (strlen(known) > KEY_SHOWN_BYTES) continue;
    size_t apart = distance(fault->key, known);
    if (apart > strlen(known) / 3 || apart >= best_distance) continue;
    best = known;
    best_distance = apart;
  }
  return best;
}

static void unknown_print(const struct fault *fault, FILE *to) {
  bool cut = strlen(fault->key) > KEY_SHOWN_BYTES;
  fputs("unknown key", to);
  if (is_presentable(fault->key)) fprintf(to, " \"%.*s%s\"", KEY_SHOWN_BYTES, fault->key, cut ? "..." : "");
  const char *meant = nearest(fault);
  if (meant) {
    fprintf(to, "; did you mean \"%s\"?", meant);
    return;
  }
  size_t n = json_array_size(fault->names);
  fputs(n > 1 ? "; expected one of" : n == 1 ? "; expected only" : "; expected none of that name", to);
  for (size_t i = 0; i < n; i++)
    fprintf(to, "%s %s", i ? "," : "", json_string_value(json_array_get(fault->names, i)));
}

static void fault_print(const struct fault *fault, FILE *to) {
  size_t n = json_array_size(fault->names);
  switch (fault->kind) {
  case FAULT_TEXT:
  case FAULT_NOT:
    fputs(fault->text, to);
    return;
  case FAULT_TYPE:
    fputs("expected ", to);
    alternatives_print(fault, to);
    fprintf(to, ", got %s", fault->text);
    return;
  case FAULT_CONST:
    fputs("expected ", to);
    alternatives_print(fault, to);
    return;
  case FAULT_REQUIRED:
    fputs(n > 1 ? "expected " : "expected a key ", to);
    alternatives_print(fault, to);
    return;
  case FAULT_UNKNOWN:
    unknown_print(fault, to);
    return;
  case FAULT_APART:
    fputs("expected ", to);
    alternatives_print(fault, to);
    fputs(", not both", to);
    return;
  }
}

bool fault_tell(const struct fault *fault, struct err *err) {
  AUTO_FREE char *text = NULL;
  size_t len;
  FILE *to = text_open(&text, &len);
  if (*fault->where) fprintf(to, "%s: ", fault->where);
  fault_print(fault, to);
  fclose(to);
  return err_set(err, "%s", text);
}
