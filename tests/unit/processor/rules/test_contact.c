// SPDX-License-Identifier: MIT
// The join: every order, with repeats, ends in the same row.
#include "common/base/mem.h"
#include "processor/rules/contact.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 4 }; // elements of a story

// ---- elements, and rows as text

static struct contact_said make(bool is_delete, int version, int64_t at, const char *provider_id,
                                const char *phone, const char *consents) {
  struct contact_said said = {.received_at = at,
                              .id = mem_strdup("m"),
                              .is_delete = is_delete,
                              .mark = {.has_version = version > 0,
                                       .version = version > 0 ? version : 0,
                                       .at = at,
                                       .asked_at = NO_TIME,
                                       .provider_id = mem_strdup_or_null(provider_id)}};
  if (is_delete) return said;
  said.details.phone = mem_strdup_or_null(phone);
  if (phone) memcpy(said.details.phone_hash, phone, strlen(phone));
  said.details.consents = json_loads(consents, 0, NULL);
  assert_non_null(said.details.consents);
  return said;
}

static struct contact_said upsert(int version, int64_t at, const char *phone) {
  return make(false, version, at, "p", phone, "{\"email\":true}");
}

static struct contact_said deletion(int version, int64_t at) {
  return make(true, version, at, "p", NULL, NULL);
}

static void finish(struct contact_said *list, size_t n) {
  for (size_t i = 0; i < n; i++) contact_said_fini(&list[i]);
}

static char *json_or(const json_t *value, const char *none) {
  return value ? json_dumps(value, JSON_SORT_KEYS) : mem_strdup(none);
}

static char *shown(const struct contact_row *row) {
  AUTO_FREE char *consents = json_or(row->details.consents, "{}");
  AUTO_FREE char *others = json_or(row->other_ids, "[]");
  const char *own = contact_provider_id(row);
  return mem_printf(
      "%s phone %s consents %s upsert %d %lld %lld asked %lld deletion %d %lld %lld gone %lld %lld id %s %s",
      row->is_deleted ? "deleted" : "known", row->details.phone ? row->details.phone : "-", consents,
      row->upsert.has_version, (long long)row->upsert.version, (long long)row->upsert.at,
      (long long)row->upsert.asked_at, row->deletion.has_version, (long long)row->deletion.version,
      (long long)row->deletion.at, (long long)row->gone_at, (long long)row->gone_learned_at, own ? own : "-",
      others);
}

// ---- every order

struct story {
  struct contact_said said[N];
  const char *ends; // what the row begins with, as text
};

// Joined one after the other; those whose bit is set in `apart` into another row, which is merged at the end.
static char *live(const struct story *story, const size_t *order, size_t n, unsigned apart) {
  struct contact_row row, other;
  contact_row_init(&row, "channeltalk", "m");
  contact_row_init(&other, "channeltalk", "p");
  for (size_t i = 0; i < n; i++) contact_join(apart & 1u << i ? &other : &row, &story->said[order[i]]);
  if (apart) contact_merge(&row, &other);
  char *text = shown(&row);
  contact_row_fini(&row);
  contact_row_fini(&other);
  return text;
}

static bool has_all(const size_t *order, size_t n) {
  unsigned seen = 0;
  for (size_t i = 0; i < n; i++) seen |= 1u << order[i];
  return seen == (1u << N) - 1;
}

static void compare(const char *first, const char *text, const size_t *order, size_t n) {
  if (strcmp(first, text) == 0) return;
  char places[2 * 8 + 1] = "";
  for (size_t i = 0; i < n; i++) snprintf(places + 2 * i, 3, " %zu", order[i]);
  fail_msg("order%s\n%s, first\n%s", places, text, first);
}

