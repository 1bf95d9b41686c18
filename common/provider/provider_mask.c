// SPDX-License-Identifier: MIT
#include "common/provider/provider_mask.h"
#include "common/base/mem.h"
#include "common/provider/personal.h"
#include "common/provider/provider_file.h"
#include <string.h>

static json_t *masked_value(const json_t *value) {
  char buf[PROVIDER_NUMBER_SIZE];
  const char *text = json_scalar_text(value, buf);
  AUTO_FREE char *mask = personal_mask(text ? text : ""); // a list is replaced as a whole
  return json_string(mask);
}

static bool mask_at(json_t *element, const struct json_pointer *pointer) {
  const json_t *value = json_at(element, pointer);
  if (!value || json_is_null(value)) return false;
  return json_replace_at(element, pointer, masked_value(value));
}

// The provider's text may contain the number.
static bool mask_text_at(json_t *element, const struct json_pointer *pointer) {
  const char *words = json_string_value(json_at(element, pointer));
  if (!words) return false;
  AUTO_FREE char *masked = personal_mask_text(words);
  return strcmp(masked, words) != 0 && json_replace_at(element, pointer, json_string(masked));
}

static bool mask_places(const struct provider_where *recipient, const struct provider_where *reason,
                        json_t *in) {
  bool changed = false;
  for (size_t i = 0; i < recipient->n; i++) changed |= mask_at(in, &recipient->pointers[i]);
  for (size_t i = 0; i < reason->n; i++) changed |= mask_text_at(in, &reason->pointers[i]);
  return changed;
}

bool provider_mask_element(const struct provider *provider, json_t *element) {
  bool changed = false;
  for (size_t i = 0; i < provider->n_kinds; i++) {
    const struct provider_where *masked = &provider->kinds[i].masked;
    changed |= mask_places(&provider->kinds[i].recipient, &provider->kinds[i].reason, element);
    for (size_t j = 0; j < masked->n; j++) changed |= mask_at(element, &masked->pointers[j]);
  }
  return changed;
}

// An entry may be the recipient itself: json_replace_at() cannot replace the root.
static void mask_entry(const struct provider_shape *shape, json_t *entries, size_t at) {
  mask_places(&shape->recipient, &shape->reason, json_array_get(entries, at));
  for (size_t i = 0; i < shape->recipient.n; i++)
    if (shape->recipient.pointers[i].n_parts == 0)
      json_array_set_new(entries, at, masked_value(json_array_get(entries, at)));
}

void provider_mask_response(const struct provider *provider, json_t *response) {
  for (size_t i = 0; i < provider->n_shapes; i++) {
    const struct provider_shape *shape = &provider->shapes[i];
    if (!shape->each.n) mask_places(&shape->recipient, &shape->reason, response);
    for (size_t k = 0; k < shape->each.n; k++) {
      json_t *entries = json_at(response, &shape->each.pointers[k]);
      for (size_t j = 0; j < json_array_size(entries); j++) mask_entry(shape, entries, j);
    }
  }
}
