// SPDX-License-Identifier: MIT
// What the operator's file may set, and what it may not.
#include "common/base/mem.h"
#include "common/kafka/kafka_properties.h"
#include "tests/unit/support/properties.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool set(const char *content, struct err *err) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  properties_write(content);
  bool ok = kafka_properties_set(conf, properties_path, err);
  rd_kafka_conf_destroy(conf);
  return ok;
}

static void assert_refused(const char *line, const char *error) {
  struct err err = {0};
  if (set(line, &err)) fail_msg("%s: was taken", line);
  AUTO_FREE char *expected = mem_printf("%s:1: %s", properties_path, error);
  if (strncmp(err.text, expected, strlen(expected)) != 0)
    fail_msg("%s: %s; expected %s", line, err.text, expected);
  assert_null(strstr(err.text, "HUSH"));
}

// Each is a fault in one line: a 2xx for what is lost, records that nobody reads, doubled alerts.
static const char *const never[] = {
    "acks=1",
    "acks=all", // the right value, too: it is not the file's to say
    "request.required.acks=0",
    "topic.acks=1", // librdkafka's other spelling
    "topic.request.required.acks=1",
    "delivery.report.only.error=true",
    "enabled_events=1",
    "plugin.library.paths=HUSH",
    "allow.auto.create.topics=true",
    "topic.blacklist=HUSH",
    "partitioner=random",
    "topic.partitioner=random",
    "queuing.strategy=lifo",
    "topic.queuing.strategy=lifo",
    "api.version.request=false",
    "api.version.fallback.ms=1000",
    "broker.version.fallback=0.9.0",
    "test.mock.num.brokers=3",
    "test.mock.broker.rtt=10",
    "ut_handle_ProduceResponse=HUSH", // a pointer
    "enable.idempotence=true",
    "enable.gapless.guarantee=true",
    "transactional.id=HUSH",
    "transaction.timeout.ms=1000",
    "isolation.level=read_uncommitted",
    "group.id=HUSH",
    "group.instance.id=HUSH",
    "group.protocol.type=HUSH",
    "partition.assignment.strategy=cooperative-sticky",
    "enable.auto.commit=true",
    "auto.commit.enable=true",
    "topic.auto.commit.enable=true",
    "topic.enable.auto.commit=true",
    "enable.auto.offset.store=true",
    "offset.store.method=file",
    "topic.offset.store.method=file",
    "auto.offset.reset=latest",
    "topic.auto.offset.reset=latest",
    "enable.partition.eof=false",
    "log.queue=true",
    "enable_sasl_queue=true",
    "internal.termination.signal=15",
    "bootstrap.servers=HUSH",
    "metadata.broker.list=HUSH",
};

static void test_a_setting_that_breaks_a_promise_is_refused_by_name(void **state) {
  for (size_t i = 0; i < COUNT_OF(never); i++) {
    AUTO_FREE char *name = mem_strndup(never[i], strcspn(never[i], "="));
    AUTO_FREE char *error = mem_printf("%s: must not be set: ", name);
    assert_refused(never[i], error);
  }
  assert_refused("acks=1", "acks: must not be set: a 2xx rests on acks=all");
}

static const struct {
  const char *name, *least, *most, *below, *above;
} bounded[] = {
    {"message.timeout.ms", "1000", "10000", "0", "10001"},
    {"delivery.timeout.ms", "1000", "10000", "999", "60000"},
    {"topic.message.timeout.ms", "1000", "10000", "0", "10001"},
    {"topic.delivery.timeout.ms", "1000", "10000", "0", "10001"},
    {"linger.ms", "0", "100", NULL, "100.5"},
    {"queue.buffering.max.ms", "0.5", "1e2", NULL, "1e3"},
    {"retries", "10", "2147483647", "0", NULL},
    {"message.send.max.retries", "10", "2147483647", "9", NULL},
    {"retry.backoff.ms", "1", "1000", NULL, "1001"},
    {"request.timeout.ms", "1000", "300000", "999", "300001"},
    {"topic.request.timeout.ms", "1000", "300000", "1", "300001"},
    {"socket.timeout.ms", "1000", "10000", "999", "60000"},
    {"socket.max.fails", "1", "10", "0", "11"},
    {"reconnect.backoff.ms", "0", "10000", NULL, "10001"},
    {"reconnect.backoff.max.ms", "0", "10000", NULL, "3600000"},
    {"message.max.bytes", "1000000", "1000000000", "999999", NULL},
    {"receive.message.max.bytes", "52429312", "2147483647", "52429311", NULL},
    {"batch.size", "1", "524288", NULL, "1000000"},
    {"queue.buffering.max.messages", "10000", "1000000", "0", "1000001"},
    {"queue.buffering.max.kbytes", "8192", "1048576", "8191", "1048577"},
    {"fetch.wait.max.ms", "0", "1000", NULL, "1001"},
};

static void test_a_setting_is_taken_within_its_bounds_only(void **state) {
  for (size_t i = 0; i < COUNT_OF(bounded); i++) {
    struct err err = {0};
    const char *const inside[] = {bounded[i].least, bounded[i].most}, *const outside[] = {bounded[i].below,
                                                                                          bounded[i].above};
    for (size_t j = 0; j < 2; j++) {
      AUTO_FREE char *line = mem_printf("%s=%s", bounded[i].name, inside[j]);
      if (!set(line, &err)) fail_msg("%s", err.text);
      if (!outside[j]) continue;
      AUTO_FREE char *bad = mem_printf("%s=%s", bounded[i].name, outside[j]);
      AUTO_FREE char *error = mem_printf("%s: must be ", bounded[i].name);
      assert_refused(bad, error);
    }
  }
  assert_refused("message.timeout.ms=0",
                 "message.timeout.ms: must be 1000 to 10000: 0 keeps a record for ever, ");
  // librdkafka reads a base, an exponent and what stands before the first letter.
  assert_refused("message.timeout.ms=0x10", "message.timeout.ms: must be 1000 to 10000: ");
  assert_refused("linger.ms=1e3x", "linger.ms: must be 0 to 100: ");
}

static const char *const taken[] = {
    "client.rack=a",
    "client.id=x",
    "security.protocol=sasl_ssl",
    "ssl.ca.location=/etc/ssl/certs",
    "enable.ssl.certificate.verification=true",
    "sasl.mechanism=SCRAM-SHA-512",
    "sasl.username=x",
    "sasl.password=a=b#c",
    "compression.type=zstd",
    "topic.compression.codec=lz4",
    "session.timeout.ms=6000",
    "max.poll.interval.ms=60000",
    "debug=broker",
    "log_level=7",
    "log.thread.name=false",
    "connections.max.idle.ms=60000",
    "broker.address.family=v4",
    "max.in.flight=5",
    "sticky.partitioning.linger.ms=10",
    "topic.metadata.refresh.interval.ms=30000",
};

static void test_what_breaks_no_promise_is_taken(void **state) {
  struct err err = {0};
  for (size_t i = 0; i < COUNT_OF(taken); i++)
    if (!set(taken[i], &err)) fail_msg("%s", err.text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_setting_that_breaks_a_promise_is_refused_by_name),
      cmocka_unit_test(test_a_setting_is_taken_within_its_bounds_only),
      cmocka_unit_test(test_what_breaks_no_promise_is_taken),
  };
  return cmocka_run_group_tests(tests, properties_create, properties_remove);
}
