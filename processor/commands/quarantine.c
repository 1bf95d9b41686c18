// SPDX-License-Identifier: MIT
// dochak-processor quarantine: looks at what could not be understood, and sends what today's provider files
// do understand the way that it would have taken. Ids are made of what is in a record, so that a record that
// is sent again, or stands in quarantine several times, is one event to the processor.
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/kafka/kafka.h"
#include "common/provider/framing.h"
#include "processor/commands/command.h"
#include "processor/commands/flags.h"
#include "processor/commands/reader.h"
#include "processor/commands/redrive.h"
#include "processor/commands/terminal.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum verb { VERB_LIST, VERB_SHOW, VERB_REDRIVE, VERB_COUNT };
static const char *const verbs[VERB_COUNT] = {"list", "show", "redrive"};

struct quarantine_options {
  enum verb verb;
  const char *provider, *endpoint, *reason; // NULL: any
  int64_t since_ms, until_ms, limit;
  bool dry_run;
  char **ids; // borrowed
  size_t n_ids;
};

// ---- what is asked for ----

static const char help[] =
    "dochak-processor quarantine: what could not be understood, and the way back\n"
    "\n"
    "usage: dochak-processor quarantine list    [FILTER …] [ID …]\n"
    "       dochak-processor quarantine show    ID     writes the payload as it came to stdout, nothing "
    "masked\n"
    "       dochak-processor quarantine redrive [FILTER …] [--dry-run] [ID …]\n"
    "\n"
    "  ID               partition:offset, as list prints it, or the record's ce_id\n"
    "  --provider NAME  --endpoint NAME\n"
    "  --reason TEXT    that stands in the reason\n"
    "  --since TIME     --until TIME: when it was received, such as 2026-01-12T11:00:00+09:00\n"
    "  --limit N        the first N\n"
    "  --dry-run        only counts\n"
    "\n"
    "redrive reads the records with today's provider files, which the running processors should have, "
    "too, and\n"
    "puts what these understand on the events topic. What they do not stays, and so does an event type "
    "that\n"
    "this version does not know. Doing it again changes nothing:\n"
    "what was taken in stays out, but for webhooks that are no receipts, which the processors only count.";

static bool read_verb(const char *word, enum verb *out, struct err *err) {
  for (enum verb v = 0; v < VERB_COUNT; v++) {
    if (strcmp(word, verbs[v]) != 0) continue;
    *out = v;
    return true;
  }
  return err_set(err, "unknown argument \"%s\"", word);
}

static bool read_arguments(int argc, char **argv, void *options, struct err *err) {
  struct quarantine_options *o = options;
  struct flag flags[] = {
      {"--provider", FLAG_TEXT, &o->provider, NULL}, {"--endpoint", FLAG_TEXT, &o->endpoint, NULL},
      {"--reason", FLAG_TEXT, &o->reason, NULL},     {"--since", FLAG_SINCE, &o->since_ms, NULL},
      {"--until", FLAG_TIME, &o->until_ms, NULL},    {"--limit", FLAG_NUMBER, &o->limit, NULL},
      {"--dry-run", FLAG_SWITCH, &o->dry_run, NULL}};
  size_t words;
  *o = (struct quarantine_options){.since_ms = INT64_MIN, .until_ms = INT64_MAX, .limit = INT64_MAX};
  if (!flags_read(argc, argv, flags, COUNT_OF(flags), &words, err)) return false;
  if (words == 0) return err_set(err, "expected list, show or redrive");
  if (!read_verb(argv[1], &o->verb, err)) return false;
  o->ids = argv + 2;
  o->n_ids = words - 1;
  if (o->verb != VERB_SHOW) return true;
  o->limit = 1; // an event that was put aside twice has one ce_id
  return o->n_ids == 1 || err_set(err, "show: expected one id: a ce_id, or partition:offset");
}

// ---- which records ----

struct quarantine {
  const struct quarantine_options *options;
  struct redrive *redrive; // VERB_REDRIVE
  int64_t matched;
};

static bool is_id(const char *id, const rd_kafka_message_t *rkm, const struct event *ev) {
  char place[48], ce_id[UUID_TEXT_SIZE];
  snprintf(place, sizeof place, "%" PRId32 ":%" PRId64, rkm->partition, rkm->offset);
  uuid_format(ev->id, ce_id);
  return strcmp(id, place) == 0 || (ev->type && strcasecmp(id, ce_id) == 0);
}

