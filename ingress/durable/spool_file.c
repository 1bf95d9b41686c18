// SPDX-License-Identifier: MIT
#include "ingress/durable/spool_file.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "ingress/durable/spool_log.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { VERSION = 1, PAGE_BYTES = 4096, BUSY_MS = 1000, PROBE_BYTES = 256 * 1024 };

// `topic` is the name without its prefix, so that a file outlives a change of either.
static const char schema[] =
    "CREATE TABLE event (id INTEGER PRIMARY KEY, topic TEXT NOT NULL, ce_id BLOB NOT NULL, type TEXT NOT "
    "NULL,"
    " source TEXT NOT NULL, subject TEXT, time_ms INTEGER NOT NULL, provider TEXT, endpoint TEXT,"
    " traceparent TEXT, reason TEXT, key TEXT, value BLOB NOT NULL);"
    "CREATE TABLE probe (filler BLOB);"
    "PRAGMA user_version = 1;";

enum statement { BEGIN, COMMIT, ROLLBACK, PUT, DROP, USED, OLDEST, FILL, CLEAR, READ, READ_ONE, STATEMENT_COUNT };

static const char *const sql[STATEMENT_COUNT] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [PUT] = "INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    [DROP] = "DELETE FROM event WHERE id BETWEEN ?1 AND ?2",
    [USED] = ("SELECT (page_count - freelist_count) * page_size"
              " FROM pragma_page_count, pragma_freelist_count, pragma_page_size"),
    [OLDEST] = "SELECT time_ms FROM event ORDER BY id LIMIT 1",
    [FILL] = "INSERT INTO probe VALUES (zeroblob(?1))",
    [CLEAR] = "DELETE FROM probe",
    [READ] = "SELECT * FROM event WHERE id > ?1 ORDER BY id",
    [READ_ONE] = "SELECT * FROM event WHERE id = ?1",
};

struct spool_file {
  char *dir, *path;
  int lock_fd;
  sqlite3 *writer, *reader;
  sqlite3_stmt *statements[STATEMENT_COUNT]; // READ and READ_ONE are the reader's, all others the writer's
};

// ---- SQLite ----

static bool fail(struct err *err, sqlite3 *db) {
  return err_set(err, "%s", sqlite3_errmsg(db));
}

static bool is_damage(sqlite3 *db) {
  int code = sqlite3_errcode(db) & 0xff;
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

static bool run_script(sqlite3 *db, const char *script, struct err *err) {
  return sqlite3_exec(db, script, NULL, NULL, NULL) == SQLITE_OK || fail(err, db);
}

// The first column of the first row. New string, "" where there is none.
static char *ask(sqlite3 *db, const char *question, struct err *err) {
  sqlite3_stmt *stmt = NULL;
  char *text = NULL;
  int code = sqlite3_prepare_v2(db, question, -1, &stmt, NULL);
  if (code == SQLITE_OK) code = sqlite3_step(stmt);
  if (code == SQLITE_ROW || code == SQLITE_DONE) {
    const char *column = code == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
    text = mem_strdup(column ? column : "");
  } else {
    fail(err, db);
  }
  sqlite3_finalize(stmt);
  return text;
}

static bool ask_number(sqlite3 *db, const char *question, int64_t *out, struct err *err) {
  AUTO_FREE char *text = ask(db, question, err);
  if (text) *out = strtoll(text, NULL, 10);
  return text != NULL;
}

// A pragma that SQLite does not follow is not told as an error: what it says afterwards is.
static bool expect(sqlite3 *db, const char *question, const char *expected, struct err *err) {
  AUTO_FREE char *answer = ask(db, question, err);
  if (!answer) return false;
  return strcmp(answer, expected) == 0 || err_set(err, "%s: expected %s, got %s", question, expected, answer);
}

static bool step(struct spool_file *file, enum statement which, struct err *err) {
  sqlite3_stmt *stmt = file->statements[which];
  int code = sqlite3_step(stmt);
  if (code != SQLITE_DONE && code != SQLITE_ROW) fail(err, file->writer);
  sqlite3_reset(stmt);
  return code == SQLITE_DONE || code == SQLITE_ROW;
}

static int64_t number(struct spool_file *file, enum statement which, int64_t otherwise) {
  sqlite3_stmt *stmt = file->statements[which];
  int64_t value = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : otherwise;
  sqlite3_reset(stmt);
  return value;
}

// ---- the folder, and whose it is ----

// A file is only as durable as its name: that of the file in the folder, and that of a new folder beside it.
static bool sync_folder(const char *path, struct err *err) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 && errno == EACCES) return true; // not ours, so it was there long before us
  bool good = fd >= 0 && fsync(fd) == 0;
  if (!good) err_set(err, "%s: %s", path, strerror(errno));
  if (fd >= 0) close(fd);
  return good;
}

