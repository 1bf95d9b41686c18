// SPDX-License-Identifier: MIT
// Interpretation of one record. The strings a fact keeps are its own, so that the parsed element can go.
#include "processor/rules/interpret.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "common/provider/provider_acceptance.h"
#include "common/provider/provider_mask.h"
#include "common/provider/provider_read.h"
#include <stdlib.h>
#include <string.h>

static void unclear(struct fact *fact, const char *why) {
  fact->type = FACT_UNCLEAR;
  fact->why = mem_strdup(why);
}

void fact_refuse(struct fact *fact, const char *why) {
  free(fact->why);
  unclear(fact, why);
}

bool fact_is_about_notification(const struct fact *fact) {
  return fact->type == FACT_RECEIPT || fact->type == FACT_ACCEPTANCE || fact->type == FACT_DEADLINE;
}

const char *fact_outcome(const struct fact *fact) {
  switch (fact->type) {
  case FACT_RECEIPT:
  case FACT_ACCEPTANCE:
    if (fact->signal.about_recipient && fact->signal.kind == SIGNAL_FAILED) return "recipient_fault";
    return fact->signal.outcome ? fact->signal.outcome : "accepted";
  case FACT_DEADLINE:
    return fact->signal.kind == SIGNAL_OVERDUE ? "overdue" : "expired";
  case FACT_CONTACT:
    return "contact";
  case FACT_INCIDENT:
    return "incident";
  case FACT_MINUTE:
    return "minute";
  case FACT_OTHER:
    return "other";
  case FACT_QUARANTINED:
    return "quarantined";
  case FACT_UNCLEAR:
    return "unclear";
  }
  abort(); // not a type
}

static void release(const char *own) {
  free((char *)(uintptr_t)own);
}

void fact_fini(struct fact *fact) {
  free(fact->provider);
  free(fact->id);
  release(fact->signal.code);
  release(fact->signal.reason);
  release(fact->signal.channel);
  release(fact->signal.reference);
  release(fact->signal.recipient);
  free(fact->row_json);
  if (fact->contact) contact_said_fini(fact->contact);
  free(fact->contact);
  if (fact->incident) incident_fini(fact->incident);
  free(fact->incident);
  if (fact->minute) ingress_minute_fini(fact->minute);
  free(fact->minute);
  free(fact->why);
}

void facts_release(struct fact *facts, size_t n) {
  for (size_t i = 0; i < n; i++) {
    rd_kafka_message_destroy((rd_kafka_message_t *)(uintptr_t)facts[i].rkm);
    fact_fini(&facts[i]);
  }
}

// A recipient is kept masked and as a keyed hash, from here on.
static void keep_recipient(const struct interpreter *in, struct signal *signal, const char *recipient) {
  if (recipient == NULL) return;
  signal->recipient = personal_mask(recipient);
  personal_hash(in->recipient_key, recipient, signal->recipient_hash);
}

// A foreign clock that runs ahead moves no deadline: nothing happened after ingress received it.
static void set_times(struct fact *fact, const struct provider *provider, int64_t at) {
  struct provider_expects expects = provider_expects(provider);
  struct signal *signal = &fact->signal;
  signal->at = at < fact->ev.time_ms ? at : fact->ev.time_ms;
  signal->received_at = fact->ev.time_ms;
  signal->receipt_within_ms = expects.receipt_within_s * 1000;
  signal->expires_after_ms = expects.expires_after_s * 1000;
  signal->unconfirmed_within_ms = expects.unconfirmed_within_s * 1000;
}

static enum signal_kind signal_of(enum provider_outcome outcome) {
  switch (outcome) {
  case OUTCOME_DELIVERED:
    return SIGNAL_DELIVERED;
  case OUTCOME_UNCONFIRMED:
  case OUTCOME_ON_ITS_WAY: // only of a stored one
    return SIGNAL_UNCONFIRMED;
  case OUTCOME_FAILED:
  case OUTCOME_ACCOUNT_FAULT:
    return SIGNAL_FAILED;
  }
  abort(); // not an outcome
}

