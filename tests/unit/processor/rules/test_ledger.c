// SPDX-License-Identifier: MIT
// Every cell of the status table, and the promise that the order of arrival does not matter.
#include "common/base/mem.h"
#include "processor/rules/ledger.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DEADLINES .receipt_within_ms = 300, .expires_after_ms = 5000, .unconfirmed_within_ms = 4000
#define N         STATUS_NONE
#define P         STATUS_PENDING
#define S         STATUS_SENT
#define D         STATUS_DEAD_LETTER

// Written out again, by hand, from the design's table: rows are the status now, columns the signals in their
// order.
static const struct {
  enum status now;
  enum status next[SIGNAL_COUNT];
  enum ledger_alert alert[SIGNAL_COUNT];
} table[] = {
    //      accepted rejected delivered failed unconfirmed overdue expired
    {N, {P, D, S, D, P, N, N}, {0, LEDGER_DEAD_LETTERED, 0, LEDGER_DEAD_LETTERED, 0, 0, 0}},
    {P,
     {P, D, S, D, P, P, D},
     {0, LEDGER_DEAD_LETTERED, 0, LEDGER_DEAD_LETTERED, 0, LEDGER_OVERDUE, LEDGER_DEAD_LETTERED}},
    {S, {S, S, S, S, S, S, S}, {0, 0, 0, 0, 0, 0, 0}},
    {D, {D, D, S, D, D, D, D}, {0, 0, LEDGER_RECOVERED, 0, 0, 0, 0}},
};

static void test_every_cell_of_the_status_table(void **state) {
  for (size_t row = 0; row < COUNT_OF(table); row++)
    for (enum signal signal = 0; signal < SIGNAL_COUNT; signal++) {
      const struct ledger_rule *rule = ledger_rule(table[row].now, signal);
      if (rule->next != table[row].next[signal] || rule->alert != table[row].alert[signal])
        fail_msg("status %d, signal %d: next %d alert %d", table[row].now, signal, rule->next, rule->alert);
    }
}

static const uint8_t hash_of_acceptance[PERSONAL_HASH_SIZE] = {1}, hash_of_receipt[PERSONAL_HASH_SIZE] = {2};

static const struct saying accepted = {.signal = SIGNAL_ACCEPTED,
                                       .channel = "ALIMTALK",
                                       .recipient = "+8210****5678",
                                       .recipient_hash = hash_of_acceptance,
                                       .reference = "order-17",
                                       .at = 1000,
                                       .received_at = 1000,
                                       DEADLINES};
// The same message, registered once more and later.
static const struct saying accepted_again = {
    .signal = SIGNAL_ACCEPTED, .channel = "ALIMTALK", .at = 1600, .received_at = 1600, DEADLINES};
static const struct saying failed = {.signal = SIGNAL_FAILED,
                                     .outcome = "failed",
                                     .code = "63019",
                                     .reason = "not a KakaoTalk user",
                                     .channel = "ALIMTALK",
                                     .at = 1100,
                                     .received_at = 1101,
                                     DEADLINES};
static const struct saying delivered = {.signal = SIGNAL_DELIVERED,
                                        .outcome = "delivered",
                                        .code = "10000",
                                        .channel = "SMS",
                                        .recipient = "010****5678",
                                        .recipient_hash = hash_of_receipt,
                                        .at = 1200,
                                        .received_at = 1202,
                                        DEADLINES};
static const struct saying unconfirmed = {.signal = SIGNAL_UNCONFIRMED,
                                          .outcome = "unconfirmed",
                                          .code = "63005",
                                          .reason = "sent, receipt unconfirmed",
                                          .channel = "ALIMTALK",
                                          .at = 1050,
                                          .received_at = 1051,
                                          DEADLINES};

static bool same_text(const char *a, const char *b) {
  return a == b || (a && b && strcmp(a, b) == 0);
}

static void assert_same(const struct notification *a, const struct notification *b) {
  assert_int_equal(a->status, b->status);
  assert_true(same_text(a->outcome, b->outcome));
  assert_true(same_text(a->code, b->code));
  assert_true(same_text(a->reason, b->reason));
  assert_true(same_text(a->contradicted_by, b->contradicted_by));
  assert_true(same_text(a->channel, b->channel));
  assert_true(same_text(a->recipient, b->recipient));
  assert_true(same_text(a->reference, b->reference));
  assert_memory_equal(a->recipient_hash, b->recipient_hash, PERSONAL_HASH_SIZE);
  assert_true(a->accepted_at == b->accepted_at && a->resolved_at == b->resolved_at &&
              a->due_at == b->due_at && a->expires_at == b->expires_at &&
              a->first_seen_at == b->first_seen_at);
}

static void apply_in_order(struct notification *n, const struct saying *const *sayings, const size_t *order,
                           size_t count) {
  bool changed;
  notification_init(n, "bizgo", "key");
  for (size_t i = 0; i < count; i++) ledger_apply(n, sayings[order[i]], &changed);
}

