// SPDX-License-Identifier: MIT
// Nothing that was stored is lost, whatever ends the process.
#include "ingress/durable/spool.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "ingress/counters.h"
#include "tests/unit/support/ahead.h"
#include "tests/unit/support/folder.h"
#include "tests/unit/support/messages.h"
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { FAR_MS = 20000 };

// ---- the disk, which a test may stop, or fill ----

static atomic_bool hangs, is_hanging, shrinks_fail;
static _Atomic int64_t shrinks;

bool __real_spool_file_write(struct spool_file *file, const struct spool_row *rows, int64_t *last_id,
                             const int64_t *ids, size_t n_ids, struct err *err);
bool __wrap_spool_file_write(struct spool_file *file, const struct spool_row *rows, int64_t *last_id,
                             const int64_t *ids, size_t n_ids, struct err *err);
bool __wrap_spool_file_write(struct spool_file *file, const struct spool_row *rows, int64_t *last_id,
                             const int64_t *ids, size_t n_ids, struct err *err) {
  while (atomic_load(&hangs)) {
    atomic_store(&is_hanging, true);
    clock_sleep_ms(1);
  }
  return __real_spool_file_write(file, rows, last_id, ids, n_ids, err);
}

bool __real_spool_file_shrink(struct spool_file *file, struct err *err);
bool __wrap_spool_file_shrink(struct spool_file *file, struct err *err);
bool __wrap_spool_file_shrink(struct spool_file *file, struct err *err) {
  atomic_fetch_add(&shrinks, 1);
  return atomic_load(&shrinks_fail) ? err_set(err, "database or disk is full")
                                    : __real_spool_file_shrink(file, err);
}

// ---- what a test is made of ----

struct fixture {
  struct settings settings;
  struct metrics *metrics;
  struct spool *spool;
};

static void open_spool(struct fixture *f) {
  struct err err;
  f->spool = spool_open(&f->settings, f->metrics, &err);
  if (!f->spool) fail_msg("%s", err.text);
  wait_opened(f->spool);
}

static int set_up(void **state) {
  struct fixture *f = mem_alloc(sizeof *f);
  char dir[] = "/tmp/dochak-spool-XXXXXX";
  if (!mkdtemp(dir)) return 1;
  f->settings = (struct settings){
      .spool_dir = mem_strdup(dir), .spool_max_bytes = 16 * 1024 * 1024, .spool_ready_percent = 80};
  f->metrics = metrics_new(counters, COUNTER_COUNT);
  open_spool(f);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  spool_close(f->spool);
  folder_remove(f->settings.spool_dir);
  metrics_free(f->metrics);
  settings_fini(&f->settings);
  free(f);
  return 0;
}

static void reopen(struct fixture *f) {
  spool_close(f->spool);
  open_spool(f);
}

static int64_t counted(const struct fixture *f, enum counter id, const char *label) {
  return atomic_load(metrics_at(f->metrics, id, label));
}

static void wait_ready(const struct spool *spool) {
  int64_t deadline = clock_mono_ms() + FAR_MS;
  while (spool_unready(spool) && clock_mono_ms() < deadline) clock_sleep_ms(5);
  assert_null(spool_unready(spool));
}

static bool store(struct fixture *f, const char *value) {
  const struct publisher_message message = message_of("k", value);
  return store_all(f->spool, &message, 1, clock_mono_ms() + FAR_MS);
}

// ---- what is in it ----

struct rows {
  int64_t ids[64];
  char *values[64];
  size_t n;
};

static bool note_row(void *arg, int64_t id, const struct publisher_message *message) {
  struct rows *rows = arg;
  rows->ids[rows->n] = id;
  rows->values[rows->n++] = mem_strndup(message->value_len ? message->value : "", message->value_len);
  return rows->n < COUNT_OF(rows->ids);
}

static struct rows rows_of(struct fixture *f) {
  struct rows rows = {0};
  assert_true(spool_read(f->spool, 1, INT64_MAX, note_row, &rows));
  return rows;
}

static void rows_fini(struct rows *rows) {
  for (size_t i = 0; i < rows->n; i++) free(rows->values[i]);
}

