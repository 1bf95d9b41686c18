// SPDX-License-Identifier: MIT
#include "processor/ask/inquiry.h"
#include "common/base/clock.h"
#include "common/base/crash_point.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "processor/ask/inquiry_parts.h"
#include <stdlib.h>
#include <string.h>

enum { CHECKPOINT_MS = 1000, CHECKPOINT_ANSWERS = 200, WAIT_MS = 200, HOLD_MS = 30000 };

struct inquiry {
  struct inquiry_options options;
  struct inquiry_differences differences;
  struct asker *asker;
  struct ask_run run;
  bool is_resumed;
  int64_t requests_before; // by processes before this one
  int64_t too_old;
  // The second turn asks once more what got no usable answer in the first, or one that the id is gone: a
  // server that answers for the provider for a while must not delete people.
  struct ask_questions questions, later;
  struct ask_questions *turn; // one of the two
  size_t asked, answered;     // of the turn
  // Of the first turn: how many answers in a row said that the id is gone, and where they begin in `later`.
  size_t gone_in_a_row, gone_from;
  size_t later_stored;
  bool began_unclear;           // only ids without a usable answer were left at the start
  char *control;                // an id that should be found, or NULL
  struct asker_answer *pending; // answered, and not stored
  size_t n_pending, doubtful;   // the last `doubtful` say "gone", which the control has not confirmed
  int64_t stored_at_ms, held_at_ms;
  bool cannot_store, asker_failed;
  struct asker_answer unclear; // the first one for good
  int64_t n_unclear;
};

static bool is_about_contacts(const struct inquiry *q) {
  return q->options.account->form->about == ASK_CONTACT;
}

static const char *provider_of(const struct inquiry *q) {
  return provider_name(q->options.account->provider);
}

// ---- what it is at ----

static size_t count_left(const struct inquiry *q) {
  size_t left = q->turn->n - q->answered;
  return q->turn == &q->questions ? left + q->later.n : left;
}

struct inquiry_sums inquiry_sums(const struct inquiry *q) {
  const struct ask_run *run = &q->run;
  int64_t now = asker_requests(q->asker);
  return (struct inquiry_sums){.scope = run->scope,
                               .started_at = run->started_at,
                               .not_before = asker_not_before_ms(q->asker),
                               .is_resumed = q->is_resumed,
                               .questions = run->questions,
                               .left = (int64_t)count_left(q),
                               .found = run->found,
                               .nothing = run->nothing,
                               .unclear = q->n_unclear,
                               .too_old = q->too_old,
                               .differed = run->differed,
                               .requests = q->requests_before + now,
                               .requests_now = now,
                               .unclear_id = q->unclear.id,
                               .unclear_why = q->unclear.reading.why};
}

// ---- storing ----

static void count_answers(struct inquiry *q, size_t n) {
  for (size_t i = 0; i < n; i++) {
    q->run.found += q->pending[i].reading.result == ASK_RESULT_FOUND;
    q->run.nothing += q->pending[i].reading.result == ASK_RESULT_NOTHING;
  }
}

static bool compare(struct inquiry *q, size_t n, struct err *err) {
  int64_t before = q->differences.count;
  bool good = is_about_contacts(q) ? inquiry_contacts(&q->differences, q->pending, n, err)
                                   : inquiry_notifications(&q->differences, q->pending, n, err);
  if (!good || (q->differences.emitter && !emitter_flush(q->differences.emitter, err))) return false;
  q->run.differed += q->differences.count - before;
  count_answers(q, n);
  return true;
}

// Of those for the second turn that can be stored: not those that say one after the other that they are gone.
static size_t count_later(const struct inquiry *q) {
  return q->gone_in_a_row ? q->gone_from : q->later.n;
}

static bool write_run(struct inquiry *q, size_t n, bool has_ended, struct err *err) {
  size_t n_later = count_later(q);
  if (q->options.dry_run) return true;
  AUTO_FREE int64_t *numbers = mem_array(n, sizeof *numbers);
  for (size_t i = 0; i < n; i++) numbers[i] = q->pending[i].number;
  if (!ask_run_write(q->differences.conn, &q->run, numbers, n, q->later.list + q->later_stored,
                     n_later - q->later_stored, has_ended, err))
    return false;
  q->later_stored = n_later;
  return true;
}

