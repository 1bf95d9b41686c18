// SPDX-License-Identifier: MIT
#include "processor/ask/inquiry.h"
#include "common/base/clock.h"
#include "common/base/crash_point.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "processor/ask/inquiry_parts.h"
#include <stdlib.h>
#include <string.h>

enum { CHECKPOINT_MS = 1000, CHECKPOINT_ANSWERS = 200, WAIT_MS = 200 };

struct inquiry {
  struct inquiry_options options;
  struct inquiry_differences differences;
  struct asker *asker;
  struct ask_run run;
  bool is_resumed;
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
    bool found = q->pending[i].reading.result == ASK_RESULT_FOUND;
    q->run.found += found;
    q->run.nothing += !found;
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

static bool write_run(struct inquiry *q, size_t n, bool has_ended, struct err *err) {
  if (q->options.dry_run) return true;
  AUTO_FREE int64_t *numbers = mem_array(n, sizeof *numbers);
  for (size_t i = 0; i < n; i++) numbers[i] = q->pending[i].number;
  return ask_run_write(q->differences.conn, &q->run, numbers, n, has_ended, err);
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
  return n >= CHECKPOINT_ANSWERS ||
         ((n > 0 || is_paused) && clock_mono_ms() - q->stored_at_ms >= CHECKPOINT_MS);
}

// ---- answers ----

static void take_unclear(struct inquiry *q, struct asker_answer *answer) {
  const struct inquiry_listener *listener = &q->differences.listener;
  if (q->turn == &q->questions) {
    ask_questions_add(&q->later, answer->number, answer->id);
  } else {
    if (listener->unclear) listener->unclear(listener->arg, answer->id, answer->reading.why);
    if (q->n_unclear++ == 0) {
      q->unclear = *answer;
      return;
    }
  }
  asker_answer_fini(answer);
}

static bool take_answer(struct inquiry *q, struct asker_answer *answer, struct err *err) {
  int64_t doubt_after = q->options.all_gone ? 0 : answer->reading.doubt_after;
  q->answered++;
  if (answer->reading.result == ASK_RESULT_UNCLEAR) {
    take_unclear(q, answer);
    return true;
  }
  q->pending = mem_grow(q->pending, q->n_pending + 1, sizeof *q->pending);
  q->pending[q->n_pending++] = *answer;
  q->doubtful = doubt_after ? q->doubtful + 1 : 0;
  if (doubt_after == 0 || (int64_t)q->doubtful < doubt_after) return true;
  err_set(err, "%s: %zu answers one after the other say that it is gone, the last one about %s; is %s right?",
          provider_of(q), q->doubtful, answer->id, q->options.account->base);
  return err_hint(err, "nothing was done with them; --all-gone believes them");
}

// ---- the questions ----

static void ask_more(struct inquiry *q) {
  for (size_t room = asker_room(q->asker); room > 0 && q->asked < q->turn->n; room--) {
    const struct ask_question *question = &q->turn->list[q->asked++];
    asker_ask(q->asker, question->number, question->id);
  }
}

static bool next_turn(struct inquiry *q) {
  if (q->turn == &q->later || q->later.n == 0) return false;
  q->turn = &q->later;
  q->asked = q->answered = 0;
  return true;
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
    return false;
  }
  abort(); // not an event
}

static bool ask_all(struct inquiry *q, struct err *err) {
  const struct inquiry_listener *listener = &q->differences.listener;
  do
    while (q->answered < q->turn->n) {
      if (!take_next(q, err)) return false;
      if (is_due(q) && !checkpoint(q, false, err)) return false;
      if (listener->looks) listener->looks(listener->arg);
    }
  while (next_turn(q));
  q->doubtful = 0; // too few to be doubted
  return true;
}

// What was answered before it failed is stored all the same.
bool inquiry_ask(struct inquiry *q, struct err *err) {
  struct err second;
  if (ask_all(q, err)) {
    if (checkpoint(q, true, err)) return true;
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
  q->run = (struct ask_run){.id = uuid_new_v7(), .started_at = clock_wall_ms()};
  q->run.scope = inquiry_scope(&q->options.choice);
  if (!inquiry_choose(conn, account, &q->options.choice, &q->questions, &q->too_old, err)) return false;
  q->run.questions = (int64_t)q->questions.n;
  return q->options.dry_run || ask_run_begin(conn, provider_of(q), ask_about_name(account->form->about),
                                             &q->run, &q->questions, err);
}

static bool resume(struct inquiry *q, struct err *err) {
  char at[CLOCK_RFC3339_SIZE];
  AUTO_FREE char *scope = inquiry_scope(&q->options.choice);
  clock_format_rfc3339(q->run.started_at, at);
  q->is_resumed = true;
  return strcmp(scope, q->run.scope) == 0
             ? ask_run_read_questions(q->differences.conn, &q->run, &q->questions, err)
             : err_set(err,
                       "what began at %s (%s) has not ended; start that again, or forget it with --restart",
                       at, q->run.scope);
}

static bool begin(struct inquiry *q, struct err *err) {
  bool found = false;
  PGconn *conn = q->differences.conn;
  const char *about = ask_about_name(q->options.account->form->about);
  if (!q->options.dry_run && !ask_run_read_open(conn, provider_of(q), about, &q->run, &found, err))
    return false;
  if (found && q->options.restart && !ask_run_write(conn, &q->run, NULL, 0, true, err)) return false;
  if (found && !q->options.restart) return resume(q, err);
  ask_run_fini(&q->run);
  return choose(q, err);
}

struct inquiry *inquiry_open(const struct processor *processor, PGconn *conn,
                             const struct inquiry_options *options, const struct inquiry_listener *listener,
                             struct err *err) {
  struct inquiry *q = mem_alloc(sizeof *q);
  q->options = *options;
  q->turn = &q->questions;
  q->differences = (struct inquiry_differences){
      .processor = processor, .account = options->account, .conn = conn, .listener = *listener};
  if (!begin(q, err)) {
    inquiry_close(q);
    return NULL;
  }
  if (!options->dry_run) q->differences.emitter = emitter_new(processor);
  q->asker = asker_open(options->account, options->patience_ms, q->run.not_before_ms);
  q->requests_before = q->run.requests;
  q->stored_at_ms = clock_mono_ms();
  return q;
}

void inquiry_close(struct inquiry *q) {
  if (!q) return;
  for (size_t i = 0; i < q->n_pending; i++) asker_answer_fini(&q->pending[i]);
  asker_answer_fini(&q->unclear);
  free(q->pending);
  asker_close(q->asker);
  emitter_free(q->differences.emitter);
  ask_questions_fini(&q->questions);
  ask_questions_fini(&q->later);
  ask_run_fini(&q->run);
  free(q);
}
