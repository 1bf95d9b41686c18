// SPDX-License-Identifier: MIT
// JSON as it comes from outside: parsing with bounds on depth and size, JSON Pointers (RFC 6901) compiled
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

// The bytes of a UTF-8 byte order mark at the start of `text`: 3, or 0 where there is none. RFC 8259
// section 8.1 lets a parser ignore it; json_parse() does not.
size_t json_mark(const char *text, size_t len);

// Where in `text` the value at `pointer` stands: bytes [*start, *start + *len). What lies beside the way
// there, and the value itself, need not be JSON: only the brackets, commas, colons and quotes are read, in
// time linear to the text and without recursion. ABSENT: the text can be read so far, and nothing is there.
// BROKEN: the text is cut off or its brackets do not match, something follows its value, or a name on the way
// is there twice.
enum json_found { JSON_FOUND, JSON_ABSENT, JSON_BROKEN };
MUST_CHECK enum json_found json_span_at(const char *text, size_t len, const struct json_pointer *pointer,
                                        size_t *start, size_t *out_len);
// Steps through the elements of an array span: *cursor is 0 at first. False after the last one, and where
// there is no element.
bool json_span_next(const char *array, size_t len, size_t *cursor, size_t *start, size_t *out_len);
// False: not an array that json_span_next() steps through to its end.
MUST_CHECK bool json_span_count(const char *array, size_t len, size_t *n);

// The string or number at `pointer`, as its bytes in `text`; it is valid JSON by itself. Where json_span_at()
// finds the text BROKEN, the last name of the pointer is searched for in the bytes, behind the others: the
// first complete value after it counts. False: there is none.
MUST_CHECK bool json_scalar_at(const char *text, size_t len, const struct json_pointer *pointer,
                               size_t *start, size_t *out_len);

// Compact text, keys in the order given; the caller frees.
char *json_text(const json_t *value);
