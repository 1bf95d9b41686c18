// SPDX-License-Identifier: MIT
#include "ingress/durable/spool.h"

#include "common/base/clock.h"
#include "common/base/crash_point.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "ingress/counters.h"
#include "ingress/durable/reason.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
  TICK_MS = 1000,
  OPEN_AGAIN_MS = 1000,
  OPEN_WAIT_MS = 2000,
  HUNG_MS = 2000, // a disk that takes longer is away: requests have no time to wait for it
  WAITING_MAX_BYTES = 64 * 1024 * 1024, // of the events that wait for one commit while the disk stalls
};

// ---- a job: what one caller wants written. A copy, since a caller may give up before it is written ----

struct job {
  struct job *next;
  struct publisher_message *messages;
  size_t n_messages;
  char *bytes;  // the messages point into it
  int64_t *ids; // of rows to remove
  size_t n_ids;
};

static const void *copy(char **to, const void *from, size_t size) {
  if (!from || !size) return NULL;
  const void *at = memcpy(*to, from, size);
  *to += size;
  return at;
}

static size_t text_size(const char *text) {
  return text ? strlen(text) + 1 : 0;
}

static size_t message_size(struct publisher_message message) {
  size_t size = message.value_len;
  for (size_t i = 0; i < PUBLISHER_MESSAGE_TEXTS; i++)
    size += text_size(*publisher_message_text(&message, i));
  return size;
}

static void copy_message(char **to, struct publisher_message *message) {
  for (size_t i = 0; i < PUBLISHER_MESSAGE_TEXTS; i++) {
    const char **text = publisher_message_text(message, i);
    *text = copy(to, *text, text_size(*text));
  }
  message->value = copy(to, message->value, message->value_len);
}

static struct job *job_to_store(const struct publisher_message *const *messages, size_t n, size_t *bytes) {
  struct job *job = mem_alloc(sizeof *job);
  job->messages = mem_array(n, sizeof *job->messages);
  job->n_messages = n;
  *bytes = n * sizeof *job->messages;
  for (size_t i = 0; i < n; i++) *bytes += message_size(*messages[i]);
  char *to = job->bytes = mem_alloc(*bytes);
  for (size_t i = 0; i < n; i++) {
    job->messages[i] = *messages[i];
    copy_message(&to, &job->messages[i]);
  }
  return job;
}

static struct job *job_to_remove(const int64_t *ids, size_t n) {
  struct job *job = mem_alloc(sizeof *job);
  job->ids = mem_array(n, sizeof *job->ids);
  job->n_ids = n;
  memcpy(job->ids, ids, n * sizeof *ids);
  return job;
}

static void job_free(struct job *job) {
  free(job->messages);
  free(job->bytes);
  free(job->ids);
  free(job);
}

// ---- a batch: the jobs of one transaction ----

// Freed by its last holder: a request that is out of time leaves before the writer does.
struct batch {
  pthread_cond_t settled;
  struct job *first, **end;
  size_t bytes;
  unsigned holders;
  bool has_removals, stored, removed, done; // others read the results once it is done
};

static struct batch *batch_new(void) {
  struct batch *batch = mem_alloc(sizeof *batch);
  clock_cond_init(&batch->settled);
  batch->end = &batch->first;
  batch->holders = 1; // the writer
  return batch;
}

static void batch_free(struct batch *batch) {
  for (struct job *job = batch->first, *next; job; job = next) {
    next = job->next;
    job_free(job);
  }
  pthread_cond_destroy(&batch->settled);
  free(batch);
}

struct spool {
  char *dir;
  struct spool_file *file; // the writer's; NULL while it is not open
  struct reason unopened;  // why it is not open
  atomic_bool closing;     // set under the lock
  struct metrics *metrics;
  metric_value *events, *used_bytes;
  int64_t max_bytes, ready_percent;
  _Atomic int64_t room_bytes; // max_bytes, or less where the disk has less
  atomic_bool failing;
  _Atomic int64_t busy_since_ms; // monotonic: since when the writer is not waiting for jobs; 0: it is
  pthread_t writer;
  pthread_mutex_t reading;        // held while the drain reads, and while the file is opened and closed
  pthread_mutex_t lock;           // of the following members, and of all batches
  pthread_cond_t wanted, arrived; // the writer waits for jobs, the drain for rows
  bool is_open;
  bool tried;         // to open it, once
  bool woken;         // the drain is asked to stop waiting
  struct batch *open; // jobs join it; never NULL
  int64_t committed;  // the last id that is on the disk
  int64_t last_id;    // the writer's own
};

