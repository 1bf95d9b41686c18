// SPDX-License-Identifier: MIT
#include "common/provider/framing.h"

#include "common/base/mem.h"
#include "common/json/json.h"
#include "common/provider/framing_beside.h"
#include "common/provider/framing_body.h"
#include "common/provider/provider_file.h"
#include "common/provider/provider_read.h"
#include <stdlib.h>
#include <string.h>

const char *framing_kind_name(enum framing_kind kind) {
  static const char *const names[] = {[FRAMING_RECEIPT] = "receipt",
                                      [FRAMING_CONTACT] = "contact",
                                      [FRAMING_OTHER] = "other",
                                      [FRAMING_QUARANTINED] = "quarantined"};
  return names[kind];
}

enum framing_kind framing_kind_of(enum provider_kind kind) {
  static const enum framing_kind kinds[] = {[PROVIDER_RECEIPT] = FRAMING_RECEIPT,
                                            [PROVIDER_CONTACT] = FRAMING_CONTACT,
                                            [PROVIDER_OTHER] = FRAMING_OTHER};
  return kinds[kind];
}

static void quarantine(struct framing_element *element, const char *reason) {
  element->kind = FRAMING_QUARANTINED;
  element->reason = mem_strdup(reason);
}

// Only the id is kept, since a parsed element is many times larger than its text.
static void judge_element(const struct provider *provider, struct framing_element *element) {
  struct provider_element read;
  struct err err;
  AUTO_JSON *value = json_parse(element->bytes, element->len, &err);
  if (!value) {
    quarantine(element, err.text);
  } else if (!provider_classify(provider, value, &read, &err)) {
    err_prefix(&err, "provider %s: ", provider_name(provider));
    quarantine(element, err.text);
  } else {
    element->kind = framing_kind_of(read.kind);
    element->id = mem_strdup_or_null(read.id);
    element->ack = read.ack;
  }
}

void framing_read(const struct provider *provider, struct framing_element *element) {
  enum { BLOCK_BYTES = 8192 }; // enough for a report; a handler's stack has 100 KiB
  _Alignas(16) char bytes[BLOCK_BYTES];
  json_block_begin(bytes, sizeof bytes);
  judge_element(provider, element);
  json_block_end();
}

// ---- cutting

// The cut of one body, level by level.
struct cutter {
  const struct provider *provider;
  struct framing *out;
  size_t room;    // in out->elements
  size_t n_seen;  // elements of all levels
  size_t n_added; // bytes, to all elements
  const struct framing_head *head;
  char *beside[PROVIDER_SOURCES]; // framing_beside() of what is around the element
  struct framing_step way[PROVIDER_LEVELS_MAX];
};

struct list { // what stands at a level: an array, or a single element
  struct json_span text;
  size_t n;
  bool is_array;
};

// The first of the level's places with an array or an object. The text around it needs to be JSON only as far
// as it takes to find it.
static bool find_list(const struct provider_where *level, struct json_span in, struct list *list,
                      struct framing_step *step) {
  for (size_t i = 0; i < level->n; i++) {
    *list = (struct list){.n = 1};
    if (json_span_at(in, &level->pointers[i], &list->text) != JSON_FOUND) continue;
    list->is_array = *list->text.from == '[';
    if (list->is_array ? !json_span_count(list->text, &list->n) : *list->text.from != '{') continue;
    *step = (struct framing_step){.place = (uint8_t)i, .is_in_list = list->is_array};
    return true;
  }
  return false;
}

// The body cannot be cut: it is not JSON, or it has no elements.
static bool err_uncut(struct err *err, const struct provider *provider, struct json_span body) {
  AUTO_JSON *document = json_parse(body.from, (size_t)(body.to - body.from), err);
  if (!document) return false;
  return err_set(err, "provider %s: expected an object or an array at \"%s\"", provider_name(provider),
                 provider->levels[0].pointers[0].text);
}

static void reserve(struct cutter *cutter, size_t n) {
  struct framing *out = cutter->out;
  if (out->n + n <= cutter->room) return;
  cutter->room = out->n + n > 2 * cutter->room ? out->n + n : 2 * cutter->room;
  out->elements = mem_grow(out->elements, cutter->room, sizeof *out->elements);
}

