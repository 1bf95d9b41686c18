// SPDX-License-Identifier: MIT
// POST /v1/notifications: your application registers what a send API answered. One object or an array
// (registration.schema.json), all checked before any is stored; 202 when every notification is durable. Does
// not interpret the answer beyond id and acceptance; the processor does. Thread: the connection's handler
// thread.
#pragma once
#include "common/base/faults.h"
#include "ingress/http/request.h"

struct ingress;
struct registrar;

#define REGISTER_NAME "v1/notifications" // in metrics
#define REGISTER_PATH "/" REGISTER_NAME
enum { REGISTER_STATUS = 202 }; // when all is durable

// `keys` are the bearer keys, comma-separated; NULL: none. Each fault is the number of a key and the rule
// that it breaks, never the key.
struct registrar *registrar_new(const char *keys, struct faults *faults);
void registrar_free(struct registrar *registrar);

// Checks the bearer key and the content type. False with a reply: refused.
bool register_admit(struct ingress *ingress, struct request *req);
void register_handle(struct ingress *ingress, struct request *req);
