// SPDX-License-Identifier: MIT
#include "common/provider/framing.h"

#include "common/base/mem.h"
#include "common/json/json.h"
#include "common/provider/framing_body.h"
#include <stdlib.h>

const char *framing_kind_name(enum framing_kind kind) {
  static const char *const names[] = {[FRAMING_RECEIPT] = "receipt",
                                      [FRAMING_CONTACT] = "contact",
                                      [FRAMING_OTHER] = "other",
                                      [FRAMING_QUARANTINED] = "quarantined"};
  return names[kind];
}

enum framing_kind framing_kind_of(enum provider_kind kind) {
  static const enum framing_kind kinds[] = {[PROVIDER_RECEIPT] = FRAMING_RECEIPT,
                                            [PROVIDER_CONTACT] = FRAMING_CONTACT,
                                            [PROVIDER_OTHER] = FRAMING_OTHER};
  return kinds[kind];
}

// The text of the elements: an array, or a single one.
struct cut {
  struct json_span text;
  size_t n;
  bool array;
};

// The body cannot be cut: it is not JSON, or it has no elements.
static bool err_uncut(struct err *err, const struct provider *provider, struct json_span body) {
  AUTO_JSON *document = json_parse(body.from, (size_t)(body.to - body.from), err);
  if (!document) return false;
  return err_set(err, "provider %s: expected an object or an array at \"%s\"", provider_name(provider),
                 provider_elements(provider)->text);
}

// The text around the elements needs to be JSON only as far as it takes to find them.
static bool find_elements(const struct provider *provider, struct json_span body, struct cut *cut,
                          struct err *err) {
  if (json_span_at(body, provider_elements(provider), &cut->text) != JSON_FOUND)
    return err_uncut(err, provider, body);
  cut->array = *cut->text.from == '[';
  cut->n = 1;
  if (cut->array ? !json_span_count(cut->text, &cut->n) : *cut->text.from != '{')
    return err_uncut(err, provider, body);
  return cut->n <= FRAMING_ELEMENTS_MAX ||
         err_set(err, "more than %d elements in one body", FRAMING_ELEMENTS_MAX);
}

static void quarantine(struct framing_element *element, const char *reason) {
  element->kind = FRAMING_QUARANTINED;
  element->reason = mem_strdup(reason);
}

// Only the id is kept, since a parsed element is many times larger than its text.
static void judge_element(const struct provider *provider, struct framing_element *element) {
  struct provider_element read;
  struct err err;
  AUTO_JSON *value = json_parse(element->bytes, element->len, &err);
  if (!value) {
    quarantine(element, err.text);
  } else if (!provider_classify(provider, value, &read, &err)) {
    err_prefix(&err, "provider %s: ", provider_name(provider));
    quarantine(element, err.text);
  } else {
    element->kind = framing_kind_of(read.kind);
    element->id = mem_strdup_or_null(read.id);
  }
}

static void read_element(const struct provider *provider, struct framing_element *element) {
  enum { BLOCK_BYTES = 8192 }; // enough for a report; a handler's stack has 100 KiB
  _Alignas(16) char bytes[BLOCK_BYTES];
  json_block_begin(bytes, sizeof bytes);
  judge_element(provider, element);
  json_block_end();
}

static void cut_elements(const struct provider *provider, const struct cut *cut, struct framing *out) {
  out->elements = mem_array(cut->n, sizeof *out->elements);
  struct json_span text = cut->text;
  const char *cursor = NULL;
  while (out->n < cut->n) {
    if (cut->array && !json_span_next(cut->text, &cursor, &text)) break;
    struct framing_element *element = &out->elements[out->n];
    element->bytes = text.from;
    element->len = (size_t)(text.to - text.from);
    element->is_in_list = cut->array;
    element->nth = (uint16_t)out->n++;
    read_element(provider, element);
  }
}

static void keep_whole(struct framing *out, const char *body, size_t len, const char *reason) {
  out->elements = mem_alloc(sizeof *out->elements);
  out->n = 1;
  out->elements[0] = (struct framing_element){.kind = FRAMING_QUARANTINED,
                                              .bytes = body ? body : "",
                                              .len = len,
                                              .reason = mem_strdup(reason),
                                              .is_whole = true};
}

void framing_init_whole(struct framing *out, const char *body, size_t len, const char *reason) {
  *out = (struct framing){.text = json_without_mark(body ? body : "", len)};
  keep_whole(out, body, len, reason);
}

// Quarantine keeps what was sent, with the text around the report.
static void keep_as_sent(struct framing_element *only, const char *body, size_t len) {
  only->bytes = body;
  only->len = len;
}

void framing_init(struct framing *out, const struct provider *provider, const char *body, size_t len) {
  struct err err;
  struct cut cut = {0};
  *out = (struct framing){.text = json_without_mark(body ? body : "", len)};
  if (len == 0) {
    keep_whole(out, body, len, "the body is empty");
  } else if (!framing_body_make(provider, &out->text, &out->made, &err) ||
             !find_elements(provider, out->text, &cut, &err)) {
    keep_whole(out, body, len, err.text);
  } else {
    cut_elements(provider, &cut, out);
    bool is_body = !cut.array && provider_elements(provider)->n_parts == 0;
    if (is_body && out->elements->kind == FRAMING_QUARANTINED) keep_as_sent(out->elements, body, len);
  }
}

void framing_fini(struct framing *framing) {
  for (size_t i = 0; i < framing->n; i++) {
    free(framing->elements[i].reason);
    free(framing->elements[i].id);
  }
  free(framing->elements);
  free(framing->made);
  *framing = (struct framing){0};
}

char *framing_place(const struct provider *provider, const struct framing_element *element) {
  if (element->is_whole) return mem_strdup("");
  const char *list = provider_elements(provider)->text;
  return element->is_in_list ? mem_printf("%s/%u", list, (unsigned)element->nth) : mem_strdup(list);
}
