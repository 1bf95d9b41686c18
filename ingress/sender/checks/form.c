// SPDX-License-Identifier: MIT
#include "ingress/sender/checks/form.h"

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

static bool decode_pair(const char *text, size_t len, enum form_plus plus, unsigned char **to,
                        struct form_pair *out) {
  const char *equals = memchr(text, '=', len);
  size_t name_len = equals ? (size_t)(equals - text) : len;
  size_t value_at = equals ? name_len + 1 : len;
  return decode(text, name_len, plus, to, &out->name) &&
         decode(text + value_at, len - value_at, plus, to, &out->value);
}

static bool decode_all(struct form *form, const char *text, size_t len, enum form_plus plus) {
  unsigned char *to = form->text;
  for (const char *end = text + len; text < end;) {
    const char *amp = memchr(text, '&', (size_t)(end - text));
    size_t pair_len = (size_t)((amp ? amp : end) - text);
    if (pair_len > 0) {
      if (form->n == FORM_PAIRS_MAX) return false;
      form->pairs = mem_grow(form->pairs, form->n + 1, sizeof *form->pairs);
      if (!decode_pair(text, pair_len, plus, &to, &form->pairs[form->n++])) return false;
    }
    text += pair_len + (amp != NULL);
  }
  return true;
}

bool form_parse(struct form *out, const char *text, size_t len, enum form_plus plus) {
  *out = (struct form){.text = mem_alloc(len)};
  if (decode_all(out, text, len, plus)) return true;
  form_fini(out);
  return false;
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
