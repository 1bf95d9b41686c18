// SPDX-License-Identifier: MIT
#include "ingress/durable/spool.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "ingress/counters.h"
#include "ingress/durable/reason.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
  TICK_MS = 1000,
  OPEN_WAIT_MS = 2000,
  HUNG_MS = 2000, // a disk that takes longer is away: requests have no time to wait for it
  WAITING_MAX_BYTES = 64 * 1024 * 1024, // of the events that wait for one commit while the disk stalls
};

// ---- a batch: what callers want written by one transaction ----

struct waiter {                // a caller, on its own stack
  struct waiter *next, **from; // among those of its batch
  pthread_cond_t wake;
  bool settled, stored, removed;
};

struct batch {
  struct waiter *waiters;         // but those that were out of time
  struct spool_row *first, *last; // copies, since a request may give up before they are written
  size_t bytes;                   // of the rows
  const int64_t *ids;             // of rows to remove; they belong to the drain, which waits until it is done
  size_t n_ids;
};

static bool is_empty(const struct batch *batch) {
  return !batch->first && !batch->n_ids;
}

static void add_waiter(struct batch *batch, struct waiter *waiter) {
  waiter->next = batch->waiters;
  waiter->from = &batch->waiters;
  if (waiter->next) waiter->next->from = &waiter->next;
  batch->waiters = waiter;
}

static void remove_waiter(struct waiter *waiter) {
  *waiter->from = waiter->next;
  if (waiter->next) waiter->next->from = waiter->from;
}

static void append(struct batch *batch, const struct batch *part) {
  if (batch->last)
    batch->last->next = part->first;
  else
    batch->first = part->first;
  if (part->last) batch->last = part->last;
  batch->bytes += part->bytes;
  if (!part->n_ids) return;
  batch->ids = part->ids;
  batch->n_ids = part->n_ids;
}

static const void *copy(char **to, const void *from, size_t size) {
  if (!from || !size) return NULL;
  const void *at = memcpy(*to, from, size);
  *to += size;
  return at;
}

static size_t text_size(const char *text) {
  return text ? strlen(text) + 1 : 0;
}

static void append_copy(struct batch *batch, struct publisher_message message) {
  size_t bytes = sizeof(struct spool_row) + message.value_len;
  for (size_t i = 0; i < PUBLISHER_MESSAGE_TEXTS; i++)
    bytes += text_size(*publisher_message_text(&message, i));
  struct spool_row *row = mem_alloc(bytes);
  char *to = (char *)(row + 1);
  for (size_t i = 0; i < PUBLISHER_MESSAGE_TEXTS; i++) {
    const char **text = publisher_message_text(&message, i);
    *text = copy(&to, *text, text_size(*text));
  }
  message.value = copy(&to, message.value, message.value_len);
  row->message = message;
  append(batch, &(struct batch){.first = row, .last = row, .bytes = bytes});
}

static void batch_fini(struct batch *batch) {
  for (struct spool_row *row = batch->first, *next; row; row = next) {
    next = row->next;
    free(row);
  }
}

struct spool {
  char *dir;
  int64_t max_bytes, ready_percent;
  struct metrics *metrics;
  metric_value *events, *used_bytes;
  metric_value *room_bytes;      // max_bytes, or less where the disk has less
  _Atomic int64_t waiting_ms;    // spool_waiting_ms()
  _Atomic int64_t busy_since_ms; // monotonic: since when the writer writes a batch; 0: it does not
  struct reason reason;          // why it takes no events
  atomic_bool closing;           // set under the lock
  _Atomic int64_t last_id;       // of the rows that are on the disk
  pthread_t writer;
  pthread_mutex_t reading;        // held while the drain reads
  pthread_mutex_t lock;           // of the following members, and of every batch's waiters
  pthread_cond_t wanted, arrived; // the writer waits for a batch, the drain for rows
  struct spool_file *file;        // the writer changes it, under both locks; NULL: it is not open
  bool woken;                     // spool_wait() is asked to end
  int64_t *refused;               // ids that the file does not know yet
  size_t n_refused;
  struct batch waiting;
};

// ---- the writer ----

static bool write_rows(struct spool *spool, const struct spool_row *rows, const int64_t *ids, size_t n_ids,
                       struct err *err) {
  int64_t last_id = atomic_load(&spool->last_id);
  if (!spool_file_write(spool->file, rows, &last_id, ids, n_ids, err)) return false;
  metrics_add(spool->metrics, COUNTER_SPOOL_COMMITS, NULL, 1);
  atomic_store(&spool->last_id, last_id);
  return true;
}

