// SPDX-License-Identifier: MIT
#include "ingress/durable/drain.h"

#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/crash_point.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "ingress/counters.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
  IN_FLIGHT_MAX = 1000, // rows, of lanes that get on
  LANE_MAX = 500,       // rows of one lane
  LANE_MAX_BYTES = 2 * 1024 * 1024,
  DELIVERED_MAX = 1000,
  // No request waits for a row, so librdkafka may keep trying: each time it gives up, we may send a repeat.
  PATIENCE_MS = 10000,
  STUCK_MS = 1000, // a lane without any report for so long waits
  PROBE_FIRST_MS = 100,
  PROBE_MAX_MS = 1000,
  REFUSED_AGAIN_MS = 60000,
  READ_AGAIN_MS = 1000,
  IDLE_MS = 1000,
  LIVE_AGAIN_MS = 30000, // a partition that no row asks about is left to a live event after so long
  POLL_MS = 20,
  STOP_MS = 1000,
  PURGE_MS = 1000,
};

struct lane { // the rows of one partition
  enum kafka_topic topic;
  int32_t partition;
  int64_t next_id;    // rows of this lane below it were sent; those from it on were not, or failed
  bool behind;        // there are rows from next_id on that the reading has passed
  bool waits;         // only single rows are tried
  int64_t refused_id; // the first row that Kafka refused for what it is; 0: none
  int64_t refused_ms; // monotonic: when the lane goes back to it
  int64_t due_ms;     // monotonic: when it is stuck without another report, or tries the next single row
  int64_t acked_ms;   // monotonic: the last acknowledgement
  int64_t idle_ms;    // monotonic: since when no row waits although the breaker is open; 0: not so
  struct backoff backoff;
  size_t in_flight, bytes;
};

struct drain {
  struct spool *spool;
  struct breaker *breaker;
  const struct durability_watch *durability;
  struct metrics *metrics;
  struct kafka_producer producer;
  pthread_t thread;
  atomic_bool stopping;
  // The thread's own:
  struct lane lanes[KAFKA_TOPIC_COUNT][BREAKER_PARTITIONS_MAX];
  int32_t partitions[KAFKA_TOPIC_COUNT]; // of so many the rows have their lanes; 0: not known yet
  int64_t reached;                       // the reading has passed the rows up to here
  bool cut;                              // the last reading ended before the last row
  struct lane *probing;                  // NULL once its row is found
  size_t in_flight;                      // rows of lanes that get on
  int64_t delivered[DELIVERED_MAX];      // ids that are to leave the spool
  size_t n_delivered;
};

// Always the same for a row as long as the topic has as many partitions, also without a key.
static int32_t partition_of(const struct drain *drain, int64_t id, const struct publisher_message *message) {
  return breaker_partition_of(drain->partitions[message->topic], message->key, (uint64_t)id);
}

static struct lane *lane_of(struct drain *drain, enum kafka_topic topic, int32_t partition) {
  return &drain->lanes[topic][partition < 0 ? 0 : partition % BREAKER_PARTITIONS_MAX];
}

static struct lane *lane_of_row(struct drain *drain, int64_t id, const struct publisher_message *message) {
  return lane_of(drain, message->topic, partition_of(drain, id, message));
}

static void lane_wait(struct drain *drain, struct lane *lane) {
  if (lane->waits) return;
  lane->waits = true;
  lane->due_ms = 0;
  lane->backoff = (struct backoff){.first_ms = PROBE_FIRST_MS, .max_ms = PROBE_MAX_MS};
  drain->in_flight -= lane->in_flight;
}

static void lane_go_on(struct drain *drain, struct lane *lane) {
  if (!lane->waits) return;
  lane->waits = false;
  drain->in_flight += lane->in_flight;
}

static void lane_fail(struct drain *drain, struct lane *lane, rd_kafka_resp_err_t code) {
  breaker_fail(drain->breaker, lane->topic, lane->partition, code, rd_kafka_outq_len(drain->producer.rk));
  lane_wait(drain, lane);
}

static void leave_behind(struct lane *lane, int64_t id) {
  if (!lane->behind || id < lane->next_id) lane->next_id = id;
  lane->behind = true;
}

