// SPDX-License-Identifier: MIT
// dochak-processor reconcile: asks a provider for what its webhooks should have brought, and writes the
// events that are missing here to the events topic, as if the webhook had come. The processors do the rest,
// so an answer that comes twice, or a webhook that comes late, changes nothing.
//
// Dies anywhere: table ask_question holds what is still to be asked. A question goes from there when the
// events of its answer are in Kafka. So only what was answered since the last checkpoint is asked again.
#include "processor/commands/reconcile.h"
#include "common/base/clock.h"
#include "common/base/crash_point.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "common/json/json.h"
#include "processor/commands/command.h"
#include "processor/commands/flags.h"
#include "processor/commands/terminal.h"
#include "processor/postgres/schema_version.h"
#include "processor/tables/rows.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHECKPOINT_MS = 1000, CHECKPOINT_ANSWERS = 200, WAIT_MS = 200, LINE_MS = 10000, TERMINAL_MS = 500 };

// ---- what is asked for ----

static const char help[] =
    "dochak-processor reconcile: asks a provider for what its webhooks should have brought, and takes it in "
    "as\n"
    "if they had\n"
    "\n"
    "usage: dochak-processor reconcile PROVIDER --overdue\n"
    "       dochak-processor reconcile PROVIDER --since TIME [--until TIME] [--all]\n"
    "       dochak-processor reconcile PROVIDER --members FILE\n"
    "       dochak-processor reconcile PROVIDER --known\n"
    "\n"
    "notifications, such as BizGo's:\n"
    "  --overdue        whose report is due and has not come\n"
    "  --since TIME     that were accepted at this time or later, such as 2026-01-12T11:00:00+09:00, or\n"
    "                   beginning, and have no result or were given up\n"
    "  --until TIME     and before this time\n"
    "  --all            also those that have a result\n"
    "contacts, such as Channel Talk's:\n"
    "  --members FILE   the ids in this file, one a line; - is stdin\n"
    "  --known          all that are known here, have an id of yours (memberId) and are not deleted\n"
    "\n"
    "  --dry-run        only shows what differs\n"
    "  --json           a JSON object a line on stdout: each difference, each id without a usable answer, "
    "and\n"
    "                   at last the sums\n"
    "  --patience S     gives up after so many seconds without a usable answer; 300 if not given\n"
    "  --restart        forgets what an earlier run has left to be asked\n"
    "  --all-gone       believes that contacts are gone also where one answer after the other says so\n"
    "\n"
    "The endpoints file says with which credentials (member ask). Start it again when it was interrupted: "
    "it\n"
    "goes on where it was.";

static bool check_choice(const struct reconcile_options *o, bool has_until, struct err *err) {
  int choices = o->overdue + o->known + o->has_since + (o->members != NULL);
  if (choices != 1) return err_set(err, "expected one of --overdue, --since, --members and --known");
  if ((has_until || o->all) && !o->has_since) return err_set(err, "--until and --all go with --since");
  return o->since_ms < o->until_ms || err_set(err, "--until: does not come after --since");
}

static bool read_arguments(int argc, char **argv, void *options, struct err *err) {
  struct reconcile_options *o = options;
  *o = (struct reconcile_options){.since_ms = INT64_MIN, .until_ms = INT64_MAX, .patience_s = 300};
  struct flag flags[] = {
      {"--overdue", FLAG_SWITCH, &o->overdue, NULL},     {"--since", FLAG_SINCE, &o->since_ms, NULL},
      {"--until", FLAG_TIME, &o->until_ms, NULL},        {"--all", FLAG_SWITCH, &o->all, NULL},
      {"--members", FLAG_TEXT, &o->members, NULL},       {"--known", FLAG_SWITCH, &o->known, NULL},
      {"--dry-run", FLAG_SWITCH, &o->dry_run, NULL},     {"--json", FLAG_SWITCH, &o->as_json, NULL},
      {"--patience", FLAG_NUMBER, &o->patience_s, NULL}, {"--restart", FLAG_SWITCH, &o->restart, NULL},
      {"--all-gone", FLAG_SWITCH, &o->all_gone, NULL}};
  size_t words;
  if (!flags_read(argc, argv, flags, COUNT_OF(flags), &words, err)) return false;
  if (words != 1) return err_set(err, "expected one provider, such as bizgo");
  o->provider = argv[1];
  o->has_since = flags[1].given != NULL;
  return check_choice(o, flags[2].given != NULL, err);
}

