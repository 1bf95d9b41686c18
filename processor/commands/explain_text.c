// SPDX-License-Identifier: MIT
#include "processor/commands/explain_text.h"
#include "common/base/mem.h"
#include "common/base/similar.h"
#include "common/base/utf8.h"
#include "common/json/json.h"
#include "common/provider/personal.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_MAX_BYTES = 255, DIGITS_MIN = 9, DIGITS_MAX = 15, DIGITS_NATIONAL_MAX = 11, DIGITS_KOREAN = 12 };

static char *cut(char *text, size_t max_bytes) {
  if (strlen(text) <= max_bytes) return text;
  text[utf8_cut(text, max_bytes)] = '\0';
  char *with_mark = mem_printf("%s…", text);
  free(text);
  return with_mark;
}

// ---- texts

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The bytes of a number at `text`, from its first digit to its last: "010-1234-5678", "82 (10) 1234 5678".
static size_t number_length(const char *text, size_t *digits) {
  enum { GAP_MAX = 2 };
  size_t len = 0;
  *digits = 0;
  for (size_t i = 0; text[i] && i - len <= GAP_MAX; i++) {
    if (is_digit(text[i])) {
      len = i + 1;
      ++*digits;
    } else if (!strchr("- .()", text[i])) {
      break;
    }
  }
  return len;
}

// With its plus, from 0 as within a country, or Korean without its plus. Other digits may be an id.
static bool is_telephone(size_t digits, bool has_plus, char first) {
  if (has_plus) return digits >= DIGITS_MIN && digits <= DIGITS_MAX;
  return (first == '0' && digits >= DIGITS_MIN && digits <= DIGITS_NATIONAL_MAX) ||
         (first == '8' && digits == DIGITS_KOREAN);
}

static void mask_digits(char *text, size_t len, size_t digits) {
  enum { SHOWN_BEFORE = 3, SHOWN_BEHIND = 4 };
  size_t nth = 0;
  for (size_t i = 0; i < len; i++) {
    if (!is_digit(text[i])) continue;
    if (nth >= SHOWN_BEFORE && nth + SHOWN_BEHIND < digits) text[i] = '*';
    nth++;
  }
}

// Behind digits that are no number with those that follow, or alone, another number may begin: a date and a
// number, or two of them.
static void mask_numbers(char *text) {
  for (char *at = text; *at; at++) {
    if (!is_digit(*at)) continue;
    bool has_plus = at > text && at[-1] == '+';
    size_t digits, len = number_length(at, &digits);
    if (!is_telephone(digits, has_plus, *at)) len = digits = strspn(at, "0123456789");
    if (is_telephone(digits, has_plus, *at)) mask_digits(at, len, digits);
    at += len - 1;
  }
}

char *explain_shown(const char *text) {
  bool is_other = strchr(text, '@') || strstr(text, "\xef\xbc"); // an address, or digits of full width
  char *shown = is_other ? personal_mask_text(text) : mem_strdup(text);
  mask_numbers(shown);
  return cut(shown, SHOWN_MAX_BYTES);
}

char *explain_value(const json_t *value) {
  if (!value) return mem_strdup("nothing");
  if (json_is_object(value)) return mem_strdup("an object");
  if (json_is_array(value)) return mem_strdup("a list");
  AUTO_FREE char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
  if (!json_is_string(value)) return explain_shown(mem_or_empty(text));
  AUTO_FREE char *shown = explain_shown(json_string_value(value));
  return mem_printf("\"%s\"", shown);
}

char *explain_form(const char *text) {
  enum { FORM_MAX_BYTES = 40 };
  char *form = mem_strdup(text), *to = form;
  for (const char *at = text; *at; at++) {
    unsigned char byte = (unsigned char)*at;
    if ((byte & 0xc0) == 0x80) continue; // of a character that has begun
    *to++ = (char)(byte >= 0x80 || isalpha(byte) ? 'a' : isdigit(byte) ? '9' : byte);
  }
  *to = '\0';
  return cut(form, FORM_MAX_BYTES);
}

// ---- forms

static const char name_letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.~%+*[]$:@";

// "GET /path", or "https://host/path", up to its query.
static bool begins_request(const char *text, size_t len) {
  size_t word = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  bool is_line = word > 0 && strncmp(text + word, " /", 2) == 0;
  const char *scheme = strstr(text, "://");
  return is_line || *text == '/' ||
         (scheme && scheme < text + len && strspn(text, name_letters) >= (size_t)(scheme - text));
}

const char *explain_query(const char *text) {
  size_t len = strcspn(text, "?=&\r\n");
  if (text[len] != '?' || (len > 0 && !begins_request(text, len))) return NULL;
  return text + len + 1;
}

bool explain_is_form(const char *text) {
  const char *query = explain_query(text), *form = query ? query : text;
  size_t name = strspn(form, name_letters), line = strcspn(form, "\r\n");
  return name > 0 && form[name] == '=' && form[line + strspn(form + line, "\r\n")] == '\0';
}

