// SPDX-License-Identifier: MIT
// Reads webhook elements and send responses, and makes the provider's answers. Pure: no clock, no I/O. The
// input is not trusted: only ids, codes and reasons of it may reach a message.
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/provider/personal.h"
#include "common/provider/provider_explain.h"
#include "common/provider/provider_file.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { REASON_MAX_BYTES = 500, REFERENCE_MAX_BYTES = 255, NUMBER_SIZE = PROVIDER_NUMBER_SIZE };

// ---- values

static bool fits(const char *text, size_t max_bytes) {
  return strlen(text) <= max_bytes && !utf8_has_control(text);
}

bool provider_id_check(const char *id, struct err *err) {
  size_t len = strlen(id);
  if (len == 0) return err_set(err, "expected text that is not empty");
  if (len > PROVIDER_ID_MAX) return err_set(err, "expected at most %d bytes, got %zu", PROVIDER_ID_MAX, len);
  if (utf8_has_control(id)) return err_set(err, "expected text without control characters");
  return true;
}

enum { NO_LIMIT = 0 }; // for a text that is copied, hashed or parsed at once

typedef const char *text_fn(const json_t *value, char buf[NUMBER_SIZE]);

// The first pointer whose value, in *text, has a text of at most max_bytes. NULL: none.
static const struct json_pointer *find(const struct provider_where *where, text_fn *text_of,
                                       const json_t *from, size_t max_bytes, char buf[NUMBER_SIZE],
                                       const char **text) {
  for (size_t i = 0; i < where->n; i++) {
    const char *found = text_of(json_at(from, &where->pointers[i]), buf);
    if (!found || (max_bytes != NO_LIMIT && !fits(found, max_bytes))) continue;
    *text = found;
    return &where->pointers[i];
  }
  return NULL;
}

// The same for text and whole numbers.
static const struct json_pointer *find_text(const struct provider_where *where, const json_t *from,
                                            size_t max_bytes, char buf[NUMBER_SIZE], const char **text) {
  return find(where, json_scalar_text, from, max_bytes, buf, text);
}

// The text that find_text() finds, else the literal, else NULL.
static const char *read_text(const struct provider_where *where, const json_t *from, size_t max_bytes,
                             char buf[NUMBER_SIZE]) {
  const char *text = where->literal;
  find_text(where, from, max_bytes, buf, &text);
  return text;
}

// The same for a code, which is true or false only where the file lists such a code; *place is NULL where it
// is the literal.
static const char *read_code(const struct provider_where *where, bool may_be_boolean, const json_t *from,
                             char buf[NUMBER_SIZE], const struct json_pointer **place) {
  const char *text = where->literal;
  text_fn *text_of = may_be_boolean ? json_compared_text : json_scalar_text;
  *place = find(where, text_of, from, PROVIDER_TEXT_MAX, buf, &text);
  return text;
}

bool provider_lists(const json_t *texts, const char *text) {
  for (size_t i = 0; i < json_array_size(texts); i++) {
    if (strcmp(json_string_value(json_array_get(texts, i)), text) == 0) return true;
  }
  return false;
}

bool provider_equals_lists(const struct provider_equals *equals, const char *text) {
  for (size_t i = 0; i < json_array_size(equals->values); i++) {
    const char *value = json_string_value(json_array_get(equals->values, i));
    if ((equals->in_any_case ? strcasecmp : strcmp)(value, text) == 0) return true;
  }
  return false;
}

// The first condition that does not hold, or NULL.
static const struct provider_equals *first_unequal(const struct provider_conditions *conditions,
                                                   const json_t *in) {
  for (size_t i = 0; i < conditions->n_equals; i++) {
    char buf[NUMBER_SIZE];
    const struct provider_equals *equals = &conditions->equals[i];
    const char *text = json_compared_text(json_at(in, &equals->pointer), buf);
    if (!text || !provider_equals_lists(equals, text)) return equals;
  }
  return NULL;
}

static size_t count_present(const struct provider_where *places, const json_t *in) {
  size_t n = 0;
  for (size_t i = 0; i < places->n; i++) {
    const json_t *value = json_at(in, &places->pointers[i]);
    n += value && !json_is_null(value);
  }
  return n;
}

static bool places_hold(const struct provider_conditions *conditions, const json_t *in) {
  return count_present(&conditions->present, in) == conditions->present.n &&
         count_present(&conditions->absent, in) == 0;
}

bool provider_conditions_hold(const struct provider_conditions *conditions, const json_t *in) {
  return places_hold(conditions, in) && !first_unequal(conditions, in);
}

