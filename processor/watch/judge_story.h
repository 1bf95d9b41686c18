// SPDX-License-Identifier: MIT
// What the alert of an incident tells beside the numbers: the cause on our side, the codes, an example.
// What Postgres does not say is left out, and the log says so. Thread: one.
#pragma once
#include "processor/watch/judge.h"
#include <jansson.h>

MUST_CHECK bool judge_story_prepare(PGconn *conn, struct err *err);
// The codes with which receipts failed since then, in words; *example is a new notification id, if there is
// one. NULL: they cannot be read. New.
json_t *judge_story_codes(struct judge *judge, const struct provider *file, int64_t since_ms, char **example);
// The first notification since then without a receipt; new, or NULL. *seen_ms, if it is not NULL, is then
// when it was registered.
char *judge_story_example(struct judge *judge, const struct provider *file, int64_t since_ms,
                          int64_t *seen_ms);
// Whether so many notifications that were registered since then have no receipt; then *first_ms and *last_ms
// are when the first and the last of them was registered. Where that cannot be read, it is so as of now: then
// they wait.
bool judge_story_unreported(struct judge *judge, const struct provider *file, int64_t since_ms, int64_t n,
                            int64_t *first_ms, int64_t *last_ms);
// What is wrong on our side of this provider, in words: the three incidents at most that were opened last and
// keep its calls away. With an endpoint only what concerns that; "": any of the provider. New, or NULL.
char *judge_story_cause(const struct judge *judge, const char *provider, const char *endpoint);
