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
    [SIGNAL_DELIVERED]   = {STATUS_SENT,        EFFECT_CONTEND,                LEDGER_NO_ALERT},
    [SIGNAL_FAILED]      = {STATUS_SENT,        EFFECT_CONTRADICT,             LEDGER_NO_ALERT},
    [SIGNAL_UNCONFIRMED] = {STATUS_SENT,        EFFECT_LATER,                  LEDGER_NO_ALERT},
    [SIGNAL_OVERDUE]     = STAYS(STATUS_SENT),
    [SIGNAL_EXPIRED]     = STAYS(STATUS_SENT),
  },
  [STATUS_DEAD_LETTER] = {
    [SIGNAL_ACCEPTED]    = {STATUS_DEAD_LETTER, EFFECT_MERGE,                  LEDGER_NO_ALERT},
    [SIGNAL_REJECTED]    = {STATUS_DEAD_LETTER, EFFECT_MERGE | EFFECT_CONTEND, LEDGER_NO_ALERT},
    [SIGNAL_DELIVERED]   = {STATUS_SENT, EFFECT_CONTRADICT | EFFECT_RESOLVE,   LEDGER_RECOVERED},
    [SIGNAL_FAILED]      = {STATUS_DEAD_LETTER, EFFECT_CONTEND,                LEDGER_NO_ALERT},
    [SIGNAL_UNCONFIRMED] = {STATUS_DEAD_LETTER, EFFECT_LATER,                  LEDGER_NO_ALERT},
    [SIGNAL_OVERDUE]     = STAYS(STATUS_DEAD_LETTER),
    [SIGNAL_EXPIRED]     = {STATUS_DEAD_LETTER, EFFECT_CONTEND,                LEDGER_NO_ALERT},
  },
};
// clang-format on

const struct ledger_rule *ledger_rule(enum status now, enum signal_kind signal) {
  assert(now < STATUS_COUNT && signal < SIGNAL_COUNT);
  return &rules[now][signal];
}

int notification_compare_key(const char *provider, const char *id, const char *other_provider,
                             const char *other_id) {
  int order = strcmp(provider, other_provider);
  return order ? order : strcmp(id, other_id);
}