// The tables have no outcome "on_its_way".
static const char *stored_outcome(enum provider_outcome outcome) {
  return provider_outcome_name(outcome == OUTCOME_ON_ITS_WAY ? OUTCOME_UNCONFIRMED : outcome);
}

static struct uuid receipt_id(const struct fact *fact, const struct provider_receipt *receipt) {
  const char *fields[2 + COUNT_OF(receipt->dedupe)] = {fact->provider, fact->id};
  for (size_t i = 0; i < receipt->n_dedupe; i++) fields[2 + i] = receipt->dedupe[i];
  return uuid_of_fields(fields, 2 + receipt->n_dedupe);
}

static void interpret_receipt(const struct interpreter *in, const struct provider *provider, json_t *element,
                              const char *value, size_t len, struct fact *fact) {
  struct provider_receipt receipt = {0};
  struct err err = {0};
  if (!provider_read_receipt(provider, element, &receipt, &err)) {
    unclear(fact, err.text);
    return;
  }
  fact->type = FACT_RECEIPT;
  fact->id = mem_strdup(receipt.id);
  fact->signal = (struct signal){.kind = signal_of(receipt.outcome),
                                 .outcome = stored_outcome(receipt.outcome),
                                 .code = mem_strdup_or_null(receipt.code),
                                 .reason = receipt.reason ? personal_mask_text(receipt.reason) : NULL,
                                 .channel = mem_strdup_or_null(receipt.channel),
                                 .reference = mem_strdup_or_null(receipt.reference),
                                 .about_recipient = receipt.about_recipient,
                                 .scope = receipt.scope};
  keep_recipient(in, &fact->signal, receipt.recipient);
  set_times(fact, provider, receipt.time_ms >= 0 ? receipt.time_ms : fact->ev.time_ms);
  fact->on_its_way = receipt.outcome == OUTCOME_ON_ITS_WAY;
  fact->unread_time = receipt.unread_time;
  fact->kind_name = receipt.kind_name;
  fact->recipient_place = receipt.recipient_place;
  fact->row_id = receipt_id(fact, &receipt);
  provider_receipt_fini(&receipt);
  // Last: the receipt's strings were borrowed from it.
  fact->row_json = provider_mask_element(provider, element) ? json_text(element) : mem_strndup(value, len);
}

static const char *member(const json_t *value, const char *name) {
  const char *text = json_string_value(json_object_get(value, name));
  return text && *text ? text : NULL;
}

// The recipient is masked in a column of its own. Two registrations that differ in it are two.
static void keep_registration(const struct provider *provider, json_t *value, struct fact *fact) {
  json_object_del(value, "recipient");
  json_t *response = json_object_get(value, "response");
  if (response) provider_mask_response(provider, response);
  fact->row_json = json_text(value);
  const char *recipient = mem_or_empty(fact->signal.recipient);
  fact->row_id =
      uuid_of_fields((const char *const[]){fact->provider, fact->id, recipient, fact->row_json}, 4);
}

// When the send API answered, by the registration. By a time older than that, such as 1970, the notification
// would have expired before it was registered.
static int64_t acceptance_time(const struct provider *provider, const json_t *value, int64_t received_at) {
  int64_t lifetime_ms = provider_expects(provider).expires_after_s * 1000, at;
  const char *accepted_at = member(value, "accepted_at");
  bool is_known = accepted_at && clock_parse_time(accepted_at, 0, &at);
  return is_known && at > received_at - lifetime_ms ? at : received_at;
}

