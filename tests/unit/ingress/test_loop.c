// SPDX-License-Identifier: MIT
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "ingress/loop.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop *loop;

static int set_up(void **state) {
  struct err err;
  loop = loop_new(&err);
  return loop ? 0 : -1;
}

static int tear_down(void **state) {
  loop_free(loop);
  return 0;
}

static void turn_until(const bool *done) {
  for (int64_t deadline = clock_mono_ms() + 10000; !*done && clock_mono_ms() < deadline;) loop_turn(loop);
  assert_true(*done);
}

// ---- timers ----

enum { TIMERS = 5000 };

struct model { // what should be: the timers in a plain table
  struct loop_timer timer;
  int64_t at_ms;
  bool set;
};
static struct model *model;
static int64_t last_ms;
static size_t n_called;

static void on_due(struct loop_timer *timer) {
  struct model *row = (struct model *)timer;
  assert_true(row->set);
  assert_int_equal(timer->place, 0);
  assert_int_equal(timer->at_ms, row->at_ms);
  assert_true(row->at_ms >= last_ms);
  assert_true(row->at_ms <= loop_now_ms(loop));
  last_ms = row->at_ms;
  row->set = false;
  n_called++;
}

static void set(struct model *row, int64_t at_ms) {
  row->timer.due = on_due;
  row->set = true;
  row->at_ms = at_ms;
  loop_set_timer(loop, &row->timer, at_ms);
}

static void clear(struct model *row) {
  loop_clear_timer(loop, &row->timer);
  row->set = false;
}

// All that should have been called have been, and in order, and nobody else.
static void assert_called(size_t n_due) {
  n_called = 0;
  last_ms = INT64_MIN;
  int64_t before = clock_mono_ms();
  loop_turn(loop);
  assert_true(loop_now_ms(loop) >= before);
  assert_int_equal(n_called, n_due);
  for (size_t i = 0; i < TIMERS; i++)
    if (model[i].set) assert_true(model[i].at_ms > loop_now_ms(loop));
}

static void test_timers_are_called_in_order_whatever_is_set_and_cleared(void **state) {
  unsigned seed = 1;
  model = mem_array(TIMERS, sizeof *model);
  for (int round = 0; round < 20; round++) {
    // Far behind or far ahead, so that the test's own time plays no part.
    int64_t now = clock_mono_ms();
    for (size_t i = 0; i < TIMERS; i++) {
      struct model *row = &model[(unsigned)rand_r(&seed) % TIMERS];
      if (rand_r(&seed) % 3 == 0)
        clear(row);
      else
        set(row, now + (rand_r(&seed) % 2 ? -1 : 1) * (100000 + rand_r(&seed) % 2000));
    }
    size_t n_due = 0;
    for (size_t i = 0; i < TIMERS; i++) n_due += model[i].set && model[i].at_ms <= now;
    assert_true(n_due > TIMERS / 10);
    assert_called(n_due);
  }
  free(model);
}

static void test_a_timer_is_called_once_and_not_before_its_time(void **state) {
  struct model rows[2] = {0};
  int64_t at_ms = clock_mono_ms() + 20;
  set(&rows[0], at_ms + 100000);
  set(&rows[0], at_ms); // anew
  set(&rows[1], at_ms + 20);
  last_ms = 0;
  for (n_called = 0; n_called < 2;) loop_turn(loop); // no third time: see on_due()
  assert_true(clock_mono_ms() >= at_ms + 20);
}

static struct loop_timer again, other;
static int n_again, n_other;

static void on_other(struct loop_timer *timer) {
  n_other++;
}

static void on_again(struct loop_timer *timer) {
  loop_clear_timer(loop, &other); // due as well, and not called any more
  if (++n_again < 3) loop_set_timer(loop, timer, loop_now_ms(loop));
}

