// SPDX-License-Identifier: MIT
// JSON from outside: parsing with bounds on depth and size, JSON Pointers (RFC 6901) compiled once, and the
// exact bytes of a value inside a body. Values are jansson's. Thread: any.
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
// beyond 64 bits is read as a real, and a number beyond a double as a string of its characters. Neither is
// refused, since the raw bytes are what is sent on. New reference, or NULL with the cause and the position,
// never the content.
MUST_CHECK json_t *json_parse(const char *text, size_t len, struct err *err);
// A copy of a JSON text in which each number of more than 300 digits, its exponent added to them, is a string
// of the same characters: some readers cannot hold such a number. NULL: there is none. New string of *out_len
// bytes, not terminated.
char *json_quote_huge_numbers(const char *text, size_t len, size_t *out_len);

// The number of values that json_parse() would make of the text, and one for each empty array or object; or
// more if the text is not JSON. At most JSON_VALUES_MAX + 1.
size_t json_values(const char *text, size_t len);

// Values that this thread makes between begin and end are placed in `block` while there is room; each of them
// has to be released before the end. For a document that is parsed, read and released at once: its dozens of
// small values then cost no malloc().
void json_block_begin(void *block, size_t size);
void json_block_end(void);

struct json_pointer {
  char *text;     // as written, for messages
  char **parts;   // unescaped
  size_t n_parts; // 0 = the whole document
};

MUST_CHECK bool json_pointer_init(struct json_pointer *out, const char *text, struct err *err);
void json_pointer_fini(struct json_pointer *pointer);

// Borrowed; NULL: not found. RFC 6901 section 4; "-" is never found.
json_t *json_at(const json_t *root, const struct json_pointer *pointer);
// Replaces the value at `pointer` by `value` (reference stolen); false: not found.
bool json_replace_at(json_t *root, const struct json_pointer *pointer, json_t *value);

// A string as it is, an integer in decimal. NULL for anything else, and for an empty string. Borrowed from
// value or buf.
const char *json_scalar_text(const json_t *value, char buf[24]);
// The same, and true and false by their names: for what is compared with texts.
const char *json_compared_text(const json_t *value, char buf[24]);
// The first byte from `at` on that is no white space of JSON, or `end`.
const char *json_skip_space(const char *at, const char *end);

// Bytes [from, to) of a text; borrowed.
struct json_span {
  const char *from, *to;
};
// The text without a UTF-8 byte order mark at its start. RFC 8259 section 8.1 lets a parser ignore the mark;
// json_parse() does not.
struct json_span json_without_mark(const char *text, size_t len);

// The bytes of the value at `pointer`. Other values, and the value itself, need not be JSON: only brackets,
// commas, colons and quotes are read, in linear time and without recursion. ABSENT: the text could be read
// that far and contains no such value. BROKEN: the text is cut off, its brackets do not match, something
// follows its value, or a name of the pointer is there twice.
enum json_found { JSON_FOUND, JSON_ABSENT, JSON_BROKEN };
MUST_CHECK enum json_found json_span_at(struct json_span text, const struct json_pointer *pointer,
                                        struct json_span *out);
// Steps through the elements of an array: *cursor is NULL at first. False: there is no further element.
bool json_span_next(struct json_span array, const char **cursor, struct json_span *out);
// False: not an array that json_span_next() can step through to its end.
MUST_CHECK bool json_span_count(struct json_span array, size_t *n);

// The bytes of the string or number at `pointer`, which is valid JSON by itself. If the text is BROKEN for
// json_span_at(), the names of the pointer are searched for in the bytes, one behind the other; the first
// complete value behind the last name counts. False: not found.
MUST_CHECK bool json_scalar_at(struct json_span text, const struct json_pointer *pointer,
                               struct json_span *out);

// Compact text, keys in the order given; the caller frees.
char *json_text(const json_t *value);
