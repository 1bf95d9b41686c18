// SPDX-License-Identifier: MIT
// A few secrets of which any one is right, kept only as digests: a comparison takes the same time whatever is
// given and wherever it differs. Not for: where secrets come from, and keys that sign (checks/keys.h).
#pragma once
#include "common/base/digest.h"
#include "common/base/err.h"
#include <stddef.h>

enum { SECRET_MIN = 16 };

struct secrets {
  struct digest *digests;
  size_t n;
};

// A secret of our own making. False with the rule that the text breaks, never the text: 16 or more of A-Z a-z
// 0-9 . _ ~ -
MUST_CHECK bool secrets_add(struct secrets *secrets, const char *text, size_t len, struct err *err);
// One that the provider shaped: any text.
MUST_CHECK bool secrets_add_foreign(struct secrets *secrets, const char *text, size_t len, struct err *err);
void secrets_fini(struct secrets *secrets);

// Always false when there are none. Thread: any.
MUST_CHECK bool secrets_hold(const struct secrets *secrets, const char *text, size_t len);
