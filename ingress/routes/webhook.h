// SPDX-License-Identifier: MIT
// POST /webhook/<endpoint>[/<secret>], or GET with a query, as the provider's file says: checks the sender,
// cuts the body into elements, makes each durable and answers as the provider expects. Never answers 4xx for
// a body that it does not understand, and interprets only what it needs for kind and key. Thread: the
// connection's handler thread.
#pragma once
#include "ingress/http/request.h"

struct ingress;

// Finds the endpoint and runs the checks that need no body. False with a reply: there is no such endpoint,
// the provider uses another method, or it only tries the URL out.
bool webhook_admit(struct ingress *ingress, struct request *req);
// Blocks for the ack budget at most.
void webhook_handle(struct ingress *ingress, struct request *req);
