// SPDX-License-Identifier: MIT
#include "common/json/json.h"

#include "common/base/mem.h"
#include "common/base/utf8.h"
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void json_cleanup(json_t **value) {
  json_decref(*value);
}

// ---- memory of jansson's values ----

static _Thread_local struct { char *from, *at, *end; } block;

static void *block_malloc(size_t size) {
  enum { ALIGNED = 16 };
  size_t room = (size_t)(block.end - block.at), padded = (size + ALIGNED - 1) / ALIGNED * ALIGNED;
  if (size > room || padded > room) return malloc(size);
  block.at += padded;
  return block.at - padded;
}

static void block_free(void *value) {
  bool ours = (uintptr_t)value >= (uintptr_t)block.from && (uintptr_t)value < (uintptr_t)block.end;
  if (!ours) free(value);
}

// Before any thread and any value: a value is released the way it was made.
__attribute__((constructor)) static void use_block(void) {
  json_set_alloc_funcs(block_malloc, block_free);
}

void json_block_begin(void *bytes, size_t size) {
  block.from = block.at = bytes;
  block.end = block.from + size;
}

void json_block_end(void) {
  block.from = block.at = block.end = NULL;
}

// ---- scanning text without parsing it. Never reads past `end`, never recurses. ----

const char *json_skip_space(const char *at, const char *end) {
  while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
  return at;
}

// From the opening quote to behind the closing one. A quote that was found is kept while escapes stand before
// it, so that no byte is searched twice.
static const char *skip_string(const char *at, const char *end) {
  const char *quote = at++;
  for (;;) {
    if (quote < at) quote = memchr(at, '"', (size_t)(end - at));
    if (!quote) return end;
    const char *slash = memchr(at, '\\', (size_t)(quote - at));
    if (!slash) return quote + 1;
    at = slash + 2 < end ? slash + 2 : end;
  }
}

static bool ends_scalar(char c) {
  return c == ',' || c == ']' || c == '}' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_scalar(const char *at, const char *end) {
  while (at < end && !ends_scalar(*at)) at++;
  return at;
}

// Behind the bracket that closes the one at `at`.
static const char *skip_nested(const char *at, const char *end) {
  size_t depth = 0;
  while (at < end) {
    char c = *at;
    if (c == '"') {
      at = skip_string(at, end);
      continue;
    }
    at++;
    if (c == '{' || c == '[') depth++;
    if ((c == '}' || c == ']') && --depth == 0) break;
  }
  return at;
}

static const char *skip_value(const char *at, const char *end) {
  if (at == end) return end;
  if (*at == '"') return skip_string(at, end);
  if (*at == '{' || *at == '[') return skip_nested(at, end);
  return skip_scalar(at, end);
}

// Checks the depth and the number of values: each value but the first follows a comma or a bracket. A text
// that is not JSON may be misread here, but only behind the byte at which jansson refuses it.
static bool check_bounds(const char *text, const char *end, size_t *values, struct err *err) {
  int depth = 0;
  *values = 1;
  for (const char *at = text; at < end;) {
    if (*at == '"') {
      at = skip_string(at, end);
      continue;
    }
    bool opens = *at == '{' || *at == '[';
    if (opens && ++depth > JSON_DEPTH_MAX)
      return err_set(err, "the JSON is nested deeper than %d levels at byte %td", JSON_DEPTH_MAX, at - text);
    if ((opens || *at == ',') && ++*values > JSON_VALUES_MAX)
      return err_set(err, "the JSON contains more than %d values at byte %td", JSON_VALUES_MAX, at - text);
    if (*at == '}' || *at == ']') depth--;
    at++;
  }
  return true;
}

size_t json_values(const char *text, size_t len) {
  size_t values;
  return check_bounds(text, text + len, &values, NULL) ? values : JSON_VALUES_MAX + 1;
}

static json_t *load(const char *text, size_t len, json_error_t *error) {
  return json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, error);
}