// ---- the state ----

struct reconcile {
  struct processor *processor;
  const struct reconcile_options *options;
  const struct ask_account *account;
  PGconn *conn;
  struct asker *asker;
  struct reconcile_differences differences;
  struct ask_run run;
  int64_t requests_before; // by processes before this one
  int64_t too_old;
  // Every question is asked; those that got no usable answer are asked once more at the end.
  struct ask_questions questions, later;
  const struct ask_questions *turn; // one of the two
  size_t asked, answered;           // of the turn
  struct asker_answer *pending;     // answered, and not stored
  size_t n_pending, doubtful;       // the last `doubtful` are not to be believed by themselves
  int64_t stored_at_ms;
  bool cannot_store;           // Kafka or Postgres has failed
  struct asker_answer unclear; // the first one for good
  int64_t n_unclear;
  // progress
  bool on_terminal;
  int64_t began_at_ms, line_at_ms;
  size_t began_with; // questions that were left
};

static bool is_about_contacts(const struct reconcile *r) {
  return r->account->form->about == ASK_CONTACT;
}

// ---- progress ----

static size_t count_left(const struct reconcile *r) {
  size_t left = r->turn->n - r->answered;
  return r->turn == &r->questions ? left + r->later.n : left;
}

static void show_progress(struct reconcile *r) {
  int64_t now_ms = clock_mono_ms(), took_ms = now_ms - r->began_at_ms;
  if (now_ms < r->line_at_ms || took_ms <= 0) return;
  r->line_at_ms = now_ms + (r->on_terminal ? TERMINAL_MS : LINE_MS);
  size_t left = count_left(r), done = r->began_with > left ? r->began_with - left : 0;
  char rest[TERMINAL_DURATION_SIZE + 16] = "", duration[TERMINAL_DURATION_SIZE];
  terminal_format_duration(done ? took_ms * (int64_t)left / (int64_t)done : 0, duration);
  if (done) snprintf(rest, sizeof rest, ", about %s left", duration);
  fprintf(stderr, "%sreconcile: %" PRId64 " of %" PRId64 " asked, %.1f requests/s, %" PRId64 " differ%s%s",
          r->on_terminal ? "\r\033[K" : "", r->run.questions - (int64_t)left, r->run.questions,
          (double)asker_requests(r->asker) * 1000 / (double)took_ms, r->differences.count, rest,
          r->on_terminal ? "" : "\n");
}

static void end_progress(const struct reconcile *r) {
  if (r->on_terminal) fputs("\r\033[K", stderr);
}

// ---- storing ----

static void count_answers(struct reconcile *r, size_t n) {
  for (size_t i = 0; i < n; i++) {
    bool found = r->pending[i].reading.result == ASK_RESULT_FOUND;
    r->run.found += found;
    r->run.nothing += !found;
  }
}

static bool compare(struct reconcile *r, size_t n, struct err *err) {
  int64_t before = r->differences.count;
  bool good = is_about_contacts(r) ? reconcile_contacts(&r->differences, r->pending, n, err)
                                   : reconcile_notifications(&r->differences, r->pending, n, err);
  if (!good || (r->differences.emitter && !emitter_flush(r->differences.emitter, err))) return false;
  r->run.differed += r->differences.count - before;
  count_answers(r, n);
  return true;
}

static bool write_run(struct reconcile *r, size_t n, bool has_ended, struct err *err) {
  if (r->options->dry_run) return true;
  AUTO_FREE int64_t *numbers = mem_array(n, sizeof *numbers);
  for (size_t i = 0; i < n; i++) numbers[i] = r->pending[i].number;
  return ask_run_write(r->conn, &r->run, numbers, n, has_ended, err);
}

static bool store(struct reconcile *r, size_t n, bool has_ended, struct err *err) {
  CRASH_POINT("reconcile_before_events");
  if (!compare(r, n, err)) return false;
  CRASH_POINT("reconcile_after_events");
  r->run.requests = r->requests_before + asker_requests(r->asker);
  r->run.not_before_ms = asker_not_before_ms(r->asker);
  return write_run(r, n, has_ended, err);
}

