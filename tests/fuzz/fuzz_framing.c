// SPDX-License-Identifier: MIT
// A webhook's body, cut with the provider files we ship; the first byte says with which. Each element lies in
// the body, behind the one before, and is a receipt with an id, something else, or quarantined for a reason.
#include "common/provider/framing.h"
#include "tests/fuzz/cuts.h"

static const struct provider *provider_by(uint8_t byte) {
  static struct providers *providers;
  if (!providers && !(providers = providers_load("", NULL))) abort();
  return providers_find(providers, byte & 1 ? "blux" : "bizgo");
}

static void look_at(const struct framing *framing, const char *body, size_t len) {
  const char *behind = body;
  for (size_t i = 0; i < framing->n; i++) {
    const struct framing_element *element = &framing->elements[i];
    if (element->bytes < behind || element->bytes + element->len > body + len) abort();
    behind = element->bytes + element->len;
    if ((element->kind == FRAMING_QUARANTINED) != (element->reason != NULL)) abort();
    if (element->kind == FRAMING_RECEIPT && !element->read.id) abort();
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  if (len < 1) return 0;
  const struct provider *provider = provider_by(bytes[0]);
  char *body = exact_copy(bytes + 1, --len);
  struct framing framing;
  framing_init(&framing, provider, body, len);
  if (framing.n > FRAMING_ELEMENTS_MAX) abort();
  if (!framing.document && (framing.n != 1 || framing.elements[0].kind != FRAMING_QUARANTINED)) abort();
  look_at(&framing, body, len);
  free(provider_ack(provider, framing.document).body);
  free(provider_refusal(provider, framing.document).body);
  framing_drop_document(&framing);
  look_at(&framing, body, len);
  framing_fini(&framing);
  free(body);
  return 0;
}
