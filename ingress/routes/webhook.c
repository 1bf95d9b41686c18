// SPDX-License-Identifier: MIT
#include "ingress/routes/webhook.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/ops/form.h"
#include "common/provider/framing.h"
#include "common/provider/provider_answer.h"
#include "ingress/counters.h"
#include "ingress/sender/forwarded.h"
#include "ingress/server.h"
#include <stdlib.h>
#include <string.h>

// Limit of a body that is read only because the refusal has to name its key.
enum { UNAUTHENTICATED_MAX_BYTES = 16384 };
enum { CHALLENGE_MAX_BYTES = 256 };

static const struct {
  enum kafka_topic topic;
  const char *type;
} destinations[] = {
    [FRAMING_RECEIPT] = {KAFKA_TOPIC_EVENTS, EVENT_RECEIPT},
    [FRAMING_CONTACT] = {KAFKA_TOPIC_EVENTS, EVENT_CONTACT},
    [FRAMING_OTHER] = {KAFKA_TOPIC_EVENTS, EVENT_OTHER},
    [FRAMING_QUARANTINED] = {KAFKA_TOPIC_QUARANTINE, EVENT_QUARANTINED},
};

static struct publisher_message message_for(const struct request *req,
                                            const struct framing_element *element) {
  return (struct publisher_message){
      .topic = destinations[element->kind].topic,
      .event = {.id = uuid_new_v7(),
                .type = destinations[element->kind].type,
                .source = req->endpoint->source,
                .subject = element->id,
                .time_ms = req->received_ms,
                .provider = provider_name(req->provider),
                .endpoint = req->endpoint->name,
                .traceparent = req->traceparent,
                .reason = element->reason},
      .key = element->id,
      .value = element->bytes,
      .value_len = element->len,
  };
}

static void count_elements(struct metrics *metrics, const struct endpoint *endpoint,
                           const struct framing *framing) {
  int64_t counts[FRAMING_QUARANTINED + 1] = {0};
  for (size_t i = 0; i < framing->n; i++) counts[framing->elements[i].kind]++;
  for (enum framing_kind kind = 0; kind < COUNT_OF(counts); kind++)
    if (counts[kind]) metrics_add(metrics, COUNTER_ELEMENTS, framing_kind_name(kind), counts[kind]);
  if (counts[FRAMING_QUARANTINED])
    metrics_add(metrics, COUNTER_QUARANTINED, endpoint->name, counts[FRAMING_QUARANTINED]);
}

// ---- an authenticated request, from its body to its answer ----

static int64_t ack_budget_ms(const struct ingress *ingress, const struct provider *provider) {
  int64_t ours = ingress->settings.ack_budget_ms, theirs = provider_budget_ms(provider);
  return theirs < ours ? theirs : ours;
}

static int64_t deadline_of(const struct ingress *ingress, const struct request *req) {
  int64_t budget = clock_mono_ms() + ack_budget_ms(ingress, req->provider);
  return budget < req->answer_by_ms ? budget : req->answer_by_ms;
}

// Many small elements take much more memory than their bytes; a single one never does.
static bool hold_elements(struct request *req, const struct framing *framing) {
  size_t n = framing->n < 2 ? 0 : framing->n;
  return n + framing->made_bytes == 0 ||
         request_hold(req, framing->made_bytes +
                               n * (sizeof(struct framing_element) + sizeof(struct publisher_message)));
}

static bool publish(const struct ingress *ingress, const struct request *req, const struct framing *framing,
                    bool *spooled) {
  AUTO_FREE struct publisher_message *messages = mem_array(framing->n, sizeof *messages);
  for (size_t i = 0; i < framing->n; i++) messages[i] = message_for(req, &framing->elements[i]);
  return publisher_publish(ingress->publisher, messages, framing->n, deadline_of(ingress, req), spooled);
}

static void answer(struct request *req, struct provider_ack ack, enum reply_way way) {
  (ack.is_text ? reply_text : reply_ok)(req, ack.status, ack.body, way);
}

static void acknowledge(const struct ingress *ingress, struct request *req, const struct framing *framing,
                        bool spooled) {
  count_elements(ingress->metrics, req->endpoint, framing);
  struct json_span text = framing->text;
  struct provider_ack ack =
      provider_ack(req->provider, framing_ack(framing), text.from, (size_t)(text.to - text.from));
  answer(req, ack, framing->n == 0 ? REPLY_NONE : spooled ? REPLY_SPOOL : REPLY_KAFKA);
}

