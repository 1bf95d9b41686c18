// SPDX-License-Identifier: MIT
#include "processor/ask/schedule.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/least.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "processor/ask/inquiry.h"
#include "processor/rules/ask_round.h"
#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// A run that got no usable answer is chosen anew after a while: other ids are due by then, too.
enum { LOOK_MS = 2000, RETRY_FIRST_MS = 60000, RETRY_MAX_MS = 600000, FORGET_MS = 600000 };
enum { PATIENCE_MS = 120000, START_OVER_MS = 10000 };

struct turn { // of one provider
  struct processor *processor;
  const struct ask_account *account;
  pthread_t thread;
  PGconn *conn; // NULL: none
  struct backoff retries;
  int64_t retry_at_ms; // monotonic: not before
  char *cause; // of the last failure that was logged, without its numbers; NULL: the last time was good
};

struct schedule {
  struct turn *turns;
  size_t n;
};

static const char *provider_of(const struct turn *t) {
  return provider_name(t->account->provider);
}

static bool is_about_contacts(const struct turn *t) {
  return t->account->form->about == ASK_CONTACT;
}

// ---- when ----

static bool read_round(const struct turn *t, enum ask_round *round, int64_t *asked_ms, struct err *err) {
  struct ask_round_seen seen;
  int64_t every_ms = is_about_contacts(t) ? 0 : t->account->every_s * 1000;
  if (!ask_run_read_rounds(t->conn, provider_of(t), &seen, err)) return false;
  *round = ask_round_due(&seen, every_ms);
  *asked_ms = seen.asked_ms;
  return true;
}

// ---- what came of it ----

static void count_asked(const struct turn *t, const struct inquiry_sums *from,
                        const struct inquiry_sums *to) {
  const struct {
    const char *result;
    int64_t n;
  } results[] = {{"found", to->found - from->found},
                 {"nothing", to->nothing - from->nothing},
                 {"unclear", to->unclear - from->unclear}};
  for (size_t i = 0; i < COUNT_OF(results); i++) {
    const char *const labels[] = {provider_of(t), results[i].result};
    metric_add(metrics_at_each(t->processor->metrics, METRIC_ASKED, labels), results[i].n);
  }
  metrics_add(t->processor->metrics, METRIC_ASK_DIFFERED, provider_of(t), to->differed - from->differed);
}

static void note_done(struct turn *t, const struct inquiry_sums *sums, int64_t began_ms) {
  free(take(t->cause));
  t->retries.tries = 0;
  if (sums->requests_now == 0) return;
  log_info("asked a provider", LOG_STR("provider", provider_of(t)), LOG_STR("for", sums->scope),
           LOG_INT("questions", sums->questions), LOG_INT("found", sums->found),
           LOG_INT("differed", sums->differed), LOG_INT("unclear", sums->unclear),
           LOG_INT("requests", sums->requests), LOG_INT("took_ms", clock_mono_ms() - began_ms));
}

// The cause without its numbers, which change each time.
static char *without_digits(const char *text) {
  char *copy = mem_strdup(text), *to = copy;
  for (const char *at = copy; *at; at++)
    if (!isdigit((unsigned char)*at)) *to++ = *at;
  *to = '\0';
  return copy;
}

static void note_failure(struct turn *t, const struct err *err) {
  char *cause = without_digits(err->text);
  int64_t wait_ms = backoff_next_ms(&t->retries);
  t->retry_at_ms = clock_mono_ms() + wait_ms;
  metrics_add(t->processor->metrics, METRIC_ASK_FAILURES, provider_of(t), 1);
  if (!t->cause || strcmp(t->cause, cause) != 0)
    log_warn("asking a provider failed; it is tried again", LOG_STR("provider", provider_of(t)),
             LOG_STR("error", err->text), LOG_INT("wait_ms", wait_ms));
  free(t->cause);
  t->cause = cause;
}

// ---- asking ----

static struct inquiry_choice choice_of(const struct turn *t, enum ask_round round, int64_t asked_ms) {
  return (struct inquiry_choice){.which = is_about_contacts(t) ? INQUIRY_KNOWN : INQUIRY_OVERDUE,
                                 .is_scheduled = true,
                                 .since_ms = INT64_MIN,
                                 .until_ms = INT64_MAX,
                                 .after_ms = round == ASK_ROUND_NEW ? asked_ms : INT64_MIN,
                                 .expires_within_ms = t->account->every_s * 1000};
}

