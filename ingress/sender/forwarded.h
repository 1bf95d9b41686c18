// SPDX-License-Identifier: MIT
// The address of the sender when a proxy stands in between. X-Forwarded-For is believed only as far as
// trusted proxies wrote it. Thread: any.
#pragma once
#include "ingress/sender/verify.h"

enum { FORWARDED_FAULT_SIZE = 128 };

// The sender is the connection's other end. Where that is a trusted proxy, it is the rightmost address of
// X-Forwarded-For that is no trusted proxy, or the leftmost address when all are. Several headers are one
// list. An entry may carry a port. Entries to the left of the deciding one are not read: the sender wrote
// them. False, with the cause and the entry (bounded, printable) in `fault` unless that is NULL: the other
// end has no address, or an entry that had to be read is no address.
MUST_CHECK bool forwarded_client(const struct verify_request *req, struct address *out,
                                 char fault[FORWARDED_FAULT_SIZE]);