static void note_failure(struct spool *spool, const struct err *err) {
  metrics_add(spool->metrics, COUNTER_SPOOL_ERRORS, "write", 1);
  if (reason_get(&spool->reason)) return;
  reason_set(&spool->reason, "the spool cannot be written");
  log_warn("spool cannot be written; without Kafka requests are answered 503", LOG_STR("cause", err->text),
           LOG_INT("events", atomic_load(spool->events)));
}

static void note_success(struct spool *spool) {
  if (!reason_get(&spool->reason)) return;
  reason_set(&spool->reason, NULL);
  log_info("spool can be written again", LOG_INT("events", atomic_load(spool->events)));
}

static void show(struct spool *spool, const struct spool_size *size) {
  int64_t age_s = size->oldest_ms < 0 ? 0 : (clock_wall_ms() - size->oldest_ms) / 1000;
  metrics_set(spool->metrics, COUNTER_SPOOL_AGE, NULL, age_s > 0 ? age_s : 0);
  atomic_store(&spool->waiting_ms, size->waiting_ms);
  atomic_store(spool->events, size->events);
  atomic_store(spool->used_bytes, size->used_bytes);
  atomic_store(spool->room_bytes, size->room_bytes < spool->max_bytes ? size->room_bytes : spool->max_bytes);
}

static void note_refused(struct spool *spool) {
  pthread_mutex_lock(&spool->lock);
  AUTO_FREE int64_t *ids = take(spool->refused);
  size_t n = spool->n_refused;
  spool->n_refused = 0;
  pthread_mutex_unlock(&spool->lock);
  spool_file_refuse(spool->file, ids, n);
}

static void measure(struct spool *spool) {
  struct spool_size size;
  note_refused(spool);
  if (spool_file_measure(spool->file, &size, NULL)) show(spool, &size);
}

static void settle(struct spool *spool, struct batch *batch, bool stored, bool removed) {
  pthread_mutex_lock(&spool->lock);
  for (struct waiter *waiter = take(batch->waiters); waiter; waiter = waiter->next) {
    waiter->settled = true;
    waiter->stored = stored;
    waiter->removed = removed;
    pthread_cond_signal(&waiter->wake);
  }
  pthread_cond_signal(&spool->arrived);
  pthread_mutex_unlock(&spool->lock);
}

// Where nothing can be stored, rows are removed none the less: that makes room. Without a file nothing is
// written: the batch waited while a damaged one was closed, and no other could be opened.
static void commit(struct spool *spool, struct batch *batch) {
  struct err err;
  bool stored = false, removed = false;
  if (spool->file) {
    stored = removed = write_rows(spool, batch->first, batch->ids, batch->n_ids, &err);
    if (stored)
      note_success(spool);
    else
      note_failure(spool, &err);
    if (!stored) removed = batch->n_ids && write_rows(spool, NULL, batch->ids, batch->n_ids, &err);
    measure(spool);
  }
  settle(spool, batch, stored, removed);
  batch_fini(batch);
}

// Once a second. While the spool is failing no request reaches it, so the writer itself has to find out that
// the disk works again.
static void look_around(struct spool *spool) {
  struct err err;
  if (reason_get(&spool->reason) && spool_file_probe(spool->file, &err)) note_success(spool);
  if (!spool_file_shrink(spool->file, &err)) // a disk that is too full for it may have room for events
    log_warn_rarely("spool shrink", "spool file cannot be made smaller; tried again every second",
                    LOG_STR("folder", spool->dir), LOG_STR("cause", err.text));
  measure(spool);
}

// ---- the writer opens the file ----

static void report_damage(struct spool *spool, struct spool_found *found) {
  if (found->damaged_file || found->damaged_log) {
    metrics_add(spool->metrics, COUNTER_SPOOL_ERRORS, "set_aside", 1);
    log_error("the spool was damaged; the events that can be read are used, and what was damaged is kept",
              LOG_STR("file", found->damaged_file), LOG_INT("rescued", found->rescued),
              LOG_INT("unreadable", found->unreadable), LOG_STR("log", found->damaged_log));
  }
  free(found->damaged_file);
  free(found->damaged_log);
}

// The reason changes under the lock, together with the file: it says whether events are taken.
static void set_file(struct spool *spool, struct spool_file *file, const char *reason) {
  pthread_mutex_lock(&spool->reading);
  pthread_mutex_lock(&spool->lock);
  spool->file = file;
  atomic_store(&spool->busy_since_ms, 0); // opening is not writing
  reason_set(&spool->reason, reason);
  spool->woken = true;
  pthread_cond_signal(&spool->arrived);
  pthread_mutex_unlock(&spool->lock);
  pthread_mutex_unlock(&spool->reading);
}

