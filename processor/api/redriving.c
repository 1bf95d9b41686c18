// SPDX-License-Identifier: MIT
#include "processor/api/redriving.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "processor/api/cursor.h"
#include "processor/commands/reader.h"
#include "processor/commands/redrive.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct redriving {
  struct processor *processor;
  pthread_mutex_t mutex; // of the one that runs
};

struct redriving *redriving_new(struct processor *processor) {
  struct redriving *redriving = mem_alloc(sizeof *redriving);
  redriving->processor = processor;
  pthread_mutex_init(&redriving->mutex, NULL);
  return redriving;
}

void redriving_free(struct redriving *redriving) {
  if (!redriving) return;
  pthread_mutex_destroy(&redriving->mutex);
  free(redriving);
}

// ---- one record ----

struct job {
  struct processor *processor;
  int32_t partition;
  int64_t offset;
  struct redrive_counts counts;
  bool done;
  struct err err;
};

static enum reader_result take_record(void *arg, const struct event *ev, const rd_kafka_message_t *rkm,
                                      struct err *err) {
  return redrive_take(arg, ev, rkm, err) ? READER_ENOUGH : READER_FAILED;
}

static void *run_job(void *arg) {
  struct job *job = arg;
  const char *topic = job->processor->topics[KAFKA_TOPIC_QUARANTINE];
  struct redrive *redrive = redrive_open(job->processor, false, &job->err);
  if (!redrive) return NULL;
  bool read = reader_read_at(job->processor->settings, topic, job->partition, job->offset, take_record,
                             redrive, &job->err);
  job->done = redrive_close(redrive, read, &job->counts, &job->err);
  return NULL;
}

// In a thread of its own, since a new client of Kafka or Postgres may need more stack than civetweb's have.
static void run_apart(struct job *job) {
  pthread_t thread;
  int failed = pthread_create(&thread, NULL, run_job, job);
  if (failed)
    err_set(&job->err, "cannot start a thread: %s", strerror(failed));
  else
    pthread_join(thread, NULL);
}

// ---- the request ----

static bool finish(const struct job *job, char **body, struct problem *problem) {
  const struct redrive_counts *counts = &job->counts;
  if (!job->done) {
    log_warn("query api: a redrive failed", LOG_INT("partition", job->partition),
             LOG_INT("offset", job->offset), LOG_STR("error", job->err.text));
    return problem_set(problem, PROBLEM_REDRIVE,
                       "try again later: doing it twice changes nothing; the log of the processor says why");
  }
  if (!counts->records)
    return problem_set(problem, PROBLEM_NONE_SUCH, "the quarantine topic has no record at this place");
  log_info("query api: a quarantined record was redriven", LOG_INT("partition", job->partition),
           LOG_INT("offset", job->offset), LOG_INT("sent", counts->sent),
           LOG_INT("unclear", counts->unclear));
  AUTO_JSON *answer =
      json_pack("{s:I,s:I,s:I,s:I}", "sent", (json_int_t)counts->sent, "known", (json_int_t)counts->known,
                "unclear", (json_int_t)counts->unclear, "unknown_type", (json_int_t)counts->unknown);
  *body = json_text(answer);
  return true;
}

bool redriving_run(struct redriving *redriving, const char *partition, const char *offset, char **body,
                   struct problem *problem) {
  if (!cursor_is_place(partition, offset))
    return problem_set(problem, PROBLEM_NONE_SUCH, "expected the numbers of a partition and an offset");
  struct job job = {.processor = redriving->processor,
                    .partition = (int32_t)strtol(partition, NULL, 10),
                    .offset = strtoll(offset, NULL, 10)};
  if (pthread_mutex_trylock(&redriving->mutex) != 0)
    return problem_set(problem, PROBLEM_BUSY, "another record is being redriven; try again in a moment");
  run_apart(&job);
  pthread_mutex_unlock(&redriving->mutex);
  return finish(&job, body, problem);
}
