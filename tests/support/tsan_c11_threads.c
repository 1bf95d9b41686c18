// SPDX-License-Identifier: MIT
// gcc's ThreadSanitizer follows pthreads but not C11 threads, which Debian's librdkafka is built on: its
// threads crash in the first malloc(), and its locks would go unseen. Linked into every program of a tsan
// build, this says the same in pthreads. glibc keeps both kinds of objects in the same form.
#define _GNU_SOURCE // pthread_timedjoin_np()
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>

// librdkafka counts references with atomics that nobody sees either, so what it does itself is not judged;
// what our callbacks do is. listen_refuse() replaces a descriptor that civetweb closes later, told by a flag
// of its own.
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) {
  return "called_from_lib:librdkafka\n"
         "race:listen_refuse\n";
}

static int result_of(int error) {
  return error == 0           ? thrd_success
         : error == ETIMEDOUT ? thrd_timedout
         : error == EBUSY     ? thrd_busy
                              : thrd_error;
}

struct start {
  thrd_start_t function;
  void *arg;
};

static void *run(void *arg) {
  struct start start = *(struct start *)arg;
  free(arg);
  return (void *)(intptr_t)start.function(start.arg);
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *arg) {
  struct start *start = malloc(sizeof *start);
  if (!start) return thrd_nomem;
  *start = (struct start){function, arg};
  int error = pthread_create(thread, NULL, run, start);
  if (error) free(start);
  return result_of(error);
}

int thrd_join(thrd_t thread, int *result) {
  void *returned = NULL;
  int error = pthread_join(thread, &returned);
  if (result) *result = (int)(intptr_t)returned;
  return result_of(error);
}

// How librdkafka hands a new lock to another thread goes unseen (see above), so it is told here.
void __tsan_acquire(void *);
void __tsan_release(void *);

int mtx_init(mtx_t *mutex, int type) {
  pthread_mutexattr_t attr;
  pthread_mutexattr_init(&attr);
  if (type & mtx_recursive) pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
  int error = pthread_mutex_init((pthread_mutex_t *)mutex, &attr);
  pthread_mutexattr_destroy(&attr);
  __tsan_release(mutex);
  return result_of(error);
}

int mtx_lock(mtx_t *mutex) {
  __tsan_acquire(mutex);
  return result_of(pthread_mutex_lock((pthread_mutex_t *)mutex));
}

int mtx_unlock(mtx_t *mutex) {
  return result_of(pthread_mutex_unlock((pthread_mutex_t *)mutex));
}

void mtx_destroy(mtx_t *mutex) {
  pthread_mutex_destroy((pthread_mutex_t *)mutex);
}

int cnd_init(cnd_t *condition) {
  return result_of(pthread_cond_init((pthread_cond_t *)condition, NULL));
}

int cnd_signal(cnd_t *condition) {
  return result_of(pthread_cond_signal((pthread_cond_t *)condition));
}

int cnd_broadcast(cnd_t *condition) {
  return result_of(pthread_cond_broadcast((pthread_cond_t *)condition));
}

int cnd_wait(cnd_t *condition, mtx_t *mutex) {
  return result_of(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex));
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until) {
  return result_of(pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until));
}

void cnd_destroy(cnd_t *condition) {
  pthread_cond_destroy((pthread_cond_t *)condition);
}

// It does not follow this one either: to it the thread never ends, and the next one with the same id is a
// fatal error.
int pthread_clockjoin_np(pthread_t thread, void **result, clockid_t clock, const struct timespec *until) {
  struct timespec now, wall;
  clock_gettime(clock, &now);
  clock_gettime(CLOCK_REALTIME, &wall);
  wall.tv_sec += until->tv_sec - now.tv_sec;
  wall.tv_nsec += until->tv_nsec - now.tv_nsec;
  if (wall.tv_nsec < 0) {
    wall.tv_sec--;
    wall.tv_nsec += 1000000000;
  } else if (wall.tv_nsec >= 1000000000) {
    wall.tv_sec++;
    wall.tv_nsec -= 1000000000;
  }
  return pthread_timedjoin_np(thread, result, &wall);
}