static void assert_rows(struct fixture *f, size_t n, const char *const *values) {
  struct rows rows = rows_of(f);
  assert_int_equal(rows.n, n);
  assert_int_equal(spool_count(f->spool), n);
  for (size_t i = 0; i < n; i++) assert_string_equal(rows.values[i], values[i]);
  rows_fini(&rows);
}

static void test_rows_come_out_in_the_order_in_which_they_went_in(void **state) {
  struct fixture *f = *state;
  const struct publisher_message two[] = {message_of("b", "2"), message_of("a", "3")};
  assert_true(store(f, "1"));
  assert_true(store_all(f->spool, two, 2, clock_mono_ms() + FAR_MS));
  assert_true(store(f, ""));
  assert_rows(f, 4, (const char *const[]){"1", "2", "3", ""});
  reopen(f);
  assert_rows(f, 4, (const char *const[]){"1", "2", "3", ""});
}

static bool compare_whole(void *arg, int64_t id, const struct publisher_message *got) {
  const struct publisher_message *want = arg;
  assert_int_equal(got->topic, want->topic);
  assert_memory_equal(got->event.id.bytes, want->event.id.bytes, sizeof want->event.id.bytes);
  assert_int_equal(got->event.time_ms, want->event.time_ms);
  assert_string_equal(got->event.type, want->event.type);
  assert_string_equal(got->event.source, want->event.source);
  assert_string_equal(got->event.provider, want->event.provider);
  assert_string_equal(got->event.endpoint, want->event.endpoint);
  assert_string_equal(got->event.traceparent, want->event.traceparent);
  assert_string_equal(got->event.reason, want->event.reason);
  assert_null(got->event.subject);
  assert_null(got->key);
  assert_int_equal(got->value_len, want->value_len);
  assert_memory_equal(got->value, want->value, want->value_len);
  return id > 0;
}

static void test_every_attribute_survives(void **state) {
  struct fixture *f = *state;
  struct publisher_message message = {.topic = KAFKA_TOPIC_QUARANTINE,
                                      .event = {.id = uuid_new_v7(),
                                                .type = EVENT_QUARANTINED,
                                                .source = "/ingress/도착",
                                                .time_ms = 1768215603123,
                                                .provider = "bizgo",
                                                .endpoint = "bizgo/alimtalk",
                                                .traceparent = "00-x",
                                                .reason = "no kind fits"},
                                      .value = "a\0b\xff",
                                      .value_len = 4};
  assert_true(store_all(f->spool, &message, 1, clock_mono_ms() + FAR_MS));
  reopen(f);
  assert_true(spool_read(f->spool, 1, INT64_MAX, compare_whole, &message));
}

static void test_what_is_removed_is_gone_for_good_and_ids_are_not_used_again(void **state) {
  struct fixture *f = *state;
  assert_true(store(f, "1") && store(f, "2") && store(f, "3") && store(f, "4"));
  assert_true(spool_remove(f->spool, (const int64_t[]){1, 2, 4}, 3));
  assert_rows(f, 1, (const char *const[]){"3"});
  assert_true(spool_remove(f->spool, (const int64_t[]){3}, 1));
  assert_true(store(f, "5"));
  struct rows rows = rows_of(f);
  assert_int_equal(rows.ids[0], 5);
  rows_fini(&rows);
  reopen(f);
  assert_rows(f, 1, (const char *const[]){"5"});
}

// ---- many at once ----

static void *store_many(void *arg) {
  intptr_t stored = 0;
  for (int i = 0; i < 20; i++) stored += store(arg, "{}");
  return (void *)stored;
}

static void test_64_threads_share_their_commits(void **state) {
  struct fixture *f = *state;
  pthread_t threads[64];
  for (size_t i = 0; i < COUNT_OF(threads); i++) pthread_create(&threads[i], NULL, store_many, f);
  for (size_t i = 0; i < COUNT_OF(threads); i++) {
    void *stored;
    pthread_join(threads[i], &stored);
    assert_int_equal((intptr_t)stored, 20);
  }
  assert_int_equal(spool_count(f->spool), 64 * 20);
  assert_true(counted(f, COUNTER_SPOOL_COMMITS, NULL) < 64 * 20 / 2);
}

