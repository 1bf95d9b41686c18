// SPDX-License-Identifier: MIT
#include "common/kafka/event.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"
#include <stddef.h>
#include <string.h>

static const char original_prefix[] = "original_";

static const struct event_type types[] = {
    {EVENT_ACCEPTED, true},     {EVENT_RECEIPT, true},        {EVENT_CONTACT, true},
    {EVENT_OTHER, true},        {EVENT_MINUTE, true},         {EVENT_OVERDUE, true},
    {EVENT_EXPIRED, true},      {EVENT_FAILING, true},        {EVENT_SILENT, true},
    {EVENT_SLOW, true},         {EVENT_PROVIDER_GOOD, true},  {EVENT_REFUSING, true},
    {EVENT_UNREACHABLE, true},  {EVENT_AT_RISK, true},        {EVENT_ENDPOINT_GOOD, true},
    {EVENT_QUARANTINED, false}, {ALERT_DEAD_LETTERED, false}, {ALERT_RECOVERED, false},
    {ALERT_EVENTS_LOST, false}, {ALERT_WITHDRAWN, false},
};

const struct event_type *event_type_find(const char *name) {
  for (size_t i = 0; i < COUNT_OF(types); i++)
    if (strcmp(name, types[i].name) == 0) return &types[i];
  return NULL;
}

// The attributes whose value is a string.
static const struct attribute {
  const char *header;
  size_t offset;      // of a const char * in struct event
  size_t max;         // bytes
  bool required, cut; // cut: a longer value is cut when it is written
} attributes[] = {
    {"ce_type", offsetof(struct event, type), 64, true, false},
    {"ce_source", offsetof(struct event, source), 512, true, false},
    {"ce_subject", offsetof(struct event, subject), 512, false, false},
    {"ce_provider", offsetof(struct event, provider), 128, false, false},
    {"ce_endpoint", offsetof(struct event, endpoint), 512, false, false},
    {"ce_reason", offsetof(struct event, reason), EVENT_REASON_SIZE - 1, false, true},
    {"ce_wastype", offsetof(struct event, was_type), 64, false, false},
    {"original_ce_type", offsetof(struct event, original_type), 64, false, false},
};

static void add(rd_kafka_headers_t *headers, const char *name, const char *value) {
  if (value) rd_kafka_header_add(headers, name, -1, value, -1);
}

static void add_attribute(rd_kafka_headers_t *headers, const struct attribute *attribute,
                          const struct event *ev) {
  const char *value = *(const char *const *)((const char *)ev + attribute->offset);
  if (!value) return;
  size_t len = attribute->cut ? utf8_cut(value, attribute->max) : strlen(value);
  rd_kafka_header_add(headers, attribute->header, -1, value, (ssize_t)len);
}

static void add_originals(rd_kafka_headers_t *headers, const rd_kafka_headers_t *original) {
  const char *name;
  const void *value;
  size_t len;
  for (size_t i = 0; !rd_kafka_header_get_all(original, i, &name, &value, &len); i++) {
    AUTO_FREE char *prefixed = mem_printf("%s%s", original_prefix, name);
    rd_kafka_header_add(headers, prefixed, -1, value, (ssize_t)len);
  }
}

rd_kafka_headers_t *event_original_headers(const rd_kafka_message_t *rkm) {
  rd_kafka_headers_t *all = NULL, *originals = NULL;
  const size_t prefix = strlen(original_prefix);
  const char *name;
  const void *value;
  size_t len;
  if (rd_kafka_message_headers(rkm, &all)) return NULL;
  for (size_t i = 0; !rd_kafka_header_get_all(all, i, &name, &value, &len); i++) {
    if (strncmp(name, original_prefix, prefix) != 0) continue;
    if (!originals) originals = rd_kafka_headers_new(1);
    rd_kafka_header_add(originals, name + prefix, -1, value, (ssize_t)len);
  }
  return originals;
}

rd_kafka_headers_t *event_headers_new(const struct event *ev) {
  if (ev->headers) return rd_kafka_headers_copy(ev->headers);
  char id[UUID_TEXT_SIZE], time[CLOCK_RFC3339_SIZE];
  uuid_format(ev->id, id);
  clock_format_rfc3339(ev->time_ms, time);
  bool raw = strcmp(ev->type, EVENT_QUARANTINED) == 0 &&
             ev->reason; // the alert of that type is JSON, without reason

  rd_kafka_headers_t *headers = rd_kafka_headers_new(COUNT_OF(attributes) + 5);
  add(headers, "ce_specversion", "1.0");
  add(headers, "ce_id", id);
  add(headers, "ce_time", time);
  for (size_t i = 0; i < COUNT_OF(attributes); i++) add_attribute(headers, &attributes[i], ev);
  add(headers, "traceparent", ev->traceparent);
  add(headers, "content-type", raw ? "application/octet-stream" : "application/json");
  if (ev->original) add_originals(headers, ev->original);
  return headers;
}

