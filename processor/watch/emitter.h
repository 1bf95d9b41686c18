// SPDX-License-Identifier: MIT
// Writes events to the events topic for others than ingress, and waits until Kafka has acknowledged them. The
// same event may be written twice: its reader does nothing the second time. Thread: one.
#pragma once
#include "common/kafka/event.h"
#include "processor/processor.h"

struct emitter;

MUST_CHECK struct emitter *emitter_open(const struct processor *processor, struct err *err);
void emitter_close(struct emitter *emitter); // what is not flushed is thrown away

// Queues an event of that type. Its ce_id is made of type, key and value: the same event has the same id.
// `provider` and `endpoint` may be NULL.
struct emitter_event {
  const char *type, *key, *provider, *endpoint, *value;
  const char *source; // ce_source, beginning with "/processor/"; NULL: the watch
};
MUST_CHECK bool emitter_send(struct emitter *emitter, const struct emitter_event *event, struct err *err);
// Waits for the acknowledgement of all, for 10 s at most. False: at least one is not in Kafka.
MUST_CHECK bool emitter_flush(struct emitter *emitter, struct err *err);