// Stores the answers but for the doubtful ones at the end, of which nothing is used yet.
static bool checkpoint(struct reconcile *r, bool has_ended, struct err *err) {
  size_t n = r->n_pending - r->doubtful;
  r->stored_at_ms = clock_mono_ms();
  r->cannot_store = !store(r, n, has_ended, err);
  if (r->cannot_store) return false;
  for (size_t i = 0; i < n; i++) asker_answer_fini(&r->pending[i]);
  r->n_pending -= n;
  memmove(r->pending, r->pending + n, r->n_pending * sizeof *r->pending);
  return true;
}

static bool is_due(const struct reconcile *r) {
  size_t n = r->n_pending - r->doubtful;
  bool is_paused = asker_not_before_ms(r->asker) > r->run.not_before_ms;
  return n >= CHECKPOINT_ANSWERS ||
         ((n > 0 || is_paused) && clock_mono_ms() - r->stored_at_ms >= CHECKPOINT_MS);
}

// ---- answers ----

static void print_unclear(const struct asker_answer *answer) {
  AUTO_JSON *line = json_pack("{ss ss}", "id", answer->id, "unclear", answer->reading.why);
  if (line) terminal_print_json(line);
}

static void take_unclear(struct reconcile *r, struct asker_answer *answer) {
  if (r->turn == &r->questions) {
    ask_questions_add(&r->later, answer->number, answer->id);
  } else {
    if (r->options->as_json) print_unclear(answer);
    if (r->n_unclear++ == 0) {
      r->unclear = *answer;
      return;
    }
  }
  asker_answer_fini(answer);
}

static bool take_answer(struct reconcile *r, struct asker_answer *answer, struct err *err) {
  int64_t doubt_after = r->options->all_gone ? 0 : answer->reading.doubt_after;
  r->answered++;
  if (answer->reading.result == ASK_RESULT_UNCLEAR) {
    take_unclear(r, answer);
    return true;
  }
  r->pending = mem_grow(r->pending, r->n_pending + 1, sizeof *r->pending);
  r->pending[r->n_pending++] = *answer;
  r->doubtful = doubt_after ? r->doubtful + 1 : 0;
  if (doubt_after == 0 || (int64_t)r->doubtful < doubt_after) return true;
  err_set(err, "%s: %zu answers one after the other say that it is gone, the last one about %s; is %s right?",
          r->options->provider, r->doubtful, answer->id, r->account->base);
  return err_hint(err, "nothing was done with them; --all-gone believes them");
}

// ---- the questions ----

static void ask_more(struct reconcile *r) {
  for (size_t room = asker_room(r->asker); room > 0 && r->asked < r->turn->n; room--) {
    const struct ask_question *question = &r->turn->list[r->asked++];
    asker_ask(r->asker, question->number, question->id);
  }
}

static bool next_turn(struct reconcile *r) {
  if (r->turn == &r->later || r->later.n == 0) return false;
  r->turn = &r->later;
  r->asked = r->answered = 0;
  return true;
}

static bool take_next(struct reconcile *r, struct err *err) {
  struct asker_answer answer;
  ask_more(r);
  switch (asker_wait(r->asker, WAIT_MS, &answer, err)) {
  case ASKER_ANSWERED:
    return take_answer(r, &answer, err);
  case ASKER_WAITING:
    return !stop_requested() || err_set(err, "stopped");
  case ASKER_FAILED:
    return false;
  }
  abort(); // not an event
}

static bool ask_all(struct reconcile *r, struct err *err) {
  do
    while (r->answered < r->turn->n) {
      if (!take_next(r, err)) return false;
      if (is_due(r) && !checkpoint(r, false, err)) return false;
      show_progress(r);
    }
  while (next_turn(r));
  r->doubtful = 0; // too few to be doubted
  return true;
}

// What was answered before it failed is stored all the same.
static bool ask_and_store(struct reconcile *r, struct err *err) {
  struct err second;
  bool asked = ask_all(r, err);
  end_progress(r);
  if (asked) asked = checkpoint(r, true, err);
  if (asked || r->options->dry_run) return asked;
  if (!r->cannot_store && !checkpoint(r, false, &second)) err_hint(err, second.text);
  return err_hint(err, "start it again: it goes on from here");
}

// ---- the result ----

