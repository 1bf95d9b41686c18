// SPDX-License-Identifier: MIT
// The spool on disk: one SQLite file, spool.db (WAL, synchronous=FULL), of events that Kafka has not
// acknowledged yet. Bounded by max_page_count, beside a write-ahead log of some MiB. One process owns the
// folder (flock on spool.lock). Not for: batches, waiting requests and retries; those are spool.h and
// drain.h. All calls that write belong to one thread, all calls that read rows to one other.
//
// Damage. SQLite has no checksums in spool.db. Opening recognises a file that is no database, that was cut
// off, or whose header, schema or edges are damaged; any later statement recognises the damaged page that it
// meets (SQLITE_CORRUPT). Changed bytes inside of a row's value are not recognised. No start reads the whole
// file. After a statement has failed, spool_file_is_damaged() says whether damage was the cause. The caller
// then closes the file and opens it again: that copies all rows that can be read into a fresh spool.db, under
// their ids, and keeps the damaged file as damaged-<time>.db. A crash in between starts the copying again.
// Rows behind 20,000 unreadable ids in a row (the root of a large file, say) stay in the damaged file only.
// The caller's last id must not go back: rows that were in flight would be taken for others.
//
// A damaged log. SQLite plays the log back up to the first frame with a wrong checksum and drops the rest,
// without an error. After a power cut that is normal: the rest is one commit that was not acknowledged yet,
// and nothing is reported. When the rest holds two commits of this log or more, acknowledged ones are lost
// with it, and the log is kept as damaged-<time>.log. Not recognised: damage in the last commit only, which
// looks like the power cut.
//
// The folder is made if it is missing; only its owner can read what is in it, since bodies name people.
#pragma once
#include "common/base/err.h"
#include "ingress/durable/message.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spool_file;

// What opening found and did. The paths are new, the caller frees them, also after a failure.
struct spool_found {
  int64_t events, last_id; // ids start behind last_id, and behind those that this process gave already
  int64_t bound_bytes;     // max_bytes, or more as long as a larger file has too many rows to shrink
  char *set_aside;         // the damaged file, or NULL
  int64_t rescued;         // rows that were copied out of it
  int64_t unreadable;      // rows that it holds besides; -1: unknown
  char *damaged_log;       // the damaged log, or NULL
};

// NULL with folder and cause: another process owns the folder, it cannot be written, a newer dochak wrote the
// file, or `*stop` became true while rows were copied. Damage is no failure. Does not read the file, but once
// to count the rows of a file that an older dochak made.
MUST_CHECK struct spool_file *spool_file_open(const char *dir, int64_t max_bytes, const atomic_bool *stop,
                                              struct spool_found *found, struct err *err);
// Whether it could be opened, as far as folder and files go. Makes and changes nothing, and does not ask for
// the lock: for --check.
MUST_CHECK bool spool_file_check(const char *dir, struct err *err);
// A damaged file is moved to damaged.db, for the next spool_file_open(). NULL is none.
void spool_file_close(struct spool_file *file);
// Whether a statement has met damage since it was opened. Thread: any.
bool spool_file_is_damaged(const struct spool_file *file);

// One transaction: begin, any number of put and drop, and then commit: when that returns true, all of it is
// on the disk. After a false of any of them, and only then, rollback. Thread: the writer.
MUST_CHECK bool spool_file_begin(struct spool_file *file, struct err *err);
MUST_CHECK bool spool_file_put(struct spool_file *file, int64_t id, const struct publisher_message *message,
                               struct err *err);
// Adds to *dropped how many rows went: one, or none if there was no such row.
MUST_CHECK bool spool_file_drop(struct spool_file *file, int64_t id, int64_t *dropped, struct err *err);
MUST_CHECK bool spool_file_commit(struct spool_file *file, struct err *err);
void spool_file_rollback(struct spool_file *file);
// Whether there is room for an event of some size again: writes one and removes it. Thread: the writer.
MUST_CHECK bool spool_file_probe(struct spool_file *file, struct err *err);
// Gives disk space back once less than 1 MiB is used: file and log are below 4 MiB each then, and max_bytes
// holds again. Otherwise does nothing. Call it when no write waits: it takes milliseconds, and up to a
// second where the file was 1 GiB. A reader in the middle of spool_file_read() delays it to the next call.
// Thread: the writer.
MUST_CHECK bool spool_file_shrink(struct spool_file *file, struct err *err);

// How much of the bound rows take up. Thread: the writer.
int64_t spool_file_used_bytes(struct spool_file *file);
// How much rows could take up in all, as far as the disk has room: what is used, and what is free on the disk
// less what the log has still to bring into the file. -1: the disk does not say. Thread: the writer.
int64_t spool_file_room_bytes(struct spool_file *file);
// When the oldest event was received (Unix), -1 without any. Thread: the writer.
int64_t spool_file_oldest_ms(struct spool_file *file);

// Calls `take` for the rows behind `after`, by ascending id, until it returns false or there are no more. The
// message lives as long as the call. Thread: the reader.
typedef bool spool_take_fn(void *arg, int64_t id, const struct publisher_message *message);
MUST_CHECK bool spool_file_read(struct spool_file *file, int64_t after, spool_take_fn *take, void *arg,
                                struct err *err);
// Calls `take` for the row of that id; *found is false when there is no such row. Thread: the reader.
MUST_CHECK bool spool_file_read_one(struct spool_file *file, int64_t id, spool_take_fn *take, void *arg,
                                    bool *found, struct err *err);
// The id of the last row that reading skipped, 0 without any. It holds no event of ours (its topic is
// unknown, say) and stays in the file. Thread: the reader.
int64_t spool_file_skipped(const struct spool_file *file);
