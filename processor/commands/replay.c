// SPDX-License-Identifier: MIT
// dochak-processor replay: reads with today's provider files once more what was received in a time and
// stored, and puts right what they make otherwise of it. It reads no topic: what no processor has taken in
// yet is the running processors' to do, which should have today's files, too.
//
// Dies anywhere: what was put right stays so, and is not different any more when it is started again; what
// was raised and not published is published then (replay_alerts.h).
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "processor/commands/command.h"
#include "processor/commands/flags.h"
#include "processor/commands/replay_alerts.h"
#include "processor/commands/replay_store.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRESS_MS = 2000 };

struct replay {
  struct processor *processor;
  const struct replay_options *options;
  char *source; // of the alerts
  struct store *store;
  struct replay_store rows;
  struct replay_alerts *alerts; // NULL in a dry run
  struct report report;
  int64_t began_at, progress_at; // when the next line is due
  int64_t chosen;                // notifications
  int64_t counts[REPLAY_COUNTS];
  size_t left; // alerts that an earlier replay had not published
};

// ---- what is asked for ----

static const char help[] =
    "dochak-processor replay: reads stored receipts and acceptances once more with today's provider files, "
    "and\n"
    "corrects what these read otherwise: status, outcome, code, reason, channel, time; an alert is raised\n"
    "where a status really changes\n"
    "\n"
    "usage: dochak-processor replay --from TIME [--to TIME] [--provider NAME] [--dry-run]\n"
    "\n"
    "  --from TIME      notifications of which something was received at this time or later, such as\n"
    "                   2026-01-12T11:00:00+09:00, or beginning\n"
    "  --to TIME        and before this time; until now if not given\n"
    "  --provider NAME  only this provider's\n"
    "  --dry-run        only shows what would change\n"
    "\n"
    "Give the mended provider file to the running processors first. Start it again when it was "
    "interrupted.";

static bool read_arguments(int argc, char **argv, void *options, struct err *err) {
  struct replay_options *o = options;
  struct flag flags[] = {{"--from", FLAG_SINCE, &o->from_ms, NULL},
                         {"--to", FLAG_TIME, &o->to_ms, NULL},
                         {"--provider", FLAG_TEXT, &o->provider, NULL},
                         {"--dry-run", FLAG_SWITCH, &o->dry_run, NULL}};
  const struct flag *from = &flags[0], *to = &flags[1];
  o->to_ms = INT64_MAX;
  if (!flags_read(argc, argv, flags, COUNT_OF(flags), NULL, err)) return false;
  if (from->given == NULL) return err_set(err, "--from: missing");
  return o->from_ms < o->to_ms ||
         err_set(err, "--to %s: does not come after --from %s", to->given, from->given);
}

// ---- correcting ----

static void show_progress(struct replay *r) {
  int64_t now = clock_mono_ms();
  if (now < r->progress_at) return;
  r->progress_at = now + PROGRESS_MS;
  int64_t read = r->counts[REPLAY_NOTIFICATIONS], left = r->chosen - read;
  fprintf(stderr,
          "replay: %" PRId64 " of %" PRId64 " notifications read, %" PRId64 " differ, about %" PRId64
          " s left\n",
          read, r->chosen, r->counts[REPLAY_CHANGED], (now - r->began_at) * left / read / 1000);
}

static bool correct_all(struct replay *r, struct err *err) {
  r->began_at = clock_mono_ms();
  r->progress_at = r->began_at + PROGRESS_MS;
  while (r->counts[REPLAY_NOTIFICATIONS] < r->chosen) {
    int64_t raised = r->counts[REPLAY_ALERTS];
    size_t n;
    if (stop_requested()) return err_set(err, "stopped");
    if (!replay_store_next(&r->rows, r->counts, &r->report, err)) return false;
    bool publishes = r->alerts && r->counts[REPLAY_ALERTS] > raised;
    if (publishes && !replay_alerts_publish(r->alerts, &n, err)) return false;
    show_progress(r);
  }
  return true;
}

// ---- the answer ----

static void print_counts(const struct replay *r) {
  const char *would = r->options->dry_run ? "would be " : "";
  printf("%" PRId64 " notifications read (%" PRId64 " receipts, %" PRId64 " acceptances); %" PRId64
         " notifications %scorrected, %" PRId64 " alerts %sraised\n",
         r->counts[REPLAY_NOTIFICATIONS], r->counts[REPLAY_RECEIPTS], r->counts[REPLAY_ACCEPTANCES],
         r->counts[REPLAY_CHANGED], would, r->counts[REPLAY_ALERTS], would);
}

// Notifications that may still be wrong.
static void print_warnings(const int64_t counts[REPLAY_COUNTS]) {
  static const char *const texts[REPLAY_COUNTS] = {
      [REPLAY_UNCLEAR] = "have a receipt or an acceptance that today's provider files cannot read, and stay",
      [REPLAY_KEPT] = "were registered before acceptances were stored: what their rows contain of that stays",
      [REPLAY_WITHOUT_FILE] = "are of a provider without a file, and stay",
  };
  for (enum replay_count c = 0; c < REPLAY_COUNTS; c++)
    if (texts[c] && counts[c]) fprintf(stderr, "replay: %" PRId64 " notifications %s\n", counts[c], texts[c]);
}

static bool open_all(struct replay *r, struct err *err) {
  struct processor *p = r->processor;
  r->source = alert_replay_source(p->topics[KAFKA_TOPIC_EVENTS]);
  r->store = store_open(NULL, err);
  if (r->store == NULL) return false;
  r->rows = (struct replay_store){store_connection(r->store), &p->interpreter, r->source, r->options};
  if (!replay_store_begin(&r->rows, &r->chosen, err)) return false;
  if (!r->options->dry_run) r->alerts = replay_alerts_open(p, r->store, r->source, &r->left, err);
  return r->options->dry_run || r->alerts;
}

static void close_all(struct replay *r) {
  replay_alerts_close(r->alerts);
  store_close(r->store);
  report_fini(&r->report);
  free(r->source);
}

static bool run(struct processor *processor, const void *options, struct err *err) {
  struct replay r = {.processor = processor, .options = options};
  const char *provider = r.options->provider;
  if (provider && providers_find(processor->providers, provider) == NULL)
    return err_set(err, "--provider: there is no provider file for \"%s\"", provider);
  bool done = open_all(&r, err) && correct_all(&r, err);
  if (r.left) fprintf(stderr, "replay: %zu alerts of an earlier replay are published now\n", r.left);
  report_print(&r.report, stdout); // what was done is done, also when the rest was not
  if (done) print_counts(&r);
  if (done) print_warnings(r.counts);
  close_all(&r);
  return done;
}

const struct command replay_command = {"replay",       help, sizeof(struct replay_options),
                                       read_arguments, run,  false};
