// SPDX-License-Identifier: MIT
// The address of the sender behind proxies. X-Forwarded-For is believed only as far as trusted proxies wrote
// it. Thread: any.
#pragma once
#include "common/base/address.h"
#include "ingress/http/request.h"
#include "ingress/sender/network.h"

enum { FORWARDED_FAULT_SIZE = 128 };

// The sender is the connection's remote address. If that is a trusted proxy, the sender is
// the rightmost address in X-Forwarded-For that is no trusted proxy, or the leftmost when all are. Several
// headers are one list. An entry may have a port. Entries to the left of the sender are not read, since it
// wrote them itself. False, with the cause and the entry (bounded, printable) in `fault` unless that is NULL:
// the connection has no remote address, or an entry that had to be read is no address.
MUST_CHECK bool forwarded_client(const struct request *req, const struct networks *trusted,
                                 struct address *out, char fault[FORWARDED_FAULT_SIZE]);