// All sequences of n elements that contain each of the story.
static void test_orders(const struct story *story, size_t n) {
  static const size_t in_order[N] = {0, 1, 2, 3};
  AUTO_FREE char *first = live(story, in_order, N, 0);
  if (strncmp(first, story->ends, strlen(story->ends)) != 0)
    fail_msg("expected %s, got %s", story->ends, first);
  size_t sequences = 1, order[8];
  for (size_t i = 0; i < n; i++) sequences *= N;
  for (size_t sequence = 0; sequence < sequences; sequence++) {
    for (size_t i = 0, rest = sequence; i < n; i++, rest /= N) order[i] = rest % N;
    if (!has_all(order, n)) continue;
    AUTO_FREE char *text = live(story, order, n, 0);
    compare(first, text, order, n);
    AUTO_FREE char *merged = live(story, order, n, (unsigned)(sequence % (1u << n)));
    compare(first, merged, order, n);
  }
}

// The delete at each place among three upserts; with a version each that `versions` has a bit for, and a
// provider's id each that `named` has one for.
static struct story story_of(size_t deleted, unsigned versions, unsigned named) {
  static const char *const phones[N] = {"one", "two", "three", "four"};
  static const char *const ends[N] = {"known phone one ", "known phone two ", "known phone three ",
                                      "known phone four "};
  struct story story = {.ends = deleted == N - 1 ? "deleted phone - consents {} " : ends[N - 1]};
  for (size_t i = 0; i < N; i++)
    story.said[i] = make(i == deleted, versions & 1u << i ? (int)i + 1 : 0, 100 * (int64_t)i,
                         named & 1u << i ? "p" : NULL, phones[i], "{\"email\":true}");
  return story;
}

static void test_every_order_ends_in_the_same_row(void **state) {
  for (size_t deleted = 0; deleted < N; deleted++)
    for (unsigned versions = 0; versions < 1u << N; versions++) {
      struct story story = story_of(deleted, versions, (1u << N) - 1);
      test_orders(&story, N + 2);
      finish(story.said, N);
    }
}

static void test_every_order_ends_in_the_same_row_whoever_names_the_provider_s_id(void **state) {
  for (size_t deleted = 0; deleted < N; deleted++)
    for (unsigned versions = 0; versions < 1u << N; versions++)
      for (unsigned named = 0; named < 1u << N; named++) {
        struct story story = story_of(deleted, versions, named);
        test_orders(&story, N);
        finish(story.said, N);
      }
}

static void test_versions_decide_where_times_say_otherwise(void **state) {
  struct story story = {
      .said = {upsert(1, 900, "one"), upsert(2, 800, "two"), deletion(3, 700), upsert(4, 600, "four")},
      .ends = "known phone four "};
  test_orders(&story, N + 2);
  finish(story.said, N);
  story = (struct story){
      .said = {upsert(1, 900, "one"), upsert(2, 800, "two"), upsert(3, 700, "three"), deletion(4, 600)},
      .ends = "deleted phone - "};
  test_orders(&story, N + 2);
  finish(story.said, N);
}

static void test_versions_decide_where_no_time_is_known(void **state) {
  // Then the time of receipt stands in: a repeat that comes late is no newer.
  struct story story = {
      .said = {upsert(2, 100, "two"), deletion(3, 200), upsert(4, 300, "four"), upsert(1, 400, "one")},
      .ends = "known phone four "};
  test_orders(&story, N + 2);
  finish(story.said, N);
}

static void test_an_equal_version_or_time_is_deleted(void **state) {
  struct story story = {
      .said = {upsert(1, 100, "one"), upsert(2, 200, "two"), upsert(3, 300, "three"), deletion(3, 100)},
      .ends = "deleted "};
  test_orders(&story, N + 2);
  finish(story.said, N);
  story = (struct story){
      .said = {upsert(0, 100, "one"), upsert(0, 200, "two"), upsert(0, 300, "three"), deletion(0, 300)},
      .ends = "deleted "};
  test_orders(&story, N + 2);
  finish(story.said, N);
}

static void test_a_deletion_without_a_version_is_not_forgotten(void **state) {
  // Deleted, came back, and gone again as reconcile found: the answer 404 has no version.
  struct story story = {
      .said = {upsert(1, 100, "one"), deletion(2, 200), upsert(3, 300, "three"), deletion(0, 400)},
      .ends = "deleted "};
  test_orders(&story, N + 2);
  finish(story.said, N);
}

