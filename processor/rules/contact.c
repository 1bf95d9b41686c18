// SPDX-License-Identifier: MIT
#include "processor/rules/contact.h"
#include "common/base/mem.h"
#include <stdlib.h>
#include <string.h>

// ---- what is owned ----

static void mark_fini(struct contact_mark *mark) {
  free(mark->provider_id);
  *mark = (struct contact_mark){.at = NO_TIME, .asked_at = NO_TIME};
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
                              .upsert = {.at = NO_TIME, .asked_at = NO_TIME},
                              .deletion = {.at = NO_TIME, .asked_at = NO_TIME},
                              .gone_at = NO_TIME,
                              .gone_learned_at = NO_TIME};
}

void contact_row_fini(struct contact_row *row) {
  free(row->id);
  mark_fini(&row->upsert);
  mark_fini(&row->deletion);
  details_fini(&row->details);
  json_decref(row->other_ids);
  free(row->sealed);
}

static void forget_details(struct contact_row *row) {
  details_fini(&row->details);
  free(take(row->sealed));
  row->sealed_len = 0;
}

// ---- the provider's ids ----

const char *contact_provider_id(const struct contact_row *row) {
  return row->upsert.provider_id ? row->upsert.provider_id : row->deletion.provider_id;
}

// Where the id stands among the others, or would stand.
static size_t place_of(const json_t *ids, const char *id, bool *is_there) {
  size_t i = 0, n = json_array_size(ids);
  while (i < n && strcmp(json_string_value(json_array_get(ids, i)), id) < 0) i++;
  *is_there = i < n && strcmp(json_string_value(json_array_get(ids, i)), id) == 0;
  return i;
}

static bool is_current(const struct contact_row *row, const char *id) {
  const char *own = contact_provider_id(row);
  return own && strcmp(own, id) == 0;
}

bool contact_is_object(const struct contact_row *row, const char *provider_id) {
  bool is_other;
  place_of(row->other_ids, provider_id, &is_other);
  return is_other || is_current(row, provider_id);
}

static bool add_id(struct contact_row *row, const char *id) {
  if (!id || contact_is_object(row, id)) return false;
  bool is_there;
  if (!row->other_ids) row->other_ids = json_array();
  json_array_insert_new(row->other_ids, place_of(row->other_ids, id, &is_there), json_string(id));
  return true;
}

static void remove_id(struct contact_row *row, const char *id) {
  bool is_there;
  size_t place = id ? place_of(row->other_ids, id, &is_there) : 0;
  if (!id || !is_there) return;
  json_array_remove(row->other_ids, place);
  if (json_array_size(row->other_ids) > 0) return;
  json_decref(row->other_ids);
  row->other_ids = NULL;
}

// ---- which is newer ----

static int compare(int64_t a, int64_t b) {
  return (a > b) - (a < b);
}

static bool are_other_objects(const struct contact_mark *a, const struct contact_mark *b) {
  return a->provider_id && b->provider_id && strcmp(a->provider_id, b->provider_id) != 0;
}

static bool have_comparable_versions(const struct contact_mark *a, const struct contact_mark *b) {
  return a->has_version && b->has_version && !are_other_objects(a, b);
}

// Until when it is known to have been so.
static int64_t time_of(const struct contact_mark *mark) {
  return mark->asked_at > mark->at ? mark->asked_at : mark->at;
}

// As strcmp(): which was said later. A mark without a time is the oldest.
static int compare_marks(const struct contact_mark *a, const struct contact_mark *b) {
  int order = 0;
  if (a->at != NO_TIME && b->at != NO_TIME && have_comparable_versions(a, b))
    order = compare(a->version, b->version);
  if (!order) order = compare(time_of(a), time_of(b));
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
  if (!have_comparable_versions(deletion, upsert)) return deletion->at >= time_of(upsert);
  if (deletion->version != upsert->version) return deletion->version > upsert->version;
  return deletion->at >= upsert->asked_at; // asked later, the provider still knew this version
}