// An object whose end is missing stays as it is, and goes to quarantine.
static bool can_join(const struct provider *provider, struct json_span element) {
  if (*element.from != '{') return provider->reads_element;
  return provider->n_beside && element.to[-1] == '}';
}

static bool join(struct cutter *cutter, struct framing_element *element, struct err *err) {
  struct json_span text = {element->bytes, element->bytes + element->len};
  if (!can_join(cutter->provider, text)) return true;
  element->joined = framing_join(cutter->beside, text, &element->len);
  element->bytes = element->joined;
  size_t added = element->len - (size_t)(text.to - text.from);
  cutter->n_added += added;
  cutter->out->made_bytes += element->len;
  if (added <= FRAMING_ADDED_MAX_BYTES && cutter->n_added <= FRAMING_ALL_ADDED_MAX_BYTES) return true;
  return err_set(err, "more than %d bytes outside of an element are read with it, or %d in all",
                 FRAMING_ADDED_MAX_BYTES, FRAMING_ALL_ADDED_MAX_BYTES);
}

static bool add_element(struct cutter *cutter, struct json_span text, size_t n_steps, struct err *err) {
  reserve(cutter, 1);
  struct framing_element *element = &cutter->out->elements[cutter->out->n++];
  *element =
      (struct framing_element){.bytes = text.from, .len = (size_t)(text.to - text.from), .n_steps = n_steps};
  memcpy(element->way, cutter->way, sizeof element->way);
  if (!join(cutter, element, err)) return false;
  framing_read(cutter->provider, element);
  return true;
}

static enum provider_source level_source(size_t level) {
  return (enum provider_source)(PROVIDER_LEVEL_1 + level);
}

static bool cut_level(struct cutter *cutter, struct json_span in, size_t level, struct err *err);

// The element of a level, with the next level in it, if there is one.
static bool cut_item(struct cutter *cutter, struct json_span item, size_t level, struct err *err) {
  if (level + 1 == cutter->provider->n_levels) return add_element(cutter, item, level + 1, err);
  enum provider_source source = level_source(level);
  cutter->beside[source] = framing_beside(cutter->provider, source, item, NULL);
  bool good = cut_level(cutter, item, level + 1, err);
  free(take(cutter->beside[source]));
  return good;
}

static bool cut_list(struct cutter *cutter, const struct list *list, size_t level, struct err *err) {
  const char *cursor = NULL;
  struct json_span item;
  cutter->n_seen += list->n;
  if (cutter->n_seen > FRAMING_ELEMENTS_MAX)
    return err_set(err, "more than %d elements in one body", FRAMING_ELEMENTS_MAX);
  if (level + 1 == cutter->provider->n_levels) reserve(cutter, list->n);
  for (size_t i = 0; i < list->n && json_span_next(list->text, &cursor, &item); i++) {
    cutter->way[level].nth = (uint16_t)i;
    if (!cut_item(cutter, item, level, err)) return false;
  }
  return true;
}

// What has no next level. It is in the levels above it, and its own is none of them.
static bool add_own_element(struct cutter *cutter, struct json_span text, size_t level, struct err *err) {
  enum provider_source own = level_source(level - 1);
  free(take(cutter->beside[own]));
  return add_element(cutter, text, level, err);
}

// What has no next level is an element itself, so that nothing is lost. Not deeper than PROVIDER_LEVELS_MAX.
static bool cut_level(struct cutter *cutter, struct json_span in, size_t level, struct err *err) {
  struct list list;
  if (find_list(&cutter->provider->levels[level], in, &list, &cutter->way[level]))
    return list.is_array ? cut_list(cutter, &list, level, err) : cut_item(cutter, list.text, level, err);
  if (level == 0) return err_uncut(err, cutter->provider, in);
  return add_own_element(cutter, in, level, err);
}