// ---- the writer ----

static bool put_all(struct spool *spool, const struct job *job, int64_t *id, struct err *err) {
  for (size_t i = 0; i < job->n_messages; i++)
    if (!spool_file_put(spool->file, ++*id, &job->messages[i], err)) return false;
  return true;
}

static bool drop_all(struct spool *spool, const struct job *job, int64_t *dropped, struct err *err) {
  for (size_t i = 0; i < job->n_ids; i++)
    if (!spool_file_drop(spool->file, job->ids[i], dropped, err)) return false;
  return true;
}

struct change {
  int64_t last_id, dropped;
};

static bool write_jobs(struct spool *spool, const struct batch *batch, bool storing, struct change *change,
                       struct err *err) {
  if (!spool_file_begin(spool->file, err)) return false;
  bool good = true;
  for (const struct job *job = batch->first; good && job; job = job->next)
    good = drop_all(spool, job, &change->dropped, err) &&
           (!storing || put_all(spool, job, &change->last_id, err));
  CRASH_POINT("before_spool_commit");
  good = good && spool_file_commit(spool->file, err);
  if (!good) spool_file_rollback(spool->file);
  CRASH_POINT("after_spool_commit");
  return good;
}

static void note_failure(struct spool *spool, const struct err *err) {
  metrics_add(spool->metrics, COUNTER_SPOOL_ERRORS, "write", 1);
  if (!atomic_exchange(&spool->failing, true))
    log_warn("spool cannot be written; without Kafka requests are answered 503", LOG_STR("cause", err->text),
             LOG_INT("events", atomic_load(spool->events)));
}

static void note_success(struct spool *spool) {
  if (!atomic_exchange(&spool->failing, false)) return;
  log_info("spool can be written again", LOG_INT("events", atomic_load(spool->events)));
}

// False: nothing of it has been written.
static bool try_to_commit(struct spool *spool, const struct batch *batch, bool storing) {
  struct change change = {.last_id = spool->last_id};
  struct err err;
  if (!write_jobs(spool, batch, storing, &change, &err)) {
    note_failure(spool, &err);
    return false;
  }
  if (storing) note_success(spool);
  metrics_add(spool->metrics, COUNTER_SPOOL_COMMITS, NULL, 1);
  atomic_fetch_add(spool->events, change.last_id - spool->last_id - change.dropped);
  spool->last_id = change.last_id;
  return true;
}

static void measure(struct spool *spool) {
  int64_t room = spool_file_room_bytes(spool->file);
  atomic_store(&spool->room_bytes, room >= 0 && room < spool->max_bytes ? room : spool->max_bytes);
  atomic_store(spool->used_bytes, spool_file_used_bytes(spool->file));
}

// Where nothing can be stored, rows are removed none the less: that makes room.
static void commit(struct spool *spool, struct batch *batch) {
  batch->stored = batch->removed = try_to_commit(spool, batch, true);
  if (!batch->stored && batch->has_removals) batch->removed = try_to_commit(spool, batch, false);
  measure(spool);
}

static void settle(struct spool *spool, struct batch *batch) {
  pthread_mutex_lock(&spool->lock);
  batch->done = true;
  pthread_cond_broadcast(&batch->settled);
  if (spool->committed != spool->last_id) pthread_cond_signal(&spool->arrived);
  spool->committed = spool->last_id;
  bool last = --batch->holders == 0;
  pthread_mutex_unlock(&spool->lock);
  if (last) batch_free(batch);
}

// Once a second. While the spool is failing no request reaches it, so the writer itself has to find out that
// the disk works again.
static void look_around(struct spool *spool) {
  struct err err;
  int64_t oldest_ms = spool_file_oldest_ms(spool->file);
  int64_t age_s = oldest_ms < 0 ? 0 : (clock_wall_ms() - oldest_ms) / 1000;
  metrics_set(spool->metrics, COUNTER_SPOOL_AGE, NULL, age_s > 0 ? age_s : 0);
  if (atomic_load(&spool->failing) && spool_file_probe(spool->file, &err)) note_success(spool);
  if (!spool_file_shrink(spool->file, &err)) // a disk that is too full for it may have room for events
    log_warn_rarely("spool shrink", "spool file cannot be made smaller; tried again every second",
                    LOG_STR("folder", spool->dir), LOG_STR("cause", err.text));
  measure(spool);
}

