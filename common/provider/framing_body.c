// SPDX-License-Identifier: MIT
#include "common/provider/framing_body.h"

#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/ops/form.h"
#include "common/provider/provider_file.h"
#include <string.h>

static bool begins_json(struct json_span text) {
  const char *at = text.from;
  while (at < text.to && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n')) at++;
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

bool framing_body_make(const struct provider *provider, struct json_span *text, char **made,
                       struct err *err) {
  *made = NULL;
  if (!provider->reads_forms || begins_json(*text)) return true;
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
