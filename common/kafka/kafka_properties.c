// SPDX-License-Identifier: MIT
#include "common/kafka/kafka_properties.h"

#include "common/base/file.h"
#include "common/base/mem.h"
#include <stdlib.h>
#include <string.h>

enum { VALUE_SIZE = 256, FILE_MAX_BYTES = 65536 };

// librdkafka 2.0.2 has some 180 settings; the others break no promise, or librdkafka itself refuses them. A
// row with `most` allows the values from `least` to `most`; a row without it refuses the setting.
static const struct rule {
  const char *name, *alias;
  const char *why;
  double least, most;
} rules[] = {
    {"metadata.broker.list", "bootstrap.servers", "DOCHAK_KAFKA_BOOTSTRAP sets it", 0, 0},

    // ---- a 2xx rests on the delivery report of every record ----
    {"request.required.acks", "acks", "a 2xx rests on acks=all", 0, 0},
    {"delivery.report.only.error", NULL, "a 2xx rests on the report of a delivered record", 0, 0},
    {"enabled_events", NULL, "events would take the place of the delivery reports", 0, 0},
    {"message.timeout.ms", "delivery.timeout.ms",
     "0 keeps a record for ever, and a transaction ends after 10 s", 1000, 10000},
    {"queue.buffering.max.ms", "linger.ms", "a request waits for its records", 0, 100},
    {"message.send.max.retries", "retries", "a record must survive a change of leader", 10, 2147483647},
    {"retry.backoff.ms", NULL, "a retry must come within the ack budget", 1, 1000},
    {"request.timeout.ms", NULL, "the broker must have the time to replicate a record", 1000, 300000},
    {"socket.timeout.ms", NULL, "an answer needs time, and a transaction ends after 10 s", 1000, 10000},
    {"socket.max.fails", NULL, "a connection that does not answer must be closed", 1, 10},
    {"reconnect.backoff.ms", NULL, "a broker that is back must be found soon", 0, 10000},
    {"reconnect.backoff.max.ms", NULL, "a broker that is back must be found soon", 0, 10000},
    {"message.max.bytes", NULL, "the largest request body must fit into one record", 1000000, 1000000000},
    {"receive.message.max.bytes", NULL, "the largest response must be readable", 52429312, 2147483647},
    {"batch.size", NULL, "a topic may refuse a larger batch", 1, 524288},
    {"queue.buffering.max.messages", NULL, "the queue must hold a burst and must not take all memory", 10000,
     1000000},
    {"queue.buffering.max.kbytes", NULL, "the queue must hold a burst and must not take all memory", 8192,
     1048576},
    {"plugin.library.paths", NULL, "a plugin may change or drop records", 0, 0},

    // ---- where records go, and in which order ----
    {"allow.auto.create.topics", NULL, "a broker would make a topic with settings of its own", 0, 0},
    {"topic.blacklist", NULL, "it may hide dochak's topics", 0, 0},
    {"partitioner", NULL, "a key's records must stay in one partition", 0, 0},
    {"queuing.strategy", NULL, "a key's records must stay in order", 0, 0},
    {"api.version.request", NULL, "librdkafka sends no headers to an old broker", 0, 0},
    {"api.version.fallback.ms", NULL, "librdkafka sends no headers to an old broker", 0, 0},
    {"broker.version.fallback", NULL, "librdkafka sends no headers to an old broker", 0, 0},
    {"test.mock.num.brokers", NULL, "the records would be in no cluster", 0, 0},
    {"test.mock.broker.rtt", NULL, "it is of librdkafka's own tests", 0, 0},
    {"ut_handle_ProduceResponse", NULL, "it is of librdkafka's own tests", 0, 0},

    // ---- exactly once ----
    {"enable.idempotence", NULL, "dochak chooses it for each producer", 0, 0},
    {"enable.gapless.guarantee", NULL, "one failed record would end the producer", 0, 0},
    {"transactional.id", NULL, "each worker has its own", 0, 0},
    {"transaction.timeout.ms", NULL, "a batch is timed by it", 0, 0},
    {"isolation.level", NULL, "a new owner must wait for the transaction of the one before", 0, 0},
    {"group.id", NULL, "DOCHAK_GROUP_ID sets it", 0, 0},
    {"group.instance.id", NULL, "DOCHAK_INSTANCE sets it", 0, 0},
    {"group.protocol.type", NULL, "the processor's group is one of consumers", 0, 0},
    {"partition.assignment.strategy", NULL, "all members must have the same", 0, 0},
    {"enable.auto.commit", "auto.commit.enable", "the offsets are part of a batch's transaction", 0, 0},
    {"enable.auto.offset.store", NULL, "the offsets are part of a batch's transaction", 0, 0},
    {"offset.store.method", NULL, "the offsets are part of a batch's transaction", 0, 0},
    {"auto.offset.reset", NULL, "records would be left out", 0, 0},
    {"enable.partition.eof", NULL, "a reader would not find the end of a partition", 0, 0},
    {"fetch.wait.max.ms", NULL, "an alert must not wait for other records", 0, 1000},

    // ---- the process ----
    {"log.queue", NULL, "nothing would read the log lines", 0, 0},
    {"enable_sasl_queue", NULL, "nothing would renew the token", 0, 0},
    {"internal.termination.signal", NULL, "dochak uses signals for its own end", 0, 0},
};

