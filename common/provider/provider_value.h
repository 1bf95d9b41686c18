// SPDX-License-Identifier: MIT
// Private to this folder. The places, conditions and ids of a provider file: compiled when the file is
// loaded, and read in an element, a send response or an answer. The schema has accepted each node that is
// compiled. A number is written as text into `buf`. Not for: what a value means (provider_read.h,
// provider_acceptance.h). Thread: any, once loaded.
#pragma once
#include "common/provider/provider_file.h"

// ---- places

// Frees the block with the provider. Returns it.
void *provider_keep(struct provider *provider, void *block);
// Compiled, and kept until the provider is freed.
struct json_pointer provider_pointer(struct provider *provider, const char *text);
// A pointer, an array of pointers, or {"value": …}; empty if there is none.
struct provider_where provider_where_at(struct provider *provider, const json_t *node);
struct provider_where provider_where_of(struct provider *provider, const json_t *object, const char *key);
// Whether it is one of the pointers.
bool provider_where_has(const struct provider_where *where, const struct json_pointer *place);
// The first pointer, for messages.
const char *provider_where_shown(const struct provider_where *where);

// ---- values

enum { PROVIDER_NO_LIMIT = 0 }; // for a text that is copied, hashed or parsed at once

// At most so many bytes, and no control character.
bool provider_text_fits(const char *text, size_t max_bytes);
// The first pointer at which a text or a whole number fits, which is then in *text. NULL: none.
const struct json_pointer *provider_where_find(const struct provider_where *where, const json_t *from,
                                               size_t max_bytes, char buf[PROVIDER_NUMBER_SIZE],
                                               const char **text);
// The text that provider_where_find() finds, else the literal, else NULL.
const char *provider_where_text(const struct provider_where *where, const json_t *from, size_t max_bytes,
                                char buf[PROVIDER_NUMBER_SIZE]);
// The same for a code, which is true or false only where the file lists such a code. *place: where it was
// read, or NULL.
const char *provider_where_code(const struct provider_where *where, bool may_be_boolean, const json_t *from,
                                char buf[PROVIDER_NUMBER_SIZE], const struct json_pointer **place);
// Whether an array of texts has this one.
bool provider_lists(const json_t *texts, const char *text);

// ---- conditions

void provider_conditions_load(struct provider *provider, struct provider_conditions *conditions,
                              const json_t *when);
// Only those of `equals` and `equals_any_case`, objects by pointer; NULL: none.
void provider_equals_load(struct provider *provider, struct provider_conditions *conditions, json_t *exact,
                          json_t *in_any_case);
bool provider_conditions_hold(const struct provider_conditions *conditions, const json_t *in);
// Whether those hold that are no `equals`.
bool provider_places_hold(const struct provider_conditions *conditions, const json_t *in);
// The first `equals` that does not hold, or NULL.
const struct provider_equals *provider_conditions_unequal(const struct provider_conditions *conditions,
                                                          const json_t *in);
// Whether the condition lists this text, in any case if it says so.
bool provider_equals_lists(const struct provider_equals *equals, const char *text);

// ---- ids

// `shared_id`, then `id`: a place, or {"parts": [places]}. Empty if the keys are left out.
struct provider_id provider_id_load(struct provider *provider, const json_t *object,
                                    const struct provider_where *recipient);
// Shared parts are read in `whole`. The id is in `buf` or borrowed. NULL: *unusable is the part without a
// usable value, or NULL if the parts together are too long or the file names none.
const char *provider_id_read(const struct provider_id *id, const json_t *from, const json_t *whole,
                             char buf[PROVIDER_ID_SIZE], const struct provider_part **unusable);
