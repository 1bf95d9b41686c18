// SPDX-License-Identifier: MIT
// A provider is a file: schemas/providers/<name>.json, which both services read. Here is what a loaded file
// says about its provider. It never changes. Not for: loading (providers.h), reading an element
// (provider_read.h) or a send response (provider_acceptance.h), answering (provider_answer.h), asking
// (provider_ask.h). Thread: any.
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
