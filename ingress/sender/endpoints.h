// SPDX-License-Identifier: MIT
// The webhook addresses we gave to providers: one JSON file (endpoints.schema.json), read once at start. An
// endpoint is a provider and how its sender is known. Secrets are named there and come from the environment
// or a file. Not for: how a check is done (verify.h).
#pragma once
#include "common/base/err.h"
#include "common/provider/provider.h"
#include "ingress/sender/secrets.h"
#include "ingress/sender/verify.h"
#include <stddef.h>

struct endpoint {
  char *name;   // "bizgo/alimtalk": its URL is /webhook/<name>, or /webhook/<name>/<secret>
  char *source; // "/ingress/<name>"
  const struct provider *provider;
  struct secrets path;   // none: the URL has no secret part
  struct verify *checks; // may hold none; never NULL
};

struct endpoints;

// False with file, pointer and rule: a fault of form, a name twice, two whose URLs could meet, a provider
// that does not exist, a secret that is missing or weak, a check that could not run. Providers are borrowed.
MUST_CHECK struct endpoints *endpoints_load(const char *file, const struct providers *providers,
                                            struct err *err);
void endpoints_free(struct endpoints *endpoints);
size_t endpoints_count(const struct endpoints *endpoints);
size_t endpoints_index(const struct endpoints *endpoints, const struct endpoint *endpoint); // from 0
const struct networks *endpoints_trusted_proxies(const struct endpoints *endpoints);

enum endpoints_match { ENDPOINTS_NONE, ENDPOINTS_REFUSED, ENDPOINTS_FOUND };
// `path` is what follows /webhook/, as sent: nothing is decoded, since no name and no secret needs encoding.
// REFUSED: an endpoint's URL with a missing or wrong secret; *out is set then too. Thread: any.
enum endpoints_match endpoints_find(const struct endpoints *endpoints, const char *path,
                                    const struct endpoint **out);