// ---- reports ----

// Delivered rows must not be sent again, so this insists; a disk that takes nothing holds it up.
static void remove_delivered(struct drain *drain) {
  if (!drain->n_delivered) return;
  struct backoff backoff = {.first_ms = 100, .max_ms = 1000};
  CRASH_POINT("before_spool_remove");
  bool removed;
  while (!(removed = spool_remove(drain->spool, drain->delivered, drain->n_delivered)) &&
         !atomic_load(&drain->stopping))
    clock_sleep_ms(backoff_next_ms(&backoff));
  if (removed) metrics_add(drain->metrics, COUNTER_SPOOL_DRAINED, NULL, (int64_t)drain->n_delivered);
  drain->n_delivered = 0;
}

static void note_delivered(struct drain *drain, struct lane *lane, const rd_kafka_message_t *rkm) {
  if (drain->n_delivered == DELIVERED_MAX) remove_delivered(drain);
  drain->delivered[drain->n_delivered++] = (intptr_t)rkm->_private;
  lane_go_on(drain, lane);
  lane->acked_ms = clock_mono_ms();
  if (rd_kafka_message_latency(rkm) < 1000 * (int64_t)BREAKER_QUICK_MS)
    breaker_succeed(drain->breaker, lane->topic, lane->partition);
}

static void note_refused(struct drain *drain, struct lane *lane, int64_t id, rd_kafka_resp_err_t code) {
  if (!lane->refused_id) lane->refused_ms = clock_mono_ms() + REFUSED_AGAIN_MS;
  if (!lane->refused_id || id < lane->refused_id) lane->refused_id = id;
  spool_refuse(drain->spool, id);
  const struct log_field fields[] = {
      LOG_STR("topic", rd_kafka_topic_name(drain->producer.topics[lane->topic])),
      LOG_STR("error", rd_kafka_err2name(code))};
  log_write_rarely(LOG_LEVEL_ERROR, "drain refused",
                   "kafka refuses events for what they are; they stay in the spool and are tried again",
                   fields, COUNT_OF(fields));
}

static void note_failed(struct drain *drain, struct lane *lane, int64_t id, rd_kafka_resp_err_t code) {
  metrics_add(drain->metrics, COUNTER_KAFKA_ERRORS, rd_kafka_err2name(code), 1);
  if (breaker_scope_of(code) == BREAKER_RECORD) {
    note_refused(drain, lane, id, code);
    return;
  }
  lane_fail(drain, lane, code);
  lane->due_ms = clock_mono_ms() + backoff_next_ms(&lane->backoff);
  leave_behind(lane, id);
}

// Thread: ours, from rd_kafka_poll().
static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *rkm, void *opaque) {
  (void)rk;
  struct drain *drain = opaque;
  struct lane *lane = lane_of(drain, publisher_record_topic(&drain->producer, rkm), rkm->partition);
  lane->in_flight--;
  lane->bytes -= rkm->len;
  lane->due_ms = clock_mono_ms() + STUCK_MS;
  drain->in_flight -= !lane->waits;
  if (rkm->err)
    note_failed(drain, lane, (intptr_t)rkm->_private, rkm->err);
  else
    note_delivered(drain, lane, rkm);
}

// ---- sending ----

// False: librdkafka's queue is full, and the row is to be read again.
static bool send_row(struct drain *drain, struct lane *lane, int64_t id,
                     const struct publisher_message *message) {
  rd_kafka_resp_err_t code = publisher_message_produce(
      message, &drain->producer, partition_of(drain, id, message), (void *)(intptr_t)id);
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return false;
  lane->next_id = id + 1;
  if (code) {
    note_failed(drain, lane, id, code); // goes back to it
    return true;
  }
  if (!lane->in_flight) lane->due_ms = clock_mono_ms() + STUCK_MS;
  lane->in_flight++;
  lane->bytes += message->value_len;
  drain->in_flight += !lane->waits;
  return true;
}

static bool has_room(const struct drain *drain) {
  return drain->in_flight < IN_FLIGHT_MAX;
}