// The largest element that the limit of an endpoint lets in, and a body that could not be cut, may still be
// too large for a record of Kafka.
static bool fits_records(const struct ingress *ingress, struct request *req, const struct framing *framing) {
  size_t most = (size_t)ingress->settings.body_max_bytes;
  if (!framing_too_large(framing, most)) return true;
  req->body_max_bytes = most;
  req->body_limit = SERVER_BODY_LIMIT;
  return reply_too_large(req, "an element of the body");
}

static void store(const struct ingress *ingress, struct request *req, const struct framing *framing) {
  bool spooled;
  if (!hold_elements(req, framing))
    reply_overload(req);
  else if (!publish(ingress, req, framing, &spooled))
    reply_unavailable(req);
  else
    acknowledge(ingress, req, framing, spooled);
}

static const char *header_once(const void *request, const char *name) {
  size_t count;
  const char *value = request_header(request, name, &count);
  return count == 1 ? value : NULL;
}

// The query of a GET, without the parameter that authenticates the sender. New; "" if there is none.
static char *query_of(const struct request *req) {
  const char *secret = verify_query_parameter(req->endpoint->checks);
  const char *query = mem_or_empty(req->info->query_string);
  return secret ? form_without(query, secret) : mem_strdup(query);
}

static void take_in_query(const struct ingress *ingress, struct request *req) {
  struct framing framing;
  AUTO_FREE char *query = query_of(req);
  const struct framing_head head = {header_once, req};
  framing_init(&framing, req->provider, query, strlen(query), &head);
  store(ingress, req, &framing);
  framing_fini(&framing);
}

static void take_in(const struct ingress *ingress, struct request *req) {
  const char *fault;
  struct framing framing;
  const struct framing_head head = {header_once, req};
  if (!request_decode(req, &fault)) return;
  if (fault) {
    framing_init_whole(&framing, req->body.bytes, req->body.len, fault);
    framing.text = json_without_mark(mem_or_empty(req->content.bytes), req->content.len);
  } else {
    framing_init(&framing, req->provider, req->content.bytes, req->content.len, &head);
  }
  if (fits_records(ingress, req, &framing)) store(ingress, req, &framing);
  framing_fini(&framing);
}

// ---- the sender ----

// The secret of the path stands for the signature, so there has to be one.
static bool is_unsigned_suffix(const struct request *req) {
  return req->provider != req->endpoint->provider && provider_is_unsigned(req->provider) &&
         req->endpoint->path.n > 0;
}

static void note_refusal(const struct ingress *ingress, const struct request *req) {
  char client[ADDRESS_TEXT_SIZE] = "", client_fault[FORWARDED_FAULT_SIZE] = "";
  struct address address;
  const char *endpoint = req->endpoint->name;
  if (forwarded_client(req, req->endpoint->trusted, &address, client_fault)) address_text(&address, client);
  metrics_add(ingress->metrics, COUNTER_REFUSED, endpoint, 1);
  metrics_add(ingress->metrics, COUNTER_REFUSALS, req->refused, 1);
  AUTO_FREE char *key = mem_printf("refused %s %s", endpoint, req->refused);
  log_warn_rarely(key, "sender refused by a check of the endpoint", LOG_STR("endpoint", endpoint),
                  LOG_STR("check", req->refused), LOG_STR("peer", req->info->remote_addr),
                  LOG_STR("client", client), LOG_STR("client_fault", client_fault));
}

// Nothing is kept. The body was read only because the answer may have to name something in it.
static void refuse(struct request *req) {
  const char *fault;
  if (req->body_max_bytes > UNAUTHENTICATED_MAX_BYTES) req->body_max_bytes = UNAUTHENTICATED_MAX_BYTES;
  request_decode(req, &fault);
  answer(req, provider_refusal(req->provider, req->content.bytes, req->content.len), REPLY_NONE);
}

static bool is_get(const struct request *req) {
  return strcmp(req->info->request_method, "GET") == 0;
}

// ---- the provider tries the URL out ----

static bool is_value(const struct piece *value, const char *text) {
  return value && value->len == strlen(text) && memcmp(value->bytes, text, value->len) == 0;
}

static bool are_equal(const struct form *query, const json_t *equals) {
  const char *name;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)equals, name,
                      value) if (!is_value(form_only(query, name), json_string_value(value))) return false;
  return true;
}

// It is sent back, so it must be nothing but a short text.
static bool is_plain(const struct piece *text) {
  const unsigned char *bytes = text->bytes;
  for (size_t i = 0; i < text->len; i++)
    if (bytes[i] < ' ' || bytes[i] > '~') return false;
  return text->len > 0 && text->len <= CHALLENGE_MAX_BYTES;
}

