// SPDX-License-Identifier: MIT
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// What the log wrote to stdout meanwhile.
struct capture {
  int saved, fds[2];
  char text[3 * 8192];
  size_t len;
};

static void capture_open(struct capture *capture) {
  assert_int_equal(pipe(capture->fds), 0);
  capture->saved = dup(STDOUT_FILENO);
  dup2(capture->fds[1], STDOUT_FILENO);
}

static void capture_close(struct capture *capture) {
  dup2(capture->saved, STDOUT_FILENO);
  close(capture->saved);
  close(capture->fds[1]);
  ssize_t got;
  capture->len = 0;
  while ((got = read(capture->fds[0], capture->text + capture->len,
                     sizeof capture->text - capture->len - 1)) > 0)
    capture->len += (size_t)got;
  capture->text[capture->len] = '\0';
  close(capture->fds[0]);
}

static json_t *line_of(const struct capture *capture) {
  struct err err = {0};
  json_t *line = json_parse(capture->text, capture->len, &err);
  if (!line) fail_msg("%s: %s", err.text, capture->text);
  assert_int_equal(capture->text[capture->len - 1], '\n');
  assert_int_equal(strcspn(capture->text, "\n"), capture->len - 1);
  return line;
}

static const char *text_of(const json_t *line, const char *name) {
  return json_string_value(json_object_get(line, name));
}

static void test_a_line_is_one_json_object(void **state) {
  struct capture capture;
  capture_open(&capture);
  log_warn("connection lost", LOG_STR("broker", "127.0.0.1:9092"), LOG_INT("attempt", -3),
           LOG_STR("none", NULL));
  capture_close(&capture);
  AUTO_JSON *line = line_of(&capture);
  assert_string_equal(text_of(line, "level"), "warn");
  assert_string_equal(text_of(line, "service"), "test");
  assert_string_equal(text_of(line, "message"), "connection lost");
  assert_string_equal(text_of(line, "broker"), "127.0.0.1:9092");
  assert_string_equal(text_of(line, "none"), "");
  assert_int_equal(json_integer_value(json_object_get(line, "attempt")), -3);
  assert_int_equal(strlen(text_of(line, "time")), strlen("2026-01-12T11:00:03.123Z"));
}

static const struct {
  const char *given, *logged;
} texts[] = {
    {"a\"b\\c", "a\"b\\c"},
    {"line\nbreak\ttab\x01\x7f", "line\nbreak\ttab\x01\x7f"},
    {"도착 🚚", "도착 🚚"},
    {"\xff", "\xef\xbf\xbd"},
    {"a\xc3", "a\xef\xbf\xbd"},
    {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"\xed\xa0\x80z", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz"},
    {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"", ""},
};

static void test_every_text_is_escaped_and_ill_formed_bytes_are_replaced(void **state) {
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    struct capture capture;
    capture_open(&capture);
    log_error(texts[i].given, LOG_STR("text", texts[i].given));
    capture_close(&capture);
    AUTO_JSON *line = line_of(&capture);
    assert_string_equal(text_of(line, "text"), texts[i].logged);
    assert_string_equal(text_of(line, "message"), texts[i].logged);
  }
}

// Whatever the length, and wherever the cut falls within a three-byte character or an escape.
static void test_a_long_line_is_cut_and_stays_json(void **state) {
  static const char *const units[] = {"도", "\"", "\x01", "x"};
  static char long_text[40000];
  for (size_t unit = 0; unit < COUNT_OF(units); unit++) {
    for (size_t shift = 0; shift < 7; shift++) {
      long_text[0] = '\0';
      char *at = long_text;
      for (size_t i = 0; i < shift; i++) *at++ = '-';
      while (at < long_text + 9000) at = stpcpy(at, units[unit]);
      struct capture capture;
      capture_open(&capture);
      log_error("long", LOG_STR("text", long_text), LOG_INT("behind", 1));
      capture_close(&capture);
      AUTO_JSON *line = line_of(&capture);
      assert_in_range(capture.len, 8192 - 32, 8192);
      assert_true(json_is_true(json_object_get(line, "cut")));
      assert_null(json_object_get(line, "behind"));
      assert_memory_equal(text_of(line, "text"), long_text, strlen(text_of(line, "text")));
    }
  }
}

static void test_a_field_that_does_not_fit_is_left_out(void **state) {
  static char text[8192];
  for (size_t len = 7900; len < 8192; len++) {
    memset(text, 'x', len);
    text[len] = '\0';
    struct capture capture;
    capture_open(&capture);
    log_error("m", LOG_STR("text", text), LOG_INT("number", 123456789), LOG_STR("name", "value"));
    capture_close(&capture);
    AUTO_JSON *line = line_of(&capture);
    const json_t *number = json_object_get(line, "number");
    assert_true(!number || json_integer_value(number) == 123456789);
    assert_true(capture.len <= 8192);
  }
}

