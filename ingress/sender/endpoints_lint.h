// SPDX-License-Identifier: MIT
// Finds likely mistakes in a valid endpoints file: an endpoint without secret and checks, a check that every
// sender passes, a secret that is used twice. Not for: the file's form (endpoints.schema.json), and what
// cannot work (endpoints.h).
#pragma once
#include "common/base/faults.h"
#include <jansson.h>

// `document` has passed the schema. Adds "<pointer>: <mistake>" as warnings; as an error where every sender
// could choose its own address.
void endpoints_lint(const json_t *document, struct faults *faults);
