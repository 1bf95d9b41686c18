// SPDX-License-Identifier: MIT
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/kafka/kafka.h"
#include "tests/unit/support/output.h"
#include "tests/unit/support/properties.h"
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct settings settings_with(const char *bootstrap, const char *properties) {
  return (struct settings){.kafka_bootstrap = (char *)(uintptr_t)bootstrap,
                           .kafka_properties = (char *)(uintptr_t)properties,
                           .ack_budget_ms = 1500};
}

static const char *value_of(const rd_kafka_conf_t *conf, const char *name) {
  static char value[256];
  size_t size = sizeof value;
  assert_int_equal(rd_kafka_conf_get(conf, name, value, &size), RD_KAFKA_CONF_OK);
  return value;
}

static void test_topics_are_named_by_prefix(void **state) {
  static const char *const names[KAFKA_TOPIC_COUNT] = {"t1.events", "t1.alerts", "t1.quarantine"};
  for (int topic = 0; topic < KAFKA_TOPIC_COUNT; topic++) {
    AUTO_FREE char *name = kafka_topic_name("t1.", (enum kafka_topic)topic);
    assert_string_equal(name, names[topic]);
    enum kafka_topic read;
    assert_true(kafka_topic_from_short_name(kafka_topic_short_name((enum kafka_topic)topic), &read));
    assert_int_equal(read, topic);
  }
  enum kafka_topic read;
  assert_false(kafka_topic_from_short_name("event", &read));
  assert_false(kafka_topic_from_short_name("t1.events", &read));
}

static void test_the_file_comes_over_ours_and_ours_over_the_base(void **state) {
  static const struct kafka_setting ours[] = {
      {"client.id", "ours"}, {"linger.ms", "7"}, {"fetch.wait.max.ms", "50"}};
  properties_write("# a comment\n\n  linger.ms = 9 \r\nsasl.password=a=b#c\nsocket.keepalive.enable=false");
  struct settings settings = settings_with("127.0.0.1:9", properties_path);
  struct err err = {0};
  rd_kafka_conf_t *conf = kafka_conf_new(&settings, ours, COUNT_OF(ours), &err);
  if (!conf) fail_msg("%s", err.text);
  assert_string_equal(value_of(conf, "bootstrap.servers"), "127.0.0.1:9");
  assert_string_equal(value_of(conf, "client.id"), "ours");
  assert_string_equal(value_of(conf, "fetch.wait.max.ms"), "50");
  assert_string_equal(value_of(conf, "linger.ms"), "9");
  assert_string_equal(value_of(conf, "sasl.password"), "a=b#c");
  assert_string_equal(value_of(conf, "socket.keepalive.enable"), "false");
  assert_string_equal(value_of(conf, "socket.nagle.disable"), "true");
  assert_string_equal(value_of(conf, "reconnect.backoff.max.ms"), "1000");
  assert_string_equal(value_of(conf, "allow.auto.create.topics"), "false");
  rd_kafka_conf_destroy(conf);
}

static void test_the_password_may_be_kept_apart_from_the_file(void **state) {
  struct settings settings = settings_with("127.0.0.1:9", properties_path);
  struct err err = {0};
  settings.kafka_password = (char *)(uintptr_t) "HUSH";
  properties_write("sasl.username=me\n");
  rd_kafka_conf_t *conf = kafka_conf_new(&settings, NULL, 0, &err);
  if (!conf) fail_msg("%s", err.text);
  assert_string_equal(value_of(conf, "sasl.password"), "HUSH");
  rd_kafka_conf_destroy(conf);
  properties_write("sasl.username=me\nsasl.password=HUSH2\n");
  assert_null(kafka_conf_new(&settings, NULL, 0, &err));
  assert_memory_equal(err.text, "DOCHAK_KAFKA_PASSWORD: ", 23);
  assert_null(strstr(err.text, "HUSH"));
}

static const struct {
  const char *content, *error; // behind the path
} refused[] = {
    {"\n# x\nrequest.required.acks = 1\n",
     ":3: request.required.acks: must not be set: a 2xx rests on acks=all"},
    {"bootstrap.servers=x", ":1: bootstrap.servers: must not be set: DOCHAK_KAFKA_BOOTSTRAP sets it"},
    {"linger.ms=5\nlingerms=HUSH\n", ":2: lingerms: librdkafka has no such setting"},
    {"linger.ms=HUSH\n", ":1: linger.ms: librdkafka refuses the value"},
    {"HUSH\n", ":1: not name=value"},
    {"=HUSH\n", ":1: not name=value"},
};

