// SPDX-License-Identifier: MIT
// dochak-processor reconcile: asks a provider for what its webhooks should have brought (ask/inquiry.h), and
// shows how far it is and what differed. Not for: the asking itself.
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "processor/ask/inquiry.h"
#include "processor/commands/command.h"
#include "processor/commands/flags.h"
#include "processor/commands/members.h"
#include "processor/commands/report.h"
#include "processor/commands/terminal.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MS = 10000, TERMINAL_MS = 500, PATIENCE_MAX_S = 7 * 24 * 3600 };

// ---- what is asked for ----

static const char help[] =
    "dochak-processor reconcile: asks a provider for what its webhooks did not bring, and takes the answers "
    "in\n"
    "as if the webhooks had come\n"
    "\n"
    "usage: dochak-processor reconcile PROVIDER --overdue\n"
    "       dochak-processor reconcile PROVIDER --since TIME [--until TIME] [--all]\n"
    "       dochak-processor reconcile PROVIDER --members FILE\n"
    "       dochak-processor reconcile PROVIDER --known\n"
    "\n"
    "which notifications, for example of bizgo:\n"
    "  --overdue        those whose report is due and has not come\n"
    "  --since TIME     those accepted at this time or later, such as 2026-01-12T11:00:00+09:00, or\n"
    "                   beginning, that have no result or have expired\n"
    "  --until TIME     and before this time\n"
    "  --all            also those that have a result\n"
    "which contacts, for example of channeltalk:\n"
    "  --members FILE   those whose ids are in this file, one a line; - is stdin\n"
    "  --known          all that are known here, have an id of yours (memberId) and are not deleted\n"
    "\n"
    "  --dry-run        only shows what differs\n"
    "  --json           a JSON object a line on stdout: each difference, each id without a usable answer, "
    "and\n"
    "                   at last the sums\n"
    "  --patience S     gives up after so many seconds without a usable answer, a week at most; 300\n"
    "                   if not given\n"
    "  --restart        forgets what an earlier run has left to be asked\n"
    "  --all-gone       believes the answers also where many in a row say that a contact is gone\n"
    "\n"
    "The credentials are in the endpoints file (member ask). If it was interrupted, start the same command\n"
    "again: it goes on where it was.";

struct reconcile_options {
  const char *provider;
  bool overdue, known, all, has_since; // which ids
  const char *members;                 // a file, or NULL
  int64_t since_ms, until_ms;
  bool dry_run, as_json, restart, all_gone;
  int64_t patience_s;
};

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
  if (o->patience_s > PATIENCE_MAX_S)
    return err_set(err, "--patience: expected at most %d, a week", PATIENCE_MAX_S);
  o->has_since = flags[1].given != NULL;
  return check_choice(o, flags[2].given != NULL, err);
}

// ---- the state ----

struct reconcile {
  struct processor *processor;
  const struct reconcile_options *options;
  const struct ask_account *account;
  PGconn *conn;
  struct ask_questions members; // of --members
  struct inquiry *inquiry;
  struct report report;
  // progress
  bool on_terminal;
  int64_t began_at_ms, line_at_ms;
  int64_t began_with; // questions that were left
};

// ---- while it asks ----

static void show_progress(void *arg) {
  struct reconcile *r = arg;
  int64_t now_ms = clock_mono_ms(), took_ms = now_ms - r->began_at_ms;
  if (now_ms < r->line_at_ms || took_ms <= 0) return;
  r->line_at_ms = now_ms + (r->on_terminal ? TERMINAL_MS : LINE_MS);
  struct inquiry_sums sums = inquiry_sums(r->inquiry);
  int64_t done = r->began_with > sums.left ? r->began_with - sums.left : 0;
  char rest[TERMINAL_DURATION_SIZE + 16] = "", duration[TERMINAL_DURATION_SIZE];
  terminal_format_duration(done ? took_ms * sums.left / done : 0, duration);
  if (done) snprintf(rest, sizeof rest, ", about %s left", duration);
  fprintf(stderr, "%sreconcile: %" PRId64 " of %" PRId64 " asked, %.1f requests/s, %" PRId64 " differ%s%s",
          r->on_terminal ? "\r\033[K" : "", sums.questions - sums.left, sums.questions,
          (double)sums.requests_now * 1000 / (double)took_ms, sums.differed, rest,
          r->on_terminal ? "" : "\n");
}

static void end_progress(const struct reconcile *r) {
  if (r->on_terminal) fputs("\r\033[K", stderr);
}

