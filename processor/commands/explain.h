// SPDX-License-Identifier: MIT
// The parts of "dochak-processor explain". Ingress's framing and the processor's interpretation do the
// reading; this prints what they find, and which rule of the provider file is behind it. Values of the body
// are shown as they are stored: masked.
#pragma once
#include "common/provider/framing.h"
#include "common/provider/provider_acceptance.h"
#include "processor/rules/interpret.h"

struct ask_form;

struct explain {
  const struct provider *provider;
  struct interpreter interpreter;
  struct framing_head head; // of the webhook
  size_t element_max_bytes;
  int64_t now_ms; // stands for the time of arrival
  // The receipts so far, since the same report counts once.
  struct explain_report {
    struct uuid id;
    size_t nth;
  } * reports;
  size_t n_reports;
};
void explain_fini(struct explain *explain);

// What stands at this JSON Pointer; NULL: nothing. Borrowed.
json_t *explain_at(const json_t *in, const char *place);
// "nothing at /idd; is it /id?", or the value there, as it stands in `masked`. `rule` as for
// explain_nearest(). New string.
char *explain_found(const json_t *in, const json_t *masked, const char *place, const char *rule);
// A line below an element: a name and what it is. What the text contains of the body is made safe for a
// terminal.
void explain_line(const char *name, const char *fmt, ...) PRINTF_LIKE(2, 3);
// One element, the `nth` from 1, which stands at `place` of the body; `text` is its JSON. False: something in
// it is not understood.
bool explain_element(struct explain *explain, size_t nth, const char *place,
                     const struct framing_element *element, struct json_span text);
// A body that the framing could not cut, for the reason `why`. `document` NULL: it is not JSON. `text` is the
// body.
void explain_uncut(const struct explain *explain, const json_t *document, const char *text, const char *why);
// What the answer to the body, a NUL behind it, would repeat and does not find. `own` as for provider_ack().
void explain_answer(const struct explain *explain, const struct provider_answer *own, const char *body);
// One recipient of a send answer: list[i], with i from 0, as provider_read_acceptance() read it.
bool explain_acceptance(struct explain *explain, const json_t *response,
                        const struct provider_acceptance *list, size_t i);
// What the provider answered to the question `form` of `ask` about an id. False: it says nothing about this
// id, or something of it is not understood.
bool explain_answered(struct explain *explain, const struct ask_form *form, const char *id, int status,
                      const char *body, size_t len);
// A send answer that provider_read_acceptance() does not understand, for the reason `why`.
void explain_no_acceptance(const struct explain *explain, const json_t *response, const char *why);