static bool sync_names(const struct spool_file *file, struct err *err) {
  AUTO_FREE char *parent = mem_printf("%s/..", file->dir);
  return sync_folder(file->dir, err) && sync_folder(parent, err);
}

static bool open_lock(struct spool_file *file, struct err *err) {
  if (mkdir(file->dir, 0700) != 0 && errno != EEXIST) return err_set(err, "%s", strerror(errno));
  AUTO_FREE char *path = mem_printf("%s/spool.lock", file->dir);
  file->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file->lock_fd < 0) return err_set(err, "spool.lock: %s", strerror(errno));
  if (flock(file->lock_fd, LOCK_EX | LOCK_NB) != 0)
    return err_set(err, "spool.lock: %s",
                   errno == EWOULDBLOCK ? "another dochak-ingress is using this folder; each needs its own"
                                        : strerror(errno));
  return true;
}

// SQLite would make it readable for more than its owner.
static bool make_file(const char *path, struct err *err) {
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return err_set(err, "spool.db: %s", strerror(errno));
  close(fd);
  return true;
}

// ---- open ----

static bool open_database(const char *path, sqlite3 **db, struct err *err) {
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX; // one thread each
  if (sqlite3_open_v2(path, db, flags, NULL) != SQLITE_OK) return fail(err, *db);
  sqlite3_busy_timeout(*db, BUSY_MS);
  return true;
}

static bool check_sound(sqlite3 *db, bool *damaged, struct err *err) {
  AUTO_FREE char *verdict = ask(db, "PRAGMA quick_check(1)", err);
  *damaged = verdict ? strcmp(verdict, "ok") != 0 : is_damage(db);
  return verdict && (!*damaged || err_set(err, "%s", verdict));
}

static bool set_durability(sqlite3 *db, struct err *err) {
  return run_script(db, "PRAGMA page_size = 4096; PRAGMA synchronous = FULL", err) &&
         expect(db, "PRAGMA journal_mode = WAL", "wal", err) && expect(db, "PRAGMA synchronous", "2", err) &&
         expect(db, "PRAGMA page_size", "4096", err) &&
         run_script(db, "PRAGMA journal_size_limit = 16777216", err);
}

// A log that a crash left is folded in at once, so that what stands behind its end is no commit of ours when
// the next crash has it looked at.
static bool fold_log(sqlite3 *db, struct err *err) {
  return expect(db, "PRAGMA wal_checkpoint(TRUNCATE)", "0", err);
}

// SQLite answers with the bound it keeps to: more than was asked for where the file is larger already, since
// the bound was set lower.
static bool set_bound(sqlite3 *db, int64_t max_bytes, struct spool_found *found, struct err *err) {
  AUTO_FREE char *bound = mem_printf("PRAGMA max_page_count = %lld", (long long)(max_bytes / PAGE_BYTES));
  int64_t pages = 0;
  if (!ask_number(db, bound, &pages, err)) return false;
  found->bound_bytes = pages * PAGE_BYTES;
  return pages >= max_bytes / PAGE_BYTES || err_set(err, "%s: SQLite keeps to %lld", bound, (long long)pages);
}

static bool use_schema(sqlite3 *db, struct err *err) {
  int64_t version = 0;
  if (!ask_number(db, "PRAGMA user_version", &version, err)) return false;
  if (version == VERSION) return true;
  if (version > VERSION)
    return err_set(err, "written by a newer dochak (version %lld, this one knows %d)", (long long)version,
                   VERSION);
  AUTO_FREE char *script = mem_printf("BEGIN; %s COMMIT", schema);
  return run_script(db, script, err);
}

static bool count_events(sqlite3 *db, struct spool_found *found, struct err *err) {
  return ask_number(db, "SELECT count(*) FROM event", &found->events, err) &&
         ask_number(db, "SELECT coalesce(max(id), 0) FROM event", &found->last_id, err);
}