static void test_a_line_that_cannot_be_is_named_without_its_value(void **state) {
  struct settings settings = settings_with("127.0.0.1:9", properties_path);
  for (size_t i = 0; i < COUNT_OF(refused); i++) {
    struct err err = {0};
    properties_write(refused[i].content);
    assert_null(kafka_conf_new(&settings, NULL, 0, &err));
    AUTO_FREE char *expected = mem_printf("%s%s", properties_path, refused[i].error);
    assert_string_equal(err.text, expected);
    assert_null(strstr(err.text, "HUSH"));
  }
}

static void test_a_file_that_cannot_be_read_is_named(void **state) {
  struct err err = {0};
  struct settings settings = settings_with("127.0.0.1:9", "/nowhere/kafka.properties");
  assert_null(kafka_conf_new(&settings, NULL, 0, &err));
  assert_string_equal(err.text,
                      "DOCHAK_KAFKA_PROPERTIES: /nowhere/kafka.properties: No such file or directory");
  settings.kafka_properties = (char *)(uintptr_t) "/tmp";
  assert_null(kafka_conf_new(&settings, NULL, 0, &err));
  assert_string_equal(err.text, "DOCHAK_KAFKA_PROPERTIES: /tmp: Is a directory");
}

static void test_a_file_that_is_too_large_or_binary_is_refused(void **state) {
  struct settings settings = settings_with("127.0.0.1:9", properties_path);
  struct err err = {0};
  AUTO_FREE char *text = mem_alloc(80000);
  memset(text, '#', 79999);
  properties_write(text);
  assert_null(kafka_conf_new(&settings, NULL, 0, &err));
  assert_non_null(strstr(err.text, ": expected 65536 bytes at most"));
  FILE *file = fopen(properties_path, "we");
  fwrite("# a\0\nacks=0\n", 1, 12, file);
  fclose(file);
  assert_null(kafka_conf_new(&settings, NULL, 0, &err));
  assert_non_null(strstr(err.text, ": contains a NUL byte"));
}

// A client of a mock cluster inside librdkafka. The id is that of a transactional producer, or "".
static rd_kafka_t *client_of_mock(const char *transactional_id) {
  const struct kafka_setting mock[] = {{"test.mock.num.brokers", "1"},
                                       {"transactional.id", transactional_id}};
  properties_write("");
  struct settings settings = settings_with("127.0.0.1:9", properties_path);
  struct err err = {0};
  rd_kafka_conf_t *conf = kafka_conf_new(&settings, mock, COUNT_OF(mock) - !*transactional_id, &err);
  if (!conf) fail_msg("%s", err.text);
  rd_kafka_t *rk = kafka_client_new(RD_KAFKA_PRODUCER, conf, &err);
  if (!rk) fail_msg("%s", err.text);
  return rk;
}