// Logged once for each cause.
static void note_unopened(struct spool *spool, const struct err *err) {
  const char *before = reason_get(&spool->reason);
  AUTO_FREE char *reason = mem_printf("the spool cannot be opened: %s", err->text);
  set_file(spool, NULL, reason);
  metrics_add(spool->metrics, COUNTER_SPOOL_ERRORS, "open", 1);
  if (reason_get(&spool->reason) != before)
    log_warn("spool cannot be opened; tried again every second; without Kafka requests are answered 503",
             LOG_STR("cause", err->text));
}

static void note_opened(struct spool *spool, struct spool_file *file, const struct spool_size *size) {
  show(spool, size);
  if (size->last_id > spool->last_id) spool->last_id = size->last_id; // the drain knows rows by id
  set_file(spool, file, NULL);
  log_info("spool open", LOG_STR("folder", spool->dir), LOG_INT("events", size->events));
}

static void try_to_open(struct spool *spool) {
  struct spool_found found;
  struct err err;
  struct spool_file *file = spool_file_open(spool->dir, spool->max_bytes, &spool->closing, &found, &err);
  report_damage(spool, &found);
  if (file)
    note_opened(spool, file, &found.size);
  else if (!atomic_load(&spool->closing))
    note_unopened(spool, &err);
}

// A statement met damage: opening again copies the rows that can be read into a fresh file.
static void close_damaged(struct spool *spool) {
  struct spool_file *file = spool->file;
  set_file(spool, NULL, "the spool is damaged and is being copied");
  spool_file_close(file);
}

// ---- the writer's loop ----

// Waits until then for a batch. False: the spool is being closed; a last batch is still written.
static bool next_batch(struct spool *spool, int64_t until_ms, struct batch *batch) {
  struct timespec at = clock_timespec_at(until_ms);
  int expired = 0;
  atomic_store(&spool->busy_since_ms, 0);
  pthread_mutex_lock(&spool->lock);
  while (is_empty(&spool->waiting) && !spool->closing && !expired)
    expired = pthread_cond_timedwait(&spool->wanted, &spool->lock, &at);
  *batch = spool->waiting;
  if (batch->waiters) batch->waiters->from = &batch->waiters;
  spool->waiting = (struct batch){0};
  bool closing = spool->closing;
  pthread_mutex_unlock(&spool->lock);
  atomic_store(&spool->busy_since_ms, clock_mono_ms());
  return !closing;
}

static void *run(void *arg) {
  struct spool *spool = arg;
  int64_t tick_ms = 0;
  for (bool goes_on = true; goes_on;) {
    struct batch batch;
    if (!spool->file || clock_mono_ms() >= tick_ms) {
      spool->file ? look_around(spool) : try_to_open(spool);
      tick_ms = clock_mono_ms() + TICK_MS;
    }
    goes_on = next_batch(spool, tick_ms, &batch);
    if (!is_empty(&batch)) commit(spool, &batch);
    if (spool->file && spool_file_is_damaged(spool->file)) close_damaged(spool);
  }
  return NULL;
}

// ---- callers ----

// Takes the part over, and waits until its batch is settled, or until then (NULL: without a limit). False:
// the spool is not open, or too much is waiting already; the part is still the caller's.
static bool submit(struct spool *spool, const struct batch *part, struct waiter *waiter,
                   const struct timespec *until) {
  struct batch *waiting = &spool->waiting;
  int expired = 0;
  *waiter = (struct waiter){0};
  clock_cond_init(&waiter->wake);
  pthread_mutex_lock(&spool->lock);
  bool is_full = waiting->first && waiting->bytes + part->bytes > WAITING_MAX_BYTES;
  bool joined = spool->file && !is_full;
  if (joined) {
    append(waiting, part);
    add_waiter(waiting, waiter);
    pthread_cond_signal(&spool->wanted);
  }
  while (joined && !waiter->settled && !expired)
    expired = until ? pthread_cond_timedwait(&waiter->wake, &spool->lock, until)
                    : pthread_cond_wait(&waiter->wake, &spool->lock);
  if (joined && !waiter->settled) remove_waiter(waiter);
  pthread_mutex_unlock(&spool->lock);
  pthread_cond_destroy(&waiter->wake);
  return joined;
}

bool spool_store(struct spool *spool, const struct publisher_message *const *messages, size_t n,
                 int64_t deadline_ms) {
  struct timespec until = clock_timespec_at(deadline_ms);
  struct batch part = {0};
  struct waiter waiter;
  for (size_t i = 0; i < n; i++) append_copy(&part, *messages[i]);
  bool joined = submit(spool, &part, &waiter, &until);
  if (!joined) batch_fini(&part);
  const char *why = !joined ? "busy" : waiter.settled ? "refused" : "late";
  if (!waiter.stored) metrics_add(spool->metrics, COUNTER_SPOOL_ERRORS, why, 1);
  return waiter.stored;
}

