// SPDX-License-Identifier: MIT
// Binary arrays: header (dimensions, has-null, element type, length, lower bound), then each element with its
// length.
#include "processor/postgres/pgarray.h"
#include "common/base/mem.h"
#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_AT = 12 };
static const int64_t epoch_2000_us =
    INT64_C(946684800000000); // Postgres counts from 2000-01-01, Unix from 1970

static void append(struct pgarray *a, const void *bytes, size_t len) {
  if (a->capacity - a->len < len) {
    a->capacity = (a->capacity + len) * 2;
    a->bytes = mem_grow(a->bytes, a->capacity, 1);
  }
  memcpy(a->bytes + a->len, bytes, len);
  a->len += len;
}

static void append_int4(struct pgarray *a, int32_t value) {
  uint32_t be = htobe32((uint32_t)value);
  append(a, &be, sizeof be);
}

static void add(struct pgarray *a, const void *bytes, size_t len) {
  assert(len <= INT32_MAX);
  append_int4(a, (int32_t)len);
  append(a, bytes, len);
  a->rows++;
}

void pgarray_init(struct pgarray *a, enum pg_type element) {
  *a = (struct pgarray){.bytes = mem_array(256, 1), .capacity = 256};
  append_int4(a, 1); // dimensions
  append_int4(a, 1); // may hold nulls
  append_int4(a, (int32_t)element);
  append_int4(a, 0); // rows, set by finish
  append_int4(a, 1); // lower bound
}

static const char copy_header[] = "PGCOPY\n\377\r\n\0" // signature
                                  "\0\0\0\0"           // flags
                                  "\0\0\0"; // length of what more there is; C's own NUL is its last byte

void pgarray_copy_begin(struct pgarray *a) {
  *a = (struct pgarray){.bytes = mem_array(256, 1), .capacity = 256};
  append(a, copy_header, sizeof copy_header);
}

static void append_int2(struct pgarray *a, uint16_t value) {
  uint16_t be = htobe16(value);
  append(a, &be, sizeof be);
}

void pgarray_copy_row(struct pgarray *a, size_t values) {
  append_int2(a, (uint16_t)values);
}

void pgarray_copy_end(struct pgarray *a) {
  append_int2(a, UINT16_MAX);
}

void pgarray_fini(struct pgarray *a) {
  free(a->bytes);
  a->bytes = NULL;
}

void pgarray_finish(struct pgarray *a) {
  uint32_t be = htobe32((uint32_t)a->rows);
  memcpy(a->bytes + ROWS_AT, &be, sizeof be);
}

void pgarray_add_null(struct pgarray *a) {
  append_int4(a, -1);
  a->rows++;
}

void pgarray_add_jsonb(struct pgarray *a, const char *text) {
  size_t len = strlen(text);
  append_int4(a, (int32_t)(len + 1));
  append(a, "\1", 1); // jsonb wire format version
  append(a, text, len);
  a->rows++;
}

void pgarray_add_bytes(struct pgarray *a, const uint8_t *bytes, size_t len) {
  if (bytes)
    add(a, bytes, len);
  else
    pgarray_add_null(a);
}

void pgarray_add_text(struct pgarray *a, const char *text) {
  pgarray_add_bytes(a, (const uint8_t *)text, text ? strlen(text) : 0);
}

void pgarray_add_int4(struct pgarray *a, int32_t value) {
  uint32_t be = htobe32((uint32_t)value);
  add(a, &be, sizeof be);
}

void pgarray_add_int8(struct pgarray *a, int64_t value) {
  uint64_t be = htobe64((uint64_t)value);
  add(a, &be, sizeof be);
}

void pgarray_add_uuid(struct pgarray *a, struct uuid value) {
  add(a, value.bytes, sizeof value.bytes);
}

void pgarray_add_time(struct pgarray *a, int64_t unix_ms) {
  if (unix_ms == INT64_MIN)
    pgarray_add_null(a);
  else
    pgarray_add_int8(a, unix_ms * 1000 - epoch_2000_us);
}

int32_t pgvalue_int4(const char *value) {
  uint32_t be;
  memcpy(&be, value, sizeof be);
  return (int32_t)be32toh(be);
}

int64_t pgvalue_int8(const char *value) {
  uint64_t be;
  memcpy(&be, value, sizeof be);
  return (int64_t)be64toh(be);
}

int64_t pgvalue_time(const char *value) {
  return (pgvalue_int8(value) + epoch_2000_us) / 1000;
}
