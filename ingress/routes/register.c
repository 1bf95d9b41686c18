// SPDX-License-Identifier: MIT
#include "ingress/routes/register.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/config/secrets.h"
#include "common/json/json.h"
#include "common/json/schema.h"
#include "common/provider/provider_acceptance.h"
#include "ingress/counters.h"
#include "ingress/server.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
  REGISTRATIONS_MAX_BYTES = 8 * 1024 * 1024, // of a request's events
  REGISTRATION_MAX_BYTES = 950000,           // of one event: with its headers below Kafka's usual 1 MB
  VALUE_BYTES = 128,                         // of memory for a JSON value, about
  ANSWER_BYTES = 4 * VALUE_BYTES,            // of a notification in the answer
  BODY_MS = 10000,                           // for the body to arrive: there is no provider's deadline
};

struct registrar {
  struct schema *schema;
  struct secrets keys;
};

struct registrar *registrar_new(const char *keys, struct faults *faults) {
  struct err err;
  struct registrar *registrar = mem_alloc(sizeof *registrar);
  registrar->schema = schema_open("registration.schema.json", &err);
  if (!registrar->schema) faults_error(faults, "%s", err.text);
  for (size_t nth = 1; keys; nth++) {
    size_t len = strcspn(keys, ",");
    if (!secrets_add(&registrar->keys, SECRETS_OURS, keys, len, &err))
      faults_error(faults, "DOCHAK_INGRESS_KEY: key %zu: %s", nth, err.text);
    keys = keys[len] ? keys + len + 1 : NULL;
  }
  return registrar;
}

void registrar_free(struct registrar *registrar) {
  if (!registrar) return;
  schema_free(registrar->schema);
  secrets_fini(&registrar->keys);
  free(registrar);
}

// ---- one notification ----

struct registrations {
  struct request *req;                // its lane counts their memory
  struct publisher_message *messages; // each owns its value; the key is a text of the answer
  size_t n, bytes;                    // of the messages
  json_t *answer;                     // what the caller gets: a notification without an id has no message
  size_t n_accepted;
  bool too_much; // the lane has no memory left: not the request's fault
};

static void registrations_fini(struct registrations *all) {
  for (size_t i = 0; i < all->n; i++) free((char *)(uintptr_t)all->messages[i].value);
  free(all->messages);
  json_decref(all->answer);
}

static const char *text_of(const json_t *item, const char *name) {
  return json_string_value(json_object_get(item, name));
}

static const char *either(const char *first, const char *second) {
  return first ? first : second;
}

// The item's own members override the response's. If the response lists several recipients, the item's
// `recipient` is ignored. `narrowed` is taken over.
static char *response_value(const json_t *item, json_t *narrowed, const struct provider_acceptance *read,
                            bool several) {
  AUTO_JSON *value =
      json_pack("{s:s*,s:s*,s:s*,s:s*,s:o}", "notification_id", read->id, "channel",
                either(text_of(item, "channel"), read->channel), "recipient",
                either(several ? NULL : text_of(item, "recipient"), read->recipient), "reference",
                either(text_of(item, "reference"), read->reference), "response", narrowed);
  // 15 digits: 0.1 must not become 0.10000000000000001 when it is only passed on.
  char *text = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(15));
  if (!text) abort(); // out of memory, as in mem.c
  return text;
}

// All members that the schema allows belong to the event, except the provider.
static char *explicit_value(const json_t *item) {
  AUTO_JSON *value = json_copy((json_t *)(uintptr_t)item);
  json_object_del(value, "provider");
  return json_text(value);
}

static struct publisher_message message_for(const struct request *req, const char *provider, const char *id,
                                            char *value) {
  return (struct publisher_message){
      .topic = KAFKA_TOPIC_EVENTS,
      .event = {.id = uuid_new_v7(),
                .type = EVENT_ACCEPTED,
                .source = "/ingress" REGISTER_PATH,
                .subject = id,
                .time_ms = req->received_ms,
                .provider = provider,
                .traceparent = req->traceparent},
      .key = id,
      .value = value,
      .value_len = strlen(value),
  };
}