const char *provider_where_text(const struct provider_where *where, const json_t *from,
                                char buf[PROVIDER_NUMBER_SIZE]) {
  return read_text(where, from, PROVIDER_TEXT_MAX, buf);
}

static const char *where_shown(const struct provider_where *where) {
  return where->n ? where->pointers[0].text : "(nowhere)";
}

// ---- ids

struct joined { // in the caller's buffer of PROVIDER_ID_SIZE
  char *text;
  size_t len;
};

static bool join_bytes(struct joined *id, const char *bytes, size_t len) {
  if (id->len + len > PROVIDER_ID_MAX) return false;
  memcpy(id->text + id->len, bytes, len);
  id->len += len;
  id->text[id->len] = '\0';
  return true;
}

static bool join_part(struct joined *id, const char *text) {
  for (; *text; text++) {
    const char *escape = *text == '~' ? "~0" : *text == '/' ? "~1" : NULL;
    if (!join_bytes(id, escape ? escape : text, escape ? 2 : 1)) return false;
  }
  return true;
}

static const char *read_part(const struct provider_part *part, const json_t *from, const json_t *whole,
                             char buf[NUMBER_SIZE]) {
  const char *text = read_text(&part->where, part->shared ? whole : from, PROVIDER_ID_MAX, buf);
  if (!text || !part->is_personal) return text;
  personal_tag(text, buf);
  return buf;
}

// NULL: *unusable is the part without a usable value, or NULL if the parts together are too long or the file
// names none.
static const char *read_id(const struct provider_id *id, const json_t *from, const json_t *whole,
                           char buf[PROVIDER_ID_SIZE], const struct provider_part **unusable) {
  struct joined joined = {.text = buf};
  *unusable = NULL;
  if (id->n == 1 && !id->parts->is_personal) {
    *unusable = id->parts;
    return read_part(id->parts, from, whole, buf);
  }
  for (size_t i = 0; i < id->n; i++) {
    char number[NUMBER_SIZE];
    const char *text = read_part(&id->parts[i], from, whole, number);
    if (!text) *unusable = &id->parts[i];
    if (!text || (i > 0 && !join_bytes(&joined, "/", 1)) || !join_part(&joined, text)) return NULL;
  }
  return id->n ? buf : NULL;
}

// ---- answers

static bool find_in_reports(struct json_span array, const struct json_pointer *place, struct json_span *out) {
  const char *cursor = NULL;
  struct json_span report;
  while (json_span_next(array, &cursor, &report))
    if (json_scalar_at(report, place, out)) return true;
  return false;
}

// In an array of reports, where the file expects one report as the whole body, the first one with a value
// counts.
static bool find_value(const struct provider *provider, struct json_span body,
                       const struct json_pointer *place, struct json_span *out) {
  const struct provider_where *elements = &provider->levels[0];
  if (body.from == body.to) return false;
  if (json_scalar_at(body, place, out)) return true;
  for (size_t i = 0; i < elements->n; i++)
    if (elements->pointers[i].n_parts == 0 && json_span_at(body, &elements->pointers[i], &body) == JSON_FOUND)
      return find_in_reports(body, place, out);
  return false;
}

struct body { // of an answer, with a NUL behind it
  char *bytes;
  size_t len, room;
};

static void append(struct body *body, const char *text, size_t len) {
  enum { ROOM = 256 }; // nearly every answer fits
  if (body->len + len >= body->room) {
    body->room = body->len + len + ROOM;
    body->bytes = mem_grow(body->bytes, body->room, 1);
  }
  memcpy(body->bytes + body->len, text, len);
  body->len += len;
  body->bytes[body->len] = '\0';
}

static struct provider_ack answer(const struct provider *provider, const struct provider_answer *answer,
                                  const char *body, size_t len) {
  static const char empty[] = "\"\"";
  struct json_span source = json_without_mark(body ? body : "", len), value;
  struct body to = {0};
  for (size_t i = 0; i < answer->n; i++) {
    const struct provider_piece *piece = &answer->pieces[i];
    append(&to, piece->text, piece->len);
    if (!piece->has_place) continue;
    if (!find_value(provider, source, &piece->place, &value)) value = (struct json_span){empty, empty + 2};
    append(&to, value.from, (size_t)(value.to - value.from));
  }
  return (struct provider_ack){.status = answer->status, .body = to.bytes, .is_text = answer->is_text};
}

struct provider_ack provider_ack(const struct provider *provider, const struct provider_answer *own,
                                 const char *body, size_t len) {
  return answer(provider, own ? own : &provider->ack, body, len);
}

