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
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINES .receipt_within_ms = 300, .expires_after_ms = 5000, .unconfirmed_within_ms = 4000
#define N         STATUS_NONE
#define P         STATUS_PENDING
#define S         STATUS_SENT
#define D         STATUS_DEAD_LETTER

// The table of ledger.c, written out by hand a second time: rows are the status now, columns the signals in
// their order.
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
    for (enum signal_kind signal = 0; signal < SIGNAL_COUNT; signal++) {
      const struct ledger_rule *rule = ledger_rule(table[row].now, signal);
      if (rule->next != table[row].next[signal] || rule->alert != table[row].alert[signal])
        fail_msg("status %d, signal %d: next %d alert %d", table[row].now, signal, rule->next, rule->alert);
    }
}

// Runs in a child process, without a core dump and without the message of assert().
static bool aborts(enum status now, enum signal_kind signal) {
  int how = 0;
  pid_t child = fork();
  if (child == 0) {
    setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    close(STDERR_FILENO);
    ledger_rule(now, signal);
    _exit(0);
  }
  assert_int_equal(waitpid(child, &how, 0), child);
  return WIFSIGNALED(how);
}

static void test_there_is_no_cell_beyond_the_status_table(void **state) {
  assert_false(aborts(STATUS_COUNT - 1, SIGNAL_COUNT - 1));
  assert_true(aborts(STATUS_COUNT, SIGNAL_ACCEPTED));
  assert_true(aborts(STATUS_NONE, SIGNAL_COUNT));
}

#define HASH_OF_ACCEPTANCE                                                                                   \
  { 1 }
#define HASH_OF_RECEIPT                                                                                      \
  { 2 }

static const struct signal accepted = {.kind = SIGNAL_ACCEPTED,
                                       .channel = "ALIMTALK",
                                       .recipient = "+8210****5678",
                                       .recipient_hash = HASH_OF_ACCEPTANCE,
                                       .reference = "order-17",
                                       .at = 1000,
                                       .received_at = 1000,
                                       DEADLINES};
static const struct signal failed = {.kind = SIGNAL_FAILED,
                                     .outcome = "failed",
                                     .code = "63019",
                                     .reason = "not a KakaoTalk user",
                                     .channel = "ALIMTALK",
                                     .at = 1100,
                                     .received_at = 1101,
                                     DEADLINES};
static const struct signal delivered = {.kind = SIGNAL_DELIVERED,
                                        .outcome = "delivered",
                                        .code = "10000",
                                        .channel = "SMS",
                                        .recipient = "010****5678",
                                        .recipient_hash = HASH_OF_RECEIPT,
                                        .at = 1200,
                                        .received_at = 1202,
                                        DEADLINES};
static const struct signal unconfirmed = {.kind = SIGNAL_UNCONFIRMED,
                                          .outcome = "unconfirmed",
                                          .code = "63005",
                                          .reason = "sent, receipt unconfirmed",
                                          .channel = "ALIMTALK",
                                          .at = 1050,
                                          .received_at = 1051,
                                          DEADLINES};

static const struct signal overdue = {.kind = SIGNAL_OVERDUE, .at = 1301, .received_at = 1301, DEADLINES};
static const struct signal expired = {
    .kind = SIGNAL_EXPIRED, .outcome = "expired", .at = 6001, .received_at = 6001, DEADLINES};

// ---- every order of the same signals ----

#define TIMES(t)        .at = t, .received_at = (t) + 1, DEADLINES
#define ACCEPTED(t)     SIGNAL_ACCEPTED, .channel = "ALIMTALK", .reference = "order-17", TIMES(t)
#define REJECTED(c, t)  SIGNAL_REJECTED, .outcome = "rejected", .code = c, .channel = "RCS", TIMES(t)
#define DELIVERED(c, t) SIGNAL_DELIVERED, .outcome = "delivered", .code = c, .channel = "SMS", TIMES(t)
#define FAILED(o, c, t)                                                                                      \
  SIGNAL_FAILED, .outcome = o, .code = c, .reason = "reason of " c, .channel = "LMS", TIMES(t)
#define UNCONFIRMED(c, t) SIGNAL_UNCONFIRMED, .outcome = "unconfirmed", .code = c, .channel = "MMS", TIMES(t)
#define EXPIRED(t)        SIGNAL_EXPIRED, .outcome = "expired", .code = "late", TIMES(t)
enum { LONGEST = 4 };

