// SPDX-License-Identifier: MIT
#include "common/base/uuid.h"

#include "common/base/clock.h"
#include "common/base/digest.h"
#include "common/base/hex.h"
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { COUNTER_BITS = 12, RANDOM_POOL = 512, LENGTH_SIZE = 24, FIELDS_MAX = 32 };

// Our own namespace, a version 4 UUID. Another one would change the id of every alert.
static const uint8_t namespace[16] = {0x8f, 0x1d, 0x6c, 0x2a, 0x41, 0x7e, 0x4b, 0x0d,
                                      0xa6, 0x53, 0x0e, 0x97, 0xc4, 0x3b, 0xd2, 0x58};

// Milliseconds and counter of the last version 7 UUID: RFC 9562 section 6.2 method 1. The counter may run
// over into the milliseconds; the clock catches up.
static atomic_uint_fast64_t last_tick;

static uint64_t next_tick(void) {
  uint_fast64_t now = (uint_fast64_t)clock_wall_ms() << COUNTER_BITS;
  uint_fast64_t last = atomic_load_explicit(&last_tick, memory_order_relaxed);
  uint_fast64_t next;
  do {
    next = now > last ? now : last + 1;
  } while (!atomic_compare_exchange_weak_explicit(&last_tick, &last, next, memory_order_relaxed,
                                                  memory_order_relaxed));
  return next;
}

// One system call for 64 UUIDs. Without randomness there are no ids, so it aborts.
static void random_8(uint8_t out[8]) {
  static _Thread_local uint8_t pool[RANDOM_POOL];
  static _Thread_local size_t left;
  while (left == 0) {
    ssize_t got = getrandom(pool, sizeof pool, 0);
    if (got < 0 && errno != EINTR) abort();
    if (got > 0) left = (size_t)got & ~(size_t)7;
  }
  left -= 8;
  memcpy(out, pool + left, 8);
}

static void set_version(struct uuid *uuid, unsigned version) {
  uuid->bytes[6] = (uint8_t)((uuid->bytes[6] & 0x0f) | version << 4);
  uuid->bytes[8] = (uint8_t)((uuid->bytes[8] & 0x3f) | 0x80);
}

struct uuid uuid_new_v7(void) {
  struct uuid uuid;
  uint64_t tick = next_tick();
  uint64_t ms = tick >> COUNTER_BITS;
  for (int i = 5; i >= 0; i--, ms >>= 8) uuid.bytes[i] = (uint8_t)ms;
  uuid.bytes[6] = (uint8_t)(tick >> 8 & 0x0f);
  uuid.bytes[7] = (uint8_t)tick;
  random_8(uuid.bytes + 8);
  set_version(&uuid, 7);
  return uuid;
}

// "12:", at the end of `out`; returns its start.
static const char *write_length(size_t len, char out[LENGTH_SIZE]) {
  char *at = out + LENGTH_SIZE;
  *--at = ':';
  do {
    *--at = (char)('0' + len % 10);
    len /= 10;
  } while (len > 0);
  return at;
}

struct uuid uuid_of_fields(const char *const *fields, size_t n) {
  char lengths[FIELDS_MAX][LENGTH_SIZE];
  struct piece pieces[1 + 2 * FIELDS_MAX] = {{namespace, sizeof namespace}};
  assert(n <= FIELDS_MAX);
  for (size_t i = 0; i < n; i++) {
    size_t len = strlen(fields[i]);
    const char *from = write_length(len, lengths[i]);
    pieces[1 + 2 * i] = (struct piece){from, (size_t)(lengths[i] + LENGTH_SIZE - from)};
    pieces[2 + 2 * i] = (struct piece){fields[i], len};
  }
  struct digest digest;
  if (!digest_of(DIGEST_SHA1, pieces, 1 + 2 * n, &digest)) abort(); // out of memory, or no SHA-1 in libcrypto
  struct uuid uuid;
  memcpy(uuid.bytes, digest.bytes, sizeof uuid.bytes);
  set_version(&uuid, 5);
  return uuid;
}

static bool dash_before(size_t byte) {
  return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void uuid_format(struct uuid uuid, char out[UUID_TEXT_SIZE]) {
  static const char hex[] = "0123456789abcdef";
  char *at = out;
  for (size_t i = 0; i < sizeof uuid.bytes; i++) {
    if (dash_before(i)) *at++ = '-';
    *at++ = hex[uuid.bytes[i] >> 4];
    *at++ = hex[uuid.bytes[i] & 0x0f];
  }
  *at = '\0';
}

bool uuid_parse(const char *text, struct uuid *out) {
  struct uuid uuid;
  const char *at = text;
  for (size_t i = 0; i < sizeof uuid.bytes; i++) {
    if (dash_before(i) && *at++ != '-') return false;
    int high = hex_value(at[0]);
    int low = high < 0 ? -1 : hex_value(at[1]);
    if (low < 0) return false;
    uuid.bytes[i] = (uint8_t)(high << 4 | low);
    at += 2;
  }
  if (*at != '\0') return false;
  *out = uuid;
  return true;
}
