// SPDX-License-Identifier: MIT
#include "processor/rules/ingress_minute.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "processor/rules/ledger.h"
#include <stdlib.h>
#include <string.h>

enum { INSTANCE_MAX = 255 };

void ingress_minute_fini(struct ingress_minute *minute) {
  free(minute->instance);
  free(minute->refused_by);
}

static bool is_count(const json_t *value) {
  return json_is_integer(value) && json_integer_value(value) >= 0 &&
         json_integer_value(value) <= INGRESS_MINUTE_MAX;
}

static bool read_count(const json_t *value, const char *name, int64_t *out, struct err *err) {
  const json_t *member = json_object_get(value, name);
  *out = json_integer_value(member);
  return is_count(member) || err_set(err, "/%s: expected a whole number, at most 10^12", name);
}

static bool read_counts(const json_t *value, struct ingress_minute *out, struct err *err) {
  return read_count(value, "calls", &out->calls, err) && read_count(value, "good", &out->good, err) &&
         read_count(value, "failed", &out->failed, err) &&
         read_count(value, "failed_in_a_row", &out->failed_in_a_row, err) &&
         read_count(value, "spooled", &out->spooled, err);
}

static bool read_refused(const json_t *value, struct ingress_minute *out, struct err *err) {
  json_t *refused = json_object_get(value, "refused"), *count;
  const char *check;
  if (!json_is_object(refused)) return err_set(err, "/refused: expected an object");
  json_object_foreach(refused, check, count) {
    if (!is_count(count)) return err_set(err, "/refused: expected whole numbers, at most 10^12");
    out->refused += json_integer_value(count);
    if (out->refused > INGRESS_MINUTE_MAX) return err_set(err, "/refused: expected at most 10^12 in all");
  }
  out->refused_by = json_text(refused);
  return true;
}

static bool read_times(const json_t *value, struct ingress_minute *out, struct err *err) {
  const char *at = json_string_value(json_object_get(value, "minute"));
  const char *since = json_string_value(json_object_get(value, "spooled_since"));
  out->spooled_since = NO_TIME;
  if (!at || !clock_parse_time(at, 0, &out->at)) return err_set(err, "/minute: expected an RFC 3339 time");
  return !since || clock_parse_time(since, 0, &out->spooled_since) ||
         err_set(err, "/spooled_since: expected an RFC 3339 time or null");
}

static bool read_all(const json_t *value, struct ingress_minute *out, struct err *err) {
  if (!json_is_object(value)) return err_set(err, "expected an object");
  const char *instance = json_string_value(json_object_get(value, "instance"));
  if (!instance || !*instance || strlen(instance) > INSTANCE_MAX)
    return err_set(err, "/instance: expected a string of 1 to %d bytes", INSTANCE_MAX);
  out->instance = mem_strdup(instance);
  out->leaving = json_is_true(json_object_get(value, "leaving"));
  return read_times(value, out, err) && read_counts(value, out, err) && read_refused(value, out, err);
}

bool ingress_minute_parse(const char *value, size_t len, struct ingress_minute *out, struct err *err) {
  AUTO_JSON *document = json_parse(value, len, err);
  *out = (struct ingress_minute){0};
  if (document && read_all(document, out, err)) return true;
  ingress_minute_fini(out);
  *out = (struct ingress_minute){0};
  return false;
}
