// SPDX-License-Identifier: MIT
// Warns of probable mistakes in a provider file. Not for: errors, which provider.schema.json finds.
#pragma once
#include "common/base/faults.h"
#include <jansson.h>

// `document` is of the schema's form. Adds warnings as "<pointer>: <what is odd>".
void provider_lint(const json_t *document, struct faults *faults);
