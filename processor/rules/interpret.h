// SPDX-License-Identifier: MIT
// From a Kafka record to its meaning: reads the event, finds its provider file and asks it. Never fails:
// what cannot be understood is a fact too, FACT_UNCLEAR, with the reason. Not for: what follows from it
// (ledger). Thread: any; reads only immutable state.
#pragma once
#include "common/kafka/event.h"
#include "common/provider/providers.h"
#include "processor/rules/contact.h"
#include "processor/rules/incident.h"
#include "processor/rules/ingress_minute.h"
#include "processor/rules/ledger.h"
#include <librdkafka/rdkafka.h>

enum fact_type {
  FACT_RECEIPT,     // about a notification
  FACT_ACCEPTANCE,  // about a notification: its send API took it, or refused it
  FACT_DEADLINE,    // about a notification: the watch found it overdue or expired
  FACT_CONTACT,     // about a person
  FACT_INCIDENT,    // the watch opens or closes an incident
  FACT_MINUTE,      // what ingress counted
  FACT_OTHER,       // understood and of no consequence, as a receipt that is no result: counted
  FACT_QUARANTINED, // a record of the quarantine topic: may raise an alert
  FACT_UNCLEAR,     // to be quarantined, `why` is the reason
};

struct fact {
  const rd_kafka_message_t *rkm; // borrowed
  struct event ev;               // borrowed from rkm; zero where rkm holds none of our events
  enum fact_type type;
  // Of a fact about a notification; file, provider and id also of one about a contact. The signal's strings
  // are the fact's own, but for outcome and scope, which are static or the provider's.
  const struct provider *file; // of the provider, borrowed
  char *provider, *id;
  struct signal signal;
  const struct json_pointer *recipient_place; // in a receipt's element, of the provider file, or NULL
  struct uuid row_id;
  bool on_its_way; // the receipt is no result
  // Of a receipt or a contact: where a time stands that cannot be read, so the time of receipt counts, and
  // the kind in the provider file. Borrowed from that file; NULL: there is none.
  const struct json_pointer *unread_time;
  const char *kind_name;
  // Masked, and as jsonb can hold it: a receipt's element, or a registration without the recipient.
  char *row_json;
  struct contact_said *contact;  // FACT_CONTACT
  struct incident *incident;     // FACT_INCIDENT
  struct ingress_minute *minute; // FACT_MINUTE
  char *why;                     // FACT_UNCLEAR
};

struct interpreter {
  const struct providers *providers; // borrowed
  const char *recipient_key;         // borrowed
  const char *quarantine_topic;      // borrowed
  bool keeps_whole;                  // contacts, for encryption
};

void interpret(const struct interpreter *interpreter, const rd_kafka_message_t *rkm, struct fact *out);
// The same without Kafka: one of our events and its value. The event's strings are borrowed.
void interpret_event(const struct interpreter *interpreter, const struct event *ev, const char *value,
                     size_t len, struct fact *out);
// The same for what table `receipt` (EVENT_RECEIPT, the element) or `acceptance` (EVENT_ACCEPTED, the
// registration) stores. There is no recipient in `signal`: what is stored is masked. A receipt that is no
// result has counted as one when it was stored, so it is FACT_RECEIPT, unconfirmed. False: FACT_UNCLEAR.
bool interpret_stored(const struct interpreter *interpreter, const char *type, const char *provider,
                      const char *value, int64_t received_at, struct fact *out);
// Turns a fact that could not be stored into FACT_UNCLEAR. Frees nothing else.
void fact_refuse(struct fact *fact, const char *why);
bool fact_is_about_notification(const struct fact *fact);
// What one element says about a contact, as FACT_CONTACT has it. `received_at`: when it came, Unix
// milliseconds. New; NULL: `err` says what cannot be read, without a value of the element.
MUST_CHECK struct contact_said *interpret_contact(const struct interpreter *interpreter,
                                                  const struct provider *provider, const json_t *element,
                                                  int64_t received_at, struct err *err);
// What a record is counted as: the outcome of a receipt, "accepted", "rejected", "overdue", "expired",
// "contact", "other", "incident", "minute", "quarantined" or "unclear". Static.
const char *fact_outcome(const struct fact *fact);
void fact_fini(struct fact *fact);
void facts_release(struct fact *facts, size_t n); // and their records
