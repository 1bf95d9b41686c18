// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "processor/rules/silent.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MINUTE = 60 * 1000, WINDOW = 10 * MINUTE };
static const int64_t NOW = INT64_C(29000000) * MINUTE;

// Times are given as ages in ms.
#define NONE     (-1)
#define HOURS(n) ((n)*60 * MINUTE)

static const struct {
  const char *name;
  int64_t last_receipt, first_unreported, due;
  double usual_late;
  int64_t live_minutes;
  int64_t opened; // so long ago; NONE: not open
  enum verdict verdict;
} cases[] = {
    // ---- opening
    {"the window and five due", WINDOW, WINDOW - 4000, 5, 0, 0, NONE, VERDICT_OPEN},
    {"a second too early", WINDOW - 1000, WINDOW - 4000, 80, 0, 0, NONE, VERDICT_NOTHING},
    {"four due", HOURS(9), HOURS(1), 4, 0, 0, NONE, VERDICT_NOTHING},
    {"none sent since", HOURS(9), NONE, 0, 0, 0, NONE, VERDICT_NOTHING},
    {"never a receipt: a webhook that was not registered", NONE, HOURS(1), 5, 0, 0, NONE, VERDICT_OPEN},
    {"never a message", NONE, NONE, 0, 0, 0, NONE, VERDICT_NOTHING},
    {"the first messages of the morning wait for less than ten minutes", HOURS(10), WINDOW - 6001, 50, 0, 0,
     NONE, VERDICT_NOTHING},
    {"for ten", HOURS(10), WINDOW - 6000, 50, 0, 0, NONE, VERDICT_OPEN},
    {"where a tenth is late, six in a row are once in a million", HOURS(1), HOURS(1), 5, 0.1, 0, NONE,
     VERDICT_NOTHING},
    {"and so it is", HOURS(1), HOURS(1), 6, 0.1, 0, NONE, VERDICT_OPEN},
    {"where a third is late", HOURS(1), HOURS(1), 12, 0.33, 0, NONE, VERDICT_NOTHING},
    {"and more", HOURS(1), HOURS(1), 13, 0.33, 0, NONE, VERDICT_OPEN},
    {"where all are late, as where nine tenths are", HOURS(1), HOURS(1), 131, 1, 0, NONE, VERDICT_NOTHING},
    {"but there is an end", HOURS(1), HOURS(1), 132, 1, 0, NONE, VERDICT_OPEN},
    {"where one in a hundred is late", HOURS(1), HOURS(1), 5, 0.01, 0, NONE, VERDICT_OPEN},
    {"where nothing is known", HOURS(1), HOURS(1), 5, -1, 0, NONE, VERDICT_OPEN},
    {"live minutes before are of no interest", WINDOW, WINDOW, 5, 0, 9, NONE, VERDICT_OPEN},
    // ---- closing
    {"still nothing", HOURS(3), HOURS(3), 900, 0, 0, HOURS(2), VERDICT_NOTHING},
    {"one receipt, just now", 1, NONE, 0, 0, 1, HOURS(2), VERDICT_NOTHING},
    {"receipts in two minutes", 1, NONE, 0, 0, 2, HOURS(2), VERDICT_NOTHING},
    {"receipts in three minutes", 1, NONE, 0, 0, 3, HOURS(2), VERDICT_CLOSE},
    {"a stray one, and then nothing", HOURS(1), HOURS(1), 9, 0, 0, HOURS(2), VERDICT_NOTHING},
    {"a stray one, and one is due since", HOURS(1), HOURS(1), 1, 0, 0, HOURS(2), VERDICT_NOTHING},
    {"all that was missing in one minute, and nothing is due since", WINDOW, NONE, 0, 0, 1, HOURS(2),
     VERDICT_CLOSE},
    {"for less than a window", WINDOW - 1, NONE, 0, 0, 1, HOURS(2), VERDICT_NOTHING},
    {"no receipt since the opening, nothing due either", HOURS(2), NONE, 0, 0, 0, HOURS(2), VERDICT_NOTHING},
    {"one right after it", HOURS(2) - 1, NONE, 0, 0, 0, HOURS(2), VERDICT_CLOSE},
};