static void test_lines_below_the_level_are_not_written(void **state) {
  struct capture capture;
  log_init("test", LOG_LEVEL_ERROR);
  capture_open(&capture);
  log_warn("quiet", LOG_INT("n", 1));
  log_info("quiet", LOG_INT("n", 1));
  log_debug("quiet", LOG_INT("n", 1));
  capture_close(&capture);
  log_init("test", LOG_LEVEL_DEBUG);
  assert_int_equal(capture.len, 0);
}

// How many were left out, or -1 for a line that is not due.
static int64_t due(const char *key, int64_t now_ms) {
  int64_t suppressed;
  return log_is_due(key, now_ms, &suppressed) ? suppressed : -1;
}

static void test_of_one_key_a_line_is_due_every_ten_seconds_and_tells_how_many_were_not(void **state) {
  assert_int_equal(due("a", 1000), 0);
  assert_int_equal(due("a", 1000), -1);
  assert_int_equal(due("b", 1001), 0);
  assert_int_equal(due("a", 10999), -1);
  assert_int_equal(due("a", 11000), 2);
  assert_int_equal(due("a", 11001), -1);
  assert_int_equal(due("a", 30000), 1);
  assert_int_equal(due("b", 30000), 0);
}

// A key is forgotten only for want of room, the longest silent one first.
static void test_many_keys_do_not_push_out_each_other_while_there_is_room(void **state) {
  char key[16];
  for (int round = 0; round < 3; round++)
    for (int i = 0; i < 60; i++) {
      snprintf(key, sizeof key, "many %d", i);
      assert_int_equal(due(key, 100000 + round * 100 + i), round == 0 ? 0 : -1);
    }
  for (int i = 0; i < 64; i++) {
    snprintf(key, sizeof key, "new %d", i);
    assert_int_equal(due(key, 101000), 0);
  }
  assert_int_equal(due("many 0", 101000), 0);
}

static void test_a_line_that_comes_too_often_is_written_once(void **state) {
  struct capture capture;
  capture_open(&capture);
  for (int i = 0; i < 100; i++) log_warn_rarely("sender", "sender refused", LOG_INT("i", i));
  capture_close(&capture);
  AUTO_JSON *line = line_of(&capture);
  assert_int_equal(json_integer_value(json_object_get(line, "i")), 0);
  assert_int_equal(json_integer_value(json_object_get(line, "suppressed")), 0);
}

// ---- a reader that is stuck ----

enum { LOGGERS = 8, LINES_EACH = 100, LINES = LOGGERS * LINES_EACH, TOO_LONG_S = 30 };

static void *log_many(void *arg) {
  char text[1800];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  for (int i = 0; i < LINES_EACH; i++)
    log_info("many", LOG_INT("logger", (intptr_t)arg), LOG_INT("number", i), LOG_STR("text", text));
  return NULL;
}

static void log_from_all(void) {
  pthread_t loggers[LOGGERS];
  for (intptr_t i = 0; i < LOGGERS; i++) pthread_create(&loggers[i], NULL, log_many, (void *)i);
  for (size_t i = 0; i < LOGGERS; i++) pthread_join(loggers[i], NULL);
}

struct tally {
  int64_t lines, dropped;
  int last[LOGGERS];
};

// Each line is JSON, and the numbers of a logger ascend.
static void tally_line(struct tally *tally, const char *text) {
  struct err err;
  size_t len = strlen(text);
  assert_int_equal(text[len - 1], '\n');
  AUTO_JSON *line = json_parse(text, len, &err);
  if (!line) fail_msg("%s: %s", err.text, text);
  const json_t *dropped = json_object_get(line, "lines");
  tally->dropped += json_integer_value(dropped);
  if (dropped) return;
  int logger = (int)json_integer_value(json_object_get(line, "logger"));
  int number = (int)json_integer_value(json_object_get(line, "number"));
  assert_true(number > tally->last[logger]);
  tally->last[logger] = number;
  tally->lines++;
}

// Reads until all lines are there or counted. If one is neither, the alarm ends the test.
static struct tally read_all(FILE *lines) {
  struct tally tally = {0};
  for (size_t i = 0; i < LOGGERS; i++) tally.last[i] = -1;
  char text[9000];
  alarm(TOO_LONG_S);
  while (tally.lines + tally.dropped <= LINES && fgets(text, sizeof text, lines)) tally_line(&tally, text);
  alarm(0);
  fclose(lines);
  return tally;
}

// Appends to the text what the pipe holds now.
static size_t read_available(int fd, char *text, size_t len) {
  int waiting;
  assert_int_equal(ioctl(fd, FIONREAD, &waiting), 0);
  assert_int_equal(read(fd, text + len, (size_t)waiting), waiting);
  return len + (size_t)waiting;
}

