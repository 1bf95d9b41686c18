// SPDX-License-Identifier: MIT
// What a replay makes of a row: for each case the row is built with a wrong word in it, corrected, and
// compared with the row that was right from the start.
#include "common/base/mem.h"
#include "processor/rules/correction.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DEADLINES .receipt_within_ms = 300, .expires_after_ms = 5000, .unconfirmed_within_ms = 4000

static const struct signal accepted = {.kind = SIGNAL_ACCEPTED,
                                       .channel = "ALIMTALK",
                                       .recipient = "+8210****5678",
                                       .recipient_hash = {1},
                                       .reference = "order-17",
                                       .at = 1000,
                                       .received_at = 1000,
                                       DEADLINES};
static const struct signal rejected = {.kind = SIGNAL_REJECTED,
                                       .outcome = "rejected",
                                       .code = "A305",
                                       .at = 1000,
                                       .received_at = 1000,
                                       DEADLINES};
// The same id once more, with the other answer.
static const struct signal accepted_later = {
    .kind = SIGNAL_ACCEPTED, .channel = "ALIMTALK", .at = 1050, .received_at = 1050, DEADLINES};
static const struct signal rejected_later = {.kind = SIGNAL_REJECTED,
                                             .outcome = "rejected",
                                             .code = "A305",
                                             .at = 1050,
                                             .received_at = 1050,
                                             DEADLINES};
static const struct signal alimtalk_failed = {.kind = SIGNAL_FAILED,
                                              .outcome = "failed",
                                              .code = "64008",
                                              .reason = "no permission",
                                              .channel = "ALIMTALK",
                                              .at = 1100,
                                              .received_at = 1101,
                                              DEADLINES};
static const struct signal alimtalk_delivered = {.kind = SIGNAL_DELIVERED,
                                                 .outcome = "delivered",
                                                 .code = "64008",
                                                 .channel = "ALIMTALK",
                                                 .at = 1100,
                                                 .received_at = 1101,
                                                 DEADLINES};
static const struct signal alimtalk_unconfirmed = {.kind = SIGNAL_UNCONFIRMED,
                                                   .outcome = "unconfirmed",
                                                   .code = "64008",
                                                   .channel = "ALIMTALK",
                                                   .at = 1100,
                                                   .received_at = 1101,
                                                   DEADLINES};
// They name no channel: the row's is the acceptance's.
static const struct signal silent_failed = {
    .kind = SIGNAL_FAILED, .outcome = "failed", .code = "64008", .at = 1100, .received_at = 1101, DEADLINES};
static const struct signal silent_unconfirmed = {.kind = SIGNAL_UNCONFIRMED,
                                                 .outcome = "unconfirmed",
                                                 .code = "64008",
                                                 .at = 1100,
                                                 .received_at = 1101,
                                                 DEADLINES};
static const struct signal sms_delivered = {.kind = SIGNAL_DELIVERED,
                                            .outcome = "delivered",
                                            .code = "10000",
                                            .channel = "SMS",
                                            .at = 1200,
                                            .received_at = 1202,
                                            DEADLINES};
static const struct signal expired = {
    .kind = SIGNAL_EXPIRED, .outcome = "expired", .at = 6000, .received_at = 6000, DEADLINES};

enum { WORDS = 4 };
enum { NONE = 0, FIRST = 1, SECOND = 2, ALL = ~0 }; // bit set
static const struct {
  const struct signal *acceptances[WORDS], *receipts[WORDS], *right[WORDS]; // the receipts as they should be
  int missing; // which of the acceptances are not stored
  enum ledger_alert alert;
} cases[] = {
    {{&accepted}, {&alimtalk_delivered}, {&alimtalk_failed}, NONE, LEDGER_DEAD_LETTERED},
    {{&accepted}, {&alimtalk_delivered}, {&alimtalk_failed}, ALL, LEDGER_DEAD_LETTERED},
    {{0}, {&alimtalk_delivered}, {&alimtalk_failed}, ALL, LEDGER_DEAD_LETTERED},
    {{&accepted}, {&alimtalk_failed}, {&alimtalk_delivered}, NONE, LEDGER_RECOVERED},
    {{&accepted}, {&alimtalk_failed}, {&alimtalk_unconfirmed}, NONE, LEDGER_NO_ALERT},
    {{&accepted}, {&alimtalk_failed}, {&alimtalk_unconfirmed}, ALL, LEDGER_NO_ALERT},
    {{&accepted}, {&alimtalk_unconfirmed}, {&alimtalk_failed}, NONE, LEDGER_DEAD_LETTERED},
    {{&accepted}, {&alimtalk_unconfirmed}, {&alimtalk_delivered}, ALL, LEDGER_NO_ALERT},
    {{&accepted},
     {&alimtalk_delivered, &sms_delivered},
     {&alimtalk_failed, &sms_delivered},
     NONE,
     LEDGER_NO_ALERT},
    {{&accepted},
     {&alimtalk_failed, &sms_delivered},
     {&alimtalk_delivered, &sms_delivered},
     NONE,
     LEDGER_NO_ALERT},
    {{0}, {&sms_delivered, &alimtalk_failed}, {&sms_delivered, &alimtalk_delivered}, ALL, LEDGER_NO_ALERT},
    {{&rejected}, {&alimtalk_failed}, {&alimtalk_unconfirmed}, ALL, LEDGER_NO_ALERT},
    {{&accepted, &expired}, {&alimtalk_unconfirmed}, {&alimtalk_delivered}, ALL, LEDGER_RECOVERED},
    {{&rejected, &accepted_later}, {&alimtalk_failed}, {&alimtalk_unconfirmed}, FIRST, LEDGER_NO_ALERT},
    {{&rejected, &accepted_later}, {&alimtalk_failed}, {&alimtalk_unconfirmed}, SECOND, LEDGER_NO_ALERT},
    {{&accepted, &rejected_later}, {&alimtalk_failed}, {&alimtalk_unconfirmed}, FIRST, LEDGER_NO_ALERT},
    {{&accepted, &rejected_later}, {&alimtalk_failed}, {&alimtalk_unconfirmed}, SECOND, LEDGER_NO_ALERT},
    {{&rejected, &rejected_later}, {&alimtalk_failed}, {&alimtalk_unconfirmed}, FIRST, LEDGER_NO_ALERT},
    {{&accepted}, {&silent_failed}, {&silent_unconfirmed}, ALL, LEDGER_NO_ALERT},
};