const char *provider_ack_missing(const struct provider *provider, const struct provider_answer *own,
                                 const char *body, size_t len, size_t nth) {
  const struct provider_answer *ack = own ? own : &provider->ack;
  struct json_span source = json_without_mark(body, len), value;
  for (size_t i = 0; i < ack->n; i++) {
    const struct provider_piece *piece = &ack->pieces[i];
    if (piece->has_place && !find_value(provider, source, &piece->place, &value) && nth-- == 0)
      return piece->place.text;
  }
  return NULL;
}

struct provider_ack provider_refusal(const struct provider *provider, const char *body, size_t len) {
  return answer(provider, &provider->refused, body, len);
}

// ---- elements

static const struct provider_kind_rule *kind_find(const struct provider *provider, const json_t *element) {
  if (!json_is_object(element)) return NULL;
  for (size_t i = 0; i < provider->n_kinds; i++) {
    if (provider_conditions_hold(&provider->kinds[i].when, element)) return &provider->kinds[i];
  }
  return NULL;
}

// The place whose text no kind lists, of the first kind that would fit otherwise. NULL: none.
static const char *unlisted_place(const struct provider *provider, const json_t *element) {
  for (size_t i = 0; i < provider->n_kinds; i++) {
    const struct provider_conditions *when = &provider->kinds[i].when;
    const struct provider_equals *unequal = first_unequal(when, element);
    char buf[NUMBER_SIZE];
    if (unequal && places_hold(when, element) && json_compared_text(json_at(element, &unequal->pointer), buf))
      return unequal->pointer.text;
  }
  return NULL;
}

static bool err_no_kind(struct err *err, const struct provider *provider, const json_t *element) {
  if (!json_is_object(element)) return err_set(err, "expected an object");
  const char *place = unlisted_place(provider, element);
  if (!place) return err_set(err, "no kind of the provider file fits");
  return err_set(err, "no kind of the provider file lists the text at %s", place);
}

static bool err_no_value(struct err *err, const struct provider_kind_rule *kind, const char *what,
                         const struct provider_where *where) {
  return err_set(err, "%s without a usable %s at %s", kind->name, what, where_shown(where));
}

static bool err_unusable_id(struct err *err, const struct provider_kind_rule *kind,
                            const struct provider_part *unusable) {
  if (unusable) return err_no_value(err, kind, "id", &unusable->where);
  return err_set(err, "%s with an id of more than %d bytes", kind->name, PROVIDER_ID_MAX);
}

// The kind of an element and its id, in `buf` or borrowed. NULL: none fits, or a receipt or a contact has no
// usable id.
static const struct provider_kind_rule *read_kind(const struct provider *provider, const json_t *element,
                                                  char buf[PROVIDER_ID_SIZE], const char **id,
                                                  struct err *err) {
  const struct provider_part *unusable;
  const struct provider_kind_rule *kind = kind_find(provider, element);
  if (!kind) {
    err_no_kind(err, provider, element);
    return NULL;
  }
  *id = read_id(&kind->id, element, element, buf, &unusable);
  if (*id || kind->kind == PROVIDER_OTHER) return kind;
  err_unusable_id(err, kind, unusable);
  return NULL;
}

bool provider_classify(const struct provider *provider, const json_t *element, struct provider_element *out,
                       struct err *err) {
  const struct provider_kind_rule *kind = read_kind(provider, element, out->id_buf, &out->id, err);
  if (!kind) return false;
  out->kind = kind->kind;
  out->kind_name = kind->name;
  out->ack = kind->ack;
  return true;
}

static enum provider_outcome outcome_of(const json_t *row) {
  const char *name = json_string_value(json_object_get(row, "outcome"));
  enum provider_outcome outcome = OUTCOME_DELIVERED;
  while (strcmp(name, provider_outcome_name(outcome)) != 0) outcome++; // the schema allows these names only
  return outcome;
}

static const char *scope_of(const json_t *row) {
  const char *scope = json_string_value(json_object_get(row, "scope"));
  return scope ? scope : "account";
}

static bool is_about_recipient(const json_t *row, enum provider_outcome outcome) {
  return (outcome == OUTCOME_FAILED || outcome == OUTCOME_UNCONFIRMED) && json_object_get(row, "about");
}

