// SPDX-License-Identifier: MIT
// Cuts a webhook's body into elements, each with its exact bytes, then parses and classifies each by itself.
// A form, and JSON inside of a text, become JSON first. An element that is not understood, or is not JSON,
// goes to quarantine alone; a body that cannot be cut goes there whole. Nothing is refused here. Pure: no
// network, no clock.
#pragma once
#include "common/provider/provider.h"
#include <stddef.h>
#include <stdint.h>

enum framing_kind { FRAMING_RECEIPT, FRAMING_CONTACT, FRAMING_OTHER, FRAMING_QUARANTINED };
const char *framing_kind_name(enum framing_kind kind);
enum framing_kind framing_kind_of(enum provider_kind kind); // of an element that is understood

struct framing_element {
  enum framing_kind kind;
  const char *bytes; // borrowed from the body, from the text that was made of it, or from `joined`
  size_t len;
  char *joined; // new: the element with what the file reads outside of it; NULL: it reads nothing there
  char *id; // new: the notification's or the contact's; NULL in quarantine, and for an element without one
  const struct provider_answer *ack; // of its kind; NULL: the webhook's
  char *reason;                      // only for quarantine; never quotes the body
  // Where it stands, a step for each level; none: the whole body, since it could not be cut.
  size_t n_steps;
  struct framing_step {
    uint8_t place;   // of the level's places, the one at which something was found
    bool is_in_list; // the `nth` element of an array there
    uint16_t nth;
  } way[PROVIDER_LEVELS_MAX];
};

struct framing {
  struct framing_element *elements;
  size_t n;              // 0: the provider sent an empty array
  struct json_span text; // the body as JSON, as far as it is: what the ack repeats is read from it
  char *made;            // new: this text where it is not the body itself, or NULL
  size_t made_bytes;     // of this text, and of what was added to the elements
};

// The head of the request.
struct framing_head {
  const char *(*header)(const void *request, const char *name); // NULL: it does not occur exactly once
  const void *request;
};

// What is made of a body, or added to an element of it, may be so many bytes longer, since it has to fit into
// a record; and so many bytes in all may be added to the elements of a body.
enum { FRAMING_ADDED_MAX_BYTES = 16384, FRAMING_ALL_ADDED_MAX_BYTES = 1024 * 1024 };
// A body with more elements, or more in the arrays around them, is not cut, since each costs many times its
// size.
enum { FRAMING_ELEMENTS_MAX = 10000 };

// `body` is borrowed until framing_fini(). A UTF-8 byte order mark before its JSON is skipped. Where the file
// says so, the body is a form or a query, unless it is a JSON object or array. `head` NULL: it is not known.
void framing_init(struct framing *out, const struct provider *provider, const char *body, size_t len,
                  const struct framing_head *head);
// The whole body as one element for quarantine.
void framing_init_whole(struct framing *out, const char *body, size_t len, const char *reason);
// Sets the kind, the id, the ack and the reason of an element that has its bytes already; the caller frees id
// and reason.
void framing_read(const struct provider *provider, struct framing_element *element);
// The ack of the kind that all elements are of, for provider_ack(). NULL: that of the webhook.
const struct provider_answer *framing_ack(const struct framing *framing);
// The first element, from 1, that has more than max_bytes and what dochak may add to them. 0: there is none.
size_t framing_too_large(const struct framing *framing, size_t max_bytes);
void framing_fini(struct framing *framing);
// Where the element stands in framing->text, as a JSON Pointer: new. "" is all of it.
char *framing_place(const struct provider *provider, const struct framing_element *element);