// The next batch, NULL when it is time to look around. When closing, a last batch is still written.
static struct batch *next_batch(struct spool *spool, int64_t tick_at, bool *closing) {
  struct timespec at = clock_timespec_at(tick_at);
  struct batch *batch = NULL;
  atomic_store(&spool->busy_since_ms, 0);
  pthread_mutex_lock(&spool->lock);
  int expired = 0;
  while (!spool->open->first && !spool->closing && !expired)
    expired = pthread_cond_timedwait(&spool->wanted, &spool->lock, &at);
  *closing = spool->closing;
  if (spool->open->first) {
    batch = spool->open;
    spool->open = batch_new();
  }
  pthread_mutex_unlock(&spool->lock);
  atomic_store(&spool->busy_since_ms, clock_mono_ms());
  return batch;
}

// False when the spool is closed, true when its file turned out to be damaged.
static bool write_batches(struct spool *spool) {
  int64_t tick_at = clock_mono_ms() + TICK_MS;
  for (bool closing = false; !closing;) {
    struct batch *batch = next_batch(spool, tick_at, &closing);
    if (batch) {
      commit(spool, batch);
      settle(spool, batch);
    }
    if (!closing && spool_file_is_damaged(spool->file)) return true;
    if (clock_mono_ms() < tick_at) continue;
    look_around(spool);
    tick_at = clock_mono_ms() + TICK_MS;
  }
  return false;
}

// ---- the writer opens the file ----

static void report_damage(struct spool *spool, struct spool_found *found) {
  if (found->set_aside) {
    metrics_add(spool->metrics, COUNTER_SPOOL_ERRORS, "set_aside", 1);
    log_error("the spool was damaged and is set aside; the events that could be read were copied",
              LOG_STR("file", found->set_aside), LOG_INT("rescued", found->rescued),
              LOG_INT("unreadable", found->unreadable));
  }
  if (found->damaged_log) {
    metrics_add(spool->metrics, COUNTER_SPOOL_ERRORS, "set_aside", 1);
    log_error("the spool's log was damaged; commits behind the damage are only in the kept log",
              LOG_STR("file", found->damaged_log));
  }
  free(take(found->set_aside));
  free(take(found->damaged_log));
}

static void log_open(const struct spool *spool, const struct spool_found *found) {
  if (found->bound_bytes > spool->max_bytes)
    log_warn("the spool is larger than DOCHAK_SPOOL_MAX_BYTES until it is drained",
             LOG_INT("bytes", found->bound_bytes), LOG_INT("max_bytes", spool->max_bytes));
  log_info("spool open", LOG_STR("folder", spool->dir), LOG_INT("events", found->events));
}

// Logged once for each cause; the reason stays.
static void note_unopened(struct spool *spool, const struct err *err) {
  const char *before = reason_get(&spool->unopened);
  AUTO_FREE char *reason = mem_printf("the spool cannot be opened: %s", err->text);
  reason_set(&spool->unopened, reason);
  metrics_add(spool->metrics, COUNTER_SPOOL_ERRORS, "open", 1);
  if (reason_get(&spool->unopened) != before)
    log_warn("spool cannot be opened; tried again every second; without Kafka requests are answered 503",
             LOG_STR("cause", err->text));
}

static void use_file(struct spool *spool, const struct spool_found *found) {
  atomic_store(spool->events, found->events);
  measure(spool);
  if (found->last_id > spool->last_id) spool->last_id = found->last_id; // the drain knows rows by id
  pthread_mutex_lock(&spool->lock);
  spool->is_open = true;
  spool->committed = spool->last_id;
  pthread_cond_signal(&spool->arrived);
  pthread_mutex_unlock(&spool->lock);
  reason_set(&spool->unopened, NULL); // last: it says that events are taken
}

static void note_tried(struct spool *spool) {
  pthread_mutex_lock(&spool->lock);
  spool->tried = true;
  pthread_cond_signal(&spool->arrived);
  pthread_mutex_unlock(&spool->lock);
}

static bool try_to_open(struct spool *spool) {
  struct spool_found found;
  struct err err;
  struct spool_file *file = spool_file_open(spool->dir, spool->max_bytes, &spool->closing, &found, &err);
  pthread_mutex_lock(&spool->reading);
  spool->file = file;
  pthread_mutex_unlock(&spool->reading);
  report_damage(spool, &found);
  if (spool->file) {
    use_file(spool, &found);
    log_open(spool, &found);
  } else if (!atomic_load(&spool->closing)) {
    note_unopened(spool, &err);
  }
  note_tried(spool);
  return spool->file != NULL;
}