// The deletes have one without a version beside the newest with one: by a version alone, the last delete
// could be forgotten.
static bool is_beaten(const struct contact_row *row) {
  if (row->upsert.at == NO_TIME) return row->deletion.at != NO_TIME || row->gone_at != NO_TIME;
  bool is_gone = row->gone_at >= row->upsert.at && row->gone_learned_at >= row->upsert.asked_at;
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

static bool take_gone(struct contact_row *row, int64_t at, int64_t learned_at) {
  bool moved = raise_to(&row->gone_at, at);
  return raise_to(&row->gone_learned_at, learned_at) || moved;
}

static bool take_deletion(struct contact_row *row, const struct contact_mark *said) {
  struct contact_mark deletion = *said; // borrowed
  deletion.asked_at = NO_TIME;
  if (compare_marks(&deletion, &row->deletion) <= 0) return take_name(&row->deletion, said);
  move_mark(&row->deletion, &deletion);
  return true;
}

// An answer that says it is deleted was so when it was asked, whatever its version and object are.
static bool take_delete(struct contact_row *row, const struct contact_said *said) {
  const struct contact_mark *mark = &said->mark;
  bool is_asked = mark->asked_at != NO_TIME, moved = false;
  if (mark->has_version) moved = take_deletion(row, mark);
  if (is_asked) return take_gone(row, time_of(mark), mark->asked_at) || moved;
  return mark->has_version ? moved : take_gone(row, mark->at, said->received_at);
}

static bool is_same_version(const struct contact_mark *a, const struct contact_mark *b) {
  return a->at != NO_TIME && b->at != NO_TIME && have_comparable_versions(a, b) && a->version == b->version;
}

// `taken`: whether the row has its details.
static bool take_upsert(struct contact_row *row, const struct contact_mark *mark,
                        const struct contact_details *details, bool *taken) {
  int64_t asked_at = is_same_version(mark, &row->upsert) ? row->upsert.asked_at : NO_TIME;
  int order = compare_marks(mark, &row->upsert);
  if (order == 0 && !row->is_deleted) order = compare_details(details, &row->details);
  *taken = order > 0;
  if (!*taken) {
    bool is_asked = is_same_version(mark, &row->upsert) && raise_to(&row->upsert.asked_at, mark->asked_at);
    return take_name(&row->upsert, mark) || is_asked;
  }
  move_mark(&row->upsert, mark);
  raise_to(&row->upsert.asked_at, asked_at);
  forget_details(row);
  row->details = details_copy(details);
  return true;
}

// ---- what it comes to ----

struct before { // what a row said
  bool is_new, was_deleted;
  char *provider_id;
  struct contact_details details;
};

static struct before before_of(const struct contact_row *row) {
  return (struct before){.is_new = row->upsert.at == NO_TIME,
                         .was_deleted = row->is_deleted,
                         .provider_id = mem_strdup_or_null(contact_provider_id(row)),
                         .details = details_copy(&row->details)};
}

static void before_fini(struct before *before) {
  free(before->provider_id);
  details_fini(&before->details);
}

static bool take_ids(struct contact_row *row, const struct before *before, const char *said,
                     const json_t *others) {
  bool moved = add_id(row, said);
  for (size_t i = 0; i < json_array_size(others); i++)
    moved |= add_id(row, json_string_value(json_array_get(others, i)));
  moved |= add_id(row, before->provider_id);
  remove_id(row, contact_provider_id(row));
  return moved;
}

// `lacks_details`: those of its upsert were forgotten, so it cannot come back.
static enum contact_change settle(struct contact_row *row, const struct before *before, bool lacks_details) {
  row->is_deleted = lacks_details || is_beaten(row);
  if (row->is_deleted) forget_details(row);
  if (row->is_deleted) return before->was_deleted ? CONTACT_MARKED : CONTACT_DELETED;
  bool changed =
      before->is_new || before->was_deleted || compare_details(&before->details, &row->details) != 0;
  return changed ? CONTACT_CHANGED : CONTACT_MARKED;
}

enum contact_change contact_join(struct contact_row *row, const struct contact_said *said) {
  struct before before = before_of(row);
  bool taken = false;
  bool moved =
      said->is_delete ? take_delete(row, said) : take_upsert(row, &said->mark, &said->details, &taken);
  moved |= take_ids(row, &before, said->mark.provider_id, NULL);
  enum contact_change change = moved ? settle(row, &before, before.was_deleted && !taken) : CONTACT_SAME;
  before_fini(&before);
  return change;
}

enum contact_change contact_merge(struct contact_row *row, const struct contact_row *other) {
  struct before before = before_of(row);
  bool taken = false;
  bool moved = take_gone(row, other->gone_at, other->gone_learned_at);
  moved |= other->deletion.has_version && take_deletion(row, &other->deletion);
  moved |= other->upsert.at != NO_TIME && take_upsert(row, &other->upsert, &other->details, &taken);
  moved |= take_ids(row, &before, contact_provider_id(other), other->other_ids);
  bool lacks_details = taken ? other->is_deleted : before.was_deleted;
  enum contact_change change = moved ? settle(row, &before, lacks_details) : CONTACT_SAME;
  before_fini(&before);
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

// An answer about the object that the row has is newer by what it says, not by when it was asked.
static bool is_newer_upsert(const struct contact_mark *row, const struct contact_mark *said) {
  struct contact_mark known = *row, asked = *said; // borrowed
  if (!are_other_objects(row, said)) known.asked_at = asked.asked_at = NO_TIME;
  return compare_marks(&asked, &known) > 0;
}

bool contact_is_newer(const struct contact_row *row, const struct contact_said *said) {
  const struct contact_mark *mark = &said->mark;
  if (!row) return true;
  if (!said->is_delete) return is_newer_upsert(&row->upsert, mark);
  bool is_gone = !mark->has_version || mark->asked_at != NO_TIME;
  return is_gone ? time_of(mark) > row->gone_at : compare_marks(mark, &row->deletion) > 0;
}

bool contact_is_withdrawn(const json_t *before, const json_t *after, const char *consent) {
  return json_is_false(json_object_get(after, consent)) && !json_is_false(json_object_get(before, consent));
}
