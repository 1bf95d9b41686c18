// SPDX-License-Identifier: MIT
// JSON at our door: parsing that cannot be made to recurse without bound, JSON Pointers (RFC 6901) made ready
// once, and the exact bytes of a value inside a body. Values are jansson's.
#pragma once
#include "common/base/err.h"
#include <jansson.h>
#include <stddef.h>

enum { JSON_DEPTH_MAX = 64, JSON_VALUES_MAX = 50000 };

void json_cleanup(json_t **value);
#define AUTO_JSON __attribute__((cleanup(json_cleanup))) json_t

// Parses a whole text. Refuses: empty, nested deeper than JSON_DEPTH_MAX (checked before jansson recurses),
// more than JSON_VALUES_MAX values (each costs up to a hundred times its bytes),
// ill-formed UTF-8, lone surrogates, NUL in a string, duplicate keys, anything behind the value. An integer
// beyond 64 bit is read as a real rather than refused: the raw bytes are what travels. New reference, or NULL
// with the cause and the position, never the content.
MUST_CHECK json_t *json_parse(const char *text, size_t len, struct err *err);

struct json_pointer {
  char *text;     // as written, for messages
  char **parts;   // unescaped
  size_t n_parts; // 0 = the whole document
};

MUST_CHECK bool json_pointer_init(struct json_pointer *out, const char *text, struct err *err);
void json_pointer_fini(struct json_pointer *pointer);

// Borrowed; NULL where there is nothing. RFC 6901 section 4; "-" is never found.
json_t *json_at(const json_t *root, const struct json_pointer *pointer);
// Puts `value` (reference stolen) in place of what is there; false when nothing is there.
bool json_replace_at(json_t *root, const struct json_pointer *pointer, json_t *value);

// The text of a string or an integer as an id is written: strings as they are, integers in decimal, into
// `buf` if need be. NULL for anything else, and for an empty string. Borrowed from value or buf.
const char *json_scalar_text(const json_t *value, char buf[24]);

// Where in `text`, a document json_parse() has accepted, the value at `pointer` stands: bytes [*start, *start
// + *len).
bool json_span_at(const char *text, size_t len, const struct json_pointer *pointer, size_t *start,
                  size_t *out_len);
// Steps through the elements of an array span: *cursor is 0 at first. False after the last one.
bool json_span_next(const char *array, size_t len, size_t *cursor, size_t *start, size_t *out_len);

// Compact text, keys in the order given; the caller frees.
char *json_text(const json_t *value);
