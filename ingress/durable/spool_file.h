// SPDX-License-Identifier: MIT
// The spool on disk: one SQLite file (WAL, synchronous=FULL) of events that Kafka has not taken yet, bounded
// by max_page_count, with one process as its owner (flock on spool.lock). Not for: who waits for what, and
// when; that is spool.h. What is written belongs to one thread, what is read to one other.
//
// Beside the bound there is the write-ahead log, some MiB. The folder is made if it is missing; what is in it
// can be read by its owner only, since bodies name people.
#pragma once
#include "common/base/err.h"
#include "ingress/durable/publisher.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spool_file;

// What a start found.
struct spool_found {
  int64_t events, last_id;
  char *set_aside;     // new: where a file that was no sound database went, with what is left of it; or NULL
  char *damaged_log;   // new: where a copy of a log is that is played back only up to where it is damaged
  size_t lost_commits; // how many commits of it that were acknowledged are in that copy only
  int64_t bound_bytes; // max_bytes, or more where the file is larger already: it never shrinks
};

// False with folder and cause: another process owns it, it cannot be written, a newer dochak wrote it, or
// `*stop` became true. A file that is damaged is no reason: it is renamed, never deleted, and a fresh one
// begun. Nor is a damaged log, as far as it can be told (spool_log.h): when only its last commit is damaged,
// that looks like one which a power cut ended before anybody was told of it, and it is dropped. Reads the
// whole file (PRAGMA quick_check): on a slow disk that is seconds for each GiB. Fills in what of `found` is a
// path in any case; the caller frees them.
MUST_CHECK struct spool_file *spool_file_open(const char *dir, int64_t max_bytes, const atomic_bool *stop,
                                              struct spool_found *found, struct err *err);
// Whether it could be opened as far as folder and files go. Makes and changes nothing, and does not ask who
// owns it: for --check.
MUST_CHECK bool spool_file_check(const char *dir, struct err *err);
void spool_file_close(struct spool_file *file);

// One transaction: begin, any number of put and drop, and then commit, which is when it is on the disk. After
// a false of any of them, and only then, rollback. Thread: the writer.
MUST_CHECK bool spool_file_begin(struct spool_file *file, struct err *err);
MUST_CHECK bool spool_file_put(struct spool_file *file, int64_t id, const struct publisher_message *message,
                               struct err *err);
MUST_CHECK bool spool_file_drop(struct spool_file *file, int64_t first, int64_t last, int64_t *dropped,
                                struct err *err);
MUST_CHECK bool spool_file_commit(struct spool_file *file, struct err *err);
void spool_file_rollback(struct spool_file *file);
// Whether there is room for an event of some size again: writes one and takes it out. Thread: the writer.
MUST_CHECK bool spool_file_probe(struct spool_file *file, struct err *err);

// Of the bound, what events take up; when the oldest of them was received, -1 without any. Thread: the
// writer.
int64_t spool_file_used_bytes(struct spool_file *file);
// What could be used in all, as far as the disk has room: what is used, and what is free on the disk less
// what the log has still to bring into the file. -1: the disk does not say.
int64_t spool_file_room_bytes(struct spool_file *file);
int64_t spool_file_oldest_ms(struct spool_file *file);

// Calls `take` for the rows behind `after`, in the order they were put, until it returns false or there are
// no more. The message lives as long as the call. Thread: the reader.
typedef bool spool_take_fn(void *arg, int64_t id, const struct publisher_message *message);
MUST_CHECK bool spool_file_read(struct spool_file *file, int64_t after, spool_take_fn *take, void *arg,
                                struct err *err);
// Calls `take` for the row of that id; *found is false when there is no such row. Thread: the reader.
MUST_CHECK bool spool_file_read_one(struct spool_file *file, int64_t id, spool_take_fn *take, void *arg,
                                    bool *found, struct err *err);
