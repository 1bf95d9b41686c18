// SPDX-License-Identifier: MIT
// Columns for `unnest`: one-dimensional arrays in Postgres' binary wire format, built row by row, or whole
// rows for `COPY … FROM STDIN (FORMAT binary)`, one value after the other; and the binary values read back.
// Formats: src/backend/utils/adt/arrayfuncs.c array_recv, timestamp.c, uuid.c, jsonb.c jsonb_recv;
// copyfromparse.c.
#pragma once
#include "common/base/uuid.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pg_type {
  PG_TEXT = 25,
  PG_INT4 = 23,
  PG_INT8 = 20,
  PG_UUID = 2950,
  PG_JSONB = 3802,
  PG_BYTEA = 17,
  PG_TIMESTAMPTZ = 1184
};

struct pgarray {
  char *bytes;
  size_t len, capacity;
  int32_t rows;
};

void pgarray_init(struct pgarray *array, enum pg_type element);
void pgarray_fini(struct pgarray *array);
void pgarray_add_null(struct pgarray *array);
void pgarray_add_text(struct pgarray *array, const char *text); // NULL is SQL NULL
void pgarray_add_jsonb(struct pgarray *array, const char *text);
void pgarray_add_bytes(struct pgarray *array, const uint8_t *bytes, size_t len); // NULL is SQL NULL
void pgarray_add_int4(struct pgarray *array, int32_t value);
void pgarray_add_int8(struct pgarray *array, int64_t value);
void pgarray_add_uuid(struct pgarray *array, struct uuid value);
void pgarray_add_time(struct pgarray *array, int64_t unix_ms); // INT64_MIN is SQL NULL
// Completes the header. The bytes are valid until fini.
void pgarray_finish(struct pgarray *array);

// The same for COPY: begin, then for each row its number of values and the values in their order, then end.
void pgarray_copy_begin(struct pgarray *copy);
void pgarray_copy_row(struct pgarray *copy, size_t values);
void pgarray_copy_end(struct pgarray *copy);

int32_t pgvalue_int4(const char *value);
int64_t pgvalue_int8(const char *value);
int64_t pgvalue_time(const char *value); // Unix milliseconds
