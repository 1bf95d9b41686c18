// SPDX-License-Identifier: MIT
// The endpoints file (endpoints.schema.json), read once at start: the webhook URLs that ingress serves. An
// endpoint names the provider that calls it and the checks for its senders. The file names secrets; their
// values come from the environment or from files. Not for: how a check works (verify.h). Thread: any, once
// loaded.
#pragma once
#include "common/base/faults.h"
#include "common/config/secrets.h"
#include "common/provider/providers.h"
#include "ingress/sender/network.h"
#include "ingress/sender/verify.h"
#include <stddef.h>

struct endpoint {
  const char *name; // "bizgo/alimtalk": its URL is /webhook/<name>, or /webhook/<name>/<secret>
  char *source;     // "/ingress/<name>"
  const struct provider *provider;
  int64_t body_max_bytes;         // 0: DOCHAK_BODY_MAX_BYTES
  struct secrets path;            // of the URL; may be empty
  struct secrets verify_token;    // of the provider's challenge; may be empty: then each is refused
  struct verify *checks;          // may be empty; never NULL
  const struct networks *trusted; // proxies whose X-Forwarded-For is believed
};

struct endpoints {
  json_t *document; // the names point into it
  struct endpoint *list;
  size_t n;
  struct networks trusted; // of all endpoints
};

// NULL with every fault as "file: pointer: rule": a fault of form, a name twice, two endpoints with a common
// URL, an unknown provider, a secret that is missing or weak, a check that could not run. Adds the warnings
// of endpoints_lint.h. `providers` is borrowed; NULL (it could not be loaded) gives NULL, after the rest of
// the file was checked.
MUST_CHECK struct endpoints *endpoints_load(const char *file, const struct providers *providers,
                                            struct faults *faults);
// Adds the networks of a comma-separated list, DOCHAK_TRUSTED_PROXIES. False: "item": rule.
MUST_CHECK bool endpoints_trust(struct networks *trusted, const char *list, struct err *err);
// Adds an error for each body limit that is too large for the bytes of all bodies (DOCHAK_BODIES_MAX_BYTES).
void endpoints_check_limits(const struct endpoints *endpoints, int64_t bodies_max_bytes,
                            struct faults *faults);
void endpoints_free(struct endpoints *endpoints);

#define ENDPOINTS_BODY_LIMIT  "max_body_bytes of the endpoint"
#define ENDPOINTS_SECRET_PATH "secret_path" // the check of the secret in the URL
enum endpoints_match { ENDPOINTS_NONE, ENDPOINTS_REFUSED, ENDPOINTS_FOUND };
// `path` is the part behind /webhook/ as sent; nothing is decoded, since no name and no secret needs
// encoding. One slash at its end is ignored. *suffix is what the provider appended to the registered URL, or
// NULL. REFUSED: an endpoint's URL with a missing or wrong secret; sets *out and *suffix, too.
enum endpoints_match endpoints_find(const struct endpoints *endpoints, const char *path,
                                    const struct endpoint **out, const struct provider_suffix **suffix);