// The members of the registration win over those of the send response.
static void keep_acceptance(const struct interpreter *in, const struct provider *provider, json_t *value,
                            const struct provider_acceptance *response, struct fact *fact) {
  static const struct provider_acceptance none = {.accepted = true};
  const struct provider_acceptance *r = response ? response : &none;
  const char *recipient = member(value, "recipient"), *reference = member(value, "reference");
  const char *channel = member(value, "channel");
  fact->type = FACT_ACCEPTANCE;
  fact->id = mem_strdup(member(value, "notification_id"));
  fact->signal = (struct signal){.kind = r->accepted ? SIGNAL_ACCEPTED : SIGNAL_REJECTED,
                                 .channel = mem_strdup_or_null(channel ? channel : r->channel),
                                 .reference = mem_strdup_or_null(reference ? reference : r->reference)};
  keep_recipient(in, &fact->signal, recipient ? recipient : r->recipient);
  if (!r->accepted) {
    fact->signal.outcome = "rejected";
    fact->signal.code = mem_strdup_or_null(r->code);
    fact->signal.reason = r->reason ? personal_mask_text(r->reason) : NULL;
  }
  set_times(fact, provider, acceptance_time(provider, value, fact->ev.time_ms));
  keep_registration(provider, value, fact); // last: the response's strings were borrowed from it
}

// No member is longer than ingress lets it be (event.accepted.schema.json: 255 characters): an alert holds
// them, and has to fit into a record.
static bool members_fit(const json_t *value, struct err *err) {
  static const char *const names[] = {"channel", "recipient", "reference"};
  enum { MAX_BYTES = 4 * 255 };
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    const char *text = member(value, names[i]);
    if (text && strlen(text) > MAX_BYTES) return err_set(err, "/%s: longer than 255 characters", names[i]);
  }
  return true;
}

static void interpret_acceptance(const struct interpreter *in, const struct provider *provider, json_t *value,
                                 struct fact *fact) {
  const json_t *response = json_object_get(value, "response");
  struct provider_acceptance *list = NULL;
  size_t n = 0;
  struct err err = {0};
  const char *id = member(value, "notification_id");
  if (id == NULL || strlen(id) > PROVIDER_ID_MAX)
    unclear(fact, "/notification_id: expected a string of 1 to 255 bytes");
  else if (!members_fit(value, &err) ||
           (response && !provider_read_acceptance(provider, response, &list, &n, &err)))
    unclear(fact, err.text);
  else if (response && n != 1)
    unclear(fact, "/response: expected exactly one recipient");
  else
    keep_acceptance(in, provider, value, list, fact);
  free(list);
}

// A notification whose receipt is late by the row as the watch read it (event.deadline.schema.json).
static void interpret_deadline(const struct provider *provider, const json_t *value, struct fact *fact) {
  const char *id = member(value, "notification_id"), *deadline = member(value, "deadline");
  int64_t at;
  if (id == NULL || strlen(id) > PROVIDER_ID_MAX) {
    unclear(fact, "/notification_id: expected a string of 1 to 255 bytes");
  } else if (deadline == NULL || !clock_parse_time(deadline, 0, &at)) {
    unclear(fact, "/deadline: expected an RFC 3339 time");
  } else {
    bool is_overdue = strcmp(fact->ev.type, EVENT_OVERDUE) == 0;
    fact->type = FACT_DEADLINE;
    fact->id = mem_strdup(id);
    fact->row_id = fact->ev.id;
    fact->signal = (struct signal){.kind = is_overdue ? SIGNAL_OVERDUE : SIGNAL_EXPIRED};
    if (!is_overdue) {
      fact->signal.outcome = "expired";
      fact->signal.reason = mem_strdup("no receipt in time");
    }
    set_times(fact, provider, at);
  }
}

// ---- contacts

static void keep_address(const struct interpreter *in, const char *address, char **masked,
                         uint8_t hash[PERSONAL_HASH_SIZE]) {
  if (!address) return;
  *masked = personal_mask(address);
  personal_hash(in->recipient_key, address, hash);
}

static json_t *consents_of(const struct provider_contact *contact) {
  json_t *consents = json_object();
  for (size_t i = 0; i < contact->n_consents; i++)
    if (contact->consents[i].is != CONSENT_NOT_SAID)
      json_object_set_new(consents, contact->consents[i].name,
                          json_boolean(contact->consents[i].is == CONSENT_GIVEN));
  return consents;
}