static struct contact_said asked(int version, int64_t at, int64_t asked_at) {
  struct contact_said said = upsert(version, at, "two");
  said.mark.asked_at = asked_at;
  return said;
}

static void test_an_answer_that_knows_the_contact_outweighs_an_earlier_one_that_does_not(void **state) {
  struct story story = {
      .said = {upsert(1, 100, "one"), upsert(2, 200, "two"), deletion(0, 900), asked(2, 200, 950)},
      .ends = "known phone two "};
  test_orders(&story, N + 2);
  finish(story.said, N);
  story = (struct story){
      .said = {upsert(1, 100, "one"), upsert(2, 200, "two"), asked(2, 200, 850), deletion(0, 900)},
      .ends = "deleted phone - "};
  test_orders(&story, N + 2);
  finish(story.said, N);
  story = (struct story){
      .said = {upsert(1, 100, "one"), upsert(2, 200, "two"), deletion(3, 300), asked(2, 200, 950)},
      .ends = "deleted phone - "}; // it has a version, so the answer is an old one
  test_orders(&story, N + 2);
  finish(story.said, N);
}

static void test_a_deletion_that_is_learned_after_the_answer_counts_whatever_its_time(void **state) {
  // Its time may be that of the last change.
  struct story story = {
      .said = {upsert(0, 100, "one"), upsert(0, 200, "two"), asked(0, 200, 500), deletion(0, 200)},
      .ends = "deleted phone - "};
  story.said[3].received_at = 600;
  test_orders(&story, N + 2);
  story.said[3].received_at = 400;
  story.ends = "known phone two ";
  test_orders(&story, N + 2);
  finish(story.said, N);
}

static void test_who_comes_back_as_another_object_is_known(void **state) {
  // The versions of the new object begin anew.
  struct story story = {
      .said = {make(false, 56, 100, "p1", "old", "{}"), make(true, 57, 200, "p1", NULL, NULL),
               make(false, 1, 300, "p2", "new", "{}"), make(false, 2, 400, "p2", "newer", "{}")},
      .ends = "known phone newer "};
  test_orders(&story, N + 2);
  finish(story.said, N);
}

// ---- several objects, and answers

// What became of a member, moment after moment: it is one object of the provider, the other one, or deleted.
enum moment { FIRST_OBJECT, SECOND_OBJECT, DELETED, MOMENTS };
// How the provider said so: by a webhook; when it was asked 50 ms later; as an answer 404.
enum way { BY_WEBHOOK, BY_ANSWER, BY_404, WAYS };

// Each object has its own versions; a deletion is of the last one.
static struct story life(const enum moment moments[N], const enum way ways[N], char ends[64]) {
  static const char *const objects[] = {"p1", "p2"}, *const phones[] = {"one", "two", "three", "four"};
  int versions[2] = {0};
  size_t object = 0;
  struct story story = {.ends = ends};
  for (size_t i = 0; i < N; i++) {
    bool is_deleted = moments[i] == DELETED;
    if (!is_deleted) object = moments[i] == SECOND_OBJECT;
    bool is_404 = is_deleted && ways[i] == BY_404;
    int64_t at = 100 * ((int64_t)i + 1);
    versions[object]++;
    story.said[i] = make(is_deleted, is_404 ? 0 : versions[object], is_404 ? at + 50 : at,
                         is_404 ? NULL : objects[object], phones[i], "{\"email\":true}");
    if (ways[i] != BY_WEBHOOK) story.said[i].mark.asked_at = at + 50;
    snprintf(ends, 64, is_deleted ? "deleted phone - " : "known phone %s ", phones[i]);
  }
  return story;
}