// The whole of a body.
static bool cut(struct cutter *cutter, struct json_span body, struct err *err) {
  static const enum provider_source sources[] = {PROVIDER_BODY, PROVIDER_HEADER};
  for (size_t i = 0; i < COUNT_OF(sources); i++)
    cutter->beside[sources[i]] = framing_beside(cutter->provider, sources[i], body, cutter->head);
  bool good = cut_level(cutter, body, 0, err);
  for (size_t i = 0; i < COUNT_OF(sources); i++) free(take(cutter->beside[sources[i]]));
  return good;
}

const struct provider_answer *framing_ack(const struct framing *framing) {
  const struct provider_answer *ack = framing->n ? framing->elements[0].ack : NULL;
  for (size_t i = 1; ack && i < framing->n; i++)
    if (framing->elements[i].ack != ack) ack = NULL;
  return ack;
}

size_t framing_too_large(const struct framing *framing, size_t max_bytes) {
  for (size_t i = 0; i < framing->n; i++) {
    bool is_longer = framing->made || framing->elements[i].joined;
    if (framing->elements[i].len > max_bytes + (is_longer ? FRAMING_ADDED_MAX_BYTES : 0)) return i + 1;
  }
  return 0;
}

static void release_elements(struct framing *framing) {
  for (size_t i = 0; i < framing->n; i++) {
    free(framing->elements[i].reason);
    free(framing->elements[i].id);
    free(framing->elements[i].joined);
  }
  free(take(framing->elements));
  framing->n = 0;
}

// ---- a body

static void keep_whole(struct framing *out, const char *body, size_t len, const char *reason) {
  release_elements(out);
  out->elements = mem_alloc(sizeof *out->elements);
  out->n = 1;
  out->elements[0] = (struct framing_element){
      .kind = FRAMING_QUARANTINED, .bytes = body ? body : "", .len = len, .reason = mem_strdup(reason)};
}

void framing_init_whole(struct framing *out, const char *body, size_t len, const char *reason) {
  *out = (struct framing){.text = json_without_mark(body ? body : "", len)};
  keep_whole(out, body, len, reason);
}

// An element that is the whole body: quarantine keeps what was sent, with the text around it.
static bool is_body(const struct provider *provider, const struct framing_element *element) {
  for (size_t i = 0; i < element->n_steps; i++)
    if (element->way[i].is_in_list || provider->levels[i].pointers[element->way[i].place].n_parts)
      return false;
  return true;
}

static void keep_as_sent(struct framing *framing, const struct provider *provider, const char *body,
                         size_t len) {
  struct framing_element *first = framing->elements;
  if (framing->n != 1 || first->kind != FRAMING_QUARANTINED || first->joined || !is_body(provider, first))
    return;
  first->bytes = body;
  first->len = len;
}

static bool make_text(struct framing *out, const struct provider *provider, struct err *err) {
  if (!framing_body_make(provider, &out->text, &out->made, err)) return false;
  out->made_bytes = out->made ? (size_t)(out->text.to - out->text.from) : 0;
  return true;
}

void framing_init(struct framing *out, const struct provider *provider, const char *body, size_t len,
                  const struct framing_head *head) {
  struct err err;
  struct cutter cutter = {.provider = provider, .out = out, .head = head};
  *out = (struct framing){.text = json_without_mark(body ? body : "", len)};
  if (len == 0) {
    keep_whole(out, body, len, "the body is empty");
  } else if (!make_text(out, provider, &err) || !cut(&cutter, out->text, &err)) {
    keep_whole(out, body, len, err.text);
  } else {
    keep_as_sent(out, provider, body, len);
  }
}

void framing_fini(struct framing *framing) {
  release_elements(framing);
  free(framing->made);
  *framing = (struct framing){0};
}

char *framing_place(const struct provider *provider, const struct framing_element *element) {
  char *place = mem_strdup("");
  for (size_t i = 0; i < element->n_steps; i++) {
    const struct framing_step *step = &element->way[i];
    const char *list = provider->levels[i].pointers[step->place].text;
    char *longer = step->is_in_list ? mem_printf("%s%s/%u", place, list, (unsigned)step->nth)
                                    : mem_printf("%s%s", place, list);
    free(place);
    place = longer;
  }
  return place;
}