// Live events have found the partition sick, and no row has shown the opposite since. A slow Kafka keeps the
// breaker open, and still its backlog must not leave row by row.
static bool is_sick(const struct drain *drain, const struct lane *lane) {
  return breaker_is_open(drain->breaker, lane->topic, lane->partition) &&
         (!lane->acked_ms || clock_mono_ms() - lane->acked_ms >= STUCK_MS);
}

// False: it cannot be sent now. A full lane that gets on ends the reading: its reports come soon.
static bool send_or_leave(struct drain *drain, struct lane *lane, int64_t id,
                          const struct publisher_message *message) {
  if (!lane->waits && !lane->in_flight && is_sick(drain, lane)) lane_wait(drain, lane); // one row asks first
  if (!lane->behind && lane->waits) leave_behind(lane, id);
  if (lane->behind) return true;
  return lane->in_flight < LANE_MAX && lane->bytes < LANE_MAX_BYTES && send_row(drain, lane, id, message);
}

// A spool_take_fn. The rows of a topic that has not been seen yet are read again once it has partitions.
static bool take_row(void *arg, int64_t id, const struct publisher_message *message) {
  struct drain *drain = arg;
  struct lane *lane = lane_of_row(drain, id, message);
  bool passed =
      id < lane->next_id || drain->partitions[message->topic] == 0 || send_or_leave(drain, lane, id, message);
  if (passed) drain->reached = id;
  drain->cut = !passed || !has_room(drain);
  return !drain->cut;
}

// The last row may be one that is skipped, or lost with a damaged file: a reading to the end has passed it.
static void read_rows(struct drain *drain) {
  drain->cut = false;
  int64_t last_id = spool_last_id(drain->spool);
  if (!has_room(drain) || last_id <= drain->reached) return;
  if (!spool_read(drain->spool, drain->reached + 1, INT64_MAX, take_row, drain))
    clock_sleep_ms(READ_AGAIN_MS);
  else if (!drain->cut && drain->reached < last_id)
    drain->reached = last_id;
}

// A spool_take_fn: sends the first row of the lane that was left behind.
static bool take_probe(void *arg, int64_t id, const struct publisher_message *message) {
  struct drain *drain = arg;
  struct lane *lane = lane_of_row(drain, id, message);
  if (lane != drain->probing) return true;
  drain->probing = NULL;
  send_row(drain, lane, id, message); // where the queue is full: again when that is due
  return false;
}

static void probe_lane(struct drain *drain, struct lane *lane) {
  drain->probing = lane;
  lane->due_ms = clock_mono_ms() + backoff_next_ms(&lane->backoff);
  if (spool_read(drain->spool, lane->next_id, INT64_MAX, take_probe, drain) && drain->probing) {
    lane->behind = false;
    lane_go_on(drain, lane);
  }
}

// ---- the clocks of the lanes ----

// No row of the lane is left, and the breaker is open. Where a row was acknowledged, slowly, it closes now.
// Otherwise only a live event knows of the failure: one without a key, which left the spool by another
// partition. Nothing would close the breaker of this one, so after a while a live event may try.
static void tend_idle(struct drain *drain, struct lane *lane, int64_t now_ms) {
  bool idle = !lane->in_flight && !lane->behind &&
              breaker_is_open(drain->breaker, lane->topic, lane->partition) &&
              !breaker_is_cluster_open(drain->breaker) && spool_last_id(drain->spool) <= drain->reached;
  if (!idle || !lane->idle_ms) lane->idle_ms = idle ? now_ms : 0;
  if (!idle || (is_sick(drain, lane) && now_ms - lane->idle_ms < LIVE_AGAIN_MS)) return;
  breaker_succeed(drain->breaker, lane->topic, lane->partition);
  lane->idle_ms = 0;
}

// What was delivered has left the spool, so only rows that are to be sent are read again.
static void go_back(struct drain *drain, struct lane *lane) {
  lane->behind = false;
  if (lane->next_id <= drain->reached) drain->reached = lane->next_id - 1;
}

