// SPDX-License-Identifier: MIT
#include "common/base/log.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 8192 };

static const char *const level_names[] = {"debug", "info", "warn", "error"};

// Set once, before the threads start.
static const char *log_service = "dochak";
static _Atomic enum log_level log_level_min = LOG_LEVEL_INFO;
static int log_fd = STDOUT_FILENO;

static const char cut_mark[] =
    "\",\"cut\":true}\n"; // the longest thing that must still fit behind a full line
enum { LINE_ROOM = LINE_SIZE - sizeof cut_mark };

struct line {
  char text[LINE_SIZE];
  size_t len;
  bool full;      // nothing goes behind what was cut
  bool in_string; // a string is open
};

// All of it or nothing.
static void put(struct line *line, const char *text, size_t len) {
  if (len > LINE_ROOM - line->len) line->full = true;
  if (line->full) return;
  memcpy(line->text + line->len, text, len);
  line->len += len;
}

static void put_text(struct line *line, const char *text) {
  put(line, text, strlen(text));
}

// Length of the well-formed UTF-8 sequence (RFC 3629) at s, 0 if there is none. Stops at a NUL by itself.
static size_t utf8_length(const unsigned char *s) {
  if (s[0] < 0x80) return 1;
  size_t len = s[0] >= 0xc2 && s[0] < 0xe0   ? 2
               : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
               : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                                             : 0;
  for (size_t i = 1; i < len; i++)
    if ((s[i] & 0xc0) != 0x80) return 0;
  bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
  bool beyond = (s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf4 && s[1] >= 0x90);
  return overlong || beyond ? 0 : len;
}

static void put_control(struct line *line, unsigned char c) {
  char escape[8];
  int len = snprintf(escape, sizeof escape, "\\u%04x", c);
  put(line, escape, (size_t)len);
}

static void put_escaped(struct line *line, const char *text) {
  for (const char *s = text; *s && !line->full;) {
    size_t len = utf8_length((const unsigned char *)s);
    if (len == 0)
      put_text(line, "\xef\xbf\xbd"); // U+FFFD
    else if (*s == '"' || *s == '\\')
      put(line, (const char[]){'\\', *s}, 2);
    else if ((unsigned char)*s < 0x20 || *s == 0x7f)
      put_control(line, (unsigned char)*s);
    else
      put(line, s, len);
    s += len ? len : 1;
  }
}

static void put_string(struct line *line, const char *text) {
  put_text(line, "\"");
  line->in_string = !line->full;
  put_escaped(line, text);
  put_text(line, "\"");
  if (!line->full) line->in_string = false;
}

static void put_number(struct line *line, int64_t number) {
  char text[24];
  int len = snprintf(text, sizeof text, "%lld", (long long)number);
  put(line, text, (size_t)len);
}

// A long string is cut; a field whose name or number does not fit leaves nothing behind.
static void put_field(struct line *line, const struct log_field *field) {
  if (line->full) return;
  size_t mark = line->len;
  put_text(line, mark > 0 ? "," : "{");
  put_string(line, field->name);
  put_text(line, ":");
  if (line->full)
    line->in_string = false; // the name's
  else if (field->str)
    put_string(line, field->str);
  else
    put_number(line, field->num);
  if (line->full && !line->in_string) line->len = mark;
}

static void finish(struct line *line) {
  const char *end = !line->full ? "}\n" : line->in_string ? cut_mark : cut_mark + 1;
  memcpy(line->text + line->len, end, strlen(end));
  line->len += strlen(end);
}

void log_init(const char *service, enum log_level level) {
  log_service = service;
  log_level_min = level;
}

void log_to_stderr(void) {
  log_fd = STDERR_FILENO;
}

bool log_level_parse(const char *name, enum log_level *out) {
  for (size_t i = 0; i < COUNT_OF(level_names); i++) {
    if (strcmp(name, level_names[i]) != 0) continue;
    *out = (enum log_level)i;
    return true;
  }
  return false;
}

const char *log_level_name(enum log_level level) {
  return level_names[level];
}

// A reader of our log who stands still must not stop us: what he does not take in time is lost.
static bool takes_more(void) {
  enum { PATIENCE_MS = 100 };
  static atomic_bool stands_still;
  struct pollfd out = {.fd = log_fd, .events = POLLOUT};
  bool waited = atomic_load(&stands_still);
  bool takes = poll(&out, 1, waited ? 0 : PATIENCE_MS) != 0;
  if (takes == waited) atomic_store(&stands_still, !takes);
  return takes;
}

static void write_line(enum log_level level, const char *message, const struct log_field *fields, size_t n,
                       const struct log_field *last) {
  char time[CLOCK_RFC3339_SIZE];
  clock_format_rfc3339(clock_wall_ms(), time);
  const struct log_field head[] = {LOG_STR("time", time), LOG_STR("level", level_names[level]),
                                   LOG_STR("service", log_service), LOG_STR("message", message)};
  struct line line;
  line.len = 0;
  line.full = line.in_string = false;
  for (size_t i = 0; i < COUNT_OF(head); i++) put_field(&line, &head[i]);
  for (size_t i = 0; i < n; i++) put_field(&line, &fields[i]);
  if (last) put_field(&line, last);
  finish(&line);
  if (!takes_more()) return;
  // A log that cannot be written has nobody to tell.
  while (write(log_fd, line.text, line.len) < 0 && errno == EINTR) continue;
}

void log_write(enum log_level level, const char *message, const struct log_field *fields, size_t n) {
  if (level >= log_level_min) write_line(level, message, fields, n, NULL);
}

// ---- lines that come too often ----

enum { RECENT_SLOTS = 64, RECENT_MS = 10000 };

static pthread_mutex_t recent_lock = PTHREAD_MUTEX_INITIALIZER;
static struct recent {
  uint64_t hash; // 0: never used
  int64_t at_ms, suppressed;
} recent[RECENT_SLOTS];

// FNV-1a.
static uint64_t hash_key(const char *key) {
  uint64_t hash = 0xcbf29ce484222325;
  for (; *key; key++) hash = (hash ^ (unsigned char)*key) * 0x100000001b3;
  return hash;
}

// That of the key, else the one that has been silent for longest.
static struct recent *find_recent(uint64_t hash) {
  struct recent *oldest = &recent[0];
  for (size_t i = 0; i < RECENT_SLOTS; i++) {
    if (recent[i].hash == hash) return &recent[i];
    if (!recent[i].hash || (oldest->hash && recent[i].at_ms < oldest->at_ms)) oldest = &recent[i];
  }
  return oldest;
}

bool log_is_due(const char *key, int64_t now_ms, int64_t *suppressed) {
  uint64_t hash = hash_key(key);
  pthread_mutex_lock(&recent_lock);
  struct recent *slot = find_recent(hash);
  bool same = slot->hash == hash, due = !same || now_ms - slot->at_ms >= RECENT_MS;
  *suppressed = same ? slot->suppressed : 0;
  if (due)
    *slot = (struct recent){.hash = hash, .at_ms = now_ms};
  else
    slot->suppressed++;
  pthread_mutex_unlock(&recent_lock);
  return due;
}

void log_write_rarely(enum log_level level, const char *key, const char *message,
                      const struct log_field *fields, size_t n) {
  int64_t suppressed;
  if (level < log_level_min || !log_is_due(key, clock_mono_ms(), &suppressed)) return;
  write_line(level, message, fields, n, &LOG_INT("suppressed", suppressed));
}
