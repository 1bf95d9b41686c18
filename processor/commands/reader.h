// SPDX-License-Identifier: MIT
// A topic from its first record to its end, partition by partition, as a read_committed reader sees it. Joins
// no group and commits nothing, so it does not disturb the processors. Thread: one.
#pragma once
#include "common/base/err.h"
#include "common/config/settings.h"
#include "common/kafka/event.h"
#include <librdkafka/rdkafka.h>

enum reader_result { READER_MORE, READER_ENOUGH, READER_FAILED };
// Takes a record; the event is zero where the record is none of ours. READER_ENOUGH ends the reading.
typedef enum reader_result reader_take(void *arg, const struct event *ev, const rd_kafka_message_t *rkm,
                                       struct err *err);

// Reads to what was written when this is called, transactions that were still open included: it waits for how
// they end. Fails when a stop is requested or nothing comes for half a minute.
MUST_CHECK bool reader_read(const struct settings *settings, const char *topic, reader_take *on_record,
                            void *arg, struct err *err);
// Reads the one record at a place. Nothing is taken if it is not there, or not any more.
MUST_CHECK bool reader_read_at(const struct settings *settings, const char *topic, int32_t partition,
                               int64_t offset, reader_take *on_record, void *arg, struct err *err);
