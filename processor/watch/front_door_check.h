// SPDX-License-Identifier: MIT
// One call of our own public URL, on the way of a provider: name, connection, TLS, GET <url>/v1/ping, and
// whether an ingress of ours answered. It takes no proxy of the environment, follows no redirect, reuses no
// connection, and reads 4 KiB of the answer at most. Not for: what follows from it
// (processor/rules/front_door.h). Thread: any.
#pragma once
#include "common/base/err.h"
#include "common/config/settings.h"
#include "processor/rules/front_door.h"
#include <stdatomic.h>

// Whether DOCHAK_PUBLIC_CA can be read and holds a certificate. For --check, too.
MUST_CHECK bool front_door_check_settings(const struct settings *settings, struct err *err);

// Calls DOCHAK_PUBLIC_URL, which is set. Blocks for about 10 s at most. False: a stop was requested
// meanwhile, of the process or by `stopping` (NULL: never), which ends the call within 200 ms; `out` is left
// alone.
MUST_CHECK bool front_door_check(const struct settings *settings, const atomic_bool *stopping,
                                 struct front_door_result *out);