static void test_every_order_ends_as_the_provider_has_it(void **state) {
  enum { LIVES = MOMENTS * MOMENTS * MOMENTS * MOMENTS, ALL_WAYS = WAYS * WAYS * WAYS * WAYS };
  for (int which = 0; which < LIVES * ALL_WAYS; which++) {
    enum moment moments[N];
    enum way ways[N];
    char ends[64];
    int rest = which;
    for (size_t i = 0; i < N; i++, rest /= MOMENTS) moments[i] = (enum moment)(rest % MOMENTS);
    bool is_twice = false; // only a deletion is said by an answer 404
    for (size_t i = 0; i < N; i++, rest /= WAYS) {
      ways[i] = (enum way)(rest % WAYS);
      is_twice |= ways[i] == BY_404 && moments[i] != DELETED;
    }
    if (is_twice) continue;
    struct story story = life(moments, ways, ends);
    test_orders(&story, N);
    finish(story.said, N);
  }
}

// A row that knows object "p" in version 5 as of 100, and how it was deleted since: all before 300, when the
// answer was asked for.
enum deleted { NOT_DELETED, BY_DELETION, AS_GONE, AS_MERGED, DELETIONS };

static size_t tell_row(enum deleted deleted, struct contact_said said[N]) {
  said[0] = upsert(5, 100, "one");
  if (deleted == NOT_DELETED) return 1;
  said[1] = make(true, deleted == AS_GONE ? 0 : 6, deleted == AS_MERGED ? 150 : 200,
                 deleted == AS_GONE ? NULL : "p", NULL, NULL);
  if (deleted != BY_DELETION) said[1].mark.asked_at = 200;
  return 2;
}

// What the answer decides. Its object is the row's or another one, of any version, and was changed before the
// row's or after it.
static const char *end_of(enum deleted deleted, bool is_other, int version, bool is_merged) {
  int known = deleted == BY_DELETION || deleted == AS_MERGED ? 6 : 5;
  if (is_merged) return "deleted phone - ";
  if (is_other || version >= known) return "known phone two ";
  return deleted == NOT_DELETED ? "known phone one " : "deleted phone - "; // an outdated copy
}

static void check_answer(enum deleted deleted, bool is_other, int version, int64_t at, bool is_merged) {
  struct contact_said said[N];
  struct contact_row row;
  size_t n = tell_row(deleted, said);
  struct contact_said *answer = &said[n];
  *answer = make(is_merged, version, at, is_other ? "other" : "p", "two", "{}");
  answer->mark.asked_at = 300;
  const char *end = end_of(deleted, is_other, version, is_merged);
  contact_row_init(&row, "channeltalk", "m");
  for (size_t i = 0; i <= n; i++) contact_join(&row, &said[i]);
  AUTO_FREE char *text = shown(&row);
  bool is_outdated = !is_merged && strncmp(end, "known phone two", 15) != 0;
  if (strncmp(text, end, strlen(end)) != 0 || (!is_outdated && contact_differs(&row, answer)) ||
      contact_join(&row, answer) != CONTACT_SAME)
    fail_msg("deletion %d, %s object, version %d at %lld, %d: expected %s, got %s", (int)deleted,
             is_other ? "other" : "same", version, (long long)at, is_merged, end, text);
  contact_row_fini(&row);
  struct story story = {.ends = end};
  for (size_t i = 0; i < N; i++) story.said[i] = said[i <= n ? i : n];
  test_orders(&story, N);
  finish(said, n + 1);
}

static void test_an_answer_decides_whatever_object_it_is_about(void **state) {
  static const int64_t times[] = {90, 100, 250};
  for (enum deleted deleted = 0; deleted < DELETIONS; deleted++)
    for (int version = 4; version <= 7; version++)
      for (size_t i = 0; i < COUNT_OF(times); i++)
        for (unsigned which = 0; which < 4; which++)
          check_answer(deleted, which & 1, version, times[i], which & 2);
}

static void test_what_changed_after_the_answer_wins_over_it(void **state) {
  struct story story = {.said = {make(false, 5, 100, "p1", "one", "{}"),
                                 make(false, 1, 90, "p2", "two", "{}"), make(true, 6, 200, "p1", NULL, NULL),
                                 make(false, 1, 310, "p3", "three", "{}")},
                        .ends = "known phone three "};
  story.said[1].mark.asked_at = 300;
  test_orders(&story, N + 2);
  finish(story.said, N);
}

