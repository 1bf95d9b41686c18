// SPDX-License-Identifier: MIT
// A webhook's body, cut with the provider files we ship and with some of the examples; the first byte says
// with which. Each element lies in the body or in what was made of it, behind the one before, and is a
// receipt or a contact with an id, something else, or quarantined for a reason. What a contact says can be
// read, or there is a reason why not.
#include "common/provider/framing.h"
#include "common/provider/provider_answer.h"
#include "common/provider/provider_explain.h"
#include "common/provider/provider_read.h"
#include "common/provider/providers.h"
#include "tests/fuzz/cuts.h"

static const struct provider *shipped(const char *name) {
  static struct providers *providers;
  static struct faults faults;
  if (!providers && !(providers = providers_load("", &faults))) abort();
  return providers_find(providers, name);
}

static const struct provider *example(size_t nth) {
  static const char *const files[] = {"body-as-a-form", "levels", "what-stands-outside-of-an-element",
                                      "headers", "json-in-a-text"};
  static struct providers *loaded[COUNT_OF(files)];
  static struct faults faults;
  AUTO_FREE char *path = mem_printf("%s/examples/provider/valid/%s.json", SCHEMAS_DIR, files[nth]);
  if (!loaded[nth] && !(loaded[nth] = providers_load_one(path, &faults))) abort();
  return providers_at(loaded[nth], 0);
}

static const struct provider *provider_by(uint8_t byte) {
  static const char *const names[] = {"bizgo", "blux", "bizgo", "channeltalk"};
  enum { FIRST_EXAMPLE = 'A', LAST_EXAMPLE = 'E' };
  if (byte >= FIRST_EXAMPLE && byte <= LAST_EXAMPLE) return example(byte - FIRST_EXAMPLE);
  return shipped(names[byte % COUNT_OF(names)]);
}

static void read_contact(const struct provider *provider, const json_t *element, const char *id) {
  struct provider_contact contact;
  struct err err = {0};
  if (!provider_read_contact(provider, element, &contact, &err)) {
    if (!*err.text) abort();
  } else if (strcmp(contact.id, id) != 0) {
    abort();
  }
}

static bool lies_in(const struct framing_element *element, const char *from, const char *to) {
  return element->bytes >= from && element->bytes + element->len <= to;
}

// It lies in the text or in the body, behind the one before. Returns where it ends.
static const char *look_at_bytes(const struct framing *framing, const struct framing_element *element,
                                 const char *behind, const char *body, size_t len) {
  bool in_text = lies_in(element, framing->text.from, framing->text.to);
  if (!in_text && !lies_in(element, body, body + len)) abort();
  if (behind && element->bytes < behind) abort();
  return element->bytes + element->len;
}

// What is understood stands at its place.
static void look_at_place(const struct provider *provider, const struct framing *framing,
                          const struct framing_element *element) {
  struct json_pointer pointer;
  struct json_span span;
  AUTO_FREE char *place = framing_place(provider, element);
  if (element->kind == FRAMING_QUARANTINED) return;
  if (!json_pointer_init(&pointer, place, NULL)) abort();
  if (json_span_at(framing->text, &pointer, &span) != JSON_FOUND) abort();
  if (!element->joined && span.from != element->bytes) abort();
  json_pointer_fini(&pointer);
}

static void look_at(const struct provider *provider, const struct framing *framing, const char *body,
                    size_t len) {
  const char *behind = NULL;
  for (size_t i = 0; i < framing->n; i++) {
    const struct framing_element *element = &framing->elements[i];
    if (!element->joined) behind = look_at_bytes(framing, element, behind, body, len);
    if ((element->kind == FRAMING_QUARANTINED) != (element->reason != NULL)) abort();
    bool has_id = element->kind == FRAMING_RECEIPT || element->kind == FRAMING_CONTACT;
    if (has_id && !element->id) abort();
    look_at_place(provider, framing, element);
    AUTO_JSON *value = json_parse(element->bytes, element->len, NULL);
    if (element->kind != FRAMING_QUARANTINED && !value) abort();
    if (element->kind == FRAMING_CONTACT) read_contact(provider, value, element->id);
  }
}

// What is JSON is cut into as many elements as it says there are.
static void look_whole(const struct provider *provider, const struct framing *framing,
                       const json_t *document) {
  const struct json_pointer *place = provider_level_place(provider, 0, 0);
  if (framing->made || provider_level_place(provider, 1, 0)) return;
  const json_t *elements = document ? json_at(document, place) : NULL;
  size_t n = json_array_size(elements);
  if (json_is_array(elements) && n <= FRAMING_ELEMENTS_MAX && framing->n != n) abort();
}

// Whatever came, the answer is JSON.
static void look_at_answer(struct provider_ack ack) {
  AUTO_JSON *body = ack.body ? json_parse(ack.body, strlen(ack.body), NULL) : NULL;
  if (ack.body && !json_is_object(body)) abort();
  free(ack.body);
}

// The head has each header once.
static const char *header_of(const void *request, const char *name) {
  (void)request;
  return strcmp(name, "x-acme-event-name") == 0 ? "SINGLE-REPORT" : "e\"1";
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  if (len < 1) return 0;
  const struct provider *provider = provider_by(bytes[0]);
  char *body = exact_copy(bytes + 1, --len);
  struct framing framing;
  const struct framing_head head = {header_of, NULL};
  framing_init(&framing, provider, body, len, &head);
  if (framing.n > FRAMING_ELEMENTS_MAX) abort();
  look_at(provider, &framing, body, len);
  AUTO_JSON *document = json_parse(body, len, NULL);
  look_whole(provider, &framing, document);
  look_at_answer(provider_ack(provider, framing_ack(&framing), framing.text.from,
                              (size_t)(framing.text.to - framing.text.from)));
  look_at_answer(provider_refusal(provider, body, len));
  framing_fini(&framing);
  free(body);
  return 0;
}
