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
  // No request waits for a row, so librdkafka may keep trying: each time it gives up, we may send a repeat.
  PATIENCE_MS = 10000,
  STUCK_MS = 1000, // a lane without any report for so long waits
  PROBE_FIRST_MS = 100,
  PROBE_MAX_MS = 1000,
  REFUSED_AGAIN_MS = 60000,
  FAILED_AGAIN_MS = 1000,
  IDLE_MS = 1000,
  LIVE_AGAIN_MS = 30000, // a partition that no row asks about is left to a live event after so long
  POLL_MS = 20,
  STOP_MS = 1000,
  PURGE_MS = 1000,
};

// ---- what is known of a partition, and of a row ----

struct lane {
  enum kafka_topic topic;
  int32_t partition;
  int64_t next_id;     // rows of this lane below it were sent; those from it on were not, or failed
  bool behind;         // there are rows from next_id on that the reading has passed
  bool waits;          // only single rows are tried
  int64_t progress_ms; // monotonic: the last report, or the first row in flight
  int64_t probe_ms;    // monotonic: when the next single row is tried
  int64_t acked_ms;    // monotonic: the last acknowledgement
  bool acked_slowly;   // it came, but too late to close the breaker; no failure since
  int64_t idle_ms;     // monotonic: since when no row waits although the breaker is open; 0: not so
  struct backoff backoff;
  size_t in_flight, bytes;
};

struct row { // in flight; its delivery report frees it
  struct drain *drain;
  struct lane *lane;
  int64_t id, sent_ms;
  size_t bytes;
};

struct refused_row { // stays in the spool and is sent again by itself
  int64_t id, again_ms;
  bool in_flight;
};

struct drain {
  struct spool *spool;
  struct drain_owner owner;
  struct kafka_producer producer;
  pthread_t thread;
  atomic_bool stopping;
  // The thread's own:
  struct lane *lanes[KAFKA_TOPIC_COUNT]; // BREAKER_PARTITIONS_MAX each
  int32_t partitions[KAFKA_TOPIC_COUNT]; // as many lanes are in use
  int64_t reached;                       // the reading has passed the rows up to here
  bool cut;                              // the last reading ended before the last row
  size_t in_flight, in_flight_waiting;   // rows; those of them whose lane waits
  int64_t *delivered;                    // ids that are to leave the spool
  size_t n_delivered, room_delivered;
  struct refused_row *refused;
  size_t n_refused;
};

static struct lane *lane_of(struct drain *drain, enum kafka_topic topic, int32_t partition) {
  return &drain->lanes[topic][partition < 0 ? 0 : partition % BREAKER_PARTITIONS_MAX];
}

// Always the same for a row as long as the topic has as many partitions, also without a key.
static int32_t partition_of(const struct drain *drain, int64_t id, const struct publisher_message *message) {
  return breaker_partition_of(drain->owner.breaker, message->topic, message->key, (uint64_t)id);
}

static struct lane *lane_of_message(struct drain *drain, int64_t id,
                                    const struct publisher_message *message) {
  return lane_of(drain, message->topic, partition_of(drain, id, message));
}

static void lane_wait(struct drain *drain, struct lane *lane) {
  if (lane->waits) return;
  lane->waits = true;
  lane->acked_slowly = false;
  lane->backoff = (struct backoff){.first_ms = PROBE_FIRST_MS, .max_ms = PROBE_MAX_MS};
  drain->in_flight_waiting += lane->in_flight;
}

static void lane_go_on(struct drain *drain, struct lane *lane) {
  if (!lane->waits) return;
  lane->waits = false;
  drain->in_flight_waiting -= lane->in_flight;
}

static void leave_behind(struct lane *lane, int64_t id) {
  if (!lane->behind || id < lane->next_id) lane->next_id = id;
  lane->behind = true;
}

// ---- reports ----

static struct refused_row *find_refused(struct drain *drain, int64_t id) {
  for (size_t i = 0; i < drain->n_refused; i++)
    if (drain->refused[i].id == id) return &drain->refused[i];
  return NULL;
}

static void forget_refused(struct drain *drain, int64_t id) {
  struct refused_row *row = find_refused(drain, id);
  if (row) *row = drain->refused[--drain->n_refused];
}

