// SPDX-License-Identifier: MIT
// The first of a list of faults, for tests that expect one.
#pragma once
#include "common/base/faults.h"

// Moves the first fault's text to `err` ("" when there is none) and empties the list.
static inline void faults_first(struct faults *faults, struct err *err) {
  err_set(err, "%s", faults->n ? faults->list[0].text : "");
  faults_fini(faults);
}
