// SPDX-License-Identifier: MIT
// Each condition is judged alone by provider_conditions_hold(), so that nothing is judged in a second way.
#include "common/provider/provider_explain.h"
#include "common/provider/provider_value.h"

const struct json_pointer *provider_level_place(const struct provider *provider, size_t level, size_t i) {
  bool is_there = level < provider->n_levels && i < provider->levels[level].n;
  return is_there ? &provider->levels[level].pointers[i] : NULL;
}

size_t provider_kinds_count(const struct provider *provider) {
  return provider->n_kinds;
}

const json_t *provider_kind_at(const struct provider *provider, size_t nth) {
  const json_t *webhook = json_object_get(provider->document, "webhook");
  return json_array_get(json_object_get(webhook, "kinds"), nth);
}

bool provider_kind_has_when(const struct provider *provider, size_t nth) {
  const struct provider_conditions *when = &provider->kinds[nth].when;
  return when->present.n || when->absent.n || when->n_equals;
}

bool provider_kind_fits(const struct provider *provider, size_t nth, const json_t *element) {
  return json_is_object(element) && provider_conditions_hold(&provider->kinds[nth].when, element);
}

// The first of the places for which the condition, made of this place alone, does not hold. NULL: none.
static const char *first_unmet(const struct provider_where *places, bool is_absent, const json_t *element) {
  for (size_t i = 0; i < places->n; i++) {
    struct provider_where place = {.pointers = &places->pointers[i], .n = 1};
    struct provider_conditions one = {0};
    *(is_absent ? &one.absent : &one.present) = place;
    if (!provider_conditions_hold(&one, element)) return places->pointers[i].text;
  }
  return NULL;
}

struct provider_unmet provider_conditions_unmet(const struct provider_conditions *when, const json_t *in) {
  const char *place;
  if ((place = first_unmet(&when->present, false, in)))
    return (struct provider_unmet){"present", place, NULL};
  if ((place = first_unmet(&when->absent, true, in))) return (struct provider_unmet){"absent", place, NULL};
  const struct provider_equals *equals = provider_conditions_unequal(when, in);
  if (!equals) return (struct provider_unmet){"", "", NULL};
  return (struct provider_unmet){equals->in_any_case ? "equals_any_case" : "equals", equals->pointer.text,
                                 equals->values};
}

struct provider_unmet provider_kind_unmet(const struct provider *provider, size_t nth,
                                          const json_t *element) {
  if (!json_is_object(element)) return (struct provider_unmet){"", "", NULL};
  return provider_conditions_unmet(&provider->kinds[nth].when, element);
}

const json_t *provider_shapes(const struct provider *provider) {
  return json_object_get(json_object_get(provider->document, "acceptance"), "shapes");
}

const json_t *provider_outcomes(const struct provider *provider) {
  return provider->outcomes;
}

static const char *same_code(const struct provider *by, const json_t *codes, const char *code) {
  const char *key;
  json_t *value;
  size_t i;
  json_object_foreach((json_t *)(uintptr_t)codes, key,
                      value) if (provider_codes_same(by, key, code)) return key;
  json_array_foreach(codes, i, value) {
    if (provider_codes_same(by, json_string_value(value), code)) return json_string_value(value);
  }
  return NULL;
}

const char *provider_code_near(const struct provider *provider, const json_t *codes, const char *code,
                               const char **ignore) {
  const struct provider by_case = {.ignores_case = true}, by_zeros = {.ignores_zeros = true};
  const char *near = same_code(&by_case, codes, code);
  bool is_case = near != NULL;
  if (!near) near = same_code(&by_zeros, codes, code);
  bool is_both = is_case ? provider->ignores_zeros : provider->ignores_case;
  *ignore = is_both ? "[\"case\", \"leading_zeros\"]" : is_case ? "[\"case\"]" : "[\"leading_zeros\"]";
  return near;
}

bool provider_reads_forms(const struct provider *provider) {
  return provider->reads_forms;
}