static void test_who_is_out_of_time_is_told_so(void **state) {
  struct fixture *f = *state;
  const struct publisher_message message = message_of("k", "1");
  assert_false(store_all(f->spool, &message, 1, clock_mono_ms() - 1));
  assert_int_equal(counted(f, COUNTER_SPOOL_ERRORS, "late"), 1);
  assert_true(spool_wait(f->spool, 0, FAR_MS)); // it was stored none the less
}

// ---- the bound ----

static void test_a_full_spool_is_red_before_it_refuses_and_takes_again_when_there_is_room(void **state) {
  struct fixture *f = *state;
  enum { LARGE = 256 * 1024 };
  AUTO_FREE char *value = mem_alloc(LARGE + 1);
  memset(value, 'x', LARGE);
  int64_t ids[64], stored = 0;
  bool red = false;
  while (store(f, value)) {
    ids[stored] = stored + 1;
    stored++;
    red = red || spool_unready(f->spool) != NULL;
    assert_true(stored < 64);
  }
  assert_true(red);
  assert_in_range(stored, 60, 63);
  assert_int_equal(counted(f, COUNTER_SPOOL_ROOM, NULL), f->settings.spool_max_bytes);
  assert_in_range(counted(f, COUNTER_SPOOL_BYTES, NULL), f->settings.spool_max_bytes / 100 * 90,
                  f->settings.spool_max_bytes);
  assert_int_equal(spool_count(f->spool), stored);
  assert_string_equal(spool_unready(f->spool), "the spool cannot be written");
  assert_true(spool_remove(f->spool, ids, (size_t)stored));
  assert_true(store(f, value));
  assert_null(spool_unready(f->spool));
}

static void test_a_spool_that_failed_finds_out_by_itself_that_it_works_again(void **state) {
  struct fixture *f = *state;
  enum { LARGE = 15 * 1024 * 1024 };
  AUTO_FREE char *value = mem_alloc(LARGE + 1);
  memset(value, 'x', LARGE);
  assert_true(store(f, value));
  assert_false(store(f, value));
  assert_non_null(spool_unready(f->spool));
  assert_true(spool_remove(f->spool, (const int64_t[]){1}, 1));
  wait_ready(f->spool);
}

// Each second event is too large for the room that is left.
static void *store_small_and_large(void *arg) {
  enum { LARGE = 2 * 1024 * 1024 };
  AUTO_FREE char *value = mem_alloc(LARGE + 1);
  intptr_t stored = 0;
  memset(value, 'x', LARGE);
  for (int i = 0; i < 20; i++) stored += store(arg, i % 2 ? value : "1");
  return (void *)stored;
}

static void test_each_caller_gets_the_result_of_its_own_commit(void **state) {
  struct fixture *f = *state;
  enum { FILLER = 14 * 1024 * 1024 };
  AUTO_FREE char *value = mem_alloc(FILLER + 1);
  memset(value, 'x', FILLER);
  assert_true(store(f, value));
  pthread_t threads[8];
  int64_t all = 1;
  for (size_t i = 0; i < COUNT_OF(threads); i++) pthread_create(&threads[i], NULL, store_small_and_large, f);
  for (size_t i = 0; i < COUNT_OF(threads); i++) {
    void *stored;
    pthread_join(threads[i], &stored);
    all += (intptr_t)stored;
  }
  assert_in_range(all, 2, 8 * 20);
  assert_int_equal(spool_count(f->spool), all);
}

// ---- a disk that hangs, or is too full to shrink the file ----

static void *store_one(void *arg) {
  return (void *)(intptr_t)store(arg, "1");
}

static void wait_true(const atomic_bool *flag) {
  int64_t deadline = clock_mono_ms() + FAR_MS;
  while (!atomic_load(flag) && clock_mono_ms() < deadline) clock_sleep_ms(1);
  assert_true(atomic_load(flag));
}

