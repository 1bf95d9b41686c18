// SPDX-License-Identifier: MIT
// The public listener's edge towards civetweb: what of HTTP civetweb leaves to its handlers. Contradictory
// lengths are refused, a body is bounded in size and time, an answer is one write. Not for: what a request
// means; slow or idle peers by the thousand, which the proxy in front holds (docs/webhooks.md).
//
// Facts about civetweb 1.15 that this file rests on: it takes the first of two Content-Length headers, takes
// a length beside chunks, keeps 64 headers and drops the rest, and never answers "Expect: 100-continue".
// Thread: the handler thread that has the connection.
#pragma once
#include "common/base/err.h"
#include "ingress/http/request.h"

// Fills the request from its head. False with a reply, which closes: two lengths, a length and chunks
// (RFC 9112, section 6.3), or so many headers that one of them may have been dropped.
MUST_CHECK bool edge_open(struct request *req, struct mg_connection *conn);

// Reads the whole body of a request that has entered its lane. False with a reply: no length (411), over
// req->body_max_bytes (413), an expectation other than 100-continue (417), no room for it (503), or not whole
// by req->body_by_ms (503: a 4xx would make some providers give the event up). Of a body that is refused for
// its length nothing is read.
MUST_CHECK bool edge_read_body(struct request *req);

// Sends the reply. Then reads what the peer of a refused body still sends, so that a reset does not destroy
// the answer on its way: for a second, or for 50 ms if the request is in no lane. At last frees body and
// reply, and gives back what the request holds of its lane.
void edge_close(struct request *req);
