// SPDX-License-Identifier: MIT
#include "common/provider/provider_lint.h"

#include "common/base/mem.h"
#include <stdint.h>
#include <string.h>

static const char *text_at(const json_t *object, const char *key) {
  return json_string_value(json_object_get(object, key));
}

static bool is_named_before(const json_t *kinds, size_t i) {
  const char *name = text_at(json_array_get(kinds, i), "name");
  for (size_t j = 0; j < i; j++)
    if (strcmp(text_at(json_array_get(kinds, j), "name"), name) == 0) return true;
  return false;
}

static bool is_place(const json_t *places, const char *pointer) {
  const json_t *place;
  size_t i;
  if (json_is_string(places)) return strcmp(json_string_value(places), pointer) == 0;
  json_array_foreach(places, i, place) {
    if (strcmp(json_string_value(place), pointer) == 0) return true;
  }
  return false;
}

// A receipt's code that is listed as its type has to have an outcome as well.
static void lint_types(const json_t *kind, size_t nth, const json_t *outcomes, struct faults *faults) {
  json_t *equals = json_object_get(json_object_get(kind, "when"), "equals");
  const char *pointer;
  json_t *values, *value;
  size_t i;
  json_object_foreach(equals, pointer, values) {
    if (!is_place(json_object_get(kind, "code"), pointer)) continue;
    json_array_foreach(values, i, value) {
      const char *code = json_string_value(value);
      if (!json_object_get(outcomes, code))
        faults_warn(faults, "/webhook/kinds/%zu/when/equals: \"%s\" has no outcome, so it is a failure", nth,
                    code);
    }
  }
}

// What a replay reads again in a stored element must not be masked.
static void lint_masked(const json_t *kind, size_t nth, struct faults *faults) {
  static const char *const names[] = {"channel", "reason", "time", "reference"};
  const json_t *place;
  size_t i;
  json_array_foreach(json_object_get(kind, "masked"), i, place) {
    for (size_t j = 0; j < COUNT_OF(names); j++)
      if (is_place(json_object_get(kind, names[j]), json_string_value(place)))
        faults_warn(faults, "/webhook/kinds/%zu/masked/%zu: is read as %s, too, so a replay finds it masked",
                    nth, i, names[j]);
  }
}

static void lint_kinds(const json_t *kinds, const json_t *outcomes, struct faults *faults) {
  bool all_taken = false;
  for (size_t i = 0; i < json_array_size(kinds); i++) {
    if (all_taken)
      faults_warn(faults, "/webhook/kinds/%zu: is never reached: a kind before it has no \"when\"", i);
    if (is_named_before(kinds, i))
      faults_warn(faults, "/webhook/kinds/%zu/name: another kind has the same name", i);
    all_taken |= !json_object_get(json_array_get(kinds, i), "when");
    lint_types(json_array_get(kinds, i), i, outcomes, faults);
    lint_masked(json_array_get(kinds, i), i, faults);
  }
}

static bool has_value(const json_t *list_or_map, const char *member, const char *value) {
  const char *key;
  size_t i;
  json_t *row;
  bool found = false;
  json_array_foreach(list_or_map, i, row) {
    found |= strcmp(text_at(row, member), value) == 0;
  }
  json_object_foreach((json_t *)(uintptr_t)list_or_map, key, row) { // jansson's iterators know no const
    found |= strcmp(text_at(row, member), value) == 0;
  }
  return found;
}

// A placeholder of another template language, which is sent unchanged.
static bool is_like_placeholder(const char *text) {
  return strstr(text, "{/") || strstr(text, "{{") || strncmp(text, "$/", 2) == 0 ||
         strncmp(text, "$.", 2) == 0;
}

static void lint_template(const json_t *node, const char *where, struct faults *faults) {
  const char *key, *text = json_string_value(node);
  json_t *member;
  size_t i;
  if (text && strncmp(text, "${", 2) != 0 && is_like_placeholder(text))
    faults_warn(faults, "%s: \"%.40s\" is sent unchanged; a placeholder is ${/pointer}", where, text);
  json_object_foreach((json_t *)(uintptr_t)node, key, member) {
    AUTO_FREE char *at = mem_printf("%s/%s", where, key);
    lint_template(member, at, faults);
  }
  json_array_foreach(node, i, member) {
    AUTO_FREE char *at = mem_printf("%s/%zu", where, i);
    lint_template(member, at, faults);
  }
}

static void lint_outcomes(const json_t *outcomes, struct faults *faults) {
  const char *code;
  json_t *row;
  json_object_foreach((json_t *)(uintptr_t)outcomes, code, row) {
    if (json_object_get(row, "scope") && strcmp(text_at(row, "outcome"), "account_fault") != 0)
      faults_warn(faults, "/outcomes/%s/scope: is not read, since the outcome is not account_fault", code);
  }
}

static double number_at(const json_t *object, const char *key, double otherwise) {
  const json_t *number = json_object_get(object, key);
  return number ? json_number_value(number) : otherwise;
}

static void lint_times(const json_t *webhook, const json_t *expects, struct faults *faults) {
  double budget_ms = number_at(webhook, "budget_ms", 0);
  if (number_at(webhook, "deadline_ms", budget_ms + 1) <= budget_ms)
    faults_warn(faults,
                "/webhook/deadline_ms: is not longer than budget_ms, so no time is left for the body");
  if (number_at(expects, "expires_after_s", 259200) <= number_at(expects, "receipt_within_s", 300))
    faults_warn(faults, "/expects/expires_after_s: is not longer than receipt_within_s, so a notification is "
                        "given up before it is overdue");
}

void provider_lint(const json_t *document, struct faults *faults) {
  const json_t *webhook = json_object_get(document, "webhook");
  const json_t *kinds = json_object_get(webhook, "kinds");
  const json_t *outcomes = json_object_get(document, "outcomes");
  lint_kinds(kinds, outcomes, faults);
  if (has_value(kinds, "kind", "receipt") && !has_value(outcomes, "outcome", "delivered"))
    faults_warn(faults, "/outcomes: no code means delivered, so every receipt is a failure");
  lint_outcomes(outcomes, faults);
  lint_template(json_object_get(json_object_get(webhook, "ack"), "body"), "/webhook/ack/body", faults);
  lint_template(json_object_get(json_object_get(webhook, "refused"), "body"), "/webhook/refused/body",
                faults);
  lint_times(webhook, json_object_get(document, "expects"), faults);
}