static void test_a_producer_opens_with_handles_of_all_topics(void **state) {
  properties_write("linger.ms=7\n");
  struct settings settings = settings_with("127.0.0.1:9", properties_path);
  settings.topic_prefix = (char *)(uintptr_t) "t1.";
  static const struct {
    struct kafka_producer_options options;
    const char *timeout_ms, *idempotence, *transaction_ms;
  } rows[] = {
      {{.patience_ms = 1500}, "5000", "false", "60000"},
      {{.patience_ms = 60000}, "60000", "false", "60000"},
      {{.transactional_id = "x"}, "10000", "true", "10000"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct kafka_producer producer;
    struct err err;
    if (!kafka_producer_open(&settings, &rows[i].options, &producer, &err)) fail_msg("%s", err.text);
    const rd_kafka_conf_t *conf = rd_kafka_conf(producer.rk);
    assert_string_equal(value_of(conf, "message.timeout.ms"), rows[i].timeout_ms);
    assert_string_equal(value_of(conf, "enable.idempotence"), rows[i].idempotence);
    assert_string_equal(value_of(conf, "transaction.timeout.ms"), rows[i].transaction_ms);
    assert_string_equal(value_of(conf, "acks"), "-1");
    assert_string_equal(value_of(conf, "allow.auto.create.topics"), "false");
    assert_string_equal(value_of(conf, "batch.size"), "524288");
    assert_string_equal(value_of(conf, "partitioner"), "murmur2_random");
    assert_string_equal(value_of(conf, "linger.ms"), "7");
    if (!rows[i].options.transactional_id) {
      assert_string_equal(value_of(conf, "max.in.flight.requests.per.connection"), "2");
      assert_string_equal(value_of(conf, "queue.buffering.max.messages"), "100000");
    }
    assert_string_equal(rd_kafka_topic_name(producer.topics[KAFKA_TOPIC_EVENTS]), "t1.events");
    assert_string_equal(rd_kafka_topic_name(producer.topics[KAFKA_TOPIC_QUARANTINE]), "t1.quarantine");
    kafka_producer_close(&producer);
    assert_null(producer.rk);
    kafka_producer_close(&producer);
  }
}

static void test_a_producer_that_cannot_be_made_says_why(void **state) {
  struct err err = {0};
  struct settings settings = settings_with("127.0.0.1:9", "");
  static const struct kafka_setting ours[] = {{"security.protocol", "sasl_ssl"},
                                              {"sasl.mechanisms", "NONE-SUCH"}};
  rd_kafka_conf_t *conf = kafka_conf_new(&settings, ours, COUNT_OF(ours), &err);
  assert_non_null(conf);
  assert_null(kafka_client_new(RD_KAFKA_PRODUCER, conf, &err));
  assert_memory_equal(err.text, "kafka producer: ", 16);
}

static void test_a_check_finds_what_no_client_can_be_made_of(void **state) {
  static const struct {
    const char *properties;
    bool idempotent, ok;
  } rows[] = {
      {"", false, true},
      {"", true, true},
      {"max.in.flight.requests.per.connection=10\n", false, true},
      {"max.in.flight.requests.per.connection=10\n", true, false},
      {"security.protocol=ssl\nssl.ca.location=/nowhere/HUSH\n", false, false},
      {"security.protocol=sasl_ssl\nsasl.mechanisms=NONE-SUCH\n", false, false},
  };
  static const struct kafka_setting ours[] = {{"enable.idempotence", "true"}};
  struct settings settings = settings_with("127.0.0.1:9", properties_path);
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct err err = {0};
    properties_write(rows[i].properties);
    const struct kafka_producer_options plain = {.patience_ms = 1500};
    bool ok = rows[i].idempotent
                  ? kafka_client_check(RD_KAFKA_PRODUCER, kafka_conf_new(&settings, ours, 1, &err), &err)
                  : kafka_producer_check(&settings, &plain, &err);
    if (ok != rows[i].ok) fail_msg("%s: %s", rows[i].properties, err.text);
    if (!ok) assert_memory_equal(err.text, "kafka producer: ", 16);
  }
  assert_false(kafka_client_check(RD_KAFKA_CONSUMER, NULL, NULL));
}

// librdkafka has rules between settings, too.
static void test_every_client_takes_the_ends_of_the_bounds(void **state) {
  static const char *const files[] = {
      "message.timeout.ms=1000\nlinger.ms=100\n",
      "message.timeout.ms=10000\nsocket.timeout.ms=10000\nretries=10\n",
      "socket.timeout.ms=1000\nbatch.size=1\n",
      "message.max.bytes=1000000\nreceive.message.max.bytes=52429312\n",
      "message.max.bytes=1000000000\nreceive.message.max.bytes=2147483647\n",
      "queue.buffering.max.messages=10000\nqueue.buffering.max.kbytes=8192\n",
      "reconnect.backoff.ms=10000\nreconnect.backoff.max.ms=10000\nfetch.wait.max.ms=0\n",
  };
  static const struct kafka_setting consumer[] = {{"group.id", "x"}};
  struct settings settings = settings_with("127.0.0.1:9", properties_path);
  for (size_t i = 0; i < COUNT_OF(files); i++) {
    struct err err = {0};
    properties_write(files[i]);
    if (!kafka_producer_check(&settings, &(struct kafka_producer_options){0}, &err) ||
        !kafka_producer_check(&settings, &(struct kafka_producer_options){.transactional_id = "x"}, &err) ||
        !kafka_client_check(RD_KAFKA_CONSUMER, kafka_conf_new(&settings, consumer, 1, &err), &err))
      fail_msg("%s: %s", files[i], err.text);
  }
}

static const char *const topics[] = {"t.events", "t.alerts"};

