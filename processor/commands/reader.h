// SPDX-License-Identifier: MIT
// A topic read from a time to its end, partition by partition, as a read_committed reader sees it. Joins no
// group and commits nothing, so it disturbs nobody. Thread: one.
#pragma once
#include "common/base/err.h"
#include "common/config/settings.h"
#include <librdkafka/rdkafka.h>

struct reader;

MUST_CHECK struct reader *reader_open(const struct settings *settings, const char *topic, struct err *err);
void reader_close(struct reader *reader);

struct reader_span {
  int32_t partition;
  int64_t first, end; // [first, end): from the one to before the other
};
// One span for each partition: from the first record of the time `from_ms` (Unix; INT64_MIN: the oldest there
// is) to what was written when this is called, transactions that were still open included: the reading waits
// for how they end. New array.
MUST_CHECK bool reader_spans(struct reader *reader, int64_t from_ms, struct reader_span **out, size_t *n,
                             struct err *err);

// Goes to the first record of a span.
MUST_CHECK bool reader_begin(struct reader *reader, const struct reader_span *span, struct err *err);
enum reader_result { READER_RECORD, READER_END, READER_FAILED };
// The next record of the span, which the caller destroys. Fails when a stop is requested or nothing comes for
// half a minute.
MUST_CHECK enum reader_result reader_next(struct reader *reader, rd_kafka_message_t **out, struct err *err);
