// SPDX-License-Identifier: MIT
// The rules of a provider file one by one, for a person who writes the file: what each says, and why a kind
// does not fit an element. Not for: reading an element (provider_read.h). Thread: any.
#pragma once
#include "common/provider/provider.h"

// The i-th place at which the elements of this level may be, from 0; NULL: there are fewer.
const struct json_pointer *provider_level_place(const struct provider *provider, size_t level, size_t i);
size_t provider_kinds_count(const struct provider *provider);
// The kind as the file has it: {"name", "kind", "when" …}; nth < provider_kinds_count(). Borrowed.
const json_t *provider_kind_at(const struct provider *provider, size_t nth);
// Whether the kind has a condition at all.
bool provider_kind_has_when(const struct provider *provider, size_t nth);
// Whether the element meets the kind's `when`. provider_classify() takes the first kind that fits.
bool provider_kind_fits(const struct provider *provider, size_t nth, const json_t *element);
// The first condition that a kind which does not fit has, and the element does not meet.
struct provider_unmet {
  const char *rule;  // of `when`: "present", "absent", "equals" or "equals_any_case"; "": it is none of these
  const char *place; // pointer within the element, borrowed from the provider
  const json_t *expected; // the values that the rule lists; NULL unless it is "equals" or "equals_any_case"
};
struct provider_unmet provider_kind_unmet(const struct provider *provider, size_t nth, const json_t *element);
// The rules for send answers as the file has them, an array. Borrowed; NULL: the file has none.
const json_t *provider_shapes(const struct provider *provider);
// The first of the codes, the keys of an object or the texts of an array, that is `code` but for what
// `codes_ignore` could allow; *ignore is then what the file has to say there, as JSON. NULL: none.
const char *provider_code_near(const struct provider *provider, const json_t *codes, const char *code,
                               const char **ignore);
// `outcomes` as the file has it. Borrowed.
const json_t *provider_outcomes(const struct provider *provider);
// Whether what is no JSON is read as a form or a query.
bool provider_reads_forms(const struct provider *provider);