static int64_t time_of(int64_t age) {
  return age == NONE ? 0 : NOW - age;
}

static void test_a_provider_is_silent_when_results_are_due_and_no_receipt_comes(void **state) {
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct silent_seen seen = {.now_ms = NOW,
                               .last_receipt_ms = time_of(cases[i].last_receipt),
                               .first_unreported_ms = time_of(cases[i].first_unreported),
                               .due = cases[i].due,
                               .usual_late = cases[i].usual_late,
                               .live_minutes = cases[i].live_minutes};
    struct silent_found found;
    int64_t opened = cases[i].opened == NONE ? NOT_OPEN : NOW - cases[i].opened;
    if (silent_judge(&seen, WINDOW, opened, &found) != cases[i].verdict) fail_msg("%s", cases[i].name);
    assert_true(found.due == cases[i].due);
    bool never = cases[i].last_receipt == NONE;
    assert_true(found.since_ms == (never ? seen.first_unreported_ms : seen.last_receipt_ms));
  }
}

static const struct {
  const char *name;
  int64_t last_receipt, blind_until, first_unreported, due;
  int64_t opened;
  enum verdict verdict;
} blind[] = {
    {"what ingress did not see is not missed", HOURS(1), WINDOW - 1000, WINDOW - 1000, 80, NONE,
     VERDICT_NOTHING},
    {"but the window after it", HOURS(1), WINDOW, WINDOW, 5, NONE, VERDICT_OPEN},
    {"it saw a receipt since", WINDOW, HOURS(1), WINDOW, 5, NONE, VERDICT_OPEN},
    {"it never saw one", NONE, WINDOW - 1000, WINDOW - 1000, 80, NONE, VERDICT_NOTHING},
    {"an absence is no receipt", HOURS(3), WINDOW, NONE, 0, HOURS(2), VERDICT_NOTHING},
    {"nor makes one older", WINDOW, WINDOW - 1000, NONE, 0, HOURS(2), VERDICT_CLOSE},
};

static void test_a_time_that_ingress_did_not_see_is_neither_silence_nor_a_receipt(void **state) {
  for (size_t i = 0; i < COUNT_OF(blind); i++) {
    struct silent_seen seen = {.now_ms = NOW,
                               .last_receipt_ms = time_of(blind[i].last_receipt),
                               .blind_until_ms = time_of(blind[i].blind_until),
                               .first_unreported_ms = time_of(blind[i].first_unreported),
                               .due = blind[i].due};
    struct silent_found found;
    int64_t opened = blind[i].opened == NONE ? NOT_OPEN : NOW - blind[i].opened;
    if (silent_judge(&seen, WINDOW, opened, &found) != blind[i].verdict) fail_msg("%s", blind[i].name);
    bool never = blind[i].last_receipt == NONE; // the alert says since when there was none
    assert_true(found.since_ms == (never ? seen.first_unreported_ms : seen.last_receipt_ms));
  }
}

static void test_a_window_of_seconds_works_as_one_of_minutes(void **state) {
  struct silent_seen seen = {
      .now_ms = NOW, .last_receipt_ms = NOW - 5000, .first_unreported_ms = NOW - 4960, .due = 5};
  struct silent_found found;
  assert_int_equal(silent_judge(&seen, 5000, NOT_OPEN, &found), VERDICT_OPEN);
  assert_int_equal(silent_judge(&seen, 5001, NOT_OPEN, &found), VERDICT_NOTHING);
  assert_int_equal(silent_judge(&seen, WINDOW, NOT_OPEN, &found), VERDICT_NOTHING);
}

static void test_live_minutes_are_counted_over_a_window(void **state) {
  assert_true(silent_live_window(WINDOW) == 10);
  assert_true(silent_live_window(4 * MINUTE) == 4);
  assert_true(silent_live_window(5000) == 3);
}