static void test_a_timer_may_set_itself_and_clear_another(void **state) {
  again.due = on_again;
  other.due = on_other;
  loop_set_timer(loop, &other, clock_mono_ms() - 1);
  loop_set_timer(loop, &again, clock_mono_ms() - 2);
  loop_turn(loop);
  assert_int_equal(n_again, 3);
  assert_int_equal(n_other, 0);
}

// ---- mail ----

struct letter {
  struct mail mail;
  size_t from, nth;
};

enum { SENDERS = 4, LETTERS = 20000 };

static struct letter letters[SENDERS][LETTERS];
static size_t received[SENDERS], n_received;
static bool all_there;

static void on_letter(struct mail *mail) {
  struct letter *letter = (struct letter *)mail;
  assert_int_equal(letter->nth, received[letter->from]);
  received[letter->from]++;
  all_there = ++n_received == (size_t)SENDERS * LETTERS;
}

static void *send_letters(void *arg) {
  struct letter *mine = arg;
  for (size_t i = 0; i < LETTERS; i++) loop_post(loop, &mine[i].mail);
  return NULL;
}

static void test_mail_of_many_threads_comes_once_and_in_the_order_of_each(void **state) {
  pthread_t threads[SENDERS];
  for (size_t i = 0; i < SENDERS; i++) {
    for (size_t j = 0; j < LETTERS; j++) letters[i][j] = (struct letter){{.deliver = on_letter}, i, j};
    assert_int_equal(pthread_create(&threads[i], NULL, send_letters, letters[i]), 0);
  }
  turn_until(&all_there);
  for (size_t i = 0; i < SENDERS; i++) pthread_join(threads[i], NULL);
  for (size_t i = 0; i < SENDERS; i++) assert_int_equal(received[i], LETTERS);
}

static char said[64];

struct note {
  struct mail mail;
  char letter;
};

static void say(char letter) {
  said[strlen(said)] = letter;
}

static void on_note(struct mail *mail) {
  say(((struct note *)mail)->letter);
}

static struct note late = {{.deliver = on_note}, 'z'}, later = {{.deliver = on_note}, '!'};
static struct note next = {{.deliver = on_note}, 'n'};

static void on_late(struct mail *mail) {
  on_note(mail);
  loop_later(loop, &later.mail);
}

static void on_first(struct mail *mail) {
  on_note(mail);
  late.mail.deliver = on_late;
  loop_later(loop, &late.mail);
  loop_post(loop, &next.mail); // what is posted now is fetched in the next turn
}

static bool work(void *arg) {
  say('w');
  return false;
}

static void on_timer(struct loop_timer *timer) {
  say('t');
}

static void test_a_turn_delivers_mail_then_timers_then_work_then_what_is_for_later(void **state) {
  struct note first = {{.deliver = on_first}, 'a'}, second = {{.deliver = on_note}, 'b'};
  struct loop_timer timer = {.due = on_timer};
  loop_set_work(loop, work, NULL);
  loop_set_timer(loop, &timer, clock_mono_ms());
  loop_post(loop, &first.mail);
  loop_post(loop, &second.mail);
  loop_turn(loop);
  assert_string_equal(said, "abtwz!");
  loop_turn(loop); // does not wait, since there is mail
  assert_string_equal(said, "abtwz!nw");
}

static void *post_one(void *note) {
  loop_post(loop, note);
  return NULL;
}

static void test_mail_wakes_a_loop_that_waits(void **state) {
  memset(said, 0, sizeof said);
  loop_turn(loop); // the bell is new to epoll
  for (int i = 0; i < 200; i++) {
    struct note note = {{.deliver = on_note}, 'm'};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, post_one, &note.mail), 0);
    memset(said, 0, sizeof said);
    while (!*said) loop_turn(loop); // without a timer it waits for ever
    pthread_join(thread, NULL);
    assert_string_equal(said, "m");
  }
}

// ---- one wake for a whole batch, and an end ----

static int n_rung, n_turns;

