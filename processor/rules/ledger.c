// SPDX-License-Identifier: MIT
// The status table and what its effects do to a row. Thread: any, one notification at a time.
#include "processor/rules/ledger.h"
#include "common/base/mem.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const status_names[STATUS_COUNT] = {
    [STATUS_PENDING] = "PENDING", [STATUS_SENT] = "SENT", [STATUS_DEAD_LETTER] = "DEAD_LETTER"};

const char *status_name(enum status status) {
  return status_names[status];
}

enum status status_parse(const char *name) {
  for (enum status s = STATUS_PENDING; name && s < STATUS_COUNT; s++)
    if (strcmp(name, status_names[s]) == 0) return s;
  return STATUS_NONE;
}

// clang-format off
#define STAYS(status) {status, 0, LEDGER_NO_ALERT}
static const struct ledger_rule rules[STATUS_COUNT][SIGNAL_COUNT] = {
  [STATUS_NONE] = {
    [SIGNAL_ACCEPTED]    = {STATUS_PENDING,     EFFECT_MERGE,                  LEDGER_NO_ALERT},
    [SIGNAL_REJECTED]    = {STATUS_DEAD_LETTER, EFFECT_MERGE | EFFECT_RESOLVE, LEDGER_DEAD_LETTERED},
    [SIGNAL_DELIVERED]   = {STATUS_SENT,        EFFECT_RESOLVE,                LEDGER_NO_ALERT},
    [SIGNAL_FAILED]      = {STATUS_DEAD_LETTER, EFFECT_RESOLVE,                LEDGER_DEAD_LETTERED},
    [SIGNAL_UNCONFIRMED] = {STATUS_PENDING,     EFFECT_LATER | EFFECT_EXPLAIN, LEDGER_NO_ALERT},
    [SIGNAL_OVERDUE]     = STAYS(STATUS_NONE),
    [SIGNAL_EXPIRED]     = STAYS(STATUS_NONE),
  },
  [STATUS_PENDING] = {
    [SIGNAL_ACCEPTED]    = {STATUS_PENDING,     EFFECT_MERGE,                  LEDGER_NO_ALERT},
    [SIGNAL_REJECTED]    = {STATUS_DEAD_LETTER, EFFECT_MERGE | EFFECT_RESOLVE, LEDGER_DEAD_LETTERED},
    [SIGNAL_DELIVERED]   = {STATUS_SENT,        EFFECT_RESOLVE,                LEDGER_NO_ALERT},
    [SIGNAL_FAILED]      = {STATUS_DEAD_LETTER, EFFECT_RESOLVE,                LEDGER_DEAD_LETTERED},
    [SIGNAL_UNCONFIRMED] = {STATUS_PENDING,     EFFECT_LATER | EFFECT_EXPLAIN, LEDGER_NO_ALERT},
    [SIGNAL_OVERDUE]     = {STATUS_PENDING,     0,                             LEDGER_OVERDUE},
    [SIGNAL_EXPIRED]     = {STATUS_DEAD_LETTER, EFFECT_RESOLVE,                LEDGER_DEAD_LETTERED},
  },
  [STATUS_SENT] = {
    [SIGNAL_ACCEPTED]    = {STATUS_SENT,        EFFECT_MERGE,                  LEDGER_NO_ALERT},
    [SIGNAL_REJECTED]    = {STATUS_SENT,  EFFECT_MERGE | EFFECT_CONTRADICT,   LEDGER_NO_ALERT},
    [SIGNAL_DELIVERED]   = STAYS(STATUS_SENT),
    [SIGNAL_FAILED]      = {STATUS_SENT,        EFFECT_CONTRADICT,             LEDGER_NO_ALERT},
    [SIGNAL_UNCONFIRMED] = {STATUS_SENT,        EFFECT_LATER,                  LEDGER_NO_ALERT},
    [SIGNAL_OVERDUE]     = STAYS(STATUS_SENT),
    [SIGNAL_EXPIRED]     = STAYS(STATUS_SENT),
  },
  [STATUS_DEAD_LETTER] = {
    [SIGNAL_ACCEPTED]    = {STATUS_DEAD_LETTER, EFFECT_MERGE,                  LEDGER_NO_ALERT},
    [SIGNAL_REJECTED]    = {STATUS_DEAD_LETTER, EFFECT_MERGE,                  LEDGER_NO_ALERT},
    [SIGNAL_DELIVERED]   = {STATUS_SENT, EFFECT_CONTRADICT | EFFECT_RESOLVE,   LEDGER_RECOVERED},
    [SIGNAL_FAILED]      = {STATUS_DEAD_LETTER, EFFECT_FILL,                   LEDGER_NO_ALERT},
    [SIGNAL_UNCONFIRMED] = {STATUS_DEAD_LETTER, EFFECT_LATER,                  LEDGER_NO_ALERT},
    [SIGNAL_OVERDUE]     = STAYS(STATUS_DEAD_LETTER),
    [SIGNAL_EXPIRED]     = STAYS(STATUS_DEAD_LETTER),
  },
};
// clang-format on

