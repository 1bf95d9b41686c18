// SPDX-License-Identifier: MIT
// Reads one element of a webhook: its kind and id, and what a receipt or a contact says. Pure: no clock, no
// I/O. The element is not trusted: only ids, codes and reasons of it may reach a message. Not for: cutting a
// body into elements (framing.h), masking (provider_mask.h). Thread: any.
#pragma once
#include "common/provider/provider.h"

struct provider_answer;

// What ingress reads of an element. Borrowed strings live as long as the element (or `buf`).
struct provider_element {
  enum provider_kind kind;
  const char *kind_name;             // the file's own name for it: "receipt", "mo" …
  const struct provider_answer *ack; // of its kind; NULL: the webhook's
  const char *id; // of the notification or contact; NULL only for PROVIDER_OTHER without one
  char id_buf[PROVIDER_ID_SIZE];
};
// False: no kind fits, or a receipt or a contact has no usable id. The error does not quote the element.
MUST_CHECK bool provider_classify(const struct provider *provider, const json_t *element,
                                  struct provider_element *out, struct err *err);

// What the processor reads of a receipt. Strings are borrowed from the element, the provider or the buffers,
// or NULL.
struct provider_receipt {
  const char *id, *channel, *recipient, *reference;
  const char *code;                           // as the file's outcomes have it, if they do
  const struct json_pointer *recipient_place; // of the provider; NULL without a recipient
  enum provider_outcome outcome;
  bool about_recipient; // another recipient would have got the message; only if failed or unconfirmed
  const char *scope;    // whose next messages fail too: "account", "sender", "profile", "template"; NULL: no
                        // account_fault
  char *reason; // new: the provider's text, else the file's for this code; "unknown code 77777…" for an
                // unlisted one
  bool
      known_code; // false: the code is not listed; the kind's `otherwise` says what it means, or it is failed
  int64_t time_ms;                        // the provider's own time; -1: none, or not readable
  const struct json_pointer *unread_time; // of the provider: what stands there cannot be read; NULL: none
  const char *kind_name;                  // the file's own name for it
  const char *dedupe[9]; // values of the dedupe pointers, "" where absent; then the code, unless it stands at
                         // one of them: another outcome is never a repeat
  size_t n_dedupe;
  char *dedupe_text[8]; // new: JSON of those that are neither text nor a whole number, or NULL
  char id_buf[PROVIDER_ID_SIZE];
  char buf[12][24]; // where numbers are written as text: four fields and the dedupe values
};
MUST_CHECK bool provider_read_receipt(const struct provider *provider, const json_t *element,
                                      struct provider_receipt *out, struct err *err);
void provider_receipt_fini(struct provider_receipt *receipt);

enum provider_consent { CONSENT_NOT_SAID, CONSENT_GIVEN, CONSENT_WITHDRAWN };

// What an element says about a contact, a person that the provider knows. Strings are borrowed from the
// element, the provider or the buffers, or NULL.
enum { PROVIDER_CONSENTS_MAX = 8 };
struct provider_contact {
  const char *id;          // the first of the file's places with a value
  const char *provider_id; // the provider's own id of the person
  bool is_deleted;
  const char *phone, *email;
  bool has_version;
  int64_t version;                        // of 64 bits; a larger one is none
  int64_t time_ms;                        // the provider's own time; -1: none, or not readable
  const struct json_pointer *unread_time; // as in struct provider_receipt
  const char *kind_name;
  int64_t seen_ms; // when the provider was asked; -1: it was not asked
  struct {
    const char *name;
    enum provider_consent is;
  } consents[PROVIDER_CONSENTS_MAX];
  size_t n_consents;
  char id_buf[PROVIDER_ID_SIZE];
  char buf[3][24];
};
// False: the element is no contact, has no usable id, or something other than true, false or null at the
// place of a consent.
MUST_CHECK bool provider_read_contact(const struct provider *provider, const json_t *element,
                                      struct provider_contact *out, struct err *err);
