// SPDX-License-Identifier: MIT
// A topic read from one place to another, partition by partition, as a read_committed reader sees it. Joins
// no group and commits nothing, so it disturbs nobody. Thread: one.
#pragma once
#include "common/base/err.h"
#include "common/config/settings.h"
#include "processor/commands/flags.h"
#include <librdkafka/rdkafka.h>

struct reader;

MUST_CHECK struct reader *reader_open(const struct settings *settings, const char *topic, struct err *err);
void reader_close(struct reader *reader);

struct reader_span {
  int32_t partition;
  int64_t first, end; // [first, end): from the one to before the other
  int64_t low;        // the oldest offset there still is
};
// One span for each partition. The end is at most what was written when this is called, transactions that
// were still open included: the reading waits for how they end. New array.
MUST_CHECK bool reader_spans(struct reader *reader, const struct place *from, const struct place *to,
                             struct reader_span **out, size_t *n, struct err *err);
// Shortens the spans to what the settings' consumer group has done. `*left`: how many records that cuts off.
MUST_CHECK bool reader_keep_done(struct reader *reader, struct reader_span *spans, size_t n, int64_t *left,
                                 struct err *err);

// Goes to the first record of a span.
MUST_CHECK bool reader_begin(struct reader *reader, const struct reader_span *span, struct err *err);
enum reader_result { READER_RECORD, READER_END, READER_FAILED };
// The next record of the span, which the caller destroys. Fails when a stop is requested or nothing comes for
// half a minute.
MUST_CHECK enum reader_result reader_next(struct reader *reader, rd_kafka_message_t **out, struct err *err);