static bool store(struct inquiry *q, size_t n, bool has_ended, struct err *err) {
  CRASH_POINT("reconcile_before_events");
  if (!compare(q, n, err)) return false;
  CRASH_POINT("reconcile_after_events");
  q->run.requests = q->requests_before + asker_requests(q->asker);
  q->run.not_before_ms = asker_not_before_ms(q->asker);
  return write_run(q, n, has_ended, err);
}

// Stores the answers but for the doubtful ones at the end, of which nothing is used yet.
static bool checkpoint(struct inquiry *q, bool has_ended, struct err *err) {
  size_t n = q->n_pending - q->doubtful;
  q->stored_at_ms = clock_mono_ms();
  q->cannot_store = !store(q, n, has_ended, err);
  if (q->cannot_store) return false;
  for (size_t i = 0; i < n; i++) asker_answer_fini(&q->pending[i]);
  q->n_pending -= n;
  memmove(q->pending, q->pending + n, q->n_pending * sizeof *q->pending);
  return true;
}

static bool is_due(const struct inquiry *q) {
  size_t n = q->n_pending - q->doubtful;
  bool is_paused = asker_not_before_ms(q->asker) > q->run.not_before_ms;
  bool is_changed = n > 0 || is_paused || count_later(q) > q->later_stored;
  return n >= CHECKPOINT_ANSWERS || (is_changed && clock_mono_ms() - q->stored_at_ms >= CHECKPOINT_MS);
}

// ---- answers ----

static void note_unclear(struct inquiry *q, const char *id, const char *why) {
  const struct inquiry_listener *listener = &q->differences.listener;
  if (listener->unclear) listener->unclear(listener->arg, id, why);
  if (q->n_unclear++ > 0) return;
  q->unclear.id = mem_strdup(id);
  snprintf(q->unclear.reading.why, sizeof q->unclear.reading.why, "%s", why);
}

static void add_pending(struct inquiry *q, struct asker_answer answer) {
  q->pending = mem_grow(q->pending, q->n_pending + 1, sizeof *q->pending);
  q->pending[q->n_pending++] = answer;
}

// Whether any id of the run got a usable answer: then it is not the provider's fault if another one gets
// none.
static bool has_usable(const struct inquiry *q) {
  for (size_t i = 0; i < q->n_pending; i++)
    if (q->pending[i].reading.result != ASK_RESULT_UNCLEAR) return true;
  return q->run.found + q->run.nothing > 0;
}

// Of no use twice: its question goes, for good. Its place is before the doubtful ones.
static void leave_out(struct inquiry *q, const struct ask_question *question, const char *why) {
  note_unclear(q, question->id, why);
  if (!has_usable(q)) return;
  add_pending(q, (struct asker_answer){.number = question->number,
                                       .id = mem_strdup(question->id),
                                       .reading = {.result = ASK_RESULT_UNCLEAR}});
  struct asker_answer *last = &q->pending[q->n_pending - 1], *place = last - q->doubtful, moved = *place;
  *place = *last;
  *last = moved;
}

static void take_unclear(struct inquiry *q, const struct ask_question *question,
                         const struct asker_answer *answer) {
  if (q->turn == &q->questions)
    ask_questions_add(&q->later, question->number, question->id, ASK_SAID_UNCLEAR);
  else
    leave_out(q, question, answer->reading.why);
}

// The first time that it is said of this id.
static bool take_gone(struct inquiry *q, const struct asker_answer *answer, struct err *err) {
  bool is_first_turn = q->turn == &q->questions;
  if (is_first_turn && q->gone_in_a_row++ == 0) q->gone_from = q->later.n;
  ask_questions_add(&q->later, answer->number, answer->id, ASK_SAID_GONE);
  if (!is_first_turn || (int64_t)q->gone_in_a_row < answer->reading.doubt_after) return true;
  err_set(err,
          "%s: %zu answers in a row say that the id is gone, the last one about %s; is the address %s "
          "right?",
          provider_of(q), q->gone_in_a_row, answer->id, q->options.account->base);
  return err_hint(err, "none of them was deleted; reconcile --all-gone believes the answers");
}

