// SPDX-License-Identifier: MIT
// `dochak-processor migrate`: brings the database's schema and the topics to where this program needs them,
// and leaves alone what is there. Safe to run at any time, by several at once (advisory lock), beside running
// processors.
#pragma once
#include "common/base/err.h"
#include "common/config/settings.h"

// Applies the migrations that are missing, each in its own transaction, then gives the runtime role ("":
// none) what it needs. Says on stdout what it does, and whom it waits for: until stop_request(), if need be.
MUST_CHECK bool migrate_schema(const char *runtime_role, struct err *err);
// Creates the topics that are missing. `created` counts them.
MUST_CHECK bool migrate_topics(const struct settings *settings, size_t *created, struct err *err);
