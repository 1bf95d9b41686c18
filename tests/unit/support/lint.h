// SPDX-License-Identifier: MIT
// What a lint finds in a document.
#pragma once
#include "common/base/faults.h"
#include "common/base/mem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct lint_row {
  const char *document;
  const char *fault; // the first one, or its beginning where it ends in "*". NULL: nothing is odd
};

static inline void lint_assert(const struct lint_row *row, const struct faults *faults) {
  const char *expected = row->fault ? row->fault : "nothing";
  AUTO_FREE char *got =
      faults->n ? mem_printf("%s%s", faults->list[0].is_warning ? "warning: " : "", faults->list[0].text)
                : mem_strdup("nothing");
  size_t len = strcspn(expected, "*");
  if (strncmp(got, expected, len) != 0 || (!expected[len] && got[len]))
    fail_msg("%s: expected %s, got %s", row->document, expected, got);
}