static bool take_control(struct inquiry *q, const struct asker_answer *answer, bool is_gone,
                         struct err *err) {
  if (answer->reading.result == ASK_RESULT_FOUND && !is_gone) {
    q->doubtful = 0;
    return true;
  }
  err_set(err, "%s: it said twice that %zu ids are gone, and no longer finds %s; is the address %s right?",
          provider_of(q), q->doubtful, answer->id, q->options.account->base);
  return err_hint(err, "none of them was deleted; reconcile --all-gone believes the answers");
}

// Takes the answer.
static void take_usable(struct inquiry *q, struct asker_answer *answer, bool is_gone) {
  add_pending(q, *answer);
  q->doubtful = is_gone && q->control ? q->doubtful + 1 : 0;
  q->gone_in_a_row = 0;
  if (!is_gone && !q->control && answer->reading.result == ASK_RESULT_FOUND && is_about_contacts(q))
    q->control = mem_strdup(answer->id);
}

static bool use(struct inquiry *q, struct ask_question question, struct asker_answer *answer, bool *is_taken,
                struct err *err) {
  bool is_gone = !q->options.all_gone && answer->reading.doubt_after > 0;
  if (question.said == ASK_SAID_FOUND) return take_control(q, answer, is_gone, err);
  if (is_gone && question.said != ASK_SAID_GONE) return take_gone(q, answer, err);
  *is_taken = answer->reading.result != ASK_RESULT_UNCLEAR;
  if (*is_taken)
    take_usable(q, answer, is_gone);
  else
    take_unclear(q, &question, answer);
  return true;
}

static bool take_answer(struct inquiry *q, struct asker_answer *answer, struct err *err) {
  struct ask_question *question = &q->turn->list[answer->number];
  bool is_taken = false;
  q->answered++;
  question->is_answered = true;
  answer->number = question->number;
  bool good = use(q, *question, answer, &is_taken, err);
  if (!is_taken) asker_answer_fini(answer);
  return good;
}

// ---- the questions ----

// The asker numbers them by their place in the turn. The last ones are asked one by one, so that it is known
// which of them makes it fail.
static void ask_more(struct inquiry *q) {
  size_t room = asker_room(q->asker);
  if (q->began_unclear) room = q->asked == q->answered;
  for (; room > 0 && q->asked < q->turn->n; room--) {
    asker_ask(q->asker, (int64_t)q->asked, q->turn->list[q->asked].id);
    q->asked++;
  }
}

// The second turn ends with the control, if something in it was said to be gone.
static bool next_turn(struct inquiry *q) {
  if (q->turn == &q->questions) {
    q->turn = &q->later;
    q->asked = q->answered = q->gone_in_a_row = 0; // too few in a row to be doubted
    return q->later.n > 0;
  }
  if (q->doubtful == 0 || !q->control) return false;
  ask_questions_add(&q->later, 0, q->control, ASK_SAID_FOUND);
  free(take(q->control));
  return true;
}

// The right to ask ends with the session, so a session that has ended must be noticed also in a long pause.
static bool hold_session(struct inquiry *q, struct err *err) {
  if (clock_mono_ms() - q->held_at_ms < HOLD_MS) return true;
  q->held_at_ms = clock_mono_ms();
  if (pg_command(q->differences.conn, "session", "SELECT 1", err)) return true;
  q->cannot_store = true;
  return err_prefix(err,
                    "%s: the right to ask is lost, since Postgres has ended the session: ", provider_of(q));
}

static bool take_next(struct inquiry *q, struct err *err) {
  struct asker_answer answer;
  ask_more(q);
  switch (asker_wait(q->asker, WAIT_MS, &answer, err)) {
  case ASKER_ANSWERED:
    return take_answer(q, &answer, err);
  case ASKER_WAITING:
    return !stop_requested() || err_set(err, "stopped");
  case ASKER_FAILED:
    q->asker_failed = true;
    return false;
  }
  abort(); // not an event
}

static bool ask_all(struct inquiry *q, struct err *err) {
  const struct inquiry_listener *listener = &q->differences.listener;
  do
    while (q->answered < q->turn->n) {
      if (!hold_session(q, err) || !take_next(q, err)) return false;
      if (is_due(q) && !checkpoint(q, false, err)) return false;
      if (listener->looks) listener->looks(listener->arg);
    }
  while (next_turn(q));
  q->doubtful = 0; // where there is no control
  return true;
}