static void read_outcome(const struct provider *provider, const struct provider_kind_rule *kind,
                         struct provider_receipt *receipt, const char *text) {
  const json_t *row = json_object_get(provider->outcomes, receipt->code);
  receipt->known_code = row != NULL;
  if (!row) row = kind->otherwise;
  receipt->outcome = row ? outcome_of(row) : OUTCOME_FAILED;
  receipt->about_recipient = is_about_recipient(row, receipt->outcome);
  receipt->scope = receipt->outcome == OUTCOME_ACCOUNT_FAULT ? scope_of(row) : NULL;
  if (!row) {
    receipt->reason = mem_printf("unknown code %s%s%s", receipt->code, text ? ": " : "", text ? text : "");
  } else {
    if (!text) text = json_string_value(json_object_get(row, "reason"));
    receipt->reason = mem_strdup_or_null(text);
  }
  if (receipt->reason) receipt->reason[utf8_cut(receipt->reason, REASON_MAX_BYTES)] = '\0';
}

// Compact, the keys sorted, so that equal values have one text. NULL: nothing stands there.
static char *json_text_of(const json_t *value) {
  if (!value || json_is_null(value) || json_is_string(value)) return NULL;
  char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
  if (!text) abort(); // out of memory, as in mem.c
  return text;
}

// `code_place`: where the code was read. There the code itself counts, as `outcomes` has it.
static void read_dedupe(const struct provider_kind_rule *kind, const json_t *element,
                        const struct json_pointer *code_place, struct provider_receipt *receipt,
                        char (*buf)[NUMBER_SIZE]) {
  for (size_t i = 0; i < kind->dedupe.n; i++) {
    const struct json_pointer *pointer = &kind->dedupe.pointers[i];
    const json_t *value = json_at(element, pointer);
    bool is_code = code_place && strcmp(pointer->text, code_place->text) == 0;
    const char *text = is_code ? receipt->code : json_scalar_text(value, buf[i]);
    if (!text) text = receipt->dedupe_text[i] = json_text_of(value);
    receipt->dedupe[receipt->n_dedupe++] = text ? text : "";
  }
  if (!code_place || !provider_where_has(&kind->dedupe, code_place))
    receipt->dedupe[receipt->n_dedupe++] = receipt->code;
}

static bool parse_whole(const char *text, int64_t *out) {
  char *end;
  if (!(*text == '-' || (*text >= '0' && *text <= '9'))) return false;
  errno = 0;
  *out = strtoll(text, &end, 10);
  return !errno && end > text && *end == '\0';
}

static bool parse_epoch(const char *text, int64_t unit_ms, int64_t least_ms, int64_t *time_ms) {
  static const int64_t MAX_MS = 253402300799999; // the end of 9999
  int64_t number;
  if (!parse_whole(text, &number) || number < 0 || number > MAX_MS / unit_ms) return false;
  *time_ms = number * unit_ms;
  return *time_ms >= least_ms;
}

// Before 2000 is 0, which stands for "none", and what was seconds and is taken for milliseconds.
static bool parse_digits(const char *text, enum provider_time_format format, int zone_minutes,
                         int64_t *time_ms) {
  static const int64_t YEAR_2000_MS = 946684800000;
  switch (format) {
  case TIME_NO_DIGITS:
    return false;
  case TIME_EPOCH_S:
    return parse_epoch(text, 1000, YEAR_2000_MS, time_ms);
  case TIME_EPOCH_MS:
    return parse_epoch(text, 1, YEAR_2000_MS, time_ms);
  case TIME_OF_CONTACT:
    return parse_epoch(text, 1, 0, time_ms);
  case TIME_DATE:
  case TIME_SHORT_DATE:
    return clock_parse_compact(text, format == TIME_SHORT_DATE, zone_minutes, time_ms);
  }
  abort(); // not a format
}

static bool is_nothing(const json_t *value) {
  return !value || json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0);
}

// The first readable time, or -1: *unread is then the first place with something else, or NULL.
static int64_t read_time(const struct provider_where *where, enum provider_time_format format,
                         int zone_minutes, const json_t *element, const struct json_pointer **unread) {
  *unread = NULL;
  for (size_t i = 0; i < where->n; i++) {
    char buf[NUMBER_SIZE];
    int64_t time_ms;
    const json_t *value = json_at(element, &where->pointers[i]);
    const char *text = json_scalar_text(value, buf);
    bool is_read = text && (parse_digits(text, format, zone_minutes, &time_ms) ||
                            clock_parse_time(text, zone_minutes, &time_ms) ||
                            clock_parse_rfc2822(text, zone_minutes, &time_ms));
    if (is_read) *unread = NULL;
    if (is_read) return time_ms;
    if (!is_nothing(value) && !*unread) *unread = &where->pointers[i];
  }
  return -1;
}

