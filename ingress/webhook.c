// SPDX-License-Identifier: MIT
#include "ingress/webhook.h"

#include "common/log.h"
#include "common/mem.h"
#include "ingress/counters.h"
#include "ingress/framing.h"
#include "ingress/server.h"
#include <stdlib.h>

static const struct {
  enum kafka_topic topic;
  const char *type;
} destinations[] = {
    [FRAMING_RECEIPT] = {KAFKA_TOPIC_EVENTS, EVENT_RECEIPT},
    [FRAMING_OTHER] = {KAFKA_TOPIC_EVENTS, EVENT_OTHER},
    [FRAMING_QUARANTINED] = {KAFKA_TOPIC_QUARANTINE, EVENT_QUARANTINED},
};

static struct publisher_message message_for(const struct endpoint *endpoint, const struct request *req,
                                            const struct framing_element *element) {
  const char *id = element->kind == FRAMING_QUARANTINED ? NULL : element->read.id;
  return (struct publisher_message){
      .topic = destinations[element->kind].topic,
      .event = {.id = uuid_new_v7(),
                .type = destinations[element->kind].type,
                .source = endpoint->source,
                .subject = id,
                .time_ms = req->received_ms,
                .provider = provider_name(endpoint->provider),
                .endpoint = endpoint->name,
                .traceparent = req->traceparent,
                .reason = element->reason},
      .key = id,
      .value = element->bytes,
      .value_len = element->len,
  };
}

static void count_elements(struct metrics *metrics, const struct endpoint *endpoint,
                           const struct framing *framing) {
  for (size_t i = 0; i < framing->n; i++) {
    enum framing_kind kind = framing->elements[i].kind;
    metrics_add(metrics, COUNTER_ELEMENTS, framing_kind_name(kind), 1);
    if (kind == FRAMING_QUARANTINED) metrics_add(metrics, COUNTER_QUARANTINED, endpoint->name, 1);
  }
}

static int64_t ack_budget_ms(const struct ingress *ingress, const struct provider *provider) {
  int64_t ours = ingress->settings.ack_budget_ms, theirs = provider_budget_ms(provider);
  return theirs < ours ? theirs : ours;
}

// Nothing of the answer is decided before the last element is durable.
static struct reply store(struct ingress *ingress, const struct endpoint *endpoint, const struct request *req,
                          const struct framing *framing) {
  AUTO_FREE struct publisher_message *messages = mem_array(framing->n, sizeof *messages);
  for (size_t i = 0; i < framing->n; i++) messages[i] = message_for(endpoint, req, &framing->elements[i]);
  switch (publisher_publish(ingress->publisher, messages, framing->n,
                            ack_budget_ms(ingress, endpoint->provider))) {
  case PUBLISHER_TOO_LARGE: // Kafka was told to take less than a body may hold: once that is put right, it
                            // can be sent again
  case PUBLISHER_UNAVAILABLE:
    return reply_unavailable();
  case PUBLISHER_DURABLE:
    break;
  }
  count_elements(ingress->metrics, endpoint, framing);
  return reply_ack(provider_ack(endpoint->provider, framing->document));
}

// A provider that takes a 4xx for final never sends it again: somebody has to know.
static void log_unread(const struct ingress *ingress, const struct endpoint *endpoint,
                       const struct reply *reply) {
  if (reply->status != 413) return;
  log_warn("webhook body over DOCHAK_BODY_MAX_BYTES: answered 413, and the sender may not try again",
           LOG_STR("endpoint", endpoint->name), LOG_INT("limit_bytes", ingress->settings.body_max_bytes));
}

static struct reply take_in(struct ingress *ingress, const struct endpoint *endpoint, struct request *req) {
  struct request_body body;
  struct reply reply;
  if (!request_read_body(req, (size_t)ingress->settings.body_max_bytes, &body, &reply)) {
    log_unread(ingress, endpoint, &reply);
    return reply;
  }
  struct framing framing;
  if (request_is_plain(req))
    framing_init(&framing, endpoint->provider, body.bytes, body.len);
  else
    framing_init_whole(&framing, body.bytes, body.len, "the body has a Content-Encoding other than identity");
  reply = store(ingress, endpoint, req, &framing);
  framing_fini(&framing);
  free(body.bytes);
  return reply;
}

// The body is read only since the answer may have to name something in it. Nothing is kept.
static struct reply refuse(struct ingress *ingress, const struct endpoint *endpoint, struct request *req) {
  metrics_add(ingress->metrics, COUNTER_REFUSED, endpoint->name, 1);
  log_warn("sender refused: the last part of the path is no secret of this endpoint; the call is dropped",
           LOG_STR("endpoint", endpoint->name), LOG_STR("check", "secret_path"),
           LOG_STR("peer", req->info->remote_addr));
  struct request_body body;
  struct reply reply;
  if (!request_read_body(req, (size_t)ingress->settings.body_max_bytes, &body, &reply)) return reply;
  AUTO_JSON *document = json_parse(body.bytes ? body.bytes : "", body.len, NULL);
  free(body.bytes);
  return reply_ack(provider_refusal(endpoint->provider, document));
}

struct reply webhook_handle(struct ingress *ingress, struct request *req) {
  const struct endpoint *endpoint;
  switch (endpoints_find(ingress->endpoints, req->rest, &endpoint)) {
  case ENDPOINTS_NONE:
    return reply_error(404, "not_found", "no such endpoint");
  case ENDPOINTS_REFUSED:
    return refuse(ingress, endpoint, req);
  case ENDPOINTS_FOUND:
    break;
  }
  metrics_add(ingress->metrics, COUNTER_REQUESTS, endpoint->name, 1);
  return take_in(ingress, endpoint, req);
}
