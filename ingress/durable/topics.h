// SPDX-License-Identifier: MIT
// Watches Kafka's topics: looks for each until it has been seen once; teaches the breaker their partitions
// and the durability watch their settings; while the breaker of the cluster is open, asks whether the cluster
// is back. A topic that is missing or denied delays no other one. Not for: sending. Thread: its own.
#pragma once
#include "common/kafka/kafka.h"
#include "ingress/durable/breaker.h"
#include "ingress/durable/durability.h"

struct topics;

// All but the error is borrowed.
MUST_CHECK struct topics *topics_start(const struct kafka_producer *producer, struct breaker *breaker,
                                       struct durability_watch *durability, struct err *err);
void topics_stop(struct topics *topics); // NULL is let through
// NULL, or the first topic that has not been seen yet, and why. Thread: any.
const char *topics_unseen(const struct topics *topics);