// Five messages with no receipt: when each was accepted. What is overdue waits until `silent` has opened, and
// not for long where it cannot open.
static void test_silent_has_opened_while_overdue_messages_wait(void **state) {
  static const struct {
    int64_t accepted[5], silent_after, receipt_within;
  } rows[] = {
      {{0, 3600, 7200, 10800, 14400}, WINDOW, 5 * MINUTE},               // a busy provider
      {{1, 1, 2, 2, 3}, WINDOW, 5 * MINUTE},                             // a campaign after a quiet hour
      {{1, HOURS(9), HOURS(9), HOURS(9), HOURS(9)}, WINDOW, 5 * MINUTE}, // a stray one, and the next morning
      {{0, 10 * MINUTE, 20 * MINUTE, 30 * MINUTE, 40 * MINUTE}, WINDOW, 5 * MINUTE}, // few messages
      {{0, 1, 2, 3, MINUTE - 1}, WINDOW, 60 * MINUTE}, // a provider that may take an hour
      {{0, 500, 1000, 1500, MINUTE - 1}, 20000, 5000},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    const int64_t *accepted = rows[i].accepted, receipt_within = rows[i].receipt_within;
    int64_t by =
        silent_opens_by(NOW - 1, NOW + accepted[0], NOW + accepted[4], rows[i].silent_after, receipt_within);
    struct silent_seen seen = {.now_ms = by - MINUTE / 2, // the other half is for the way to Kafka and back
                               .last_receipt_ms = NOW - 1,
                               .first_unreported_ms = NOW + accepted[0]};
    for (size_t k = 0; k < 5; k++) // by whole minutes, as the counters are
      seen.due += ((NOW + accepted[k]) / MINUTE + 1) * MINUTE + receipt_within <= seen.now_ms;
    struct silent_found found;
    if (silent_judge(&seen, rows[i].silent_after, NOT_OPEN, &found) != VERDICT_OPEN) fail_msg("row %zu", i);
    int64_t longest = rows[i].silent_after > receipt_within ? rows[i].silent_after : receipt_within;
    assert_true(by - (NOW + accepted[4]) <= longest + 2 * MINUTE);
  }
}

// Five messages a minute, a stray receipt after the opening, and nothing is accepted after it.
static void test_an_incident_does_not_close_that_would_open_again(void **state) {
  struct silent_found found;
  struct silent_seen seen = {.now_ms = NOW,
                             .last_receipt_ms = NOW - WINDOW,
                             .live_minutes = 1,
                             .due_before = 25,
                             .missing_before = 25};
  assert_int_equal(silent_judge(&seen, WINDOW, NOW - HOURS(2), &found), VERDICT_NOTHING);
  seen.missing_before = 9; // not more than by chance
  assert_int_equal(silent_judge(&seen, WINDOW, NOW - HOURS(2), &found), VERDICT_CLOSE);
  seen.missing_before = 25;
  seen.live_minutes = 3;
  assert_int_equal(silent_judge(&seen, WINDOW, NOW - HOURS(2), &found), VERDICT_CLOSE);
}

