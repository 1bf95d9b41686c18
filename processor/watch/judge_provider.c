// SPDX-License-Identifier: MIT
#include "common/base/clock.h"
#include "common/base/least.h"
#include "common/base/mem.h"
#include "processor/rules/failing.h"
#include "processor/rules/silent.h"
#include "processor/rules/slow.h"
#include "processor/watch/judge.h"
#include "processor/watch/judge_event.h"
#include "processor/watch/judge_story.h"
#include <stdlib.h>
#include <string.h>

enum { MINUTE_MS = 60 * 1000 };

// ---- silent ----

static struct silent_seen times_of(const struct judge *j, const struct view_provider *p) {
  return (struct silent_seen){.now_ms = j->until_ms,
                              .last_receipt_ms = p->last_receipt_ms,
                              .blind_until_ms = j->view->blind_until_ms};
}

static int64_t receipt_within_ms(const struct view_provider *p) {
  return provider_expects(p->file).receipt_within_s * 1000;
}

static int64_t silent_after_ms(const struct view_provider *p) {
  return provider_expects(p->file).silent_after_s * 1000;
}

// The first minute that begins at that time or later.
static int64_t minute_from(int64_t ms) {
  return (ms + MINUTE_MS - 1) / MINUTE_MS;
}

static bool is_due(const struct view_provider *p, int64_t minute, int64_t until_ms) {
  return (minute + 1) * MINUTE_MS + receipt_within_ms(p) <= until_ms;
}

// Of the messages accepted before the last receipt and due after it. The counters of its minute are read when
// that is over. A receipt that any of them has came in time.
static void count_before(const struct view_provider *p, struct silent_seen *seen) {
  int64_t last_ms = seen->last_receipt_ms, from_ms = last_ms - receipt_within_ms(p);
  if (!last_ms || last_ms >= (p->minutes.now + 1) * MINUTE_MS) return;
  int64_t oldest = p->minutes.now - VIEW_MINUTES + 1;
  for (int64_t minute = greatest(minute_from(from_ms), oldest); minute < minute_from(last_ms); minute++) {
    const struct minute_counts *counts = minutes_at(&p->minutes, minute);
    seen->due_before += counts->taken;
    seen->missing_before += (int64_t)counts->taken - counts->in_time;
  }
}

// Messages accepted in whole minutes after the last receipt: none of them has one. An open incident waits for
// those of the minutes that ingress did not see, too. Of those accepted before it, the first ones alone do
// not show that none of the later ones was reported: they count when all are due.
static struct silent_seen seen_of(const struct judge *j, const struct view_provider *p, int64_t opened_ms) {
  struct silent_seen seen = times_of(j, p);
  int64_t after_ms = opened_ms == NOT_OPEN ? silent_begins_ms(&seen) : seen.last_receipt_ms;
  int64_t from = after_ms ? minute_from(after_ms) : p->minutes.now - VIEW_MINUTES + 1;
  seen.usual_late = slow_usual_share(&p->usual, p->minutes.now);
  int64_t window = silent_live_window(silent_after_ms(p));
  for (int64_t minute = from; minute <= p->minutes.now; minute++) {
    const struct minute_counts *counts = minutes_at(&p->minutes, minute);
    if (!counts || !counts->taken) continue;
    if (!seen.first_unreported_ms) seen.first_unreported_ms = minute * MINUTE_MS;
    if (is_due(p, minute, j->until_ms)) seen.due += counts->taken;
  }
  if (opened_ms != NOT_OPEN) seen.live_minutes = minutes_live(&p->minutes, window, opened_ms / MINUTE_MS);
  if (opened_ms != NOT_OPEN || is_due(p, minute_from(seen.last_receipt_ms) - 1, j->until_ms))
    count_before(p, &seen);
  return seen;
}

// The counters know the minute only.
static void find_first_unreported(struct judge *j, const struct view_provider *p, struct silent_seen *seen) {
  int64_t begins_ms = silent_begins_ms(seen);
  bool matters = seen->due && begins_ms && seen->now_ms - begins_ms >= silent_after_ms(p) / 2;
  if (matters) free(judge_story_example(j, p->file, begins_ms, &seen->first_unreported_ms));
}

