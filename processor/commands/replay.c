// SPDX-License-Identifier: MIT
// dochak-processor replay: reads with today's provider files once more what was received in a time and
// stored, and puts right what they make otherwise of it. It reads no topic: what no processor has taken in
// yet is the running processors' to do, which should have today's files, too.
//
// Dies anywhere: what was put right stays so, and is not different any more when it is started again; what
// was raised and not told is told then (telling.h).
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "processor/commands/command.h"
#include "processor/commands/flags.h"
#include "processor/commands/replay_store.h"
#include "processor/commands/report.h"
#include "processor/commands/telling.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRESS_MS = 2000 };

struct replay_options {
  int64_t from_ms, to_ms; // from the one to before the other
  const char *provider;   // NULL: all
  bool dry_run;
};

struct replay {
  struct processor *processor;
  const struct replay_options *options;
  char *source; // of the alerts
  struct replay_store *store;
  struct telling *telling; // NULL in a dry run
  struct report report;
  int64_t began_at, progress_at; // when the next line is due
  int64_t chosen, changed;       // notifications
  struct replay_counts counts;
  size_t raised, left; // left untold by an earlier replay
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
  struct flag flags[] = {{"--from", FLAG_TIME, &o->from_ms, NULL},
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

// ---- putting right ----

static void show_progress(struct replay *r) {
  int64_t now = clock_mono_ms();
  if (now < r->progress_at) return;
  r->progress_at = now + PROGRESS_MS;
  int64_t read = r->counts.notifications, left = r->chosen - read;
  fprintf(stderr,
          "replay: %" PRId64 " of %" PRId64 " notifications read, %" PRId64 " differ, about %" PRId64
          " s left\n",
          read, r->chosen, r->changed, (now - r->began_at) * left / read / 1000);
}

static void take_page(struct replay *r, const struct replay_page *page) {
  for (size_t i = 0; i < page->n; i++) {
    if (!page->changed[i]) continue;
    report_add(&r->report, &page->before[i], &page->after[i]);
    r->changed++;
  }
  r->raised += page->n_alerts;
  r->counts.notifications += page->counts.notifications;
  r->counts.receipts += page->counts.receipts;
  r->counts.acceptances += page->counts.acceptances;
  r->counts.unclear += page->counts.unclear;
  r->counts.kept += page->counts.kept;
  r->counts.without_file += page->counts.without_file;
}

static bool correct_all(struct replay *r, struct err *err) {
  bool more = true;
  r->began_at = clock_mono_ms();
  r->progress_at = r->began_at + PROGRESS_MS;
  while (more) {
    struct replay_page page;
    if (stop_requested()) return err_set(err, "stopped");
    if (!replay_store_next(r->store, !r->options->dry_run, &page, err)) return false;
    take_page(r, &page);
    more = page.n > 0;
    bool tells = page.n_alerts && r->telling;
    replay_page_fini(&page);
    if (tells && !telling_tell(r->telling, NULL, err)) return false;
    if (more) show_progress(r);
  }
  return true;
}

// ---- the answer ----

static void say(const struct replay *r) {
  const char *would = r->options->dry_run ? "would be " : "";
  printf("%" PRId64 " notifications read (%" PRId64 " receipts, %" PRId64 " acceptances); %" PRId64
         " notifications %scorrected, %zu alerts %sraised\n",
         r->counts.notifications, r->counts.receipts, r->counts.acceptances, r->changed, would, r->raised,
         would);
}

// What somebody should know who thinks that now all is as it should be.
static void warn(const struct replay_counts *counts) {
  if (counts->unclear)
    fprintf(stderr,
            "replay: %" PRId64 " notifications have a receipt or an acceptance that today's provider files "
            "cannot read: they stay as they are\n",
            counts->unclear);
  if (counts->kept)
    fprintf(
        stderr,
        "replay: %" PRId64
        " notifications were registered before acceptances were stored: what their rows say of that stays\n",
        counts->kept);
  if (counts->without_file)
    fprintf(stderr,
            "replay: %" PRId64 " notifications are of a provider without a file: they stay as they are\n",
            counts->without_file);
}

static bool open_all(struct replay *r, struct err *err) {
  struct processor *p = r->processor;
  const struct replay_options *options = r->options;
  r->source = alert_replay_source(p->topics[KAFKA_TOPIC_EVENTS]);
  r->store = replay_store_open(&p->interpreter, r->source, !options->dry_run, err);
  if (r->store == NULL) return false;
  if (!options->dry_run) r->telling = telling_open(p, replay_store_base(r->store), r->source, &r->left, err);
  return (options->dry_run || r->telling) &&
         replay_store_choose(r->store, options->from_ms, options->to_ms, options->provider, &r->chosen, err);
}

static void close_all(struct replay *r) {
  telling_close(r->telling);
  replay_store_close(r->store);
  report_fini(&r->report);
  free(r->source);
}

static bool run(struct processor *processor, const void *options, struct err *err) {
  struct replay r = {.processor = processor, .options = options};
  const char *provider = r.options->provider;
  if (provider && providers_find(processor->providers, provider) == NULL)
    return err_set(err, "--provider: no provider file says \"%s\"", provider);
  bool done = open_all(&r, err) && correct_all(&r, err);
  if (r.left) fprintf(stderr, "replay: %zu alerts of an earlier replay are told now\n", r.left);
  report_print(&r.report, stdout); // what was done is done, also when the rest was not
  if (done) say(&r);
  if (done) warn(&r.counts);
  close_all(&r);
  return done;
}

const struct command replay_command = {"replay", help, sizeof(struct replay_options), read_arguments, run};
