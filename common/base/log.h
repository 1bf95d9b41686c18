// SPDX-License-Identifier: MIT
// One JSON object a line on stdout: {"time":…,"level":…,"service":…,"message":…, fields…}. A line holds no
// body, no secret and no full phone number; callers see to that, a test greps for it.
//   log_warn("kafka connection lost", LOG_STR("broker", name), LOG_INT("attempt", n));
// Thread: any. One write(2) a line.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

struct log_field {
  const char *name;
  const char *str; // NULL: the field is the number
  int64_t num;
};

static inline const char *log_present(const char *value) {
  return value ? value : "";
}
#define LOG_STR(name, value) ((struct log_field){(name), log_present(value), 0})
#define LOG_INT(name, value) ((struct log_field){(name), NULL, (int64_t)(value)})

void log_init(const char *service, enum log_level level);
void log_to_stderr(void); // for a command whose stdout is its answer. Before any thread.
bool log_level_parse(const char *name, enum log_level *out); // "debug" "info" "warn" "error"
const char *log_level_name(enum log_level level);
void log_write(enum log_level level, const char *message, const struct log_field *fields, size_t n);

#define LOG_AT_(level, message, ...)                                                                         \
  log_write((level), (message), (const struct log_field[]){__VA_ARGS__},                                     \
            sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))
// At least one field each: a line that names no object helps nobody.
#define log_debug(message, ...) LOG_AT_(LOG_LEVEL_DEBUG, message, __VA_ARGS__)
#define log_info(message, ...)  LOG_AT_(LOG_LEVEL_INFO, message, __VA_ARGS__)
#define log_warn(message, ...)  LOG_AT_(LOG_LEVEL_WARN, message, __VA_ARGS__)
#define log_error(message, ...) LOG_AT_(LOG_LEVEL_ERROR, message, __VA_ARGS__)

// For lines that somebody else causes as often as he likes, a stranger or a broker that is down: of those
// with one key, at most one in ten seconds, and its field "suppressed" says how many were left out since the
// one before. A level that is not written counts nothing.
void log_write_rarely(enum log_level level, const char *key, const char *message,
                      const struct log_field *fields, size_t n);
#define log_warn_rarely(key, message, ...)                                                                   \
  log_write_rarely(LOG_LEVEL_WARN, (key), (message), (const struct log_field[]){__VA_ARGS__},                \
                   sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))
// What decides it: whether a line with this key is due at this time (monotonic), and then how many were not.
bool log_is_due(const char *key, int64_t now_ms, int64_t *suppressed);
