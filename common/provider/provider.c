// SPDX-License-Identifier: MIT
#include "common/provider/provider.h"
#include "common/provider/provider_value.h"
#include <string.h>

static const char *const outcome_names[] = {
    [OUTCOME_DELIVERED] = "delivered",         [OUTCOME_FAILED] = "failed",
    [OUTCOME_ACCOUNT_FAULT] = "account_fault", [OUTCOME_UNCONFIRMED] = "unconfirmed",
    [OUTCOME_ON_ITS_WAY] = "on_its_way",
};

const char *provider_outcome_name(enum provider_outcome outcome) {
  return outcome_names[outcome];
}

const char *provider_source_name(enum provider_source source) {
  static const char *const names[] = {[PROVIDER_BODY] = "@body",
                                      [PROVIDER_LEVEL_1] = "@level1",
                                      [PROVIDER_LEVEL_2] = "@level2",
                                      [PROVIDER_LEVEL_3] = "@level3",
                                      [PROVIDER_HEADER] = "@header"};
  return names[source];
}

const char *provider_name(const struct provider *provider) {
  return provider->name;
}

int64_t provider_budget_ms(const struct provider *provider) {
  return provider->budget_ms;
}

bool provider_takes(const struct provider *provider, const char *method) {
  return (provider->takes_get && strcmp(method, "GET") == 0) ||
         (provider->takes_post && strcmp(method, "POST") == 0);
}

bool provider_is_unsigned(const struct provider *provider) {
  return provider->is_unsigned;
}

int64_t provider_deadline_ms(const struct provider *provider) {
  enum { BODY_LEAST_MS = 500 }; // the least time for a body
  int64_t least_ms = provider->budget_ms + BODY_LEAST_MS;
  return provider->deadline_ms > least_ms ? provider->deadline_ms : least_ms;
}

const char *provider_header(const struct provider *provider, size_t nth) {
  for (size_t i = 0; i < provider->n_beside; i++)
    if (provider->beside[i].source == PROVIDER_HEADER && nth-- == 0)
      return provider->beside[i].place.parts[0];
  return NULL;
}

const struct provider_challenge *provider_challenge(const struct provider *provider) {
  return provider->challenge.answer ? &provider->challenge : NULL;
}

bool provider_answers_empty(const struct provider *provider, const char *method) {
  return provider_lists(provider->empty, method);
}

struct provider_expects provider_expects(const struct provider *provider) {
  return provider->expects;
}

struct provider_blocks provider_blocks(const struct provider *provider) {
  return provider->blocks;
}

const json_t *provider_check_first(const struct provider *provider, const char *kind) {
  return json_object_get(json_object_get(provider->document, "check_first"), kind);
}

// ---- suffixes

// The length of `path` without `suffix`, or 0 when it does not end with it.
static size_t without_suffix(const char *path, size_t len, const char *suffix) {
  size_t suffix_len = strlen(suffix);
  if (suffix[suffix_len - 1] == '*') {
    const char *last = memrchr(path, '/', len);
    if (!last || last + 1 == path + len) return 0;
    len = (size_t)(last - path) + 1;
    suffix_len--;
  }
  if (len <= suffix_len || memcmp(path + len - suffix_len, suffix, suffix_len) != 0) return 0;
  return len - suffix_len;
}

const struct provider_suffix *provider_suffix_at(const struct provider *provider, size_t i) {
  return i < provider->n_suffixes ? &provider->suffixes[i] : NULL;
}

const struct provider_suffix *provider_suffix_find(const struct provider *provider, const char *path,
                                                   size_t *len) {
  size_t path_len = strlen(path);
  if (path_len && path[path_len - 1] == '/') path_len--;
  for (size_t i = 0; i < provider->n_suffixes; i++) {
    const struct provider_suffix *suffix = &provider->suffixes[i];
    size_t left = without_suffix(path, path_len, suffix->text);
    if (!left || !suffix->provider) continue;
    *len = left;
    return suffix;
  }
  return NULL;
}

// ---- codes

static bool is_all_digits(const char *text) {
  return *text && text[strspn(text, "0123456789")] == '\0';
}

void provider_code_key(const struct provider *provider, const char *code, char *buf) {
  if (provider->ignores_zeros && is_all_digits(code))
    while (code[0] == '0' && code[1]) code++;
  for (; *code; code++, buf++) {
    *buf = *code;
    if (provider->ignores_case && *code >= 'A' && *code <= 'Z') *buf = (char)(*code - 'A' + 'a');
  }
  *buf = '\0';
}

bool provider_codes_same(const struct provider *provider, const char *a, const char *b) {
  char key_a[PROVIDER_TEXT_MAX + 1], key_b[PROVIDER_TEXT_MAX + 1];
  if (strlen(a) > PROVIDER_TEXT_MAX || strlen(b) > PROVIDER_TEXT_MAX) return false;
  provider_code_key(provider, a, key_a);
  provider_code_key(provider, b, key_b);
  return strcmp(key_a, key_b) == 0;
}

const char *provider_code_listed(const struct provider *provider, const char *code) {
  char key[PROVIDER_TEXT_MAX + 1];
  const char *exact =
      json_object_iter_key(json_object_iter_at((json_t *)(uintptr_t)provider->outcomes, code));
  if (exact || !provider->listed || strlen(code) > PROVIDER_TEXT_MAX) return exact;
  provider_code_key(provider, code, key);
  return json_string_value(json_object_get(provider->listed, key));
}

const char *provider_code_reason(const struct provider *provider, const char *code) {
  const char *listed = provider_code_listed(provider, code);
  return listed ? json_string_value(json_object_get(json_object_get(provider->outcomes, listed), "reason"))
                : NULL;
}

json_t *provider_code_reasons(const struct provider *provider) {
  const char *code;
  json_t *outcome, *reasons = json_object();
  json_object_foreach((json_t *)(uintptr_t)provider->outcomes, code, outcome) {
    json_t *reason = json_object_get(outcome, "reason");
    if (reason) json_object_set(reasons, code, reason);
  }
  return reasons;
}