// Of each kind several, which differ in time or in code, or in both.
static const struct {
  const char *name;
  struct signal signal;
} pool[] = {
    {"accepted 1000", {ACCEPTED(1000), .recipient = "+8210****5678", .recipient_hash = HASH_OF_ACCEPTANCE}},
    {"accepted 1600", {ACCEPTED(1600)}},
    {"rejected B 1000", {REJECTED("B", 1000)}},
    {"rejected A 1150", {REJECTED("A", 1150)}},
    {"delivered 1 1200", {DELIVERED("1", 1200)}},
    {"delivered 2 1100", {DELIVERED("2", 1100)}},
    {"delivered 3 1100",
     {DELIVERED("3", 1100), .recipient = "010****5678", .recipient_hash = HASH_OF_RECEIPT}},
    {"failed D 1100", {FAILED("failed", "D", 1100)}},
    {"failed C 1100", {FAILED("failed", "C", 1100)}},
    {"account_fault C 1100", {FAILED("account_fault", "C", 1100)}},
    {"failed E 1050",
     {FAILED("failed", "E", 1050), .reference = "order-18", .recipient = "010****5678",
      .recipient_hash = HASH_OF_RECEIPT}},
    {"failed without a code 1150", {SIGNAL_FAILED, .outcome = "failed", .channel = "LMS", TIMES(1150)}},
    {"unconfirmed U 1050", {UNCONFIRMED("U", 1050)}},
    {"unconfirmed V 1070", {UNCONFIRMED("V", 1070)}},
    {"unconfirmed T 1070", {UNCONFIRMED("T", 1070)}},
    {"overdue 5100", {SIGNAL_OVERDUE, TIMES(5100)}},
    {"expired 7000", {EXPIRED(7000)}},
    {"expired 6900", {EXPIRED(6900)}},
};

