// SPDX-License-Identifier: MIT
// What SQLite says nothing about: it plays a write-ahead log back up to the first frame whose checksum is
// wrong and drops the rest, since that is what a power cut leaves of a commit that nobody waited for any
// more. Damage in the middle of a log looks the same to it, and takes commits along that were acknowledged.
#pragma once
#include "common/base/err.h"
#include <stddef.h>

// How many commits of the log at `path` will not be played back although they were acknowledged: those behind
// a wrong frame, unless it is a single one, which cannot be told from one that was cut off. No log is none.
// False: it cannot be read.
MUST_CHECK bool spool_log_lost(const char *path, size_t *commits, struct err *err);
