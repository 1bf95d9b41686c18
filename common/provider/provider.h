// SPDX-License-Identifier: MIT
// A provider is a file: schemas/providers/<name>.json, checked against provider.schema.json and read by both
// services. ingress asks it what kind an element is, its id and the ack; the processor asks what it means.
// Everything here is immutable after loading. Thread: any.
#pragma once
#include "common/base/err.h"
#include "common/base/faults.h"
#include "common/json/json.h"
#include <stdint.h>

enum provider_kind { PROVIDER_RECEIPT, PROVIDER_OTHER };

enum provider_outcome { OUTCOME_DELIVERED, OUTCOME_FAILED, OUTCOME_ACCOUNT_FAULT, OUTCOME_UNCONFIRMED };
const char *provider_outcome_name(enum provider_outcome outcome); // "delivered" …

enum { PROVIDER_ID_MAX = 255 }; // bytes of a notification id; a longer one is not understood
// Whether it can be a notification id: 1 to PROVIDER_ID_MAX bytes of UTF-8, no control characters. False with
// the fault. For ids that a caller gives outright.
MUST_CHECK bool provider_id_check(const char *id, struct err *err);

struct provider;
struct providers;

// All *.json of the folder, or those built in when dir is "". NULL with every error as "file: pointer: rule";
// adds the warnings of provider_lint.h.
MUST_CHECK struct providers *providers_load(const char *dir, struct faults *faults);
void providers_free(struct providers *providers);
const struct provider *providers_find(const struct providers *providers, const char *name); // NULL: none such
char *providers_names(const struct providers *providers); // "bizgo, blux", for messages. New string.
// Loads one document, for tests and --check. `file` is for messages.
MUST_CHECK struct provider *provider_new(const json_t *document, const char *file, struct err *err);
void provider_free(struct provider *provider);

const char *provider_name(const struct provider *provider);
int64_t provider_budget_ms(
    const struct provider *provider); // for making durable what it has sent, ours at most
int64_t provider_deadline_ms(
    const struct provider *provider); // from its first byte to the end of its patience
const struct json_pointer *provider_elements(
    const struct provider *provider); // array or single element of a body

// A path that the provider appends to the registered URL, such as BizGo's /cstalk/message. Such a call is of
// another provider file: `provider` says how it is cut, what it means and how it is answered.
struct provider_suffix {
  const char *text; // as the file has it, "/cstalk/*": * is one part of a path
  const struct provider *provider;
};
// The suffix that `path` ends with, and in *len the length of `path` without it. One slash behind it is
// ignored. NULL: it ends with none.
const struct provider_suffix *provider_suffix_find(const struct provider *provider, const char *path,
                                                   size_t *len);

struct provider_ack {
  int status;
  char *body; // new, JSON; NULL: empty
};
// `body` is the request's, of `len` bytes, and need not be JSON; NULL: none. "${/pointer}" in the file's ack
// is replaced by the string or number that stands there, as it was sent, and by "" where there is none. Of an
// array of reports, where the file knows a report as the whole body, the first that has one counts.
struct provider_ack provider_ack(const struct provider *provider, const char *body, size_t len);
struct provider_ack provider_refusal(const struct provider *provider, const char *body, size_t len);

// What ingress needs: kind, and the key. Borrowed strings live as long as the element (or `buf`).
struct provider_element {
  enum provider_kind kind;
  const char *kind_name; // the file's own name for it: "receipt", "mo" …
  const char *id;        // notification id; NULL only for PROVIDER_OTHER without one
  char id_buf[24];
};
// False: no kind fits, or it has no usable id; the reason says which, without quoting the element.
MUST_CHECK bool provider_classify(const struct provider *provider, const json_t *element,
                                  struct provider_element *out, struct err *err);

// What the processor needs of a receipt. Strings are borrowed from the element, the provider or the buffers,
// or NULL.
struct provider_receipt {
  const char *id, *channel, *code, *recipient, *reference;
  enum provider_outcome outcome;
  char *reason;    // new: the provider's text, else the file's for this code; "unknown code 77777…" for an
                   // unlisted one
  bool known_code; // false: the code is in no table
  int64_t time_ms; // the provider's own time; -1: none, or not readable
  const char *dedupe[8]; // values of the dedupe pointers, "" where absent
  size_t n_dedupe;
  char buf[13][24]; // where numbers are written as text: five fields and the dedupe values
};
MUST_CHECK bool provider_read_receipt(const struct provider *provider, const json_t *element,
                                      struct provider_receipt *out, struct err *err);
void provider_receipt_fini(struct provider_receipt *receipt);
// Masks the recipient in the element itself, wherever the file says it stands, and numbers in the reason. For
// what is stored. Returns whether there was anything to mask.
bool provider_mask_element(const struct provider *provider, json_t *element);

// What a send API answered, one per recipient. Strings are borrowed from the response, the provider or the
// buffers, or NULL. `id` is NULL only where the recipient was refused and given none: there is nothing to
// track.
struct provider_acceptance {
  const char *id, *channel, *recipient, *reference, *code;
  const char *reason;
  bool accepted; // false: the send API refused this recipient
  char buf[6][24];
};
// What one response may hold: recipients, and bytes once each of several has a response of its own.
enum { PROVIDER_RECIPIENTS_MAX = 500, PROVIDER_NARROWED_MAX_BYTES = 4 * 1024 * 1024 };
// Reads a raw send response; *out is a new array of *n ≥ 1, freed with provider_acceptances_free(). False: no
// shape in the provider file fits, an entry has no id, or it holds too much; the reason says the pointer.
MUST_CHECK bool provider_read_acceptance(const struct provider *provider, const json_t *response,
                                         struct provider_acceptance **out, size_t *n, struct err *err);
void provider_acceptances_free(struct provider_acceptance *list, size_t n);
// The response with only the recipient of list[i] in it; read again, it gives exactly one, equal. New, but
// its parts are the response's own: neither is to be changed.
json_t *provider_narrow(const struct provider *provider, const json_t *response, size_t i);

struct provider_expects {
  int64_t receipt_within_s;     // overdue after this
  int64_t expires_after_s;      // given up after this
  int64_t unconfirmed_within_s; // how much later a receipt may still come once it was "unconfirmed"
};
struct provider_expects provider_expects(const struct provider *provider);
