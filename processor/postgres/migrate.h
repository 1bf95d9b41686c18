// SPDX-License-Identifier: MIT
// Brings the database's schema to where this program needs it, and leaves alone what is there. Safe to run at
// any time, by several at once (advisory lock), beside running processors.
#pragma once
#include "common/base/err.h"

// Applies the migrations that are missing, each in its own transaction (an index before it, while
// others write), then gives the runtime role ("": none) what it needs. Says on stdout what it does, and whom
// it waits for: until stop_request(), if need be.
MUST_CHECK bool migrate_schema(const char *runtime_role, struct err *err);
// Says on stdout which migrations are missing, and changes nothing.
MUST_CHECK bool migrate_show(struct err *err);