// ---- the end ----

// Those that said one after the other that they are gone are asked in the first turn again.
static void forget_gone(struct inquiry *q) {
  size_t kept = q->gone_from;
  if (q->gone_in_a_row == 0) return;
  for (size_t i = q->gone_from; i < q->later.n; i++)
    if (q->later.list[i].said == ASK_SAID_GONE)
      free(q->later.list[i].id);
    else
      q->later.list[kept++] = q->later.list[i];
  q->later.n = kept;
  q->gone_in_a_row = 0;
}

// What was being asked when the asker failed may be why: the next process begins with others.
static void set_aside(struct inquiry *q) {
  if (!q->asker_failed || q->turn != &q->questions) return;
  for (size_t i = 0; i < q->asked; i++)
    if (!q->questions.list[i].is_answered)
      ask_questions_add(&q->later, q->questions.list[i].number, q->questions.list[i].id, ASK_SAID_UNCLEAR);
}

static void leave_out_failed(struct inquiry *q, struct err *err) {
  bool is_paused = asker_not_before_ms(q->asker) > clock_wall_ms();
  if (!q->asker_failed || is_paused || !q->began_unclear || !has_usable(q) || q->asked == q->answered) return;
  const struct ask_question *question = &q->later.list[q->asked - 1];
  AUTO_FREE char *hint = mem_printf("%s is left out", question->id);
  leave_out(q, question, err->text);
  err_hint(err, hint);
}

// The schedule does not end with a run of which nothing is known: the provider may be away. (The asker finds
// that out only where there are several ids.)
static bool is_of_use(const struct inquiry *q, struct err *err) {
  if (!q->options.choice.is_scheduled || q->n_unclear == 0 || has_usable(q)) return true;
  return err_set(err, "%s: no id got a usable answer, %s for example: %s", provider_of(q), q->unclear.id,
                 q->unclear.reading.why);
}

// What was answered before it failed is stored all the same.
bool inquiry_ask(struct inquiry *q, struct err *err) {
  struct err second;
  if (!q->options.dry_run) q->differences.emitter = emitter_new(q->differences.processor);
  if (ask_all(q, err)) {
    if (is_of_use(q, err) && checkpoint(q, true, err)) return true;
  } else {
    forget_gone(q);
    set_aside(q);
    leave_out_failed(q, err);
  }
  if (!q->options.dry_run && !q->cannot_store && !checkpoint(q, false, &second)) err_hint(err, second.text);
  return false;
}

// ---- differences ----

void inquiry_add_difference(struct inquiry_differences *d, const char *id, const char *from, const char *to) {
  d->count++;
  if (d->listener.differs) d->listener.differs(d->listener.arg, id, from, to);
}

bool inquiry_emit(struct inquiry_differences *d, const char *type, const char *id, const char *element,
                  struct err *err) {
  const struct emitter_event event = {.type = type,
                                      .key = id,
                                      .provider = provider_name(d->account->provider),
                                      .value = element,
                                      .source = "/processor/reconcile"};
  return !d->emitter || emitter_send(d->emitter, &event, err);
}

// ---- opening and closing ----

static bool choose(struct inquiry *q, struct err *err) {
  PGconn *conn = q->differences.conn;
  const struct ask_account *account = q->options.account;
  const struct inquiry_choice *choice = &q->options.choice;
  q->run =
      (struct ask_run){.id = uuid_new_v7(), .started_at = clock_wall_ms(), .scheduled = choice->is_scheduled};
  q->run.scope = inquiry_scope(choice);
  if (!inquiry_choose(conn, account, choice, q->run.started_at, &q->questions, &q->too_old, err))
    return false;
  q->run.questions = (int64_t)q->questions.n;
  return q->options.dry_run || ask_run_begin(conn, provider_of(q), ask_about_name(account->form->about),
                                             &q->run, &q->questions, err);
}