static bool same_text(const char *a, const char *b) {
  return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_times(const struct notification *a, const struct notification *b) {
  return a->accepted_at == b->accepted_at && a->resolved_at == b->resolved_at &&
         a->unconfirmed_at == b->unconfirmed_at && a->due_at == b->due_at && a->expires_at == b->expires_at &&
         a->next_look_at == b->next_look_at && a->first_seen_at == b->first_seen_at;
}

static bool same_row(const struct notification *a, const struct notification *b) {
  return a->status == b->status && same_text(a->outcome, b->outcome) && same_text(a->code, b->code) &&
         same_text(a->reason, b->reason) && same_text(a->channel, b->channel) &&
         same_text(a->recipient, b->recipient) && same_text(a->reference, b->reference) &&
         memcmp(a->recipient_hash, b->recipient_hash, PERSONAL_HASH_SIZE) == 0 && same_times(a, b);
}

// The watch writes `expired` only about a row that has a deadline, and `overdue` where that is not yet the
// last one.
static bool can_be(const size_t *order, size_t n) {
  bool has_deadline = false, is_accepted = false;
  for (size_t i = 0; i < n; i++) {
    enum signal_kind signal = pool[order[i]].signal.kind;
    has_deadline |= signal == SIGNAL_ACCEPTED || signal == SIGNAL_UNCONFIRMED;
    is_accepted |= signal == SIGNAL_ACCEPTED;
    if (signal == SIGNAL_EXPIRED && !has_deadline) return false;
    if (signal == SIGNAL_OVERDUE && !is_accepted) return false;
  }
  return true;
}

// Where failures disagree on the code, contradicted_by depends on the order.
static bool failures_agree(const size_t *order, size_t n) {
  const struct signal *first = NULL;
  for (size_t i = 0; i < n; i++) {
    const struct signal *s = &pool[order[i]].signal;
    if (s->kind != SIGNAL_REJECTED && s->kind != SIGNAL_FAILED) continue;
    if (first && !same_text(first->code, s->code)) return false;
    first = s;
  }
  return true;
}

// Returns whether the last one changed anything.
static bool apply_in_order(struct notification *n, const size_t *order, size_t count) {
  bool changed = false;
  notification_init(n, "bizgo", "key");
  for (size_t i = 0; i < count; i++) ledger_apply(n, &pool[order[i]].signal, &changed);
  return changed;
}

static void fail_in_order(const char *what, const size_t *order, size_t n) {
  char text[256] = "";
  for (size_t i = 0; i < n; i++) {
    strcat(text, i ? ", " : "");
    strcat(text, pool[order[i]].name);
  }
  fail_msg("%s: %s", text, what);
}

static void swap(size_t *a, size_t *b) {
  size_t held = *a;
  *a = *b;
  *b = held;
}

static bool next_order(size_t *order, size_t n) {
  size_t head = n - 1, other = n - 1;
  while (head > 0 && order[head - 1] >= order[head]) head--;
  if (head == 0) return false;
  while (order[other] <= order[head - 1]) other--;
  swap(&order[head - 1], &order[other]);
  for (size_t end = n - 1; head < end; head++, end--) swap(&order[head], &order[end]);
  return true;
}

// Each choice is sorted, and so the first of its orders.
static bool next_choice(size_t *choice, size_t n) {
  size_t at = n;
  while (at > 0 && choice[at - 1] == COUNT_OF(pool) - 1) at--;
  if (at == 0) return false;
  choice[at - 1]++;
  for (size_t i = at; i < n; i++) choice[i] = choice[at - 1];
  return true;
}

static void assert_same_in_every_order(size_t *order, size_t n) {
  struct notification rows[2];
  bool whole = failures_agree(order, n);
  size_t made = 0;
  do {
    if (!can_be(order, n)) continue;
    apply_in_order(&rows[made], order, n);
    if (made++ == 0) continue;
    if (!same_row(&rows[0], &rows[1]) ||
        (whole && !same_text(rows[0].contradicted_by, rows[1].contradicted_by)))
      fail_in_order("not the row of another order", order, n);
    notification_fini(&rows[--made]);
  } while (next_order(order, n));
  if (made) notification_fini(&rows[0]);
}

static void test_every_order_of_the_same_signals_ends_in_the_same_row(void **state) {
  for (size_t n = 1; n <= LONGEST; n++) {
    size_t choice[LONGEST] = {0};
    do {
      size_t order[LONGEST];
      memcpy(order, choice, sizeof order);
      assert_same_in_every_order(order, n);
    } while (next_choice(choice, n));
  }
}

static void assert_changed_is_right(const size_t *order, size_t n) {
  struct notification before, after;
  apply_in_order(&before, order, n - 1);
  bool changed = apply_in_order(&after, order, n);
  bool same = same_row(&before, &after) && same_text(before.contradicted_by, after.contradicted_by);
  if (changed == same) fail_in_order(changed ? "changed nothing" : "changed the row", order, n);
  notification_fini(&before);
  notification_fini(&after);
}

static void test_changed_says_whether_a_field_moved(void **state) {
  for (size_t n = 1; n < LONGEST; n++) {
    size_t order[LONGEST] = {0};
    do {
      size_t next[LONGEST];
      memcpy(next, order, sizeof next);
      do assert_changed_is_right(next, n);
      while (next_order(next, n));
    } while (next_choice(order, n));
  }
}

// ---- stories ----

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

static void apply_two(struct notification *n, const struct signal *a, const struct signal *b) {
  bool changed;
  notification_init(n, "bizgo", "key");
  ledger_apply(n, a, &changed);
  ledger_apply(n, b, &changed);
}

static void test_of_two_numbers_with_the_same_mask_the_acceptance_names_the_recipient(void **state) {
  struct signal receipt = delivered;
  receipt.recipient = accepted.recipient;
  const struct signal *const orders[][2] = {{&accepted, &receipt}, {&receipt, &accepted}};
  for (size_t i = 0; i < COUNT_OF(orders); i++) {
    struct notification n;
    apply_two(&n, orders[i][0], orders[i][1]);
    assert_memory_equal(n.recipient_hash, accepted.recipient_hash, PERSONAL_HASH_SIZE);
    notification_fini(&n);
  }
}

// Each pair in both orders: the row's channel in the end.
static void test_the_channel_is_that_of_the_report_that_decides(void **state) {
  static const struct signal silent = {.kind = SIGNAL_FAILED, .outcome = "failed", .at = 1100, DEADLINES};
  static const struct signal unsure = {.kind = SIGNAL_UNCONFIRMED, .channel = "SMS", .at = 1050, DEADLINES};
  static const struct {
    const struct signal *a, *b;
    const char *channel;
  } cases[] = {{&accepted, &delivered, "SMS"},
               {&failed, &delivered, "SMS"},
               {&accepted, &unsure, "ALIMTALK"},
               {&accepted, &silent, "ALIMTALK"},
               {&silent, &silent, NULL}};
  for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
    const struct signal *a = cases[i / 2].a, *b = cases[i / 2].b;
    struct notification n;
    apply_two(&n, i % 2 ? a : b, i % 2 ? b : a);
    if (!same_text(n.channel, cases[i / 2].channel)) fail_msg("case %zu: %s", i / 2, n.channel);
    notification_fini(&n);
  }
}

