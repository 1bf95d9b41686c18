// SPDX-License-Identifier: MIT
#include "common/provider/provider_acceptance.h"
#include "common/base/mem.h"
#include "common/provider/provider_value.h"
#include <stdlib.h>
#include <string.h>

// One recipient's part of a response.
struct entry {
  const json_t *value;
  const struct json_pointer *list; // NULL: it is the whole response
  size_t nth;                      // in its list
};

static size_t count_entries(const struct provider_shape *shape, const json_t *response) {
  size_t n = shape->each.n ? 0 : 1;
  for (size_t i = 0; i < shape->each.n; i++)
    n += json_array_size(json_at(response, &shape->each.pointers[i]));
  return n;
}

// i < count_entries(): one list behind the other.
static struct entry entry_at(const struct provider_shape *shape, const json_t *response, size_t i) {
  struct entry entry = {.value = response, .nth = i};
  for (size_t k = 0; k < shape->each.n; k++) {
    const json_t *list = json_at(response, &shape->each.pointers[k]);
    entry.list = &shape->each.pointers[k];
    if ((entry.value = json_array_get(list, entry.nth))) break;
    entry.nth -= json_array_size(list);
  }
  return entry;
}

static bool is_accepted(const struct provider *provider, const struct provider_shape *shape,
                        const char *code) {
  const json_t *accepted;
  size_t i;
  if (!shape->accepted) return true;
  json_array_foreach(
      shape->accepted, i,
      accepted) if (code && provider_codes_same(provider, json_string_value(accepted), code)) return true;
  return false;
}

static void read_entry(const struct provider *provider, const struct provider_shape *shape,
                       const json_t *entry, const json_t *response, struct provider_acceptance *out) {
  const struct provider_part *unusable;
  out->id = provider_id_read(&shape->id, entry, response, out->id_buf, &unusable);
  const struct json_pointer *code_place;
  out->code = provider_where_code(&shape->code, shape->has_boolean_codes, entry, out->buf[0], &code_place);
  out->channel = provider_where_text(&shape->channel, entry, PROVIDER_TEXT_MAX, out->buf[1]);
  out->recipient = provider_where_text(&shape->recipient, entry, PROVIDER_REFERENCE_MAX, out->buf[2]);
  out->reference = provider_where_text(&shape->reference, entry, PROVIDER_REFERENCE_MAX, out->buf[3]);
  if (!out->reference)
    out->reference =
        provider_where_text(&shape->shared_reference, response, PROVIDER_REFERENCE_MAX, out->buf[3]);
  out->reason = provider_where_text(&shape->reason, entry, PROVIDER_REASON_MAX, out->buf[4]);
  out->accepted = is_accepted(provider, shape, out->code);
}

// One of the lists is there; or else an id, or a code that is a refusal.
static bool shape_fits(const struct provider *provider, const struct provider_shape *shape,
                       const json_t *response) {
  for (size_t i = 0; i < shape->each.n; i++)
    if (json_is_array(json_at(response, &shape->each.pointers[i]))) return true;
  if (shape->each.n) return false;
  struct provider_acceptance read = {0};
  read_entry(provider, shape, response, response, &read);
  return read.id || (read.code && !read.accepted);
}

// The first shape that fits; provider->n_shapes: none does.
static size_t find_shape(const struct provider *provider, const json_t *response) {
  size_t nth = 0;
  while (nth < provider->n_shapes && !shape_fits(provider, &provider->shapes[nth], response)) nth++;
  return nth;
}

struct provider_used_shape provider_used_shape(const struct provider *provider, const json_t *response) {
  size_t nth = find_shape(provider, response);
  if (nth == provider->n_shapes) return (struct provider_used_shape){nth, NULL};
  const struct provider_equals *refusal =
      provider_conditions_unequal(&provider->shapes[nth].requires, response);
  return (struct provider_used_shape){nth, refusal ? refusal->pointer.text : NULL};
}

