// SPDX-License-Identifier: MIT
// Creates topics, and compares those that exist with the settings. Only "dochak-processor migrate" does.
#pragma once
#include "common/base/err.h"
#include "common/base/faults.h"
#include "common/config/settings.h"
#include "common/kafka/kafka_facts.h"
#include <librdkafka/rdkafka.h>

struct topics_options {
  int64_t timeout_ms;
  bool dry_run;              // Kafka only checks whether it could create them
  const struct err *refusal; // NULL, or what the client's error callback sets (kafka_refusal())
};

// Creates those of the topics that do not exist, by the settings. `created` has room for n: whether the
// topic is new. Blocks for a second more than the timeout at most.
MUST_CHECK bool topics_create(rd_kafka_t *rk, const char *const *topics, size_t n,
                              const struct settings *settings, const struct topics_options *options,
                              bool *created, struct err *err);

// How a topic that exists differs from what the settings ask for, each with the command that changes it: an
// error where Kafka would delete events that are needed, else a warning.
void topics_compare(const char *topic, const struct kafka_facts *facts, const struct settings *settings,
                    struct faults *faults);