bool provider_read_receipt(const struct provider *provider, const json_t *element,
                           struct provider_receipt *out, struct err *err) {
  memset(out, 0, sizeof *out);
  const struct provider_kind_rule *kind = read_kind(provider, element, out->id_buf, &out->id, err);
  if (!kind) return false;
  if (kind->kind != PROVIDER_RECEIPT) return err_set(err, "%s, which is no receipt", kind->name);
  const struct json_pointer *code_place;
  out->code = read_code(&kind->code, provider->has_boolean_codes, element, out->buf[0], &code_place);
  if (!out->code) return err_no_value(err, kind, "code", &kind->code);
  const char *listed = provider_code_listed(provider, out->code);
  if (listed) out->code = listed;
  out->channel = read_text(&kind->channel, element, PROVIDER_TEXT_MAX, out->buf[1]);
  out->recipient_place =
      find_text(&kind->recipient, element, REFERENCE_MAX_BYTES, out->buf[2], &out->recipient);
  out->reference = read_text(&kind->reference, element, REFERENCE_MAX_BYTES, out->buf[3]);
  out->kind_name = kind->name;
  out->time_ms = read_time(&kind->time, kind->time_format, kind->zone_minutes, element, &out->unread_time);
  read_dedupe(kind, element, code_place, out, out->buf + 4);
  char buf[NUMBER_SIZE];
  read_outcome(provider, kind, out, read_text(&kind->reason, element, NO_LIMIT, buf));
  return true;
}

void provider_receipt_fini(struct provider_receipt *receipt) {
  for (size_t i = 0; i < COUNT_OF(receipt->dedupe_text); i++) free(take(receipt->dedupe_text[i]));
  free(receipt->reason);
  receipt->reason = NULL;
}

// ---- contacts

static bool any_holds(const struct provider_conditions *list, size_t n, const json_t *in) {
  for (size_t i = 0; i < n; i++)
    if (provider_conditions_hold(&list[i], in)) return true;
  return false;
}

// A whole number, or the same as text.
static bool read_whole(const struct provider_where *where, const json_t *element, int64_t *out) {
  char buf[NUMBER_SIZE];
  const char *text = read_text(where, element, NO_LIMIT, buf);
  return text && parse_whole(text, out);
}

// Nothing is guessed: consent must not be taken for given because the provider has changed its form.
static bool read_consents(const struct provider_kind_rule *kind, const json_t *element,
                          struct provider_contact *out, struct err *err) {
  for (size_t i = 0; i < kind->n_consents; i++) {
    const struct provider_consent_rule *rule = &kind->consents[i];
    const json_t *value = json_at(element, &rule->pointer);
    if (value && !json_is_null(value) && !json_is_boolean(value))
      return err_set(err, "%s with something other than true, false or null at %s", kind->name,
                     rule->pointer.text);
    out->consents[i].name = rule->name;
    if (json_is_boolean(value))
      out->consents[i].is = json_is_true(value) == rule->withdrawn ? CONSENT_WITHDRAWN : CONSENT_GIVEN;
  }
  out->n_consents = kind->n_consents;
  return true;
}

bool provider_read_contact(const struct provider *provider, const json_t *element,
                           struct provider_contact *out, struct err *err) {
  memset(out, 0, sizeof *out);
  const struct provider_kind_rule *kind = read_kind(provider, element, out->id_buf, &out->id, err);
  if (!kind) return false;
  if (kind->kind != PROVIDER_CONTACT) return err_set(err, "%s, which is no contact", kind->name);
  out->provider_id = read_text(&kind->provider_id, element, PROVIDER_ID_MAX, out->buf[0]);
  out->is_deleted = any_holds(kind->deleted, kind->n_deleted, element);
  out->phone = read_text(&kind->phone, element, REFERENCE_MAX_BYTES, out->buf[1]);
  out->email = read_text(&kind->email, element, REFERENCE_MAX_BYTES, out->buf[2]);
  out->has_version = read_whole(&kind->version, element, &out->version);
  const struct json_pointer *ours; // what was asked when: reconcile wrote it
  out->kind_name = kind->name;
  out->time_ms = read_time(&kind->time, kind->time_format, kind->zone_minutes, element, &out->unread_time);
  out->seen_ms = read_time(&kind->seen, TIME_OF_CONTACT, kind->zone_minutes, element, &ours);
  return read_consents(kind, element, out, err);
}

// ---- masking

static json_t *masked_value(const json_t *value) {
  char buf[NUMBER_SIZE];
  const char *text = json_scalar_text(value, buf);
  AUTO_FREE char *mask = personal_mask(text ? text : ""); // a list is replaced as a whole
  return json_string(mask);
}

