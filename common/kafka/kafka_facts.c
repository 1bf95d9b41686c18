// SPDX-License-Identifier: MIT
#include "common/kafka/kafka_facts.h"

#include "common/base/mem.h"
#include <stdlib.h>
#include <string.h>

enum { REASON_SIZE = 256 };

// These errors are permanent; after any other one the next request may succeed.
static bool is_denial(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE;
}

static const char *why_unread(rd_kafka_resp_err_t code) {
  bool is_acl = code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
  return is_acl ? "the user in DOCHAK_KAFKA_PROPERTIES lacks the ACL DescribeConfigs"
                : rd_kafka_err2str(code);
}

static void read_entry(const char *name, const char *value, struct kafka_facts *out) {
  if (strcmp(name, "min.insync.replicas") == 0) out->min_insync = strtoll(value, NULL, 10);
  if (strcmp(name, "flush.messages") == 0) out->flush_messages = strtoll(value, NULL, 10);
  if (strcmp(name, "max.message.bytes") == 0) out->max_message_bytes = strtoll(value, NULL, 10);
  if (strcmp(name, "retention.ms") == 0) out->retention_ms = strtoll(value, NULL, 10);
  if (strcmp(name, "retention.bytes") == 0) out->retention_bytes = strtoll(value, NULL, 10);
  if (strcmp(name, "cleanup.policy") == 0) out->compacts = strstr(value, "compact") != NULL;
  if (strcmp(name, "unclean.leader.election.enable") == 0) out->unclean_election = strcmp(value, "true") == 0;
}

static void read_entries(const rd_kafka_ConfigResource_t *resource, struct kafka_facts *out) {
  size_t n;
  const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &n);
  for (size_t i = 0; i < n; i++) {
    const char *value = rd_kafka_ConfigEntry_value(entries[i]);
    if (value) read_entry(rd_kafka_ConfigEntry_name(entries[i]), value, out);
  }
}

static bool read_resource(const rd_kafka_ConfigResource_t *resource, struct kafka_facts *out,
                          struct err *err) {
  rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resource);
  if (code && !is_denial(code))
    return err_set(err, "topic %s: %s", rd_kafka_ConfigResource_name(resource), rd_kafka_err2str(code));
  out->unread = code ? why_unread(code) : NULL;
  read_entries(resource, out);
  return true;
}

static bool read_answer(rd_kafka_event_t *rkev, const char *const *topics, size_t n, struct kafka_facts *out,
                        struct err *err) {
  rd_kafka_resp_err_t code = rd_kafka_event_error(rkev);
  for (size_t i = 0; i < n; i++)
    out[i].unread = code ? why_unread(code) : "the broker did not answer for this topic";
  if (code) return is_denial(code) || err_set(err, "%s", rd_kafka_event_error_string(rkev));
  size_t count;
  const rd_kafka_ConfigResource_t **resources =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(rkev), &count);
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < n; j++)
      if (strcmp(rd_kafka_ConfigResource_name(resources[i]), topics[j]) == 0 &&
          !read_resource(resources[i], &out[j], err))
        return false;
  return true;
}

bool kafka_facts_ask_settings(rd_kafka_t *rk, const char *const *topics, size_t n, int timeout_ms,
                              struct kafka_facts *out, struct err *err) {
  char reason[REASON_SIZE];
  AUTO_FREE rd_kafka_ConfigResource_t **resources = mem_array(n, sizeof(rd_kafka_ConfigResource_t *));
  for (size_t i = 0; i < n; i++)
    resources[i] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topics[i]);
  rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
  rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, reason, sizeof reason);
  rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
  rd_kafka_DescribeConfigs(rk, resources, n, options, queue);
  rd_kafka_event_t *rkev = rd_kafka_queue_poll(queue, timeout_ms);
  bool good = rkev ? read_answer(rkev, topics, n, out, err) : err_set(err, "no answer in %d ms", timeout_ms);
  if (rkev) rd_kafka_event_destroy(rkev);
  rd_kafka_queue_destroy(queue);
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_ConfigResource_destroy_array(resources, n);
  return good || err_prefix(err, "reading the topics' settings: ");
}

bool kafka_facts_ask(rd_kafka_t *rk, const char *const *topics, size_t n, int timeout_ms,
                     struct kafka_facts *out, struct err *err) {
  for (size_t i = 0; i < n; i++) {
    out[i] =
        (struct kafka_facts){.retention_ms = KAFKA_FACTS_UNKNOWN, .retention_bytes = KAFKA_FACTS_UNKNOWN};
    rd_kafka_resp_err_t code = kafka_topic_ask(rk, topics[i], timeout_ms, &out[i].shape);
    if (code) return kafka_topic_fail(topics[i], code, err);
  }
  return kafka_facts_ask_settings(rk, topics, n, timeout_ms, out, err);
}
