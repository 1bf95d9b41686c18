// SPDX-License-Identifier: MIT
#include "processor/tables/endpoint_minute.h"
#include "common/base/mem.h"
#include "processor/tables/rows.h"

static void add_minute(struct pgarray *c, const struct fact *fact) {
  const struct ingress_minute *minute = fact->minute;
  pgarray_add_time(&c[0], minute->at);
  pgarray_add_text(&c[1], fact->ev.endpoint);
  pgarray_add_text(&c[2], minute->instance);
  pgarray_add_uuid(&c[3], fact->ev.id);
  pgarray_add_text(&c[4], mem_or_empty(fact->ev.provider));
  pgarray_add_int8(&c[5], minute->calls);
  pgarray_add_int8(&c[6], minute->good);
  pgarray_add_int8(&c[7], minute->refused);
  pgarray_add_jsonb(&c[8], minute->refused_by);
  pgarray_add_int8(&c[9], minute->failed);
  pgarray_add_int8(&c[10], minute->failed_in_a_row);
  pgarray_add_int8(&c[11], minute->spooled);
  pgarray_add_time(&c[12], minute->spooled_since);
  pgarray_add_int8(&c[13], minute->leaving);
}

void endpoint_minute_send(struct pipeline *pipeline, struct fact *const *facts, size_t n) {
  static const enum pg_type types[] = {PG_TIMESTAMPTZ, PG_TEXT, PG_TEXT,        PG_UUID,  PG_TEXT,
                                       PG_INT8,        PG_INT8, PG_INT8,        PG_JSONB, PG_INT8,
                                       PG_INT8,        PG_INT8, PG_TIMESTAMPTZ, PG_INT8};
  struct pgarray c[COUNT_OF(types)];
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    if (facts[i]->type != FACT_MINUTE) continue;
    if (count++ == 0) rows_begin(c, types, COUNT_OF(types));
    add_minute(c, facts[i]);
  }
  if (count) rows_send(pipeline, "endpoint_minute_insert.sql", c, COUNT_OF(types));
}
