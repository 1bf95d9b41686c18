// SPDX-License-Identifier: MIT
// An incident: a fault of a whole provider or endpoint, from when it opens until it closes. Its kinds, and
// the value of the events by which the watch opens and closes it. Pure. Not for: when that happens (the rules
// beside it), or the rows of table `incident` (tables/incident).
#pragma once
#include "common/base/err.h"
#include "common/base/uuid.h"
#include "common/kafka/event.h"
#include "common/provider/provider.h"
#include <stddef.h>

enum incident_kind {
  INCIDENT_FAILING,     // the provider reports that messages fail
  INCIDENT_SILENT,      // the provider reports nothing
  INCIDENT_SLOW,        // its reports come late
  INCIDENT_REFUSING,    // ingress refuses the calls of an endpoint
  INCIDENT_UNREACHABLE, // nothing reaches ingress
  INCIDENT_AT_RISK,     // the provider is about to stop calling an endpoint
  INCIDENT_KIND_COUNT
};

const char *incident_kind_name(enum incident_kind kind); // "failing" …
MUST_CHECK bool incident_kind_parse(const char *name, enum incident_kind *out);
// The type of the event and of the alert: when it opens, and when it closes.
const char *incident_type(enum incident_kind kind, bool opens);

struct incident { // owns its strings
  struct uuid id;
  enum incident_kind kind;
  bool opens;                        // else it closes
  char *provider, *endpoint, *scope; // "": it is not about one
  int64_t since;                     // Unix milliseconds: when the fault began
  // Until when it was judged. An incident does not close if a fault came after that.
  int64_t judged_until;
  int64_t faults; // account faults that it begins with
  int64_t gap_ms; // how long to expect between two of them (failing.h)
  char *details;  // JSON object: what `summary`, `check_first` and the rest say (event.incident.schema.json)
};
void incident_fini(struct incident *incident);
// One that borrows its strings, for as long as they live: it is copied and read, and has no fini.
struct incident incident_key(enum incident_kind kind, const char *provider, const char *endpoint,
                             const char *scope);

// What a person on call needs to know. Borrowed; NULL: nothing to say.
struct incident_story {
  const char *summary;             // one sentence
  const char *cause;               // what else is wrong and explains it
  const char *example;             // a notification id
  const struct provider *provider; // whose file knows what to look at first, or NULL
  const json_t *counts;            // object of whole numbers
  const json_t *codes;             // array of {"code", "reason", "count"}
};
// The details that say so, new text. One that closes leaves nothing to be checked.
char *incident_details(const struct incident *incident, const struct incident_story *story);

// What tells one from another while both are open, as strcmp().
int incident_compare(const struct incident *a, const struct incident *b);
// What it is about: the endpoint, else the provider, else "dochak". Borrowed.
const char *incident_subject(const struct incident *incident);
// The id of an incident of that kind, provider, endpoint and scope that is opened by a judgement of
// `judged_until`. Not of `since`: a fault that comes again may seem to have begun where the last one did.
struct uuid incident_make_id(const struct incident *incident);

// The value of the event, new text; and the way back. False: `err` names the member. *out is zeroed then.
char *incident_format(const struct incident *incident);
MUST_CHECK bool incident_parse(const char *type, const char *value, size_t len, struct incident *out,
                               struct err *err);
