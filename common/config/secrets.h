// SPDX-License-Identifier: MIT
// A few secrets, of which any one may match, so that one can be replaced without a gap: shown by the sender
// as they are, or used as keys that sign. Wiped when freed. Thread: any, once loaded.
#pragma once
#include "common/base/digest.h"
#include "common/base/faults.h"
#include <jansson.h>
#include <stddef.h>

struct secret {
  char *bytes;
  size_t len;
};
struct secrets {
  struct secret *list;
  size_t n;
};

enum secrets_maker {
  SECRETS_OURS,    // made by an operator: 16 or more of A-Z a-z 0-9 . _ ~ -
  SECRETS_PROVIDER // made by a provider: 8 bytes or more without control characters such as a line break
};

// Adds a copy of the text. False with the rule that the text breaks, never the text.
MUST_CHECK bool secrets_add(struct secrets *secrets, enum secrets_maker maker, const char *text, size_t len,
                            struct err *err);

// Replaces what a setting holds by what the sender shows or signs with. `conf` is the check's configuration.
typedef bool secrets_form_fn(struct secret *secret, const json_t *conf, struct err *err);
// Adds the values of settings (settings_secret), brought into their form unless that is NULL. Each fault is
// "/0: NAME: rule".
void secrets_load(struct secrets *secrets, enum secrets_maker maker, const json_t *names,
                  secrets_form_fn *form, const json_t *conf, struct faults *faults);
void secret_take(struct secret *secret, char *bytes, size_t len); // wipes what it held; takes `bytes` over
void secrets_fini(struct secrets *secrets);

// Whether one of them is the text. The time depends on the lengths alone.
MUST_CHECK bool secrets_hold(const struct secrets *secrets, const char *text, size_t len);

enum { SIGNATURES_MAX = 4 }; // endpoints.schema.json allows no more secrets
struct signatures {
  struct digest list[SIGNATURES_MAX];
  size_t n;
};
// Every secret's HMAC. One that cannot be computed is left out.
void secrets_sign(const struct secrets *secrets, enum digest_kind kind, const struct piece *pieces, size_t n,
                  struct signatures *out);
// Whether one of them equals the text: base64, or hex in any case.
enum signature_encoding { SIGNATURE_BASE64 = 1, SIGNATURE_HEX = 2 };
MUST_CHECK bool signatures_hold(const struct signatures *signatures, unsigned encodings, const char *text,
                                size_t len);
