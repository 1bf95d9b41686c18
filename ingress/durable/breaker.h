// SPDX-License-Identifier: MIT
// Which partitions are sick, so that no request waits out its budget for one that another request has found
// sick already. The breaker of a partition opens when Kafka refused one of its records or did not report on
// it in time; that of a whole topic or of the cluster where the error says that much. While it is open, live
// events go to the spool. The first report that comes quickly closes it, whether the record came from a
// request or from the spool. Also chooses the partition of an event, since that decides. Thread: any.
#pragma once
#include "common/kafka/kafka.h"
#include "common/ops/metrics.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
  BREAKER_PARTITIONS_MAX = 1024, // of a topic; partitions beyond share a place
  // A partition that is silent for longer is sick: requests would fill the threads while they wait.
  BREAKER_QUICK_MS = 400,
};

// What an error of Kafka is about.
enum breaker_scope {
  BREAKER_NOTHING,   // our own queue is full, our own purge: Kafka was not asked
  BREAKER_RECORD,    // the record itself; it would be refused again
  BREAKER_PARTITION, // every record of its partition: no leader, too few replicas in sync
  BREAKER_TOPIC,     // every record of its topic: no permission, no such topic
  BREAKER_CLUSTER,   // every record
};
enum breaker_scope breaker_scope_of(rd_kafka_resp_err_t code);

struct breaker;

// The breaker of the cluster is open at first. `topic_prefix` is for the log; `metrics` is borrowed. free()
// ends it.
struct breaker *breaker_new(const char *topic_prefix, struct metrics *metrics);

// How many partitions a topic has, as its metadata says.
void breaker_learn_partitions(struct breaker *breaker, enum kafka_topic topic, int32_t n);
int32_t breaker_partitions(const struct breaker *breaker, enum kafka_topic topic); // 0: not known yet

// The partition of a key: the one that librdkafka and every Java client choose (murmur2). Without a key the
// n-th one, of all. RD_KAFKA_PARTITION_UA: there is none yet.
int32_t breaker_partition_of(int32_t partitions, const char *key, uint64_t n);

// Whether live events for it go to the spool at once.
bool breaker_is_open(const struct breaker *breaker, enum kafka_topic topic, int32_t partition);
bool breaker_is_cluster_open(const struct breaker *breaker); // for all of them

// A record of that partition was acknowledged at that time (monotonic), quickly or not.
void breaker_note_ack(struct breaker *breaker, enum kafka_topic topic, int32_t partition, int64_t now_ms);
// No record of that partition was acknowledged since then. One that is only busy acknowledges others
// meanwhile.
bool breaker_is_silent(const struct breaker *breaker, enum kafka_topic topic, int32_t partition,
                       int64_t since_ms);
// A record of that partition failed with `code`, or was not reported on in time
// (RD_KAFKA_RESP_ERR__TIMED_OUT). Logs when that opens the breaker. `queued` is the length of the producer's
// queue, for the log.
void breaker_fail(struct breaker *breaker, enum kafka_topic topic, int32_t partition,
                  rd_kafka_resp_err_t code, int queued);
// The cluster answers, but does not show this topic, so its breaker opens until its partitions are learned.
void breaker_note_unseen(struct breaker *breaker, enum kafka_topic topic, rd_kafka_resp_err_t code,
                         int queued);
// librdkafka's own news about the cluster, from its error callback.
void breaker_note_error(struct breaker *breaker, rd_kafka_resp_err_t code, int queued);
// The cluster has answered a request for metadata, so it is not away as a whole.
void breaker_note_cluster(struct breaker *breaker);
// A record of that partition was acknowledged quickly, or nothing waits for the partition any more.
void breaker_succeed(struct breaker *breaker, enum kafka_topic topic, int32_t partition);

// Lets one request at a time wait for what is open: the cluster, else the topic, else the partition. NULL:
// another one does. The caller sets the flag to false at the end of its wait.
atomic_bool *breaker_try(struct breaker *breaker, enum kafka_topic topic, int32_t partition);
