// SPDX-License-Identifier: MIT
// Warns of what a provider file says and was hardly meant to say. Not for: what is ill-formed
// (provider.schema.json), which is an error.
#pragma once
#include "common/base/faults.h"
#include <jansson.h>

// `document` is of the schema's form. Adds warnings as "<pointer>: <what is odd>".
void provider_lint(const json_t *document, struct faults *faults);
