// SPDX-License-Identifier: MIT
// The query API: what is known of notifications, incidents, alerts, contacts and counters, as JSON over HTTP,
// behind a bearer key (schemas/openapi-processor.yaml). Only reads, but that a quarantined record may be
// taken in again. Its threads and connections to Postgres are its own, so that a client that is slow, or asks
// for much, costs the workers nothing. Thread: main, for start and stop; civetweb's for the requests.
#pragma once
#include "processor/processor.h"

struct api;

// Whether the keys and the connection string of the settings can be used. For --check, too.
MUST_CHECK bool api_check(const struct settings *settings, struct err *err);
// *out is NULL where there is no DOCHAK_API_KEY.
MUST_CHECK bool api_start(struct processor *processor, struct api **out, struct err *err);
void api_stop(struct api *api); // NULL is none