void reconcile_add_difference(struct reconcile_differences *d, const char *id, const char *from,
                              const char *to) {
  report_add_texts(&d->report, provider_name(d->account->provider), from, to, id);
  d->count++;
  if (!d->as_json) return;
  AUTO_JSON *line = json_pack("{ss ss ss}", "id", id, "from", from, "to", to);
  if (line) terminal_print_json(line);
}

bool reconcile_emit(struct reconcile_differences *d, const char *type, const char *id, const char *element,
                    struct err *err) {
  const struct emitter_event event = {.type = type,
                                      .key = id,
                                      .provider = provider_name(d->account->provider),
                                      .value = element,
                                      .source = "/processor/reconcile"};
  return !d->emitter || emitter_send(d->emitter, &event, err);
}

static void print_json(const struct reconcile *r) {
  const struct ask_run *run = &r->run;
  json_int_t requests = r->requests_before + asker_requests(r->asker);
  AUTO_JSON *line = json_pack(
      "{ss ss sb s{sI sI sI sI sI sI sI}}", "provider", r->options->provider, "asked_for", run->scope,
      "dry_run", r->options->dry_run, "sums", "questions", (json_int_t)run->questions, "found",
      (json_int_t)run->found, "nothing", (json_int_t)run->nothing, "unclear", (json_int_t)r->n_unclear,
      "too_old", (json_int_t)r->too_old, "differences", (json_int_t)run->differed, "requests", requests);
  if (line) terminal_print_json(line);
}

static void print_sums(const struct reconcile *r) {
  const struct ask_run *run = &r->run;
  if (r->too_old)
    printf("%" PRId64 " are older than %s knows, and were not asked for\n", r->too_old, r->options->provider);
  printf("%" PRId64 " asked for: %" PRId64 " with a result, %" PRId64 " without one yet, %" PRId64
         " without a usable answer; %" PRId64 " %s; %" PRId64 " requests\n",
         run->questions, run->found, run->nothing, r->n_unclear, run->differed,
         r->options->dry_run ? "differ" : "differed, and are taken in",
         r->requests_before + asker_requests(r->asker));
}

static bool end(struct reconcile *r, bool done, struct err *err) {
  if (!r->options->as_json) report_print(&r->differences.report, stdout);
  if (!done) return false;
  if (r->options->as_json)
    print_json(r);
  else
    print_sums(r);
  return r->n_unclear == 0 ||
         err_set(err, "%s: %" PRId64 " of %" PRId64 " ids got no usable answer, %s for example: %s",
                 r->options->provider, r->n_unclear, r->run.questions, r->unclear.id, r->unclear.reading.why);
}

// ---- the beginning ----

static bool find_account(struct reconcile *r, const struct ask_conf *conf, struct err *err) {
  const struct reconcile_options *o = r->options;
  r->account = ask_conf_find(conf, o->provider);
  if (!r->account)
    return err_set(err, "%s: the endpoints file (DOCHAK_ENDPOINTS_FILE) has no member /ask/%s", o->provider,
                   o->provider);
  bool wants_contacts = o->members || o->known;
  return wants_contacts == is_about_contacts(r) ||
         err_set(err, "%s is asked about %ss: expected %s", o->provider,
                 ask_about_name(r->account->form->about),
                 wants_contacts ? "--overdue or --since" : "--members or --known");
}

static bool lock(struct reconcile *r, struct err *err) {
  bool got;
  return ask_run_lock(r->conn, r->options->provider, &got, err) &&
         (got || err_set(err, "%s is being asked by another process already", r->options->provider));
}

static bool choose(struct reconcile *r, struct err *err) {
  r->run = (struct ask_run){.id = uuid_new_v7(), .started_at = clock_wall_ms()};
  r->run.scope = reconcile_scope(r->options, &r->questions);
  if (!r->options->members &&
      !reconcile_choose(r->conn, r->account, r->options, &r->questions, &r->too_old, err))
    return false;
  r->run.questions = (int64_t)r->questions.n;
  return r->options->dry_run ||
         ask_run_begin(r->conn, r->options->provider, ask_about_name(r->account->form->about), &r->run,
                       &r->questions, err);
}

