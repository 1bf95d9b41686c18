// SPDX-License-Identifier: MIT
#include "processor/watch/front_door.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { EVERY_MS = 60000 };

struct front_door {
  const struct settings *settings;
  pthread_t thread;
  atomic_bool stopping;
  pthread_mutex_t mutex; // of what follows
  pthread_cond_t stop;
  struct front_door_result latest;
};

static void keep(struct front_door *f, const struct front_door_result *result) {
  pthread_mutex_lock(&f->mutex);
  f->latest = *result;
  pthread_mutex_unlock(&f->mutex);
}

// False: a stop was requested.
static bool wait_until(struct front_door *f, int64_t due_ms) {
  struct timespec due = clock_timespec_at(due_ms);
  pthread_mutex_lock(&f->mutex);
  while (!atomic_load(&f->stopping) && clock_mono_ms() < due_ms)
    pthread_cond_timedwait(&f->stop, &f->mutex, &due);
  pthread_mutex_unlock(&f->mutex);
  return !atomic_load(&f->stopping);
}

// After a pause of the process there is one call, not one for each minute.
static void *run_thread(void *arg) {
  struct front_door *f = arg;
  struct front_door_result result;
  int64_t due_ms = clock_mono_ms();
  while (wait_until(f, due_ms) && front_door_check(f->settings, &f->stopping, &result)) {
    keep(f, &result);
    due_ms += EVERY_MS;
    if (due_ms < clock_mono_ms()) due_ms = clock_mono_ms();
  }
  return NULL;
}

static void free_front_door(struct front_door *f) {
  pthread_cond_destroy(&f->stop);
  pthread_mutex_destroy(&f->mutex);
  free(f);
}

bool front_door_start(const struct settings *settings, struct front_door **out, struct err *err) {
  *out = NULL;
  if (!*settings->public_url) return true;
  if (!front_door_check_settings(settings, err)) return false;
  struct front_door *f = mem_alloc(sizeof *f);
  f->settings = settings;
  pthread_mutex_init(&f->mutex, NULL);
  clock_cond_init(&f->stop);
  int failed = pthread_create(&f->thread, NULL, run_thread, f);
  if (failed == 0) {
    *out = f;
    return true;
  }
  free_front_door(f);
  return err_set(err, "cannot start the thread of the front door: %s", strerror(failed));
}

void front_door_stop(struct front_door *front_door) {
  if (front_door == NULL) return;
  pthread_mutex_lock(&front_door->mutex);
  atomic_store(&front_door->stopping, true);
  pthread_cond_signal(&front_door->stop);
  pthread_mutex_unlock(&front_door->mutex);
  pthread_join(front_door->thread, NULL);
  free_front_door(front_door);
}

bool front_door_latest(struct front_door *front_door, struct front_door_result *out) {
  pthread_mutex_lock(&front_door->mutex);
  *out = front_door->latest;
  pthread_mutex_unlock(&front_door->mutex);
  return out->at != 0;
}