// Called after each value, since a value can be many times larger than its part of the body.
static bool check_bytes(struct registrations *all, size_t len, struct err *err) {
  if (len > REGISTRATION_MAX_BYTES)
    return err_set(err, "/response: expected %d bytes at most for one notification's event, got %zu",
                   REGISTRATION_MAX_BYTES, len);
  if (all->bytes > REGISTRATIONS_MAX_BYTES)
    return err_set(err, "/response: the events of one request would be more than %d bytes",
                   REGISTRATIONS_MAX_BYTES);
  all->too_much = !request_hold(all->req, len + sizeof *all->messages + ANSWER_BYTES);
  return !all->too_much || err_set(err, "too many bytes at once");
}

// `value` is taken over. A refused notification that got no id has nothing to track.
static bool add(struct registrations *all, const struct provider *provider,
                const struct provider_acceptance *read, char *value, struct err *err) {
  size_t len = strlen(value);
  const char *name = provider_name(provider);
  json_t *entry = json_pack("{s:s,s:s?,s:b,s:s*,s:s*}", "provider", name, "notification_id", read->id,
                            "accepted", read->accepted, "code", read->accepted ? NULL : read->code, "reason",
                            read->accepted ? NULL : read->reason);
  json_array_append_new(all->answer, entry);
  all->n_accepted += read->accepted;
  all->messages = mem_grow(all->messages, all->n + 1, sizeof *all->messages);
  all->messages[all->n] = message_for(all->req, name, text_of(entry, "notification_id"), value);
  all->n += read->id != NULL;
  if (!read->id) free(value);
  all->bytes += len;
  return check_bytes(all, len, err);
}

static bool add_explicit(struct registrations *all, const struct provider *provider, const json_t *item,
                         struct err *err) {
  const char *id = text_of(item, "notification_id"), *accepted_at = text_of(item, "accepted_at");
  int64_t ms;
  if (!provider_id_check(id, err)) return err_prefix(err, "/notification_id: ");
  if (accepted_at && !clock_parse_time(accepted_at, 0, &ms))
    return err_set(err, "/accepted_at: no such time");
  return add(all, provider, &(struct provider_acceptance){.id = id, .accepted = true}, explicit_value(item),
             err);
}

static bool add_response(struct registrations *all, const struct provider *provider, const json_t *item,
                         struct err *err) {
  AUTO_FREE struct provider_acceptance *list = NULL;
  const json_t *response = json_object_get(item, "response");
  size_t n;
  if (!provider_read_acceptance(provider, response, &list, &n, err))
    return err_prefix(err, *err->text == '/' ? "/response" : "/response: ");
  for (size_t i = 0; i < n; i++) {
    char *value = response_value(item, provider_narrow(provider, response, i), &list[i], n > 1);
    if (!add(all, provider, &list[i], value, err)) return false;
  }
  return true;
}

static bool add_item(struct registrations *all, const struct providers *providers, const json_t *item,
                     struct err *err) {
  const struct provider *provider = providers_find(providers, text_of(item, "provider"));
  if (provider)
    return (json_object_get(item, "response") ? add_response : add_explicit)(all, provider, item, err);
  AUTO_FREE char *names = providers_names(providers);
  return err_set(err, "/provider: expected one of %s", names);
}

// ---- the request ----

static bool read_items(const struct ingress *ingress, const json_t *document, struct registrations *all,
                       struct err *err) {
  if (!schema_check(ingress->registrar->schema, document, err)) return false;
  if (json_is_object(document)) return add_item(all, ingress->providers, document, err);
  for (size_t i = 0; i < json_array_size(document); i++)
    if (!add_item(all, ingress->providers, json_array_get(document, i), err))
      return err_prefix(err, "/%zu", i);
  return true;
}