static void keep_details(const struct interpreter *in, const struct provider_contact *contact,
                         struct contact_details *details) {
  keep_address(in, contact->phone, &details->phone, details->phone_hash);
  keep_address(in, contact->email, &details->email, details->email_hash);
  details->consents = consents_of(contact);
  if (!in->keeps_whole || (!contact->phone && !contact->email)) return;
  AUTO_JSON *whole = json_pack("{ss? ss?}", "phone", contact->phone, "email", contact->email);
  details->whole = json_text(whole);
}

// A clock that runs ahead wins nothing.
static int64_t up_to(int64_t time_ms, int64_t received_at) {
  if (time_ms < 0) return NO_TIME;
  return time_ms < received_at ? time_ms : received_at;
}

static struct contact_said *said_by(const struct interpreter *in, const struct provider_contact *contact,
                                    int64_t received_at) {
  struct contact_said *said = mem_alloc(sizeof *said);
  int64_t at = up_to(contact->time_ms, received_at), asked_at = up_to(contact->seen_ms, received_at);
  if (at == NO_TIME) at = asked_at == NO_TIME ? received_at : asked_at;
  *said = (struct contact_said){.id = mem_strdup(contact->id),
                                .is_delete = contact->is_deleted,
                                .received_at = received_at,
                                .mark = {.has_version = contact->has_version,
                                         .version = contact->has_version ? contact->version : 0,
                                         .at = at,
                                         .asked_at = asked_at,
                                         .provider_id = mem_strdup_or_null(contact->provider_id)}};
  if (!said->is_delete) keep_details(in, contact, &said->details);
  return said;
}

struct contact_said *interpret_contact(const struct interpreter *in, const struct provider *provider,
                                       const json_t *element, int64_t received_at, struct err *err) {
  struct provider_contact contact;
  return provider_read_contact(provider, element, &contact, err) ? said_by(in, &contact, received_at) : NULL;
}

static void interpret_person(const struct interpreter *in, const struct provider *provider,
                             const json_t *element, struct fact *fact) {
  struct err err = {0};
  struct provider_contact contact;
  if (!provider_read_contact(provider, element, &contact, &err)) {
    unclear(fact, err.text);
    return;
  }
  fact->contact = said_by(in, &contact, fact->ev.time_ms);
  fact->type = FACT_CONTACT;
  fact->unread_time = contact.unread_time;
  fact->kind_name = contact.kind_name;
  fact->id = mem_strdup(fact->contact->id);
}

// ---- events

static void interpret_element(const struct interpreter *in, const char *value, size_t len,
                              struct fact *fact) {
  const struct provider *provider =
      fact->ev.provider ? providers_find(in->providers, fact->ev.provider) : NULL;
  if (provider == NULL) {
    unclear(fact, "no provider file for the event's provider");
    return;
  }
  struct err err = {0};
  size_t quoted_len;
  AUTO_FREE char *quoted = json_quote_huge_numbers(value, len, &quoted_len); // jsonb cannot hold them
  if (quoted) value = quoted, len = quoted_len;
  AUTO_JSON *document = json_parse(value, len, &err);
  if (document == NULL) {
    unclear(fact, err.text);
    return;
  }
  fact->file = provider;
  fact->provider = mem_strdup(fact->ev.provider);
  if (strcmp(fact->ev.type, EVENT_RECEIPT) == 0)
    interpret_receipt(in, provider, document, value, len, fact);
  else if (strcmp(fact->ev.type, EVENT_ACCEPTED) == 0)
    interpret_acceptance(in, provider, document, fact);
  else if (strcmp(fact->ev.type, EVENT_CONTACT) == 0)
    interpret_person(in, provider, document, fact);
  else
    interpret_deadline(provider, document, fact);
}

static void interpret_incident(const struct interpreter *in, const char *value, size_t len,
                               struct fact *fact) {
  (void)in;
  struct err err = {0};
  fact->type = FACT_INCIDENT;
  fact->incident = mem_alloc(sizeof *fact->incident);
  if (!incident_parse(fact->ev.type, value, len, fact->incident, &err)) unclear(fact, err.text);
}

