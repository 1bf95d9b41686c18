// SPDX-License-Identifier: MIT
// Cuts a webhook's body into elements, each with its exact bytes, and says what each is. Pure: no network, no
// clock. Nothing is refused here: what cannot be understood becomes an element for quarantine, and costs its
// neighbours nothing.
#pragma once
#include "common/provider/provider.h"
#include <stddef.h>

enum framing_kind { FRAMING_RECEIPT, FRAMING_OTHER, FRAMING_QUARANTINED };
const char *framing_kind_name(enum framing_kind kind);

struct framing_element {
  enum framing_kind kind;
  const char *bytes; // borrowed from the body
  size_t len;
  struct provider_element read; // not for quarantine
  char *reason;                 // only for quarantine; never quotes the body
  char *own_id;                 // after framing_drop_document(): what read.id points to, or NULL
};

struct framing {
  json_t *document; // NULL when the body is no JSON
  struct framing_element *elements;
  size_t n; // 0: the provider sent an empty array
};

// More elements than this in one body are not cut: each costs many times its size.
enum { FRAMING_ELEMENTS_MAX = 10000 };

// `body` is borrowed until framing_fini().
void framing_init(struct framing *out, const struct provider *provider, const char *body, size_t len);
// The whole body as one element for quarantine.
void framing_init_whole(struct framing *out, const char *body, size_t len, const char *reason);
// The elements keep what they need of the document, which is many times larger than its text, as their own.
void framing_drop_document(struct framing *framing);
void framing_fini(struct framing *framing);