// New; NULL: a parameter is not there, or is not what it has to be.
static char *answer_to(const struct provider_challenge *challenge, const struct request *req) {
  struct form query;
  const char *text = req->info->query_string;
  if (!text || !form_parse(&query, text, strlen(text), FORM_PLUS_IS_SPACE)) return NULL;
  const struct piece *token = form_only(&query, challenge->token);
  const struct piece *answer = form_only(&query, challenge->answer);
  bool good = token && secrets_hold(&req->endpoint->verify_token, token->bytes, token->len) &&
              are_equal(&query, challenge->equals) && answer && is_plain(answer);
  char *found = good ? mem_strndup(answer->bytes, answer->len) : NULL;
  form_fini(&query);
  return found;
}

static void try_out(struct request *req, const struct provider_challenge *challenge) {
  char *answer = challenge ? answer_to(challenge, req) : NULL;
  if (challenge && !answer) req->refused = "verify_token";
  reply_text(req, 200, answer, REPLY_NONE);
}

// Whether the provider tries the URL out with this method (provider.schema.json, `handshake`).
static bool is_handshake(const struct provider *provider, const char *method) {
  if (provider_takes(provider, method)) return false;
  return provider_answers_empty(provider, method) ||
         (strcmp(method, "GET") == 0 && provider_challenge(provider));
}

// It counts as no call of the endpoint, since it says nothing of results. False: it has the reply.
static bool answer_handshake(struct ingress *ingress, struct request *req, enum endpoints_match match) {
  req->is_handshake = true;
  req->is_unsigned = true; // there is nothing to sign
  req->refused = match == ENDPOINTS_REFUSED ? ENDPOINTS_SECRET_PATH
                                            : verify_run(req->endpoint->checks, req, VERIFY_HEAD);
  if (!req->refused) try_out(req, is_get(req) ? provider_challenge(req->provider) : NULL);
  if (!req->refused) return false;
  note_refusal(ingress, req);
  return reply_error(req, 403, "refused",
                     "the token, the path or the address is not the provider's, or the challenge is none");
}

// ---- requests ----

static bool refuse_method(struct request *req, const struct provider *provider) {
  if (!provider_takes(provider, "GET")) return reply_not_allowed(req, "POST", "Allow: POST\r\n");
  if (!provider_takes(provider, "POST")) return reply_not_allowed(req, "GET", "Allow: GET\r\n");
  return reply_not_allowed(req, "GET and POST", "Allow: GET, POST\r\n");
}

static void set_body_limit(struct request *req) {
  req->body_max_bytes = (size_t)req->endpoint->body_max_bytes;
  req->body_limit = ENDPOINTS_BODY_LIMIT;
}

bool webhook_admit(struct ingress *ingress, struct request *req) {
  const struct endpoint *endpoint;
  const struct provider_suffix *suffix;
  enum endpoints_match match = endpoints_find(ingress->endpoints, req->rest, &endpoint, &suffix);
  if (match == ENDPOINTS_NONE) return reply_error(req, 404, "not_found", "no such endpoint");
  const struct provider *provider = suffix ? suffix->provider : endpoint->provider;
  bool handshake = is_handshake(provider, req->info->request_method);
  if (!handshake && !provider_takes(provider, req->info->request_method)) return refuse_method(req, provider);
  req->endpoint = endpoint; // from here on it counts as a call of the provider
  req->provider = provider;
  req->rest += strlen(req->endpoint->name);
  if (handshake) return answer_handshake(ingress, req, match);
  req->is_unsigned = is_unsigned_suffix(req);
  req->answer_by_ms = req->began_ms + provider_deadline_ms(req->provider);
  req->body_by_ms = req->answer_by_ms - ack_budget_ms(ingress, req->provider);
  req->refused = match == ENDPOINTS_REFUSED ? ENDPOINTS_SECRET_PATH
                                            : verify_run(req->endpoint->checks, req, VERIFY_HEAD);
  if (req->refused) {
    note_refusal(ingress, req);
    req->body_max_bytes = UNAUTHENTICATED_MAX_BYTES;
  } else {
    req->lane = LANE_FIRST_ENDPOINT + (size_t)(req->endpoint - ingress->endpoints->list);
    if (req->endpoint->body_max_bytes) set_body_limit(req);
  }
  return true;
}

void webhook_handle(struct ingress *ingress, struct request *req) {
  if (!req->refused && (req->refused = verify_run(req->endpoint->checks, req, VERIFY_BODY)))
    note_refusal(ingress, req);
  if (req->refused)
    refuse(req);
  else if (is_get(req))
    take_in_query(ingress, req);
  else
    take_in(ingress, req);
}
