// SPDX-License-Identifier: MIT
// Brings the database's schema to where this program needs it, and leaves alone what is there. Safe to run at
// any time, by several at once (advisory lock), beside running processors.
#pragma once
#include "common/base/err.h"
#include "common/config/settings.h"

// Applies the migrations that are missing, each in its own transaction (an index before it, while
// others write), then gives the roles of the settings what they need. Reports on stdout what it does, and
// which sessions it waits for: until stop_request(), if need be. A dry run only reports what is missing.
MUST_CHECK bool migrate_schema(const struct settings *settings, bool dry_run, struct err *err);
