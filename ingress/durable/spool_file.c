// SPDX-License-Identifier: MIT
#include "ingress/durable/spool_file.h"

#include "common/base/clock.h"
#include "common/base/crash_point.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/kafka/kafka.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
  VERSION = 1,
  PAGE_BYTES = 4096,
  BUSY_MS = 1000,
  SHRINK_USED_BYTES = 1024 * 1024,     // VACUUM writes as much again
  SHRINK_FILE_BYTES = 4 * 1024 * 1024, // not worth it below
  UNREADABLE_IDS_MAX = 20000,          // in a row: more than the largest subtree of a page but the root
  LOG_HEADER_BYTES = 32,
  LOG_FRAME_HEADER_BYTES = 24,
  LOG_FRAME_BYTES = LOG_FRAME_HEADER_BYTES + PAGE_BYTES,
};

// `topic` is the name without its prefix, so that a file outlives a change of the prefix. `total` spares each
// start counting the rows; triggers keep it right under an older dochak, too, which does not know of it.
static const char schema[] =
    "BEGIN;"
    "CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY, topic TEXT NOT NULL, ce_id BLOB NOT NULL,"
    " type TEXT NOT NULL, source TEXT NOT NULL, subject TEXT, time_ms INTEGER NOT NULL, provider TEXT,"
    " endpoint TEXT, traceparent TEXT, reason TEXT, key TEXT, value BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS probe (filler BLOB);"
    "CREATE TABLE total (events INTEGER NOT NULL);"
    "INSERT INTO total SELECT count(*) FROM event;"
    "CREATE TRIGGER event_put AFTER INSERT ON event BEGIN UPDATE total SET events = events + 1; END;"
    "CREATE TRIGGER event_drop AFTER DELETE ON event BEGIN UPDATE total SET events = events - 1; END;"
    "PRAGMA user_version = 1;"
    "COMMIT";

// A larger id in a damaged file is damage, too; it would leave no ids for new rows.
static const int64_t RESCUED_ID_MAX = INT64_MAX / 2;

// The columns in the order of our statements. The strings are those of publisher_message_text().
#define COLUMNS                                                                                              \
  "id, topic, ce_id, time_ms, value, type, source, subject, provider, endpoint, traceparent, reason, key"
enum column { ID, TOPIC, CE_ID, TIME_MS, VALUE, FIRST_TEXT };
enum { COLUMN_COUNT = FIRST_TEXT + PUBLISHER_MESSAGE_TEXTS };

#define INTO_EVENT " INTO event (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

enum statement { PUT, COPY, DROP, MEASURE, REFUSE, WAITING, READ, STATEMENT_COUNT };
static const char *const sql[STATEMENT_COUNT] = {
    [PUT] = "INSERT" INTO_EVENT,
    [COPY] = "INSERT OR IGNORE" INTO_EVENT, // a row that breaks a constraint of the table is left out
    [DROP] = "DELETE FROM event WHERE id = ?",
    [MEASURE] = "SELECT (SELECT events FROM total), page_count - freelist_count,"
                " coalesce((SELECT max(id) FROM event), 0),"
                " coalesce((SELECT time_ms FROM event ORDER BY id LIMIT 1), -1)"
                " FROM pragma_page_count, pragma_freelist_count",
    [REFUSE] = "INSERT OR IGNORE INTO temp.refused VALUES (?)",
    // As read_row() takes them: what it skips waits for nothing.
    [WAITING] =
        "SELECT id, time_ms FROM event WHERE id >= ? AND topic = ? AND length(ce_id) = 16"
        " AND NOT EXISTS (SELECT 1 FROM temp.refused WHERE refused.id = event.id) ORDER BY id LIMIT 1",
    [READ] = "SELECT " COLUMNS " FROM event WHERE id BETWEEN ? AND ? ORDER BY id",
};

struct spool_file {
  char *dir, *path, *log, *damaged; // `damaged`: a damaged file whose rows are not copied yet
  int64_t max_bytes;
  const atomic_bool *stop;
  int lock_fd;
  sqlite3 *writer, *reader;
  sqlite3_stmt *statements[STATEMENT_COUNT]; // READ is the reader's, the others are the writer's
  int64_t waiting_id;                        // no row below it waits for the events topic
  atomic_bool is_damaged;
};