static void test_the_watch_looks_at_each_deadline_that_is_to_come(void **state) {
  static const struct signal accepted_later = {SIGNAL_ACCEPTED, TIMES(1600)};
  static const struct signal overdue_later = {SIGNAL_OVERDUE, TIMES(5050)};
  static const struct signal short_lived = {
      .kind = SIGNAL_ACCEPTED, .at = 1000, .receipt_within_ms = 300, .expires_after_ms = 200};
  static const struct {
    const struct signal *signals[3];
    int64_t next_look_at;
  } cases[] = {{{&accepted}, 1300},
               {{&accepted, &overdue}, 6000},
               {{&accepted, &overdue, &overdue}, 6000},
               {{&accepted, &unconfirmed}, 5050},
               {{&accepted, &unconfirmed, &overdue_later}, 6000},
               {{&accepted, &unconfirmed, &overdue}, 5050}, // it has a later deadline by now
               {{&accepted, &overdue, &unconfirmed}, 6000},
               {{&accepted_later, &overdue}, 1900},
               {{&accepted_later, &overdue_later}, 6600},
               {{&accepted_later, &overdue_later, &accepted}, 6000},
               {{&unconfirmed}, 5050},
               {{&unconfirmed, &accepted}, 5050},
               {{&short_lived}, 1200},
               {{&accepted, &delivered}, NO_TIME},
               {{&accepted, &failed}, NO_TIME},
               {{&accepted, &expired}, NO_TIME},
               {{&accepted, &overdue, &delivered}, NO_TIME},
               {{&accepted, &overdue, &expired}, NO_TIME},
               {{&delivered, &accepted}, NO_TIME},
               {{&overdue}, NO_TIME}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct notification n;
    bool changed;
    notification_init(&n, "bizgo", "key");
    for (size_t s = 0; s < COUNT_OF(cases[i].signals) && cases[i].signals[s]; s++)
      ledger_apply(&n, cases[i].signals[s], &changed);
    if (n.next_look_at != cases[i].next_look_at) fail_msg("case %zu: %lld", i, (long long)n.next_look_at);
    notification_fini(&n);
  }
}

static void test_a_row_of_an_older_program_gets_its_next_look_with_the_next_signal(void **state) {
  struct notification n;
  bool changed;
  notification_init(&n, "bizgo", "key");
  ledger_apply(&n, &accepted, &changed);
  n.next_look_at = NO_TIME;
  ledger_apply(&n, &accepted, &changed);
  assert_true(changed);
  assert_int_equal(n.next_look_at, 1300);
  notification_fini(&n);
}

// What the header says does depend on the order.
static void test_beside_the_decision_the_acceptance_that_comes_last_and_the_receipt_that_comes_first_count(
    void **state) {
  struct signal accepted_for_another = accepted, delivered_to_another = delivered;
  accepted_for_another.recipient = delivered_to_another.recipient = "+8210****9999";
  accepted_for_another.reference = delivered_to_another.reference = "order-99";
  struct notification n;
  apply_two(&n, &accepted, &accepted_for_another);
  assert_string_equal(n.recipient, "+8210****9999");
  assert_string_equal(n.reference, "order-99");
  notification_fini(&n);
  apply_two(&n, &delivered, &delivered_to_another);
  assert_string_equal(n.recipient, "010****5678");
  assert_string_equal(n.reference, "order-99"); // the first receipt that names one
  notification_fini(&n);
}

