// SPDX-License-Identifier: MIT
// POST /webhook/<endpoint>[/<secret>]: checks the sender, cuts the body, makes every element durable and
// answers in the provider's own manner. It never answers 4xx for a body it does not understand, and
// interprets nothing but what it needs for kind and key. Thread: the request's handler thread.
#pragma once
#include "ingress/http/request.h"

struct ingress;

// Finds the endpoint and runs the checks that need no body. False: there is no such endpoint.
bool webhook_admit(struct ingress *ingress, struct request *req, struct reply *refusal);
// Blocks for the ack budget at most.
struct reply webhook_handle(struct ingress *ingress, struct request *req);
