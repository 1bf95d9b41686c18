// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "processor/rules/at_risk.h"
#include "processor/rules/refusing.h"
#include "processor/watch/judge.h"
#include "processor/watch/judge_event.h"
#include "processor/watch/judge_story.h"
#include <stdlib.h>
#include <string.h>

enum { MINUTE_MS = 60 * 1000 };

// ---- silent, without registration ----
bool judge_is_registered(void *judge, const char *provider) {
  const struct judge *j = judge;
  const struct view_provider *p = view_find_provider(j->view, provider);
  for (int64_t age = 0; p && age < p->minutes.n; age++)
    if (p->list[age].taken) return true;
  return false;
}

static char *silence_summary(const struct silence_found *found) {
  if (*found->scope)
    return mem_printf("%s: %lld calls came where at least %lld are expected", found->endpoint,
                      (long long)found->calls, (long long)found->floor);
  return mem_printf("no calls of %s come, and by its usual rhythm many should have come by now",
                    found->endpoint);
}

static bool open_silence(struct judge *j, const struct silence_found *found, const struct judge_key *key,
                         struct err *err) {
  AUTO_FREE char *summary = silence_summary(found);
  AUTO_FREE char *cause = judge_story_cause(j, found->provider, found->endpoint);
  const struct view_provider *p = view_find_provider(j->view, found->provider);
  const struct incident_story story = {.summary = summary, .cause = cause, .provider = p ? p->file : NULL};
  return judge_event_open(j, key, found->since_ms, &story, err);
}

static const char *why_over(const struct silence_found *found) {
  return *found->scope && !found->floor ? "the endpoint has no floor any more" : "calls come again";
}

bool judge_silence(void *judge, const struct silence_found *found, struct err *err) {
  struct judge *j = judge;
  const struct judge_key key = {INCIDENT_SILENT, found->provider, found->endpoint, found->scope};
  const struct view_incident *row = judge_event_find(j, &key);
  if (found->is_silent) // judge_gone() closes it if the endpoint is gone
    return row || view_endpoint_is_gone(j->view, found->endpoint) || open_silence(j, found, &key, err);
  return !row || judge_event_close(j, row, why_over(found), err);
}

// ---- refusing, at risk, no ingress ----
static const char *provider_of(const struct view_endpoint *e) {
  return e->file ? provider_name(e->file) : "";
}

static bool open_refusing(struct judge *j, const struct view_endpoint *e, const struct judge_key *key,
                          const struct refusing_found *found, struct err *err) {
  const char *check = j->view->checks[found->check];
  AUTO_FREE char *summary =
      mem_printf("ingress refuses calls of %s: %lld of %lld in %lld minutes, most by the check %s", e->name,
                 (long long)found->refused, (long long)found->calls, (long long)found->minutes,
                 check ? check : "unknown");
  AUTO_JSON *counts =
      json_pack("{sI sI}", "refused", (json_int_t)found->refused, "calls", (json_int_t)found->calls);
  const struct incident_story story = {.summary = summary, .provider = e->file, .counts = counts};
  return judge_event_open(j, key, found->since * MINUTE_MS, &story, err);
}

static bool judge_refusing(struct judge *j, const struct view_endpoint *e, int64_t now, struct err *err) {
  const struct judge_key key = {INCIDENT_REFUSING, provider_of(e), e->name, ""};
  const struct view_incident *row = judge_event_find(j, &key);
  struct refusing_found found;
  switch (refusing_judge(e->list, now, judge_event_minute(row), &found)) {
  case VERDICT_NOTHING:
    return true;
  case VERDICT_OPEN:
    return open_refusing(j, e, &key, &found, err);
  case VERDICT_CLOSE:
    return judge_event_close(j, row,
                             "calls are taken again; what was refused is not stored: if the provider sent "
                             "it, docs/outage.md says how to get it back",
                             err);
  }
  abort(); // not a verdict
}

static const char *const levels[] = {
    [AT_RISK_NONE] = "", [AT_RISK_HALF] = "half", [AT_RISK_NEARLY] = "nine tenths"};

static enum at_risk_level level_open(const struct judge *j, const char *provider) {
  for (enum at_risk_level level = AT_RISK_NEARLY; level > AT_RISK_NONE; level--)
    if (view_find(j->view, INCIDENT_AT_RISK, provider, "", levels[level])) return level;
  return AT_RISK_NONE;
}