// The lines are more than a pipe holds. The first line that is written afterwards reports the dropped ones.
static void test_a_stuck_reader_stops_no_thread_and_the_lines_stay_whole(void **state) {
  enum { TEXT_SIZE = 2 * 1024 * 1024 };
  AUTO_FREE char *text = mem_alloc(TEXT_SIZE);
  int fds[2], saved = dup(STDOUT_FILENO);
  assert_int_equal(pipe(fds), 0);
  dup2(fds[1], STDOUT_FILENO);
  int64_t before = log_dropped(), began_ms = clock_mono_ms();
  log_from_all();
  int64_t took_ms = clock_mono_ms() - began_ms, dropped = log_dropped() - before;
  size_t len = read_available(fds[0], text, 0);
  log_info("the reader reads again", LOG_INT("logger", 0), LOG_INT("number", LINES_EACH));
  len = read_available(fds[0], text, len);
  dup2(saved, STDOUT_FILENO);
  close(saved);
  close(fds[0]);
  close(fds[1]);
  struct tally tally = read_all(fmemopen(text, len, "r"));
  assert_in_range(took_ms, 0, 5000);
  assert_true(dropped > 0);
  assert_int_equal(tally.dropped, dropped);
  assert_int_equal(tally.lines, LINES + 1 - dropped);
  test_a_line_is_one_json_object(state); // as before
}

// This program again, which logs without log_init() and exits; its stdout is the pipe.
static pid_t start_logger(int *fd) {
  int fds[2];
  pid_t pid;
  posix_spawn_file_actions_t actions;
  char *const argv[] = {(char[]){"test_log"}, (char[]){"log"}, NULL};
  assert_int_equal(pipe(fds), 0);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, fds[0]);
  posix_spawn_file_actions_addclose(&actions, fds[1]);
  assert_int_equal(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, argv, NULL), 0);
  posix_spawn_file_actions_destroy(&actions);
  close(fds[1]);
  *fd = fds[0];
  return pid;
}

static void assert_exit_ok(pid_t pid) {
  int status;
  alarm(TOO_LONG_S);
  assert_int_equal(waitpid(pid, &status, 0), pid);
  alarm(0);
  assert_int_equal(status, 0);
}

static void test_at_exit_a_stuck_reader_is_waited_for_for_a_bounded_time(void **state) {
  int fd;
  pid_t pid = start_logger(&fd);
  assert_exit_ok(pid);
  close(fd);
}

static void test_at_exit_what_waits_is_written_if_the_reader_comes_back(void **state) {
  int fd, waiting = 0;
  pid_t pid = start_logger(&fd);
  while (ioctl(fd, FIONREAD, &waiting) == 0 && waiting < 50000) clock_sleep_ms(5); // the pipe is full
  struct tally tally = read_all(fdopen(fd, "r"));
  assert_exit_ok(pid);
  assert_int_equal(tally.lines + tally.dropped, LINES);
}

static void test_level_names_are_read_back(void **state) {
  for (int level = LOG_LEVEL_DEBUG; level <= LOG_LEVEL_ERROR; level++) {
    enum log_level read;
    assert_true(log_level_parse(log_level_name((enum log_level)level), &read));
    assert_int_equal(read, level);
  }
  enum log_level untouched = LOG_LEVEL_WARN;
  assert_false(log_level_parse("INFO", &untouched));
  assert_false(log_level_parse("", &untouched));
  assert_int_equal(untouched, LOG_LEVEL_WARN);
}

static int start(void **state) {
  log_init("test", LOG_LEVEL_DEBUG);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "log") == 0) {
    log_from_all();
    return 0;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_line_is_one_json_object),
      cmocka_unit_test(test_every_text_is_escaped_and_ill_formed_bytes_are_replaced),
      cmocka_unit_test(test_a_long_line_is_cut_and_stays_json),
      cmocka_unit_test(test_a_field_that_does_not_fit_is_left_out),
      cmocka_unit_test(test_lines_below_the_level_are_not_written),
      cmocka_unit_test(test_of_one_key_a_line_is_due_every_ten_seconds_and_tells_how_many_were_not),
      cmocka_unit_test(test_many_keys_do_not_push_out_each_other_while_there_is_room),
      cmocka_unit_test(test_a_line_that_comes_too_often_is_written_once),
      cmocka_unit_test(test_level_names_are_read_back),
      cmocka_unit_test(test_a_stuck_reader_stops_no_thread_and_the_lines_stay_whole),
      cmocka_unit_test(test_at_exit_a_stuck_reader_is_waited_for_for_a_bounded_time),
      cmocka_unit_test(test_at_exit_what_waits_is_written_if_the_reader_comes_back),
  };
  return cmocka_run_group_tests(tests, start, NULL);
}
