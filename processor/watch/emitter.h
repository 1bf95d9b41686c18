// SPDX-License-Identifier: MIT
// Writes events to the events topic for others than ingress, and waits until Kafka has acknowledged them. The
// same event may be written twice: its reader does nothing the second time. It has a Kafka producer only
// while it is in use: an idle one takes as much CPU time as the rest of an idle watch. Thread: one.
#pragma once
#include "common/kafka/event.h"
#include "processor/processor.h"

struct emitter;

struct emitter *emitter_new(const struct processor *processor);
void emitter_free(struct emitter *emitter); // what is not flushed is thrown away

// Queues an event of that type. Its ce_id is made of type, key and value: the same event has the same id.
// `provider` and `endpoint` may be NULL.
struct emitter_event {
  const char *type, *key, *provider, *endpoint, *value;
  const char *source;       // ce_source, beginning with "/processor/"; NULL: the watch
  const int32_t *partition; // NULL: that of the key
};
MUST_CHECK bool emitter_send(struct emitter *emitter, const struct emitter_event *event, struct err *err);
// Waits for the acknowledgement of all, for 10 s at most. False: at least one is not in Kafka.
MUST_CHECK bool emitter_flush(struct emitter *emitter, struct err *err);
// Closes the producer if nothing was queued for a minute. After a flush only.
void emitter_rest(struct emitter *emitter);