static bool prepare_all(struct spool_file *file, struct err *err) {
  for (enum statement i = 0; i < STATEMENT_COUNT; i++) {
    sqlite3 *db = i >= READ ? file->reader : file->writer;
    if (sqlite3_prepare_v3(db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &file->statements[i], NULL))
      return fail(err, db);
  }
  return true;
}

static void close_databases(struct spool_file *file) {
  for (enum statement i = 0; i < STATEMENT_COUNT; i++) {
    sqlite3_finalize(file->statements[i]);
    file->statements[i] = NULL;
  }
  sqlite3_close(take(file->reader));
  sqlite3_close(take(file->writer)); // the last one: it folds the log into the file
}

static bool open_databases(struct spool_file *file, int64_t max_bytes, struct spool_found *found,
                           bool *damaged, struct err *err) {
  if (make_file(file->path, err) && open_database(file->path, &file->writer, err) &&
      check_sound(file->writer, damaged, err) && set_durability(file->writer, err) &&
      set_bound(file->writer, max_bytes, found, err) && use_schema(file->writer, err) &&
      fold_log(file->writer, err) && count_events(file->writer, found, err) &&
      open_database(file->path, &file->reader, err) && prepare_all(file, err) && sync_names(file, err))
    return true;
  *damaged |= file->writer && is_damage(file->writer);
  return false;
}

// The check visits the pages in the order of the tree, which costs a cold disk eight times what reading the
// file from front to back does. Errors are the check's to tell.
static bool read_through(const struct spool_file *file, const atomic_bool *stop, struct err *err) {
  enum { CHUNK_BYTES = 1024 * 1024 };
  AUTO_FREE char *chunk = mem_alloc(CHUNK_BYTES);
  int fd = open(file->path, O_RDONLY | O_CLOEXEC);
  while (fd >= 0 && !atomic_load(stop) && read(fd, chunk, CHUNK_BYTES) > 0) continue;
  if (fd >= 0) close(fd);
  return !atomic_load(stop) || err_set(err, "given up, since dochak-ingress stops");
}

// Whole or not at all.
static bool copy_file(const char *from, const char *to, struct err *err) {
  AUTO_FREE char *part = mem_printf("%s.part", to);
  int in = open(from, O_RDONLY | O_CLOEXEC), out = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ssize_t n = -1;
  if (in >= 0 && out >= 0)
    while ((n = sendfile(out, in, NULL, 1 << 30)) > 0) continue;
  bool good = n == 0 && fsync(out) == 0 && rename(part, to) == 0;
  if (!good) err_set(err, "copying its damaged log: %s", strerror(errno));
  if (!good && out >= 0) unlink(part);
  if (in >= 0) close(in);
  if (out >= 0) close(out);
  return good;
}

// What SQLite is going to drop is kept, once however often it takes to open the file: the copy has the log's
// own time for a name.
static bool keep_damaged_log(const struct spool_file *file, struct spool_found *found, struct err *err) {
  AUTO_FREE char *log = mem_printf("%s-wal", file->path);
  struct stat st;
  if (!spool_log_lost(log, &found->lost_commits, err)) return false;
  if (!found->lost_commits || stat(log, &st) != 0) return true;
  long long changed_ms = st.st_mtim.tv_sec * 1000LL + st.st_mtim.tv_nsec / 1000000;
  AUTO_FREE char *copy = mem_printf("%s/damaged-%lld.log", file->dir, changed_ms);
  if (access(copy, F_OK) == 0) return true;
  if (!copy_file(log, copy, err)) return false;
  found->damaged_log = take(copy);
  return true;
}

// The log first: a log that is left beside a fresh file would be played into it.
static bool set_aside(struct spool_file *file, struct spool_found *found, struct err *err) {
  found->set_aside = mem_printf("%s/damaged-%lld.db", file->dir, (long long)clock_wall_ms());
  static const char *const parts[] = {"-wal", "-shm", ""};
  for (size_t i = 0; i < COUNT_OF(parts); i++) {
    AUTO_FREE char *from = mem_printf("%s%s", file->path, parts[i]);
    AUTO_FREE char *to = mem_printf("%s%s", found->set_aside, parts[i]);
    if (rename(from, to) != 0 && errno != ENOENT)
      return err_set(err, "is damaged and cannot be renamed: %s", strerror(errno));
  }
  return true;
}

