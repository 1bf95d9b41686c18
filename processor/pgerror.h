// SPDX-License-Identifier: MIT
// What a failure of Postgres means for a batch: one table over SQLSTATE (PostgreSQL manual, appendix A).
#pragma once
#include <libpq-fe.h>

enum pg_fault {
  PG_FAULT_WAIT,    // the server, not the data: connect again later and do the same
  PG_FAULT_REFUSED, // the data: some record in the batch is one Postgres will never take
};

// `sqlstate` may be NULL (the connection broke before an answer): PG_FAULT_WAIT. Whatever is not known to be
// about the data waits, since waiting loses nothing.
enum pg_fault pg_fault_of(const char *sqlstate);