static void keep_refused(struct drain *drain, int64_t id, int64_t again_in_ms) {
  struct refused_row *row = find_refused(drain, id);
  if (!row) {
    drain->refused = mem_grow(drain->refused, drain->n_refused + 1, sizeof *drain->refused);
    row = &drain->refused[drain->n_refused++];
  }
  *row = (struct refused_row){.id = id, .again_ms = clock_mono_ms() + again_in_ms};
}

static void keep_delivered(struct drain *drain, int64_t id) {
  if (drain->n_delivered == drain->room_delivered) {
    drain->room_delivered += IN_FLIGHT_MAX;
    drain->delivered = mem_grow(drain->delivered, drain->room_delivered, sizeof *drain->delivered);
  }
  drain->delivered[drain->n_delivered++] = id;
}

// The breaker closes at a quick report. A slow one closes it too where no row of the lane is left, here or
// once the reading has shown that (tend_idle()): otherwise it would stay open until another event comes.
static void note_delivered(struct drain *drain, struct lane *lane, int64_t id, int64_t took_ms) {
  keep_delivered(drain, id);
  forget_refused(drain, id);
  lane_go_on(drain, lane);
  lane->acked_ms = lane->progress_ms;
  lane->acked_slowly = took_ms >= BREAKER_QUICK_MS && (lane->in_flight || lane->behind);
  if (!lane->acked_slowly) breaker_succeed(drain->owner.breaker, lane->topic, lane->partition);
}

static void note_refused(struct drain *drain, const struct lane *lane, int64_t id, rd_kafka_resp_err_t code) {
  keep_refused(drain, id, REFUSED_AGAIN_MS);
  const struct log_field fields[] = {
      LOG_STR("topic", rd_kafka_topic_name(drain->producer.topics[lane->topic])),
      LOG_STR("error", rd_kafka_err2name(code)), LOG_INT("events", drain->n_refused)};
  log_write_rarely(LOG_LEVEL_ERROR, "drain refused",
                   "kafka refuses events for what they are; they stay in the spool and are tried again",
                   fields, COUNT_OF(fields));
}

static void note_failed(struct drain *drain, struct lane *lane, int64_t id, rd_kafka_resp_err_t code) {
  breaker_fail(drain->owner.breaker, lane->topic, lane->partition, code,
               rd_kafka_outq_len(drain->producer.rk));
  lane_wait(drain, lane);
  lane->probe_ms = clock_mono_ms() + backoff_next_ms(&lane->backoff);
  if (find_refused(drain, id))
    keep_refused(drain, id, FAILED_AGAIN_MS);
  else
    leave_behind(lane, id);
}

static void note_result(struct drain *drain, struct lane *lane, int64_t id, rd_kafka_resp_err_t code,
                        int64_t took_ms) {
  if (!code) {
    note_delivered(drain, lane, id, took_ms);
    return;
  }
  metrics_add(drain->owner.metrics, COUNTER_KAFKA_ERRORS, rd_kafka_err2name(code), 1);
  if (breaker_scope_of(code) == BREAKER_RECORD)
    note_refused(drain, lane, id, code);
  else
    note_failed(drain, lane, id, code);
}

// Thread: ours, from rd_kafka_poll().
static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *rkm, void *opaque) {
  (void)rk, (void)opaque;
  struct row *row = rkm->_private;
  struct drain *drain = row->drain;
  struct lane *lane = row->lane;
  int64_t now_ms = clock_mono_ms();
  lane->in_flight--;
  lane->bytes -= row->bytes;
  lane->progress_ms = now_ms;
  drain->in_flight--;
  drain->in_flight_waiting -= lane->waits;
  note_result(drain, lane, row->id, rkm->err, now_ms - row->sent_ms);
  free(row);
}

// ---- sending ----

// False: librdkafka's queue is full, and the row is to be read again.
static bool send_row(struct drain *drain, struct lane *lane, int64_t id,
                     const struct publisher_message *message) {
  int32_t partition = partition_of(drain, id, message);
  struct row *row = mem_alloc(sizeof *row);
  *row = (struct row){drain, lane, id, clock_mono_ms(), message->value_len};
  const struct event_record record = {drain->producer.topics[message->topic],
                                      partition,
                                      message->key,
                                      message->value,
                                      message->value_len,
                                      row};
  rd_kafka_resp_err_t code = event_produce(drain->producer.rk, &record, &message->event);
  if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
    free(row);
    return false;
  }
  if (code) {
    free(row);
    note_result(drain, lane, id, code, 0);
    return true;
  }
  if (!lane->in_flight) lane->progress_ms = row->sent_ms;
  lane->in_flight++;
  lane->bytes += row->bytes;
  drain->in_flight++;
  drain->in_flight_waiting += lane->waits;
  return true;
}

