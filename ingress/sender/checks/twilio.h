// SPDX-License-Identifier: MIT
// What Twilio signs (twilio.com/docs/usage/security, and its libraries' webhooks.ts, request_validator.py).
#pragma once
#include "ingress/sender/checks/form.h"
#include "ingress/sender/checks/keys.h"

// The HMAC-SHA1 of the pieces of a URL, then each name and value of `form`, which is sorted.
void twilio_sign(const struct keys *keys, const struct piece *url, size_t n, const struct form *form,
                 struct keys_signatures *out);