static bool is_named(const struct quarantine_options *o, const rd_kafka_message_t *rkm,
                     const struct event *ev) {
  for (size_t i = 0; i < o->n_ids; i++)
    if (is_id(o->ids[i], rkm, ev)) return true;
  return o->n_ids == 0;
}

static bool fits(const char *wanted, const char *value) {
  return wanted == NULL || (value && strcmp(wanted, value) == 0);
}

// Of a record that is no event of ours, what Kafka knows.
static int64_t time_of(const rd_kafka_message_t *rkm, const struct event *ev) {
  return ev->type ? ev->time_ms : rd_kafka_message_timestamp(rkm, NULL);
}

static bool is_wanted(const struct quarantine_options *o, const rd_kafka_message_t *rkm,
                      const struct event *ev) {
  int64_t at = time_of(rkm, ev);
  return is_named(o, rkm, ev) && fits(o->provider, ev->provider) && fits(o->endpoint, ev->endpoint) &&
         (o->reason == NULL || (ev->reason && strstr(ev->reason, o->reason))) && at >= o->since_ms &&
         at < o->until_ms;
}

// ---- what is done with them ----

static void list(const rd_kafka_message_t *rkm, const struct event *ev) {
  char time[CLOCK_RFC3339_SIZE] = "-", place[48];
  int64_t at = time_of(rkm, ev);
  if (at >= 0) clock_format_rfc3339(at, time);
  snprintf(place, sizeof place, "%" PRId32 ":%" PRId64, rkm->partition, rkm->offset);
  printf("%-12s  %-24s  %9zu  ", place, time, rkm->len);
  terminal_print(ev->endpoint ? ev->endpoint : ev->provider ? ev->provider : "-");
  printf("  ");
  terminal_print(ev->reason ? ev->reason : "not an event of ours");
  putchar('\n');
}

static void show(const rd_kafka_message_t *rkm) {
  fprintf(stderr,
          "quarantine: %zu bytes as they came, nothing masked: there may be telephone numbers in them\n",
          rkm->len);
  if (rkm->len) fwrite(rkm->payload, 1, rkm->len, stdout);
}

static enum reader_result take_record(void *arg, const struct event *ev, const rd_kafka_message_t *rkm,
                                      struct err *err) {
  struct quarantine *q = arg;
  const struct quarantine_options *o = q->options;
  if (!is_wanted(o, rkm, ev)) return READER_MORE;
  if (o->verb == VERB_LIST) list(rkm, ev);
  if (o->verb == VERB_SHOW) show(rkm);
  if (o->verb == VERB_REDRIVE && !redrive_take(q->redrive, ev, rkm, err)) return READER_FAILED;
  return ++q->matched < o->limit ? READER_MORE : READER_ENOUGH;
}

static bool read_all(struct quarantine *q, const struct processor *processor, struct err *err) {
  const char *topic = processor->topics[KAFKA_TOPIC_QUARANTINE];
  if (!reader_read(processor->settings, topic, take_record, q, err)) return false;
  return q->options->n_ids == 0 || q->matched ||
         err_set(err, "there is no such record in quarantine; \"quarantine list\" shows what there is");
}

static void print_counts(const struct redrive_counts *counts, bool dry) {
  printf("%" PRId64 " records read: %" PRId64 " elements %s; %" PRId64 " were taken in before, %" PRId64
         " still make no sense and stay\n",
         counts->records, counts->sent, dry ? "would be redriven" : "redriven", counts->known,
         counts->unclear);
  if (counts->unknown)
    printf("%" PRId64 " events have types that this version does not know, and stay\n", counts->unknown);
}

static bool redrive(struct quarantine *q, struct processor *processor, struct err *err) {
  struct redrive_counts counts;
  q->redrive = redrive_open(processor, q->options->dry_run, err);
  if (!q->redrive || !redrive_close(q->redrive, read_all(q, processor, err), &counts, err)) return false;
  print_counts(&counts, q->options->dry_run);
  return true;
}

static bool run(struct processor *processor, const void *options, struct err *err) {
  struct quarantine q = {.options = options};
  if (q.options->verb == VERB_LIST) printf("%-12s  %-24s  %9s  endpoint  reason\n", "place", "time", "bytes");
  return q.options->verb == VERB_REDRIVE ? redrive(&q, processor, err) : read_all(&q, processor, err);
}

const struct command quarantine_command = {"quarantine",   help, sizeof(struct quarantine_options),
                                           read_arguments, run,  false};