void notification_init(struct notification *n, const char *provider, const char *id) {
  *n = (struct notification){.provider = provider,
                             .id = id,
                             .accepted_at = NO_TIME,
                             .resolved_at = NO_TIME,
                             .unconfirmed_at = NO_TIME,
                             .due_at = NO_TIME,
                             .expires_at = NO_TIME,
                             .next_look_at = NO_TIME,
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

char *notification_describe(const struct notification *n) {
  const char *outcome = mem_or_empty(n->outcome), *code = mem_or_empty(n->code);
  const char *status = status_name(n->status);
  return mem_printf("%s%s%s%s%s", status ? status : "unknown", *outcome ? " " : "", outcome, *code ? " " : "",
                    code);
}

static bool replace(char **field, const char *value) {
  if (value == NULL || (*field && strcmp(*field, value) == 0)) return false;
  free(*field);
  *field = mem_strdup(value);
  return true;
}

static bool earlier(int64_t *field, int64_t value) {
  if (*field != NO_TIME && value >= *field) return false;
  *field = value;
  return true;
}

static int64_t latest(int64_t a, int64_t b) {
  return a > b ? a : b; // NO_TIME is the least
}

static int64_t after(int64_t time, int64_t ms) {
  return time == NO_TIME ? NO_TIME : time + ms;
}

// At the first deadline; once the receipt was said to be overdue, at the other one, however both move. A row
// that is not open has neither.
static int64_t next_look(const struct notification *n, bool was_overdue) {
  return was_overdue || n->expires_at < n->due_at ? n->expires_at : n->due_at;
}

// Always from the two times they rest on, so that no order of arrival makes a difference.
static bool set_deadlines(struct notification *n, const struct signal *s, bool is_overdue) {
  bool open = n->status == STATUS_PENDING;
  bool was_overdue = is_overdue || n->next_look_at > n->due_at;
  int64_t before = n->next_look_at;
  int64_t unconfirmed = after(n->unconfirmed_at, s->unconfirmed_within_ms);
  n->due_at = open ? latest(after(n->accepted_at, s->receipt_within_ms), unconfirmed) : NO_TIME;
  n->expires_at = open ? latest(after(n->accepted_at, s->expires_after_ms), unconfirmed) : NO_TIME;
  n->next_look_at = next_look(n, was_overdue);
  return n->next_look_at != before;
}

static bool has_expired(const struct notification *n) {
  return n->outcome && strcmp(n->outcome, "expired") == 0;
}

// ---- which of two signals decides ----

static int compare(const char *a, const char *b) {
  return a && b ? strcmp(a, b) : (a != NULL) - (b != NULL);
}

// Between two of the same time the text decides, so that it is not the arrival.
static bool is_less(const struct signal *s, const struct notification *n) {
  int order = compare(s->code, n->code);
  if (order == 0) order = compare(s->reason, n->reason);
  if (order == 0) order = compare(s->outcome, n->outcome);
  return order < 0;
}

// Whether it decides instead of the signal that has decided.
static bool takes_over(const struct notification *n, const struct signal *s) {
  bool expired = has_expired(n);
  if (expired != (s->kind == SIGNAL_EXPIRED)) return expired;
  return s->at < n->resolved_at || (s->at == n->resolved_at && is_less(s, n));
}

static bool is_latest_unconfirmed(const struct notification *n, const struct signal *s) {
  return s->at > n->unconfirmed_at || (s->at == n->unconfirmed_at && is_less(s, n));
}

// ---- effects ----

static bool take_recipient(struct notification *n, const struct signal *s) {
  if (s->recipient == NULL) return false;
  bool changed = replace(&n->recipient, s->recipient); // two numbers may have the same mask
  changed |= memcmp(n->recipient_hash, s->recipient_hash, PERSONAL_HASH_SIZE) != 0;
  memcpy(n->recipient_hash, s->recipient_hash, PERSONAL_HASH_SIZE);
  return changed;
}

// The acceptance is our own application's word on whom it wrote to: it wins over what a receipt repeats, in
// either order.
static bool merge(struct notification *n, const struct signal *s) {
  bool changed = take_recipient(n, s);
  changed |= replace(&n->reference, s->reference);
  if (s->kind == SIGNAL_ACCEPTED) changed |= earlier(&n->accepted_at, s->at);
  return changed;
}

// A receipt also names the recipient, where no acceptance has done so.
static bool complete(struct notification *n, const struct signal *s) {
  bool changed = n->recipient == NULL && take_recipient(n, s);
  if (n->reference == NULL) changed |= replace(&n->reference, s->reference);
  return changed;
}

// The channel of a signal that decides is taken by resolve(). Until then it is the first in the alphabet.
static bool note_channel(struct notification *n, const struct signal *s) {
  bool is_open = n->status <= STATUS_PENDING || has_expired(n);
  bool wins = n->channel == NULL || (is_open && compare(s->channel, n->channel) < 0);
  return wins && replace(&n->channel, s->channel);
}

static bool say_why(struct notification *n, const struct signal *s) {
  free(n->code);
  free(n->reason);
  n->code = mem_strdup_or_null(s->code);
  n->reason = mem_strdup_or_null(s->reason);
  replace(&n->outcome, s->outcome);
  return true;
}

static bool resolve(struct notification *n, const struct signal *s) {
  replace(&n->channel, s->channel);
  n->resolved_at = s->at;
  return say_why(n, s);
}

static bool note_unconfirmed(struct notification *n, const struct signal *s) {
  bool changed = s->at > n->unconfirmed_at;
  n->unconfirmed_at = latest(n->unconfirmed_at, s->at);
  return changed;
}

// A deadline has no code.
static const char *contradicting_code(const struct notification *n, const struct signal *s) {
  if (n->status == STATUS_SENT) return s->code;
  return has_expired(n) ? NULL : n->code;
}

static bool apply_effects(struct notification *n, const struct signal *s, unsigned effects) {
  bool changed = earlier(&n->first_seen_at, s->received_at);
  changed |= effects & EFFECT_MERGE ? merge(n, s) : complete(n, s);
  changed |= note_channel(n, s);
  if (effects & EFFECT_CONTRADICT) changed |= replace(&n->contradicted_by, contradicting_code(n, s));
  if ((effects & EFFECT_RESOLVE) || ((effects & EFFECT_CONTEND) && takes_over(n, s)))
    changed |= resolve(n, s);
  if ((effects & EFFECT_EXPLAIN) && is_latest_unconfirmed(n, s)) changed |= say_why(n, s);
  if (effects & EFFECT_LATER) changed |= note_unconfirmed(n, s); // after what compares with the time before
  return changed;
}

static const struct ledger_rule stays = STAYS(STATUS_NONE);

// A deadline says nothing if it has moved since the watch read it, or if the receipt was said to be overdue
// before.
static bool is_stale(const struct notification *n, const struct signal *s) {
  if (s->kind == SIGNAL_OVERDUE) return s->at < n->due_at || n->next_look_at > n->due_at;
  return s->kind == SIGNAL_EXPIRED && s->at < n->expires_at;
}

const struct ledger_rule *ledger_apply(struct notification *n, const struct signal *s, bool *changed) {
  const struct ledger_rule *rule = ledger_rule(n->status, s->kind);
  *changed = false;
  if (is_stale(n, s)) {
    *changed = set_deadlines(n, s, false); // the watch must not find the old one again
    return &stays;
  }
  if (rule->next == STATUS_NONE) return rule;
  *changed = apply_effects(n, s, rule->effects);
  *changed |= rule->next != n->status;
  n->status = rule->next;
  *changed |= set_deadlines(n, s, s->kind == SIGNAL_OVERDUE);
  return rule;
}