static void test_topics_that_exist_are_found_at_once(void **state) {
  rd_kafka_t *rk = client_of_mock("");
  rd_kafka_mock_cluster_t *cluster = rd_kafka_handle_mock_cluster(rk);
  struct err err = {0};
  for (size_t i = 0; i < COUNT_OF(topics); i++) rd_kafka_mock_topic_create(cluster, topics[i], 3, 1);
  int64_t before = clock_mono_ms();
  if (!kafka_warm_topics(rk, topics, COUNT_OF(topics), 5000, &err)) fail_msg("%s", err.text);
  assert_true(clock_mono_ms() - before < 2000);
  rd_kafka_destroy(rk);
}

static void test_a_missing_topic_is_named_with_what_to_run(void **state) {
  rd_kafka_t *rk = client_of_mock("");
  rd_kafka_mock_cluster_t *cluster = rd_kafka_handle_mock_cluster(rk);
  struct err err = {0};
  rd_kafka_mock_topic_create(cluster, topics[0], 3, 1);
  rd_kafka_mock_topic_set_error(cluster, topics[1], RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  int64_t before = clock_mono_ms();
  assert_false(kafka_warm_topics(rk, topics, COUNT_OF(topics), 350, &err));
  assert_in_range(clock_mono_ms() - before, 100, 2000);
  assert_string_equal(err.text,
                      "topic t.alerts: Broker: Unknown topic or partition; \"dochak-processor migrate\" "
                      "creates it");
  rd_kafka_destroy(rk);
}

// Nothing listens on port 9 of the loopback.
static rd_kafka_t *client_without_broker(void) {
  struct settings settings = settings_with("127.0.0.1:9", "");
  struct err err = {0};
  rd_kafka_conf_t *conf = kafka_conf_new(&settings, NULL, 0, &err);
  if (!conf) fail_msg("%s", err.text);
  rd_kafka_conf_set_log_cb(conf, NULL);
  rd_kafka_t *rk = kafka_client_new(RD_KAFKA_PRODUCER, conf, &err);
  if (!rk) fail_msg("%s", err.text);
  return rk;
}

static void test_a_broker_that_is_away_is_an_error_in_time(void **state) {
  rd_kafka_t *rk = client_without_broker();
  struct err err = {0};
  int64_t before = clock_mono_ms();
  assert_false(kafka_warm_topics(rk, topics, COUNT_OF(topics), 100, &err));
  assert_memory_equal(err.text, "topic t.events: Local: ", 23);
  assert_true(clock_mono_ms() - before < 3000);
  rd_kafka_destroy(rk);
}

// A broker that is not there makes librdkafka say so again and again.
static void test_a_dead_broker_does_not_flood_the_log(void **state) {
  struct settings settings = settings_with("127.0.0.1:9", "");
  struct err err = {0};
  static struct output output;
  output_begin(&output);
  rd_kafka_t *clients[5];
  for (size_t i = 0; i < COUNT_OF(clients); i++) {
    clients[i] = kafka_client_new(RD_KAFKA_PRODUCER, kafka_conf_new(&settings, NULL, 0, &err), &err);
    assert_non_null(clients[i]);
  }
  assert_false(kafka_warm_topics(clients[0], topics, 1, 300, &err));
  for (size_t i = 0; i < COUNT_OF(clients); i++) rd_kafka_destroy(clients[i]);
  output_end(&output);
  size_t lines = 0;
  for (const char *at = output.text; *at; at++) lines += *at == '\n';
  assert_in_range(lines, 1, 4);
  assert_non_null(strstr(output.text, "Connection refused"));
  assert_non_null(strstr(output.text, "\"level\":\"error\""));
  assert_non_null(strstr(output.text, "\"message\":\"librdkafka\""));
}

// As at the first start of a Kafka, whose topic of transactions is not there yet.
static void test_a_producer_id_that_comes_a_moment_later_is_no_warning(void **state) {
  enum { INIT_PRODUCER_ID = 22 /* ApiKey */ };
  static struct output output;
  log_init("test", LOG_LEVEL_DEBUG);
  output_begin(&output);
  rd_kafka_t *rk = client_of_mock("t");
  rd_kafka_mock_push_request_errors(rd_kafka_handle_mock_cluster(rk), INIT_PRODUCER_ID, 1,
                                    RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS);
  rd_kafka_error_t *error = rd_kafka_init_transactions(rk, 10000);
  rd_kafka_destroy(rk);
  output_end(&output);
  log_init("test", LOG_LEVEL_INFO);
  if (error) fail_msg("%s", rd_kafka_error_string(error));
  const char *line = strstr(output.text, "Failed to acquire transactional PID");
  assert_non_null(line);
  while (line > output.text && line[-1] != '\n') line--;
  assert_memory_equal(strstr(line, "\"level\":"), "\"level\":\"debug\"", 15);
}

// What the callbacks of a consumer saw. They belong to the thread that polls.
struct seen {
  int assigned, revoked;
};

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *partitions, void *opaque) {
  struct seen *seen = opaque;
  bool assign = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
  *(assign ? &seen->assigned : &seen->revoked) += 1;
  rd_kafka_assign(rk, assign ? partitions : NULL);
}