static void take_difference(void *arg, const char *id, const char *from, const char *to) {
  struct reconcile *r = arg;
  report_add_texts(&r->report, r->options->provider, from, to, id);
  if (!r->options->as_json) return;
  AUTO_JSON *line = json_pack("{ss ss ss}", "id", id, "from", from, "to", to);
  if (line) terminal_print_json(line);
}

static void take_unclear(void *arg, const char *id, const char *why) {
  struct reconcile *r = arg;
  if (!r->options->as_json) return;
  AUTO_JSON *line = json_pack("{ss ss}", "id", id, "unclear", why);
  if (line) terminal_print_json(line);
}

// ---- the result ----

static void print_json(const struct reconcile *r, const struct inquiry_sums *sums) {
  AUTO_JSON *line =
      json_pack("{ss ss sb s{sI sI sI sI sI sI sI}}", "provider", r->options->provider, "asked_for",
                sums->scope, "dry_run", r->options->dry_run, "sums", "questions", (json_int_t)sums->questions,
                "found", (json_int_t)sums->found, "nothing", (json_int_t)sums->nothing, "unclear",
                (json_int_t)sums->unclear, "too_old", (json_int_t)sums->too_old, "differences",
                (json_int_t)sums->differed, "requests", (json_int_t)sums->requests);
  if (line) terminal_print_json(line);
}

static void print_sums(const struct reconcile *r, const struct inquiry_sums *sums) {
  if (sums->too_old)
    printf("%" PRId64 " are older than %s knows, and were not asked for\n", sums->too_old,
           r->options->provider);
  printf("%" PRId64 " asked for: %" PRId64 " with a result, %" PRId64 " without one yet, %" PRId64
         " without a usable answer; %" PRId64 " %s; %" PRId64 " requests\n",
         sums->questions, sums->found, sums->nothing, sums->unclear, sums->differed,
         r->options->dry_run ? "differ" : "differed, and are taken in", sums->requests);
}

static bool end(struct reconcile *r, bool done, struct err *err) {
  struct inquiry_sums sums = inquiry_sums(r->inquiry);
  if (!r->options->as_json) report_print(&r->report, stdout);
  if (!done) return false;
  if (r->options->as_json)
    print_json(r, &sums);
  else
    print_sums(r, &sums);
  return sums.unclear == 0 ||
         err_set(err, "%s: %" PRId64 " of %" PRId64 " ids got no usable answer, %s for example: %s",
                 r->options->provider, sums.unclear, sums.questions, sums.unclear_id, sums.unclear_why);
}

// ---- the beginning ----

static struct ask_conf *read_conf(const struct processor *processor, struct err *err) {
  struct faults faults = {0};
  struct ask_conf *conf = ask_conf_load(processor->settings->watched_file, processor->providers, &faults);
  if (!conf) err_set(err, "%s", faults.list[0].text);
  faults_fini(&faults);
  return conf;
}

// Why there is no account of the provider.
static bool say_why_not(const struct reconcile *r, struct err *err) {
  const char *name = r->options->provider;
  const struct provider *provider = providers_find(r->processor->providers, name);
  AUTO_FREE char *providers = providers_names(r->processor->providers);
  AUTO_FREE char *forms = provider ? provider_ask_names(provider) : NULL;
  if (!provider) return err_set(err, "there is no provider \"%s\"; there are %s", name, providers);
  if (!*forms) return err_set(err, "%s cannot be asked: its provider file has no \"ask\"", name);
  return err_set(err, "%s: the endpoints file (DOCHAK_ENDPOINTS_FILE) has no member /ask/%s", name, name);
}

static bool find_account(struct reconcile *r, const struct ask_conf *conf, struct err *err) {
  const struct reconcile_options *o = r->options;
  r->account = ask_conf_find(conf, o->provider);
  if (!r->account) return say_why_not(r, err);
  bool wants_contacts = o->members || o->known, has_contacts = r->account->form->about == ASK_CONTACT;
  return wants_contacts == has_contacts ||
         err_set(err, "%s is asked about %ss: expected %s", o->provider,
                 ask_about_name(r->account->form->about),
                 wants_contacts ? "--overdue or --since" : "--members or --known");
}

