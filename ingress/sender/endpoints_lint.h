// SPDX-License-Identifier: MIT
// Finds what an endpoints file says and was hardly meant to say: a sender that is not checked, a check that
// lets everyone pass, a secret used twice, a secret that no endpoint names. Not for: what is ill-formed
// (endpoints.schema.json) or cannot work (endpoints.h).
#pragma once
#include "common/base/faults.h"
#include <jansson.h>

// `document` is of the schema's form. Adds "<pointer>: <what is odd>": an error where a check would be void,
// else a warning.
void endpoints_lint(const json_t *document, struct faults *faults);
