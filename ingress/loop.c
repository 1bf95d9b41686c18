// SPDX-License-Identifier: MIT
#include "ingress/loop.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { EVENTS_MAX = 256 };

struct loop {
  int epoll, bell; // the bell is rung when mail comes into an empty box
  _Atomic(struct mail *) box;
  struct mail *late, **late_end; // loop_later()
  struct loop_timer **heap;      // heap[0] is not used
  size_t n_timers, heap_size;
  int64_t now_ms;
  loop_work_fn *work;
  void *work_arg;
  bool busy; // the work said that there is more
  atomic_bool stopping;
  struct loop_watch on_bell;
};

int64_t loop_now_ms(const struct loop *loop) {
  return loop->now_ms;
}

// ---- timers: a binary heap, the next one at heap[1] ----

static void put(struct loop *loop, size_t place, struct loop_timer *timer) {
  loop->heap[place] = timer;
  timer->place = place;
}

static void rise(struct loop *loop, size_t place, struct loop_timer *timer) {
  for (; place > 1 && loop->heap[place / 2]->at_ms > timer->at_ms; place /= 2)
    put(loop, place, loop->heap[place / 2]);
  put(loop, place, timer);
}

static void sink(struct loop *loop, size_t place, struct loop_timer *timer) {
  for (size_t child; (child = 2 * place) <= loop->n_timers; place = child) {
    if (child < loop->n_timers && loop->heap[child + 1]->at_ms < loop->heap[child]->at_ms) child++;
    if (loop->heap[child]->at_ms >= timer->at_ms) break;
    put(loop, place, loop->heap[child]);
  }
  put(loop, place, timer);
}

void loop_clear_timer(struct loop *loop, struct loop_timer *timer) {
  size_t place = timer->place;
  if (!place) return;
  timer->place = 0;
  struct loop_timer *last = loop->heap[loop->n_timers--];
  if (last == timer) return;
  if (place > 1 && loop->heap[place / 2]->at_ms > last->at_ms)
    rise(loop, place, last);
  else
    sink(loop, place, last);
}

void loop_set_timer(struct loop *loop, struct loop_timer *timer, int64_t at_ms) {
  loop_clear_timer(loop, timer);
  timer->at_ms = at_ms;
  if (++loop->n_timers >= loop->heap_size) {
    loop->heap_size = loop->heap_size ? 2 * loop->heap_size : 64;
    loop->heap = mem_grow(loop->heap, loop->heap_size, sizeof(struct loop_timer *));
  }
  rise(loop, loop->n_timers, timer);
}

static void call_due(struct loop *loop) {
  while (loop->n_timers && loop->heap[1]->at_ms <= loop->now_ms) {
    struct loop_timer *timer = loop->heap[1];
    loop_clear_timer(loop, timer);
    timer->due(timer);
  }
}

// ---- mail ----

static void on_bell(struct loop_watch *watch, uint32_t events) {
  (void)watch, (void)events; // the box is looked into each turn; edge-triggered, the bell need not be reset
}

void loop_post(struct loop *loop, struct mail *mail) {
  struct mail *first = atomic_load_explicit(&loop->box, memory_order_relaxed);
  do mail->next = first;
  while (!atomic_compare_exchange_weak_explicit(&loop->box, &first, mail, memory_order_acq_rel,
                                                memory_order_relaxed));
  if (!first) eventfd_write(loop->bell, 1);
}

void loop_later(struct loop *loop, struct mail *mail) {
  mail->next = NULL;
  *loop->late_end = mail;
  loop->late_end = &mail->next;
}

static void deliver_all(struct mail *mail) {
  for (struct mail *next; mail; mail = next) {
    next = mail->next; // delivering may free it
    mail->deliver(mail);
  }
}

// The box is a stack.
static struct mail *fetch(struct loop *loop) {
  struct mail *mail = atomic_exchange_explicit(&loop->box, NULL, memory_order_acq_rel), *oldest = NULL;
  for (struct mail *next; mail; mail = next) {
    next = mail->next;
    mail->next = oldest;
    oldest = mail;
  }
  return oldest;
}

static void deliver_late(struct loop *loop) {
  while (loop->late) {
    struct mail *mail = loop->late;
    loop->late = NULL;
    loop->late_end = &loop->late;
    deliver_all(mail);
  }
}

// ---- turns ----

static int wait_ms(const struct loop *loop) {
  if (loop->busy || atomic_load_explicit(&loop->box, memory_order_relaxed)) return 0;
  if (!loop->n_timers) return -1;
  int64_t left = loop->heap[1]->at_ms - clock_mono_ms();
  return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

void loop_turn(struct loop *loop) {
  struct epoll_event events[EVENTS_MAX];
  int n = epoll_wait(loop->epoll, events, EVENTS_MAX, wait_ms(loop));
  loop->now_ms = clock_mono_ms();
  for (int i = 0; i < n; i++) {
    struct loop_watch *watch = events[i].data.ptr;
    watch->ready(watch, events[i].events);
  }
  deliver_all(fetch(loop));
  call_due(loop);
  loop->busy = loop->work && loop->work(loop->work_arg);
  deliver_late(loop);
}

void loop_run(struct loop *loop) {
  while (!atomic_load(&loop->stopping)) loop_turn(loop);
}

void loop_stop(struct loop *loop) {
  atomic_store(&loop->stopping, true);
  eventfd_write(loop->bell, 1);
}

bool loop_watch(struct loop *loop, int fd, struct loop_watch *watch, struct err *err) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = watch};
  return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) == 0 ||
         err_set(err, "epoll_ctl: %s", strerror(errno));
}

void loop_set_work(struct loop *loop, loop_work_fn *work, void *arg) {
  loop->work = work;
  loop->work_arg = arg;
}

struct loop *loop_new(struct err *err) {
  struct loop *loop = mem_alloc(sizeof *loop);
  loop->epoll = epoll_create1(EPOLL_CLOEXEC);
  loop->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  loop->late_end = &loop->late;
  loop->on_bell.ready = on_bell;
  loop->now_ms = clock_mono_ms();
  if (loop->epoll < 0 || loop->bell < 0) {
    err_set(err, "cannot make an event loop: %s", strerror(errno));
    goto fail;
  }
  if (loop_watch(loop, loop->bell, &loop->on_bell, err)) return loop;
fail:
  loop_free(loop);
  return NULL;
}

void loop_free(struct loop *loop) {
  if (!loop) return;
  if (loop->epoll >= 0) close(loop->epoll);
  if (loop->bell >= 0) close(loop->bell);
  free(loop->heap);
  free(loop);
}
