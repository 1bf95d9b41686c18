// SPDX-License-Identifier: MIT
#include "common/base/log.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 8192 };

static const char *const level_names[] = {"debug", "info", "warn", "error"};

// Set once, before the threads start.
static const char *log_service = "dochak";
static _Atomic enum log_level log_level_min = LOG_LEVEL_INFO;
static _Atomic int log_fd = STDOUT_FILENO;

static const char cut_mark[] = "\",\"cut\":true}\n"; // the longest end of a line, for which room is kept
enum { LINE_ROOM = LINE_SIZE - sizeof cut_mark };

struct line {
  char text[LINE_SIZE];
  size_t len;
  bool full;      // it was cut: nothing more is added
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

static void put_control(struct line *line, unsigned char c) {
  char escape[8];
  int len = snprintf(escape, sizeof escape, "\\u%04x", c);
  put(line, escape, (size_t)len);
}

static void put_escaped(struct line *line, const char *text) {
  const char *end = text + strlen(text);
  uint32_t code;
  for (const char *at = text; at < end && !line->full;) {
    size_t len = utf8_decode(at, end, &code);
    if (len == 0)
      put_text(line, "\xef\xbf\xbd"); // U+FFFD
    else if (code == '"' || code == '\\')
      put(line, (const char[]){'\\', *at}, 2);
    else if (code < 0x20 || code == 0x7f)
      put_control(line, (unsigned char)*at);
    else
      put(line, at, len);
    at += len ? len : 1;
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

// A long string is cut; a field whose name or number does not fit is left out whole.
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

static void compose(struct line *line, enum log_level level, const char *message,
                    const struct log_field *fields, size_t n, const struct log_field *last) {
  char time[CLOCK_RFC3339_SIZE];
  clock_format_rfc3339(clock_wall_ms(), time);
  const struct log_field head[] = {LOG_STR("time", time), LOG_STR("level", level_names[level]),
                                   LOG_STR("service", log_service), LOG_STR("message", message)};
  line->len = 0;
  line->full = line->in_string = false;
  for (size_t i = 0; i < COUNT_OF(head); i++) put_field(line, &head[i]);
  for (size_t i = 0; i < n; i++) put_field(line, &fields[i]);
  if (last) put_field(line, last);
  finish(line);
}

// ---- the writer thread ----
//
// A pipe whose reader hangs blocks whoever writes to it, so that only this thread writes. Callers put whole
// lines into the ring and wait until they are written, so that a crash loses none. After PATIENCE_MS the
// reader counts as stuck: callers no longer wait until the ring was empty again, and a line that finds the
// ring full is dropped and counted.

enum { RING_BYTES = 128 * 1024, PATIENCE_MS = 100, FLUSH_MS = 1000 };

static struct {
  pthread_once_t once;
  pthread_mutex_t lock;
  pthread_cond_t filled, written;
  bool running, stuck;
  char bytes[RING_BYTES];
  uint64_t put, taken;      // bytes since the start
  int64_t dropped, unnamed; // lines; unnamed: not in a line of the log yet
} ring = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};

// A line that cannot be written is given up, since there is nowhere to report it.
static void write_whole(const char *text, size_t len) {
  struct pollfd out = {.fd = log_fd, .events = POLLOUT};
  while (len) {
    ssize_t wrote = write(out.fd, text, len);
    if (wrote > 0)
      text += wrote, len -= (size_t)wrote;
    else if (wrote < 0 && errno == EAGAIN)
      poll(&out, 1, -1); // another process made the descriptor non-blocking
    else if (wrote == 0 || errno != EINTR)
      return;
  }
}

static bool append(const struct line *line) {
  if (line->len > RING_BYTES - (ring.put - ring.taken)) return false;
  size_t at = ring.put % RING_BYTES, first = RING_BYTES - at < line->len ? RING_BYTES - at : line->len;
  memcpy(ring.bytes + at, line->text, first);
  memcpy(ring.bytes, line->text + first, line->len - first);
  ring.put += line->len;
  return true;
}

static void name_dropped(void) {
  struct line line;
  if (!ring.unnamed) return;
  compose(&line, LOG_LEVEL_WARN, "log lines dropped: the reader of the log was stuck",
          &LOG_INT("lines", ring.unnamed), 1, NULL);
  if (append(&line)) ring.unnamed = 0;
}

// One line a write(2), which a pipe keeps whole among the lines of other processes.
static size_t take_line(char *text) {
  size_t len = 0;
  do text[len] = ring.bytes[(ring.taken + len) % RING_BYTES];
  while (text[len++] != '\n');
  return len;
}

static void *write_lines(void *arg) {
  char text[LINE_SIZE];
  pthread_mutex_lock(&ring.lock);
  for (;;) {
    while (ring.put == ring.taken) pthread_cond_wait(&ring.filled, &ring.lock);
    size_t len = take_line(text);
    pthread_mutex_unlock(&ring.lock);
    write_whole(text, len);
    pthread_mutex_lock(&ring.lock);
    ring.taken += len;
    name_dropped();
    if (ring.put == ring.taken) ring.stuck = false;
    pthread_cond_broadcast(&ring.written);
  }
  return arg;
}

// False: it took longer.
static bool wait_written(uint64_t upto, int64_t ms) {
  struct timespec deadline = clock_timespec_at(clock_mono_ms() + ms);
  while (ring.taken < upto)
    if (pthread_cond_timedwait(&ring.written, &ring.lock, &deadline) == ETIMEDOUT) return ring.taken >= upto;
  return true;
}

static void flush(void) {
  pthread_mutex_lock(&ring.lock);
  wait_written(ring.put, FLUSH_MS);
  pthread_mutex_unlock(&ring.lock);
}

// Signals are for the threads that wait for them.
static void start_writer(void) {
  sigset_t all, before;
  pthread_t thread;
  clock_cond_init(&ring.written);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  ring.running = pthread_create(&thread, NULL, write_lines, NULL) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (!ring.running) return;
  pthread_detach(thread);
  atexit(flush);
}

static void write_line(const struct line *line) {
  pthread_once(&ring.once, start_writer);
  if (!ring.running) {
    write_whole(line->text, line->len);
    return;
  }
  pthread_mutex_lock(&ring.lock);
  if (append(line)) {
    pthread_cond_signal(&ring.filled);
    if (!ring.stuck && !wait_written(ring.put, PATIENCE_MS)) ring.stuck = true;
  } else {
    ring.dropped++;
    ring.unnamed++;
  }
  pthread_mutex_unlock(&ring.lock);
}

int64_t log_dropped(void) {
  pthread_mutex_lock(&ring.lock);
  int64_t lines = ring.dropped;
  pthread_mutex_unlock(&ring.lock);
  return lines;
}

static void log_line(enum log_level level, const char *message, const struct log_field *fields, size_t n,
                     const struct log_field *last) {
  struct line line;
  compose(&line, level, message, fields, n, last);
  write_line(&line);
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

// The slot of the key, else a free one, else the one that was used longest ago.
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