// ---- places

enum { LEVELS_MAX = 3, PLACES_MAX = 300, PLACES_SHOWN = 20 };

struct places {
  struct {
    char *pointer;
    bool is_leaf; // a list counts as one
  } list[PLACES_MAX];
  size_t n;
};

static void places_fini(struct places *places) {
  for (size_t i = 0; i < places->n; i++) free(places->list[i].pointer);
}

// A member's name as RFC 6901 writes it.
static char *escape(const char *name) {
  char *text = mem_array(2 * strlen(name) + 1, 1), *to = text;
  for (; *name; name++) {
    const char *escaped = *name == '/' ? "~1" : *name == '~' ? "~0" : NULL;
    if (escaped)
      to = stpcpy(to, escaped);
    else
      *to++ = *name;
  }
  return text;
}

static bool is_named(const char *rule, const char *pointer) {
  AUTO_FREE char *quoted = mem_printf("\"%s\"", pointer);
  return strstr(rule, quoted);
}

// Whether the rule names something inside.
static bool is_entered(const char *rule, const char *pointer) {
  AUTO_FREE char *quoted = mem_printf("\"%s/", pointer);
  return strstr(rule, quoted);
}

static void collect(struct places *places, const json_t *in, const char *before, int levels,
                    const char *rule);

// What the rule enters is followed to its end, so that what is left inside is found at any level.
static void add_place(struct places *places, const json_t *value, const char *pointer, int levels,
                      const char *rule) {
  if (places->n == PLACES_MAX) return;
  bool is_entered_here = is_entered(rule, pointer), goes_on = levels > 1 || is_entered_here;
  bool has_parts = json_object_size(value) || (json_array_size(value) && is_entered_here);
  places->list[places->n].pointer = mem_strdup(pointer);
  places->list[places->n++].is_leaf = !has_parts || !goes_on;
  if (goes_on) collect(places, value, pointer, levels - 1, rule);
}

static void collect(struct places *places, const json_t *in, const char *before, int levels,
                    const char *rule) {
  const char *name;
  json_t *member;
  size_t i;
  bool is_list_entered = is_entered(rule, before);
  json_object_foreach((json_t *)(uintptr_t)in, name, member) {
    AUTO_FREE char *part = escape(name), *pointer = mem_printf("%s/%s", before, part);
    add_place(places, member, pointer, levels, rule);
  }
  json_array_foreach(in, i, member) {
    AUTO_FREE char *pointer = mem_printf("%s/%zu", before, i);
    if (is_list_entered && places->n < PLACES_MAX)
      add_place(places, member, pointer, is_entered(rule, pointer) ? levels : 1, rule);
    else if (i == 0 && levels > 1)
      collect(places, member, pointer, levels - 1, rule); // the others are like it
  }
}

// "/@body/to" is no e-mail address.
static char *place_shown(const char *pointer) {
  size_t len = strncmp(pointer, "/@", 2) == 0 ? 2 + strcspn(pointer + 2, "/") : 0;
  AUTO_FREE char *rest = explain_shown(pointer + len);
  return mem_printf("%.*s%s", (int)len, pointer, rest);
}

char *explain_places(const json_t *in, const char *rule) {
  struct places places = {0};
  size_t shown = 0;
  char *text = mem_strdup("");
  collect(&places, in, "", LEVELS_MAX, rule);
  for (size_t i = 0; i < places.n && shown <= PLACES_SHOWN; i++) {
    const char *pointer = places.list[i].pointer;
    bool is_read = *rule && strncmp(pointer, "/@", 2) == 0; // by another kind, or it would not be there
    if (!places.list[i].is_leaf || is_read || is_named(rule, pointer)) continue;
    AUTO_FREE char *part = shown < PLACES_SHOWN ? place_shown(pointer) : mem_strdup("…");
    char *longer = mem_printf("%s%s%s", text, shown++ ? ", " : "", part);
    free(text);
    text = longer;
  }
  places_fini(&places);
  return text;
}

// Of the places that no rule names, else of all: `dedupe` often names what another rule has misspelt.
char *explain_nearest(const json_t *in, const char *pointer, const char *rule) {
  struct places places = {0};
  struct similar similar = {.given = pointer};
  collect(&places, in, "", LEVELS_MAX, rule);
  for (size_t i = 0; i < places.n; i++)
    if (!is_named(rule, places.list[i].pointer)) similar_try(&similar, places.list[i].pointer);
  bool any = similar.best != NULL;
  for (size_t i = 0; !any && i < places.n; i++)
    if (strcmp(places.list[i].pointer, pointer) != 0) similar_try(&similar, places.list[i].pointer);
  char *nearest = similar.best ? place_shown(similar.best) : NULL;
  places_fini(&places);
  return nearest;
}