static bool resume(struct reconcile *r, struct err *err) {
  char at[TERMINAL_TIME_SIZE];
  AUTO_FREE char *scope = reconcile_scope(r->options, &r->questions);
  terminal_format_time(r->run.started_at, at);
  if (strcmp(scope, r->run.scope) != 0) {
    err_set(err, "what began at %s (%s) has not ended; start that again, or forget it with --restart", at,
            r->run.scope);
    return false;
  }
  ask_questions_fini(&r->questions);
  if (!ask_run_read_questions(r->conn, &r->run, &r->questions, err)) return false;
  fprintf(stderr, "reconcile: goes on with what began at %s: %zu of %" PRId64 " are left\n", at,
          r->questions.n, r->run.questions);
  return true;
}

static bool begin(struct reconcile *r, struct err *err) {
  bool found = false;
  const struct reconcile_options *o = r->options;
  if (o->members && !reconcile_read_members(o->members, &r->questions, err)) return false;
  if (!o->dry_run &&
      !ask_run_read_open(r->conn, o->provider, ask_about_name(r->account->form->about), &r->run, &found, err))
    return false;
  if (found && o->restart && !ask_run_write(r->conn, &r->run, NULL, 0, true, err)) return false;
  if (found && !o->restart) return resume(r, err);
  ask_run_fini(&r->run);
  return choose(r, err);
}

static void say_pause(const struct reconcile *r) {
  char until[TERMINAL_TIME_SIZE];
  if (r->run.not_before_ms <= clock_wall_ms()) return;
  terminal_format_time(r->run.not_before_ms, until);
  fprintf(stderr, "reconcile: %s wants no requests until %s\n", r->options->provider, until);
}

static bool open_all(struct reconcile *r, struct err *err) {
  const struct reconcile_options *o = r->options;
  r->conn = pg_connect(err);
  if (!r->conn || !pg_use_indexes(r->conn, err) || !schema_version_hold(r->conn, err) ||
      !reconcile_prepare(r->conn, err) || !lock(r, err) || !begin(r, err))
    return false;
  if (!o->dry_run) r->differences.emitter = emitter_new(r->processor);
  r->differences.processor = r->processor;
  r->differences.account = r->account;
  r->differences.conn = r->conn;
  r->differences.as_json = o->as_json;
  say_pause(r);
  r->asker = asker_open(r->account, o->patience_s * 1000, r->run.not_before_ms);
  r->turn = &r->questions;
  r->requests_before = r->run.requests;
  r->began_with = r->questions.n;
  r->stored_at_ms = r->began_at_ms = clock_mono_ms();
  r->on_terminal = isatty(STDERR_FILENO) == 1;
  r->line_at_ms = r->began_at_ms + (r->on_terminal ? 0 : LINE_MS);
  return true;
}

static void close_all(struct reconcile *r) {
  for (size_t i = 0; i < r->n_pending; i++) asker_answer_fini(&r->pending[i]);
  asker_answer_fini(&r->unclear);
  free(r->pending);
  asker_close(r->asker);
  emitter_free(r->differences.emitter);
  report_fini(&r->differences.report);
  ask_questions_fini(&r->questions);
  ask_questions_fini(&r->later);
  ask_run_fini(&r->run);
  PQfinish(r->conn);
}

bool reconcile_prepare(PGconn *conn, struct err *err) {
  static const char *const statements[] = {"ask_question_answered.sql", "ask_receipts_known.sql",
                                           "notification_read.sql", "contact_read.sql"};
  return rows_prepare(conn, statements, COUNT_OF(statements), err);
}

static struct ask_conf *read_conf(const struct processor *processor, struct err *err) {
  struct faults faults = {0};
  struct ask_conf *conf = ask_conf_load(processor->settings->watched_file, processor->providers, &faults);
  if (!conf) err_set(err, "%s", faults.list[0].text);
  faults_fini(&faults);
  return conf;
}

static bool run(struct processor *processor, const void *options, struct err *err) {
  struct reconcile r = {.processor = processor, .options = options};
  struct ask_conf *conf = read_conf(processor, err);
  if (!conf) return false;
  bool done = find_account(&r, conf, err) && open_all(&r, err);
  if (done) {
    done = ask_and_store(&r, err);
    done = end(&r, done, err);
  }
  close_all(&r);
  ask_conf_free(conf);
  return done;
}

const struct command reconcile_command = {"reconcile", help, sizeof(struct reconcile_options), read_arguments,
                                          run};