static rd_kafka_t *member_of_mock(struct seen *seen) {
  static const struct kafka_setting ours[] = {
      {"test.mock.num.brokers", "1"}, {"group.id", "g"}, {"group.instance.id", "g-1"}};
  struct settings settings = settings_with("127.0.0.1:9", "");
  struct err err = {0};
  rd_kafka_conf_t *conf = kafka_conf_new(&settings, ours, COUNT_OF(ours), &err);
  if (!conf) fail_msg("%s", err.text);
  rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
  rd_kafka_conf_set_opaque(conf, seen);
  rd_kafka_t *rk = kafka_client_new(RD_KAFKA_CONSUMER, conf, &err);
  if (!rk) fail_msg("%s", err.text);
  rd_kafka_poll_set_consumer(rk);
  rd_kafka_mock_topic_create(rd_kafka_handle_mock_cluster(rk), topics[0], 1, 1);
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, topics[0], RD_KAFKA_PARTITION_UA);
  assert_int_equal(rd_kafka_subscribe(rk, list), RD_KAFKA_RESP_ERR_NO_ERROR);
  rd_kafka_topic_partition_list_destroy(list);
  int64_t deadline = clock_mono_ms() + 30000;
  while (!seen->assigned && clock_mono_ms() < deadline) {
    rd_kafka_message_t *rkm = rd_kafka_consumer_poll(rk, 50);
    if (rkm) rd_kafka_message_destroy(rkm);
  }
  assert_int_equal(seen->assigned, 1);
  return rk;
}

// Also of one that is fenced, as by another process of its name: librdkafka closes nothing then.
static void test_a_consumer_is_freed_in_time_and_calls_nobody(void **state) {
  for (int fenced = 0; fenced <= 1; fenced++) {
    static struct output output;
    struct seen seen = {0};
    rd_kafka_t *rk = member_of_mock(&seen);
    if (fenced) rd_kafka_test_fatal_error(rk, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, "fenced");
    output_begin(&output);
    kafka_client_free(rk);
    output_end(&output);
    assert_null(strstr(output.text, "abandoned"));
    assert_int_equal(seen.revoked, 0);
  }
}

static int start(void **state) {
  log_init("test", LOG_LEVEL_INFO);
  return properties_create(state);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_topics_are_named_by_prefix),
      cmocka_unit_test(test_the_file_comes_over_ours_and_ours_over_the_base),
      cmocka_unit_test(test_the_password_may_be_kept_apart_from_the_file),
      cmocka_unit_test(test_a_line_that_cannot_be_is_named_without_its_value),
      cmocka_unit_test(test_a_file_that_cannot_be_read_is_named),
      cmocka_unit_test(test_a_file_that_is_too_large_or_binary_is_refused),
      cmocka_unit_test(test_a_producer_that_cannot_be_made_says_why),
      cmocka_unit_test(test_a_check_finds_what_no_client_can_be_made_of),
      cmocka_unit_test(test_every_client_takes_the_ends_of_the_bounds),
      cmocka_unit_test(test_topics_that_exist_are_found_at_once),
      cmocka_unit_test(test_a_missing_topic_is_named_with_what_to_run),
      cmocka_unit_test(test_a_broker_that_is_away_is_an_error_in_time),
      cmocka_unit_test(test_a_dead_broker_does_not_flood_the_log),
      // Behind the one before, since its lines would count as that one's.
      cmocka_unit_test(test_a_producer_opens_with_handles_of_all_topics),
      cmocka_unit_test(test_a_producer_id_that_comes_a_moment_later_is_no_warning),
      cmocka_unit_test(test_a_consumer_is_freed_in_time_and_calls_nobody),
  };
  return cmocka_run_group_tests(tests, start, properties_remove);
}