static bool mask_at(json_t *element, const struct json_pointer *pointer) {
  const json_t *value = json_at(element, pointer);
  if (!value || json_is_null(value)) return false;
  return json_replace_at(element, pointer, masked_value(value));
}

// The provider's text may contain the number.
static bool mask_text_at(json_t *element, const struct json_pointer *pointer) {
  const char *words = json_string_value(json_at(element, pointer));
  if (!words) return false;
  AUTO_FREE char *masked = personal_mask_text(words);
  return strcmp(masked, words) != 0 && json_replace_at(element, pointer, json_string(masked));
}

static bool mask_places(const struct provider_where *recipient, const struct provider_where *reason,
                        json_t *in) {
  bool changed = false;
  for (size_t i = 0; i < recipient->n; i++) changed |= mask_at(in, &recipient->pointers[i]);
  for (size_t i = 0; i < reason->n; i++) changed |= mask_text_at(in, &reason->pointers[i]);
  return changed;
}

bool provider_mask_element(const struct provider *provider, json_t *element) {
  bool changed = false;
  for (size_t i = 0; i < provider->n_kinds; i++) {
    const struct provider_where *masked = &provider->kinds[i].masked;
    changed |= mask_places(&provider->kinds[i].recipient, &provider->kinds[i].reason, element);
    for (size_t j = 0; j < masked->n; j++) changed |= mask_at(element, &masked->pointers[j]);
  }
  return changed;
}

// An entry may be the recipient itself: json_replace_at() cannot replace the root.
static void mask_entry(const struct provider_shape *shape, json_t *entries, size_t at) {
  mask_places(&shape->recipient, &shape->reason, json_array_get(entries, at));
  for (size_t i = 0; i < shape->recipient.n; i++)
    if (shape->recipient.pointers[i].n_parts == 0)
      json_array_set_new(entries, at, masked_value(json_array_get(entries, at)));
}

void provider_mask_response(const struct provider *provider, json_t *response) {
  for (size_t i = 0; i < provider->n_shapes; i++) {
    const struct provider_shape *shape = &provider->shapes[i];
    if (!shape->each.n) mask_places(&shape->recipient, &shape->reason, response);
    for (size_t k = 0; k < shape->each.n; k++) {
      json_t *entries = json_at(response, &shape->each.pointers[k]);
      for (size_t j = 0; j < json_array_size(entries); j++) mask_entry(shape, entries, j);
    }
  }
}

// ---- send responses

// One recipient's part of a response.
struct entry {
  const json_t *value;
  const struct json_pointer *list; // NULL: it is the whole response
  size_t nth;                      // in its list
};

static size_t count_entries(const struct provider_shape *shape, const json_t *response) {
  size_t n = shape->each.n ? 0 : 1;
  for (size_t i = 0; i < shape->each.n; i++)
    n += json_array_size(json_at(response, &shape->each.pointers[i]));
  return n;
}

// i < count_entries(): one list behind the other.
static struct entry entry_at(const struct provider_shape *shape, const json_t *response, size_t i) {
  struct entry entry = {.value = response, .nth = i};
  for (size_t k = 0; k < shape->each.n; k++) {
    const json_t *list = json_at(response, &shape->each.pointers[k]);
    entry.list = &shape->each.pointers[k];
    if ((entry.value = json_array_get(list, entry.nth))) break;
    entry.nth -= json_array_size(list);
  }
  return entry;
}

static bool is_accepted(const struct provider *provider, const struct provider_shape *shape,
                        const char *code) {
  const json_t *accepted;
  size_t i;
  if (!shape->accepted) return true;
  json_array_foreach(
      shape->accepted, i,
      accepted) if (code && provider_codes_same(provider, json_string_value(accepted), code)) return true;
  return false;
}

static void read_entry(const struct provider *provider, const struct provider_shape *shape,
                       const json_t *entry, const json_t *response, struct provider_acceptance *out) {
  const struct provider_part *unusable;
  out->id = read_id(&shape->id, entry, response, out->id_buf, &unusable);
  const struct json_pointer *code_place;
  out->code = read_code(&shape->code, shape->has_boolean_codes, entry, out->buf[0], &code_place);
  out->channel = read_text(&shape->channel, entry, PROVIDER_TEXT_MAX, out->buf[1]);
  out->recipient = read_text(&shape->recipient, entry, REFERENCE_MAX_BYTES, out->buf[2]);
  out->reference = read_text(&shape->reference, entry, REFERENCE_MAX_BYTES, out->buf[3]);
  if (!out->reference)
    out->reference = read_text(&shape->shared_reference, response, REFERENCE_MAX_BYTES, out->buf[3]);
  out->reason = read_text(&shape->reason, entry, REASON_MAX_BYTES, out->buf[4]);
  out->accepted = is_accepted(provider, shape, out->code);
}

