// SPDX-License-Identifier: MIT
// No committed row is lost by a crash or by damage elsewhere in the file; space comes back; a start reads
// little.
#include "ingress/durable/spool_file.h"

#include "common/base/log.h"
#include "common/base/mem.h"
#include "tests/unit/support/folder.h"
#include "tests/unit/support/output.h"
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { MIB = 1024 * 1024, ROW_BYTES = 600 };

struct fixture {
  char *dir, *path, *log;
  int64_t max_bytes;
  struct spool_found found;
  struct spool_file *file;
};

static void found_fini(struct spool_found *found) {
  free(take(found->damaged_file));
  free(take(found->damaged_log));
}

static const atomic_bool go_on;

static void open_file(struct fixture *f) {
  struct err err;
  found_fini(&f->found);
  f->file = spool_file_open(f->dir, f->max_bytes, &go_on, &f->found, &err);
  if (!f->file) fail_msg("%s", err.text);
}

static void close_file(struct fixture *f) {
  spool_file_close(take(f->file));
}

static void reopen(struct fixture *f) {
  close_file(f);
  open_file(f);
}

static int set_up(void **state) {
  char dir[] = "/tmp/dochak-spool-file-XXXXXX";
  if (!mkdtemp(dir)) return 1;
  struct fixture *f = mem_alloc(sizeof *f);
  f->dir = mem_strdup(dir);
  f->path = mem_printf("%s/spool.db", dir);
  f->log = mem_printf("%s/spool.db-wal", dir);
  f->max_bytes = 128 * MIB;
  open_file(f);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  close_file(f);
  found_fini(&f->found);
  folder_remove(f->dir);
  free(f->log);
  free(f->path);
  free(f->dir);
  free(f);
  return 0;
}

// ---- rows ----

static struct publisher_message message_of(int64_t id, const char *value, size_t len) {
  return (struct publisher_message){
      .topic = KAFKA_TOPIC_EVENTS,
      .event = {.type = EVENT_RECEIPT, .source = "/ingress/bizgo/alimtalk", .subject = "k", .time_ms = id},
      .key = "k",
      .value = value,
      .value_len = len};
}

// One commit: stores rows first … first + n - 1, each value begins with its id; removes rows from … to.
static bool change(struct fixture *f, int64_t first, int64_t n, size_t len, int64_t from, int64_t to) {
  AUTO_FREE struct spool_row *rows = mem_array((size_t)n + 1, sizeof *rows);
  AUTO_FREE char *values = mem_array((size_t)n + 1, len + 1);
  AUTO_FREE int64_t *ids = mem_array((size_t)(to - from) + 2, sizeof *ids);
  int64_t last_id = first - 1;
  struct err err;
  memset(values, 'x', (size_t)n * (len + 1));
  for (int64_t i = 0; i < n; i++) {
    char *value = values + (size_t)i * (len + 1);
    snprintf(value, len, "%" PRId64, first + i);
    rows[i] = (struct spool_row){i + 1 < n ? &rows[i + 1] : NULL, message_of(first + i, value, len)};
  }
  for (int64_t id = from; id <= to; id++) ids[id - from] = id;
  return spool_file_write(f->file, n ? rows : NULL, &last_id, ids, (size_t)(to - from + 1), &err);
}

static bool try_store(struct fixture *f, int64_t first, int64_t n, size_t len) {
  return change(f, first, n, len, 1, 0);
}

static void store(struct fixture *f, int64_t first, int64_t n, size_t len) {
  assert_true(try_store(f, first, n, len));
}

static bool drop(struct fixture *f, int64_t first, int64_t last) {
  return change(f, 1, 0, 0, first, last);
}

struct rows {
  int64_t n, first, last;
  bool good; // ids ascend, values are those of their ids
};

static bool note_row(void *arg, int64_t id, const struct publisher_message *message) {
  struct rows *rows = arg;
  rows->good &= id > rows->last && strtoll(message->value, NULL, 10) == id;
  if (!rows->n++) rows->first = id;
  rows->last = id;
  return true;
}

static bool try_read(struct fixture *f, struct rows *rows) {
  struct err err;
  *rows = (struct rows){.good = true};
  return spool_file_read(f->file, 1, INT64_MAX, note_row, rows, &err);
}

