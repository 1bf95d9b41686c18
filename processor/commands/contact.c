// SPDX-License-Identifier: MIT
// dochak-processor contact: what is known of one person. Only reads.
#include "processor/tables/contact.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "processor/commands/command.h"
#include "processor/commands/flags.h"
#include "processor/commands/terminal.h"
#include "processor/postgres/schema_version.h"
#include "processor/rules/alert.h"
#include "processor/tables/rows.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct contact_options {
  const char *provider, *id;
  bool reveals, as_json;
};

// ---- what is asked for ----

static const char help[] =
    "dochak-processor contact: what a provider has said about one person\n"
    "\n"
    "usage: dochak-processor contact PROVIDER ID [--reveal] [--json]\n"
    "\n"
    "  ID        the id that you gave the person, or the provider's own\n"
    "  --reveal  telephone number and e-mail address whole, if they are stored so: that takes\n"
    "            DOCHAK_CONTACT_KEY, here and when they came. Otherwise they are masked\n"
    "  --json    one JSON object for each contact that is found\n"
    "\n"
    "Times are those of your zone (TZ); with --json they are UTC.";

static bool read_arguments(int argc, char **argv, void *options, struct err *err) {
  struct contact_options *o = options;
  size_t n_words;
  struct flag flags[] = {{"--reveal", FLAG_SWITCH, &o->reveals, NULL},
                         {"--json", FLAG_SWITCH, &o->as_json, NULL}};
  if (!flags_read(argc, argv, flags, COUNT_OF(flags), &n_words, err)) return false;
  if (n_words != 2) return err_set(err, "expected a provider and an id");
  o->provider = argv[1];
  o->id = argv[2];
  return true;
}

// ---- one contact ----

// Telephone number and e-mail address as they are shown. Borrowed.
struct shown {
  const char *phone, *email;
};

static json_t *text_or_null(const char *text) {
  return text ? json_string(text) : json_null();
}

// By whichever deletion is the later one.
static int64_t deleted_at(const struct contact_row *row) {
  if (!row->is_deleted) return NO_TIME;
  return row->deletion.at > row->gone_at ? row->deletion.at : row->gone_at;
}

static void print_json(const struct contact_row *row, const struct shown *shown) {
  const struct contact_mark *mark = &row->upsert;
  AUTO_JSON *value = json_object();
  json_object_set_new(value, "provider", json_string(row->provider));
  json_object_set_new(value, "contact_id", json_string(row->id));
  json_object_set_new(value, "provider_id", text_or_null(contact_provider_id(row)));
  json_object_set_new(value, "status", json_string(row->is_deleted ? "deleted" : "known"));
  json_object_set_new(value, "phone", text_or_null(shown->phone));
  json_object_set_new(value, "email", text_or_null(shown->email));
  json_object_set_new(value, "consents", json_incref(row->details.consents));
  json_object_set_new(value, "version", mark->has_version ? json_integer(mark->version) : json_null());
  json_object_set_new(value, "changed_at", alert_time(mark->at));
  json_object_set_new(value, "deleted_at", alert_time(deleted_at(row)));
  terminal_print_json(value);
}

static void print_text(const char *before, const char *text) {
  if (!text) return;
  fputs(before, stdout);
  terminal_print(text);
  putchar('\n');
}

static void print_time(const char *before, int64_t ms) {
  char text[TERMINAL_TIME_SIZE];
  if (ms == NO_TIME) return;
  terminal_format_time(ms, text);
  print_text(before, text);
}

static void print_words(const struct contact_row *row, const struct shown *shown) {
  const char *consent;
  json_t *value;
  terminal_print(row->provider);
  print_text("  ", row->id);
  print_text("  provider's id  ", contact_provider_id(row));
  print_time("  deleted        ", deleted_at(row));
  print_text("  phone          ", shown->phone);
  print_text("  email          ", shown->email);
  json_object_foreach(row->details.consents, consent, value) {
    fputs(json_is_true(value) ? "  consent        given: " : "  consent        withdrawn: ", stdout);
    terminal_print(consent);
    putchar('\n');
  }
  if (row->upsert.has_version) printf("  version        %" PRId64 "\n", row->upsert.version);
  print_time("  changed        ", row->upsert.at);
}

// ---- the whole values ----

static const char *whole_member(const json_t *whole, const char *name) {
  return json_string_value(json_object_get(whole, name));
}

static bool open_whole(const struct processor *processor, const struct contact_row *row, json_t **whole,
                       struct err *err) {
  if (!row->sealed && !row->details.phone && !row->details.email) return true; // there is nothing
  if (!row->sealed)
    return err_set(err, "it is stored only masked: DOCHAK_CONTACT_KEY was not set when it came");
  AUTO_FREE char *text = contact_open(row, &processor->contact_key);
  if (!text)
    return err_set(err, "it cannot be decrypted: DOCHAK_CONTACT_KEY is not the key that it was stored with");
  *whole = json_parse(text, strlen(text), err);
  return *whole;
}

static bool print_one(const struct processor *processor, const struct contact_options *o,
                      const struct contact_row *row, struct err *err) {
  AUTO_JSON *whole = NULL;
  struct shown shown = {row->details.phone, row->details.email};
  if (o->reveals && !open_whole(processor, row, &whole, err)) return false;
  if (o->reveals) shown = (struct shown){whole_member(whole, "phone"), whole_member(whole, "email")};
  (o->as_json ? print_json : print_words)(row, &shown);
  return true;
}

// ---- all of it ----

static bool print_all(const struct processor *processor, PGconn *conn, const struct contact_options *o,
                      struct err *err) {
  static const char *const statements[] = {"contact_read.sql"};
  struct contact_row *rows;
  size_t n;
  if (!schema_version_hold(conn, err) || !rows_prepare(conn, statements, COUNT_OF(statements), err) ||
      !contact_read(conn, o->provider, &o->id, 1, &rows, &n, err))
    return false;
  bool done = n > 0 || err_set(err, "no contact of provider %s has this id", o->provider);
  for (size_t i = 0; done && i < n; i++) done = print_one(processor, o, &rows[i], err);
  contact_free(rows, n);
  return done;
}

static bool run(struct processor *processor, const void *options, struct err *err) {
  const struct contact_options *o = options;
  if (o->reveals && !processor->interpreter.keeps_whole)
    return err_set(err, "--reveal needs DOCHAK_CONTACT_KEY");
  PGconn *conn = pg_connect(err);
  bool done = conn && print_all(processor, conn, o, err);
  PQfinish(conn);
  return done;
}

const struct command contact_command = {"contact",      help, sizeof(struct contact_options),
                                        read_arguments, run,  false};