// A lane goes back only when no row of it is in flight.
static void tend_lane(struct drain *drain, struct lane *lane, int64_t now_ms) {
  if (lane->refused_id && now_ms >= lane->refused_ms) {
    leave_behind(lane, lane->refused_id);
    lane->refused_id = 0;
  }
  if (lane->in_flight) {
    if (!lane->waits && now_ms >= lane->due_ms) lane_fail(drain, lane, RD_KAFKA_RESP_ERR__TIMED_OUT);
  } else if (lane->behind && lane->waits) {
    if (now_ms >= lane->due_ms) probe_lane(drain, lane);
  } else if (lane->behind) {
    go_back(drain, lane);
  }
  tend_idle(drain, lane, now_ms);
}

static void tend_lanes(struct drain *drain) {
  int64_t now_ms = clock_mono_ms();
  for (enum kafka_topic topic = 0; topic < KAFKA_TOPIC_COUNT; topic++)
    for (int32_t i = 0; i < drain->partitions[topic] && i < BREAKER_PARTITIONS_MAX; i++)
      tend_lane(drain, &drain->lanes[topic][i], now_ms);
}

// A topic that got more partitions has other lanes for its rows: all are read again, once none is in flight.
// False: not yet.
static bool follow_partitions(struct drain *drain) {
  for (enum kafka_topic topic = 0; topic < KAFKA_TOPIC_COUNT; topic++) {
    int32_t n = breaker_partitions(drain->breaker, topic);
    if (drain->partitions[topic] == n) continue;
    drain->cut = rd_kafka_outq_len(drain->producer.rk) > 0;
    if (drain->cut) return false;
    for (int32_t i = 0; i < BREAKER_PARTITIONS_MAX; i++)
      drain->lanes[topic][i] = (struct lane){.topic = topic, .partition = i};
    drain->partitions[topic] = n;
    drain->reached = 0;
  }
  return true;
}

// ---- the thread ----

// Until there is something to send, a report, or a clock that may be due: that of a lane, or a topic that is
// seen at last. Where the next row cannot be sent, only a report changes that.
static void wait_for_work(struct drain *drain) {
  bool more = !drain->cut && spool_last_id(drain->spool) > drain->reached && has_room(drain);
  bool idle = !more && !rd_kafka_outq_len(drain->producer.rk);
  rd_kafka_poll(drain->producer.rk, more || idle ? 0 : POLL_MS);
  if (idle) spool_wait(drain->spool, drain->reached, spool_count(drain->spool) ? PROBE_FIRST_MS : IDLE_MS);
}

static void *run(void *arg) {
  struct drain *drain = arg;
  while (!atomic_load(&drain->stopping)) {
    wait_for_work(drain);
    remove_delivered(drain);
    if (!durability_kafka_gives(drain->durability)) {
      spool_wait(drain->spool, INT64_MAX, IDLE_MS / 4);
      continue;
    }
    if (!follow_partitions(drain)) continue;
    read_rows(drain);
    tend_lanes(drain);
  }
  return NULL;
}

// ---- start, stop ----

struct drain *drain_start(const struct settings *settings, struct spool *spool, struct breaker *breaker,
                          const struct durability_watch *durability, struct metrics *metrics,
                          struct err *err) {
  struct drain *drain = mem_alloc(sizeof *drain);
  drain->spool = spool;
  drain->breaker = breaker;
  drain->durability = durability;
  drain->metrics = metrics;
  const struct kafka_producer_options options = {
      .patience_ms = PATIENCE_MS, .on_report = on_report, .opaque = drain};
  if (kafka_producer_open(settings, &options, &drain->producer, err)) {
    int failed = pthread_create(&drain->thread, NULL, run, drain);
    if (!failed) return drain;
    err_set(err, "cannot start a thread: %s", strerror(failed));
  }
  kafka_producer_close(&drain->producer);
  free(drain);
  return NULL;
}

void drain_stop(struct drain *drain) {
  if (!drain) return;
  rd_kafka_t *rk = drain->producer.rk;
  atomic_store(&drain->stopping, true);
  spool_wake(drain->spool);
  pthread_join(drain->thread, NULL);
  rd_kafka_flush(rk, STOP_MS);
  rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(rk, PURGE_MS); // after a purge every report comes at once
  remove_delivered(drain);
  kafka_producer_close(&drain->producer);
  free(drain);
}
