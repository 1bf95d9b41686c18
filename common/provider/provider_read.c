// SPDX-License-Identifier: MIT
#include "common/provider/provider_read.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/provider/provider_value.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// ---- kinds

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
    const struct provider_equals *unequal = provider_conditions_unequal(when, element);
    char buf[PROVIDER_NUMBER_SIZE];
    if (unequal && provider_places_hold(when, element) &&
        json_compared_text(json_at(element, &unequal->pointer), buf))
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
  return err_set(err, "%s without a usable %s at %s", kind->name, what, provider_where_shown(where));
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
  *id = provider_id_read(&kind->id, element, element, buf, &unusable);
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

// ---- receipts

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
  if (receipt->reason) receipt->reason[utf8_cut(receipt->reason, PROVIDER_REASON_MAX)] = '\0';
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
                        char (*buf)[PROVIDER_NUMBER_SIZE]) {
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
    char buf[PROVIDER_NUMBER_SIZE];
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
  out->code =
      provider_where_code(&kind->code, provider->has_boolean_codes, element, out->buf[0], &code_place);
  if (!out->code) return err_no_value(err, kind, "code", &kind->code);
  const char *listed = provider_code_listed(provider, out->code);
  if (listed) out->code = listed;
  out->channel = provider_where_text(&kind->channel, element, PROVIDER_TEXT_MAX, out->buf[1]);
  out->recipient_place =
      provider_where_find(&kind->recipient, element, PROVIDER_REFERENCE_MAX, out->buf[2], &out->recipient);
  out->reference = provider_where_text(&kind->reference, element, PROVIDER_REFERENCE_MAX, out->buf[3]);
  out->kind_name = kind->name;
  out->time_ms = read_time(&kind->time, kind->time_format, kind->zone_minutes, element, &out->unread_time);
  read_dedupe(kind, element, code_place, out, out->buf + 4);
  char buf[PROVIDER_NUMBER_SIZE];
  read_outcome(provider, kind, out, provider_where_text(&kind->reason, element, PROVIDER_NO_LIMIT, buf));
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
  char buf[PROVIDER_NUMBER_SIZE];
  const char *text = provider_where_text(where, element, PROVIDER_NO_LIMIT, buf);
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
  out->provider_id = provider_where_text(&kind->provider_id, element, PROVIDER_ID_MAX, out->buf[0]);
  out->is_deleted = any_holds(kind->deleted, kind->n_deleted, element);
  out->phone = provider_where_text(&kind->phone, element, PROVIDER_REFERENCE_MAX, out->buf[1]);
  out->email = provider_where_text(&kind->email, element, PROVIDER_REFERENCE_MAX, out->buf[2]);
  out->has_version = read_whole(&kind->version, element, &out->version);
  const struct json_pointer *ours; // what was asked when: reconcile wrote it
  out->kind_name = kind->name;
  out->time_ms = read_time(&kind->time, kind->time_format, kind->zone_minutes, element, &out->unread_time);
  out->seen_ms = read_time(&kind->seen, TIME_OF_CONTACT, kind->zone_minutes, element, &ours);
  return read_consents(kind, element, out, err);
}
