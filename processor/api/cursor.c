// SPDX-License-Identifier: MIT
// The text is base64url (RFC 4648, section 5) of a JSON array: the list's name, the time, the keys.
#include "processor/api/cursor.h"
#include "common/base/base64.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/base/uuid.h"
#include "common/json/json.h"
#include <stdlib.h>
#include <string.h>

char *cursor_encode(const char *list, const char *at, const char *first, const char *second) {
  AUTO_JSON *place = json_pack("[s,s,s]", list, at, first);
  if (second) json_array_append_new(place, json_string(second));
  AUTO_FREE char *text = json_text(place);
  return base64_url(text, strlen(text));
}

static const char *text_at(const json_t *place, size_t i) {
  return json_string_value(json_array_get(place, i));
}

static bool is_number(const char *text) {
  size_t len = strlen(text);
  return len >= 1 && len <= 18 && strspn(text, "0123456789") == len;
}

bool cursor_is_place(const char *partition, const char *offset) {
  return is_number(partition) && strlen(partition) <= 9 && is_number(offset);
}

static bool are_keys(const json_t *place, enum cursor_keys keys) {
  struct uuid uuid;
  const char *first = text_at(place, 2), *second = text_at(place, 3);
  if (keys == CURSOR_UUID) return json_array_size(place) == 3 && first && uuid_parse(first, &uuid);
  if (json_array_size(place) != 4 || !first || !second) return false;
  if (keys == CURSOR_PLACE) return cursor_is_place(first, second);
  return !utf8_has_control(first) && !utf8_has_control(second);
}

bool cursor_decode(const char *list, enum cursor_keys keys, const char *text, struct cursor *out) {
  *out = (struct cursor){0};
  size_t len = strlen(text);
  AUTO_FREE char *decoded = len <= CURSOR_TEXT_MAX ? base64_read(BASE64_URL, text, len, &len) : NULL;
  AUTO_JSON *place = decoded ? json_parse(decoded, len, NULL) : NULL;
  const char *name = text_at(place, 0), *at = text_at(place, 1);
  if (!name || !at || strcmp(name, list) != 0 || !clock_parse_time(at, 0, &out->at_ms)) return false;
  if (!are_keys(place, keys)) return false;
  out->at = mem_strdup(at);
  out->keys[0] = mem_strdup(text_at(place, 2));
  out->keys[1] = mem_strdup_or_null(text_at(place, 3));
  return true;
}

void cursor_fini(struct cursor *cursor) {
  free(cursor->at);
  free(cursor->keys[0]);
  free(cursor->keys[1]);
  *cursor = (struct cursor){0};
}