static void test_a_deleted_row_comes_back_only_with_details(void **state) {
  // Times and versions contradict each other: by its version the first deletion is newer than the upsert, by
  // its time the second one, which is of another object, is older.
  struct contact_said said[] = {make(false, 3, 500, "p1", "one", "{}"), make(true, 4, 300, "p1", NULL, NULL),
                                make(true, 9, 400, "p2", NULL, NULL)};
  struct contact_row row;
  contact_row_init(&row, "channeltalk", "m");
  for (size_t i = 0; i < COUNT_OF(said); i++) contact_join(&row, &said[i]);
  assert_true(row.is_deleted || row.details.phone);
  contact_row_fini(&row);
  finish(said, COUNT_OF(said));
}

static void test_all_objects_that_a_contact_was_are_known(void **state) {
  struct contact_said said[] = {make(false, 1, 300, "p3", "three", "{}"),
                                make(false, 1, 100, "p1", "one", "{}"), make(true, 0, 200, "p2", NULL, NULL),
                                make(false, 2, 400, "p1", "one", "{}")};
  struct contact_row row;
  contact_row_init(&row, "channeltalk", "m");
  static const enum contact_change changes[] = {CONTACT_CHANGED, CONTACT_MARKED, CONTACT_MARKED,
                                                CONTACT_CHANGED};
  for (size_t i = 0; i < COUNT_OF(said); i++) assert_int_equal(contact_join(&row, &said[i]), changes[i]);
  assert_string_equal(contact_provider_id(&row), "p1");
  AUTO_FREE char *others = json_or(row.other_ids, "[]");
  assert_string_equal(others, "[\"p2\", \"p3\"]");
  assert_true(contact_is_object(&row, "p1") && contact_is_object(&row, "p2") &&
              contact_is_object(&row, "p3"));
  assert_false(contact_is_object(&row, "p"));
  contact_row_fini(&row);
  finish(said, COUNT_OF(said));
}

static void test_of_one_moment_what_says_more_wins_and_a_withdrawal_stays(void **state) {
  struct story story = {.said = {make(false, 7, 100, "p", NULL, "{\"email\":true,\"texting\":false}"),
                                 make(false, 7, 100, "p", "one", "{\"email\":true}"),
                                 make(false, 7, 100, "p", "one", "{\"email\":true,\"texting\":true}"),
                                 make(false, 7, 100, "p", "one", "{\"email\":true,\"texting\":false}")},
                        .ends = "known phone one consents {\"email\": true, \"texting\": false} "};
  test_orders(&story, N + 2);
  finish(story.said, N);
}

// ---- what changes

static void test_each_join_says_what_it_did(void **state) {
  struct contact_said said[] = {upsert(2, 200, "two"), upsert(2, 200, "two"),  upsert(1, 100, "one"),
                                upsert(3, 300, "two"), upsert(4, 400, "four"), deletion(5, 500),
                                deletion(6, 600),      upsert(4, 450, "four"), upsert(7, 700, "four")};
  static const enum contact_change changes[] = {CONTACT_CHANGED, CONTACT_SAME,    CONTACT_SAME,
                                                CONTACT_MARKED,  CONTACT_CHANGED, CONTACT_DELETED,
                                                CONTACT_MARKED,  CONTACT_MARKED,  CONTACT_CHANGED};
  struct contact_row row;
  contact_row_init(&row, "channeltalk", "m");
  for (size_t i = 0; i < COUNT_OF(said); i++)
    if (contact_join(&row, &said[i]) != changes[i]) fail_msg("%zu", i);
  contact_row_fini(&row);
  finish(said, COUNT_OF(said));
}

static void test_a_contact_with_nothing_to_say_is_known_all_the_same(void **state) {
  struct contact_said said = make(false, 1, 100, "p", NULL, "{}");
  struct contact_row row;
  contact_row_init(&row, "channeltalk", "m");
  assert_int_equal(contact_join(&row, &said), CONTACT_CHANGED);
  assert_false(row.is_deleted);
  contact_row_fini(&row);
  contact_said_fini(&said);
}

