// SPDX-License-Identifier: MIT
#include "processor/batch/kafkaerror.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/kafka/kafka_hint.h"

#define E(name) RD_KAFKA_RESP_ERR_##name

static const char same_name[] = "another process has the same DOCHAK_INSTANCE; each needs its own, or none";
static const char no_topic[] = "\"dochak-processor migrate\" creates it";

// The last row is for all others.
static const struct kafka_class classes[] = {
    // A broker that is away, or on its way back.
    {E(_TRANSPORT), true, "connection", NULL},
    {E(_ALL_BROKERS_DOWN), true, "connection", NULL},
    {E(_RESOLVE), true, "connection", NULL},
    {E(_TIMED_OUT), true, "timeout", NULL},
    {E(_MSG_TIMED_OUT), true, "timeout", NULL},
    {E(REQUEST_TIMED_OUT), true, "timeout", NULL},
    {E(BROKER_NOT_AVAILABLE), true, "connection", NULL},
    {E(NETWORK_EXCEPTION), true, "connection", NULL},
    // A leader or a coordinator that moves.
    {E(LEADER_NOT_AVAILABLE), true, "leader", NULL},
    {E(NOT_LEADER_FOR_PARTITION), true, "leader", NULL},
    {E(REPLICA_NOT_AVAILABLE), true, "leader", NULL},
    {E(FENCED_LEADER_EPOCH), true, "leader", NULL},
    {E(UNKNOWN_LEADER_EPOCH), true, "leader", NULL},
    {E(OFFSET_NOT_AVAILABLE), true, "leader", NULL},
    {E(NOT_ENOUGH_REPLICAS), true, "replicas", NULL},
    {E(NOT_ENOUGH_REPLICAS_AFTER_APPEND), true, "replicas", NULL},
    {E(COORDINATOR_LOAD_IN_PROGRESS), true, "coordinator", NULL},
    {E(COORDINATOR_NOT_AVAILABLE), true, "coordinator", NULL},
    {E(NOT_COORDINATOR), true, "coordinator", NULL},
    {E(_WAIT_COORD), true, "coordinator", NULL},
    // A membership that is over; the consumer joins again.
    {E(REBALANCE_IN_PROGRESS), true, "membership", NULL},
    {E(UNKNOWN_MEMBER_ID), true, "membership", NULL},
    {E(ILLEGAL_GENERATION), true, "membership", NULL},
    {E(MEMBER_ID_REQUIRED), true, "membership", NULL},
    // A transaction of somebody who is no more, or stands still: the broker aborts it.
    {E(UNSTABLE_OFFSET_COMMIT), true, "offset", NULL},
    // All further ones end the batch.
    {E(_AUTO_OFFSET_RESET), false, "offset",
     NULL}, // nothing is there: the next start looks what is (offsets.h)
    {E(OFFSET_OUT_OF_RANGE), false, "offset", NULL},
    {E(_MAX_POLL_EXCEEDED), false, "too_slow", NULL},
    {E(_STATE), false, "state", NULL},
    {E(FENCED_INSTANCE_ID), false, "fenced", same_name},
    {E(_FENCED), false, "fenced", same_name},
    {E(PRODUCER_FENCED), false, "fenced", same_name},
    {E(INVALID_PRODUCER_EPOCH), false, "fenced", NULL}, // also: the transaction took too long
    {E(INVALID_PRODUCER_ID_MAPPING), false, "producer", NULL},
    {E(INVALID_TXN_STATE), false, "producer", NULL},
    {E(OUT_OF_ORDER_SEQUENCE_NUMBER), false, "producer", NULL},
    {E(UNKNOWN_PRODUCER_ID), false, "producer", NULL},
    {E(CONCURRENT_TRANSACTIONS), false, "producer", NULL},
    {E(TRANSACTION_COORDINATOR_FENCED), false, "coordinator", NULL},
    {E(UNKNOWN_TOPIC_OR_PART), false, "no_topic", no_topic},
    {E(_UNKNOWN_TOPIC), false, "no_topic", no_topic},
    {E(_UNKNOWN_PARTITION), false, "no_topic", no_topic},
    {E(TOPIC_AUTHORIZATION_FAILED), false, "access", NULL},
    {E(GROUP_AUTHORIZATION_FAILED), false, "access", NULL},
    {E(TRANSACTIONAL_ID_AUTHORIZATION_FAILED), false, "access", NULL},
    {E(CLUSTER_AUTHORIZATION_FAILED), false, "access", NULL},
    {E(_AUTHENTICATION), false, "access", NULL},
    {E(SASL_AUTHENTICATION_FAILED), false, "access", NULL},
    {E(_SSL), false, "access", NULL},
    {E(MSG_SIZE_TOO_LARGE), false, "too_large", "the topic's max.message.bytes must be at least 1 MiB"},
    {E(RECORD_LIST_TOO_LARGE), false, "too_large", "the topic's max.message.bytes must be at least 1 MiB"},
    {E(KAFKA_STORAGE_ERROR), false, "storage", "the broker could not write or read its disk; see its log"},
    {E(_BAD_MSG), false, "corrupted", "the broker handed out damaged records; see its log"},
    {E(INVALID_MSG), false, "corrupted", "the broker handed out damaged records; see its log"},
    {E(INVALID_SESSION_TIMEOUT), false, "setting",
     "session.timeout.ms in DOCHAK_KAFKA_PROPERTIES is out of the broker's bounds"},
    {E(UNSUPPORTED_VERSION), false, "version", "the broker must be Kafka 2.5 or newer"},
    {E(UNKNOWN), false, "other", NULL},
};

const struct kafka_class *kafka_class_of(rd_kafka_resp_err_t code) {
  size_t i = 0;
  while (i < COUNT_OF(classes) - 1 && classes[i].code != code) i++;
  return &classes[i];
}

bool kafka_fail(struct err *err, const char *what, rd_kafka_resp_err_t code, const char *reason) {
  const struct kafka_class *class = kafka_class_of(code);
  err_set_class(err, class->name, "%s: %s", what, reason ? reason : rd_kafka_err2str(code));
  return err_hint(err, class->hint ? class->hint : kafka_hint(code, reason));
}

bool kafka_produce(rd_kafka_t *rk, const struct event_record *record, const struct event *ev, int64_t max_ms,
                   struct err *err) {
  enum { POLL_MS = 50 };
  int64_t deadline_ms = clock_mono_ms() + max_ms;
  rd_kafka_resp_err_t code;
  while ((code = event_produce(rk, record, ev)) == RD_KAFKA_RESP_ERR__QUEUE_FULL &&
         clock_mono_ms() < deadline_ms)
    rd_kafka_poll(rk, POLL_MS);
  if (!code) return true;
  kafka_fail(err, rd_kafka_topic_name(record->topic), code, NULL);
  return err_prefix(err, "produce to ");
}