static struct rows rows_of(struct fixture *f) {
  struct rows rows;
  assert_true(try_read(f, &rows));
  assert_true(rows.good);
  return rows;
}

static int64_t size_of(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 ? st.st_size : 0;
}

static void write_at(const char *path, int64_t at, const char *bytes) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  assert_true(fd >= 0);
  assert_int_equal(pwrite(fd, bytes, strlen(bytes), at), strlen(bytes));
  close(fd);
}

static size_t count_files(const struct fixture *f, const char *pattern) {
  AUTO_FREE char *path = mem_printf("%s/%s", f->dir, pattern);
  glob_t found;
  size_t n = glob(path, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
  globfree(&found);
  return n;
}

static void run_sql(const struct fixture *f, const char *script) {
  sqlite3 *db;
  char *error = NULL;
  assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
  if (sqlite3_exec(db, script, NULL, NULL, &error)) fail_msg("%s", error);
  sqlite3_close(db);
}

static bool note_value(void *arg, int64_t id, const struct publisher_message *message) {
  char *value = arg;
  (void)id;
  memcpy(value, message->value, message->value_len);
  return true;
}

static void test_one_row_is_read_again_by_its_id_until_it_is_gone(void **state) {
  struct fixture *f = *state;
  char value[16] = "";
  struct err err;
  store(f, 1, 3, 10);
  assert_true(spool_file_read(f->file, 2, 2, note_value, value, &err));
  assert_string_equal(value, "2");
  assert_true(drop(f, 2, 2));
  *value = '\0';
  assert_true(spool_file_read(f->file, 2, 2, note_value, value, &err));
  assert_string_equal(value, "");
}

// It was taken for quarantine.
static void test_a_row_of_an_unknown_topic_is_skipped_and_stays(void **state) {
  struct fixture *f = *state;
  store(f, 1, 3, 10);
  close_file(f);
  run_sql(f, "UPDATE event SET topic = 'evenst' WHERE id = 2");
  open_file(f);
  struct output output;
  struct rows rows;
  output_begin(&output);
  bool good = try_read(f, &rows);
  output_end(&output);
  assert_true(good);
  assert_int_equal(rows.n, 2);
  assert_non_null(strstr(output.text, "\"id\":2"));
  assert_false(spool_file_is_damaged(f->file));
  reopen(f);
  assert_int_equal(f->found.size.events, 3);
}

// ---- what waits for the events topic ----

static int64_t waiting_ms(struct fixture *f) {
  struct spool_size size;
  struct err err;
  assert_true(spool_file_measure(f->file, &size, &err));
  return size.waiting_ms;
}

// The time of a row is its id.
static void test_what_kafka_refuses_or_another_topic_gets_waits_for_nothing(void **state) {
  struct fixture *f = *state;
  assert_int_equal(waiting_ms(f), -1);
  store(f, 1, 8, 10);
  close_file(f);
  run_sql(f, "UPDATE event SET topic = 'quarantine' WHERE id <= 2");
  run_sql(f, "UPDATE event SET ce_id = x'00' WHERE id = 3"); // no event of ours
  open_file(f);
  assert_int_equal(f->found.size.waiting_ms, 4);
  assert_int_equal(f->found.size.oldest_ms, 1);
  spool_file_refuse(f->file, (const int64_t[]){6, 6, 5}, 3);
  assert_int_equal(waiting_ms(f), 4);
  assert_true(drop(f, 4, 4));
  assert_int_equal(waiting_ms(f), 7);
  spool_file_refuse(f->file, (const int64_t[]){7, 8}, 2);
  assert_int_equal(waiting_ms(f), -1);
  store(f, 9, 1, 10);
  assert_int_equal(waiting_ms(f), 9);
  assert_true(drop(f, 9, 9));
  assert_int_equal(waiting_ms(f), -1);
  reopen(f); // they are tried again
  assert_int_equal(f->found.size.waiting_ms, 5);
  assert_int_equal(f->found.size.events, 7);
}

// ---- space ----

static void fill(struct fixture *f, int64_t first, int64_t mib) {
  for (int64_t id = first; id < first + mib; id++) store(f, id, 1, MIB);
}

static void assert_small(const struct fixture *f) {
  assert_in_range(size_of(f->path), 1, 4 * MIB);
  assert_in_range(size_of(f->log), 0, 4 * MIB);
}

static void shrink(struct fixture *f) {
  struct err err;
  if (!spool_file_shrink(f->file, &err)) fail_msg("%s", err.text);
}

static void test_a_drained_file_shrinks(void **state) {
  struct fixture *f = *state;
  fill(f, 1, 24);
  shrink(f);
  assert_int_equal(rows_of(f).n, 24);
  assert_true(size_of(f->path) + size_of(f->log) > 24 * MIB);
  assert_true(drop(f, 1, 24));
  shrink(f);
  assert_small(f);
  store(f, 25, 1, 10);
  assert_int_equal(rows_of(f).first, 25);
}

static void test_a_file_with_few_rows_shrinks_and_keeps_them(void **state) {
  struct fixture *f = *state;
  store(f, 1, 100, ROW_BYTES);
  fill(f, 101, 16);
  assert_true(drop(f, 1, 30) && drop(f, 101, 116));
  shrink(f);
  assert_small(f);
  assert_int_equal(rows_of(f).n, 70);
  reopen(f);
  assert_int_equal(f->found.size.events, 70);
  assert_int_equal(f->found.size.last_id, 100);
  assert_int_equal(rows_of(f).first, 31);
}

static void test_a_file_that_was_drained_before_the_start_shrinks(void **state) {
  struct fixture *f = *state;
  fill(f, 1, 16);
  assert_true(drop(f, 1, 16));
  reopen(f);
  shrink(f);
  assert_small(f);
}

static void limit_files_to(rlim_t bytes) {
  struct rlimit limit;
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
  limit.rlim_cur = bytes;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_a_start_on_a_disk_too_full_to_shrink_the_file_gives_its_rows(void **state) {
  struct fixture *f = *state;
  fill(f, 1, 16);
  store(f, 101, 6, 100000);
  assert_true(drop(f, 1, 16));
  close_file(f);
  limit_files_to(262144); // of six rows VACUUM writes more, and removing one less
  struct err err;
  f->file = spool_file_open(f->dir, f->max_bytes, &go_on, &f->found, &err);
  bool dropped = f->file && drop(f, 101, 101);
  limit_files_to(RLIM_INFINITY);
  if (!f->file) fail_msg("%s", err.text);
  assert_true(dropped);
  assert_int_equal(rows_of(f).n, 5);
  shrink(f);
  assert_small(f);
}

struct midway {
  struct fixture *f;
  int64_t n;
};

static bool shrink_midway(void *arg, int64_t id, const struct publisher_message *message) {
  struct midway *midway = arg;
  assert_int_equal(strtoll(message->value, NULL, 10), id);
  if (!midway->n++) {
    assert_true(drop(midway->f, 1, 16));
    shrink(midway->f);
  }
  return true;
}

static void test_a_shrink_does_not_disturb_a_reader(void **state) {
  struct fixture *f = *state;
  struct midway midway = {.f = f};
  struct err err;
  fill(f, 1, 16);
  assert_true(spool_file_read(f->file, 1, INT64_MAX, shrink_midway, &midway, &err));
  assert_int_equal(midway.n, 16); // its snapshot
  shrink(f);
  assert_small(f);
  assert_int_equal(rows_of(f).n, 0);
}

static int64_t store_until_full(struct fixture *f, int64_t id) {
  int64_t n = 0;
  while (n < 200 && try_store(f, id + n, 1, MIB)) n++;
  return n;
}

static void test_a_lowered_bound_holds_as_soon_as_the_file_is_drained(void **state) {
  struct fixture *f = *state;
  fill(f, 1, 24);
  f->max_bytes = 16 * MIB;
  reopen(f);
  assert_int_equal(f->found.size.events, 24);
  assert_true(drop(f, 1, 24));
  shrink(f);
  assert_in_range(store_until_full(f, 100), 14, 16);
  reopen(f);
  assert_int_equal(store_until_full(f, 200), 0);
}

// ---- start ----

static int64_t bytes_read_so_far(void) {
  FILE *io = fopen("/proc/self/io", "re");
  long long n = 0;
  assert_non_null(io);
  assert_int_equal(fscanf(io, "rchar: %lld", &n), 1);
  fclose(io);
  return n;
}

static void test_a_start_reads_little_of_a_large_file(void **state) {
  struct fixture *f = *state;
  for (int64_t first = 1; first < 30000; first += 10000) store(f, first, 10000, ROW_BYTES);
  close_file(f);
  assert_true(size_of(f->path) > 16 * MIB);
  int64_t before = bytes_read_so_far();
  open_file(f);
  assert_in_range(bytes_read_so_far() - before, 1, 256 * 1024);
  assert_int_equal(f->found.size.events, 30000);
  assert_int_equal(f->found.size.last_id, 30000);
}

static const char version_1[] =
    "PRAGMA journal_mode = WAL;"
    "CREATE TABLE event (id INTEGER PRIMARY KEY, topic TEXT NOT NULL, ce_id BLOB NOT NULL, type TEXT NOT "
    "NULL,"
    " source TEXT NOT NULL, subject TEXT, time_ms INTEGER NOT NULL, provider TEXT, endpoint TEXT,"
    " traceparent TEXT, reason TEXT, key TEXT, value BLOB NOT NULL);"
    "CREATE TABLE probe (filler BLOB);"
    "PRAGMA user_version = 1;";

#define OLD_ROWS(from, to)                                                                                   \
  "WITH RECURSIVE n(i) AS (VALUES (" from ") UNION ALL SELECT i + 1 FROM n WHERE i < " to ")"                \
  " INSERT INTO event SELECT i, 'events', randomblob(16), 'dochak.receipt.received.v1', '/ingress', 'k', i," \
  " NULL, NULL, NULL, NULL, 'k', CAST(printf('%d%.4000c', i, 'x') AS BLOB) FROM n;"

static void test_a_file_of_an_older_dochak_is_taken_over_and_can_go_back(void **state) {
  struct fixture *f = *state;
  close_file(f);
  unlink(f->path);
  run_sql(f, version_1);
  run_sql(f, OLD_ROWS("1", "3000"));
  open_file(f);
  assert_int_equal(f->found.size.events, 3000);
  assert_int_equal(rows_of(f).n, 3000);
  assert_true(drop(f, 1, 2900));
  close_file(f);
  run_sql(f, OLD_ROWS("3001", "3005") "DELETE FROM event WHERE id = 2999"); // as the older program would
  open_file(f);
  assert_int_equal(f->found.size.events, 104);
  assert_int_equal(rows_of(f).n, 104);
  assert_true(drop(f, 1, 3005));
  shrink(f);
  assert_small(f);
}

static void test_a_file_of_a_newer_dochak_is_left_alone(void **state) {
  struct fixture *f = *state;
  struct err err;
  store(f, 1, 3, 10);
  close_file(f);
  run_sql(f, "PRAGMA user_version = 2");
  found_fini(&f->found);
  assert_null(spool_file_open(f->dir, f->max_bytes, &go_on, &f->found, &err));
  assert_non_null(strstr(err.text, "written by a newer dochak (version 2"));
  assert_null(f->found.damaged_file);
}

static void test_check_says_what_is_wrong_with_the_folder_and_makes_nothing(void **state) {
  struct fixture *f = *state;
  struct err err;
  assert_true(spool_file_check(f->dir, &err));
  AUTO_FREE char *missing = mem_printf("%s/new", f->dir);
  AUTO_FREE char *deeper = mem_printf("%s/deeper", missing);
  AUTO_FREE char *database = mem_printf("%s/spool.db", missing);
  assert_true(spool_file_check(missing, &err)); // it will be made
  assert_int_not_equal(access(missing, F_OK), 0);
  assert_false(spool_file_check(deeper, &err));
  assert_non_null(strstr(err.text, "No such file or directory"));
  assert_int_equal(mkdir(missing, 0700), 0);
  assert_int_equal(mkdir(database, 0700), 0);
  assert_false(spool_file_check(missing, &err));
  assert_non_null(strstr(err.text, "spool.db: is no file"));
}

static void test_a_second_owner_is_refused(void **state) {
  struct fixture *f = *state;
  struct spool_found found;
  struct err err;
  assert_null(spool_file_open(f->dir, f->max_bytes, &go_on, &found, &err));
  assert_non_null(strstr(err.text, "another dochak-ingress is using this folder"));
}

// ---- a damaged file ----

enum { ROWS = 6000, PAGE = 4096 };
static const char no_page[] =
    "this is no page of a database, and never was one, whatever its place may say of it";

static void leave_rows(struct fixture *f) {
  store(f, 1, ROWS, ROW_BYTES);
  close_file(f);
}

static void assert_rescued(struct fixture *f, int64_t at_least, int64_t at_most) {
  assert_non_null(f->found.damaged_file);
  assert_int_equal(access(f->found.damaged_file, F_OK), 0);
  assert_in_range(f->found.rescued, at_least, at_most);
  assert_int_equal(f->found.size.events, f->found.rescued);
  assert_int_equal(f->found.rescued + f->found.unreadable, ROWS);
  struct rows rows = rows_of(f);
  assert_int_equal(rows.n, f->found.rescued);
  store(f, ROWS + 1, 1, 10);
  assert_false(spool_file_is_damaged(f->file));
  reopen(f);
  assert_null(f->found.damaged_file);
  assert_int_equal(f->found.size.events, rows.n + 1);
}

static void test_a_damaged_page_in_the_middle_costs_the_rows_in_it_only(void **state) {
  struct fixture *f = *state;
  leave_rows(f);
  write_at(f->path, size_of(f->path) / PAGE / 2 * PAGE, no_page);
  open_file(f);
  assert_null(f->found.damaged_file); // nobody has met it yet
  assert_int_equal(f->found.size.events, ROWS);
  struct rows rows;
  assert_false(try_read(f, &rows));
  assert_true(rows.good && rows.n > ROWS / 3); // those before the damage came
  assert_true(spool_file_is_damaged(f->file));
  reopen(f);
  assert_rescued(f, ROWS - 10, ROWS - 1);
}

static void test_damage_that_a_removal_meets_is_damage_as_well(void **state) {
  struct fixture *f = *state;
  leave_rows(f);
  write_at(f->path, size_of(f->path) / PAGE / 2 * PAGE, no_page);
  open_file(f);
  assert_false(drop(f, 1, ROWS));
  assert_true(spool_file_is_damaged(f->file));
  reopen(f);
  assert_rescued(f, ROWS - 10, ROWS - 1);
}

static void test_two_damaged_pages_and_the_last_one_cost_no_row_between(void **state) {
  struct fixture *f = *state;
  leave_rows(f);
  int64_t pages = size_of(f->path) / PAGE;
  write_at(f->path, pages / 3 * PAGE, no_page);
  write_at(f->path, pages / 2 * PAGE, no_page);
  write_at(f->path, (pages - 1) * PAGE, no_page);
  open_file(f);
  assert_rescued(f, ROWS - 30, ROWS - 3);
}

static void test_a_file_that_was_cut_off_keeps_its_beginning(void **state) {
  struct fixture *f = *state;
  leave_rows(f);
  assert_int_equal(truncate(f->path, size_of(f->path) / 2), 0);
  open_file(f);
  assert_non_null(f->found.damaged_file);
  assert_int_equal(count_files(f, "damaged-*.db"), 1);
  store(f, ROWS + 1, 1, 10);
}

static void check_nothing_left(struct fixture *f, int64_t at) {
  leave_rows(f);
  write_at(f->path, at, no_page);
  open_file(f);
  assert_non_null(f->found.damaged_file);
  assert_int_equal(f->found.rescued, 0);
  store(f, 1, 1, 10);
  assert_int_equal(count_files(f, "damaged-*.db"), 1);
}

static void test_a_file_that_is_no_database_is_set_aside(void **state) {
  check_nothing_left(*state, 0);
}

static void test_a_file_without_its_root_is_set_aside(void **state) {
  check_nothing_left(*state, PAGE);
}

static void test_a_rescue_that_was_ended_is_done_at_the_next_start(void **state) {
  struct fixture *f = *state;
  const atomic_bool stop = true;
  struct err err;
  leave_rows(f);
  write_at(f->path, size_of(f->path) / PAGE / 2 * PAGE, no_page);
  open_file(f);
  struct rows rows;
  assert_false(try_read(f, &rows));
  close_file(f);
  found_fini(&f->found);
  assert_null(spool_file_open(f->dir, f->max_bytes, &stop, &f->found, &err));
  assert_int_equal(count_files(f, "damaged.db"), 1);
  assert_int_equal(count_files(f, "damaged-*.db"), 0);
  open_file(f);
  assert_rescued(f, ROWS - 10, ROWS - 1);
}

static void test_a_rescue_fits_where_the_bound_was_lowered(void **state) {
  struct fixture *f = *state;
  store(f, 1, ROWS, ROW_BYTES);
  fill(f, ROWS + 1, 16);
  close_file(f);
  write_at(f->path, size_of(f->path) / PAGE / 5 * PAGE, no_page);
  f->max_bytes = 16 * MIB;
  open_file(f);
  struct rows rows;
  assert_false(try_read(f, &rows));
  reopen(f);
  assert_in_range(f->found.rescued, ROWS - 10 + 16, ROWS - 1 + 16);
}

// ---- a log that a crash left ----

// A process that stores rows first … one a commit, and is killed.
static void crash_after(struct fixture *f, int64_t first, int64_t n, size_t len) {
  close_file(f);
  pid_t child = fork();
  if (child == 0) {
    open_file(f);
    for (int64_t id = first; id < first + n; id++) store(f, id, 1, len);
    kill(getpid(), SIGKILL);
  }
  waitpid(child, NULL, 0);
}

static void test_a_crash_between_the_renames_of_a_damaged_file_loses_no_log(void **state) {
  struct fixture *f = *state;
  AUTO_FREE char *moved = mem_printf("%s/damaged.db-wal", f->dir);
  crash_after(f, 1, 40, ROW_BYTES);
  assert_int_equal(rename(f->log, moved), 0);
  open_file(f);
  assert_int_equal(f->found.rescued, 40);
  assert_int_equal(f->found.unreadable, 0);
  assert_int_equal(rows_of(f).n, 40);
}

static void test_a_log_damaged_in_its_middle_is_kept_and_its_sound_part_used(void **state) {
  struct fixture *f = *state;
  crash_after(f, 1, 40, ROW_BYTES);
  int64_t size = size_of(f->log);
  write_at(f->log, size / 2, "damaged");
  open_file(f);
  assert_in_range(f->found.size.events, 5, 35);
  assert_int_equal(rows_of(f).n, f->found.size.events);
  assert_non_null(f->found.damaged_log);
  assert_int_equal(size_of(f->found.damaged_log), size);
  store(f, 100, 1, 10);
  reopen(f);
  assert_null(f->found.damaged_log);
  assert_int_equal(count_files(f, "damaged-*.log"), 1);
}

static void check_log_kept(struct fixture *f, int64_t at) {
  crash_after(f, 1, 40, ROW_BYTES);
  write_at(f->log, at, "salt");
  open_file(f);
  assert_non_null(f->found.damaged_log);
  assert_int_equal(f->found.size.events, 0);
  store(f, 100, 1, 10);
}

static void test_a_log_with_another_magic_is_kept(void **state) {
  check_log_kept(*state, 0);
}

static void test_a_log_with_another_salt_is_kept(void **state) {
  check_log_kept(*state, 16);
}

static void test_a_log_with_a_damaged_first_frame_is_kept(void **state) {
  check_log_kept(*state, 32 + 8);
}

static void test_a_commit_that_was_cut_off_is_no_damage(void **state) {
  struct fixture *f = *state;
  crash_after(f, 1, 40, ROW_BYTES);
  assert_int_equal(truncate(f->log, size_of(f->log) - 1000), 0);
  open_file(f);
  assert_int_equal(f->found.size.events, 39);
  assert_null(f->found.damaged_log);
  crash_after(f, 100, 40, ROW_BYTES);
  write_at(f->log, size_of(f->log) - 1000, "not written yet");
  open_file(f);
  assert_int_equal(f->found.size.events, 39 + 39);
  assert_null(f->found.damaged_log);
}

// SQLite writes the log again from its beginning; the rest of it is older.
static void test_older_commits_behind_the_end_of_the_log_are_no_damage(void **state) {
  struct fixture *f = *state;
  int64_t first = 1;
  for (int64_t n = 80; n < 140; n += 10) {
    crash_after(f, first, n, 40000);
    open_file(f);
    first += n;
    assert_null(f->found.damaged_log);
    assert_int_equal(f->found.size.events, first - 1);
  }
}

// ---- kill -9 ----

// Stores batches and removes some of the oldest rows; writes to the pipe what is committed. With a small
// bound on what stays, so that it shrinks as well.
static void work_until_killed(struct fixture *f, int64_t first, int64_t last, int acked) {
  open_file(f);
  for (;;) {
    int64_t put = last + 1 + last % 7, range[2];
    int64_t keep = last - first > 40 ? first + 30 : first;
    assert_true(change(f, last + 1, put - last, ROW_BYTES, first, keep - 1));
    first = keep;
    range[0] = first;
    range[1] = last = put;
    if (write(acked, range, sizeof range) != sizeof range) _exit(1);
    if (last % 5 == 0) shrink(f);
  }
}

static void test_20_kills_at_random_points_lose_nothing_that_was_acknowledged(void **state) {
  struct fixture *f = *state;
  unsigned seed = (unsigned)getpid();
  print_message("seed %u\n", seed);
  int64_t range[2] = {1, 0};
  for (int round = 0; round < 20; round++) {
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    close_file(f);
    pid_t child = fork();
    if (child == 0) work_until_killed(f, range[0], range[1], ends[1]);
    close(ends[1]);
    int wanted = rand_r(&seed) % 60;
    for (int i = 0; i < wanted && read(ends[0], range, sizeof range) == sizeof range; i++) continue;
    usleep((useconds_t)rand_r(&seed) % 3000);
    kill(child, SIGKILL);
    while (read(ends[0], range, sizeof range) == sizeof range) continue;
    close(ends[0]);
    waitpid(child, NULL, 0);
    open_file(f);
    struct rows rows = rows_of(f);
    assert_null(f->found.damaged_file);
    assert_null(f->found.damaged_log);
    assert_int_equal(rows.n, f->found.size.events);
    // One more commit may be on the disk than was acknowledged.
    assert_in_range(rows.last, range[1], range[1] + 7);
    assert_true(rows.n == 0 || (rows.first <= range[0] + 30 && rows.last - rows.first + 1 == rows.n));
    if (rows.last == range[1] && rows.n) assert_int_equal(rows.first, range[0]);
    range[0] = rows.n ? rows.first : 1;
    range[1] = rows.last;
  }
}

int main(void) {
  log_init("test", LOG_LEVEL_WARN);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_one_row_is_read_again_by_its_id_until_it_is_gone),
      TEST(test_a_row_of_an_unknown_topic_is_skipped_and_stays),
      TEST(test_what_kafka_refuses_or_another_topic_gets_waits_for_nothing),
      TEST(test_a_drained_file_shrinks),
      TEST(test_a_file_with_few_rows_shrinks_and_keeps_them),
      TEST(test_a_file_that_was_drained_before_the_start_shrinks),
      TEST(test_a_start_on_a_disk_too_full_to_shrink_the_file_gives_its_rows),
      TEST(test_a_shrink_does_not_disturb_a_reader),
      TEST(test_a_lowered_bound_holds_as_soon_as_the_file_is_drained),
      TEST(test_a_start_reads_little_of_a_large_file),
      TEST(test_a_file_of_an_older_dochak_is_taken_over_and_can_go_back),
      TEST(test_a_file_of_a_newer_dochak_is_left_alone),
      TEST(test_check_says_what_is_wrong_with_the_folder_and_makes_nothing),
      TEST(test_a_second_owner_is_refused),
      TEST(test_a_damaged_page_in_the_middle_costs_the_rows_in_it_only),
      TEST(test_damage_that_a_removal_meets_is_damage_as_well),
      TEST(test_two_damaged_pages_and_the_last_one_cost_no_row_between),
      TEST(test_a_file_that_was_cut_off_keeps_its_beginning),
      TEST(test_a_file_that_is_no_database_is_set_aside),
      TEST(test_a_file_without_its_root_is_set_aside),
      TEST(test_a_rescue_that_was_ended_is_done_at_the_next_start),
      TEST(test_a_rescue_fits_where_the_bound_was_lowered),
      TEST(test_a_crash_between_the_renames_of_a_damaged_file_loses_no_log),
      TEST(test_a_log_damaged_in_its_middle_is_kept_and_its_sound_part_used),
      TEST(test_a_log_with_another_magic_is_kept),
      TEST(test_a_log_with_another_salt_is_kept),
      TEST(test_a_log_with_a_damaged_first_frame_is_kept),
      TEST(test_a_commit_that_was_cut_off_is_no_damage),
      TEST(test_older_commits_behind_the_end_of_the_log_are_no_damage),
      TEST(test_20_kills_at_random_points_lose_nothing_that_was_acknowledged),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
