// SPDX-License-Identifier: MIT
#include "processor/rules/correction.h"
#include "common/base/mem.h"
#include <string.h>

static bool is_acceptance(const struct signal *signal) {
  return signal->kind == SIGNAL_ACCEPTED || signal->kind == SIGNAL_REJECTED;
}

// Whether the acceptance of that time is among them: when it was is the event's own word, however it is read.
static bool is_said(const struct signal *said, size_t n, int64_t at) {
  for (size_t i = 0; i < n; i++)
    if (is_acceptance(&said[i]) && said[i].at == at) return true;
  return false;
}

static bool has_outcome(const struct notification *n, const char *outcome) {
  return n->outcome && strcmp(n->outcome, outcome) == 0;
}

// Decided by the send API or by time: no receipt repeats it.
static bool is_decided_without_receipt(const struct notification *n) {
  return has_outcome(n, "rejected") || has_outcome(n, "expired");
}

bool correction_needs_acceptance(const struct notification *stored) {
  return stored->accepted_at != NO_TIME || has_outcome(stored, "rejected");
}

static void keep_decision(struct notification *out, const struct notification *stored) {
  out->status = STATUS_DEAD_LETTER;
  out->outcome = mem_strdup(stored->outcome);
  out->code = mem_strdup_or_null(stored->code);
  out->reason = mem_strdup_or_null(stored->reason);
  out->resolved_at = stored->resolved_at;
}

// What no acceptance in `said` contains is taken from the row.
static void keep_acceptance(struct notification *out, const struct notification *stored,
                            const struct signal *said, size_t n) {
  if (!is_said(said, n, stored->accepted_at)) out->accepted_at = stored->accepted_at;
  if (is_decided_without_receipt(stored) && !is_said(said, n, stored->resolved_at))
    keep_decision(out, stored);
  else if (out->accepted_at != NO_TIME)
    out->status = STATUS_PENDING;
  if (out->status != STATUS_NONE) out->channel = mem_strdup_or_null(stored->channel);
}

void correction_build(struct notification *out, const struct notification *stored, const struct signal *said,
                      size_t n) {
  notification_init(out, stored->provider, stored->id);
  out->version = stored->version;
  out->corrected_version = stored->version + 1;
  out->first_seen_at = stored->first_seen_at;
  out->due_at = stored->due_at;
  out->next_look_at = stored->next_look_at; // so that the ledger knows whether it was overdue
  out->recipient = mem_strdup_or_null(stored->recipient);
  memcpy(out->recipient_hash, stored->recipient_hash, PERSONAL_HASH_SIZE);
  out->reference = mem_strdup_or_null(stored->reference);
  keep_acceptance(out, stored, said, n);
  bool changed;
  for (size_t i = 0; i < n; i++) ledger_apply(out, &said[i], &changed);
}

void correction_keep_contradiction(struct notification *out, const struct notification *stored) {
  if (out->status == STATUS_SENT && out->contradicted_by == NULL)
    out->contradicted_by = mem_strdup_or_null(stored->contradicted_by);
}

static bool same_text(const char *a, const char *b) {
  return a == b || (a && b && strcmp(a, b) == 0);
}

bool correction_differs(const struct notification *a, const struct notification *b) {
  return a->status != b->status || !same_text(a->outcome, b->outcome) || !same_text(a->code, b->code) ||
         !same_text(a->reason, b->reason) || !same_text(a->contradicted_by, b->contradicted_by) ||
         !same_text(a->channel, b->channel) || !same_text(a->recipient, b->recipient) ||
         !same_text(a->reference, b->reference) || a->accepted_at != b->accepted_at ||
         a->resolved_at != b->resolved_at || a->unconfirmed_at != b->unconfirmed_at ||
         a->due_at != b->due_at || a->expires_at != b->expires_at;
}

const char *correction_scope(const struct notification *n, const struct signal *said, size_t n_said) {
  for (size_t i = 0; i < n_said; i++)
    if (said[i].scope && same_text(said[i].outcome, n->outcome) && same_text(said[i].code, n->code))
      return said[i].scope;
  return NULL;
}

enum ledger_alert correction_alert(enum status before, enum status after) {
  if (before != STATUS_DEAD_LETTER && after == STATUS_DEAD_LETTER) return LEDGER_DEAD_LETTERED;
  if (before == STATUS_DEAD_LETTER && after == STATUS_SENT) return LEDGER_RECOVERED;
  return LEDGER_NO_ALERT;
}