static void store(const struct ingress *ingress, const struct registrations *all) {
  bool spooled;
  int64_t deadline_ms = clock_mono_ms() + ingress->settings.ack_budget_ms;
  if (!publisher_publish(ingress->publisher, all->messages, all->n, deadline_ms, &spooled)) {
    reply_unavailable(all->req);
    return;
  }
  int64_t n_rejected = (int64_t)(json_array_size(all->answer) - all->n_accepted);
  metrics_add(ingress->metrics, COUNTER_ELEMENTS, "accepted", (int64_t)all->n_accepted);
  metrics_add(ingress->metrics, COUNTER_ELEMENTS, "rejected", n_rejected);
  AUTO_JSON *body = json_pack("{s:O}", "notifications", all->answer);
  reply_ok(all->req, REGISTER_STATUS, json_text(body), spooled ? REPLY_SPOOL : REPLY_KAFKA);
}

static void take_in(const struct ingress *ingress, struct request *req, const json_t *document) {
  struct err err;
  struct registrations all = {.req = req, .answer = json_array()};
  if (read_items(ingress, document, &all, &err))
    store(ingress, &all);
  else if (all.too_much)
    reply_overload(req);
  else
    reply_error(req, 400, "bad_registration", err.text);
  registrations_fini(&all);
}

// ---- requests ----

static bool authorized(const struct registrar *registrar, const struct request *req) {
  static const char scheme[] = "Bearer ";
  size_t count;
  const char *given = request_header(req, "Authorization", &count);
  if (count != 1 || strncasecmp(given, scheme, sizeof scheme - 1) != 0) return false;
  given += sizeof scheme - 1;
  return secrets_hold(&registrar->keys, given, strlen(given));
}

static bool is_json(const struct request *req) {
  static const char json[] = "application/json";
  size_t count;
  const char *type = request_header(req, "Content-Type", &count);
  if (!type) return true;
  const char *end = type + strcspn(type, "; \t");
  return end - type == (ptrdiff_t)(sizeof json - 1) && strncasecmp(type, json, sizeof json - 1) == 0;
}

static bool refuse(struct metrics *metrics, struct request *req) {
  metrics_add(metrics, COUNTER_REFUSED, REGISTER_NAME, 1);
  metrics_add(metrics, COUNTER_REFUSALS, "key", 1);
  log_warn_rarely("refused v1/notifications", "registration refused: no valid bearer key",
                  LOG_STR("peer", req->info->remote_addr));
  reply_error(req, 401, "unauthorized", "expected Authorization: Bearer and a valid key");
  req->reply.headers = "WWW-Authenticate: Bearer realm=\"dochak\"\r\n";
  return false;
}

bool register_admit(struct ingress *ingress, struct request *req) {
  if (!authorized(ingress->registrar, req)) return refuse(ingress->metrics, req);
  if (!is_json(req) || request_encoding(req) == REQUEST_FOREIGN)
    return reply_error(req, 415, "unsupported_media_type",
                       "expected application/json, plain or with Content-Encoding: gzip");
  req->lane = LANE_REGISTRATIONS;
  req->body_by_ms = req->began_ms + BODY_MS;
  return true;
}

static bool parse(struct request *req, json_t **document) {
  const char *fault;
  struct err err;
  if (!request_decode(req, &fault)) return false;
  if (fault) return reply_error(req, 400, "bad_encoding", fault);
  if (!request_hold(req, json_values(req->content.bytes, req->content.len) * VALUE_BYTES))
    return reply_overload(req);
  *document = json_parse(req->content.bytes, req->content.len, &err);
  return *document || reply_error(req, 400, "bad_json", err.text);
}

void register_handle(struct ingress *ingress, struct request *req) {
  AUTO_JSON *document = NULL;
  if (parse(req, &document)) take_in(ingress, req, document);
}