// One of the lists is there; or else an id, or a code that is a refusal.
static bool shape_fits(const struct provider *provider, const struct provider_shape *shape,
                       const json_t *response) {
  for (size_t i = 0; i < shape->each.n; i++)
    if (json_is_array(json_at(response, &shape->each.pointers[i]))) return true;
  if (shape->each.n) return false;
  struct provider_acceptance read = {0};
  read_entry(provider, shape, response, response, &read);
  return read.id || (read.code && !read.accepted);
}

static const struct provider_shape *shape_find(const struct provider *provider, const json_t *response) {
  for (size_t i = 0; i < provider->n_shapes; i++)
    if (shape_fits(provider, &provider->shapes[i], response)) return &provider->shapes[i];
  return NULL;
}

struct provider_used_shape provider_used_shape(const struct provider *provider, const json_t *response) {
  const struct provider_shape *shape = shape_find(provider, response);
  if (!shape) return (struct provider_used_shape){provider->n_shapes, NULL};
  const struct provider_equals *refusal = first_unequal(&shape->requires, response);
  return (struct provider_used_shape){(size_t)(shape - provider->shapes),
                                      refusal ? refusal->pointer.text : NULL};
}

// The send API refused the whole request, so it refused each entry.
static void refuse(const struct provider_equals *because, const json_t *response,
                   struct provider_acceptance *out) {
  const char *code = json_compared_text(json_at(response, &because->pointer), out->buf[0]);
  out->accepted = false;
  out->code = code && fits(code, PROVIDER_TEXT_MAX) ? code : NULL;
  out->reason = "the send request was refused as a whole";
}

// Replaces a list (reference of `entries` stolen) of a copy. The objects around it are copied too.
static json_t *with_list(json_t *copy, const struct json_pointer *list, json_t *entries) {
  struct json_pointer way = *list;
  if (way.n_parts == 0) {
    json_decref(copy);
    return entries;
  }
  for (way.n_parts = 1; way.n_parts < list->n_parts; way.n_parts++)
    json_replace_at(copy, &way, json_copy(json_at(copy, &way)));
  json_replace_at(copy, list, entries);
  return copy;
}

// The response with this recipient only, or with none. Nothing but what is around the lists is copied, so
// that 200 recipients are not 200 copies.
static json_t *with_entry(const struct provider_shape *shape, const json_t *response,
                          const struct entry *only) {
  json_t *copy = json_copy((json_t *)(uintptr_t)response);
  for (size_t i = 0; i < shape->each.n; i++) {
    const struct json_pointer *list = &shape->each.pointers[i];
    if (!json_is_array(json_at(copy, list))) continue;
    copy = with_list(copy, list, only && only->list == list ? json_pack("[O]", only->value) : json_array());
  }
  return copy;
}

json_t *provider_narrow(const struct provider *provider, const json_t *response, size_t i) {
  const struct provider_shape *shape = shape_find(provider, response);
  if (!shape || !shape->each.n) return json_copy((json_t *)(uintptr_t)response);
  const struct entry only = entry_at(shape, response, i);
  return with_entry(shape, response, &only);
}

static const char *pointer_shown(const char *pointer) {
  return *pointer ? pointer : "the whole answer";
}

// The lists by their pointers. New string.
static char *lists_shown(const struct provider_shape *shape) {
  char *text = mem_strdup("");
  for (size_t i = 0; i < shape->each.n; i++) {
    char *longer = mem_printf("%s%s%s", text, i ? " and " : "", pointer_shown(shape->each.pointers[i].text));
    free(text);
    text = longer;
  }
  return text;
}

// Limits the cost of narrowing before anything is built.
static bool check_size(const struct provider_shape *shape, const json_t *response, size_t n,
                       struct err *err) {
  if (n == 1) return true;
  AUTO_FREE char *lists = lists_shown(shape);
  if (n == 0) return err_set(err, "%s: expected one recipient or more", lists);
  if (n > PROVIDER_RECIPIENTS_MAX)
    return err_set(err, "%s: expected %d recipients at most, got %zu", lists, PROVIDER_RECIPIENTS_MAX, n);
  AUTO_JSON *skeleton = with_entry(shape, response, NULL);
  AUTO_FREE char *text = json_text(skeleton);
  size_t len = strlen(text);
  return n * len <= PROVIDER_NARROWED_MAX_BYTES ||
         err_set(
             err,
             "%s: expected less around the recipients: %zu bytes go with each of %zu, and more than %d in "
             "all is too much",
             lists, len, n, PROVIDER_NARROWED_MAX_BYTES);
}