// Whether those accepted before the last receipt may show it, when all of them are due.
static bool may_break_off(const struct judge *j, const struct view_provider *p) {
  struct silent_seen seen = times_of(j, p);
  int64_t begins_ms = silent_begins_ms(&seen);
  count_before(p, &seen);
  return silent_breaks_off(seen.due_before, seen.missing_before,
                           slow_usual_share(&p->usual, p->minutes.now)) &&
         j->until_ms <
             silent_opens_by(begins_ms, begins_ms, begins_ms, silent_after_ms(p), receipt_within_ms(p));
}

// Whether those accepted after it may, by the times of the notifications themselves: their minute is not over
// yet.
static bool may_stop(struct judge *j, const struct view_provider *p) {
  const struct silent_seen times = times_of(j, p);
  int64_t since_ms = times.last_receipt_ms, begins_ms = silent_begins_ms(&times);
  int64_t enough = silent_due_enough(slow_usual_share(&p->usual, p->minutes.now)), first_ms, enough_ms;
  if (j->until_ms - since_ms < receipt_within_ms(p)) return false; // nothing accepted after it is overdue
  if (!since_ms) since_ms = (p->minutes.now - VIEW_MINUTES) * MINUTE_MS;
  return judge_story_unreported(j, p->file, since_ms, enough, &first_ms, &enough_ms) &&
         j->until_ms <
             silent_opens_by(begins_ms, first_ms, enough_ms, silent_after_ms(p), receipt_within_ms(p));
}

bool judge_may_be_silent(struct judge *j, const struct view_provider *p) {
  if (view_find(j->view, INCIDENT_SILENT, provider_name(p->file), "", "")) return false; // it folds them
  return may_break_off(j, p) || may_stop(j, p);
}

// Where no incident is the cause, but ingress was away when receipts of these messages could come. New, or
// NULL.
static char *say_blind(const struct silent_seen *seen, int64_t from_ms) {
  char until[CLOCK_RFC3339_SIZE];
  if (seen->due || seen->blind_until_ms <= from_ms) return NULL;
  clock_format_rfc3339(seen->blind_until_ms, until);
  return mem_printf("ingress was away, or could not write to Kafka, shortly before %s: receipts of that time "
                    "may be missing",
                    until);
}

static bool open_silent(struct judge *j, const struct view_provider *p, const struct judge_key *key,
                        const struct silent_seen *seen, const struct silent_found *found, struct err *err) {
  AUTO_FREE char *summary =
      mem_printf("%s has reported nothing for %lld s, and %lld receipts are due", key->provider,
                 (long long)((j->until_ms - found->since_ms) / 1000), (long long)found->due);
  int64_t from_ms = seen->due ? found->since_ms : found->since_ms - receipt_within_ms(p);
  AUTO_FREE char *open = judge_story_cause(j, key->provider, "");
  AUTO_FREE char *cause = open ? take(open) : say_blind(seen, from_ms);
  AUTO_FREE char *example = judge_story_example(j, p->file, from_ms, NULL);
  AUTO_JSON *counts = json_pack("{sI}", "due", (json_int_t)found->due);
  const struct incident_story story = {
      .summary = summary, .cause = cause, .example = example, .provider = p->file, .counts = counts};
  return judge_event_open(j, key, found->since_ms, &story, err);
}

static bool judge_silent(struct judge *j, const struct view_provider *p, struct err *err) {
  const struct judge_key key = {INCIDENT_SILENT, provider_name(p->file), "", ""};
  const struct view_incident *row = judge_event_find(j, &key);
  int64_t opened_ms = row ? row->opened_ms : NOT_OPEN;
  struct silent_seen seen = seen_of(j, p, opened_ms);
  struct silent_found found;
  find_first_unreported(j, p, &seen);
  switch (silent_judge(&seen, silent_after_ms(p), opened_ms, &found)) {
  case VERDICT_NOTHING:
    return true;
  case VERDICT_OPEN:
    return open_silent(j, p, &key, &seen, &found, err);
  case VERDICT_CLOSE:
    return judge_event_close(
        j, row, "receipts come again; docs/outage.md says how to get those that are still missing", err);
  }
  abort(); // not a verdict
}

// ---- failing by account faults ----

static int64_t last_delivered_ms(const struct view_provider *p) {
  for (int64_t minute = p->minutes.now; minutes_at(&p->minutes, minute); minute--)
    if (minutes_at(&p->minutes, minute)->delivered) return minute * MINUTE_MS;
  return 0;
}

