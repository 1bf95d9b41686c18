// SPDX-License-Identifier: MIT
#include "common/provider/framing.h"

#include "common/base/mem.h"
#include "common/json/json.h"
#include <stdlib.h>

const char *framing_kind_name(enum framing_kind kind) {
  static const char *const names[] = {
      [FRAMING_RECEIPT] = "receipt", [FRAMING_OTHER] = "other", [FRAMING_QUARANTINED] = "quarantined"};
  return names[kind];
}

// The whole of an array or object's text, and how many elements stand in it.
struct cut {
  const char *text;
  size_t len, n;
  bool array;
};

static bool find_elements(const struct provider *provider, const json_t *document, const char *body,
                          size_t len, struct cut *cut, struct err *err) {
  const struct json_pointer *pointer = provider_elements(provider);
  const json_t *value = json_at(document, pointer);
  if (!json_is_array(value) && !json_is_object(value))
    return err_set(err, "provider %s: expected an object or an array at \"%s\"", provider_name(provider),
                   pointer->text);
  size_t start;
  if (!json_span_at(body, len, pointer, &start, &cut->len))
    return err_set(err, "the value at \"%s\" could not be cut out", pointer->text);
  cut->text = body + start;
  cut->array = json_is_array(value);
  cut->n = cut->array ? json_array_size(value) : 1;
  if (cut->n > FRAMING_ELEMENTS_MAX)
    return err_set(err, "more than %d elements in one body", FRAMING_ELEMENTS_MAX);
  return true;
}

static void read_element(const struct provider *provider, const json_t *value, struct framing_element *out) {
  struct err err;
  if (!provider_classify(provider, value, &out->read, &err)) {
    err_prefix(&err, "provider %s: ", provider_name(provider));
    out->kind = FRAMING_QUARANTINED;
    out->reason = mem_strdup(err.text);
    return;
  }
  out->kind = out->read.kind == PROVIDER_RECEIPT ? FRAMING_RECEIPT : FRAMING_OTHER;
}

// False when fewer were found than there are: what json_parse() let through always has them all.
static bool cut_elements(const struct provider *provider, const json_t *value, const struct cut *cut,
                         struct framing *out) {
  out->elements = mem_array(cut->n, sizeof *out->elements);
  size_t cursor = 0, start = 0, len = cut->len;
  while (out->n < cut->n) {
    if (cut->array && !json_span_next(cut->text, cut->len, &cursor, &start, &len)) return false;
    struct framing_element *element = &out->elements[out->n];
    element->bytes = cut->text + start;
    element->len = len;
    read_element(provider, cut->array ? json_array_get(value, out->n) : value, element);
    out->n++;
  }
  return true;
}

static void release_elements(struct framing *framing) {
  for (size_t i = 0; i < framing->n; i++) {
    free(framing->elements[i].reason);
    free(framing->elements[i].own_id);
  }
  free(framing->elements);
}

void framing_init_whole(struct framing *out, const char *body, size_t len, const char *reason) {
  *out = (struct framing){.elements = mem_alloc(sizeof *out->elements), .n = 1};
  out->elements[0] = (struct framing_element){
      .kind = FRAMING_QUARANTINED, .bytes = body ? body : "", .len = len, .reason = mem_strdup(reason)};
}

void framing_init(struct framing *out, const struct provider *provider, const char *body, size_t len) {
  struct err err;
  struct cut cut = {0};
  if (len == 0) {
    framing_init_whole(out, body, len, "the body is empty");
    return;
  }
  json_t *document = json_parse(body, len, &err);
  if (!document || !find_elements(provider, document, body, len, &cut, &err)) {
    framing_init_whole(out, body, len, err.text);
  } else {
    *out = (struct framing){0};
    if (!cut_elements(provider, json_at(document, provider_elements(provider)), &cut, out)) {
      release_elements(out);
      framing_init_whole(out, body, len, "the elements of the body could not be cut out");
    }
  }
  out->document = document;
}

void framing_drop_document(struct framing *framing) {
  for (size_t i = 0; i < framing->n; i++) {
    struct framing_element *element = &framing->elements[i];
    element->own_id = mem_strdup_or_null(element->read.id);
    element->read.id = element->own_id;
  }
  json_decref(framing->document);
  framing->document = NULL;
}

void framing_fini(struct framing *framing) {
  release_elements(framing);
  json_decref(framing->document);
  *framing = (struct framing){0};
}
