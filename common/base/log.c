// SPDX-License-Identifier: MIT
#include "common/base/log.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 8192 };

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static const char *log_service = "dochak";
static _Atomic enum log_level log_level_min = LOG_LEVEL_INFO;
static _Atomic int log_fd = STDOUT_FILENO;

static const char cut_mark[] = ",\"cut\":true}\n"; // the longest end of a line
enum { LINE_ROOM = LINE_SIZE - sizeof cut_mark };  // with room for the quote of a string that is cut

struct line {
  char text[LINE_SIZE];
  size_t len;
  bool full; // it was cut; nothing more is added
};

// Adds the whole text or nothing.
static void put(struct line *line, const char *text, size_t len) {
  if (line->len + len > LINE_ROOM) line->full = true;
  if (line->full) return;
  memcpy(line->text + line->len, text, len);
  line->len += len;
}

static void put_text(struct line *line, const char *text) {
  put(line, text, strlen(text));
}

static void put_escaped(struct line *line, const char *text) {
  const char *end = text + strlen(text);
  char escape[8];
  uint32_t code;
  for (const char *at = text; at < end && !line->full;) {
    size_t len = utf8_decode(at, end, &code);
    if (len == 0)
      put_text(line, "\xef\xbf\xbd"); // U+FFFD
    else if (code == '"' || code == '\\')
      put(line, (const char[]){'\\', *at}, 2);
    else if (code < 0x20 || code == 0x7f)
      put(line, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", (unsigned)code));
    else
      put(line, at, len);
    at += len ? len : 1;
  }
}

// False: nothing of it fits.
static bool put_string(struct line *line, const char *text) {
  put_text(line, "\"");
  if (line->full) return false;
  put_escaped(line, text);
  line->text[line->len++] = '"';
  return true;
}

static void put_number(struct line *line, int64_t number) {
  char text[24];
  int len = snprintf(text, sizeof text, "%lld", (long long)number);
  put(line, text, (size_t)len);
}

// A long string is cut. A field whose name or number does not fit is left out.
static void put_field(struct line *line, const struct log_field *field) {
  if (line->full) return;
  size_t mark = line->len;
  bool cut = false;
  put_text(line, mark > 0 ? "," : "{");
  put_string(line, field->name);
  put_text(line, ":");
  if (field->str)
    cut = put_string(line, field->str);
  else
    put_number(line, field->num);
  if (line->full && !cut) line->len = mark;
}

static void finish(struct line *line) {
  const char *end = line->full ? cut_mark : "}\n";
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

static void compose(struct line *line, enum log_level level, const char *message,
                    const struct log_field *fields, size_t n, const struct log_field *last) {
  char time[CLOCK_RFC3339_SIZE];
  clock_format_rfc3339(clock_wall_ms(), time);
  const struct log_field head[] = {LOG_STR("time", time), LOG_STR("level", level_names[level]),
                                   LOG_STR("service", log_service), LOG_STR("message", message)};
  line->len = 0;
  line->full = false;
  for (size_t i = 0; i < COUNT_OF(head); i++) put_field(line, &head[i]);
  for (size_t i = 0; i < n; i++) put_field(line, &fields[i]);
  if (last) put_field(line, last);
  finish(line);
}

// ---- output ----
//
// A full pipe blocks its writers until the reader reads. So poll(2) comes before each write(2), which writes
// no more than a pipe that is not full takes at once. (If another process fills the same pipe between the two
// calls, the write can still block.) A half-written line stays in `output` and is continued before the next
// one.

enum { PATIENCE_MS = 100, EXIT_PATIENCE_MS = 1000 };

static struct {
  pthread_mutex_t lock;
  struct line line; // the last one that was accepted
  size_t written;   // bytes of it
  bool stuck;       // it is not written whole
} output = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Atomic int64_t dropped, unreported; // lines; unreported: dropped since the last line that reports it

// Whether the line is written. A line that cannot be written is given up, since there is nowhere to report
// it.
static bool continue_line(int64_t deadline_ms) {
  while (output.written < output.line.len) {
    int64_t left_ms = deadline_ms - clock_mono_ms();
    size_t len = output.line.len - output.written;
    struct pollfd fd = {.fd = log_fd, .events = POLLOUT};
    int ready = poll(&fd, 1, left_ms > 0 ? (int)left_ms : 0);
    if (ready == 0) return false;
    ssize_t wrote =
        ready < 0 ? -1 : write(fd.fd, output.line.text + output.written, len < PIPE_BUF ? len : PIPE_BUF);
    if (wrote > 0)
      output.written += (size_t)wrote;
    else if (wrote == 0 || (errno != EINTR && errno != EAGAIN))
      output.written = output.line.len;
    else if (left_ms <= 0)
      return false;
  }
  return true;
}

static void finish_output(void);

// By the wall clock: ThreadSanitizer of gcc 12 does not know pthread_mutex_clocklock().
static bool lock_output(int64_t patience_ms) {
  struct timespec deadline = clock_timespec_at(clock_wall_ms() + patience_ms);
  return pthread_mutex_timedlock(&output.lock, &deadline) == 0;
}

// Only where a line is left over: atexit() may be called by any thread.
static void finish_at_exit(void) {
  static atomic_flag registered = ATOMIC_FLAG_INIT;
  if (!atomic_flag_test_and_set(&registered)) atexit(finish_output);
}

// False: the line before it is not written yet. An accepted line is written now or later.
static bool accept_line(const struct line *line, int64_t deadline_ms) {
  if (!continue_line(deadline_ms)) return false;
  memcpy(output.line.text, line->text, line->len);
  output.line.len = line->len;
  output.written = 0;
  output.stuck = !continue_line(deadline_ms);
  if (output.stuck) finish_at_exit();
  return true;
}

static void report_dropped(int64_t deadline_ms) {
  struct line line;
  int64_t lines = atomic_load(&unreported);
  if (lines == 0) return;
  compose(&line, LOG_LEVEL_WARN, "log lines dropped: the reader of the log was stuck",
          &LOG_INT("lines", lines), 1, NULL);
  if (accept_line(&line, deadline_ms)) atomic_fetch_sub(&unreported, lines);
}

static void finish_output(void) {
  int64_t deadline_ms = clock_mono_ms() + EXIT_PATIENCE_MS;
  if (!lock_output(EXIT_PATIENCE_MS)) return;
  report_dropped(deadline_ms);
  continue_line(deadline_ms);
  pthread_mutex_unlock(&output.lock);
}

static void drop_line(void) {
  atomic_fetch_add(&unreported, 1);
  atomic_fetch_add(&dropped, 1);
  finish_at_exit();
}

// While the reader is stuck, a line is dropped at once.
static void log_line(enum log_level level, const char *message, const struct log_field *fields, size_t n,
                     const struct log_field *last) {
  struct line line;
  compose(&line, level, message, fields, n, last);
  int64_t deadline_ms = clock_mono_ms() + PATIENCE_MS;
  if (!lock_output(PATIENCE_MS)) {
    drop_line();
    return;
  }
  if (output.stuck) deadline_ms = 0;
  report_dropped(deadline_ms);
  if (!accept_line(&line, deadline_ms)) drop_line();
  pthread_mutex_unlock(&output.lock);
}

int64_t log_dropped(void) {
  return atomic_load(&dropped);
}

void log_write(enum log_level level, const char *message, const struct log_field *fields, size_t n) {
  if (level >= log_level_min) log_line(level, message, fields, n, NULL);
}

// ---- rate limit ----

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

// The slot of the key, else a free one, else the one that was used the longest time ago.
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
  log_line(level, message, fields, n, &LOG_INT("suppressed", suppressed));
}
