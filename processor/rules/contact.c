// SPDX-License-Identifier: MIT
#include "processor/rules/contact.h"
#include "common/base/mem.h"
#include <stdlib.h>
#include <string.h>

// ---- what is owned ----

static void mark_fini(struct contact_mark *mark) {
  free(mark->provider_id);
  *mark = (struct contact_mark){.at = NO_TIME};
}

static struct contact_mark mark_copy(const struct contact_mark *mark) {
  struct contact_mark copy = *mark;
  copy.provider_id = mem_strdup_or_null(mark->provider_id);
  return copy;
}

static void details_fini(struct contact_details *details) {
  free(details->phone);
  free(details->email);
  free(details->whole);
  json_decref(details->consents);
  *details = (struct contact_details){0};
}

// The consents are shared; nothing changes them.
static struct contact_details details_copy(const struct contact_details *details) {
  struct contact_details copy = *details;
  copy.phone = mem_strdup_or_null(details->phone);
  copy.email = mem_strdup_or_null(details->email);
  copy.whole = mem_strdup_or_null(details->whole);
  json_incref(copy.consents);
  return copy;
}

void contact_said_fini(struct contact_said *said) {
  free(said->id);
  mark_fini(&said->mark);
  details_fini(&said->details);
}

void contact_row_init(struct contact_row *row, const char *provider, const char *id) {
  *row = (struct contact_row){.provider = provider,
                              .id = mem_strdup(id),
                              .upsert = {.at = NO_TIME},
                              .deletion = {.at = NO_TIME},
                              .gone_at = NO_TIME,
                              .gone_learned_at = NO_TIME,
                              .seen_at = NO_TIME};
}

void contact_row_fini(struct contact_row *row) {
  free(row->id);
  mark_fini(&row->upsert);
  mark_fini(&row->deletion);
  details_fini(&row->details);
  free(row->sealed);
}

static void forget_details(struct contact_row *row) {
  details_fini(&row->details);
  free(take(row->sealed));
  row->sealed_len = 0;
}

const char *contact_provider_id(const struct contact_row *row) {
  return row->upsert.provider_id ? row->upsert.provider_id : row->deletion.provider_id;
}

// ---- which is newer ----

static int compare(int64_t a, int64_t b) {
  return (a > b) - (a < b);
}

static bool have_comparable_versions(const struct contact_mark *a, const struct contact_mark *b) {
  bool differ = a->provider_id && b->provider_id && strcmp(a->provider_id, b->provider_id) != 0;
  return a->has_version && b->has_version && !differ;
}

// As strcmp(): which was said later. A mark without a time is the oldest.
static int compare_marks(const struct contact_mark *a, const struct contact_mark *b) {
  int order = 0;
  if (a->at != NO_TIME && b->at != NO_TIME && have_comparable_versions(a, b))
    order = compare(a->version, b->version);
  if (!order) order = compare(a->at, b->at);
  return order ? order : compare(a->has_version, b->has_version);
}

static int compare_hashes(const char *a, const uint8_t *hash_a, const char *b, const uint8_t *hash_b) {
  int order = compare(a != NULL, b != NULL);
  return order || !a ? order : memcmp(hash_a, hash_b, PERSONAL_HASH_SIZE);
}

// Of as many, those with a withdrawal: "true" is greater than "false".
static int compare_consents(const json_t *a, const json_t *b) {
  int order = compare((int64_t)json_object_size(a), (int64_t)json_object_size(b));
  if (order || json_object_size(a) == 0) return order;
  AUTO_FREE char *text_a = json_dumps(a, JSON_COMPACT | JSON_SORT_KEYS);
  AUTO_FREE char *text_b = json_dumps(b, JSON_COMPACT | JSON_SORT_KEYS);
  if (!text_a || !text_b) abort(); // out of memory, as in mem.c
  return strcmp(text_b, text_a);
}

// Of two of the same moment: the one that says more, else any, if only it does not depend on the order of
// arrival.
static int compare_details(const struct contact_details *a, const struct contact_details *b) {
  int order = compare_hashes(a->phone, a->phone_hash, b->phone, b->phone_hash);
  if (!order) order = compare_hashes(a->email, a->email_hash, b->email, b->email_hash);
  return order ? order : compare_consents(a->consents, b->consents);
}

// ---- the join ----

static bool beats(const struct contact_mark *deletion, const struct contact_mark *upsert) {
  if (deletion->at == NO_TIME) return false;
  if (have_comparable_versions(deletion, upsert)) return deletion->version >= upsert->version;
  return deletion->at >= upsert->at;
}

// The deletes have one without a version beside the newest with one: by a version alone, the last delete
// could be forgotten.
static bool is_beaten(const struct contact_row *row) {
  if (row->upsert.at == NO_TIME) return row->deletion.at != NO_TIME || row->gone_at != NO_TIME;
  bool is_gone = row->gone_at >= row->upsert.at && row->gone_learned_at >= row->seen_at;
  return is_gone || beats(&row->deletion, &row->upsert);
}

