// SPDX-License-Identifier: MIT
// Rules that do not go together: elements and kinds that are never read, and ids that never meet.
#include "common/base/mem.h"
#include "common/provider/provider_value.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

// ---- entries that no rule reads

static void lint_elements(const struct provider *provider, struct faults *faults) {
  for (size_t i = 0; i < provider->n_levels; i++) {
    for (size_t j = 0; j < provider->levels[i].n; j++) {
      const char *place = provider->levels[i].pointers[j].text, *last = strrchr(place, '/');
      if (last && strspn(last + 1, "0123456789") == strlen(last + 1))
        faults_warn(faults,
                    "/webhook/elements: %s is one entry of a list, and the others would not be read; leave "
                    "its number out",
                    place);
    }
  }
}

// ---- kinds that take what another would take

// What a kind takes; with `only`, of the values that `of` lists only this one.
struct taken {
  const struct provider_conditions *when;
  const struct provider_equals *of;
  const char *only;
};

static bool lists_all(const struct provider_equals *equals, const struct taken *taken,
                      const struct provider_equals *theirs) {
  if (theirs->in_any_case && !equals->in_any_case) return false;
  if (theirs == taken->of) return provider_equals_lists(equals, taken->only);
  for (size_t i = 0; i < json_array_size(theirs->values); i++)
    if (!provider_equals_lists(equals, json_string_value(json_array_get(theirs->values, i)))) return false;
  return true;
}

static bool is_met(const struct provider_equals *equals, const struct taken *taken) {
  for (size_t i = 0; i < taken->when->n_equals; i++) {
    const struct provider_equals *theirs = &taken->when->equals[i];
    if (strcmp(theirs->pointer.text, equals->pointer.text) == 0 && lists_all(equals, taken, theirs))
      return true;
  }
  return false;
}

static bool is_present(const struct json_pointer *place, const struct provider_conditions *when) {
  for (size_t i = 0; i < when->n_equals; i++)
    if (strcmp(when->equals[i].pointer.text, place->text) == 0) return true;
  return provider_where_has(&when->present, place);
}

// Whether `when` holds for every element that is taken.
static bool holds_for(const struct provider_conditions *when, const struct taken *taken) {
  for (size_t i = 0; i < when->present.n; i++)
    if (!is_present(&when->present.pointers[i], taken->when)) return false;
  for (size_t i = 0; i < when->absent.n; i++)
    if (!provider_where_has(&taken->when->absent, &when->absent.pointers[i])) return false;
  for (size_t i = 0; i < when->n_equals; i++)
    if (!is_met(&when->equals[i], taken)) return false;
  return true;
}

// The first kind before this one that takes all of it, or -1.
static int taker_of(const struct provider *provider, size_t nth, const struct taken *taken) {
  for (size_t i = 0; i < nth; i++)
    if (holds_for(&provider->kinds[i].when, taken)) return (int)i;
  return -1;
}

static void lint_values(const struct provider *provider, size_t nth, struct faults *faults) {
  const struct provider_conditions *when = &provider->kinds[nth].when;
  for (size_t i = 0; i < when->n_equals; i++) {
    for (size_t j = 0; j < json_array_size(when->equals[i].values); j++) {
      const char *value = json_string_value(json_array_get(when->equals[i].values, j));
      struct taken taken = {.when = when, .of = &when->equals[i], .only = value};
      int taker = taker_of(provider, nth, &taken);
      if (taker >= 0)
        faults_warn(faults, "/webhook/kinds/%zu/when: \"%s\" at %s is taken by /webhook/kinds/%d before it",
                    nth, value, when->equals[i].pointer.text, taker);
    }
  }
}

static void lint_reach(const struct provider *provider, size_t nth, struct faults *faults) {
  struct taken taken = {.when = &provider->kinds[nth].when};
  int taker = taker_of(provider, nth, &taken);
  if (taker >= 0)
    faults_warn(faults, "/webhook/kinds/%zu: is never reached: /webhook/kinds/%d takes all that it would",
                nth, taker);
  else
    lint_values(provider, nth, faults);
}

// ---- ids that meet

enum { FORM_SIZE = 96 };

// How an id is made: "of one part", "of 3 parts, of which the 2nd is a digest of the recipient".
static const char *id_form(const struct provider_id *id, char buf[FORM_SIZE]) {
  static const char *const nth[] = {"1st", "2nd", "3rd", "4th", "5th"};
  int len =
      id->n == 1 ? snprintf(buf, FORM_SIZE, "of one part") : snprintf(buf, FORM_SIZE, "of %zu parts", id->n);
  for (size_t i = 0; i < id->n; i++)
    if (id->parts[i].is_personal)
      snprintf(buf + len, FORM_SIZE - (size_t)len, ", of which the %s is a digest of the recipient", nth[i]);
  return buf;
}

static bool same_form(const struct provider_id *a, const struct provider_id *b) {
  if (a->n != b->n) return false;
  for (size_t i = 0; i < a->n; i++)
    if (a->parts[i].is_personal != b->parts[i].is_personal) return false;
  return true;
}