// The first pointer of a part with a value, and why that is unusable. NULL: none has a value.
static const char *part_fault(const struct provider_part *part, const json_t *node, struct err *fault) {
  char buf[NUMBER_SIZE];
  for (size_t i = 0; i < part->where.n; i++) {
    const json_t *value = json_at(node, &part->where.pointers[i]);
    const char *text = json_scalar_text(value, buf);
    if (!value || json_is_null(value)) continue;
    if (json_is_real(value))
      err_set(fault, "expected a notification id as text, since this number is no whole number of 64 bits");
    else if (!text || provider_id_check(text, fault))
      err_set(fault, "expected a notification id as text that is not empty");
    return part->where.pointers[i].text;
  }
  return NULL;
}

// The pointer to an unusable id of an entry, the part that it belongs to, and its fault. NULL: there is none.
static const char *id_fault(const struct provider_shape *shape, const json_t *entry, const json_t *response,
                            const struct provider_part **part, struct err *fault) {
  char buf[PROVIDER_ID_SIZE];
  if (read_id(&shape->id, entry, response, buf, part)) return NULL;
  if (*part) return part_fault(*part, (*part)->shared ? response : entry, fault);
  *part = shape->id.parts;
  err_set(fault, "expected parts of a notification id with at most %d bytes together", PROVIDER_ID_MAX);
  return where_shown(&(*part)->where);
}

static bool err_no_id(struct err *err, const struct provider_shape *shape, const struct entry *entry,
                      const json_t *response) {
  struct err fault = {.text = "expected a notification id"};
  const struct provider_part *part;
  const char *where = id_fault(shape, entry->value, response, &part, &fault);
  if (!where) where = where_shown(&part->where);
  if (!entry->list || part->shared) return err_set(err, "%s: %s", pointer_shown(where), fault.text);
  return err_set(err, "%s/%zu%s: %s", entry->list->text, entry->nth, where, fault.text);
}

static bool read_entries(const struct provider *provider, const struct provider_shape *shape,
                         const json_t *response, struct provider_acceptance *list, size_t n,
                         struct err *err) {
  const struct provider_equals *refusal = first_unequal(&shape->requires, response);
  for (size_t i = 0; i < n; i++) {
    const struct entry entry = entry_at(shape, response, i);
    read_entry(provider, shape, entry.value, response, &list[i]);
    if (refusal) refuse(refusal, response, &list[i]);
    if (!list[i].id && list[i].accepted) return err_no_id(err, shape, &entry, response);
  }
  return true;
}

// Says what the last shape looks for.
static bool err_fits_none(struct err *err, const struct provider *provider,
                          const struct provider_shape *shape) {
  AUTO_FREE char *lists = lists_shown(shape);
  return err_set(err, "expected a send response of provider %s, for example with %s at %s", provider->name,
                 shape->each.n ? "a list" : "an id",
                 shape->each.n ? lists : where_shown(&shape->id.parts->where));
}

static bool err_no_shape(const struct provider *provider, const json_t *response, struct err *err) {
  if (provider->n_shapes == 0)
    return err_set(err, "provider %s has no rule for send responses; give notification_id instead",
                   provider->name);
  for (size_t i = 0; i < provider->n_shapes; i++) {
    struct err fault;
    const struct provider_shape *shape = &provider->shapes[i];
    const struct provider_part *part;
    const char *where = shape->each.n ? NULL : id_fault(shape, response, response, &part, &fault);
    if (where) return err_set(err, "%s: %s", pointer_shown(where), fault.text);
  }
  return err_fits_none(err, provider, &provider->shapes[provider->n_shapes - 1]);
}

bool provider_read_acceptance(const struct provider *provider, const json_t *response,
                              struct provider_acceptance **out, size_t *n, struct err *err) {
  const struct provider_shape *shape = shape_find(provider, response);
  if (!shape) return err_no_shape(provider, response, err);
  size_t count = count_entries(shape, response);
  if (!check_size(shape, response, count, err)) return false;
  AUTO_FREE struct provider_acceptance *list = mem_array(count, sizeof *list);
  if (!read_entries(provider, shape, response, list, count, err)) return false;
  *out = take(list);
  *n = count;
  return true;
}