// The same for the first of the lane's rows that were not sent.
static bool send_next(struct drain *drain, struct lane *lane, int64_t id,
                      const struct publisher_message *message) {
  int64_t before = lane->next_id;
  lane->next_id = id + 1; // first: a row that fails at once goes back to its id
  if (send_row(drain, lane, id, message)) return true;
  lane->next_id = before;
  return false;
}

static bool is_full(const struct lane *lane) {
  return lane->in_flight >= LANE_MAX || lane->bytes >= LANE_MAX_BYTES;
}

static bool has_room(const struct drain *drain) {
  return drain->in_flight - drain->in_flight_waiting < IN_FLIGHT_MAX;
}

// Live events have found the partition sick, and no row has shown the opposite since. A slow Kafka keeps the
// breaker open, and still its backlog must not leave row by row.
static bool is_sick(const struct drain *drain, const struct lane *lane) {
  return breaker_is_open(drain->owner.breaker, lane->topic, lane->partition) &&
         (!lane->acked_ms || clock_mono_ms() - lane->acked_ms >= STUCK_MS);
}

// False: it cannot be sent now. A full lane that gets on ends the reading: its reports come soon.
static bool send_or_leave(struct drain *drain, struct lane *lane, int64_t id,
                          const struct publisher_message *message) {
  if (!lane->waits && !lane->in_flight && is_sick(drain, lane)) lane_wait(drain, lane); // one row asks first
  if (!lane->waits && !lane->behind) return !is_full(lane) && send_next(drain, lane, id, message);
  leave_behind(lane, lane->behind ? lane->next_id : id);
  return true;
}

// A spool_take_fn. The rows of a topic that has not been seen yet are read again once it has partitions.
static bool take_row(void *arg, int64_t id, const struct publisher_message *message) {
  struct drain *drain = arg;
  struct lane *lane = lane_of_message(drain, id, message);
  bool passed =
      id < lane->next_id || drain->partitions[message->topic] == 0 || send_or_leave(drain, lane, id, message);
  if (passed) drain->reached = id;
  drain->cut = !passed || !has_room(drain);
  return !drain->cut;
}

struct search {
  struct drain *drain;
  struct lane *lane; // NULL: of any
  bool found;
};

// A spool_take_fn: sends the first row of the lane that was left behind.
static bool take_probe(void *arg, int64_t id, const struct publisher_message *message) {
  struct search *search = arg;
  if (lane_of_message(search->drain, id, message) != search->lane) return true;
  search->found = true;
  search->lane->probe_ms = clock_mono_ms() + backoff_next_ms(&search->lane->backoff);
  send_next(search->drain, search->lane, id, message); // where the queue is full: again at probe_ms
  return false;
}

static void log_unread(const struct err *err) {
  log_warn_rarely("drain read", "the spool cannot be read", LOG_STR("cause", err->text));
}

static void probe(struct drain *drain, struct lane *lane) {
  struct search search = {drain, lane, false};
  struct err err;
  if (!spool_read(drain->spool, lane->next_id, INT64_MAX, take_probe, &search, &err)) {
    log_unread(&err);
    lane->probe_ms = clock_mono_ms() + PROBE_MAX_MS;
  } else if (!search.found) {
    lane->behind = false;
    lane_go_on(drain, lane);
  }
}

// ---- the clocks of lanes and refused rows ----

// No row of the lane is left, and the breaker is open. Where a row was acknowledged, slowly, it closes now.
// Otherwise only a live event knows of the failure: one without a key, which left the spool by another
// partition. Nothing would close the breaker of this one, so after a while a live event may try.
static void tend_idle(struct drain *drain, struct lane *lane, int64_t now_ms) {
  struct breaker *breaker = drain->owner.breaker;
  bool idle = breaker_is_open(breaker, lane->topic, lane->partition) && !breaker_is_cluster_open(breaker) &&
              spool_last_id(drain->spool) <= drain->reached;
  if (!idle || !lane->idle_ms) lane->idle_ms = idle ? now_ms : 0;
  if (!idle || (!lane->acked_slowly && now_ms - lane->idle_ms < LIVE_AGAIN_MS)) return;
  breaker_succeed(breaker, lane->topic, lane->partition);
  lane->acked_slowly = false;
  lane->idle_ms = 0;
}

