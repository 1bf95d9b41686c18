// SPDX-License-Identifier: MIT
#include "common/provider/provider_value.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/provider/personal.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// ---- places

void *provider_keep(struct provider *provider, void *block) {
  provider->kept = mem_grow(provider->kept, provider->n_kept + 1, sizeof(void *));
  return provider->kept[provider->n_kept++] = block;
}

// A pointer that the schema accepts and json_pointer_init() refuses is a fault of ours: both follow RFC 6901.
struct json_pointer provider_pointer(struct provider *provider, const char *text) {
  struct json_pointer pointer = {0};
  struct err err;
  if (!json_pointer_init(&pointer, text, &err)) abort();
  provider->pointers = mem_grow(provider->pointers, provider->n_pointers + 1, sizeof pointer);
  return provider->pointers[provider->n_pointers++] = pointer;
}

struct provider_where provider_where_at(struct provider *provider, const json_t *node) {
  size_t n = json_is_string(node) ? 1 : json_array_size(node);
  struct provider_where where = {.literal = json_string_value(json_object_get(node, "value")), .n = n};
  where.pointers = provider_keep(provider, mem_array(n, sizeof *where.pointers));
  for (size_t i = 0; i < n; i++) {
    const json_t *pointer = json_is_string(node) ? node : json_array_get(node, i);
    where.pointers[i] = provider_pointer(provider, json_string_value(pointer));
  }
  return where;
}

struct provider_where provider_where_of(struct provider *provider, const json_t *object, const char *key) {
  return provider_where_at(provider, json_object_get(object, key));
}

bool provider_where_has(const struct provider_where *where, const struct json_pointer *place) {
  for (size_t i = 0; i < where->n; i++)
    if (strcmp(where->pointers[i].text, place->text) == 0) return true;
  return false;
}

// ---- values

bool provider_text_fits(const char *text, size_t max_bytes) {
  return strlen(text) <= max_bytes && !utf8_has_control(text);
}

typedef const char *text_fn(const json_t *value, char buf[PROVIDER_NUMBER_SIZE]);

// The first pointer whose value, in *text, has a text of at most max_bytes. NULL: none.
static const struct json_pointer *find(const struct provider_where *where, text_fn *text_of,
                                       const json_t *from, size_t max_bytes, char buf[PROVIDER_NUMBER_SIZE],
                                       const char **text) {
  for (size_t i = 0; i < where->n; i++) {
    const char *found = text_of(json_at(from, &where->pointers[i]), buf);
    if (!found || (max_bytes != PROVIDER_NO_LIMIT && !provider_text_fits(found, max_bytes))) continue;
    *text = found;
    return &where->pointers[i];
  }
  return NULL;
}

const struct json_pointer *provider_where_find(const struct provider_where *where, const json_t *from,
                                               size_t max_bytes, char buf[PROVIDER_NUMBER_SIZE],
                                               const char **text) {
  return find(where, json_scalar_text, from, max_bytes, buf, text);
}

const char *provider_where_text(const struct provider_where *where, const json_t *from, size_t max_bytes,
                                char buf[PROVIDER_NUMBER_SIZE]) {
  const char *text = where->literal;
  provider_where_find(where, from, max_bytes, buf, &text);
  return text;
}

const char *provider_where_code(const struct provider_where *where, bool may_be_boolean, const json_t *from,
                                char buf[PROVIDER_NUMBER_SIZE], const struct json_pointer **place) {
  const char *text = where->literal;
  text_fn *text_of = may_be_boolean ? json_compared_text : json_scalar_text;
  *place = find(where, text_of, from, PROVIDER_TEXT_MAX, buf, &text);
  return text;
}

const char *provider_where_shown(const struct provider_where *where) {
  return where->n ? where->pointers[0].text : "(nowhere)";
}

// ---- conditions

static void equals_add(struct provider *provider, struct provider_conditions *conditions, json_t *object,
                       bool in_any_case) {
  const char *pointer;
  json_t *values;
  json_object_foreach(object, pointer, values) {
    conditions->equals[conditions->n_equals++] = (struct provider_equals){
        .pointer = provider_pointer(provider, pointer), .values = values, .in_any_case = in_any_case};
  }
}

void provider_equals_load(struct provider *provider, struct provider_conditions *conditions, json_t *exact,
                          json_t *in_any_case) {
  size_t n = json_object_size(exact) + json_object_size(in_any_case);
  conditions->equals = provider_keep(provider, mem_array(n, sizeof *conditions->equals));
  equals_add(provider, conditions, exact, false);
  equals_add(provider, conditions, in_any_case, true);
}

void provider_conditions_load(struct provider *provider, struct provider_conditions *conditions,
                              const json_t *node) {
  conditions->present = provider_where_of(provider, node, "present");
  conditions->absent = provider_where_of(provider, node, "absent");
  provider_equals_load(provider, conditions, json_object_get(node, "equals"),
                       json_object_get(node, "equals_any_case"));
}

bool provider_lists(const json_t *texts, const char *text) {
  for (size_t i = 0; i < json_array_size(texts); i++) {
    if (strcmp(json_string_value(json_array_get(texts, i)), text) == 0) return true;
  }
  return false;
}

