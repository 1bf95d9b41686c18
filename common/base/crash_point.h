// SPDX-License-Identifier: MIT
// Places at which a test ends this process, or freezes it: CRASH_POINT("before_postgres_commit"). Only in
// builds with the tests (DOCHAK_TESTS); in all others there is nothing.
//   CRASH_AT=NAME          SIGKILL when it gets there
//   CRASH_AT=NAME:3        … for the third time
//   CRASH_AT=NAME:3:stop   SIGSTOP instead
// Thread: any.
#pragma once

#ifdef DOCHAK_CRASH_POINTS
void crash_point(const char *name);
#define CRASH_POINT(name) crash_point(name)
#else
#define CRASH_POINT(name) ((void)0)
#endif
