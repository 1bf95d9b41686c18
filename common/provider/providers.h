// SPDX-License-Identifier: MIT
// Loads provider files, and finds one by its name. Not for: what is in a file (provider_load.h). Thread: any,
// once loaded.
#pragma once
#include "common/provider/provider.h"

struct providers;

// All *.json of the folder, or those built in if dir is "". NULL with every error as "file: pointer: rule";
// adds a warning for each probable mistake.
MUST_CHECK struct providers *providers_load(const char *dir, struct faults *faults);
// This one file, to try it: the files that its suffixes name are not looked for.
MUST_CHECK struct providers *providers_load_one(const char *file, struct faults *faults);
void providers_free(struct providers *providers);
const struct provider *providers_find(const struct providers *providers, const char *name); // NULL: none such
size_t providers_count(const struct providers *providers);
const struct provider *providers_at(const struct providers *providers, size_t i); // i < providers_count()
char *providers_names(const struct providers *providers); // "bizgo, blux", for messages. New string.