static void test_a_disk_that_does_not_answer_is_known_after_two_seconds(void **state) {
  struct fixture *f = *state;
  pthread_t thread;
  void *stored;
  atomic_store(&hangs, true);
  pthread_create(&thread, NULL, store_one, f);
  wait_true(&is_hanging);
  bool early = spool_failing(f->spool) || spool_unready(f->spool);
  atomic_fetch_add(&ahead_ms, 2000);
  bool failing = spool_failing(f->spool);
  const char *reason = spool_unready(f->spool);
  atomic_store(&hangs, false);
  pthread_join(thread, &stored);
  assert_false(early);
  assert_true(failing);
  assert_string_equal(reason, "the spool's disk does not answer");
  assert_true(stored);
  wait_ready(f->spool);
  assert_null(spool_failing(f->spool));
}

static atomic_bool suspended;

static void suspend(int signo) {
  (void)signo;
  while (atomic_load(&suspended)) clock_sleep_ms(1);
}

static void test_a_caller_that_gets_no_processor_for_100_commits_knows_its_own(void **state) {
  struct fixture *f = *state;
  pthread_t thread;
  void *stored;
  signal(SIGUSR1, suspend);
  atomic_store(&is_hanging, false);
  atomic_store(&hangs, true);
  pthread_create(&thread, NULL, store_one, f);
  wait_true(&is_hanging); // it waits for this commit
  atomic_store(&suspended, true);
  pthread_kill(thread, SIGUSR1);
  atomic_store(&hangs, false);
  for (int i = 0; i < 100; i++) assert_true(store(f, "2"));
  atomic_store(&suspended, false);
  pthread_join(thread, &stored);
  assert_true(stored);
}

static void test_a_file_that_cannot_be_made_smaller_takes_events_all_the_same(void **state) {
  struct fixture *f = *state;
  atomic_store(&shrinks_fail, true);
  int64_t before = atomic_load(&shrinks), deadline = clock_mono_ms() + FAR_MS;
  while (atomic_load(&shrinks) < before + 2 && clock_mono_ms() < deadline) {
    atomic_fetch_add(&ahead_ms, 1000);
    assert_true(store(f, "1"));
    assert_null(spool_failing(f->spool));
    assert_null(spool_unready(f->spool));
  }
  atomic_store(&shrinks_fail, false);
  assert_true(atomic_load(&shrinks) >= before + 2);
}

// ---- crashes, owners ----

// Writes each value to the pipe once it is stored, until it is killed.
static void store_until_killed(struct fixture *f, int told) {
  for (int i = 0;; i++) {
    char value[16];
    snprintf(value, sizeof value, "%010d", i);
    if (!store(f, value) || write(told, value, 10) != 10) _exit(1);
  }
}

struct check {
  size_t n;
  bool in_order;
};

static bool check_row(void *arg, int64_t id, const struct publisher_message *message) {
  struct check *check = arg;
  char value[16];
  (void)id;
  snprintf(value, sizeof value, "%010zu", check->n++);
  check->in_order &= message->value_len == 10 && memcmp(message->value, value, 10) == 0;
  return true;
}

static size_t kill_in_mid_commit(struct fixture *f, size_t after) {
  int ends[2];
  char value[10];
  size_t acked = 0;
  if (pipe2(ends, O_CLOEXEC)) fail();
  pid_t child = fork();
  if (child == 0) {
    open_spool(f);
    store_until_killed(f, ends[1]);
  }
  close(ends[1]);
  while (acked < after && read(ends[0], value, sizeof value) == sizeof value) acked++;
  kill(child, SIGKILL);
  while (read(ends[0], value, sizeof value) == sizeof value) acked++;
  close(ends[0]);
  waitpid(child, NULL, 0);
  return acked;
}

static void test_a_kill_in_mid_commit_leaves_every_row_that_was_acked(void **state) {
  struct fixture *f = *state;
  for (size_t round = 1; round <= 5; round++) {
    spool_close(take(f->spool));
    folder_remove(f->settings.spool_dir);
    size_t acked = kill_in_mid_commit(f, 37 * round);
    open_spool(f);
    struct check check = {.in_order = true};
    assert_true(spool_read(f->spool, 1, INT64_MAX, check_row, &check));
    assert_true(check.in_order);
    assert_in_range(check.n, acked, acked + 1); // the last may be on disk and not have been told
    assert_int_equal(spool_count(f->spool), check.n);
  }
}

