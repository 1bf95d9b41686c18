// SPDX-License-Identifier: MIT
// A provider is a file: schemas/providers/<name>.json, checked against provider.schema.json and read by both
// services: ingress reads an element's kind and id and makes the ack, the processor reads its meaning.
// Immutable after loading. Thread: any.
#pragma once
#include "common/base/err.h"
#include "common/base/faults.h"
#include "common/json/json.h"
#include <stdint.h>

enum provider_kind { PROVIDER_RECEIPT, PROVIDER_CONTACT, PROVIDER_OTHER };

// OUTCOME_ON_ITS_WAY is no result: nothing follows from it, and a result is still due.
enum provider_outcome {
  OUTCOME_DELIVERED,
  OUTCOME_FAILED,
  OUTCOME_ACCOUNT_FAULT,
  OUTCOME_UNCONFIRMED,
  OUTCOME_ON_ITS_WAY,
};
const char *provider_outcome_name(enum provider_outcome outcome); // "delivered" …

// Bytes of a notification id; a longer one is not understood. An id of several parts is joined by '/', with ~
// as ~0 and / as ~1 within a part (RFC 6901), so that two lists of parts never give one id. A part that is
// the recipient is its personal_tag().
enum { PROVIDER_ID_MAX = 255, PROVIDER_ID_SIZE = PROVIDER_ID_MAX + 1 };
// A notification id has 1 to PROVIDER_ID_MAX bytes of UTF-8 and no control characters. False with the fault.
MUST_CHECK bool provider_id_check(const char *id, struct err *err);

struct provider;
struct providers;

// All *.json of the folder, or those built in if dir is "". NULL with every error as "file: pointer: rule";
// adds a warning for each probable mistake.
MUST_CHECK struct providers *providers_load(const char *dir, struct faults *faults);
// This one file, to try it: the files that its suffixes name are not looked for.
MUST_CHECK struct providers *providers_load_one(const char *file, struct faults *faults);
void providers_free(struct providers *providers);
const struct provider *providers_find(const struct providers *providers, const char *name); // NULL: none such
size_t providers_count(const struct providers *providers);
const struct provider *providers_at(const struct providers *providers, size_t i); // i < providers_count()
char *providers_names(const struct providers *providers); // "bizgo, blux", for messages. New string.
// Loads one document. NULL with every error; adds the warnings.
MUST_CHECK struct provider *provider_new(const json_t *document, struct faults *faults);
void provider_free(struct provider *provider);

const char *provider_name(const struct provider *provider);
// The time in which a request's events must be durable. DOCHAK_ACK_BUDGET_MS limits it.
int64_t provider_budget_ms(const struct provider *provider);
// The time after which the provider gives up waiting for the answer, from the connection on; from the end of
// the head, if the connection has had a request before.
int64_t provider_deadline_ms(const struct provider *provider);
// Whether its webhooks come with this HTTP method. Those that come by GET have a query in place of a body.
bool provider_takes(const struct provider *provider, const char *method);
// The provider does not sign these calls.
bool provider_is_unsigned(const struct provider *provider);
// Levels of arrays inside each other that a file's `elements` can have.
enum { PROVIDER_LEVELS_MAX = 4 };

// The name, in lower case, of the nth header of a request that the file reads, from 0; NULL: there are fewer.
const char *provider_header(const struct provider *provider, size_t nth);

// A path that the provider appends to the registered URL, such as BizGo's /cstalk/message. The provider file
// of such a call is `provider`.
struct provider_suffix {
  const char *text; // as the file has it, "/cstalk/*": * is one part of a path
  const struct provider *provider;
};
// The i-th, from 0; NULL: there are fewer.
const struct provider_suffix *provider_suffix_at(const struct provider *provider, size_t i);
// The suffix that `path` ends with, and in *len the length of `path` without it; one trailing slash is
// ignored. NULL: none.
const struct provider_suffix *provider_suffix_find(const struct provider *provider, const char *path,
                                                   size_t *len);