static bool judge_account_faults(struct judge *j, const struct view_provider *p, struct err *err) {
  int64_t delivered_ms = last_delivered_ms(p);
  for (size_t i = 0; i < j->view->n_incidents; i++) {
    const struct view_incident *row = &j->view->incidents[i];
    bool is_it = row->row.kind == INCIDENT_FAILING && *row->row.scope &&
                 strcmp(row->row.provider, provider_name(p->file)) == 0;
    const struct failing_faults faults = {row->row.judged_until, row->row.gap_ms};
    if (!is_it || !failing_fault_is_over(&faults, j->until_ms, delivered_ms, silent_after_ms(p))) continue;
    if (!judge_event_close(j, row,
                           "no such fault comes any more, and messages are delivered; decide whether to send "
                           "again what failed meanwhile",
                           err))
      return false;
  }
  return true;
}

// ---- failing by rate ----

static bool open_failing(struct judge *j, const struct view_provider *p, const struct judge_key *key,
                         const struct failing_found *found, struct err *err) {
  char *example = NULL;
  AUTO_JSON *codes = judge_story_codes(j, p->file, found->since * MINUTE_MS, &example);
  AUTO_FREE char *own = example;
  int64_t receipts = found->failed + found->delivered;
  AUTO_FREE char *summary =
      mem_printf("%s: %lld of %lld receipts in %lld minutes say that the message failed, and not because of "
                 "the recipient",
                 key->provider, (long long)found->failed, (long long)receipts, (long long)found->minutes);
  AUTO_JSON *counts =
      json_pack("{sI sI}", "failed", (json_int_t)found->failed, "delivered", (json_int_t)found->delivered);
  const struct incident_story story = {
      .summary = summary, .example = own, .provider = p->file, .counts = counts, .codes = codes};
  return judge_event_open(j, key, found->since * MINUTE_MS, &story, err);
}

static bool judge_failing(struct judge *j, const struct view_provider *p, struct err *err) {
  const struct judge_key key = {INCIDENT_FAILING, provider_name(p->file), "", ""};
  const struct view_incident *row = judge_event_find(j, &key);
  struct failing_found found;
  switch (failing_judge(&p->minutes, judge_event_minute(row), &found)) {
  case VERDICT_NOTHING:
    return true;
  case VERDICT_OPEN:
    return open_failing(j, p, &key, &found, err);
  case VERDICT_CLOSE:
    return judge_event_close(
        j, row, "most receipts say delivered again; decide whether to send again what failed meanwhile", err);
  }
  abort(); // not a verdict
}

// ---- slow ----

static bool open_slow(struct judge *j, const struct view_provider *p, const struct judge_key *key,
                      const struct slow_found *found, struct err *err) {
  AUTO_FREE char *summary =
      mem_printf("%s: %lld of %lld messages had no receipt in time; usual at this hour are %.0f",
                 key->provider, (long long)found->late, (long long)found->taken, found->expected);
  AUTO_FREE char *cause = judge_story_cause(j, key->provider, "");
  AUTO_FREE char *example = judge_story_example(j, p->file, found->since * MINUTE_MS, NULL);
  AUTO_JSON *counts =
      json_pack("{sI sI}", "late", (json_int_t)found->late, "accepted", (json_int_t)found->taken);
  const struct incident_story story = {
      .summary = summary, .cause = cause, .example = example, .provider = p->file, .counts = counts};
  return judge_event_open(j, key, found->since * MINUTE_MS, &story, err);
}

static bool judge_slow(struct judge *j, const struct view_provider *p, struct err *err) {
  const struct judge_key key = {INCIDENT_SLOW, provider_name(p->file), "", ""};
  const struct view_incident *row = judge_event_find(j, &key);
  struct slow_found found;
  switch (slow_judge(&p->minutes, p->due_minutes, &p->usual, judge_event_minute(row), &found)) {
  case VERDICT_NOTHING:
    return true;
  case VERDICT_OPEN:
    return open_slow(j, p, &key, &found, err);
  case VERDICT_CLOSE:
    return judge_event_close(j, row, "receipts come in time again", err);
  }
  abort(); // not a verdict
}

bool judge_providers_now(struct judge *j, struct err *err) {
  for (size_t i = 0; i < j->view->n_providers; i++)
    if (!judge_silent(j, &j->view->providers[i], err) ||
        !judge_account_faults(j, &j->view->providers[i], err))
      return false;
  return true;
}

bool judge_providers_minute(struct judge *j, struct err *err) {
  for (size_t i = 0; i < j->view->n_providers; i++)
    if (!judge_failing(j, &j->view->providers[i], err) || !judge_slow(j, &j->view->providers[i], err))
      return false;
  return true;
}