// False: the spool is closed.
static bool wait_to_try_again(struct spool *spool) {
  struct timespec at = clock_timespec_at(clock_mono_ms() + OPEN_AGAIN_MS);
  pthread_mutex_lock(&spool->lock);
  int expired = 0;
  while (!spool->closing && !expired) expired = pthread_cond_timedwait(&spool->wanted, &spool->lock, &at);
  bool closing = spool->closing;
  pthread_mutex_unlock(&spool->lock);
  return !closing;
}

// A statement met damage: opening again copies the rows that can be read into a fresh file. Meanwhile events
// are refused, also those that wait already.
static void close_damaged(struct spool *spool) {
  reason_set(&spool->unopened, "the spool is damaged and is being copied");
  atomic_store(&spool->busy_since_ms, 0);
  pthread_mutex_lock(&spool->lock);
  struct batch *batch = spool->open;
  spool->open = batch_new();
  spool->is_open = false;
  pthread_mutex_unlock(&spool->lock);
  settle(spool, batch);
  pthread_mutex_lock(&spool->reading);
  spool_file_close(take(spool->file));
  pthread_mutex_unlock(&spool->reading);
}

// No drain waits for rows yet, so the signal is for this.
static void wait_tried(struct spool *spool) {
  struct timespec at = clock_timespec_at(clock_mono_ms() + OPEN_WAIT_MS);
  int expired = 0;
  pthread_mutex_lock(&spool->lock);
  while (!spool->tried && !expired) expired = pthread_cond_timedwait(&spool->arrived, &spool->lock, &at);
  pthread_mutex_unlock(&spool->lock);
}

static void *run(void *arg) {
  struct spool *spool = arg;
  for (;;) {
    while (!try_to_open(spool))
      if (!wait_to_try_again(spool)) return NULL;
    if (!write_batches(spool)) return NULL;
    close_damaged(spool);
  }
}

// ---- callers ----

// Takes the job, under the lock. NULL: the spool is not open, or too much is waiting already.
static struct batch *join(struct spool *spool, struct job *job, size_t bytes) {
  struct batch *batch = spool->open;
  if (!spool->is_open) return NULL;
  if (batch->first && batch->bytes + bytes > WAITING_MAX_BYTES) return NULL;
  if (!batch->first) pthread_cond_signal(&spool->wanted);
  *batch->end = job;
  batch->end = &job->next;
  batch->bytes += bytes;
  batch->has_removals |= job->n_ids > 0;
  batch->holders++;
  return batch;
}

// Lets go of the lock, and of the batch, or of the job that no batch took.
static void leave(struct spool *spool, struct batch *batch, struct job *job) {
  bool last = batch && --batch->holders == 0;
  pthread_mutex_unlock(&spool->lock);
  if (!batch) job_free(job);
  if (last) batch_free(batch);
}

bool spool_store(struct spool *spool, const struct publisher_message *const *messages, size_t n,
                 int64_t deadline_ms) {
  size_t bytes;
  struct job *job = job_to_store(messages, n, &bytes);
  struct timespec at = clock_timespec_at(deadline_ms);
  int expired = 0;
  pthread_mutex_lock(&spool->lock);
  struct batch *batch = join(spool, job, bytes);
  while (batch && !batch->done && !expired)
    expired = pthread_cond_timedwait(&batch->settled, &spool->lock, &at);
  bool done = batch && batch->done, stored = done && batch->stored;
  leave(spool, batch, job);
  if (!stored)
    metrics_add(spool->metrics, COUNTER_SPOOL_ERRORS, done ? "refused" : batch ? "late" : "busy", 1);
  return stored;
}

bool spool_remove(struct spool *spool, const int64_t *ids, size_t n) {
  if (n == 0) return true;
  struct job *job = job_to_remove(ids, n);
  pthread_mutex_lock(&spool->lock);
  struct batch *batch = join(spool, job, 0);
  while (batch && !batch->done) pthread_cond_wait(&batch->settled, &spool->lock);
  bool removed = batch && batch->removed;
  leave(spool, batch, job);
  return removed;
}

bool spool_wait(struct spool *spool, int64_t after, int64_t ms) {
  struct timespec at = clock_timespec_at(clock_mono_ms() + ms);
  pthread_mutex_lock(&spool->lock);
  int expired = 0;
  while (spool->committed <= after && !spool->woken && !expired)
    expired = pthread_cond_timedwait(&spool->arrived, &spool->lock, &at);
  bool there = spool->committed > after;
  spool->woken = false;
  pthread_mutex_unlock(&spool->lock);
  return there;
}

