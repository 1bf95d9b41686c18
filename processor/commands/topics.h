// SPDX-License-Identifier: MIT
// Creates topics. Only "dochak-processor migrate" does.
#pragma once
#include "common/base/err.h"
#include <librdkafka/rdkafka.h>
#include <stddef.h>
#include <stdint.h>

// Creates those of the topics that do not exist. `created`, unless NULL, is their number. Blocks for a second
// more than timeout_ms at most.
MUST_CHECK bool topics_create(rd_kafka_t *rk, const char *const *topics, size_t n, int64_t partitions,
                              int64_t replication, int64_t timeout_ms, size_t *created, struct err *err);
