// SPDX-License-Identifier: MIT
#include "ingress/routes/webhook.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/provider/framing.h"
#include "ingress/counters.h"
#include "ingress/http/inflate.h"
#include "ingress/sender/forwarded.h"
#include "ingress/server.h"
#include <stdlib.h>
#include <string.h>

// Of a body that is read only since the refusal has to name its key.
enum { UNAUTHENTICATED_MAX_BYTES = 16384 };

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
                .provider = provider_name(req->provider),
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
  int64_t by_kind[COUNT_OF(destinations)] = {0};
  for (size_t i = 0; i < framing->n; i++) by_kind[framing->elements[i].kind]++;
  for (enum framing_kind kind = 0; kind < COUNT_OF(by_kind); kind++)
    if (by_kind[kind]) metrics_add(metrics, COUNTER_ELEMENTS, framing_kind_name(kind), by_kind[kind]);
  if (by_kind[FRAMING_QUARANTINED])
    metrics_add(metrics, COUNTER_QUARANTINED, endpoint->name, by_kind[FRAMING_QUARANTINED]);
}

// ---- taking in ----

// A request from its whole body to its answer.
struct intake {
  struct ingress *ingress;
  struct request *req;
  struct framing framing;
  struct publisher_message *messages;
  char *inflated; // what a gzip body held, as far as it could be read; or NULL
  size_t inflated_len;
};

static void intake_fini(struct intake *intake) {
  framing_fini(&intake->framing);
  free(intake->messages);
  free(intake->inflated);
}

static int64_t ack_budget_ms(const struct ingress *ingress, const struct provider *provider) {
  int64_t ours = ingress->settings.ack_budget_ms, theirs = provider_budget_ms(provider);
  return theirs < ours ? theirs : ours;
}

static int64_t deadline_of(const struct ingress *ingress, const struct request *req) {
  int64_t budget = clock_mono_ms() + ack_budget_ms(ingress, req->provider);
  return budget < req->answer_by_ms ? budget : req->answer_by_ms;
}

// What it takes beyond the body that came: what it inflated to, and what it was cut into. Many small elements
// take much more than their bytes; a single one never does.
static bool hold_extra(struct intake *intake) {
  size_t each = sizeof *intake->framing.elements + sizeof *intake->messages;
  size_t cut = intake->framing.n > 1 ? intake->framing.n * each : 0;
  return request_hold(intake->req, intake->inflated_len + cut);
}

// A body that was not understood may still hold what the ack has to name.
static struct provider_ack ack_of(const struct intake *intake) {
  const struct request *req = intake->req;
  if (intake->inflated) return provider_ack(req->provider, intake->inflated, intake->inflated_len);
  return provider_ack(req->provider, req->body.bytes, req->body.len);
}

// The ack is made only after the last element is durable.
static struct reply reply_durable(const struct intake *intake, bool spooled) {
  count_elements(intake->ingress->metrics, intake->req->endpoint, &intake->framing);
  struct reply reply = reply_ack(ack_of(intake));
  if (intake->framing.n) reply.way = spooled ? "spool" : "kafka";
  return reply;
}

static struct reply store(struct intake *intake) {
  struct ingress *ingress = intake->ingress;
  const struct request *req = intake->req;
  const struct framing *framing = &intake->framing;
  if (!hold_extra(intake)) return reply_overload();
  intake->messages = mem_array(framing->n, sizeof *intake->messages);
  for (size_t i = 0; i < framing->n; i++)
    intake->messages[i] = message_for(req->endpoint, req, &framing->elements[i]);
  bool spooled;
  switch (publisher_publish(ingress->publisher, intake->messages, framing->n, deadline_of(ingress, req),
                            &spooled)) {
  case PUBLISHER_TOO_LARGE: // once message.max.bytes allows what a body may hold, it can be sent again
  case PUBLISHER_UNAVAILABLE:
    return reply_unavailable();
  case PUBLISHER_DURABLE:
    break;
  }
  return reply_durable(intake, spooled);
}

static void frame_whole(struct intake *intake, const char *reason) {
  framing_init_whole(&intake->framing, intake->req->body.bytes, intake->req->body.len, reason);
}

// False: what is in it is too large.
static bool frame_gzip(struct intake *intake) {
  const struct request *req = intake->req;
  switch (inflate_gzip(req->body.bytes, req->body.len, req->body_max_bytes, &intake->inflated,
                       &intake->inflated_len)) {
  case INFLATE_OVER:
    return false;
  case INFLATE_BROKEN:
    frame_whole(intake, "the body is not the gzip that its Content-Encoding says");
    return true;
  case INFLATE_DONE:
    break;
  }
  framing_init(&intake->framing, req->provider, intake->inflated, intake->inflated_len);
  return true;
}