// The newest one that names the object keeps its name.
static void move_mark(struct contact_mark *mark, const struct contact_mark *newer) {
  char *known = take(mark->provider_id);
  *mark = mark_copy(newer);
  if (mark->provider_id)
    free(known);
  else
    mark->provider_id = known;
}

// One that is no newer names the object, where none did.
static bool take_name(struct contact_mark *mark, const struct contact_mark *said) {
  bool names = !mark->provider_id && said->provider_id;
  if (names) mark->provider_id = mem_strdup(said->provider_id);
  return names;
}

static bool raise_to(int64_t *time, int64_t to) {
  bool is_later = to > *time;
  if (is_later) *time = to;
  return is_later;
}

static bool take_gone(struct contact_row *row, const struct contact_mark *said, int64_t learned_at) {
  bool moved = take_name(&row->deletion, said);
  moved |= raise_to(&row->gone_at, said->at);
  moved |= raise_to(&row->gone_learned_at, learned_at);
  return moved;
}

static bool take_deletion(struct contact_row *row, const struct contact_mark *said) {
  if (compare_marks(said, &row->deletion) <= 0) return take_name(&row->deletion, said);
  move_mark(&row->deletion, said);
  return true;
}

static bool take_upsert(struct contact_row *row, const struct contact_said *said) {
  bool is_seen = raise_to(&row->seen_at, said->learned_at);
  int order = compare_marks(&said->mark, &row->upsert);
  bool has_details = !row->is_deleted || is_seen; // or will have them again
  if (order == 0 && has_details) order = compare_details(&said->details, &row->details);
  if (order <= 0) return take_name(&row->upsert, &said->mark) || is_seen;
  move_mark(&row->upsert, &said->mark);
  forget_details(row);
  row->details = details_copy(&said->details);
  return true;
}

// ---- what it comes to ----

struct before { // what a row said
  bool is_new, was_deleted;
  struct contact_details details;
};

static struct before before_of(const struct contact_row *row) {
  return (struct before){.is_new = row->upsert.at == NO_TIME,
                         .was_deleted = row->is_deleted,
                         .details = details_copy(&row->details)};
}

static enum contact_change settle(struct contact_row *row, const struct before *before) {
  row->is_deleted = is_beaten(row);
  if (row->is_deleted) forget_details(row);
  if (row->is_deleted) return before->was_deleted ? CONTACT_MARKED : CONTACT_DELETED;
  bool changed =
      before->is_new || before->was_deleted || compare_details(&before->details, &row->details) != 0;
  return changed ? CONTACT_CHANGED : CONTACT_MARKED;
}

static bool take_any(struct contact_row *row, const struct contact_said *said) {
  if (!said->is_delete) return take_upsert(row, said);
  return said->mark.has_version ? take_deletion(row, &said->mark)
                                : take_gone(row, &said->mark, said->learned_at);
}

enum contact_change contact_join(struct contact_row *row, const struct contact_said *said) {
  struct before before = before_of(row);
  bool moved = take_any(row, said);
  enum contact_change change = moved ? settle(row, &before) : CONTACT_SAME;
  details_fini(&before.details);
  return change;
}

enum contact_change contact_merge(struct contact_row *row, const struct contact_row *other) {
  struct before before = before_of(row);
  const struct contact_mark gone = {.at = other->gone_at, .provider_id = other->deletion.provider_id};
  const struct contact_said upsert = {
      .learned_at = other->seen_at, .mark = other->upsert, .details = other->details};
  bool moved = take_gone(row, &gone, other->gone_learned_at);
  moved |= other->deletion.has_version && take_deletion(row, &other->deletion);
  moved |= other->upsert.at != NO_TIME && take_upsert(row, &upsert);
  enum contact_change change = moved ? settle(row, &before) : CONTACT_SAME;
  details_fini(&before.details);
  return change;
}

// ---- questions ----

static bool consents_differ(const json_t *known, const json_t *said) {
  const char *name;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)said, name, value) {
    if (!json_equal(json_object_get(known, name), value)) return true;
  }
  return false;
}

bool contact_differs(const struct contact_row *row, const struct contact_said *said) {
  if (!row || row->is_deleted != said->is_delete) return true;
  const struct contact_details *a = &row->details, *b = &said->details;
  return !said->is_delete && (compare_hashes(a->phone, a->phone_hash, b->phone, b->phone_hash) != 0 ||
                              compare_hashes(a->email, a->email_hash, b->email, b->email_hash) != 0 ||
                              consents_differ(a->consents, b->consents));
}

bool contact_is_newer(const struct contact_row *row, const struct contact_said *said) {
  if (!row) return true;
  if (!said->is_delete) return compare_marks(&said->mark, &row->upsert) > 0;
  return said->mark.has_version ? compare_marks(&said->mark, &row->deletion) > 0
                                : said->mark.at > row->gone_at;
}

bool contact_is_withdrawn(const json_t *before, const json_t *after, const char *consent) {
  return json_is_false(json_object_get(after, consent)) && !json_is_false(json_object_get(before, consent));
}