static void test_order_of_arrival_does_not_matter(void **state) {
  static const size_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  static const struct saying *const sets[][3] = {
      {&accepted, &failed, &delivered},      {&accepted, &unconfirmed, &delivered},
      {&accepted, &accepted, &delivered},    {&accepted, &accepted_again, &unconfirmed},
      {&accepted, &accepted_again, &failed}, {&accepted, &failed, &failed}};
  for (size_t set = 0; set < COUNT_OF(sets); set++) {
    struct notification first, other;
    apply_in_order(&first, sets[set], orders[0], 3);
    for (size_t i = 1; i < COUNT_OF(orders); i++) {
      apply_in_order(&other, sets[set], orders[i], 3);
      assert_same(&first, &other);
      notification_fini(&other);
    }
    notification_fini(&first);
  }
}

static void test_failed_alimtalk_then_delivered_sms_is_sent_and_remembers_the_failure(void **state) {
  struct notification n;
  bool changed;
  notification_init(&n, "bizgo", "key");
  assert_int_equal(ledger_apply(&n, &failed, &changed)->alert, LEDGER_DEAD_LETTERED);
  assert_int_equal(ledger_apply(&n, &delivered, &changed)->alert, LEDGER_RECOVERED);
  assert_int_equal(n.status, STATUS_SENT);
  assert_string_equal(n.code, "10000");
  assert_string_equal(n.channel, "SMS");
  assert_string_equal(n.contradicted_by, "63019");
  assert_null(n.reason);
  notification_fini(&n);
}

static void test_unconfirmed_stays_pending_with_a_later_deadline(void **state) {
  struct notification n;
  bool changed;
  notification_init(&n, "bizgo", "key");
  ledger_apply(&n, &accepted, &changed);
  assert_true(n.due_at == 1300);
  ledger_apply(&n, &unconfirmed, &changed);
  assert_int_equal(n.status, STATUS_PENDING);
  assert_int_equal(n.due_at, 5050);
  assert_int_equal(n.expires_at, 6000);
  assert_string_equal(n.code, "63005");
  notification_fini(&n);
}

static void test_a_failure_after_expiry_fills_in_the_reason_without_a_second_alert(void **state) {
  static const struct saying expired = {
      .signal = SIGNAL_EXPIRED, .outcome = "expired", .at = 6000, .received_at = 6000};
  struct notification n;
  bool changed;
  notification_init(&n, "bizgo", "key");
  ledger_apply(&n, &accepted, &changed);
  assert_int_equal(ledger_apply(&n, &expired, &changed)->alert, LEDGER_DEAD_LETTERED);
  assert_int_equal(ledger_apply(&n, &failed, &changed)->alert, LEDGER_NO_ALERT);
  assert_string_equal(n.code, "63019");
  assert_string_equal(n.outcome, "failed");
  notification_fini(&n);
}

static void test_a_repeat_changes_nothing(void **state) {
  struct notification n;
  bool changed;
  notification_init(&n, "bizgo", "key");
  ledger_apply(&n, &accepted, &changed);
  assert_true(changed);
  ledger_apply(&n, &accepted, &changed);
  assert_false(changed);
  ledger_apply(&n, &delivered, &changed);
  ledger_apply(&n, &accepted, &changed);
  assert_false(changed);
  notification_fini(&n);
}

static void test_signals_about_nothing_known_leave_no_row(void **state) {
  static const struct saying overdue = {.signal = SIGNAL_OVERDUE, .received_at = 1};
  struct notification n;
  bool changed;
  notification_init(&n, "bizgo", "key");
  ledger_apply(&n, &overdue, &changed);
  assert_false(changed);
  assert_int_equal(n.status, STATUS_NONE);
  notification_fini(&n);
}

static void test_status_names_are_the_seeds_three(void **state) {
  assert_string_equal(status_name(STATUS_PENDING), "PENDING");
  assert_string_equal(status_name(STATUS_SENT), "SENT");
  assert_string_equal(status_name(STATUS_DEAD_LETTER), "DEAD_LETTER");
  assert_int_equal(status_parse("DEAD_LETTER"), STATUS_DEAD_LETTER);
  assert_int_equal(status_parse(NULL), STATUS_NONE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_cell_of_the_status_table),
      cmocka_unit_test(test_order_of_arrival_does_not_matter),
      cmocka_unit_test(test_failed_alimtalk_then_delivered_sms_is_sent_and_remembers_the_failure),
      cmocka_unit_test(test_unconfirmed_stays_pending_with_a_later_deadline),
      cmocka_unit_test(test_a_failure_after_expiry_fills_in_the_reason_without_a_second_alert),
      cmocka_unit_test(test_a_repeat_changes_nothing),
      cmocka_unit_test(test_signals_about_nothing_known_leave_no_row),
      cmocka_unit_test(test_status_names_are_the_seeds_three),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