static bool open_all(struct spool_file *file, int64_t max_bytes, const atomic_bool *stop,
                     struct spool_found *found, struct err *err) {
  bool damaged = false;
  if (!open_lock(file, err) || !keep_damaged_log(file, found, err) || !read_through(file, stop, err))
    return false;
  if (open_databases(file, max_bytes, found, &damaged, err)) return true;
  if (!damaged) return err_prefix(err, "spool.db: ");
  // Closing would fold a damaged log into the file; what is damaged is kept as it was found.
  if (file->writer) sqlite3_db_config(file->writer, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  close_databases(file);
  return set_aside(file, found, err) && open_databases(file, max_bytes, found, &damaged, err);
}

struct spool_file *spool_file_open(const char *dir, int64_t max_bytes, const atomic_bool *stop,
                                   struct spool_found *found, struct err *err) {
  struct spool_file *file = mem_alloc(sizeof *file);
  *file = (struct spool_file){.dir = mem_strdup(dir), .path = mem_printf("%s/spool.db", dir), .lock_fd = -1};
  *found = (struct spool_found){0};
  if (open_all(file, max_bytes, stop, found, err)) return file;
  err_prefix(err, "%s: ", dir);
  spool_file_close(file);
  return NULL;
}

static bool check_access(const char *path, int wanted, struct err *err) {
  return access(path, wanted) == 0 || err_set(err, "%s: %s", path, strerror(errno));
}

bool spool_file_check(const char *dir, struct err *err) {
  AUTO_FREE char *path = mem_printf("%s/spool.db", dir);
  AUTO_FREE char *above = mem_strdup(dir);
  struct stat st;
  if (stat(dir, &st) != 0)
    return errno == ENOENT ? check_access(dirname(above), W_OK | X_OK, err)
                           : err_set(err, "%s: %s", dir, strerror(errno));
  if (!S_ISDIR(st.st_mode)) return err_set(err, "%s: %s", dir, strerror(ENOTDIR));
  if (!check_access(dir, R_OK | W_OK | X_OK, err)) return false;
  if (stat(path, &st) != 0) return errno == ENOENT || err_set(err, "%s: %s", path, strerror(errno));
  return S_ISREG(st.st_mode) ? check_access(path, R_OK | W_OK, err) : err_set(err, "%s: is no file", path);
}

void spool_file_close(struct spool_file *file) {
  if (!file) return;
  close_databases(file);
  if (file->lock_fd >= 0) close(file->lock_fd); // lets go of the lock
  free(file->path);
  free(file->dir);
  free(file);
}

// ---- writing ----

bool spool_file_begin(struct spool_file *file, struct err *err) {
  return step(file, BEGIN, err);
}

static void bind_text(sqlite3_stmt *stmt, int at, const char *text) {
  sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC); // NULL is NULL
}

static const char *const topics[KAFKA_TOPIC_COUNT] = {[KAFKA_TOPIC_EVENTS] = "events",
                                                      [KAFKA_TOPIC_ALERTS] = "alerts",
                                                      [KAFKA_TOPIC_QUARANTINE] = "quarantine"};

bool spool_file_put(struct spool_file *file, int64_t id, const struct publisher_message *message,
                    struct err *err) {
  sqlite3_stmt *stmt = file->statements[PUT];
  const struct event *ev = &message->event;
  sqlite3_bind_int64(stmt, 1, id);
  bind_text(stmt, 2, topics[message->topic]);
  sqlite3_bind_blob(stmt, 3, ev->id.bytes, sizeof ev->id.bytes, SQLITE_STATIC);
  bind_text(stmt, 4, ev->type);
  bind_text(stmt, 5, ev->source);
  bind_text(stmt, 6, ev->subject);
  sqlite3_bind_int64(stmt, 7, ev->time_ms);
  bind_text(stmt, 8, ev->provider);
  bind_text(stmt, 9, ev->endpoint);
  bind_text(stmt, 10, ev->traceparent);
  bind_text(stmt, 11, ev->reason);
  bind_text(stmt, 12, message->key);
  const void *value = message->value_len ? message->value : ""; // a NULL pointer would bind NULL
  sqlite3_bind_blob64(stmt, 13, value, message->value_len, SQLITE_STATIC);
  return step(file, PUT, err);
}

bool spool_file_drop(struct spool_file *file, int64_t first, int64_t last, int64_t *dropped,
                     struct err *err) {
  sqlite3_bind_int64(file->statements[DROP], 1, first);
  sqlite3_bind_int64(file->statements[DROP], 2, last);
  if (!step(file, DROP, err)) return false;
  *dropped += sqlite3_changes64(file->writer);
  return true;
}