static bool a_receipt_has_form(const struct provider *provider, const struct provider_id *id) {
  for (size_t i = 0; i < provider->n_kinds; i++)
    if (provider->kinds[i].kind == PROVIDER_RECEIPT && same_form(&provider->kinds[i].id, id)) return true;
  return false;
}

static bool a_shape_has_form(const struct provider *provider, const struct provider_id *id) {
  for (size_t i = 0; i < provider->n_shapes; i++)
    if (same_form(&provider->shapes[i].id, id)) return true;
  return false;
}

static bool has_receipts(const struct provider *provider) {
  for (size_t i = 0; i < provider->n_kinds; i++)
    if (provider->kinds[i].kind == PROVIDER_RECEIPT) return true;
  return false;
}

// False: a warning was given.
static bool lint_shapes(const struct provider *provider, struct faults *faults) {
  char form[FORM_SIZE];
  bool good = true;
  for (size_t i = 0; i < provider->n_shapes; i++) {
    if (a_receipt_has_form(provider, &provider->shapes[i].id)) continue;
    good = false;
    faults_warn(faults,
                "/acceptance/shapes/%zu/id: is %s, and no receipt has such an id, so no result would come; "
                "give both the same parts in the same order",
                i, id_form(&provider->shapes[i].id, form));
  }
  return good;
}

// A send response and a receipt are of one notification only if both make its id in the same way.
static void lint_forms(const struct provider *provider, struct faults *faults) {
  char form[FORM_SIZE];
  if (!has_receipts(provider) || !lint_shapes(provider, faults)) return;
  for (size_t i = 0; provider->n_shapes > 0 && i < provider->n_kinds; i++) {
    const struct provider_kind_rule *kind = &provider->kinds[i];
    if (kind->kind == PROVIDER_RECEIPT && !a_shape_has_form(provider, &kind->id))
      faults_warn(faults,
                  "/webhook/kinds/%zu/id: is %s, and no send response has such an id, so it would be of an "
                  "unknown message; give both the same parts in the same order",
                  i, id_form(&kind->id, form));
  }
}

static bool has_digest(const struct provider_id *id) {
  for (size_t i = 0; i < id->n; i++)
    if (id->parts[i].is_personal) return true;
  return false;
}

static void lint_asked(const struct provider *provider, struct faults *faults) {
  size_t n_digests = 0;
  for (size_t i = 0; i < provider->n_kinds; i++) {
    if (provider->kinds[i].kind == PROVIDER_OTHER) continue;
    if (!has_digest(&provider->kinds[i].id)) return;
    n_digests++;
  }
  for (size_t i = 0; n_digests > 0 && i < provider->n_forms; i++)
    faults_warn(
        faults,
        "/ask/%zu/path: each id has a digest of the recipient in it, which the provider does not know, "
        "so no message can be asked for",
        i);
}

// Whether another rule, or the name of the place, says that a person's number or address stands there.
static bool is_a_person(const struct provider *provider, const struct json_pointer *place) {
  static const char *const names[] = {"to",     "phone",        "phonenumber", "mobile",
                                      "msisdn", "dest",         "destination", "recipient",
                                      "email",  "phone_number", "recipientno"};
  const char *last = strrchr(place->text, '/');
  for (size_t i = 0; i < provider->n_kinds; i++)
    if (provider_where_has(&provider->kinds[i].recipient, place)) return true;
  for (size_t i = 0; i < provider->n_shapes; i++)
    if (provider_where_has(&provider->shapes[i].recipient, place)) return true;
  for (size_t i = 0; last && i < COUNT_OF(names); i++)
    if (strcasecmp(last + 1, names[i]) == 0) return true;
  return false;
}

static void lint_people(const struct provider *provider, const struct provider_id *id, const char *where,
                        struct faults *faults) {
  for (size_t i = 0; i < id->n; i++) {
    const struct provider_part *part = &id->parts[i];
    for (size_t j = 0; !part->is_personal && j < part->where.n; j++)
      if (is_a_person(provider, &part->where.pointers[j]))
        faults_warn(faults,
                    "%s: the number or address at %s would stand in the id as it is; name this place as "
                    "\"recipient\" here, too, and a digest of it does",
                    where, part->where.pointers[j].text);
  }
}

static void lint_ids(const struct provider *provider, struct faults *faults) {
  lint_forms(provider, faults);
  for (size_t i = 0; i < provider->n_kinds; i++) {
    AUTO_FREE char *where = mem_printf("/webhook/kinds/%zu/id", i);
    if (provider->kinds[i].kind != PROVIDER_CONTACT)
      lint_people(provider, &provider->kinds[i].id, where, faults);
  }
  for (size_t i = 0; i < provider->n_shapes; i++) {
    AUTO_FREE char *where = mem_printf("/acceptance/shapes/%zu/id", i);
    lint_people(provider, &provider->shapes[i].id, where, faults);
  }
}

void provider_lint_kinds(const struct provider *provider, struct faults *faults) {
  lint_elements(provider, faults);
  for (size_t i = 0; i < provider->n_kinds; i++) lint_reach(provider, i, faults);
  lint_ids(provider, faults);
  lint_asked(provider, faults);
}
