// SPDX-License-Identifier: MIT
#include "common/base/crash_point.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

void crash_point(const char *name) {
  static atomic_long times;
  const char *where = getenv("CRASH_AT");
  size_t len = strlen(name);
  if (!where || strncmp(where, name, len) != 0 || (where[len] && where[len] != ':')) return;
  char *rest = NULL;
  long wanted = where[len] ? strtol(where + len + 1, &rest, 10) : 1;
  if (atomic_fetch_add(&times, 1) + 1 == wanted)
    raise(rest && strcmp(rest, ":stop") == 0 ? SIGSTOP : SIGKILL);
}
