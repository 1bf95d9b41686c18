// SPDX-License-Identifier: MIT
// The answers to a webhook as the file has them: the ack, and the one to a refused sender. Pure: no clock, no
// I/O. Not for: when which is sent (ingress/routes/webhook.c). Thread: any.
#pragma once
#include "common/provider/provider.h"

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
// The nth place of the ack at which the body of `len` bytes has no value, so that "" is sent; `own` as for
// provider_ack(). Borrowed; NULL: there are fewer.
const char *provider_ack_missing(const struct provider *provider, const struct provider_answer *own,
                                 const char *body, size_t len, size_t nth);