static bool frame(struct intake *intake) {
  const struct request *req = intake->req;
  switch (request_encoding(req)) {
  case REQUEST_GZIP:
    if (req->body.len) return frame_gzip(intake);
    break;
  case REQUEST_FOREIGN:
    frame_whole(intake, "the body has a Content-Encoding other than identity and gzip");
    return true;
  case REQUEST_PLAIN:
    break;
  }
  framing_init(&intake->framing, req->provider, req->body.bytes, req->body.len);
  return true;
}

static struct reply take_in(struct ingress *ingress, struct request *req) {
  struct intake intake = {.ingress = ingress, .req = req};
  struct reply reply = frame(&intake) ? store(&intake) : reply_inflates_too_much();
  intake_fini(&intake);
  return reply;
}

// ---- the sender ----

static struct verify_request sender_of(const struct ingress *ingress, const struct endpoint *endpoint,
                                       const struct request *req) {
  return (struct verify_request){
      .peer = req->info->remote_addr,
      .headers = req->info->http_headers,
      .n_headers = (size_t)req->info->num_headers,
      .rest = req->rest + strlen(endpoint->name),
      .query = req->info->query_string,
      .now_ms = req->received_ms,
      .trusted = endpoints_trusted_proxies(ingress->endpoints),
  };
}

static void note_refusal(struct ingress *ingress, const struct endpoint *endpoint,
                         const struct verify_request *sender, const char *check) {
  char client[ADDRESS_TEXT_SIZE] = "", client_fault[FORWARDED_FAULT_SIZE] = "";
  struct address address;
  if (forwarded_client(sender, &address, client_fault)) address_text(&address, client);
  metrics_add(ingress->metrics, COUNTER_REFUSED, endpoint->name, 1);
  metrics_add(ingress->metrics, COUNTER_REFUSALS, check, 1);
  AUTO_FREE char *key = mem_printf("refused %s %s", endpoint->name, check);
  log_warn_rarely(key, "sender refused: it does not pass this check of the endpoint; the call is dropped",
                  LOG_STR("endpoint", endpoint->name), LOG_STR("check", check), LOG_STR("peer", sender->peer),
                  LOG_STR("client", client), LOG_STR("client_fault", client_fault));
}

// The body is read before a refusal only because the answer may have to name something in it. Nothing is
// kept.
static struct reply refuse(const struct request *req) {
  AUTO_FREE char *inflated = NULL;
  size_t len = 0;
  if (request_encoding(req) == REQUEST_GZIP)
    inflate_gzip(req->body.bytes, req->body.len, UNAUTHENTICATED_MAX_BYTES, &inflated, &len);
  return reply_ack(inflated ? provider_refusal(req->provider, inflated, len)
                            : provider_refusal(req->provider, req->body.bytes, req->body.len));
}

// ---- requests ----

static void set_clocks(const struct ingress *ingress, struct request *req) {
  const struct provider *provider = req->provider;
  req->answer_by_ms = req->began_ms + provider_deadline_ms(provider);
  req->body_by_ms = req->answer_by_ms - ack_budget_ms(ingress, provider);
}

static void admit_unauthenticated(struct ingress *ingress, struct request *req,
                                  const struct verify_request *sender) {
  note_refusal(ingress, req->endpoint, sender, req->refused);
  req->lane = LANE_UNAUTHENTICATED;
  req->body_max_bytes = UNAUTHENTICATED_MAX_BYTES;
}

bool webhook_admit(struct ingress *ingress, struct request *req, struct reply *refusal) {
  const struct provider_suffix *suffix;
  enum endpoints_match match = endpoints_find(ingress->endpoints, req->rest, &req->endpoint, &suffix);
  if (match == ENDPOINTS_NONE) {
    *refusal = reply_error(404, "not_found", "no such endpoint");
    return false;
  }
  req->provider = suffix ? suffix->provider : req->endpoint->provider;
  req->lane = LANE_FIRST_ENDPOINT + endpoints_index(ingress->endpoints, req->endpoint);
  set_clocks(ingress, req);
  struct verify_request sender = sender_of(ingress, req->endpoint, req);
  req->refused = match == ENDPOINTS_REFUSED ? "secret_path" : verify_head(req->endpoint->checks, &sender);
  if (req->refused) admit_unauthenticated(ingress, req, &sender);
  return true;
}

struct reply webhook_handle(struct ingress *ingress, struct request *req) {
  if (!req->refused) {
    struct verify_request sender = sender_of(ingress, req->endpoint, req);
    sender.body = req->body.bytes;
    sender.body_len = req->body.len;
    req->refused = verify_body(req->endpoint->checks, &sender);
    if (req->refused) note_refusal(ingress, req->endpoint, &sender, req->refused);
  }
  return req->refused ? refuse(req) : take_in(ingress, req);
}