static void test_newer_details_are_not_those_that_are_encrypted(void **state) {
  struct contact_said first = upsert(1, 100, "one"), newer = upsert(2, 200, "two");
  struct contact_row row;
  contact_row_init(&row, "channeltalk", "m");
  contact_join(&row, &first);
  row.sealed = mem_alloc(1);
  row.sealed_len = 1;
  assert_int_equal(contact_join(&row, &first), CONTACT_SAME);
  assert_non_null(row.sealed);
  assert_int_equal(contact_join(&row, &newer), CONTACT_CHANGED);
  assert_null(row.sealed);
  contact_row_fini(&row);
  contact_said_fini(&first);
  contact_said_fini(&newer);
}

// ---- questions

static const struct {
  bool deletes;
  const char *phone, *consents;
  bool differs_from_known, differs_from_deleted;
} questions[] = {
    {false, "one", "{\"email\":true,\"texting\":false}", false, true},
    {false, "one", "{\"email\":true}", false, true},
    {false, "one", "{}", false, true},
    {false, "one", "{\"email\":false}", true, true},
    {false, "one", "{\"push\":true}", true, true},
    {false, "two", "{\"email\":true,\"texting\":false}", true, true},
    {false, NULL, "{\"email\":true,\"texting\":false}", true, true},
    {true, NULL, "{}", true, false},
};

static void test_what_differs_is_what_the_provider_named(void **state) {
  struct contact_said known = make(false, 1, 100, "p", "one", "{\"email\":true,\"texting\":false}"),
                      gone = deletion(2, 200);
  struct contact_row row, deleted;
  contact_row_init(&row, "channeltalk", "m");
  contact_row_init(&deleted, "channeltalk", "n");
  contact_join(&row, &known);
  contact_join(&deleted, &gone);
  for (size_t i = 0; i < COUNT_OF(questions); i++) {
    struct contact_said said =
        make(questions[i].deletes, 0, 1, NULL, questions[i].phone, questions[i].consents);
    if (contact_differs(&row, &said) != questions[i].differs_from_known ||
        contact_differs(&deleted, &said) != questions[i].differs_from_deleted ||
        !contact_differs(NULL, &said))
      fail_msg("%zu", i);
    contact_said_fini(&said);
  }
  contact_row_fini(&row);
  contact_row_fini(&deleted);
  contact_said_fini(&known);
  contact_said_fini(&gone);
}

// It says what the row says, but an older webhook that says something else may be on its way.
static void test_what_is_newer_is_news_though_it_says_the_same(void **state) {
  static const struct {
    bool deletes;
    int version;
    int64_t at;
    bool is_newer_than_known, is_newer_than_deleted;
  } others[] = {
      {false, 2, 20, false, true}, {false, 2, 21, true, true}, {false, 3, 19, true, true},
      {false, 1, 30, false, true}, {true, 0, 29, true, false}, {true, 0, 31, true, true},
  };
  struct contact_said known = upsert(2, 20, "one"), gone = deletion(0, 30);
  struct contact_row row, deleted;
  contact_row_init(&row, "channeltalk", "m");
  contact_row_init(&deleted, "channeltalk", "m");
  contact_join(&row, &known);
  contact_join(&deleted, &gone);
  for (size_t i = 0; i < COUNT_OF(others); i++) {
    struct contact_said said =
        make(others[i].deletes, others[i].version, others[i].at, "p", "one", "{\"email\":true}");
    if (contact_is_newer(&row, &said) != others[i].is_newer_than_known ||
        contact_is_newer(&deleted, &said) != others[i].is_newer_than_deleted ||
        !contact_is_newer(NULL, &said))
      fail_msg("%zu", i);
    contact_said_fini(&said);
  }
  contact_row_fini(&row);
  contact_row_fini(&deleted);
  contact_said_fini(&known);
  contact_said_fini(&gone);
}

