// SPDX-License-Identifier: MIT
#include "processor/commands/redrive.h"
#include "common/base/digest.h"
#include "common/base/mem.h"
#include "common/kafka/kafka.h"
#include "common/provider/framing.h"
#include "common/provider/provider_read.h"
#include "processor/batch/kafkaerror.h"
#include "processor/batch/store.h"
#include "processor/postgres/pgarray.h"
#include "processor/tables/quarantine.h"
#include "processor/tables/rows.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FLUSH_MS = 30000, QUEUE_FULL_MS = 30000 };

struct redrive {
  struct processor *processor;
  bool dry;
  struct store *store;
  struct kafka_producer producer;
  struct redrive_counts counts;
  struct quarantine_place *understood; // records of which nothing stays
  size_t n_understood;
  rd_kafka_resp_err_t refused; // Kafka's first error; written by on_report only
};

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *rkm, void *opaque) {
  struct redrive *rd = opaque;
  (void)rk;
  if (!rd->refused) rd->refused = rkm->err;
}

static bool open_producer(struct redrive *rd, struct err *err) {
  const struct settings *settings = rd->processor->settings;
  const struct kafka_producer_options options = {
      .patience_ms = settings->ack_budget_ms, .on_report = on_report, .opaque = rd};
  return kafka_producer_open(settings, &options, &rd->producer, err);
}

static void free_all(struct redrive *rd) {
  kafka_producer_close(&rd->producer);
  store_close(rd->store);
  free(rd->understood);
  free(rd);
}

struct redrive *redrive_open(struct processor *processor, bool dry, struct err *err) {
  static const char *const statements[] = {"receipt_known.sql", "acceptance_known.sql",
                                           "quarantine_redriven.sql"};
  struct redrive *rd = mem_alloc(sizeof *rd);
  rd->processor = processor;
  rd->dry = dry;
  rd->store = store_open(NULL, err);
  if (rd->store && rows_prepare(store_connection(rd->store), statements, COUNT_OF(statements), err) &&
      open_producer(rd, err))
    return rd;
  free_all(rd);
  return NULL;
}

// ---- one element ----

static struct uuid id_of(const char *provider, const char *type, const void *bytes, size_t len) {
  char hash[DIGEST_HEX_SIZE];
  digest_sha256_hex(bytes, len, hash);
  return uuid_of_fields((const char *const[]){"redrive", provider, type, hash}, 4);
}

static bool is_known(struct redrive *rd, const struct fact *fact, bool *known, struct err *err) {
  static const enum pg_type types[] = {PG_TEXT, PG_TEXT, PG_UUID};
  const char *statement = fact->type == FACT_RECEIPT ? "receipt_known.sql" : "acceptance_known.sql";
  PGconn *conn = store_connection(rd->store);
  struct pgarray c[COUNT_OF(types)];
  if (!fact_is_about_notification(fact)) return true;
  rows_begin(c, types, COUNT_OF(types));
  pgarray_add_text(&c[0], fact->provider);
  pgarray_add_text(&c[1], fact->id);
  pgarray_add_uuid(&c[2], fact->row_id);
  AUTO_RESULT *res = rows_run(conn, statement, c, COUNT_OF(types));
  if (!pg_ok(conn, res, statement, NULL, err)) return false;
  *known = PQntuples(res) > 0;
  return true;
}

static bool produce(struct redrive *rd, const struct event *ev, const char *key, const char *bytes,
                    size_t len, struct err *err) {
  const struct event_record record = {
      rd->producer.topics[KAFKA_TOPIC_EVENTS], RD_KAFKA_PARTITION_UA, key, bytes, len, NULL};
  rd->counts.sent++;
  bool ok = rd->dry || kafka_produce(rd->producer.rk, &record, ev, QUEUE_FULL_MS, err);
  rd_kafka_poll(rd->producer.rk, 0);
  return ok;
}

// Sends what the processor will understand. An event that has no headers of its own gets a subject, which is
// its key.
static bool send_event(struct redrive *rd, struct event *ev, const char *key, const char *bytes, size_t len,
                       struct err *err) {
  struct fact fact;
  bool known = false, ok = true;
  interpret_event(&rd->processor->interpreter, ev, bytes, len, &fact);
  if (!ev->headers) key = ev->subject = ev->subject ? ev->subject : fact.id;
  if (fact.type == FACT_UNCLEAR)
    rd->counts.unclear++;
  else if (!(ok = is_known(rd, &fact, &known, err)) || known)
    rd->counts.known += known;
  else
    ok = produce(rd, ev, key, bytes, len, err);
  fact_fini(&fact);
  return ok;
}

// `ev` is the record's.
static bool send_element(struct redrive *rd, struct event ev, const char *type, const char *subject,
                         const char *bytes, size_t len, struct err *err) {
  ev.type = type;
  ev.id = id_of(ev.provider, type, bytes, len);
  ev.source = "/processor/redrive";
  ev.subject = subject;
  ev.reason = NULL;
  return send_event(rd, &ev, NULL, bytes, len, err);
}