static size_t take_words(const struct signal *const *words, struct signal *out) {
  size_t n = 0;
  while (n < WORDS && words[n]) {
    out[n] = *words[n];
    n++;
  }
  return n;
}

// Those that the replay finds. Returns how many.
static size_t keep_stored(struct signal *acceptances, size_t n, int missing) {
  size_t kept = 0;
  for (size_t i = 0; i < n; i++)
    if (!(missing >> i & 1)) acceptances[kept++] = acceptances[i];
  return kept;
}

static void apply(struct notification *n, const struct signal *signals, size_t count) {
  bool changed;
  for (size_t i = 0; i < count; i++) ledger_apply(n, &signals[i], &changed);
}

static void correct(struct notification *built, const struct notification *stored,
                    const struct signal *acceptances, size_t a, const struct signal *receipts, size_t r) {
  struct signal said[2 * WORDS];
  memcpy(said, acceptances, a * sizeof *said);
  memcpy(said + a, receipts, r * sizeof *said);
  correction_build(built, stored, said, a + r);
}

static void test_a_corrected_row_is_the_one_that_was_right_from_the_start(void **state) {
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct signal acceptances[WORDS], receipts[WORDS], right[WORDS];
    size_t a = take_words(cases[i].acceptances, acceptances), r = take_words(cases[i].receipts, receipts);
    struct notification stored, expected, built;
    take_words(cases[i].right, right);
    notification_init(&stored, "bizgo", "key");
    apply(&stored, acceptances, a);
    apply(&stored, receipts, r);
    notification_init(&expected, "bizgo", "key");
    apply(&expected, acceptances, a);
    apply(&expected, right, r);
    correct(&built, &stored, acceptances, keep_stored(acceptances, a, cases[i].missing), right, r);
    if (correction_differs(&built, &expected)) fail_msg("case %zu: not the row that was expected", i);
    assert_int_equal(correction_alert(stored.status, built.status), cases[i].alert);
    assert_int_equal(built.first_seen_at, stored.first_seen_at);
    assert_int_equal(built.corrected_version, stored.version + 1);
    notification_fini(&stored);
    notification_fini(&expected);
    notification_fini(&built);
  }
}

static void test_what_was_right_stays_as_it_is(void **state) {
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct signal acceptances[WORDS], receipts[WORDS];
    size_t a = take_words(cases[i].acceptances, acceptances), r = take_words(cases[i].right, receipts);
    struct notification stored, built;
    notification_init(&stored, "bizgo", "key");
    apply(&stored, acceptances, a);
    apply(&stored, receipts, r);
    correct(&built, &stored, acceptances, keep_stored(acceptances, a, cases[i].missing), receipts, r);
    if (correction_differs(&built, &stored)) fail_msg("case %zu: changed", i);
    notification_fini(&stored);
    notification_fini(&built);
  }
}

static void test_an_acceptance_that_was_read_as_a_refusal(void **state) {
  struct notification stored, built;
  bool changed;
  notification_init(&stored, "bizgo", "key");
  ledger_apply(&stored, &rejected, &changed);
  correction_build(&built, &stored, &accepted, 1);
  assert_int_equal(built.status, STATUS_PENDING);
  assert_null(built.code);
  assert_int_equal(built.due_at, 1300);
  notification_fini(&built);
  // And the other way about: it was never taken.
  notification_fini(&stored);
  notification_init(&stored, "bizgo", "key");
  ledger_apply(&stored, &accepted, &changed);
  correction_build(&built, &stored, &rejected, 1);
  assert_int_equal(built.status, STATUS_DEAD_LETTER);
  assert_true(built.accepted_at == NO_TIME);
  assert_string_equal(built.recipient, "+8210****5678"); // the application's word on whom it wrote to
  notification_fini(&stored);
  notification_fini(&built);
}

