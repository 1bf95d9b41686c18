// SPDX-License-Identifier: MIT
// A few secrets, of which any one may match, kept only as digests: a comparison takes the same time for every
// text. Not for: reading secrets (common/config/options.h), and keys that sign (checks/keys.h).
#pragma once
#include "common/base/digest.h"
#include "common/base/err.h"
#include <stddef.h>

enum { SECRET_MIN = 16 };

struct secrets {
  struct digest *digests;
  size_t n;
};

// A secret that an operator makes: 16 or more of A-Z a-z 0-9 . _ ~ - False with the rule that the text
// breaks, never the text.
MUST_CHECK bool secrets_add(struct secrets *secrets, const char *text, size_t len, struct err *err);
// A secret that a provider makes: any text.
MUST_CHECK bool secrets_add_foreign(struct secrets *secrets, const char *text, size_t len, struct err *err);
void secrets_fini(struct secrets *secrets);

// Always false when there are none. Thread: any.
MUST_CHECK bool secrets_hold(const struct secrets *secrets, const char *text, size_t len);