const struct ledger_rule *ledger_rule(enum status now, enum signal signal) {
  assert(now < STATUS_COUNT && signal < SIGNAL_COUNT);
  return &rules[now][signal];
}

void notification_init(struct notification *n, const char *provider, const char *id) {
  *n = (struct notification){.provider = provider,
                             .id = id,
                             .accepted_at = NO_TIME,
                             .resolved_at = NO_TIME,
                             .unconfirmed_at = NO_TIME,
                             .due_at = NO_TIME,
                             .expires_at = NO_TIME,
                             .first_seen_at = NO_TIME};
}

void notification_fini(struct notification *n) {
  free(n->outcome);
  free(n->code);
  free(n->reason);
  free(n->contradicted_by);
  free(n->channel);
  free(n->recipient);
  free(n->reference);
}

static bool replace(char **field, const char *value) {
  if (value == NULL || (*field && strcmp(*field, value) == 0)) return false;
  free(*field);
  *field = mem_strdup(value);
  return true;
}

static bool set_time(int64_t *field, int64_t value) {
  if (*field == value) return false;
  *field = value;
  return true;
}

static bool earlier(int64_t *field, int64_t value) {
  return (*field == NO_TIME || value < *field) && set_time(field, value);
}

static int64_t latest(int64_t a, int64_t b) {
  return a > b ? a : b; // NO_TIME is the least
}

static int64_t after(int64_t time, int64_t ms) {
  return time == NO_TIME ? NO_TIME : time + ms;
}

// Always from the two times they rest on, so that no order of arrival makes a difference.
static void set_deadlines(struct notification *n, const struct saying *s) {
  bool open = n->status == STATUS_PENDING;
  int64_t unconfirmed = after(n->unconfirmed_at, s->unconfirmed_within_ms);
  n->due_at = open ? latest(after(n->accepted_at, s->receipt_within_ms), unconfirmed) : NO_TIME;
  n->expires_at = open ? latest(after(n->accepted_at, s->expires_after_ms), unconfirmed) : NO_TIME;
}

static bool take_recipient(struct notification *n, const struct saying *s) {
  if (s->recipient == NULL || !replace(&n->recipient, s->recipient)) return false;
  memcpy(n->recipient_hash, s->recipient_hash, PERSONAL_HASH_SIZE);
  return true;
}

// The acceptance is our own application's word on whom it wrote to: it wins over what a receipt repeats, in
// either order.
static bool merge(struct notification *n, const struct saying *s) {
  bool changed = take_recipient(n, s);
  changed |= replace(&n->reference, s->reference);
  if (n->channel == NULL) changed |= replace(&n->channel, s->channel);
  if (s->signal == SIGNAL_ACCEPTED) changed |= earlier(&n->accepted_at, s->at);
  return changed;
}

// A receipt also names the recipient, where no acceptance has done so.
static bool complete(struct notification *n, const struct saying *s) {
  bool changed = n->recipient == NULL && take_recipient(n, s);
  if (n->reference == NULL) changed |= replace(&n->reference, s->reference);
  return changed;
}

static void say_why(struct notification *n, const struct saying *s) {
  free(n->code);
  free(n->reason);
  n->code = mem_strdup_or_null(s->code);
  n->reason = mem_strdup_or_null(s->reason);
  replace(&n->outcome, s->outcome);
}

static bool resolve(struct notification *n, const struct saying *s) {
  say_why(n, s);
  replace(&n->channel, s->channel);
  n->resolved_at = s->at;
  return true;
}

static bool explain(struct notification *n, const struct saying *s) {
  say_why(n, s);
  if (n->channel == NULL) replace(&n->channel, s->channel);
  return true;
}

static bool note_unconfirmed(struct notification *n, const struct saying *s) {
  bool changed = s->at > n->unconfirmed_at;
  n->unconfirmed_at = latest(n->unconfirmed_at, s->at);
  return changed;
}

const struct ledger_rule *ledger_apply(struct notification *n, const struct saying *s, bool *changed) {
  const struct ledger_rule *rule = ledger_rule(n->status, s->signal);
  bool moved = rule->next != n->status;
  if (rule->next != STATUS_NONE) moved |= earlier(&n->first_seen_at, s->received_at);
  if (rule->effects & EFFECT_CONTRADICT)
    moved |= replace(&n->contradicted_by, n->status == STATUS_SENT ? s->code : n->code);
  if (rule->effects & EFFECT_MERGE)
    moved |= merge(n, s);
  else if (rule->next != STATUS_NONE)
    moved |= complete(n, s);
  if (rule->effects & EFFECT_RESOLVE) moved |= resolve(n, s);
  if (rule->effects & EFFECT_LATER) moved |= note_unconfirmed(n, s);
  if (rule->effects & EFFECT_EXPLAIN) moved |= explain(n, s);
  if ((rule->effects & EFFECT_FILL) && n->outcome && strcmp(n->outcome, "expired") == 0)
    moved |= resolve(n, s);
  n->status = rule->next;
  set_deadlines(n, s);
  *changed = moved;
  return rule;
}