bool provider_equals_lists(const struct provider_equals *equals, const char *text) {
  for (size_t i = 0; i < json_array_size(equals->values); i++) {
    const char *value = json_string_value(json_array_get(equals->values, i));
    if ((equals->in_any_case ? strcasecmp : strcmp)(value, text) == 0) return true;
  }
  return false;
}

const struct provider_equals *provider_conditions_unequal(const struct provider_conditions *conditions,
                                                          const json_t *in) {
  for (size_t i = 0; i < conditions->n_equals; i++) {
    char buf[PROVIDER_NUMBER_SIZE];
    const struct provider_equals *equals = &conditions->equals[i];
    const char *text = json_compared_text(json_at(in, &equals->pointer), buf);
    if (!text || !provider_equals_lists(equals, text)) return equals;
  }
  return NULL;
}

static size_t count_present(const struct provider_where *places, const json_t *in) {
  size_t n = 0;
  for (size_t i = 0; i < places->n; i++) {
    const json_t *value = json_at(in, &places->pointers[i]);
    n += value && !json_is_null(value);
  }
  return n;
}

bool provider_places_hold(const struct provider_conditions *conditions, const json_t *in) {
  return count_present(&conditions->present, in) == conditions->present.n &&
         count_present(&conditions->absent, in) == 0;
}

bool provider_conditions_hold(const struct provider_conditions *conditions, const json_t *in) {
  return provider_places_hold(conditions, in) && !provider_conditions_unequal(conditions, in);
}

// ---- ids

bool provider_id_check(const char *id, struct err *err) {
  size_t len = strlen(id);
  if (len == 0) return err_set(err, "expected text that is not empty");
  if (len > PROVIDER_ID_MAX) return err_set(err, "expected at most %d bytes, got %zu", PROVIDER_ID_MAX, len);
  if (utf8_has_control(id)) return err_set(err, "expected text without control characters");
  return true;
}

static bool share_a_place(const struct provider_where *a, const struct provider_where *b) {
  for (size_t i = 0; i < a->n; i++)
    if (provider_where_has(b, &a->pointers[i])) return true;
  return false;
}

static void part_add(struct provider_id *id, struct provider_where where, bool shared,
                     const struct provider_where *recipient) {
  id->parts[id->n++] = (struct provider_part){
      .where = where, .shared = shared, .is_personal = !shared && share_a_place(&where, recipient)};
}

struct provider_id provider_id_load(struct provider *provider, const json_t *object,
                                    const struct provider_where *recipient) {
  const json_t *shared = json_object_get(object, "shared_id"), *node = json_object_get(object, "id");
  const json_t *parts = json_object_get(node, "parts");
  struct provider_id id = {0};
  id.parts = provider_keep(provider, mem_array(json_array_size(parts) + 2, sizeof *id.parts));
  if (shared) part_add(&id, provider_where_at(provider, shared), true, recipient);
  if (node && !parts) part_add(&id, provider_where_at(provider, node), false, recipient);
  for (size_t i = 0; i < json_array_size(parts); i++)
    part_add(&id, provider_where_at(provider, json_array_get(parts, i)), false, recipient);
  return id;
}

struct joined { // in the caller's buffer of PROVIDER_ID_SIZE
  char *text;
  size_t len;
};

static bool join_bytes(struct joined *id, const char *bytes, size_t len) {
  if (id->len + len > PROVIDER_ID_MAX) return false;
  memcpy(id->text + id->len, bytes, len);
  id->len += len;
  id->text[id->len] = '\0';
  return true;
}

static bool join_part(struct joined *id, const char *text) {
  for (; *text; text++) {
    const char *escape = *text == '~' ? "~0" : *text == '/' ? "~1" : NULL;
    if (!join_bytes(id, escape ? escape : text, escape ? 2 : 1)) return false;
  }
  return true;
}

static const char *read_part(const struct provider_part *part, const json_t *from, const json_t *whole,
                             char buf[PROVIDER_NUMBER_SIZE]) {
  const char *text = provider_where_text(&part->where, part->shared ? whole : from, PROVIDER_ID_MAX, buf);
  if (!text || !part->is_personal) return text;
  personal_tag(text, buf);
  return buf;
}

const char *provider_id_read(const struct provider_id *id, const json_t *from, const json_t *whole,
                             char buf[PROVIDER_ID_SIZE], const struct provider_part **unusable) {
  struct joined joined = {.text = buf};
  *unusable = NULL;
  if (id->n == 1 && !id->parts->is_personal) {
    *unusable = id->parts;
    return read_part(id->parts, from, whole, buf);
  }
  for (size_t i = 0; i < id->n; i++) {
    char number[PROVIDER_NUMBER_SIZE];
    const char *text = read_part(&id->parts[i], from, whole, number);
    if (!text) *unusable = &id->parts[i];
    if (!text || (i > 0 && !join_bytes(&joined, "/", 1)) || !join_part(&joined, text)) return NULL;
  }
  return id->n ? buf : NULL;
}
