// SPDX-License-Identifier: MIT
// dochak-processor replay: reads events that were taken in before once more, with today's provider files, and
// puts right what they would have made of it. Only what the consumer group has done is read: the rest is the
// running processors' to do, which should have today's files, too.
//
// Dies anywhere: what was put right stays so, and is not different any more when it is started again; what
// was raised and not told is told then (telling.h).
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "processor/commands/command.h"
#include "processor/commands/replay_store.h"
#include "processor/commands/report.h"
#include "processor/commands/telling.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NOTE_RECORDS = 2000, NOTE_MAX_BYTES = 8 * 1024 * 1024, PROGRESS_MS = 2000 };

struct replay_options {
  struct place from, to;
  const char *provider; // NULL: all
  bool dry_run;
};

struct replay {
  struct processor *processor;
  const struct replay_options *options;
  char *source; // of the alerts
  struct reader *reader;
  struct reader_span *spans;
  size_t n_spans;
  struct replay_store *store;
  struct telling *telling; // NULL in a dry run
  struct fact *facts;      // read and not yet noted
  size_t n_facts, n_bytes;
  struct report report;
  int64_t progress_at; // when the next line is due
  int64_t to_read, read, receipts, acceptances, unclear, unknown, not_done, missing;
  int64_t concerned, looked_at, changed;
  size_t raised, left; // left untold by an earlier replay
};

// ---- what is asked for ----

static void print_help(void) {
  puts(
      "dochak-processor replay: reads events once more with today's provider files, and corrects what these\n"
      "read otherwise: status, outcome, code, reason, channel, time; an alert is raised where a status "
      "really "
      "changes\n"
      "\n"
      "usage: dochak-processor replay --from PLACE [--to PLACE] [--provider NAME] [--dry-run]\n"
      "\n"
      "  --from PLACE     where to begin: a time such as 2026-01-12T11:00:00+09:00 (when the event came to "
      "the\n"
      "                   topic), an offset (in each partition), or beginning\n"
      "  --to PLACE       before what to end, the same; all that the processors have done if not given\n"
      "  --provider NAME  only this provider's events\n"
      "  --dry-run        only shows what would change\n"
      "\n"
      "Give the mended provider file to the running processors first. Start it again when it was "
      "interrupted.");
}

static bool read_options(int argc, char **argv, struct replay_options *options, bool *help, struct err *err) {
  const char *from = NULL, *to = NULL;
  const struct flag flags[] = {{"--from", &from, NULL},
                               {"--to", &to, NULL},
                               {"--provider", &options->provider, NULL},
                               {"--dry-run", NULL, &options->dry_run},
                               {"--help", NULL, help}};
  size_t words = 0;
  options->to.kind = PLACE_END;
  if (!flags_read(argc, argv, flags, COUNT_OF(flags), &words, err)) return false;
  if (*help) return true;
  if (words) return err_set(err, "unknown argument \"%s\"", argv[1]);
  if (from == NULL) return err_set(err, "--from: missing");
  if (!flags_place(from, &options->from, err)) return err_prefix(err, "--from: ");
  if (!flags_place(to, &options->to, err)) return err_prefix(err, "--to: ");
  bool alike = options->from.kind == options->to.kind;
  bool numbers = options->from.kind == PLACE_OFFSET || options->from.kind == PLACE_TIME;
  return !alike || !numbers || options->from.value < options->to.value ||
         err_set(err, "--to %s: does not come after --from %s", to, from);
}

static int read_arguments(int argc, char **argv, void *options) {
  struct err err = {0};
  bool help = false;
  if (!read_options(argc, argv, options, &help, &err)) {
    fprintf(stderr, "dochak-processor replay: %s; --help lists what there is\n", err.text);
    return 2;
  }
  if (help) print_help();
  return help ? 0 : -1;
}

// ---- reading ----

static void show_progress(struct replay *r) {
  if (clock_mono_ms() < r->progress_at) return;
  r->progress_at = clock_mono_ms() + PROGRESS_MS;
  if (r->concerned == 0)
    fprintf(stderr, "replay: %" PRId64 " of %" PRId64 " events read\n", r->read, r->to_read);
  else
    fprintf(stderr, "replay: %" PRId64 " of %" PRId64 " notifications looked at, %" PRId64 " differ\n",
            r->looked_at, r->concerned, r->changed);
}

static void clear(struct replay *r) {
  facts_release(r->facts, r->n_facts);
  r->n_facts = 0;
  r->n_bytes = 0;
}

static bool note(struct replay *r, struct err *err) {
  bool ok = r->n_facts == 0 || replay_store_note(r->store, r->facts, r->n_facts, &r->unknown, err);
  clear(r);
  return ok;
}

static bool is_wanted(const struct replay *r, const struct fact *fact) {
  const char *wanted = r->options->provider;
  return wanted == NULL || (fact->ev.provider && strcmp(fact->ev.provider, wanted) == 0);
}

static void count(struct replay *r, const struct fact *fact) {
  if (fact->type == FACT_NOTIFICATION) ++*(fact->element ? &r->receipts : &r->acceptances);
  r->unclear += fact->type == FACT_UNCLEAR;
}

static bool take_in(struct replay *r, rd_kafka_message_t *rkm, struct err *err) {
  struct fact *fact = &r->facts[r->n_facts];
  interpret(&r->processor->interpreter, rkm, fact);
  r->read++;
  if (is_wanted(r, fact)) {
    count(r, fact);
    r->n_facts++;
    r->n_bytes += rkm->len;
    return (r->n_facts < NOTE_RECORDS && r->n_bytes < NOTE_MAX_BYTES) || note(r, err);
  }
  facts_release(fact, 1);
  return true;
}