// The last header of that name; NULL: none. librdkafka puts a NUL behind every value.
static bool read_header(const rd_kafka_headers_t *headers, const char *name, size_t max, bool required,
                        const char **out, struct err *err) {
  const void *value = NULL;
  size_t len = 0;
  *out = NULL;
  if (!headers || rd_kafka_header_get_last(headers, name, &value, &len) || !value) {
    if (!required) return true;
    err_set(err, "%s: missing", name);
  } else if (len > max) {
    err_set(err, "%s: longer than %zu bytes", name, max);
  } else if (strlen(value) != len) {
    err_set(err, "%s: contains a NUL byte", name);
  } else if (!utf8_ok(value, len)) {
    err_set(err, "%s: not UTF-8", name);
  } else {
    *out = value;
    return true;
  }
  return false; // said to clang-tidy, which does not see that err_set() returns false
}

static bool read_attributes(const rd_kafka_headers_t *headers, struct event *ev, struct err *err) {
  for (size_t i = 0; i < COUNT_OF(attributes); i++) {
    const struct attribute *attribute = &attributes[i];
    const char **field = (const char **)((char *)ev + attribute->offset);
    if (!read_header(headers, attribute->header, attribute->max, attribute->required, field, err))
      return false;
  }
  return true;
}

// The attributes whose value is not a string.
static bool read_others(const rd_kafka_headers_t *headers, struct event *ev, struct err *err) {
  const char *version, *id, *time;
  if (!read_header(headers, "ce_specversion", 16, true, &version, err) ||
      !read_header(headers, "ce_id", UUID_TEXT_SIZE, true, &id, err) ||
      !read_header(headers, "ce_time", 64, true, &time, err))
    return false;
  if (strcmp(version, "1.0") != 0) return err_set(err, "ce_specversion: not 1.0");
  if (!uuid_parse(id, &ev->id)) return err_set(err, "ce_id: not a UUID");
  return clock_parse_time(time, 0, &ev->time_ms) || err_set(err, "ce_time: not a time");
}

// An ill-formed traceparent is ignored, since it is for tracing only.
static const char *read_traceparent(const rd_kafka_headers_t *headers) {
  const char *value;
  bool good = read_header(headers, "traceparent", EVENT_TRACEPARENT_SIZE - 1, true, &value, NULL);
  return good && event_traceparent_ok(value) ? value : NULL;
}

// A newer program may write types that this one does not know.
static bool use_type(const char **type, struct err *err) {
  static const char ours[] = "dochak.", characters[] = "abcdefghijklmnopqrstuvwxyz0123456789._";
  const struct event_type *known = event_type_find(*type);
  if (known) *type = known->name;
  return known || (strncmp(*type, ours, strlen(ours)) == 0 && strspn(*type, characters) == strlen(*type)) ||
         err_set(err, "ce_type: not one of dochak's");
}

bool event_from_message(const rd_kafka_message_t *rkm, struct event *ev, struct err *err) {
  rd_kafka_headers_t *headers = NULL; // without headers the first required one is missing
  rd_kafka_message_headers(rkm, &headers);
  return event_from_headers(headers, ev, err);
}

bool event_from_headers(const rd_kafka_headers_t *headers, struct event *ev, struct err *err) {
  struct event read = {0};
  if (!read_others(headers, &read, err) || !read_attributes(headers, &read, err) ||
      !use_type(&read.type, err))
    return false;
  read.traceparent = read_traceparent(headers);
  *ev = read;
  return true;
}

// `len` lower-case hexadecimal digits; an id must not be all zeros.
static bool is_hex(const char *at, size_t len) {
  return strspn(at, "0123456789abcdef") >= len;
}

static bool is_id(const char *at, size_t len) {
  return is_hex(at, len) && strspn(at, "0") < len;
}

bool event_traceparent_ok(const char *value) {
  // 00-<32 trace id>-<16 parent id>-<2 flags>
  return strlen(value) == 55 && strncmp(value, "00-", 3) == 0 && is_id(value + 3, 32) && value[35] == '-' &&
         is_id(value + 36, 16) && value[52] == '-' && is_hex(value + 53, 2);
}

rd_kafka_resp_err_t event_produce(rd_kafka_t *rk, const struct event_record *record, const struct event *ev) {
  rd_kafka_headers_t *headers = event_headers_new(ev);
  const char *value = record->len ? record->value : ""; // a NULL value would be a tombstone
  rd_kafka_vu_t parts[] = {
      {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = record->topic},
      {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = record->partition},
      {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
      {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
      {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = record->opaque},
      {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value, record->len}},
      {.vtype = RD_KAFKA_VTYPE_KEY,
       .u.mem = {(void *)(uintptr_t)record->key, record->key ? strlen(record->key) : 0}},
  };
  rd_kafka_error_t *error = rd_kafka_produceva(rk, parts, COUNT_OF(parts));
  if (!error) return RD_KAFKA_RESP_ERR_NO_ERROR; // librdkafka owns the headers now
  rd_kafka_resp_err_t code = rd_kafka_error_code(error);
  rd_kafka_error_destroy(error);
  rd_kafka_headers_destroy(headers);
  return code;
}