bool spool_file_commit(struct spool_file *file, struct err *err) {
  return step(file, COMMIT, err);
}

// SQLite may have rolled back by itself.
void spool_file_rollback(struct spool_file *file) {
  struct err ignored;
  if (!sqlite3_get_autocommit(file->writer) && !step(file, ROLLBACK, &ignored)) return;
}

static bool fill_and_clear(struct spool_file *file, struct err *err) {
  sqlite3_bind_int64(file->statements[FILL], 1, PROBE_BYTES);
  return step(file, BEGIN, err) && step(file, FILL, err) && step(file, COMMIT, err) && step(file, CLEAR, err);
}

bool spool_file_probe(struct spool_file *file, struct err *err) {
  bool good = fill_and_clear(file, err);
  if (!good) spool_file_rollback(file);
  return good;
}

int64_t spool_file_used_bytes(struct spool_file *file) {
  return number(file, USED, 0);
}

int64_t spool_file_room_bytes(struct spool_file *file) {
  struct statvfs disk;
  struct stat stat_of_file;
  if (statvfs(file->path, &disk) != 0 || stat(file->path, &stat_of_file) != 0) return -1;
  int64_t used = spool_file_used_bytes(file), free_bytes = (int64_t)(disk.f_bavail * disk.f_frsize);
  int64_t owed = used > stat_of_file.st_size ? used - stat_of_file.st_size : 0;
  return free_bytes > owed ? used + free_bytes - owed : used;
}

int64_t spool_file_oldest_ms(struct spool_file *file) {
  return number(file, OLDEST, -1);
}

// ---- reading ----

static const char *text_at(sqlite3_stmt *stmt, int at) {
  return (const char *)sqlite3_column_text(stmt, at);
}

static enum kafka_topic topic_of(const char *name) {
  enum kafka_topic topic = KAFKA_TOPIC_EVENTS;
  while (topic < KAFKA_TOPIC_COUNT - 1 && strcmp(topics[topic], name) != 0) topic++;
  return topic;
}

static void read_row(sqlite3_stmt *stmt, struct publisher_message *out) {
  *out = (struct publisher_message){
      .topic = topic_of(text_at(stmt, 1)),
      .event = {.type = text_at(stmt, 3),
                .source = text_at(stmt, 4),
                .subject = text_at(stmt, 5),
                .time_ms = sqlite3_column_int64(stmt, 6),
                .provider = text_at(stmt, 7),
                .endpoint = text_at(stmt, 8),
                .traceparent = text_at(stmt, 9),
                .reason = text_at(stmt, 10)},
      .key = text_at(stmt, 11),
      .value = sqlite3_column_blob(stmt, 12),
      .value_len = (size_t)sqlite3_column_bytes(stmt, 12),
  };
  const void *id = sqlite3_column_blob(stmt, 2);
  if (id && sqlite3_column_bytes(stmt, 2) == (int)sizeof out->event.id.bytes)
    memcpy(out->event.id.bytes, id, sizeof out->event.id.bytes);
}

static bool read_rows(struct spool_file *file, enum statement which, int64_t id, spool_take_fn *take_row,
                      void *arg, bool *found, struct err *err) {
  sqlite3_stmt *stmt = file->statements[which];
  sqlite3_bind_int64(stmt, 1, id);
  *found = false;
  int code;
  while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
    struct publisher_message message;
    read_row(stmt, &message);
    *found = true;
    if (!take_row(arg, sqlite3_column_int64(stmt, 0), &message)) break;
  }
  if (code != SQLITE_ROW && code != SQLITE_DONE) fail(err, file->reader);
  sqlite3_reset(stmt); // ends the snapshot, which would keep the log from being folded in
  return code == SQLITE_ROW || code == SQLITE_DONE;
}

bool spool_file_read(struct spool_file *file, int64_t after, spool_take_fn *take_row, void *arg,
                     struct err *err) {
  bool found;
  return read_rows(file, READ, after, take_row, arg, &found, err);
}

bool spool_file_read_one(struct spool_file *file, int64_t id, spool_take_fn *take_row, void *arg, bool *found,
                         struct err *err) {
  return read_rows(file, READ_ONE, id, take_row, arg, found, err);
}