// ---- SQLite ----

static bool is_damage(sqlite3 *db) {
  int code = sqlite3_errcode(db) & 0xff;
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

// Also rolls a transaction back, if SQLite has not done that by itself.
static bool fail(struct spool_file *file, sqlite3 *db, struct err *err) {
  if (is_damage(db)) atomic_store(&file->is_damaged, true);
  err_set(err, "%s", sqlite3_errmsg(db));
  if (!sqlite3_get_autocommit(db)) sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
  return false;
}

static bool run_script(struct spool_file *file, const char *script, struct err *err) {
  return sqlite3_exec(file->writer, script, NULL, NULL, NULL) == SQLITE_OK || fail(file, file->writer, err);
}

// The number that a query answers with.
static bool ask(sqlite3 *db, const char *query, int64_t *out) {
  sqlite3_stmt *stmt = NULL;
  bool known =
      sqlite3_prepare_v2(db, query, -1, &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW;
  if (known) *out = sqlite3_column_int64(stmt, 0);
  sqlite3_finalize(stmt);
  return known;
}

static bool step(struct spool_file *file, enum statement which, struct err *err) {
  sqlite3_stmt *stmt = file->statements[which];
  bool good = sqlite3_step(stmt) == SQLITE_DONE || fail(file, file->writer, err);
  sqlite3_reset(stmt);
  return good;
}

static int64_t size_of(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 ? st.st_size : 0;
}

static bool exists(const char *path) {
  return access(path, F_OK) == 0;
}

// ---- the folder and its lock ----

// A file is durable only once its name is: the file's name in the folder, and that of a new folder in its
// parent.
static bool sync_folder(const char *path, struct err *err) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 && errno == EACCES) return true; // not ours, so it is not new
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

// ---- a damaged log ----

static uint32_t big_endian(const unsigned char *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

// Whether acknowledged commits stand behind the frames that SQLite played back: two commit frames of this
// log. One alone may be the end of a commit that a power cut ended. Other frames there are older: SQLite
// writes a log again from its beginning, under a salt that is one more.
// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
static bool log_holds_more(const char *path, int played) {
  unsigned char start[LOG_HEADER_BYTES + LOG_FRAME_HEADER_BYTES], frame[LOG_FRAME_HEADER_BYTES];
  int fd = open(path, O_RDONLY | O_CLOEXEC), commits = 0;
  if (fd < 0) return false;
  if (pread(fd, start, sizeof start, 0) == sizeof start) {
    uint32_t salt = big_endian(start + 16), first_salt = big_endian(start + LOG_HEADER_BYTES + 8);
    // Where nothing was played back and no new round was begun, header or first frame are damaged.
    bool any_salt = !played && first_salt + 1 != salt;
    off_t at = LOG_HEADER_BYTES + (off_t)played * LOG_FRAME_BYTES;
    for (; pread(fd, frame, sizeof frame, at) == sizeof frame; at += LOG_FRAME_BYTES)
      commits += (any_salt || big_endian(frame + 8) == salt) && big_endian(frame + 4) != 0;
  }
  close(fd);
  return commits > 1;
}

static bool open_database(struct spool_file *file, const char *path, sqlite3 **db, struct err *err) {
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX; // one thread each
  if (sqlite3_open_v2(path, db, flags, NULL) != SQLITE_OK) return fail(file, *db, err);
  sqlite3_busy_timeout(*db, BUSY_MS);
  sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL); // a damaged file keeps its log
  return true;
}

static bool open_writer(struct spool_file *file, struct err *err) {
  return make_file(file->path, err) && open_database(file, file->path, &file->writer, err) &&
         run_script(file,
                    "PRAGMA page_size = 4096; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"
                    "PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 16777216;"
                    "CREATE TEMP TABLE refused (id INTEGER PRIMARY KEY)",
                    err);
}

static void close_databases(struct spool_file *file) {
  for (enum statement i = 0; i < STATEMENT_COUNT; i++) sqlite3_finalize(take(file->statements[i]));
  sqlite3_close(take(file->reader));
  sqlite3_close(take(file->writer));
}

// Brings the log into the file. A reader that has a snapshot open keeps it from being emptied.
static bool empty_log(struct spool_file *file, struct err *err) {
  sqlite3_busy_timeout(file->writer, 0);
  int code = sqlite3_wal_checkpoint_v2(file->writer, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
  if (code != SQLITE_OK && code != SQLITE_BUSY) fail(file, file->writer, err);
  sqlite3_busy_timeout(file->writer, BUSY_MS);
  return code == SQLITE_OK || code == SQLITE_BUSY;
}

static bool keep_damaged_log(struct spool_file *file, struct spool_found *found, struct err *err) {
  found->damaged_log = mem_printf("%s/damaged-%lld.log", file->dir, (long long)clock_wall_ms());
  found->unreadable = -1;
  close_databases(file);
  if (rename(file->log, found->damaged_log) != 0)
    return err_set(err, "the log is damaged and cannot be renamed: %s", strerror(errno));
  return open_writer(file, err);
}

// Brings a log that a crash left into the file. SQLite answers with -1 frames if it does not use a log.
static bool play_log_back(struct spool_file *file, struct spool_found *found, struct err *err) {
  int frames = 0, written = 0;
  if (sqlite3_wal_checkpoint_v2(file->writer, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, &written))
    return fail(file, file->writer, err);
  if (frames < 0 || written < frames) return err_set(err, "the log: wrote %d of %d frames", written, frames);
  if (log_holds_more(file->log, frames) && !keep_damaged_log(file, found, err)) return false;
  return empty_log(file, err);
}

// ---- a damaged file ----

// The log first: SQLite would play it back into a fresh file.
static bool move_all(const char *from, const char *to, struct err *err) {
  static const char *const suffixes[] = {"-wal", "-shm", ""};
  for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
    AUTO_FREE char *old = mem_printf("%s%s", from, suffixes[i]);
    AUTO_FREE char *new = mem_printf("%s%s", to, suffixes[i]);
    if (rename(old, new) != 0 && errno != ENOENT)
      return err_set(err, "%s is damaged and cannot be renamed: %s", old, strerror(errno));
  }
  return true;
}

// If damaged.db exists, its rows were being copied, and spool.db contains no other rows.
static bool put_away_damaged(struct spool_file *file, struct err *err) {
  close_databases(file);
  atomic_store(&file->is_damaged, false);
  if (!exists(file->damaged)) return move_all(file->path, file->damaged, err);
  unlink(file->log);
  return unlink(file->path) == 0 || err_set(err, "is damaged and cannot be deleted: %s", strerror(errno));
}

// A crash may have come between two renames of put_away_damaged().
static bool finish_putting_away(struct spool_file *file, struct err *err) {
  AUTO_FREE char *log = mem_printf("%s-wal", file->damaged);
  return !exists(log) || exists(file->damaged) || move_all(file->path, file->damaged, err);
}

static bool copy_row(struct spool_file *file, sqlite3_stmt *row, int64_t *copied, struct err *err) {
  for (int i = 0; i < COLUMN_COUNT; i++)
    sqlite3_bind_value(file->statements[COPY], i + 1, sqlite3_column_value(row, i));
  if (!step(file, COPY, err)) return false;
  *copied += sqlite3_changes64(file->writer);
  return true;
}

// Behind damage, continues with the next id that SQLite can find.
static bool copy_rows(struct spool_file *file, sqlite3 *from, sqlite3_stmt *read, int64_t *copied,
                      struct err *err) {
  int code = SQLITE_OK;
  int64_t after = 0;
  sqlite3_bind_int64(read, 2, RESCUED_ID_MAX);
  for (int unreadable = 0; code != SQLITE_DONE && unreadable < UNREADABLE_IDS_MAX; unreadable++, after++) {
    sqlite3_bind_int64(read, 1, after + 1);
    while ((code = sqlite3_step(read)) == SQLITE_ROW) {
      int64_t id = sqlite3_column_int64(read, ID);
      if (id <= after) continue;
      after = id;
      unreadable = 0;
      if (atomic_load(file->stop)) return err_set(err, "copying was stopped, since dochak-ingress stops");
      if (!copy_row(file, read, copied, err)) return false;
    }
    if (code != SQLITE_DONE && !is_damage(from)) return err_set(err, "damaged.db: %s", sqlite3_errmsg(from));
    sqlite3_reset(read);
  }
  return true;
}

static bool rescue(struct spool_file *file, struct spool_found *found, struct err *err) {
  sqlite3 *from = NULL;
  sqlite3_stmt *read = NULL;
  int64_t events = 0;
  if (!exists(file->damaged)) return true;
  bool good = run_script(file, "BEGIN IMMEDIATE", err) && open_database(file, file->damaged, &from, err);
  if (good && sqlite3_prepare_v2(from, sql[READ], -1, &read, NULL) != SQLITE_OK && !is_damage(from))
    good = err_set(err, "damaged.db: %s", sqlite3_errmsg(from));
  good =
      good && (!read || copy_rows(file, from, read, &found->rescued, err)) && run_script(file, "COMMIT", err);
  found->unreadable = good && ask(from, "SELECT events FROM total", &events) ? events - found->rescued : -1;
  sqlite3_finalize(read);
  sqlite3_close(from);
  if (!good) return false;
  found->damaged_file = mem_printf("%s/damaged-%lld.db", file->dir, (long long)clock_wall_ms());
  return move_all(file->damaged, found->damaged_file, err);
}

// ---- open ----

// SQLite keeps to a larger bound where the file is larger already.
static bool set_bound(struct spool_file *file, struct err *err) {
  AUTO_FREE char *bound =
      mem_printf("PRAGMA max_page_count = %lld", (long long)(file->max_bytes / PAGE_BYTES));
  return run_script(file, bound, err);
}

static bool use_schema(struct spool_file *file, struct err *err) {
  int64_t version = 0, has_total = 0;
  if (!ask(file->writer, "PRAGMA user_version", &version) ||
      !ask(file->writer, "SELECT count(*) FROM sqlite_schema WHERE name = 'total'", &has_total))
    return fail(file, file->writer, err);
  if (version > VERSION)
    return err_set(err, "written by a newer dochak (version %lld, this one knows %d)", (long long)version,
                   VERSION);
  return has_total || run_script(file, schema, err);
}

static bool prepare_all(struct spool_file *file, struct err *err) {
  for (enum statement i = 0; i < STATEMENT_COUNT; i++) {
    sqlite3 *db = i == READ ? file->reader : file->writer;
    if (sqlite3_prepare_v3(db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &file->statements[i], NULL))
      return fail(file, db, err);
  }
  return true;
}

// The bound comes after the rescued rows, which may be more than a lower bound allows.
static bool open_databases(struct spool_file *file, struct spool_found *found, struct err *err) {
  return open_writer(file, err) && play_log_back(file, found, err) && use_schema(file, err) &&
         open_database(file, file->path, &file->reader, err) && prepare_all(file, err) &&
         rescue(file, found, err) && set_bound(file, err) && spool_file_measure(file, &found->size, err) &&
         sync_names(file, err);
}

struct spool_file *spool_file_open(const char *dir, int64_t max_bytes, const atomic_bool *stop,
                                   struct spool_found *found, struct err *err) {
  struct spool_file *file = mem_alloc(sizeof *file);
  *file = (struct spool_file){.dir = mem_strdup(dir),
                              .path = mem_printf("%s/spool.db", dir),
                              .log = mem_printf("%s/spool.db-wal", dir),
                              .damaged = mem_printf("%s/damaged.db", dir),
                              .max_bytes = max_bytes,
                              .stop = stop,
                              .lock_fd = -1};
  *found = (struct spool_found){0};
  if (open_lock(file, err) && finish_putting_away(file, err) &&
      (open_databases(file, found, err) ||
       (atomic_load(&file->is_damaged) && put_away_damaged(file, err) && open_databases(file, found, err))))
    return file;
  err_prefix(err, "%s: ", dir);
  spool_file_close(file);
  return NULL;
}

bool spool_file_check(const char *dir, struct err *err) {
  AUTO_FREE char *path = mem_printf("%s/spool.db", dir);
  AUTO_FREE char *inside = mem_printf("%s/.", dir); // fails unless it is a folder
  AUTO_FREE char *above = mem_strdup(dir);
  struct stat st;
  const char *place = exists(path) ? path : exists(dir) ? inside : dirname(above);
  int wanted = place == path ? R_OK | W_OK : R_OK | W_OK | X_OK;
  if (access(place, wanted) != 0) return err_set(err, "%s: %s", place, strerror(errno));
  if (place == path && stat(path, &st) == 0 && !S_ISREG(st.st_mode))
    return err_set(err, "%s: is no file", path);
  return true;
}

void spool_file_close(struct spool_file *file) {
  if (!file) return;
  // Where one of these fails, the next open meets the damage again, or brings the log into the file.
  if (atomic_load(&file->is_damaged))
    put_away_damaged(file, NULL);
  else if (file->writer)
    empty_log(file, NULL);
  close_databases(file);
  if (file->lock_fd >= 0) close(file->lock_fd); // releases the lock
  free(file->damaged);
  free(file->log);
  free(file->path);
  free(file->dir);
  free(file);
}

bool spool_file_is_damaged(const struct spool_file *file) {
  return atomic_load(&file->is_damaged);
}

// ---- writing ----

static bool put(struct spool_file *file, int64_t id, struct publisher_message row, struct err *err) {
  sqlite3_stmt *stmt = file->statements[PUT];
  const void *value = row.value_len ? row.value : ""; // a NULL pointer would bind NULL
  sqlite3_bind_int64(stmt, ID + 1, id);
  sqlite3_bind_text(stmt, TOPIC + 1, kafka_topic_short_name(row.topic), -1, SQLITE_STATIC);
  sqlite3_bind_blob(stmt, CE_ID + 1, row.event.id.bytes, sizeof row.event.id.bytes, SQLITE_STATIC);
  sqlite3_bind_int64(stmt, TIME_MS + 1, row.event.time_ms);
  sqlite3_bind_blob64(stmt, VALUE + 1, value, row.value_len, SQLITE_STATIC);
  for (int i = 0; i < PUBLISHER_MESSAGE_TEXTS; i++)
    sqlite3_bind_text(stmt, FIRST_TEXT + i + 1, *publisher_message_text(&row, (size_t)i), -1, SQLITE_STATIC);
  return step(file, PUT, err);
}

bool spool_file_write(struct spool_file *file, const struct spool_row *rows, int64_t *last_id,
                      const int64_t *ids, size_t n_ids, struct err *err) {
  int64_t id = *last_id;
  bool good = run_script(file, "BEGIN IMMEDIATE", err);
  for (size_t i = 0; good && i < n_ids; i++) {
    sqlite3_bind_int64(file->statements[DROP], 1, ids[i]);
    good = step(file, DROP, err);
  }
  for (; good && rows; rows = rows->next) good = put(file, ++id, rows->message, err);
  CRASH_POINT("before_spool_commit");
  good = good && run_script(file, "COMMIT", err);
  CRASH_POINT("after_spool_commit");
  if (good) *last_id = id;
  return good;
}

bool spool_file_probe(struct spool_file *file, struct err *err) {
  return run_script(file,
                    "BEGIN IMMEDIATE; INSERT INTO probe VALUES (zeroblob(262144)); COMMIT;"
                    "DELETE FROM probe",
                    err);
}

// VACUUM writes what is used into the beginning of the file, whatever the file's size is.
bool spool_file_shrink(struct spool_file *file, struct err *err) {
  struct spool_size size = {0};
  if (!spool_file_measure(file, &size, err)) return false;
  if (size.used_bytes > SHRINK_USED_BYTES) return true;
  if (size_of(file->path) > SHRINK_FILE_BYTES && !(run_script(file, "VACUUM", err) && set_bound(file, err)))
    return false;
  bool is_large = size_of(file->path) > SHRINK_FILE_BYTES || size_of(file->log) > SHRINK_FILE_BYTES;
  return !is_large || empty_log(file, err);
}

void spool_file_refuse(struct spool_file *file, const int64_t *ids, size_t n) {
  bool good = true;
  for (size_t i = 0; good && i < n; i++) {
    sqlite3_bind_int64(file->statements[REFUSE], 1, ids[i]);
    good = step(file, REFUSE, NULL);
  }
}

// Goes on where the last one stopped, so that rows which stay in the file are not read again and again.
static bool find_waiting(struct spool_file *file, struct spool_size *size, struct err *err) {
  sqlite3_stmt *stmt = file->statements[WAITING];
  sqlite3_bind_int64(stmt, 1, file->waiting_id);
  sqlite3_bind_text(stmt, 2, kafka_topic_short_name(KAFKA_TOPIC_EVENTS), -1, SQLITE_STATIC);
  int code = sqlite3_step(stmt);
  bool good = code == SQLITE_ROW || code == SQLITE_DONE || fail(file, file->writer, err);
  if (good) file->waiting_id = code == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : size->last_id + 1;
  size->waiting_ms = code == SQLITE_ROW ? sqlite3_column_int64(stmt, 1) : -1;
  sqlite3_reset(stmt);
  return good;
}

bool spool_file_measure(struct spool_file *file, struct spool_size *size, struct err *err) {
  sqlite3_stmt *stmt = file->statements[MEASURE];
  struct statvfs disk;
  if (statvfs(file->path, &disk) != 0) return err_set(err, "%s", strerror(errno));
  bool good = sqlite3_step(stmt) == SQLITE_ROW || fail(file, file->writer, err);
  int64_t used = sqlite3_column_int64(stmt, 1) * PAGE_BYTES, in_file = size_of(file->path);
  int64_t free_bytes = (int64_t)(disk.f_bavail * disk.f_frsize), owed = used > in_file ? used - in_file : 0;
  if (good)
    *size = (struct spool_size){.events = sqlite3_column_int64(stmt, 0),
                                .used_bytes = used,
                                .room_bytes = used + (free_bytes > owed ? free_bytes - owed : 0),
                                .last_id = sqlite3_column_int64(stmt, 2),
                                .oldest_ms = sqlite3_column_int64(stmt, 3)};
  sqlite3_reset(stmt);
  return good && find_waiting(file, size, err);
}

// ---- reading ----

// False: the row is not an event of ours.
static bool read_row(sqlite3_stmt *stmt, struct publisher_message *out) {
  const char *topic = (const char *)sqlite3_column_text(stmt, TOPIC);
  const void *id = sqlite3_column_blob(stmt, CE_ID);
  *out = (struct publisher_message){.event = {.time_ms = sqlite3_column_int64(stmt, TIME_MS)},
                                    .value = sqlite3_column_blob(stmt, VALUE),
                                    .value_len = (size_t)sqlite3_column_bytes(stmt, VALUE)};
  for (int i = 0; i < PUBLISHER_MESSAGE_TEXTS; i++)
    *publisher_message_text(out, (size_t)i) = (const char *)sqlite3_column_text(stmt, FIRST_TEXT + i);
  if (!id || sqlite3_column_bytes(stmt, CE_ID) != (int)sizeof out->event.id.bytes) return false;
  memcpy(out->event.id.bytes, id, sizeof out->event.id.bytes);
  return topic && kafka_topic_from_short_name(topic, &out->topic) && out->event.type && out->event.source;
}

bool spool_file_read(struct spool_file *file, int64_t first, int64_t last, spool_take_fn *take_row, void *arg,
                     struct err *err) {
  sqlite3_stmt *stmt = file->statements[READ];
  int64_t skipped = 0;
  int code;
  sqlite3_bind_int64(stmt, 1, first);
  sqlite3_bind_int64(stmt, 2, last);
  while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
    struct publisher_message message;
    int64_t id = sqlite3_column_int64(stmt, ID);
    if (!read_row(stmt, &message))
      skipped = id;
    else if (!take_row(arg, id, &message))
      break;
  }
  if (code != SQLITE_ROW && code != SQLITE_DONE) fail(file, file->reader, err);
  sqlite3_reset(stmt); // ends the snapshot, which would keep the log from being emptied
  if (skipped)
    log_warn_rarely("spool skipped",
                    "spool contains a row that is no event of this version; it is left there",
                    LOG_STR("folder", file->dir), LOG_INT("id", skipped));
  return code == SQLITE_ROW || code == SQLITE_DONE;
}