static const struct {
  const char *name;
  int64_t last_receipt, blind_until, first_unreported, due; // ages, as above; due: of those accepted after it
  int64_t due_before, missing_before;
  double usual_late;
  enum verdict verdict;
  int64_t found;
} broken[] = {
    {"ten of a campaign are reported", WINDOW, NONE, NONE, 0, 10000, 9990, 0, VERDICT_OPEN, 9990},
    {"a second too early", WINDOW - 1000, NONE, NONE, 0, 10000, 9990, 0, VERDICT_NOTHING, 9990},
    {"ingress was away after it", HOURS(1), WINDOW - 1000, NONE, 0, 10000, 9990, 0, VERDICT_NOTHING, 9990},
    {"a third of the handsets is switched off", WINDOW, NONE, NONE, 0, 10000, 3500, 0, VERDICT_NOTHING, 3500},
    {"a half, and a few more by chance", WINDOW, NONE, NONE, 0, 10000, 5200, 0, VERDICT_NOTHING, 5200},
    {"more than by chance", WINDOW, NONE, NONE, 0, 10000, 5201, 0, VERDICT_OPEN, 5201},
    {"a fifth is late on any day", WINDOW, NONE, NONE, 0, 10000, 6100, 0.2, VERDICT_NOTHING, 6100},
    {"and most of these", WINDOW, NONE, NONE, 0, 10000, 6200, 0.2, VERDICT_OPEN, 6200},
    {"half are late on any day", WINDOW, NONE, NONE, 0, 10000, 9100, 0.5, VERDICT_NOTHING, 9100},
    {"and nearly all of these", WINDOW, NONE, NONE, 0, 10000, 9200, 0.5, VERDICT_OPEN, 9200},
    {"nothing is known of other days", WINDOW, NONE, NONE, 0, 100, 71, -1, VERDICT_OPEN, 71},
    {"a few messages", WINDOW, NONE, NONE, 0, 19, 19, 0, VERDICT_NOTHING, 19},
    {"twenty", WINDOW, NONE, NONE, 0, 20, 19, 0, VERDICT_OPEN, 19},
    {"those accepted since are told, too", WINDOW, NONE, WINDOW - 1000, 3, 100, 90, 0, VERDICT_OPEN, 93},
    {"one of a hundred before, and five since", WINDOW, NONE, WINDOW, 5, 100, 1, 0, VERDICT_OPEN, 6},
};

static void test_a_campaign_that_breaks_off_is_silence(void **state) {
  for (size_t i = 0; i < COUNT_OF(broken); i++) {
    struct silent_seen seen = {.now_ms = NOW,
                               .last_receipt_ms = time_of(broken[i].last_receipt),
                               .blind_until_ms = time_of(broken[i].blind_until),
                               .first_unreported_ms = time_of(broken[i].first_unreported),
                               .due = broken[i].due,
                               .due_before = broken[i].due_before,
                               .missing_before = broken[i].missing_before,
                               .usual_late = broken[i].usual_late};
    struct silent_found found;
    if (silent_judge(&seen, WINDOW, NOT_OPEN, &found) != broken[i].verdict) fail_msg("%s", broken[i].name);
    if (found.due != broken[i].found) fail_msg("%s: %lld", broken[i].name, (long long)found.due);
    assert_true(found.since_ms == seen.last_receipt_ms);
  }
}

static void test_so_many_are_enough(void **state) {
  assert_true(silent_due_enough(-1) == 5);
  assert_true(silent_due_enough(0) == 5);
  assert_true(silent_due_enough(0.33) == 13);
}

// A message each minute, and ingress is away from the fifth minute to the eighth.
static void test_overdue_messages_wait_longer_where_ingress_was_away(void **state) {
  enum { BACK = 8, WITHIN = 5 * MINUTE };
  int64_t back = NOW + BACK * MINUTE, by = silent_opens_by(back, NOW, NOW + 4 * MINUTE, WINDOW, WITHIN);
  struct silent_seen seen = {.now_ms = by - MINUTE / 2,
                             .last_receipt_ms = NOW - 1,
                             .blind_until_ms = back,
                             .first_unreported_ms = back};
  for (int64_t minute = BACK; (minute + 1) * MINUTE + WITHIN <= seen.now_ms - NOW; minute++) seen.due++;
  struct silent_found found;
  assert_int_equal(silent_judge(&seen, WINDOW, NOT_OPEN, &found), VERDICT_OPEN);
  assert_true(by == back + WINDOW + 2 * MINUTE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_provider_is_silent_when_results_are_due_and_no_receipt_comes),
      cmocka_unit_test(test_a_time_that_ingress_did_not_see_is_neither_silence_nor_a_receipt),
      cmocka_unit_test(test_a_window_of_seconds_works_as_one_of_minutes),
      cmocka_unit_test(test_a_campaign_that_breaks_off_is_silence),
      cmocka_unit_test(test_an_incident_does_not_close_that_would_open_again),
      cmocka_unit_test(test_live_minutes_are_counted_over_a_window),
      cmocka_unit_test(test_overdue_messages_wait_longer_where_ingress_was_away),
      cmocka_unit_test(test_silent_has_opened_while_overdue_messages_wait),
      cmocka_unit_test(test_so_many_are_enough),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