static void assert_unready(const struct spool *spool, const char *part) {
  const char *reason = spool_unready(spool);
  assert_non_null(reason);
  if (!strstr(reason, part)) fail_msg("\"%s\" does not say \"%s\"", reason, part);
}

static void test_a_second_owner_waits_and_says_for_what_until_the_first_has_gone(void **state) {
  struct fixture *f = *state;
  struct fixture second = *f;
  assert_true(store(f, "1"));
  open_spool(&second);
  assert_unready(second.spool, "the spool cannot be opened: ");
  assert_unready(second.spool, f->settings.spool_dir);
  assert_unready(second.spool, "another dochak-ingress is using this folder");
  int64_t began = clock_mono_ms();
  assert_false(store(&second, "refused"));
  assert_true(clock_mono_ms() - began < 1000);
  assert_true(store(f, "2"));
  spool_close(f->spool);
  wait_ready(second.spool);
  f->spool = second.spool;
  assert_true(spool_wait(f->spool, 0, FAR_MS));
  assert_true(store(f, "3"));
  assert_rows(f, 3, (const char *const[]){"1", "2", "3"});
}

static void test_what_stands_in_the_way_of_the_folder_is_told_and_its_end_noticed(void **state) {
  struct fixture *f = *state;
  spool_close(take(f->spool));
  assert_int_equal(rename(f->settings.spool_dir, "/tmp/dochak-spool-aside"), 0);
  FILE *file = fopen(f->settings.spool_dir, "we");
  assert_non_null(file);
  fclose(file);
  open_spool(f);
  assert_unready(f->spool, "Not a directory");
  struct err err;
  assert_false(spool_file_check(f->settings.spool_dir, &err));
  assert_non_null(strstr(err.text, "Not a directory"));
  assert_int_equal(unlink(f->settings.spool_dir), 0);
  assert_int_equal(rename("/tmp/dochak-spool-aside", f->settings.spool_dir), 0);
  wait_ready(f->spool);
  assert_true(store(f, "1"));
  assert_true(counted(f, COUNTER_SPOOL_ERRORS, "open") >= 1);
}

static void test_a_close_does_not_wait_for_a_file_that_cannot_be_opened(void **state) {
  struct fixture *f = *state;
  struct fixture second = *f;
  open_spool(&second);
  int64_t began = clock_mono_ms();
  spool_close(second.spool);
  assert_true(clock_mono_ms() - began < 900);
}

int main(void) {
  log_init("test", LOG_LEVEL_ERROR);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_rows_come_out_in_the_order_in_which_they_went_in),
      TEST(test_every_attribute_survives),
      TEST(test_what_is_removed_is_gone_for_good_and_ids_are_not_used_again),
      TEST(test_64_threads_share_their_commits),
      TEST(test_who_is_out_of_time_is_told_so),
      TEST(test_a_full_spool_is_red_before_it_refuses_and_takes_again_when_there_is_room),
      TEST(test_a_spool_that_failed_finds_out_by_itself_that_it_works_again),
      TEST(test_each_caller_gets_the_result_of_its_own_commit),
      TEST(test_a_disk_that_does_not_answer_is_known_after_two_seconds),
      TEST(test_a_caller_that_gets_no_processor_for_100_commits_knows_its_own),
      TEST(test_a_file_that_cannot_be_made_smaller_takes_events_all_the_same),
      TEST(test_a_kill_in_mid_commit_leaves_every_row_that_was_acked),
      TEST(test_a_second_owner_waits_and_says_for_what_until_the_first_has_gone),
      TEST(test_what_stands_in_the_way_of_the_folder_is_told_and_its_end_noticed),
      TEST(test_a_close_does_not_wait_for_a_file_that_cannot_be_opened),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return failed;
}
