// SPDX-License-Identifier: MIT
#include "common/provider/framing_beside.h"

#include "common/base/mem.h"
#include <stdlib.h>
#include <string.h>

// `value` is taken over. The objects on the way are made; a list stands there only with all that is in it.
static void set_at(json_t *root, const struct json_pointer *place, json_t *value) {
  json_t *at = root;
  for (size_t i = 0; i + 1 < place->n_parts && json_is_object(at); i++) {
    json_t *next = json_object_get(at, place->parts[i]);
    if (!next) json_object_set_new(at, place->parts[i], next = json_object());
    at = next;
  }
  if (json_is_object(at))
    json_object_set_new(at, place->parts[place->n_parts - 1], value);
  else
    json_decref(value);
}

// New; NULL: nothing stands there that is JSON.
static json_t *read_value(const struct provider_beside *beside, struct json_span in,
                          const struct framing_head *head) {
  struct json_span span;
  if (beside->source == PROVIDER_HEADER) {
    const char *text = head ? head->header(head->request, beside->place.parts[0]) : NULL;
    return text ? json_string(text) : NULL; // NULL, too, if it is not UTF-8
  }
  if (json_span_at(in, &beside->place, &span) != JSON_FOUND) return NULL;
  return json_parse(span.from, (size_t)(span.to - span.from), NULL);
}

char *framing_beside(const struct provider *provider, enum provider_source source, struct json_span in,
                     const struct framing_head *head) {
  AUTO_JSON *all = NULL;
  for (size_t i = 0; i < provider->n_beside; i++) {
    const struct provider_beside *beside = &provider->beside[i];
    if (beside->source != source) continue;
    if (!all) all = json_object();
    json_t *value = read_value(beside, in, head);
    if (value) set_at(all, &beside->place, value);
  }
  if (!all) return NULL;
  AUTO_FREE char *text = json_text(all);
  return mem_printf("\"%s\":%s,", provider_source_name(source), text);
}

static bool is_empty_object(struct json_span object) {
  const char *end = object.to - 1; // its brackets are left out
  return json_skip_space(object.from + 1, end) == end;
}

char *framing_join(char *const members[PROVIDER_SOURCES], struct json_span element, size_t *len) {
  static const char as_member[] = "\"" PROVIDER_ELEMENT "\":";
  size_t element_len = (size_t)(element.to - element.from), room = element_len + sizeof as_member + 2;
  for (size_t i = 0; i < PROVIDER_SOURCES; i++) room += members[i] ? strlen(members[i]) : 0;
  char *text = mem_alloc(room), *to = stpcpy(text, "{");
  for (size_t i = 0; i < PROVIDER_SOURCES; i++) to = stpcpy(to, mem_or_empty(members[i]));
  if (*element.from == '{') {
    if (to[-1] == ',' && is_empty_object(element)) to--;
    to = mempcpy(to, element.from + 1, element_len - 1);
  } else {
    to = mempcpy(stpcpy(to, as_member), element.from, element_len);
    *to++ = '}';
  }
  *len = (size_t)(to - text);
  return text;
}
