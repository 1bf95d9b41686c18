// SPDX-License-Identifier: MIT
#include "ingress/webhook.h"

#include "common/framing.h"
#include "common/log.h"
#include "common/mem.h"
#include "ingress/counters.h"
#include "ingress/forwarded.h"
#include "ingress/server.h"
#include <stdlib.h>
#include <string.h>

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

static struct reply take_in(struct ingress *ingress, const struct endpoint *endpoint, struct request *req,
                            const struct request_body *body) {
  struct framing framing;
  if (request_is_plain(req))
    framing_init(&framing, endpoint->provider, body->bytes, body->len);
  else
    framing_init_whole(&framing, body->bytes, body->len,
                       "the body has a Content-Encoding other than identity");
  struct reply reply = store(ingress, endpoint, req, &framing);
  framing_fini(&framing);
  return reply;
}

// ---- the sender ----

static struct verify_request sender_of(const struct ingress *ingress, const struct endpoint *endpoint,
                                       const struct request *req) {
  return (struct verify_request){
      .peer = req->info->remote_addr,
      .headers = req->info->http_headers,
      .n_headers = req->info->num_headers,
      .rest = req->rest + strlen(endpoint->name),
      .query = req->info->query_string,
      .now_ms = req->received_ms,
      .trusted = endpoints_trusted_proxies(ingress->endpoints),
  };
}

static void tell_refusal(struct ingress *ingress, const struct endpoint *endpoint,
                         const struct verify_request *sender, const char *check) {
  char client[ADDRESS_TEXT_SIZE] = "";
  struct address address;
  if (forwarded_client(sender, &address)) address_text(&address, client);
  metrics_add(ingress->metrics, COUNTER_REFUSED, endpoint->name, 1);
  metrics_add(ingress->metrics, COUNTER_REFUSALS, check, 1);
  log_warn("sender refused: it does not pass this check of the endpoint; the call is dropped",
           LOG_STR("endpoint", endpoint->name), LOG_STR("check", check), LOG_STR("peer", sender->peer),
           LOG_STR("client", client));
}

// The body is read before a refusal only since the answer may have to name something in it. Nothing is kept.
static struct reply refuse(const struct endpoint *endpoint, const struct request_body *body) {
  AUTO_JSON *document = json_parse(body->bytes ? body->bytes : "", body->len, NULL);
  return reply_ack(provider_refusal(endpoint->provider, document));
}

// `refused` names the check that has already said no, or is NULL.
static struct reply answer(struct ingress *ingress, const struct endpoint *endpoint, struct request *req,
                           const char *refused) {
  struct verify_request sender = sender_of(ingress, endpoint, req);
  if (!refused) refused = verify_head(endpoint->checks, &sender);
  if (refused) tell_refusal(ingress, endpoint, &sender, refused);
  struct request_body body;
  struct reply reply;
  if (!request_read_body(req, (size_t)ingress->settings.body_max_bytes, &body, &reply)) {
    if (!refused) log_unread(ingress, endpoint, &reply);
    return reply;
  }
  sender.body = body.bytes;
  sender.body_len = body.len;
  if (!refused && (refused = verify_body(endpoint->checks, &sender)))
    tell_refusal(ingress, endpoint, &sender, refused);
  reply = refused ? refuse(endpoint, &body) : take_in(ingress, endpoint, req, &body);
  free(body.bytes);
  return reply;
}

struct reply webhook_handle(struct ingress *ingress, struct request *req) {
  const struct endpoint *endpoint;
  switch (endpoints_find(ingress->endpoints, req->rest, &endpoint)) {
  case ENDPOINTS_NONE:
    return reply_error(404, "not_found", "no such endpoint");
  case ENDPOINTS_REFUSED:
    return answer(ingress, endpoint, req, "secret_path");
  case ENDPOINTS_FOUND:
    break;
  }
  metrics_add(ingress->metrics, COUNTER_REQUESTS, endpoint->name, 1);
  return answer(ingress, endpoint, req, NULL);
}
