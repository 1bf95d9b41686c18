// SPDX-License-Identifier: MIT
// Who really calls, when a proxy stands in between: X-Forwarded-For, believed only as far as trusted proxies
// wrote it. Thread: any.
#pragma once
#include "ingress/sender/verify.h"

// The connection's other end, or, if that is a trusted proxy, the rightmost address of X-Forwarded-For that
// is none (the leftmost when all are). Several headers are one list. An entry may carry a port. False: the
// other end has no address, or an entry is malformed, or the list too long to be anyone's.
MUST_CHECK bool forwarded_client(const struct verify_request *req, struct address *out);