// It would go out at each asking.
static void test_an_answer_that_says_what_is_known_is_no_news(void **state) {
  static const struct {
    bool deletes;
    int version;
    int64_t at;
    const char *object;
    bool is_news;
  } answers[] = {
      {false, 2, 20, "p", false},    {false, 2, 20, NULL, false}, {false, 1, 20, "p", false},
      {false, 1, 10, "other", true}, {true, 1, 10, "p", true},    {true, 0, 10, NULL, true},
  };
  struct contact_said known = upsert(2, 20, "one");
  struct contact_row row;
  contact_row_init(&row, "channeltalk", "m");
  contact_join(&row, &known);
  for (size_t i = 0; i < COUNT_OF(answers); i++) {
    struct contact_said said = make(answers[i].deletes, answers[i].version, answers[i].at, answers[i].object,
                                    "one", "{\"email\":true}");
    said.mark.asked_at = 1000;
    if (contact_is_newer(&row, &said) != answers[i].is_news) fail_msg("%zu", i);
    contact_said_fini(&said);
  }
  contact_row_fini(&row);
  contact_said_fini(&known);
}

static void test_a_consent_is_withdrawn_when_it_was_not_before(void **state) {
  static const struct {
    const char *before, *after;
    bool is;
  } rows[] = {{"{\"a\":true}", "{\"a\":false}", true},
              {"{}", "{\"a\":false}", true},
              {NULL, "{\"a\":false}", true},
              {"{\"a\":false}", "{\"a\":false}", false},
              {"{\"a\":false}", "{\"a\":true}", false},
              {"{\"a\":true}", "{}", false},
              {"{\"a\":true}", NULL, false},
              {"{\"a\":true}", "{\"a\":true,\"b\":false}", false}};
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    json_t *before = rows[i].before ? json_loads(rows[i].before, 0, NULL) : NULL;
    json_t *after = rows[i].after ? json_loads(rows[i].after, 0, NULL) : NULL;
    if (contact_is_withdrawn(before, after, "a") != rows[i].is) fail_msg("%zu", i);
    json_decref(before);
    json_decref(after);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_order_ends_in_the_same_row),
      cmocka_unit_test(test_every_order_ends_in_the_same_row_whoever_names_the_provider_s_id),
      cmocka_unit_test(test_versions_decide_where_times_say_otherwise),
      cmocka_unit_test(test_versions_decide_where_no_time_is_known),
      cmocka_unit_test(test_an_equal_version_or_time_is_deleted),
      cmocka_unit_test(test_a_deletion_without_a_version_is_not_forgotten),
      cmocka_unit_test(test_an_answer_that_knows_the_contact_outweighs_an_earlier_one_that_does_not),
      cmocka_unit_test(test_a_deletion_that_is_learned_after_the_answer_counts_whatever_its_time),
      cmocka_unit_test(test_who_comes_back_as_another_object_is_known),
      cmocka_unit_test(test_every_order_ends_as_the_provider_has_it),
      cmocka_unit_test(test_an_answer_decides_whatever_object_it_is_about),
      cmocka_unit_test(test_what_changed_after_the_answer_wins_over_it),
      cmocka_unit_test(test_a_deleted_row_comes_back_only_with_details),
      cmocka_unit_test(test_all_objects_that_a_contact_was_are_known),
      cmocka_unit_test(test_of_one_moment_what_says_more_wins_and_a_withdrawal_stays),
      cmocka_unit_test(test_each_join_says_what_it_did),
      cmocka_unit_test(test_a_contact_with_nothing_to_say_is_known_all_the_same),
      cmocka_unit_test(test_newer_details_are_not_those_that_are_encrypted),
      cmocka_unit_test(test_what_differs_is_what_the_provider_named),
      cmocka_unit_test(test_what_is_newer_is_news_though_it_says_the_same),
      cmocka_unit_test(test_an_answer_that_says_what_is_known_is_no_news),
      cmocka_unit_test(test_a_consent_is_withdrawn_when_it_was_not_before),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
