// SPDX-License-Identifier: MIT
// A webhook's body, cut with the provider files we ship; the first byte says with which. Each element lies in
// the body, behind the one before, and is a receipt or a contact with an id, something else, or quarantined
// for a reason. What a contact says can be read, or there is a reason why not.
#include "common/provider/framing.h"
#include "tests/fuzz/cuts.h"

static const struct provider *provider_by(uint8_t byte) {
  static struct providers *providers;
  static struct faults faults;
  if (!providers && !(providers = providers_load("", &faults))) abort();
  static const char *const names[] = {"bizgo", "blux", "bizgo", "channeltalk"};
  return providers_find(providers, names[byte % COUNT_OF(names)]);
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

static void look_at(const struct provider *provider, const struct framing *framing, const char *body,
                    size_t len) {
  const char *behind = body;
  for (size_t i = 0; i < framing->n; i++) {
    const struct framing_element *element = &framing->elements[i];
    if (element->bytes < behind || element->bytes + element->len > body + len) abort();
    behind = element->bytes + element->len;
    if ((element->kind == FRAMING_QUARANTINED) != (element->reason != NULL)) abort();
    bool has_id = element->kind == FRAMING_RECEIPT || element->kind == FRAMING_CONTACT;
    if (has_id && !element->id) abort();
    AUTO_JSON *value = json_parse(element->bytes, element->len, NULL);
    if (element->kind != FRAMING_QUARANTINED && !value) abort();
    if (element->kind == FRAMING_CONTACT) read_contact(provider, value, element->id);
  }
}

// What is JSON is cut into as many elements as it says there are.
static void look_whole(const struct provider *provider, const struct framing *framing,
                       const json_t *document) {
  const json_t *elements = document ? json_at(document, provider_elements(provider)) : NULL;
  size_t n = json_array_size(elements);
  if (json_is_array(elements) && n <= FRAMING_ELEMENTS_MAX && framing->n != n) abort();
}

// Whatever came, the answer is JSON.
static void look_at_answer(struct provider_ack ack) {
  AUTO_JSON *body = ack.body ? json_parse(ack.body, strlen(ack.body), NULL) : NULL;
  if (ack.body && !json_is_object(body)) abort();
  free(ack.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  if (len < 1) return 0;
  const struct provider *provider = provider_by(bytes[0]);
  char *body = exact_copy(bytes + 1, --len);
  struct framing framing;
  framing_init(&framing, provider, body, len);
  if (framing.n > FRAMING_ELEMENTS_MAX) abort();
  look_at(provider, &framing, body, len);
  AUTO_JSON *document = json_parse(body, len, NULL);
  look_whole(provider, &framing, document);
  look_at_answer(provider_ack(provider, body, len));
  look_at_answer(provider_refusal(provider, body, len));
  framing_fini(&framing);
  free(body);
  return 0;
}
