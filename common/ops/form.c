// SPDX-License-Identifier: MIT
#include "common/ops/form.h"

#include "common/base/hex.h"
#include "common/base/mem.h"
#include <stdlib.h>
#include <string.h>

// Decodes text[0, len) to *to, which is no shorter, and moves *to behind it.
static bool decode(const char *text, size_t len, enum form_plus plus, unsigned char **to, struct piece *out) {
  unsigned char *at = *to;
  for (size_t i = 0; i < len; i++) {
    if (text[i] != '%') {
      *at++ = text[i] == '+' && plus == FORM_PLUS_IS_SPACE ? ' ' : (unsigned char)text[i];
      continue;
    }
    int high = len - i > 2 ? hex_value(text[i + 1]) : -1, low = len - i > 2 ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) return false;
    *at++ = (unsigned char)(high << 4 | low);
    i += 2;
  }
  *out = (struct piece){*to, (size_t)(at - *to)};
  *to = at;
  return true;
}

char *form_decode(const char *text, size_t len, enum form_plus plus, size_t *out_len) {
  AUTO_FREE char *out = mem_alloc(len + 1);
  unsigned char *to = (unsigned char *)out;
  struct piece piece;
  if (!decode(text, len, plus, &to, &piece)) return NULL;
  *out_len = piece.len;
  return take(out);
}

// What is before the separator, or all; *text moves behind it.
static struct piece cut(const char **text, const char *end, char separator) {
  const char *begin = *text, *at = memchr(begin, separator, (size_t)(end - begin));
  *text = at ? at + 1 : end;
  return (struct piece){begin, (size_t)((at ? at : end) - begin)};
}

static bool decode_pair(struct piece pair, enum form_plus plus, unsigned char **to, struct form_pair *out) {
  const char *at = pair.bytes, *end = at + pair.len;
  struct piece name = cut(&at, end, '=');
  return decode(name.bytes, name.len, plus, to, &out->name) &&
         decode(at, (size_t)(end - at), plus, to, &out->value);
}

bool form_parse(struct form *out, const char *text, size_t len, enum form_plus plus) {
  *out = (struct form){.text = mem_alloc(len)};
  unsigned char *to = out->text;
  for (const char *end = text + len; text < end;) {
    struct piece pair = cut(&text, end, '&');
    if (pair.len == 0) continue;
    out->pairs = mem_grow(out->pairs, out->n + 1, sizeof *out->pairs);
    if (out->n < FORM_PAIRS_MAX && decode_pair(pair, plus, &to, &out->pairs[out->n++])) continue;
    form_fini(out);
    return false;
  }
  return true;
}

void form_fini(struct form *form) {
  free(form->text);
  free(form->pairs);
  *form = (struct form){0};
}

const struct piece *form_only(const struct form *form, const char *name) {
  const struct piece *found = NULL;
  size_t len = strlen(name);
  for (size_t i = 0; i < form->n; i++) {
    const struct piece *other = &form->pairs[i].name;
    if (other->len != len || memcmp(other->bytes, name, len) != 0) continue;
    if (found) return NULL;
    found = &form->pairs[i].value;
  }
  return found;
}

static bool is_of(struct piece pair, const char *name) {
  const char *at = pair.bytes;
  struct piece text = cut(&at, at + pair.len, '=');
  size_t len;
  AUTO_FREE char *decoded = form_decode(text.bytes, text.len, FORM_PLUS_IS_PLUS, &len);
  return decoded && len == strlen(name) && memcmp(decoded, name, len) == 0;
}

char *form_without(const char *text, const char *name) {
  size_t len = strlen(text);
  char *out = mem_alloc(len + 1), *to = out;
  for (const char *end = text + len; text < end;) {
    struct piece pair = cut(&text, end, '&');
    if (is_of(pair, name)) continue;
    if (to > out) *to++ = '&';
    to = mempcpy(to, pair.bytes, pair.len);
  }
  return out;
}

static int compare_pieces(const struct piece *a, const struct piece *b) {
  int order = memcmp(a->bytes, b->bytes, a->len < b->len ? a->len : b->len);
  return order ? order : (a->len > b->len) - (a->len < b->len);
}

static int compare_pairs(const void *left, const void *right) {
  const struct form_pair *a = left, *b = right;
  int order = compare_pieces(&a->name, &b->name);
  return order ? order : compare_pieces(&a->value, &b->value);
}

void form_sort(struct form *form) {
  if (form->n == 0) return;
  qsort(form->pairs, form->n, sizeof *form->pairs, compare_pairs);
  size_t kept = 1;
  for (size_t i = 1; i < form->n; i++)
    if (compare_pairs(&form->pairs[kept - 1], &form->pairs[i]) != 0) form->pairs[kept++] = form->pairs[i];
  form->n = kept;
}