// ---- parsing objects, arrays and strings without escapes, which is nearly all that comes. The result is
// jansson's; jansson itself reads byte by byte and takes several times as long. NULL for any other text:
// jansson then reads it as a whole and names its fault.

struct reader {
  const char *at, *end;
};

static json_t *read_value(struct reader *in);

static bool read_mark(struct reader *in, char mark) {
  in->at = json_skip_space(in->at, in->end);
  if (in->at == in->end || *in->at != mark) return false;
  in->at++;
  return true;
}

static bool read_plain_string(struct reader *in, const char **text, size_t *len) {
  struct reader string = *in;
  if (!read_mark(&string, '"')) return false;
  const char *to = string.at;
  while (to < in->end && *to != '"' && *to != '\\' && (unsigned char)*to >= ' ') to++;
  *text = string.at;
  *len = (size_t)(to - string.at);
  if (to == in->end || *to != '"' || !utf8_ok(*text, *len)) return false;
  in->at = to + 1;
  return true;
}

static json_t *read_object(struct reader *in) { // NOLINT(misc-no-recursion): check_bounds() limits it
  AUTO_JSON *object = json_object();
  if (!read_mark(in, '{')) return NULL;
  if (read_mark(in, '}')) return take(object);
  size_t n = 0;
  do {
    const char *key;
    size_t len;
    if (!read_plain_string(in, &key, &len) || !read_mark(in, ':')) return NULL;
    json_t *value = read_value(in);
    if (!value || json_object_setn_new_nocheck(object, key, len, value)) return NULL;
    if (json_object_size(object) != ++n) return NULL; // a duplicate key
  } while (read_mark(in, ','));
  return read_mark(in, '}') ? take(object) : NULL;
}

static json_t *read_array(struct reader *in) { // NOLINT(misc-no-recursion): as above
  AUTO_JSON *array = json_array();
  if (!read_mark(in, '[')) return NULL;
  if (read_mark(in, ']')) return take(array);
  do {
    json_t *value = read_value(in);
    if (!value || json_array_append_new(array, value)) return NULL;
  } while (read_mark(in, ','));
  return read_mark(in, ']') ? take(array) : NULL;
}

static json_t *read_scalar(struct reader *in) {
  json_error_t error;
  const char *from = in->at;
  in->at = skip_value(from, in->end);
  return load(from, (size_t)(in->at - from), &error);
}

static json_t *read_value(struct reader *in) { // NOLINT(misc-no-recursion): as above
  const char *text;
  size_t len;
  in->at = json_skip_space(in->at, in->end);
  if (in->at == in->end) return NULL;
  if (*in->at == '{') return read_object(in);
  if (*in->at == '[') return read_array(in);
  return read_plain_string(in, &text, &len) ? json_stringn_nocheck(text, len) : read_scalar(in);
}

// ---- parsing ----

// jansson quotes the text at the fault; a body must not reach a log or an answer.
static void cut_quotation(char *reason) {
  static const char *const marks[] = {" near '", " '\\u", " without JSON_ALLOW_NUL"};
  for (size_t i = 0; i < COUNT_OF(marks); i++) {
    char *mark = strstr(reason, marks[i]);
    if (mark) *mark = '\0';
  }
}

// RFC 8259 allows these, or leaves them open.
static const char *verdict_shown(enum json_error_code code) {
  bool json = code == json_error_duplicate_key || code == json_error_null_character ||
              code == json_error_null_byte_in_key || code == json_error_numeric_overflow;
  return json ? "JSON that is not accepted" : "not JSON";
}

// ---- numbers that not every reader can hold

enum { DIGITS_MAX = 300 }; // with the exponent added to them; a double has 308

static bool begins_number(char c) {
  return c == '-' || (c >= '0' && c <= '9');
}

static bool is_name(const char *behind, const char *end) {
  behind = json_skip_space(behind, end);
  return behind < end && *behind == ':';
}