static bool open_at_risk(struct judge *j, const struct provider *file, const struct at_risk_found *found,
                         struct err *err) {
  const struct judge_key key = {INCIDENT_AT_RISK, provider_name(file), "", levels[found->level]};
  AUTO_FREE char *summary =
      mem_printf("%lld calls of %s %s were not answered with success; after %lld it stops calling",
                 (long long)found->failed, key.provider, found->in_a_row ? "in a row" : "within a day",
                 (long long)found->limit);
  AUTO_JSON *counts =
      json_pack("{sI sI}", "failed", (json_int_t)found->failed, "limit", (json_int_t)found->limit);
  const struct incident_story story = {.summary = summary, .provider = file, .counts = counts};
  return judge_event_open(j, &key, j->until_ms, &story, err);
}

static bool close_levels(struct judge *j, const char *provider, struct err *err) {
  for (enum at_risk_level level = AT_RISK_HALF; level <= AT_RISK_NEARLY; level++) {
    const struct view_incident *row = view_find(j->view, INCIDENT_AT_RISK, provider, "", levels[level]);
    if (row && !judge_event_close(j, row, "few calls fail again", err)) return false;
  }
  return true;
}

// A provider counts a day's failures for the account, so those of all its endpoints are added up.
static struct at_risk failed_of(const struct judge *j, const struct provider *file) {
  struct at_risk failed = {0};
  for (size_t i = 0; i < j->view->n_endpoints; i++) {
    const struct view_endpoint *e = &j->view->endpoints[i];
    if (e->file != file) continue;
    failed.a_day += e->failed_a_day;
    if (e->failed_in_a_row > failed.in_a_row) failed.in_a_row = e->failed_in_a_row;
  }
  return failed;
}

static bool judge_at_risk(struct judge *j, const struct provider *file, struct err *err) {
  struct provider_blocks blocks = provider_blocks(file);
  const struct at_risk failed = failed_of(j, file), limits = {blocks.failed_a_day, blocks.failed_in_a_row};
  struct at_risk_found found;
  switch (at_risk_judge(&failed, &limits, level_open(j, provider_name(file)), &found)) {
  case VERDICT_NOTHING:
    return true;
  case VERDICT_OPEN:
    return open_at_risk(j, file, &found, err);
  case VERDICT_CLOSE:
    return close_levels(j, provider_name(file), err);
  }
  abort(); // not a verdict
}

// If all endpoints that reported last report to hidden partitions, nothing is to be seen of them.
static bool report_could_be_seen(const struct judge *j) {
  for (size_t i = 0; i < j->view->n_reporters; i++)
    if (!frontier_hides(j->frontier, j->view->reporters[i])) return true;
  return false;
}

// Where records come all the time, they are of minutes that are long over.
static char *absence_summary(const struct judge *j, int64_t gone) {
  if ((j->until_ms - j->view->report_came_ms) / MINUTE_MS < 2)
    return mem_printf(
        "ingress reports, but of minutes that are over for %lld minutes: its clock is behind ours, or "
        "its records come late",
        (long long)gone);
  return mem_printf("no ingress has reported for %lld minutes", (long long)gone);
}

// No ingress reports any more, so nothing can reach us. One that said it would stop has some time to come
// back.
bool judge_ingress_now(struct judge *j, struct err *err) {
  enum { STOPPED_MINUTES = 15 };
  const struct judge_key key = {INCIDENT_UNREACHABLE, "", "", "ingress"};
  const struct view_incident *row = judge_event_find(j, &key);
  if (j->view->last_report == INT64_MIN) return true;
  int64_t since_ms = (j->view->last_report + 1) * MINUTE_MS;
  if (since_ms < j->led_since_ms) since_ms = j->led_since_ms;
  int64_t gone = (j->until_ms - since_ms) / MINUTE_MS;
  if (row)
    return gone > 1 || j->view->last_report * MINUTE_MS < row->opened_ms ||
           judge_event_close(
               j, row,
               "ingress reports again; docs/outage.md says how to get what it could not take meanwhile", err);
  if (gone < (j->view->has_left ? STOPPED_MINUTES : VIEW_GONE_MINUTES) || !report_could_be_seen(j))
    return true;
  AUTO_FREE char *summary = absence_summary(j, gone);
  const struct incident_story story = {.summary = summary};
  return judge_event_open(j, &key, (j->view->last_report + 1) * MINUTE_MS, &story, err);
}

bool judge_endpoints_minute(struct judge *j, struct err *err) {
  for (size_t i = 0; i < j->view->n_endpoints; i++)
    if (!judge_refusing(j, &j->view->endpoints[i], j->view->loaded_until, err)) return false;
  for (size_t i = 0; i < j->view->n_providers; i++)
    if (!judge_at_risk(j, j->view->providers[i].file, err)) return false;
  return true;
}