// Stands in for the C library's.
int eventfd_write(int fd, eventfd_t value) {
  n_rung++;
  return write(fd, &value, sizeof value) == (ssize_t)sizeof value ? 0 : -1;
}

static void test_a_batch_of_mail_is_one_wake(void **state) {
  struct note notes[50];
  for (int batch = 0; batch < 3; batch++) {
    memset(said, 0, sizeof said);
    n_rung = 0;
    for (size_t i = 0; i < COUNT_OF(notes); i++) {
      notes[i] = (struct note){{.deliver = on_note}, 'm'};
      loop_post(loop, &notes[i].mail);
    }
    loop_turn(loop);
    assert_int_equal(strlen(said), COUNT_OF(notes));
    assert_int_equal(n_rung, 1);
  }
}

static bool busy_twice(void *arg) {
  return ++n_turns < 3;
}

static void test_a_loop_with_work_left_does_not_wait(void **state) {
  loop_turn(loop);
  loop_set_work(loop, busy_twice, NULL);
  struct note note = {{.deliver = on_note}, 'm'};
  n_turns = 0;
  loop_post(loop, &note.mail);
  for (int i = 0; i < 3; i++) loop_turn(loop); // the second and third would wait for ever
  assert_int_equal(n_turns, 3);
}

static void *stop(void *arg) {
  loop_stop(loop);
  return NULL;
}

static void test_a_loop_is_stopped_from_any_thread(void **state) {
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, stop, NULL), 0);
  loop_run(loop);
  pthread_join(thread, NULL);
}

// ---- descriptors ----

struct ear {
  struct loop_watch watch;
  uint32_t events;
  bool called;
};

static void on_ready(struct loop_watch *watch, uint32_t events) {
  struct ear *ear = (struct ear *)watch;
  ear->events |= events;
  ear->called = true;
}

static void test_a_descriptor_is_told_of_once_for_what_comes(void **state) {
  struct err err;
  int pair[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
  struct ear ear = {.watch.ready = on_ready};
  struct loop_timer timer = {.due = on_other};
  assert_true(loop_watch(loop, pair[0], &ear.watch, &err));
  turn_until(&ear.called);
  assert_int_equal(ear.events, EPOLLOUT);

  ear = (struct ear){.watch = ear.watch};
  assert_int_equal(write(pair[1], "x", 1), 1);
  turn_until(&ear.called);
  assert_true(ear.events & EPOLLIN);

  ear.called = false; // nothing more has come, and what came was not read
  loop_set_timer(loop, &timer, clock_mono_ms() + 10);
  for (n_other = 0; !n_other;) loop_turn(loop);
  assert_false(ear.called);

  close(pair[1]);
  turn_until(&ear.called);
  assert_true(ear.events & EPOLLRDHUP);
  close(pair[0]);
}

static void test_a_descriptor_that_cannot_be_watched_is_told(void **state) {
  struct ear ear = {.watch.ready = on_ready};
  struct err err = {0};
  assert_false(loop_watch(loop, -1, &ear.watch, &err));
  assert_string_equal(err.text, "epoll_ctl: Bad file descriptor");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_timers_are_called_in_order_whatever_is_set_and_cleared),
      TEST(test_a_timer_is_called_once_and_not_before_its_time),
      TEST(test_a_timer_may_set_itself_and_clear_another),
      TEST(test_mail_of_many_threads_comes_once_and_in_the_order_of_each),
      TEST(test_a_turn_delivers_mail_then_timers_then_work_then_what_is_for_later),
      TEST(test_mail_wakes_a_loop_that_waits),
      TEST(test_a_batch_of_mail_is_one_wake),
      TEST(test_a_loop_with_work_left_does_not_wait),
      TEST(test_a_loop_is_stopped_from_any_thread),
      TEST(test_a_descriptor_is_told_of_once_for_what_comes),
      TEST(test_a_descriptor_that_cannot_be_watched_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