static void test_what_was_said_to_be_overdue_is_not_said_again(void **state) {
  static const struct signal overdue = {SIGNAL_OVERDUE, .at = 1301, .received_at = 1301, DEADLINES};
  const struct signal said[] = {accepted, overdue, alimtalk_unconfirmed};
  struct signal file_of_today[] = {accepted, alimtalk_unconfirmed};
  struct notification stored, built;
  notification_init(&stored, "bizgo", "key");
  apply(&stored, said, 3);
  assert_int_equal(stored.next_look_at, 6000);
  file_of_today[0].expires_after_ms = file_of_today[1].expires_after_ms = 7000;
  correction_build(&built, &stored, file_of_today, 2);
  assert_int_equal(built.next_look_at, 8000);
  notification_fini(&built);
  // Dead by yesterday's file, open by today's: it has a deadline again.
  apply(&stored, &alimtalk_failed, 1);
  correction_build(&built, &stored, file_of_today, 2);
  assert_int_equal(built.next_look_at, 5100);
  notification_fini(&built);
  notification_fini(&stored);
}

// The acceptance is not among what was said, so the row keeps its time.
static void test_an_acceptance_that_is_not_stored_is_taken_from_the_row(void **state) {
  struct notification stored, built;
  notification_init(&stored, "bizgo", "key");
  apply(&stored, &accepted, 1);
  correction_build(&built, &stored, &accepted, 0);
  assert_int_equal(built.status, STATUS_PENDING);
  assert_int_equal(built.accepted_at, stored.accepted_at);
  notification_fini(&built);
  notification_fini(&stored);
}

static void test_the_scope_is_that_of_the_receipt_that_decided(void **state) {
  struct signal other = alimtalk_failed, fault = alimtalk_failed;
  other.outcome = fault.outcome = "account_fault";
  other.code = "61007";
  other.scope = "profile";
  fault.scope = "account";
  const struct signal said[] = {other, fault};
  struct notification row;
  bool changed;
  notification_init(&row, "bizgo", "key");
  ledger_apply(&row, &fault, &changed);
  assert_string_equal(correction_scope(&row, said, 2), "account");
  assert_null(correction_scope(&row, said, 1));             // the fault is not among what was said
  assert_null(correction_scope(&row, &alimtalk_failed, 1)); // by today's file it is none
  notification_fini(&row);
}

static void test_what_the_row_says_shows_whether_there_was_an_acceptance(void **state) {
  static const struct {
    const struct signal *signal;
    bool needs;
  } words[] = {{&accepted, true}, {&rejected, true}, {&alimtalk_failed, false}, {&sms_delivered, false}};
  for (size_t i = 0; i < COUNT_OF(words); i++) {
    struct notification stored;
    notification_init(&stored, "bizgo", "key");
    apply(&stored, words[i].signal, 1);
    assert_int_equal(correction_needs_acceptance(&stored), words[i].needs);
    notification_fini(&stored);
  }
}

static void test_a_contradiction_of_a_refusal_that_is_not_stored_stays(void **state) {
  const struct signal said[] = {rejected, sms_delivered};
  struct notification stored, built;
  notification_init(&stored, "bizgo", "key");
  apply(&stored, said, 2);
  correction_build(&built, &stored, &sms_delivered, 1);
  assert_null(built.contradicted_by);
  correction_keep_contradiction(&built, &stored);
  assert_string_equal(built.contradicted_by, "A305");
  assert_false(correction_differs(&built, &stored));
  notification_fini(&built);
  correction_build(&built, &stored, &alimtalk_failed, 1); // not SENT: there is nothing to contradict
  correction_keep_contradiction(&built, &stored);
  assert_null(built.contradicted_by);
  notification_fini(&built);
  notification_fini(&stored);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_corrected_row_is_the_one_that_was_right_from_the_start),
      cmocka_unit_test(test_what_was_right_stays_as_it_is),
      cmocka_unit_test(test_an_acceptance_that_was_read_as_a_refusal),
      cmocka_unit_test(test_what_was_said_to_be_overdue_is_not_said_again),
      cmocka_unit_test(test_an_acceptance_that_is_not_stored_is_taken_from_the_row),
      cmocka_unit_test(test_the_scope_is_that_of_the_receipt_that_decided),
      cmocka_unit_test(test_what_the_row_says_shows_whether_there_was_an_acceptance),
      cmocka_unit_test(test_a_contradiction_of_a_refusal_that_is_not_stored_stays),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