// False: Postgres has failed. That the provider does is noted.
static bool ask(struct turn *t, enum ask_round round, int64_t asked_ms, struct err *err) {
  const struct inquiry_options options = {.account = t->account,
                                          .choice = choice_of(t, round, asked_ms),
                                          .patience_ms = least(PATIENCE_MS, t->account->every_s * 1000)};
  const struct inquiry_listener listener = {0};
  struct err failed;
  int64_t began_ms = clock_mono_ms();
  struct inquiry *inquiry = inquiry_open(t->processor, t->conn, &options, &listener, err);
  if (!inquiry) return false;
  struct inquiry_sums before = inquiry_sums(inquiry);
  bool done = inquiry_ask(inquiry, &failed);
  struct inquiry_sums sums = inquiry_sums(inquiry);
  count_asked(t, &before, &sums);
  if (done)
    note_done(t, &sums, began_ms);
  else if (!stop_requested())
    note_failure(t, &failed);
  inquiry_close(inquiry);
  return true;
}

// Once more what is due, now that no other process asks: it may have done so meanwhile.
static bool ask_alone(struct turn *t, struct err *err) {
  enum ask_round round;
  int64_t asked_ms;
  int64_t forget_ms = t->account->every_s * 1000 > FORGET_MS ? t->account->every_s * 1000 : FORGET_MS;
  if (!ask_run_forget(t->conn, provider_of(t), clock_wall_ms() - forget_ms, err) ||
      !read_round(t, &round, &asked_ms, err))
    return false;
  return round == ASK_ROUND_NONE || ask(t, round, asked_ms, err);
}

static bool look(struct turn *t, struct err *err) {
  enum ask_round round;
  int64_t asked_ms;
  bool got;
  if (!t->conn && !(t->conn = ask_session_open(err))) return false;
  if (!read_round(t, &round, &asked_ms, err)) return false;
  if (round == ASK_ROUND_NONE || clock_mono_ms() < t->retry_at_ms) return true;
  if (!ask_run_lock(t->conn, provider_of(t), ASK_BY_SCHEDULE, &got, err)) return false;
  if (!got) return true;
  bool done = ask_alone(t, err);
  PQfinish(take(t->conn)); // and with it the right to ask
  return done;
}

// ---- the threads ----

static void *run(void *arg) {
  struct turn *t = arg;
  struct backoff backoff = {.first_ms = LOOK_MS, .max_ms = START_OVER_MS};
  int64_t pause_ms = 0;
  while (!stop_wait_ms(pause_ms)) {
    struct err err = {0};
    pause_ms = LOOK_MS;
    if (look(t, &err)) {
      backoff.tries = 0;
      continue;
    }
    pause_ms = backoff_next_ms(&backoff);
    log_warn("schedule starts over", LOG_STR("provider", provider_of(t)), LOG_STR("error", err.text),
             LOG_INT("wait_ms", pause_ms));
    processor_count_retry(t->processor->metrics, "ask", &err);
    PQfinish(take(t->conn));
  }
  PQfinish(take(t->conn));
  return NULL;
}

static bool start_turn(struct schedule *s, struct processor *processor, const struct ask_account *account,
                       struct err *err) {
  struct turn *t = &s->turns[s->n];
  int64_t every_ms = account->every_s * 1000;
  *t = (struct turn){
      .processor = processor,
      .account = account,
      .retries = {.first_ms = least(every_ms, RETRY_FIRST_MS), .max_ms = least(every_ms, RETRY_MAX_MS)}};
  int failed = pthread_create(&t->thread, NULL, run, t);
  if (failed) return err_set(err, "cannot start the schedule: %s", strerror(failed));
  s->n++;
  return true;
}

struct schedule *schedule_start(struct processor *processor, struct err *err) {
  struct schedule *s = mem_alloc(sizeof *s);
  size_t n = ask_conf_count(processor->ask);
  s->turns = mem_array(n, sizeof *s->turns);
  for (size_t i = 0; i < n; i++) {
    const struct ask_account *account = ask_conf_at(processor->ask, i);
    if (account->every_s == 0) continue;
    metrics_add(processor->metrics, METRIC_ASK_FAILURES, provider_name(account->provider), 0);
    if (start_turn(s, processor, account, err)) continue;
    stop_request();
    bool is_joined = schedule_join(s, clock_mono_ms() + START_OVER_MS);
    (void)is_joined; // else it is left where it is
    return NULL;
  }
  return s;
}

bool schedule_join(struct schedule *s, int64_t until_ms) {
  if (s == NULL) return true;
  struct timespec until = clock_timespec_at(until_ms);
  for (; s->n > 0; s->n--)
    if (pthread_clockjoin_np(s->turns[s->n - 1].thread, NULL, CLOCK_MONOTONIC, &until) != 0)
      return false;
    else
      free(s->turns[s->n - 1].cause);
  free(s->turns);
  free(s);
  return true;
}