static void tend_lane(struct drain *drain, struct lane *lane, int64_t now_ms) {
  if (lane->in_flight || lane->behind) lane->idle_ms = 0;
  if (lane->in_flight) {
    if (lane->waits || now_ms - lane->progress_ms < STUCK_MS) return;
    breaker_fail(drain->owner.breaker, lane->topic, lane->partition, RD_KAFKA_RESP_ERR__TIMED_OUT,
                 rd_kafka_outq_len(drain->producer.rk));
    lane_wait(drain, lane);
  } else if (lane->behind && !lane->waits) {
    lane->behind = false; // reads on from the first row that was left behind
    if (lane->next_id <= drain->reached) drain->reached = lane->next_id - 1;
  } else if (lane->behind && now_ms >= lane->probe_ms) {
    probe(drain, lane);
  } else if (!lane->behind) {
    tend_idle(drain, lane, now_ms);
  }
}

static void tend_lanes(struct drain *drain) {
  int64_t now_ms = clock_mono_ms();
  for (enum kafka_topic topic = 0; topic < KAFKA_TOPIC_COUNT; topic++) {
    int32_t n = breaker_partitions(drain->owner.breaker, topic);
    for (int32_t i = 0; i < n && i < BREAKER_PARTITIONS_MAX; i++)
      tend_lane(drain, lane_of(drain, topic, i), now_ms);
  }
}

// A spool_take_fn. The row does not count as the lane's next: the lane may have gone back to rows before it.
static bool take_refused(void *arg, int64_t id, const struct publisher_message *message) {
  struct search *search = arg;
  struct drain *drain = search->drain;
  struct refused_row *row = find_refused(drain, id);
  search->found = true;
  if (row) row->in_flight = true;
  if (!send_row(drain, lane_of_message(drain, id, message), id, message))
    keep_refused(drain, id, FAILED_AGAIN_MS);
  return false;
}

static void send_refused(struct drain *drain) {
  int64_t now_ms = clock_mono_ms();
  for (size_t i = 0; i < drain->n_refused && has_room(drain); i++) {
    struct refused_row row = drain->refused[i];
    struct search search = {.drain = drain};
    struct err err;
    if (row.in_flight || now_ms < row.again_ms) continue;
    if (!spool_read(drain->spool, row.id, row.id, take_refused, &search, &err)) {
      log_unread(&err);
      keep_refused(drain, row.id, FAILED_AGAIN_MS);
    } else if (!search.found) {
      forget_refused(drain, row.id);
    }
  }
}

// ---- the thread ----

// Delivered rows must not be sent again, so this insists; a disk that takes nothing holds it up.
static void remove_delivered(struct drain *drain) {
  if (!drain->n_delivered) return;
  struct backoff backoff = {.first_ms = 100, .max_ms = 1000};
  CRASH_POINT("before_spool_remove");
  bool removed;
  while (!(removed = spool_remove(drain->spool, drain->delivered, drain->n_delivered)) &&
         !atomic_load(&drain->stopping))
    clock_sleep_ms(backoff_next_ms(&backoff));
  if (removed) metrics_add(drain->owner.metrics, COUNTER_SPOOL_DRAINED, NULL, (int64_t)drain->n_delivered);
  drain->n_delivered = 0;
}

static int64_t next_clock_ms(const struct drain *drain) {
  int64_t next_ms = clock_mono_ms() + IDLE_MS;
  for (size_t i = 0; i < drain->n_refused; i++)
    if (drain->refused[i].again_ms < next_ms) next_ms = drain->refused[i].again_ms;
  for (enum kafka_topic topic = 0; topic < KAFKA_TOPIC_COUNT; topic++)
    for (int32_t i = 0; i < breaker_partitions(drain->owner.breaker, topic) && i < BREAKER_PARTITIONS_MAX;
         i++)
      if (drain->lanes[topic][i].behind && drain->lanes[topic][i].probe_ms < next_ms)
        next_ms = drain->lanes[topic][i].probe_ms;
  return next_ms;
}