int64_t spool_last_id(struct spool *spool) {
  pthread_mutex_lock(&spool->lock);
  int64_t last_id = spool->committed;
  pthread_mutex_unlock(&spool->lock);
  return last_id;
}

// A row that is no event of this version stays in the file, and an operator has to look at it.
bool spool_read(struct spool *spool, int64_t first, int64_t last, spool_take_fn *take_row, void *arg,
                struct err *err) {
  pthread_mutex_lock(&spool->reading);
  bool good = spool->file ? spool_file_read(spool->file, first, last, take_row, arg, err)
                          : err_set(err, "the spool is not open");
  int64_t skipped = spool->file ? spool_file_skipped(spool->file) : 0;
  pthread_mutex_unlock(&spool->reading);
  if (skipped)
    log_warn_rarely("spool skipped",
                    "spool contains a row that is no event of this version; it is left there",
                    LOG_STR("folder", spool->dir), LOG_INT("id", skipped));
  if (!good) metrics_add(spool->metrics, COUNTER_SPOOL_ERRORS, "read", 1);
  return good;
}

void spool_wake(struct spool *spool) {
  pthread_mutex_lock(&spool->lock);
  spool->woken = true;
  pthread_cond_signal(&spool->arrived);
  pthread_mutex_unlock(&spool->lock);
}

// A call that the disk does not answer never returns, so it reports no error.
static bool is_hung(const struct spool *spool) {
  int64_t since_ms = atomic_load(&spool->busy_since_ms);
  return since_ms && clock_mono_ms() - since_ms >= HUNG_MS;
}

static const char *why_failing(const struct spool *spool) {
  const char *unopened = reason_get(&spool->unopened);
  if (unopened) return unopened;
  if (is_hung(spool)) return "the spool's disk does not answer";
  return atomic_load(&spool->failing) ? "the spool cannot be written" : NULL;
}

bool spool_is_failing(const struct spool *spool) {
  return why_failing(spool);
}

const char *spool_unready(const struct spool *spool) {
  const char *failing = why_failing(spool);
  if (failing) return failing;
  int64_t room = atomic_load(&spool->room_bytes);
  if (atomic_load(spool->used_bytes) >= room / 100 * spool->ready_percent)
    return room < spool->max_bytes ? "the spool's disk is filling up" : "the spool is filling up";
  return NULL;
}

int64_t spool_count(const struct spool *spool) {
  return atomic_load(spool->events);
}

// ---- open, close ----

static struct spool *spool_new(const struct settings *settings, struct metrics *metrics) {
  struct spool *spool = mem_alloc(sizeof *spool);
  spool->dir = mem_strdup(settings->spool_dir);
  spool->metrics = metrics;
  spool->events = metrics_at(metrics, COUNTER_SPOOL_EVENTS, NULL);
  spool->used_bytes = metrics_at(metrics, COUNTER_SPOOL_BYTES, NULL);
  spool->max_bytes = settings->spool_max_bytes;
  spool->ready_percent = settings->spool_ready_percent;
  atomic_init(&spool->room_bytes, settings->spool_max_bytes);
  pthread_mutex_init(&spool->lock, NULL);
  pthread_mutex_init(&spool->reading, NULL);
  clock_cond_init(&spool->wanted);
  clock_cond_init(&spool->arrived);
  spool->open = batch_new();
  reason_set(&spool->unopened, "the spool is being opened");
  return spool;
}

static void release(struct spool *spool) {
  batch_free(spool->open);
  pthread_cond_destroy(&spool->arrived);
  pthread_cond_destroy(&spool->wanted);
  pthread_mutex_destroy(&spool->reading);
  pthread_mutex_destroy(&spool->lock);
  spool_file_close(spool->file);
  reason_fini(&spool->unopened);
  free(spool->dir);
  free(spool);
}

struct spool *spool_open(const struct settings *settings, struct metrics *metrics, struct err *err) {
  struct spool *spool = spool_new(settings, metrics);
  int failed = pthread_create(&spool->writer, NULL, run, spool);
  if (failed) {
    err_set(err, "cannot start a thread: %s", strerror(failed));
    release(spool);
    return NULL;
  }
  wait_tried(spool);
  return spool;
}

void spool_close(struct spool *spool) {
  if (!spool) return;
  pthread_mutex_lock(&spool->lock);
  spool->closing = true;
  pthread_cond_signal(&spool->wanted);
  pthread_mutex_unlock(&spool->lock);
  pthread_join(spool->writer, NULL);
  release(spool);
}
