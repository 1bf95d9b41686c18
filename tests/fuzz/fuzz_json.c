// SPDX-License-Identifier: MIT
// What is read without jansson, the guard in front of both, and the spans: a document is what jansson makes
// of it, no deeper than it may be, and the text at each place says what the document says there.
#include "common/json/json.h"
#include "tests/fuzz/cuts.h"
#include "tests/unit/support/spans.h"

// In the object at `text`, found as a provider file would name it.
static void span_of_member(const char *text, size_t len, const char *key, size_t *start, size_t *out_len) {
  char *name = mem_alloc(2 * strlen(key) + 2), *to = name;
  *to++ = '/';
  for (; *key; key++) {
    if (*key == '~' || *key == '/') *to++ = '~';
    *to++ = (char)(*key == '~' ? '0' : *key == '/' ? '1' : *key);
  }
  struct json_pointer pointer;
  if (!json_pointer_init(&pointer, name, NULL)) abort();
  if (span_at(text, len, &pointer, start, out_len) != JSON_FOUND) abort();
  json_pointer_fini(&pointer);
  free(name);
}

// `text` is what stands where `value` was read.
static void look_at(const json_t *value, const char *text, size_t len, int depth) {
  AUTO_JSON *again = json_parse(text, len, NULL);
  if (!again || !json_equal(again, value)) abort();
  const char *cursor = NULL;
  size_t start, child_len, n = json_array_size(value);
  const char *key;
  json_t *child;
  if ((json_is_object(value) || json_is_array(value)) && ++depth > JSON_DEPTH_MAX) abort();
  for (size_t i = 0; i < n; i++) {
    if (!span_next(text, len, &cursor, &start, &child_len) || start + child_len > len) abort();
    look_at(json_array_get(value, i), text + start, child_len, depth);
  }
  size_t counted;
  if (json_is_array(value) &&
      (!json_span_count((struct json_span){text, text + len}, &counted) || counted != n))
    abort();
  if (json_is_array(value) && span_next(text, len, &cursor, &start, &child_len)) abort();
  json_object_foreach((json_t *)(uintptr_t)value, key, child) {
    span_of_member(text, len, key, &start, &child_len);
    if (start + child_len > len) abort();
    look_at(child, text + start, child_len, depth);
  }
}

// Numbers that are too large for it are read as reals or as strings.
static void ask_jansson(const json_t *document, const char *text, size_t len) {
  json_error_t error;
  AUTO_JSON *its = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
  if (its ? !json_equal(its, document) : json_error_code(&error) != json_error_numeric_overflow) abort();
}

// A scalar lies in the text and is JSON by itself, whatever the text is; in JSON it is what stands there.
static void look_for_scalar(const json_t *document, const char *text, size_t len, const char *name) {
  struct json_pointer pointer;
  size_t start, scalar_len;
  if (!json_pointer_init(&pointer, name, NULL)) abort();
  bool found = scalar_at(text, len, &pointer, &start, &scalar_len);
  if (found) {
    if (start + scalar_len > len) abort();
    AUTO_JSON *scalar = json_parse(text + start, scalar_len, NULL);
    if (!json_is_string(scalar) && !json_is_number(scalar)) abort();
    if (document && !json_equal(scalar, json_at(document, &pointer))) abort();
  } else if (json_is_string(json_at(document, &pointer)) || json_is_number(json_at(document, &pointer))) {
    abort();
  }
  json_pointer_fini(&pointer);
}

// What is quoted is JSON that holds no such number, if the text is JSON at all.
static void quote_huge_numbers(const json_t *document, const char *text, size_t len) {
  size_t quoted_len, again_len;
  char *quoted = json_quote_huge_numbers(text, len, &quoted_len);
  if (quoted == NULL) return;
  AUTO_JSON *value = json_parse(quoted, quoted_len, NULL);
  if (!value != !document) abort();
  if (json_quote_huge_numbers(quoted, quoted_len, &again_len)) abort();
  free(quoted);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  static const struct json_pointer whole = {.n_parts = 0};
  struct err err = {0};
  char *text = exact_copy(bytes, len);
  AUTO_JSON *document = json_parse(text, len, &err);
  if (!document && !*err.text) abort();
  size_t start, span_len;
  look_for_scalar(document, text, len, "/a");
  look_for_scalar(document, text, len, "/a/b");
  look_for_scalar(document, text, len, "/0/a");
  quote_huge_numbers(document, text, len);
  if (document) {
    if (span_at(text, len, &whole, &start, &span_len) != JSON_FOUND || start + span_len > len) abort();
    look_at(document, text + start, span_len, 0);
    ask_jansson(document, text, len);
  }
  free(text);
  return 0;
}