// The send API refused the whole request, so it refused each entry.
static void refuse(const struct provider_equals *because, const json_t *response,
                   struct provider_acceptance *out) {
  const char *code = json_compared_text(json_at(response, &because->pointer), out->buf[0]);
  out->accepted = false;
  out->code = code && provider_text_fits(code, PROVIDER_TEXT_MAX) ? code : NULL;
  out->reason = "the send request was refused as a whole";
}

// Replaces a list (reference of `entries` stolen) of a copy. The objects around it are copied too.
static json_t *with_list(json_t *copy, const struct json_pointer *list, json_t *entries) {
  struct json_pointer way = *list;
  if (way.n_parts == 0) {
    json_decref(copy);
    return entries;
  }
  for (way.n_parts = 1; way.n_parts < list->n_parts; way.n_parts++)
    json_replace_at(copy, &way, json_copy(json_at(copy, &way)));
  json_replace_at(copy, list, entries);
  return copy;
}

// The response with this recipient only, or with none. Nothing but what is around the lists is copied, so
// that 200 recipients are not 200 copies.
static json_t *with_entry(const struct provider_shape *shape, const json_t *response,
                          const struct entry *only) {
  json_t *copy = json_copy((json_t *)(uintptr_t)response);
  for (size_t i = 0; i < shape->each.n; i++) {
    const struct json_pointer *list = &shape->each.pointers[i];
    if (!json_is_array(json_at(copy, list))) continue;
    copy = with_list(copy, list, only && only->list == list ? json_pack("[O]", only->value) : json_array());
  }
  return copy;
}

json_t *provider_narrow(const struct provider *provider, const json_t *response, size_t i) {
  size_t nth = find_shape(provider, response);
  if (nth == provider->n_shapes || !provider->shapes[nth].each.n)
    return json_copy((json_t *)(uintptr_t)response);
  const struct provider_shape *shape = &provider->shapes[nth];
  const struct entry only = entry_at(shape, response, i);
  return with_entry(shape, response, &only);
}

static const char *pointer_shown(const char *pointer) {
  return *pointer ? pointer : "the whole answer";
}

// The lists by their pointers. New string.
static char *lists_shown(const struct provider_shape *shape) {
  char *text = mem_strdup("");
  for (size_t i = 0; i < shape->each.n; i++) {
    char *longer = mem_printf("%s%s%s", text, i ? " and " : "", pointer_shown(shape->each.pointers[i].text));
    free(text);
    text = longer;
  }
  return text;
}

// Limits the cost of narrowing before anything is built.
static bool check_size(const struct provider_shape *shape, const json_t *response, size_t n,
                       struct err *err) {
  if (n == 1) return true;
  AUTO_FREE char *lists = lists_shown(shape);
  if (n == 0) return err_set(err, "%s: expected one recipient or more", lists);
  if (n > PROVIDER_RECIPIENTS_MAX)
    return err_set(err, "%s: expected %d recipients at most, got %zu", lists, PROVIDER_RECIPIENTS_MAX, n);
  AUTO_JSON *skeleton = with_entry(shape, response, NULL);
  AUTO_FREE char *text = json_text(skeleton);
  size_t len = strlen(text);
  return n * len <= PROVIDER_NARROWED_MAX_BYTES ||
         err_set(
             err,
             "%s: expected less around the recipients: %zu bytes go with each of %zu, and more than %d in "
             "all is too much",
             lists, len, n, PROVIDER_NARROWED_MAX_BYTES);
}

// The first pointer of a part with a value, and why that is unusable. NULL: none has a value.
static const char *part_fault(const struct provider_part *part, const json_t *node, struct err *fault) {
  char buf[PROVIDER_NUMBER_SIZE];
  for (size_t i = 0; i < part->where.n; i++) {
    const json_t *value = json_at(node, &part->where.pointers[i]);
    const char *text = json_scalar_text(value, buf);
    if (!value || json_is_null(value)) continue;
    if (json_is_real(value))
      err_set(fault, "expected a notification id as text, since this number is no whole number of 64 bits");
    else if (!text || provider_id_check(text, fault))
      err_set(fault, "expected a notification id as text that is not empty");
    return part->where.pointers[i].text;
  }
  return NULL;
}