static const struct rule *find_rule(const char *name) {
  for (size_t i = 0; i < COUNT_OF(rules); i++)
    if (strcmp(rules[i].name, name) == 0 || (rules[i].alias && strcmp(rules[i].alias, name) == 0))
      return &rules[i];
  return NULL;
}

// The value as librdkafka read it: it takes 0x10 and 1e3, and ignores what follows a number.
static bool check_bounds(const rd_kafka_conf_t *conf, const char *bare, const char *name,
                         const struct rule *rule, struct err *err) {
  char text[VALUE_SIZE];
  size_t size = sizeof text;
  bool read = rd_kafka_conf_get(conf, bare, text, &size) == RD_KAFKA_CONF_OK;
  double value = read ? strtod(text, NULL) : -1;
  if (value >= rule->least && value <= rule->most) return true;
  return err_set(err, "%s: must be %.0f to %.0f: %s", name, rule->least, rule->most, rule->why);
}

// librdkafka's own error contains the value, which may be a secret.
static bool set(rd_kafka_conf_t *conf, const char *name, const char *value, struct err *err) {
  rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name, value, NULL, 0);
  if (result == RD_KAFKA_CONF_OK) return true;
  bool unknown = result == RD_KAFKA_CONF_UNKNOWN;
  return err_set(err, "%s: librdkafka %s", name, unknown ? "has no such setting" : "refuses the value");
}

static char *trim(char *text) {
  text += strspn(text, " \t\r\n");
  char *end = text + strlen(text);
  while (end > text && strchr(" \t\r\n", end[-1])) end--;
  *end = '\0';
  return text;
}

// librdkafka accepts "topic." in front of a topic's setting.
static const char *without_prefix(const char *name) {
  const char *bare = strncmp(name, "topic.", 6) == 0 ? name + 6 : name;
  return find_rule(bare) ? bare : name;
}

static bool set_line(rd_kafka_conf_t *conf, char *line, struct err *err) {
  char *name = trim(line);
  if (*name == '\0' || *name == '#') return true;
  char *equals = strchr(name, '=');
  if (!equals || equals == name) return err_set(err, "not name=value");
  *equals = '\0';
  name = trim(name);
  const char *bare = without_prefix(name);
  const struct rule *rule = find_rule(bare);
  bool bounded = rule && rule->most > 0;
  if (rule && !bounded) return err_set(err, "%s: must not be set: %s", name, rule->why);
  return set(conf, name, trim(equals + 1), err) && (!bounded || check_bounds(conf, bare, name, rule, err));
}

static bool set_file(rd_kafka_conf_t *conf, const char *path, struct faults *faults) {
  struct err err;
  size_t len, errors = faults->n_errors;
  if (*path == '\0') return true;
  AUTO_FREE char *text = file_read(path, FILE_MAX_BYTES, &len, &err);
  if (!text) return faults_error(faults, "DOCHAK_KAFKA_PROPERTIES: %s: %s", path, err.text);
  if (strlen(text) < len) return faults_error(faults, "%s: contains a NUL byte", path);
  char *rest = text, *line;
  for (int number = 1; (line = strsep(&rest, "\n")); number++)
    if (!set_line(conf, line, &err)) faults_error(faults, "%s:%d: %s", path, number, err.text);
  return faults->n_errors == errors;
}

bool kafka_properties_set(rd_kafka_conf_t *conf, const char *path, struct err *err) {
  struct faults faults = {0};
  bool good = set_file(conf, path, &faults);
  if (!good) err_set(err, "%s", faults.list[0].text);
  faults_fini(&faults);
  return good;
}

bool kafka_properties_check(const char *path, struct faults *faults) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  bool good = set_file(conf, path, faults);
  rd_kafka_conf_destroy(conf);
  return good;
}