// Without a limit: the writer reads the ids until the batch is settled.
bool spool_remove(struct spool *spool, const int64_t *ids, size_t n) {
  const struct batch part = {.ids = ids, .n_ids = n};
  struct waiter waiter;
  return submit(spool, &part, &waiter, NULL) && waiter.removed;
}

void spool_refuse(struct spool *spool, int64_t id) {
  pthread_mutex_lock(&spool->lock);
  spool->refused = mem_grow(spool->refused, spool->n_refused + 1, sizeof *spool->refused);
  spool->refused[spool->n_refused++] = id;
  pthread_mutex_unlock(&spool->lock);
}

bool spool_wait(struct spool *spool, int64_t after, int64_t ms) {
  struct timespec at = clock_timespec_at(clock_mono_ms() + ms);
  int expired = 0;
  pthread_mutex_lock(&spool->lock);
  while (spool->last_id <= after && !spool->woken && !expired)
    expired = pthread_cond_timedwait(&spool->arrived, &spool->lock, &at);
  spool->woken = false;
  pthread_mutex_unlock(&spool->lock);
  return spool->last_id > after;
}

int64_t spool_last_id(const struct spool *spool) {
  return atomic_load(&spool->last_id);
}

bool spool_read(struct spool *spool, int64_t first, int64_t last, spool_take_fn *take_row, void *arg) {
  struct err err;
  pthread_mutex_lock(&spool->reading);
  bool good = spool->file ? spool_file_read(spool->file, first, last, take_row, arg, &err)
                          : err_set(&err, "the spool is not open");
  pthread_mutex_unlock(&spool->reading);
  if (good) return true;
  metrics_add(spool->metrics, COUNTER_SPOOL_ERRORS, "read", 1);
  log_warn_rarely("spool read", "the spool cannot be read", LOG_STR("cause", err.text));
  return false;
}

void spool_wake(struct spool *spool) {
  pthread_mutex_lock(&spool->lock);
  spool->woken = true;
  pthread_cond_signal(&spool->arrived);
  pthread_mutex_unlock(&spool->lock);
}

const char *spool_failing(const struct spool *spool) {
  const char *reason = reason_get(&spool->reason);
  int64_t busy_since_ms = atomic_load(&spool->busy_since_ms);
  if (reason || !busy_since_ms || clock_mono_ms() - busy_since_ms < HUNG_MS) return reason;
  return "the spool's disk does not answer"; // a call that it does not answer never returns with an error
}

const char *spool_unready(const struct spool *spool) {
  const char *failing = spool_failing(spool);
  if (failing) return failing;
  int64_t room = atomic_load(spool->room_bytes);
  if (atomic_load(spool->used_bytes) >= room / 100 * spool->ready_percent)
    return room < spool->max_bytes ? "the spool's disk is filling up" : "the spool is filling up";
  return NULL;
}

int64_t spool_count(const struct spool *spool) {
  return atomic_load(spool->events);
}

int64_t spool_waiting_ms(const struct spool *spool) {
  return atomic_load(&spool->waiting_ms);
}

// ---- open, close ----

// A counter that appeared with its first error would hide it: Prometheus sees no increase.
static void start_counters(struct metrics *metrics) {
  static const char *const errors[] = {"open", "write", "read", "refused", "late", "busy", "set_aside"};
  for (size_t i = 0; i < COUNT_OF(errors); i++) metrics_at(metrics, COUNTER_SPOOL_ERRORS, errors[i]);
}

static struct spool *spool_new(const struct settings *settings, struct metrics *metrics) {
  struct spool *spool = mem_alloc(sizeof *spool);
  spool->dir = mem_strdup(settings->spool_dir);
  spool->max_bytes = settings->spool_max_bytes;
  spool->ready_percent = settings->spool_ready_percent;
  spool->metrics = metrics;
  spool->waiting_ms = -1;
  spool->events = metrics_at(metrics, COUNTER_SPOOL_EVENTS, NULL);
  spool->used_bytes = metrics_at(metrics, COUNTER_SPOOL_BYTES, NULL);
  spool->room_bytes = metrics_at(metrics, COUNTER_SPOOL_ROOM, NULL);
  start_counters(metrics);
  pthread_mutex_init(&spool->reading, NULL);
  pthread_mutex_init(&spool->lock, NULL);
  clock_cond_init(&spool->wanted);
  clock_cond_init(&spool->arrived);
  reason_set(&spool->reason, "the spool is being opened");
  return spool;
}

static void release(struct spool *spool) {
  pthread_cond_destroy(&spool->arrived);
  pthread_cond_destroy(&spool->wanted);
  pthread_mutex_destroy(&spool->lock);
  pthread_mutex_destroy(&spool->reading);
  spool_file_close(spool->file);
  reason_fini(&spool->reason);
  free(spool->refused);
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
  spool_wait(spool, INT64_MAX, OPEN_WAIT_MS); // set_file() ends it
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