// A processor asks by its schedule. What it has left says for how long.
static bool say_scheduled(const struct reconcile *r, struct err *err) {
  bool found;
  char duration[TERMINAL_DURATION_SIZE];
  struct ask_run run = {0};
  struct ask_questions left = {0};
  const char *provider = r->options->provider, *about = ask_about_name(r->account->form->about);
  if (!ask_run_read_open(r->conn, provider, about, true, &run, &found, err)) return false;
  bool done = !found || ask_run_read_questions(r->conn, &run, &left, err);
  terminal_format_duration((int64_t)((double)left.n * 1000 / r->account->form->per_second) + 1000, duration);
  if (done)
    err_set(err,
            "%s is being asked by a processor just now (%s): %zu of %" PRId64
            " ids are left; start this again in about %s",
            provider, found ? run.scope : "at its end", left.n, run.questions, duration);
  ask_questions_fini(&left);
  ask_run_fini(&run);
  return false;
}

static bool lock(struct reconcile *r, struct err *err) {
  bool got, is_scheduled;
  const char *provider = r->options->provider;
  if (!ask_run_lock(r->conn, provider, ASK_BY_OPERATOR, &got, err)) return false;
  if (got) return true;
  if (!ask_run_is_scheduled(r->conn, provider, &is_scheduled, err)) return false;
  return is_scheduled ? say_scheduled(r, err)
                      : err_set(err, "%s is being asked by another process already", provider);
}

static struct inquiry_choice choice_of(const struct reconcile *r) {
  const struct reconcile_options *o = r->options;
  return (struct inquiry_choice){.which = o->overdue   ? INQUIRY_OVERDUE
                                          : o->known   ? INQUIRY_KNOWN
                                          : o->members ? INQUIRY_LISTED
                                                       : INQUIRY_SINCE,
                                 .since_ms = o->since_ms,
                                 .until_ms = o->until_ms,
                                 .all = o->all,
                                 .listed = &r->members,
                                 .after_ms = INT64_MIN};
}

static bool open_inquiry(struct reconcile *r, struct err *err) {
  const struct reconcile_options *o = r->options;
  const struct inquiry_options options = {.account = r->account,
                                          .choice = choice_of(r),
                                          .dry_run = o->dry_run,
                                          .restart = o->restart,
                                          .all_gone = o->all_gone,
                                          .patience_ms = o->patience_s * 1000};
  const struct inquiry_listener listener = {r, take_difference, take_unclear, show_progress};
  r->inquiry = inquiry_open(r->processor, r->conn, &options, &listener, err);
  return r->inquiry != NULL;
}

static void say_beginning(const struct inquiry_sums *sums, const char *provider) {
  char at[TERMINAL_TIME_SIZE];
  terminal_format_time(sums->started_at, at);
  if (sums->is_resumed)
    fprintf(stderr, "reconcile: goes on with what began at %s: %" PRId64 " of %" PRId64 " are left\n", at,
            sums->left, sums->questions);
  terminal_format_time(sums->not_before, at);
  if (sums->not_before > clock_wall_ms())
    fprintf(stderr, "reconcile: %s wants no requests until %s\n", provider, at);
}

static bool open_all(struct reconcile *r, struct err *err) {
  const struct reconcile_options *o = r->options;
  if (o->members && !members_read(o->members, &r->members, err)) return false;
  r->conn = ask_session_open(err);
  if (!r->conn || !lock(r, err) || !open_inquiry(r, err)) return false;
  struct inquiry_sums sums = inquiry_sums(r->inquiry);
  say_beginning(&sums, o->provider);
  r->began_with = sums.left;
  r->began_at_ms = clock_mono_ms();
  r->on_terminal = isatty(STDERR_FILENO) == 1;
  r->line_at_ms = r->began_at_ms + (r->on_terminal ? 0 : LINE_MS);
  return true;
}

static void close_all(struct reconcile *r) {
  inquiry_close(r->inquiry);
  report_fini(&r->report);
  ask_questions_fini(&r->members);
  PQfinish(r->conn);
}

static bool ask(struct reconcile *r, struct err *err) {
  bool done = inquiry_ask(r->inquiry, err);
  end_progress(r);
  if (!done && !r->options->dry_run) err_hint(err, "start it again: it goes on from here");
  return end(r, done, err);
}

static bool run(struct processor *processor, const void *options, struct err *err) {
  struct reconcile r = {.processor = processor, .options = options};
  struct ask_conf *conf = read_conf(processor, err);
  if (!conf) return false;
  bool done = find_account(&r, conf, err) && open_all(&r, err) && ask(&r, err);
  close_all(&r);
  ask_conf_free(conf);
  return done;
}

const struct command reconcile_command = {"reconcile",    help, sizeof(struct reconcile_options),
                                          read_arguments, run,  false};
