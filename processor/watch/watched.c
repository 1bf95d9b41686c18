// SPDX-License-Identifier: MIT
#include "processor/watch/watched.h"

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "common/json/schema.h"
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 1024 * 1024 };
#define ZONE_DEFAULT "+09:00"

struct watched_list {
  json_t *document; // the names point into it; NULL: no file
  struct holidays *holidays;
  struct watched *list;
  size_t n;
  struct watched other; // what the file does not list
};

static void set_zone(struct watched *watched, const char *zone, const struct holidays *holidays) {
  bool known = clock_parse_zone(zone, &watched->zone_minutes); // the schema allows no other
  bool applies = known && holidays && holidays_zone_minutes(holidays) == watched->zone_minutes;
  watched->holidays = applies ? holidays : NULL;
}

static void read_endpoint(struct watched *watched, const json_t *node, const struct holidays *holidays) {
  const json_t *zone = json_object_get(node, "zone"), *floor = json_object_get(node, "floor");
  watched->endpoint = json_string_value(json_object_get(node, "endpoint"));
  watched->provider = json_string_value(json_object_get(node, "provider"));
  watched->body_max_bytes = (int64_t)json_number_value(json_object_get(node, "max_body_bytes"));
  watched->floor.calls = json_integer_value(json_object_get(floor, "calls"));
  watched->floor.within_s = json_integer_value(json_object_get(floor, "within_s"));
  set_zone(watched, zone ? json_string_value(zone) : ZONE_DEFAULT, holidays);
}

static void read_endpoints(struct watched_list *all) {
  const json_t *nodes = json_object_get(all->document, "endpoints");
  all->n = json_array_size(nodes);
  all->list = mem_array(all->n, sizeof *all->list);
  for (size_t i = 0; i < all->n; i++) read_endpoint(&all->list[i], json_array_get(nodes, i), all->holidays);
  set_zone(&all->other, ZONE_DEFAULT, all->holidays);
}

static bool load_endpoints(struct watched_list *all, const char *file, struct faults *faults) {
  size_t from = faults->n;
  all->document = schema_read_file("endpoints.schema.json", file, faults);
  faults_prefix(faults, from, "%s: ", file);
  return all->document != NULL;
}

static struct holidays *read_holidays(const char *file, struct err *err) {
  if (!*file) return holidays_new(embedded_holidays[0].text, embedded_holidays[0].len, err);
  size_t len;
  AUTO_FREE char *text = file_read(file, FILE_MAX_BYTES, &len, err);
  return text ? holidays_new(text, len, err) : NULL;
}

static bool load_holidays(struct watched_list *all, const char *file, struct faults *faults) {
  struct err err;
  all->holidays = read_holidays(file, &err);
  if (all->holidays) return true;
  return faults_error(faults, "%s%s: %s", *file ? "DOCHAK_HOLIDAYS_FILE: " : "",
                      *file ? file : embedded_holidays[0].name, err.text);
}

struct watched_list *watched_load(const char *file, const char *holidays, struct faults *faults) {
  struct watched_list *all = mem_alloc(sizeof *all);
  bool good = load_holidays(all, holidays, faults);
  if (*file && !load_endpoints(all, file, faults)) good = false; // both, so that all faults are reported
  if (good) {
    read_endpoints(all);
    return all;
  }
  watched_free(all);
  return NULL;
}

void watched_free(struct watched_list *list) {
  if (!list) return;
  holidays_free(list->holidays);
  free(list->list);
  json_decref(list->document);
  free(list);
}

const struct watched *watched_find(const struct watched_list *list, const char *endpoint) {
  for (size_t i = 0; i < list->n; i++)
    if (strcmp(list->list[i].endpoint, endpoint) == 0) return &list->list[i];
  return &list->other;
}
