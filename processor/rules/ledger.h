// SPDX-License-Identifier: MIT
// The status rules: what a signal does to a notification. Pure: no clock, no I/O, no allocation beyond the
// strings it copies. Not for: what a provider's code means (interpret) or how rows are stored (store).
//
// The order of arrival does not matter: the same signals end in the same row. A delivery outranks each
// failure and refusal, and these outrank the deadline. Of several of the same rank the earliest decides, of
// several unconfirmed ones the latest explains; at the same time the lesser code, reason and outcome. What
// depends on the order all the same:
// - the alerts on the way, and whether there was an `expired` or `overdue` signal at all: it is written only
//   for a row that is past its deadline, `overdue` only where the receipt is due before the row expires;
// - contradicted_by, where failures or refusals with different codes precede or follow a delivery: it is the
//   code that decided before, or the last one after;
// - recipient and reference, where acceptances disagree (the last one's) or, without an acceptance, receipts
//   (the first one's);
// - channel, where the deciding signal names none and the others disagree.
// The three periods of a signal are the provider's: the same in each.
#pragma once
#include "common/provider/personal.h"
#include <stdbool.h>
#include <stdint.h>

enum status { STATUS_NONE, STATUS_PENDING, STATUS_SENT, STATUS_DEAD_LETTER, STATUS_COUNT };

enum signal_kind {
  SIGNAL_ACCEPTED,
  SIGNAL_REJECTED, // by the send API
  SIGNAL_DELIVERED,
  SIGNAL_FAILED, // also account_fault: they differ in the outcome's name
  SIGNAL_UNCONFIRMED,
  SIGNAL_OVERDUE,
  SIGNAL_EXPIRED,
  SIGNAL_COUNT
};

enum ledger_alert { LEDGER_NO_ALERT, LEDGER_DEAD_LETTERED, LEDGER_RECOVERED, LEDGER_OVERDUE };

enum ledger_effect {     // bit set
  EFFECT_MERGE = 1,      // fill in what the acceptance knows: recipient, reference, times
  EFFECT_RESOLVE = 2,    // the signal decides: take its outcome, code, reason, channel, time
  EFFECT_LATER = 4,      // note when the provider did not know, which moves the deadlines back
  EFFECT_EXPLAIN = 32,   // take outcome, code and reason of the latest, though nothing is decided
  EFFECT_CONTRADICT = 8, // note the code that said failed where the status is SENT
  EFFECT_CONTEND = 16,   // decide if it is earlier than what has decided, or if the row had only expired
};

struct ledger_rule {
  enum status next;
  unsigned effects;
  enum ledger_alert alert;
};

const char *status_name(enum status status); // "PENDING" …; NULL for STATUS_NONE
enum status status_parse(const char *name);  // STATUS_NONE for NULL

// A cell of the status table in ledger.c: what this signal does in this status. Borrowed, static.
const struct ledger_rule *ledger_rule(enum status now, enum signal_kind signal);

#define NO_TIME INT64_MIN // SQL NULL

// A row of table notification. Strings are owned, NULL where unknown; times are Unix milliseconds or NO_TIME.
struct notification {
  const char *provider, *id; // borrowed
  enum status status;        // STATUS_NONE: no row yet
  char *outcome, *code, *reason, *contradicted_by, *channel, *recipient, *reference;
  uint8_t recipient_hash[PERSONAL_HASH_SIZE];
  int64_t accepted_at, resolved_at, unconfirmed_at, due_at, expires_at, first_seen_at;
  int64_t next_look_at;  // by the watch; later than due_at: the receipt was said to be overdue
  int version;           // as read; 0: no row
  int corrected_version; // the one that a replay wrote last; 0: none did
};
// The order of notifications: by provider, then id, byte by byte, as in Postgres. As strcmp().
int notification_compare_key(const char *provider, const char *id, const char *other_provider,
                             const char *other_id);
void notification_init(struct notification *notification, const char *provider, const char *id);
void notification_fini(struct notification *notification);
// For people: "SENT delivered 10000"; what is not known is left out. New string.
char *notification_describe(const struct notification *notification);

// What one event says about one notification. All borrowed.
struct signal {
  enum signal_kind kind;
  const char *outcome, *code, *reason, *channel, *recipient, *reference; // recipient is masked
  uint8_t recipient_hash[PERSONAL_HASH_SIZE];                            // of a recipient
  bool about_recipient; // another recipient would have got the message
  const char *scope;    // of an account_fault: whose next messages fail too; else NULL
  // When it was so, by the provider's clock if known; never later than received_at. Of SIGNAL_OVERDUE and
  // SIGNAL_EXPIRED: the deadline that has passed.
  int64_t at;
  int64_t received_at; // when ingress received it
  int64_t receipt_within_ms, expires_after_ms, unconfirmed_within_ms;
};

// Applies the rule. Returns it, so that the caller can act on the alert. `changed` is false when not a field
// moved. A deadline that has moved meanwhile, or a second SIGNAL_OVERDUE, does nothing.
const struct ledger_rule *ledger_apply(struct notification *notification, const struct signal *signal,
                                       bool *changed);
