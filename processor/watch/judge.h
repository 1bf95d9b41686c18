// SPDX-License-Identifier: MIT
// Applies the incident rules to what the watch sees (view.h), and writes an event for each incident that
// opens or closes. Pure rules decide (processor/rules/); this only asks them, and tells the story of what
// they found. Thread: one.
#pragma once
#include "processor/rules/front_door.h"
#include "processor/watch/emitter.h"
#include "processor/watch/frontier.h"
#include "processor/watch/silence.h"
#include "processor/watch/view.h"

struct judge {
  struct view *view;
  struct emitter *emitter;
  const struct frontier *frontier; // NULL: no partition is hidden
  PGconn *conn;
  int64_t until_ms;     // all that was received before this time is known
  int64_t led_since_ms; // when this process began to lead, by its own clock
  struct front_door_state door;
  struct front_door_result door_result; // of the last call
  int64_t written;                      // events, since the caller set it to 0
};

// failing by account faults, and silent: to the second.
MUST_CHECK bool judge_providers_now(struct judge *judge, struct err *err);
// Whether any ingress reports: at any time, since without reports no minute is finished. While partitions are
// hidden, only if a report could be seen.
MUST_CHECK bool judge_ingress_now(struct judge *judge, struct err *err);
// After each minute: failing by rate, and slow; refusing, and at_risk.
MUST_CHECK bool judge_providers_minute(struct judge *judge, struct err *err);
MUST_CHECK bool judge_endpoints_minute(struct judge *judge, struct err *err);

// Once an hour: closes the incidents of endpoints, providers and a front door that are not there any more,
// and `refusing` where no call came to be refused for long. `has_door`: the front door is called.
MUST_CHECK bool judge_gone(struct judge *judge, bool has_door, struct err *err);

// unreachable, and the certificate that ends: after each call of the front door.
MUST_CHECK bool judge_front_door(struct judge *judge, const struct front_door_result *result,
                                 struct err *err);

// Opens or closes the incident of an endpoint, if it does not stand as the endpoint does (silence.h). `judge`
// is a struct judge.
MUST_CHECK bool judge_silence(void *judge, const struct silence_found *found, struct err *err);
// Whether messages of the provider were registered within a day.
bool judge_is_registered(void *judge, const char *provider);

// Whether the overdue notifications of this provider should wait, because `silent` may open soon and then
// says it for all of them: no longer than silent_opens_by().
bool judge_may_be_silent(struct judge *judge, const struct view_provider *provider);