// A GET with which the provider tries the URL out (provider.schema.json, `challenge`). Borrowed.
struct provider_challenge {
  const char *answer;   // the parameter of the query whose value is the answer
  const char *token;    // the parameter that has to be a secret of the endpoint
  const json_t *equals; // parameter → the value that it has to have; NULL: none
};
// NULL: the provider does not challenge.
const struct provider_challenge *provider_challenge(const struct provider *provider);
// Whether calls with this method are answered with 200 and an empty body.
bool provider_answers_empty(const struct provider *provider, const char *method);

struct provider_answer; // as the file describes it
struct provider_ack {
  int status;
  char *body;   // new: JSON, or text; NULL: empty
  bool is_text; // not JSON
};
// `body` is the request's, of `len` bytes; it need not be JSON. NULL: none. "${/pointer}" in the file's ack
// is replaced by the string or number at that place as it was sent, else by "". If the file expects one
// report as the whole body and gets an array of reports, the first report with such a value counts. `own` is
// the ack of the elements' kind (framing_ack()); NULL: the webhook's.
struct provider_ack provider_ack(const struct provider *provider, const struct provider_answer *own,
                                 const char *body, size_t len);
struct provider_ack provider_refusal(const struct provider *provider, const char *body, size_t len);

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
// Masks the recipient and the file's `masked` places in the element itself, and numbers in the reason, before
// it is stored. Returns whether anything was masked.
bool provider_mask_element(const struct provider *provider, json_t *element);

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

// One recipient of a send API's response. Strings are borrowed from the response, the provider or the
// buffers, or NULL. `id` is NULL only for a refused recipient to which the provider gave no id.
struct provider_acceptance {
  const char *id, *channel, *recipient, *reference, *code;
  const char *reason;
  bool accepted; // false: the send API refused this recipient
  char id_buf[PROVIDER_ID_SIZE];
  char buf[5][24];
};
// Limits of one response: recipients, and the bytes of all narrowed responses.
enum { PROVIDER_RECIPIENTS_MAX = 500, PROVIDER_NARROWED_MAX_BYTES = 4 * 1024 * 1024 };
// Reads a raw send response; *out is a new array of *n ≥ 1. False: no
// shape in the provider file fits, an entry has no id, or a limit is exceeded; the error names the pointer.
MUST_CHECK bool provider_read_acceptance(const struct provider *provider, const json_t *response,
                                         struct provider_acceptance **out, size_t *n, struct err *err);
// The response with only the recipient of list[i]; read again, it gives one equal acceptance. New, but it
// shares parts with the response: change neither.
json_t *provider_narrow(const struct provider *provider, const json_t *response, size_t i);
// Masks the recipients in the response itself, and numbers in the reasons, before it is stored.
void provider_mask_response(const struct provider *provider, json_t *response);

struct provider_expects {
  int64_t receipt_within_s;     // overdue after this
  int64_t expires_after_s;      // given up after this
  int64_t unconfirmed_within_s; // after an "unconfirmed" receipt
  int64_t silent_after_s;       // without any receipt, while some are due
};
struct provider_expects provider_expects(const struct provider *provider);

// After so many calls whose answer was no success, the provider calls no more or blocks the account. 0: no
// such limit is known.
struct provider_blocks {
  int64_t failed_a_day;
  int64_t failed_in_a_row;
};
struct provider_blocks provider_blocks(const struct provider *provider);
// What a result code means, in the file's words, borrowed. NULL: it says nothing on this code.
const char *provider_code_reason(const struct provider *provider, const char *code);
// The same of all codes that it has words for: an object by code, new.
json_t *provider_code_reasons(const struct provider *provider);
// What to look at first in an incident of this kind ("silent" …): an array of texts, borrowed. NULL: the file
// says nothing.
const json_t *provider_check_first(const struct provider *provider, const char *kind);