// Until there is something to send, a report, or a clock that is due. Where the next row cannot be sent, only
// a report changes that.
static void wait_for_work(struct drain *drain) {
  bool more = !drain->cut && spool_last_id(drain->spool) > drain->reached && has_room(drain);
  if (drain->in_flight) {
    rd_kafka_poll(drain->producer.rk, more ? 0 : POLL_MS);
    return;
  }
  rd_kafka_poll(drain->producer.rk, 0);
  int64_t ms = next_clock_ms(drain) - clock_mono_ms();
  if (!more && ms > 0) spool_wait(drain->spool, drain->reached, ms);
}

// The last row may be one that is skipped, or lost with a damaged file: a reading to the end has passed it.
static void read_rows(struct drain *drain) {
  struct err err;
  drain->cut = false;
  int64_t last_id = spool_last_id(drain->spool);
  if (!has_room(drain) || last_id <= drain->reached) return;
  if (spool_read(drain->spool, drain->reached + 1, INT64_MAX, take_row, drain, &err)) {
    if (!drain->cut && drain->reached < last_id) drain->reached = last_id;
    return;
  }
  log_unread(&err);
  clock_sleep_ms(FAILED_AGAIN_MS);
}

static bool has_other_partitions(const struct drain *drain) {
  for (enum kafka_topic topic = 0; topic < KAFKA_TOPIC_COUNT; topic++)
    if (drain->partitions[topic] != breaker_partitions(drain->owner.breaker, topic)) return true;
  return false;
}

// A topic that got more partitions has other lanes for its rows: all are read again, once none is in flight.
// False: not yet.
static bool follow_partitions(struct drain *drain) {
  if (!has_other_partitions(drain)) return true;
  drain->cut = drain->in_flight > 0;
  if (drain->in_flight) return false;
  for (enum kafka_topic topic = 0; topic < KAFKA_TOPIC_COUNT; topic++) {
    drain->partitions[topic] = breaker_partitions(drain->owner.breaker, topic);
    for (int32_t i = 0; i < BREAKER_PARTITIONS_MAX; i++)
      drain->lanes[topic][i] = (struct lane){.topic = topic, .partition = i};
  }
  drain->reached = 0;
  return true;
}

static void *run(void *arg) {
  struct drain *drain = arg;
  while (!atomic_load(&drain->stopping)) {
    wait_for_work(drain);
    remove_delivered(drain);
    if (!drain->owner.may_send(drain->owner.arg)) {
      spool_wait(drain->spool, INT64_MAX, IDLE_MS / 4);
      continue;
    }
    if (!follow_partitions(drain)) continue;
    tend_lanes(drain);
    send_refused(drain);
    read_rows(drain);
  }
  return NULL;
}

// ---- start, stop ----

// After a purge every report comes at once.
static void finish(struct drain *drain) {
  int64_t stop_ms = clock_mono_ms() + STOP_MS;
  while (drain->in_flight && clock_mono_ms() < stop_ms) rd_kafka_poll(drain->producer.rk, POLL_MS);
  if (drain->in_flight) {
    rd_kafka_purge(drain->producer.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(drain->producer.rk, PURGE_MS);
  }
  remove_delivered(drain);
}

static void release(struct drain *drain) {
  kafka_producer_close(&drain->producer);
  for (size_t i = 0; i < KAFKA_TOPIC_COUNT; i++) free(drain->lanes[i]);
  free(drain->delivered);
  free(drain->refused);
  free(drain);
}

static void init_lanes(struct drain *drain) {
  for (enum kafka_topic topic = 0; topic < KAFKA_TOPIC_COUNT; topic++)
    drain->lanes[topic] = mem_array(BREAKER_PARTITIONS_MAX, sizeof *drain->lanes[topic]);
}

struct drain *drain_start(const struct settings *settings, struct spool *spool,
                          const struct drain_owner *owner, struct err *err) {
  struct drain *drain = mem_alloc(sizeof *drain);
  drain->spool = spool;
  drain->owner = *owner;
  init_lanes(drain);
  const struct kafka_producer_options options = {.patience_ms = PATIENCE_MS, .on_report = on_report};
  if (kafka_producer_open(settings, &options, &drain->producer, err)) {
    int failed = pthread_create(&drain->thread, NULL, run, drain);
    if (!failed) return drain;
    err_set(err, "cannot start a thread: %s", strerror(failed));
  }
  release(drain);
  return NULL;
}

void drain_stop(struct drain *drain) {
  if (!drain) return;
  atomic_store(&drain->stopping, true);
  spool_wake(drain->spool);
  pthread_join(drain->thread, NULL);
  finish(drain);
  release(drain);
}
