// SPDX-License-Identifier: MIT
// POST /webhook/<endpoint>[/<secret>]: checks the sender, cuts the body, makes every element durable and
// answers in the provider's own manner. It never answers 4xx for a body it does not understand, and
// interprets nothing but what it needs for kind and key. Thread: the loop's.
#pragma once
#include "ingress/http/request.h"

struct ingress;

// Finds the endpoint and looks at what of its sender stands in the head. False: there is no such endpoint.
bool webhook_admit(struct ingress *ingress, struct request *req, struct reply *refusal);
void webhook_handle(struct ingress *ingress, struct request *req);