// ---- one record ----

static const char *const event_types[] = {
    [FRAMING_RECEIPT] = EVENT_RECEIPT, [FRAMING_CONTACT] = EVENT_CONTACT, [FRAMING_OTHER] = EVENT_OTHER};

static bool take_body(struct redrive *rd, const struct event *ev, const struct framing *framing,
                      struct err *err) {
  for (size_t i = 0; i < framing->n; i++) {
    const struct framing_element *element = &framing->elements[i];
    if (element->kind == FRAMING_QUARANTINED)
      rd->counts.unclear++;
    else if (!send_element(rd, *ev, event_types[element->kind], element->id, element->bytes, element->len,
                           err))
      return false;
  }
  return true;
}

// Quarantine holds whole bodies, and elements that were cut out of one: what is no body may be an element.
static bool take_webhook(struct redrive *rd, const struct event *ev, const struct provider *provider,
                         const char *value, size_t len, struct err *err) {
  struct framing framing;
  struct provider_element element;
  framing_init(&framing, provider, value, len, NULL);
  bool is_body = framing.n != 1 || framing.elements[0].kind != FRAMING_QUARANTINED;
  AUTO_JSON *document = is_body ? NULL : json_parse(value, len, NULL);
  bool is_element = document && provider_classify(provider, document, &element, NULL);
  bool ok = is_element ? send_element(rd, *ev, event_types[framing_kind_of(element.kind)], element.id, value,
                                      len, err)
                       : take_body(rd, ev, &framing, err);
  framing_fini(&framing);
  return ok;
}

// An event that was quarantined whole, with its own headers.
static bool take_original(struct redrive *rd, const rd_kafka_message_t *rkm,
                          const rd_kafka_headers_t *headers, struct err *err) {
  struct event ev;
  AUTO_FREE char *key = rkm->key ? mem_strndup(rkm->key, rkm->key_len) : NULL;
  bool is_event = event_from_headers(headers, &ev, NULL),
       is_known_type = is_event && event_type_find(ev.type);
  rd->counts.unclear += !is_event;
  rd->counts.unknown += is_event && !is_known_type;
  ev.headers = headers;
  return !is_known_type || send_event(rd, &ev, key, rkm->payload ? rkm->payload : "", rkm->len, err);
}

static bool is_of_webhook(const struct event *ev) {
  static const char *const types[] = {EVENT_RECEIPT, EVENT_CONTACT, EVENT_OTHER};
  if (!ev->was_type) return ev->endpoint != NULL; // ingress has put it aside
  for (size_t i = 0; i < COUNT_OF(types); i++)
    if (strcmp(ev->was_type, types[i]) == 0) return true;
  return false;
}

// What was no webhook goes back as the event that it was. One without its type is an acceptance, which an
// earlier version of the processor has put aside.
static bool take_payload(struct redrive *rd, const struct event *ev, const char *value, size_t len,
                         struct err *err) {
  const struct provider *provider =
      ev->provider ? providers_find(rd->processor->providers, ev->provider) : NULL;
  if (provider && len && is_of_webhook(ev)) return take_webhook(rd, ev, provider, value, len, err);
  if (provider && len)
    return send_element(rd, *ev, ev->was_type ? ev->was_type : EVENT_ACCEPTED, ev->subject, value, len, err);
  rd->counts.unclear++;
  return true;
}

static void note_understood(struct redrive *rd, const rd_kafka_message_t *rkm) {
  rd->understood = mem_grow(rd->understood, rd->n_understood + 1, sizeof *rd->understood);
  rd->understood[rd->n_understood++] = (struct quarantine_place){rkm->partition, rkm->offset};
}

bool redrive_take(struct redrive *rd, const struct event *ev, const rd_kafka_message_t *rkm,
                  struct err *err) {
  rd_kafka_headers_t *headers = ev->original_type ? event_original_headers(rkm) : NULL;
  int64_t stay = rd->counts.unclear + rd->counts.unknown;
  rd->counts.records++;
  bool ok =
      headers ? take_original(rd, rkm, headers, err) : take_payload(rd, ev, rkm->payload, rkm->len, err);
  if (headers) rd_kafka_headers_destroy(headers);
  if (ok && !rd->dry && rd->counts.unclear + rd->counts.unknown == stay) note_understood(rd, rkm);
  return ok;
}

bool redrive_close(struct redrive *rd, bool ok, struct redrive_counts *counts, struct err *err) {
  rd_kafka_resp_err_t code = rd_kafka_flush(rd->producer.rk, FLUSH_MS);
  if (rd->refused) code = rd->refused;
  if (ok && code) {
    (void)kafka_fail(err, "Kafka has not taken all of it", code, NULL);
    ok = err_hint(err, "start it again: doing it twice changes nothing");
  }
  ok = ok && quarantine_mark(store_connection(rd->store), rd->understood, rd->n_understood, err);
  *counts = rd->counts;
  free_all(rd);
  return ok;
}
