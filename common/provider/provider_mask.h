// SPDX-License-Identifier: MIT
// Masks what is personal in an element and in a send response, before it is stored. Not for: what a masked
// text looks like (personal.h). Thread: any.
#pragma once
#include "common/provider/provider.h"

// Masks the recipient and the file's `masked` places in the element itself, and numbers in the reason, before
// it is stored. Returns whether anything was masked.
bool provider_mask_element(const struct provider *provider, json_t *element);
// Masks the recipients in the response itself, and numbers in the reasons, before it is stored.
void provider_mask_response(const struct provider *provider, json_t *response);
