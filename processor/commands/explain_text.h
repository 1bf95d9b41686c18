// SPDX-License-Identifier: MIT
// Parts of a body as text that a person may see: telephone numbers and e-mail addresses are masked, long
// texts cut. Pure. Each result is a new string.
#pragma once
#include <jansson.h>
#include <stdbool.h>

// A text of the body. Whole stay ids: digits that could be no telephone number.
char *explain_shown(const char *text);
// Any value: a text in quotes, a number, "a list" …
char *explain_value(const json_t *value);
// Only the form of a text: "2026/1/12" is "9999/9/99", each letter is "a".
char *explain_form(const char *text);
// The pointers to what stands in a value, down to its third level: "/id, /to, /data/id". Those that a rule
// names are left out: `rule` is its JSON, or "". Of an object or a list in which it names something, what is
// left inside is listed, at any level.
char *explain_places(const json_t *in, const char *rule);
// The pointer that is most like `pointer`, of those that the rule does not name, else of all. NULL: none is
// like it.
char *explain_nearest(const json_t *in, const char *pointer, const char *rule);

// Where the query of a URL or of the first line of a request begins, or a query with its "?"; NULL: the text
// is none of these. Borrowed.
const char *explain_query(const char *text);
// Whether the text, or its query, may be a form: "id=17&state=D".
bool explain_is_form(const char *text);
