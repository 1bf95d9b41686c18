// SPDX-License-Identifier: MIT
// POST /v1/notifications: your application tells what a send API answered. One object or an array
// (registration.schema.json), all checked before any of it is stored; 202 once every notification is durable.
// What the answer of the send API means is the processor's to say. Thread: the request's
// handler thread.
#pragma once
#include "common/base/err.h"
#include "ingress/http/request.h"

struct ingress;
struct registrar;

// `keys` are the bearer keys, comma-separated. False with which key breaks which rule, never the key.
MUST_CHECK struct registrar *registrar_new(const char *keys, struct err *err);
void registrar_free(struct registrar *registrar);

// Looks at the key and the kind of body. False: refused.
bool register_admit(struct ingress *ingress, struct request *req, struct reply *refusal);
struct reply register_handle(struct ingress *ingress, struct request *req);
