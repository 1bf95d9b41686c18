// SPDX-License-Identifier: MIT
#include "common/provider/provider_answer.h"
#include "common/base/mem.h"
#include "common/provider/provider_value.h"
#include <string.h>

// ---- loading: text with placeholders in between; "${/pointer}" is the only string that contains "${"

static struct json_pointer place_of(struct provider *provider, const char *placeholder, size_t len) {
  AUTO_JSON *text = json_parse(placeholder, len, NULL); // never fails: json_text() wrote it
  AUTO_FREE char *pointer = mem_strndup(json_string_value(text) + 2, json_string_length(text) - 3);
  return provider_pointer(provider, pointer);
}

// JSON, or a text, in which the schema allows no "${".
static void pieces_load(struct provider *provider, struct provider_answer *answer, const char *text) {
  struct provider_piece *pieces = NULL;
  const char *at = text, *mark;
  for (; at; at = mark) {
    pieces = mem_grow(pieces, answer->n + 1, sizeof *pieces);
    struct provider_piece *piece = &pieces[answer->n++];
    mark = strstr(at, "\"${");
    size_t len = mark ? (size_t)(mark - at) : strlen(at);
    *piece = (struct provider_piece){.text = at, .len = len, .has_place = mark};
    if (!mark) break;
    const char *end = strchr(mark, '}') + 2; // the schema allows no } in the pointer
    piece->place = place_of(provider, mark, (size_t)(end - mark));
    mark = end;
  }
  answer->pieces = provider_keep(provider, pieces);
}

void provider_answer_load(struct provider *provider, struct provider_answer *answer, const json_t *node) {
  const json_t *body = json_object_get(node, "body");
  const char *text = json_string_value(json_object_get(node, "text"));
  answer->status = (int)json_number_value(json_object_get(node, "status"));
  answer->is_text = text != NULL;
  if (body) text = provider_keep(provider, json_text(body));
  if (text) pieces_load(provider, answer, text);
}

// ---- making

static bool find_in_reports(struct json_span array, const struct json_pointer *place, struct json_span *out) {
  const char *cursor = NULL;
  struct json_span report;
  while (json_span_next(array, &cursor, &report))
    if (json_scalar_at(report, place, out)) return true;
  return false;
}

// In an array of reports, where the file expects one report as the whole body, the first one with a value
// counts.
static bool find_value(const struct provider *provider, struct json_span body,
                       const struct json_pointer *place, struct json_span *out) {
  const struct provider_where *elements = &provider->levels[0];
  if (body.from == body.to) return false;
  if (json_scalar_at(body, place, out)) return true;
  for (size_t i = 0; i < elements->n; i++)
    if (elements->pointers[i].n_parts == 0 && json_span_at(body, &elements->pointers[i], &body) == JSON_FOUND)
      return find_in_reports(body, place, out);
  return false;
}

struct body { // of an answer, with a NUL behind it
  char *bytes;
  size_t len, room;
};

static void append(struct body *body, const char *text, size_t len) {
  enum { ROOM = 256 }; // nearly every answer fits
  if (body->len + len >= body->room) {
    body->room = body->len + len + ROOM;
    body->bytes = mem_grow(body->bytes, body->room, 1);
  }
  memcpy(body->bytes + body->len, text, len);
  body->len += len;
  body->bytes[body->len] = '\0';
}

static struct provider_ack answer(const struct provider *provider, const struct provider_answer *answer,
                                  const char *body, size_t len) {
  static const char empty[] = "\"\"";
  struct json_span source = json_without_mark(body ? body : "", len), value;
  struct body to = {0};
  for (size_t i = 0; i < answer->n; i++) {
    const struct provider_piece *piece = &answer->pieces[i];
    append(&to, piece->text, piece->len);
    if (!piece->has_place) continue;
    if (!find_value(provider, source, &piece->place, &value)) value = (struct json_span){empty, empty + 2};
    append(&to, value.from, (size_t)(value.to - value.from));
  }
  return (struct provider_ack){.status = answer->status, .body = to.bytes, .is_text = answer->is_text};
}

struct provider_ack provider_ack(const struct provider *provider, const struct provider_answer *own,
                                 const char *body, size_t len) {
  return answer(provider, own ? own : &provider->ack, body, len);
}

const char *provider_ack_missing(const struct provider *provider, const struct provider_answer *own,
                                 const char *body, size_t len, size_t nth) {
  const struct provider_answer *ack = own ? own : &provider->ack;
  struct json_span source = json_without_mark(body, len), value;
  for (size_t i = 0; i < ack->n; i++) {
    const struct provider_piece *piece = &ack->pieces[i];
    if (piece->has_place && !find_value(provider, source, &piece->place, &value) && nth-- == 0)
      return piece->place.text;
  }
  return NULL;
}

struct provider_ack provider_refusal(const struct provider *provider, const char *body, size_t len) {
  return answer(provider, &provider->refused, body, len);
}