static void interpret_minute(const struct interpreter *in, const char *value, size_t len, struct fact *fact) {
  (void)in;
  struct err err = {0};
  fact->type = FACT_MINUTE;
  fact->minute = mem_alloc(sizeof *fact->minute);
  if (!fact->ev.endpoint)
    unclear(fact, "ce_endpoint is missing");
  else if (!ingress_minute_parse(value, len, fact->minute, &err))
    unclear(fact, err.text);
}

static void interpret_nothing(const struct interpreter *in, const char *value, size_t len,
                              struct fact *fact) {
  (void)in, (void)value, (void)len;
  fact->type = FACT_OTHER;
}

typedef void interpret_fn(const struct interpreter *, const char *, size_t, struct fact *);
static const struct {
  const char *type;
  interpret_fn *read;
} readers[] = {
    {EVENT_RECEIPT, interpret_element},   {EVENT_ACCEPTED, interpret_element},
    {EVENT_OVERDUE, interpret_element},   {EVENT_EXPIRED, interpret_element},
    {EVENT_CONTACT, interpret_element},   {EVENT_MINUTE, interpret_minute},
    {EVENT_FAILING, interpret_incident},  {EVENT_SILENT, interpret_incident},
    {EVENT_SLOW, interpret_incident},     {EVENT_PROVIDER_GOOD, interpret_incident},
    {EVENT_REFUSING, interpret_incident}, {EVENT_UNREACHABLE, interpret_incident},
    {EVENT_AT_RISK, interpret_incident},  {EVENT_ENDPOINT_GOOD, interpret_incident},
};

static interpret_fn *reader_of(const char *type) {
  for (size_t i = 0; i < COUNT_OF(readers); i++)
    if (strcmp(type, readers[i].type) == 0) return readers[i].read;
  return interpret_nothing;
}

static void read_event(const struct interpreter *in, const struct event *ev, const char *value, size_t len,
                       struct fact *fact) {
  const struct event_type *known = event_type_find(ev->type);
  *fact = (struct fact){.ev = *ev};
  if (known && known->is_event) {
    reader_of(ev->type)(in, value, len, fact);
  } else if (known) {
    unclear(fact, "an event type that does not belong on this topic");
  } else {
    fact->type = FACT_UNCLEAR;
    fact->why = mem_printf("an event type that this version does not know: %s", ev->type);
  }
}

void interpret_event(const struct interpreter *in, const struct event *ev, const char *value, size_t len,
                     struct fact *fact) {
  read_event(in, ev, value, len, fact);
  if (fact->on_its_way) fact->type = FACT_OTHER;
}

bool interpret_stored(const struct interpreter *in, const char *type, const char *provider, const char *value,
                      int64_t received_at, struct fact *fact) {
  const struct event ev = {.type = type, .provider = provider, .time_ms = received_at};
  read_event(in, &ev, value, strlen(value), fact);
  release(fact->signal.recipient);
  fact->signal.recipient = NULL;
  return fact_is_about_notification(fact);
}

void interpret(const struct interpreter *in, const rd_kafka_message_t *rkm, struct fact *fact) {
  struct err err = {0};
  struct event ev = {0};
  bool ours = event_from_message(rkm, &ev, &err);
  if (!ours) memset(&ev, 0, sizeof ev);
  // A record of the quarantine topic is never quarantined again, whatever it is.
  bool quarantined = strcmp(rd_kafka_topic_name(rkm->rkt), in->quarantine_topic) == 0;
  if (ours && !quarantined)
    interpret_event(in, &ev, rkm->payload ? rkm->payload : "", rkm->len, fact); // a tombstone has no payload
  else
    *fact = (struct fact){.type = FACT_QUARANTINED, .ev = ev};
  if (!ours && !quarantined) unclear(fact, err.text);
  fact->rkm = rkm;
}
