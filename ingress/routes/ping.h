// SPDX-License-Identifier: MIT
// GET /v1/ping: shows that name, TLS and proxy lead to ingress, without a look at what is behind. With
// ?nonce=, 16 to 128 hexadecimal digits, the answer says who answers, by which address it knows the caller
// (forwarded.h; null if it cannot tell), and proves that it has DOCHAK_PING_KEY, if that is given: the
// lower-case hexadecimal HMAC-SHA256 of the nonce as sent. The key signs nothing else, since anyone may ask.
// Thread: the connection's handler thread.
#pragma once
#include "ingress/http/request.h"

struct ingress;

#define PING_PATH "/v1/ping"

bool ping_admit(struct ingress *ingress, struct request *req); // false: it has the reply
