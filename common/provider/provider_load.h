// SPDX-License-Identifier: MIT
// Makes a provider of a document: checks it against provider.schema.json and compiles it. The schema alone
// decides what is an error, so an editor that uses it reports the same errors. Not for: files (providers.h).
// Thread: any.
#pragma once
#include "common/provider/provider.h"

// NULL with every error; adds a warning for each probable mistake.
MUST_CHECK struct provider *provider_new(const json_t *document, struct faults *faults);
void provider_free(struct provider *provider);
