// SPDX-License-Identifier: MIT
#include "common/provider/framing_body.h"

#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/ops/form.h"
#include "common/provider/provider_file.h"
#include <stdlib.h>
#include <string.h>

static bool begins_json(struct json_span text) {
  const char *at = json_skip_space(text.from, text.to);
  return at < text.to && (*at == '{' || *at == '[');
}

// The second value of a name makes an array of both.
static void add_value(json_t *object, const struct form_pair *pair, json_t *value) {
  json_t *there = json_object_getn(object, pair->name.bytes, pair->name.len);
  if (json_is_array(there)) {
    json_array_append_new(there, value);
    return;
  }
  if (there) value = json_pack("[O,o]", there, value);
  json_object_setn_new_nocheck(object, pair->name.bytes, pair->name.len, value);
}

static json_t *object_of(const struct form *form, struct err *err) {
  AUTO_JSON *object = json_object();
  for (size_t i = 0; i < form->n; i++) {
    const struct form_pair *pair = &form->pairs[i];
    json_t *value = json_stringn(pair->value.bytes, pair->value.len); // NULL: not UTF-8
    if (!value || !utf8_ok(pair->name.bytes, pair->name.len)) {
      json_decref(value);
      err_set(err, "not a form in UTF-8");
      return NULL;
    }
    add_value(object, pair, value);
  }
  return take(object);
}

static json_t *read_form(struct json_span text, struct err *err) {
  struct form form;
  while (text.to > text.from && (text.to[-1] == '\n' || text.to[-1] == '\r')) text.to--;
  if (!form_parse(&form, text.from, (size_t)(text.to - text.from), FORM_PLUS_IS_SPACE)) {
    err_set(err, "not a form: a %% without two hexadecimal digits, or more than %d names", FORM_PAIRS_MAX);
    return NULL;
  }
  json_t *object = object_of(&form, err);
  form_fini(&form);
  return object;
}

static bool make_of_form(struct json_span *text, char **made, struct err *err) {
  AUTO_JSON *object = read_form(*text, err);
  if (!object) return false;
  AUTO_FREE char *json = json_text(object);
  size_t len = strlen(json);
  if (len > (size_t)(text->to - text->from) + FRAMING_ADDED_MAX_BYTES)
    return err_set(err, "a form that is more than %d bytes longer as JSON", FRAMING_ADDED_MAX_BYTES);
  *text = (struct json_span){json, json + len};
  *made = take(json);
  return true;
}

// The text at this place, if it is a JSON object or array itself: a JSON string. New; NULL: it is not.
static json_t *find_inner(struct json_span text, const struct json_pointer *place, struct json_span *at) {
  if (json_span_at(text, place, at) != JSON_FOUND || *at->from != '"') return NULL;
  AUTO_JSON *string = json_parse(at->from, (size_t)(at->to - at->from), NULL);
  if (!string) return NULL;
  AUTO_JSON *inner = json_parse(json_string_value(string), json_string_length(string), NULL);
  return json_is_object(inner) || json_is_array(inner) ? take(string) : NULL;
}

// Its escapes are gone, so that it is shorter.
static void open_inner(const struct json_pointer *place, struct json_span *text, char **made) {
  struct json_span at;
  AUTO_JSON *inner = find_inner(*text, place, &at);
  if (!inner) return;
  char *opened = mem_alloc((size_t)(text->to - text->from)), *to = opened;
  to = mempcpy(to, text->from, (size_t)(at.from - text->from));
  to = mempcpy(to, json_string_value(inner), json_string_length(inner));
  to = mempcpy(to, at.to, (size_t)(text->to - at.to));
  free(*made);
  *made = opened;
  *text = (struct json_span){opened, to};
}

bool framing_body_make(const struct provider *provider, struct json_span *text, char **made,
                       struct err *err) {
  *made = NULL;
  bool is_form = provider->reads_forms && !begins_json(*text);
  if (is_form && !make_of_form(text, made, err)) return false;
  if (provider->has_json_at) open_inner(&provider->json_at, text, made);
  return true;
}