// The next number from `at` on, up to `to`; NULL: there is none. One in the place of a name is no JSON, and
// must not become JSON by quotes.
static const char *next_number(const char *at, const char *end, const char **to) {
  for (; at < end; at = *to) {
    bool number = begins_number(*at);
    *to = number ? skip_scalar(at, end) : *at == '"' ? skip_string(at, end) : at + 1;
    if (number && !is_name(*to, end)) return at;
  }
  return NULL;
}

// Without its sign; at most a little more than DIGITS_MAX.
static size_t exponent_of(const char *token, size_t len) {
  const char *at = token, *end = token + len;
  size_t exponent = 0;
  while (at < end && *at != 'e' && *at != 'E') at++;
  for (; at < end && exponent <= DIGITS_MAX; at++)
    if (*at >= '0' && *at <= '9') exponent = exponent * 10 + (size_t)(*at - '0');
  return exponent;
}

// Over at least one digit; NULL: there is none.
static const char *skip_digits(const char *at, const char *end) {
  const char *from = at;
  while (at < end && *at >= '0' && *at <= '9') at++;
  return at > from ? at : NULL;
}

// RFC 8259 section 6.
static bool is_number(const char *at, const char *end) {
  if (at < end && *at == '-') at++;
  const char *zero = at < end && *at == '0' ? at : NULL;
  at = skip_digits(at, end);
  if (!at || (zero && at > zero + 1)) return false;
  if (at < end && *at == '.') at = skip_digits(at + 1, end);
  if (at && at < end && (*at == 'e' || *at == 'E')) {
    at++;
    if (at < end && (*at == '+' || *at == '-')) at++;
    at = skip_digits(at, end);
  }
  return at == end;
}

static bool is_huge(const char *token, size_t len) {
  return len + exponent_of(token, len) > DIGITS_MAX && is_number(token, token + len);
}

// Whether strtoll() cannot hold it. Digits alone are an integer.
static bool is_wide_integer(const char *token, size_t len) {
  char *rest;
  AUTO_FREE char *copy = mem_alloc(len + 1);
  memcpy(copy, token, len);
  errno = 0;
  strtoll(copy, &rest, 10);
  return errno == ERANGE && *rest == '\0';
}

static bool is_readable(const char *token, size_t len) {
  json_error_t error;
  AUTO_JSON *value = load(token, len, &error);
  return value != NULL;
}

static char *write_number(char *to, const char *token, size_t len, bool for_jansson) {
  bool quote = is_huge(token, len) && !(for_jansson && is_readable(token, len));
  if (quote) *to++ = '"';
  to = mempcpy(to, token, len);
  if (quote) *to++ = '"';
  return !quote && for_jansson && is_wide_integer(token, len) ? mempcpy(to, "e0", 2) : to;
}

// A copy in which every huge number is a string. `for_jansson`: only if jansson refuses it, and an integer
// beyond 64 bits is written as a real, 99999999999999999999e0. With JSON_DECODE_INT_AS_REAL the other
// integers of the document, ids among them, would become reals too.
static char *rewrite_numbers(const char *text, size_t len, bool for_jansson, size_t *out_len) {
  const char *at = text, *end = text + len, *from, *behind;
  char *copy = mem_alloc(len + len / 2 + 3); // 2 bytes for every 5 or more, as in 1e300
  char *to = copy;
  for (; (from = next_number(at, end, &behind)); at = behind) {
    to = mempcpy(to, at, (size_t)(from - at));
    to = write_number(to, from, (size_t)(behind - from), for_jansson);
  }
  to = mempcpy(to, at, (size_t)(end - at));
  *out_len = (size_t)(to - copy);
  return copy;
}

char *json_quote_huge_numbers(const char *text, size_t len, size_t *out_len) {
  const char *end = text + len, *at = text, *to;
  while ((at = next_number(at, end, &to)) && !is_huge(at, (size_t)(to - at))) at = to;
  return at ? rewrite_numbers(text, len, false, out_len) : NULL;
}

// ---- parsing, with what jansson cannot hold written so that it can