// Those from `first` on that were said to be gone, and behind them the control: before any that may make the
// asker fail.
static bool read_gone(struct inquiry *q, size_t *at, struct err *err) {
  size_t first = *at;
  for (; *at < q->questions.n && q->questions.list[*at].said == ASK_SAID_GONE; ++*at)
    ask_questions_add(&q->later, q->questions.list[*at].number, q->questions.list[*at].id, ASK_SAID_GONE);
  if (*at == first || q->options.all_gone) return true;
  if (!ask_run_read_control(q->differences.conn, provider_of(q), &q->run, &q->control, err)) return false;
  if (q->control) ask_questions_add(&q->later, 0, q->control, ASK_SAID_FOUND);
  return true;
}

// Questions that were asked before go into the second turn.
static bool read_questions(struct inquiry *q, struct err *err) {
  size_t first = 0;
  struct ask_questions *all = &q->questions;
  if (!ask_run_read_questions(q->differences.conn, &q->run, all, err)) return false;
  while (first < all->n && all->list[first].said == ASK_SAID_NOTHING) first++;
  size_t at = first;
  if (!read_gone(q, &at, err)) return false;
  q->began_unclear = at == 0;
  for (; at < all->n; at++)
    ask_questions_add(&q->later, all->list[at].number, all->list[at].id, ASK_SAID_UNCLEAR);
  for (size_t i = first; i < all->n; i++) free(all->list[i].id);
  all->n = first;
  q->later_stored = q->later.n;
  return true;
}

// An operator's run asks for all that he chose; that of the schedule for what is still of use.
static bool resume_scheduled(struct inquiry *q, struct err *err) {
  const char *about = ask_about_name(q->options.account->form->about);
  return ask_run_drop_moot(q->differences.conn, provider_of(q), about, &q->run, err) &&
         read_questions(q, err);
}

static bool resume(struct inquiry *q, struct err *err) {
  char at[CLOCK_RFC3339_SIZE];
  q->is_resumed = true;
  if (q->run.scheduled) return resume_scheduled(q, err);
  AUTO_FREE char *scope = inquiry_scope(&q->options.choice);
  clock_format_rfc3339(q->run.started_at, at);
  return strcmp(scope, q->run.scope) == 0
             ? read_questions(q, err)
             : err_set(err,
                       "what began at %s (%s) has not ended; start that again, or forget it with --restart",
                       at, q->run.scope);
}

static bool begin(struct inquiry *q, struct err *err) {
  bool found = false;
  PGconn *conn = q->differences.conn;
  const char *about = ask_about_name(q->options.account->form->about);
  if (!q->options.dry_run &&
      !ask_run_read_open(conn, provider_of(q), about, q->options.choice.is_scheduled, &q->run, &found, err))
    return false;
  if (found && q->options.restart && !ask_run_write(conn, &q->run, NULL, 0, NULL, 0, true, err)) return false;
  if (found && !q->options.restart) return resume(q, err);
  ask_run_fini(&q->run);
  return choose(q, err);
}

struct inquiry *inquiry_open(const struct processor *processor, PGconn *conn,
                             const struct inquiry_options *options, const struct inquiry_listener *listener,
                             struct err *err) {
  struct inquiry *q = mem_alloc(sizeof *q);
  int64_t pause_ms;
  q->options = *options;
  q->turn = &q->questions;
  q->differences = (struct inquiry_differences){
      .processor = processor, .account = options->account, .conn = conn, .listener = *listener};
  if (!ask_run_read_pause(conn, provider_of(q), &pause_ms, err) || !begin(q, err)) {
    inquiry_close(q);
    return NULL;
  }
  if (q->run.not_before_ms < pause_ms) q->run.not_before_ms = pause_ms;
  q->asker = asker_open(options->account, options->patience_ms, q->run.not_before_ms);
  q->requests_before = q->run.requests;
  q->stored_at_ms = q->held_at_ms = clock_mono_ms();
  return q;
}

void inquiry_close(struct inquiry *q) {
  if (!q) return;
  for (size_t i = 0; i < q->n_pending; i++) asker_answer_fini(&q->pending[i]);
  asker_answer_fini(&q->unclear);
  free(q->pending);
  free(q->control);
  asker_close(q->asker);
  emitter_free(q->differences.emitter);
  ask_questions_fini(&q->questions);
  ask_questions_fini(&q->later);
  ask_run_fini(&q->run);
  free(q);
}