static void test_after_a_delivery_the_last_failure_is_remembered(void **state) {
  struct signal failed_too = failed;
  failed_too.code = "6ME10";
  struct notification n;
  bool changed;
  apply_two(&n, &delivered, &failed);
  assert_string_equal(n.contradicted_by, "63019");
  ledger_apply(&n, &failed_too, &changed);
  assert_string_equal(n.contradicted_by, "6ME10");
  notification_fini(&n);
}

// A deadline is written by what the watch read; the row may have moved since.
static void test_a_deadline_counts_only_while_it_holds_and_only_once(void **state) {
  static const struct signal early = {SIGNAL_OVERDUE, TIMES(1299)};
  static const struct signal expired_early = {SIGNAL_EXPIRED, .outcome = "expired", TIMES(5999)};
  static const struct signal expired_just = {SIGNAL_EXPIRED, .outcome = "expired", TIMES(6000)};
  static const struct {
    const struct signal *signals[3];
    enum status status;
    enum ledger_alert alert; // of the last signal
    bool changed;
  } cases[] = {{{&accepted, &overdue}, P, LEDGER_OVERDUE, true},
               {{&accepted, &early}, P, LEDGER_NO_ALERT, false},
               {{&accepted, &overdue, &overdue}, P, LEDGER_NO_ALERT, false},
               {{&accepted, &unconfirmed, &overdue}, P, LEDGER_NO_ALERT, false},
               {{&accepted, &expired_early}, P, LEDGER_NO_ALERT, false},
               {{&accepted, &expired_just}, D, LEDGER_DEAD_LETTERED, true},
               {{&accepted, &delivered, &overdue}, S, LEDGER_NO_ALERT, false},
               {{&accepted, &delivered, &expired}, S, LEDGER_NO_ALERT, false},
               {{&accepted, &expired, &expired}, D, LEDGER_NO_ALERT, false}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct notification n;
    bool changed = false;
    enum ledger_alert alert = LEDGER_NO_ALERT;
    notification_init(&n, "bizgo", "key");
    for (size_t s = 0; s < COUNT_OF(cases[i].signals) && cases[i].signals[s]; s++)
      alert = ledger_apply(&n, cases[i].signals[s], &changed)->alert;
    if (n.status != cases[i].status || alert != cases[i].alert || changed != cases[i].changed)
      fail_msg("case %zu: status %d, alert %d, changed %d", i, n.status, alert, changed);
    notification_fini(&n);
  }
}

static void test_signals_about_nothing_known_leave_no_row(void **state) {
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
  for (enum status status = STATUS_PENDING; status < STATUS_COUNT; status++)
    assert_int_equal(status_parse(status_name(status)), status);
  assert_int_equal(status_parse("DELIVERED"), STATUS_NONE);
  assert_int_equal(status_parse(NULL), STATUS_NONE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_cell_of_the_status_table),
      cmocka_unit_test(test_there_is_no_cell_beyond_the_status_table),
      cmocka_unit_test(test_every_order_of_the_same_signals_ends_in_the_same_row),
      cmocka_unit_test(test_changed_says_whether_a_field_moved),
      cmocka_unit_test(test_failed_alimtalk_then_delivered_sms_is_sent_and_remembers_the_failure),
      cmocka_unit_test(test_unconfirmed_stays_pending_with_a_later_deadline),
      cmocka_unit_test(test_a_failure_after_expiry_fills_in_the_reason_without_a_second_alert),
      cmocka_unit_test(test_a_repeat_changes_nothing),
      cmocka_unit_test(test_of_two_numbers_with_the_same_mask_the_acceptance_names_the_recipient),
      cmocka_unit_test(test_the_channel_is_that_of_the_report_that_decides),
      cmocka_unit_test(test_the_watch_looks_at_each_deadline_that_is_to_come),
      cmocka_unit_test(test_a_row_of_an_older_program_gets_its_next_look_with_the_next_signal),
      cmocka_unit_test(
          test_beside_the_decision_the_acceptance_that_comes_last_and_the_receipt_that_comes_first_count),
      cmocka_unit_test(test_after_a_delivery_the_last_failure_is_remembered),
      cmocka_unit_test(test_a_deadline_counts_only_while_it_holds_and_only_once),
      cmocka_unit_test(test_signals_about_nothing_known_leave_no_row),
      cmocka_unit_test(test_status_names_are_the_seeds_three),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
