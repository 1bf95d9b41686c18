// SPDX-License-Identifier: MIT
// One JSON object a line on stdout: {"time":…,"level":…,"service":…,"message":…, fields…}. A line holds no
// body, no secret and no full phone number; callers ensure it, tests check it.
//   log_warn("kafka connection lost", LOG_STR("broker", name), LOG_INT("attempt", n));
// A line is written when the call returns. If the reader of stdout is stuck, the call returns after some 100
// ms at most; further lines are dropped and counted until the reader reads again, and the next line says how
// many. At exit, that line and a half-written one are tried for 1 s at most. Thread: any.
#pragma once
#include "common/base/mem.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

struct log_field {
  const char *name;
  const char *str; // NULL: the field is the number
  int64_t num;
};

#define LOG_STR(name, value) ((struct log_field){(name), mem_or_empty(value), 0})
#define LOG_INT(name, value) ((struct log_field){(name), NULL, (int64_t)(value)})

void log_init(const char *service, enum log_level level);
void log_to_stderr(void); // for a command whose stdout is its answer. Before any thread.
bool log_level_parse(const char *name, enum log_level *out); // "debug" "info" "warn" "error"
const char *log_level_name(enum log_level level);
int64_t log_dropped(void); // lines since the start
void log_write(enum log_level level, const char *message, const struct log_field *fields, size_t n);

#define LOG_AT_(level, message, ...)                                                                         \
  log_write((level), (message), (const struct log_field[]){__VA_ARGS__},                                     \
            sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))
// At least one field each, which names the object.
#define log_debug(message, ...) LOG_AT_(LOG_LEVEL_DEBUG, message, __VA_ARGS__)
#define log_info(message, ...)  LOG_AT_(LOG_LEVEL_INFO, message, __VA_ARGS__)
#define log_warn(message, ...)  LOG_AT_(LOG_LEVEL_WARN, message, __VA_ARGS__)
#define log_error(message, ...) LOG_AT_(LOG_LEVEL_ERROR, message, __VA_ARGS__)

// For lines whose number depends on a sender or a broker: at most one in ten seconds with the same key. The
// field "suppressed" is the number of lines with this key that were left out since the last one.
void log_write_rarely(enum log_level level, const char *key, const char *message,
                      const struct log_field *fields, size_t n);
#define log_warn_rarely(key, message, ...)                                                                   \
  log_write_rarely(LOG_LEVEL_WARN, (key), (message), (const struct log_field[]){__VA_ARGS__},                \
                   sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))
// Whether a line with this key is due at this time (monotonic), and how many were suppressed before it.
bool log_is_due(const char *key, int64_t now_ms, int64_t *suppressed);