static json_t *parse(const char *text, size_t len, struct err *err) {
  const char *end = text + len;
  size_t values;
  if (!check_bounds(text, end, &values, err)) return NULL;
  if (json_skip_space(text, end) == end) {
    err_set(err, "the text is empty");
    return NULL;
  }
  struct reader in = {text, end};
  json_t *value = read_value(&in);
  if (value && json_skip_space(in.at, end) == end) return value;
  json_decref(value);
  json_error_t error;
  value = load(text, len, &error);
  if (!value && json_error_code(&error) == json_error_numeric_overflow) {
    size_t rewritten_len;
    AUTO_FREE char *rewritten = rewrite_numbers(text, len, true, &rewritten_len);
    value = load(rewritten, rewritten_len, &error);
  }
  if (!value) {
    cut_quotation(error.text);
    AUTO_FREE char *line = error.line > 1 ? mem_printf(", line %d", error.line) : NULL; // editors count lines
    err_set(err, "%s: %s at byte %d%s", verdict_shown(json_error_code(&error)), error.text, error.position,
            line ? line : "");
  }
  return value;
}

json_t *json_parse(const char *text, size_t len, struct err *err) {
  AUTO_JSON *value = parse(text, len, err);
  const char *nul = value ? memchr(text, '\0', len) : NULL;
  if (!nul) return take(value);
  err_set(err, "not JSON: a NUL byte at byte %td", nul - text); // jansson stops reading there
  return NULL;
}

// ---- pointers ----

// Unescapes ~0 and ~1 in place; false for any other ~.
static bool unescape_part(char *part) {
  static const char plain[] = "~/";
  char *to = part;
  for (const char *from = part; *from; from++) {
    if (*from != '~') {
      *to++ = *from;
      continue;
    }
    from++;
    if (*from != '0' && *from != '1') return false;
    *to++ = plain[*from - '0'];
  }
  *to = '\0';
  return true;
}

bool json_pointer_init(struct json_pointer *out, const char *text, struct err *err) {
  if (*text != '\0' && *text != '/')
    return err_set(err, "JSON Pointer \"%s\": begins with neither / nor nothing", text);
  struct json_pointer pointer = {.text = mem_strdup(text)};
  for (const char *at = text; *at; pointer.n_parts++) {
    size_t len = strcspn(at + 1, "/");
    pointer.parts = mem_grow(pointer.parts, pointer.n_parts + 1, sizeof *pointer.parts);
    pointer.parts[pointer.n_parts] = mem_strndup(at + 1, len);
    if (!unescape_part(pointer.parts[pointer.n_parts])) {
      pointer.n_parts++;
      json_pointer_fini(&pointer);
      return err_set(err, "JSON Pointer \"%s\": ~ is followed by neither 0 nor 1", text);
    }
    at += 1 + len;
  }
  *out = pointer;
  return true;
}

void json_pointer_fini(struct json_pointer *pointer) {
  for (size_t i = 0; i < pointer->n_parts; i++) free(pointer->parts[i]);
  free(pointer->parts);
  free(pointer->text);
  *pointer = (struct json_pointer){0};
}

// "0", or digits without a leading zero.
static bool parse_index(const char *part, size_t *index) {
  if (part[0] < '0' || part[0] > '9' || (part[0] == '0' && part[1] != '\0') || strlen(part) > 9) return false;
  *index = 0;
  for (; *part >= '0' && *part <= '9'; part++) *index = *index * 10 + (size_t)(*part - '0');
  return *part == '\0';
}

static json_t *child_of(const json_t *parent, const char *part) {
  size_t index;
  if (json_is_object(parent)) return json_object_get(parent, part);
  if (json_is_array(parent) && parse_index(part, &index)) return json_array_get(parent, index);
  return NULL;
}

static json_t *descend(const json_t *root, const struct json_pointer *pointer, size_t n_parts) {
  json_t *value = (json_t *)(uintptr_t)root; // borrowed from a const document, as json_object_get() lends it
  for (size_t i = 0; i < n_parts && value; i++) value = child_of(value, pointer->parts[i]);
  return value;
}

json_t *json_at(const json_t *root, const struct json_pointer *pointer) {
  return descend(root, pointer, pointer->n_parts);
}