static bool read_span(struct replay *r, const struct reader_span *span, struct err *err) {
  rd_kafka_message_t *rkm = NULL;
  enum reader_result result = READER_FAILED;
  if (!reader_begin(r->reader, span, err)) return false;
  while ((result = reader_next(r->reader, &rkm, err)) == READER_RECORD) {
    if (!take_in(r, rkm, err)) return false;
    show_progress(r);
  }
  return result == READER_END;
}

static bool read_all(struct replay *r, struct err *err) {
  for (size_t i = 0; i < r->n_spans; i++)
    if (!read_span(r, &r->spans[i], err)) return false;
  return note(r, err) && replay_store_gather(r->store, &r->concerned, err);
}

// ---- putting right ----

static void take_page(struct replay *r, const struct replay_page *page) {
  for (size_t i = 0; i < page->n; i++) {
    if (!page->changed[i]) continue;
    report_add(&r->report, &page->before[i], &page->after[i]);
    r->changed++;
  }
  r->raised += page->n_alerts;
}

static bool correct_all(struct replay *r, struct err *err) {
  for (int64_t first = 1; first <= r->concerned; first += REPLAY_PAGE_SIZE) {
    struct replay_page page;
    if (stop_requested()) return err_set(err, "stopped");
    if (!replay_store_correct(r->store, first, !r->options->dry_run, &page, err)) return false;
    take_page(r, &page);
    replay_page_fini(&page);
    if (r->telling && !telling_tell(r->telling, NULL, err)) return false;
    r->looked_at = first + REPLAY_PAGE_SIZE - 1 < r->concerned ? first + REPLAY_PAGE_SIZE - 1 : r->concerned;
    show_progress(r);
  }
  return true;
}

// ---- the answer ----

static void say(const struct replay *r) {
  const char *would = r->options->dry_run ? "would be " : "";
  printf("%" PRId64 " events read (%" PRId64 " receipts, %" PRId64 " acceptances); %" PRId64
         " notifications %scorrected, %zu alerts %sraised\n",
         r->read, r->receipts, r->acceptances, r->changed, would, r->raised, would);
}

// What somebody should know who thinks that now all is as it should be.
static void warn(const struct replay *r) {
  if (r->missing)
    fprintf(stderr,
            "replay: %" PRId64
            " receipts of the range are no longer on the topic: they keep the outcome and code they have\n",
            r->missing);
  if (r->unclear)
    fprintf(stderr,
            "replay: %" PRId64 " events make no sense to today's provider files: what they did stays\n",
            r->unclear);
  if (r->unknown)
    fprintf(
        stderr,
        "replay: %" PRId64
        " receipts are not in the database; those in quarantine come back with \"dochak-processor quarantine "
        "redrive\"\n",
        r->unknown);
  if (r->not_done)
    fprintf(stderr, "replay: %" PRId64 " events of the range are still the running processors' to do\n",
            r->not_done);
}

static bool open_all(struct replay *r, struct err *err) {
  struct processor *p = r->processor;
  r->source = alert_replay_source(p->topics[KAFKA_TOPIC_EVENTS]);
  r->reader = reader_open(p->settings, p->topics[KAFKA_TOPIC_EVENTS], err);
  if (r->reader == NULL) return false;
  r->store = replay_store_open(&p->interpreter, r->source, !r->options->dry_run, err);
  if (r->store == NULL) return false;
  if (r->options->dry_run) return true;
  r->telling = telling_open(p, replay_store_base(r->store), r->source, &r->left, err);
  return r->telling != NULL;
}

static bool find_range(struct replay *r, struct err *err) {
  const struct replay_options *options = r->options;
  if (!reader_spans(r->reader, &options->from, &options->to, &r->spans, &r->n_spans, err) ||
      !reader_keep_done(r->reader, r->spans, r->n_spans, &r->not_done, err) ||
      !replay_store_missing(r->store, r->spans, r->n_spans, &options->from, options->provider, &r->missing,
                            err))
    return false;
  for (size_t i = 0; i < r->n_spans; i++) r->to_read += r->spans[i].end - r->spans[i].first;
  return true;
}

static void close_all(struct replay *r) {
  clear(r);
  telling_close(r->telling);
  replay_store_close(r->store);
  reader_close(r->reader);
  report_fini(&r->report);
  free(r->spans);
  free(r->facts);
  free(r->source);
}

static bool run(struct processor *processor, const void *options, struct err *err) {
  struct replay r = {.processor = processor, .options = options};
  const char *provider = r.options->provider;
  if (provider && providers_find(processor->providers, provider) == NULL)
    return err_set(err, "--provider: no provider file says \"%s\"", provider);
  r.facts = mem_array(NOTE_RECORDS, sizeof *r.facts);
  r.progress_at = clock_mono_ms() + PROGRESS_MS;
  bool done = open_all(&r, err) && find_range(&r, err) && read_all(&r, err) && correct_all(&r, err);
  if (r.left) fprintf(stderr, "replay: %zu alerts of an earlier replay are told now\n", r.left);
  report_print(&r.report, stdout); // what was done is done, also when the rest was not
  if (done) say(&r);
  if (done) warn(&r);
  close_all(&r);
  return done;
}

const struct command replay_command = {"replay", sizeof(struct replay_options), read_arguments, run};