// The pointer to an unusable id of an entry, the part that it belongs to, and its fault. NULL: there is none.
static const char *id_fault(const struct provider_shape *shape, const json_t *entry, const json_t *response,
                            const struct provider_part **part, struct err *fault) {
  char buf[PROVIDER_ID_SIZE];
  if (provider_id_read(&shape->id, entry, response, buf, part)) return NULL;
  if (*part) return part_fault(*part, (*part)->shared ? response : entry, fault);
  *part = shape->id.parts;
  err_set(fault, "expected parts of a notification id with at most %d bytes together", PROVIDER_ID_MAX);
  return provider_where_shown(&(*part)->where);
}

static bool err_no_id(struct err *err, const struct provider_shape *shape, const struct entry *entry,
                      const json_t *response) {
  struct err fault = {.text = "expected a notification id"};
  const struct provider_part *part;
  const char *where = id_fault(shape, entry->value, response, &part, &fault);
  if (!where) where = provider_where_shown(&part->where);
  if (!entry->list || part->shared) return err_set(err, "%s: %s", pointer_shown(where), fault.text);
  return err_set(err, "%s/%zu%s: %s", entry->list->text, entry->nth, where, fault.text);
}

static bool read_entries(const struct provider *provider, const struct provider_shape *shape,
                         const json_t *response, struct provider_acceptance *list, size_t n,
                         struct err *err) {
  const struct provider_equals *refusal = provider_conditions_unequal(&shape->requires, response);
  for (size_t i = 0; i < n; i++) {
    const struct entry entry = entry_at(shape, response, i);
    read_entry(provider, shape, entry.value, response, &list[i]);
    if (refusal) refuse(refusal, response, &list[i]);
    if (!list[i].id && list[i].accepted) return err_no_id(err, shape, &entry, response);
  }
  return true;
}

// Says what the last shape looks for.
static bool err_fits_none(struct err *err, const struct provider *provider,
                          const struct provider_shape *shape) {
  AUTO_FREE char *lists = lists_shown(shape);
  return err_set(err, "expected a send response of provider %s, for example with %s at %s", provider->name,
                 shape->each.n ? "a list" : "an id",
                 shape->each.n ? lists : provider_where_shown(&shape->id.parts->where));
}

static bool err_no_shape(const struct provider *provider, const json_t *response, struct err *err) {
  if (provider->n_shapes == 0)
    return err_set(err, "provider %s has no rule for send responses; give notification_id instead",
                   provider->name);
  for (size_t i = 0; i < provider->n_shapes; i++) {
    struct err fault;
    const struct provider_shape *shape = &provider->shapes[i];
    const struct provider_part *part;
    const char *where = shape->each.n ? NULL : id_fault(shape, response, response, &part, &fault);
    if (where) return err_set(err, "%s: %s", pointer_shown(where), fault.text);
  }
  return err_fits_none(err, provider, &provider->shapes[provider->n_shapes - 1]);
}

bool provider_read_acceptance(const struct provider *provider, const json_t *response,
                              struct provider_acceptance **out, size_t *n, struct err *err) {
  size_t nth = find_shape(provider, response);
  if (nth == provider->n_shapes) return err_no_shape(provider, response, err);
  const struct provider_shape *shape = &provider->shapes[nth];
  size_t count = count_entries(shape, response);
  if (!check_size(shape, response, count, err)) return false;
  AUTO_FREE struct provider_acceptance *list = mem_array(count, sizeof *list);
  if (!read_entries(provider, shape, response, list, count, err)) return false;
  *out = take(list);
  *n = count;
  return true;
}