bool json_replace_at(json_t *root, const struct json_pointer *pointer, json_t *value) {
  json_t *parent = pointer->n_parts > 0 ? descend(root, pointer, pointer->n_parts - 1) : NULL;
  const char *last = pointer->n_parts > 0 ? pointer->parts[pointer->n_parts - 1] : NULL;
  size_t index;
  if (!parent || !child_of(parent, last)) {
    json_decref(value);
    return false;
  }
  if (json_is_object(parent)) return json_object_set_new(parent, last, value) == 0;
  return parse_index(last, &index) && json_array_set_new(parent, index, value) == 0;
}

const char *json_scalar_text(const json_t *value, char buf[24]) {
  if (json_is_integer(value)) {
    snprintf(buf, 24, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return buf;
  }
  return json_is_string(value) && json_string_length(value) > 0 ? json_string_value(value) : NULL;
}

const char *json_compared_text(const json_t *value, char buf[24]) {
  if (json_is_boolean(value)) return json_is_true(value) ? "true" : "false";
  return json_scalar_text(value, buf);
}

// ---- spans: exact bytes, also of a text whose values are not all JSON ----

// Whether the string from the quote at `at` on to `end` is `part`. jansson reads the escapes; it refuses a
// lone surrogate, which equals no name.
static bool key_equals(const char *at, const char *end, const char *part) {
  size_t len = (size_t)(end - at), part_len = strlen(part);
  if (!memchr(at, '\\', len)) return len == part_len + 2 && memcmp(at + 1, part, part_len) == 0;
  json_error_t error;
  AUTO_JSON *key = load(at, len, &error);
  return json_is_string(key) && strcmp(json_string_value(key), part) == 0;
}

// Steps over one member of an object, "key": value, and the space around it. False: there is none.
static bool read_member(const char **at, const char *end, struct json_span *key, struct json_span *value) {
  key->from = json_skip_space(*at, end);
  if (key->from == end || *key->from != '"') return false;
  key->to = skip_string(key->from, end);
  const char *colon = json_skip_space(key->to, end);
  if (colon == end || *colon != ':') return false;
  value->from = json_skip_space(colon + 1, end);
  value->to = skip_value(value->from, end);
  *at = json_skip_space(value->to, end);
  return value->to > value->from && *at < end && (**at == ',' || **at == '}');
}

// The member `part` of an object. Two of that name are a fault, since RFC 8259 does not say which one counts.
static enum json_found find_member(struct json_span object, const char *part, struct json_span *out) {
  enum json_found found = JSON_ABSENT;
  struct json_span key, value;
  const char *at = json_skip_space(object.from + 1, object.to);
  if (at < object.to && *at == '}') return at + 1 == object.to ? JSON_ABSENT : JSON_BROKEN;
  do {
    if (!read_member(&at, object.to, &key, &value)) return JSON_BROKEN;
    if (key_equals(key.from, key.to, part)) {
      if (found == JSON_FOUND) return JSON_BROKEN;
      found = JSON_FOUND;
      *out = value;
    }
  } while (*at++ == ',');
  return at == object.to ? found : JSON_BROKEN;
}

bool json_span_next(struct json_span array, const char **cursor, struct json_span *out) {
  const char *at = json_skip_space(*cursor ? *cursor : array.from, array.to);
  if (at == array.to || *at != (*cursor ? ',' : '[')) return false;
  const char *from = json_skip_space(at + 1, array.to), *to = skip_value(from, array.to);
  if (from == to) return false;
  *out = (struct json_span){from, to};
  *cursor = to;
  return true;
}

bool json_span_count(struct json_span array, size_t *n) {
  const char *cursor = NULL;
  struct json_span element;
  *n = 0;
  if (array.from == array.to || *array.from != '[') return false;
  while (json_span_next(array, &cursor, &element)) ++*n;
  const char *at = json_skip_space(cursor ? cursor : array.from + 1, array.to);
  return at + 1 == array.to && *at == ']';
}

static enum json_found find_element(struct json_span array, const char *part, struct json_span *out) {
  const char *cursor = NULL;
  size_t n, index;
  if (!json_span_count(array, &n)) return JSON_BROKEN;
  if (!parse_index(part, &index) || index >= n) return JSON_ABSENT;
  for (size_t i = 0; i <= index; i++) json_span_next(array, &cursor, out);
  return JSON_FOUND;
}

static enum json_found find_child(struct json_span parent, const char *part, struct json_span *out) {
  if (*parent.from == '{') return find_member(parent, part, out);
  if (*parent.from == '[') return find_element(parent, part, out);
  return JSON_ABSENT;
}

enum json_found json_span_at(struct json_span text, const struct json_pointer *pointer,
                             struct json_span *out) {
  const char *from = json_skip_space(text.from, text.to);
  struct json_span at = {from, skip_value(from, text.to)};
  if (at.from == at.to || json_skip_space(at.to, text.to) != text.to) return JSON_BROKEN;
  for (size_t i = 0; i < pointer->n_parts; i++) {
    enum json_found found = find_child(at, pointer->parts[i], &at);
    if (found != JSON_FOUND) return found;
  }
  *out = at;
  return JSON_FOUND;
}

// ---- a scalar, also of a text that is not JSON ----

static bool is_scalar(struct json_span value) {
  if (value.from == value.to || *value.from == '{' || *value.from == '[') return false;
  AUTO_JSON *parsed = json_parse(value.from, (size_t)(value.to - value.from), NULL);
  return json_is_string(parsed) || json_is_number(parsed);
}

// The string or number behind the quoted name at `at` and a colon; empty if it is not complete. A number at
// the end of the text may have been cut. NUMBER_MAX keeps the search linear: a string ends before the next
// name, a number might not.
static struct json_span named_value(const char *at, const char *end) {
  enum { NUMBER_MAX = 64 };
  const char *colon = json_skip_space(skip_string(at, end), end);
  const char *from = colon < end && *colon == ':' ? json_skip_space(colon + 1, end) : end;
  if (from < end && *from == '"') return (struct json_span){from, skip_string(from, end)};
  const char *bound = end - from > NUMBER_MAX ? from + NUMBER_MAX : end;
  const char *to = skip_scalar(from, bound);
  return (struct json_span){from, to < bound ? to : from};
}

// The next quoted name `part` from `at` on, if written without escapes and not inside an escaped text.
static const char *next_name(const char *text, const char *at, const char *end, const char *part) {
  size_t len = strlen(part);
  for (; (at = memchr(at, '"', (size_t)(end - at))); at++) {
    bool fits = (size_t)(end - at) >= len + 2 && memcmp(at + 1, part, len) == 0 && at[len + 1] == '"';
    if (fits && (at == text || at[-1] != '\\')) return at;
  }
  return NULL;
}

// Finds the names of the pointer one behind the other, the last one with a scalar.
static bool search_scalar(struct json_span text, const struct json_pointer *pointer, struct json_span *out) {
  const char *at = text.from;
  for (size_t i = 0; i < pointer->n_parts; i++) {
    bool last = i + 1 == pointer->n_parts;
    while ((at = next_name(text.from, at, text.to, pointer->parts[i]))) {
      struct json_span value = named_value(at, text.to);
      at += strlen(pointer->parts[i]) + 1;
      if (last && is_scalar(value)) {
        *out = value;
        return true;
      }
      if (!last) break;
    }
    if (!at) return false;
  }
  return false;
}

bool json_scalar_at(struct json_span text, const struct json_pointer *pointer, struct json_span *out) {
  enum json_found found = json_span_at(text, pointer, out);
  if (found == JSON_FOUND) return is_scalar(*out);
  return found == JSON_BROKEN && search_scalar(text, pointer, out);
}

struct json_span json_without_mark(const char *text, size_t len) {
  bool marked = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
  return (struct json_span){marked ? text + 3 : text, text + len};
}

char *json_text(const json_t *value) {
  char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
  if (!text) abort(); // out of memory, as in mem.c
  return text;
}
