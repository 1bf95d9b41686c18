// SPDX-License-Identifier: MIT
// The spool on disk: one SQLite file, spool.db (WAL, synchronous=FULL), with the events that Kafka has not
// acknowledged yet. It is bounded by max_page_count; the write-ahead log takes some MiB more. One process
// owns the folder (flock on spool.lock). The folder is made if it is missing; only its owner can read it,
// since bodies name people. Not for: batches, waiting requests and retries (spool.h, drain.h). Threads: one
// writer and one reader, as each function says.
//
// Damage. SQLite has no checksums in spool.db. A statement finds damage in a page that it reads: at the
// opening, which does not read the whole file, or later. Changed bytes within a value are not found. When
// spool_file_is_damaged(), the caller closes the file and opens it again: opening copies all rows that can be
// read into a fresh spool.db, under their ids, and keeps the damaged file as damaged-<time>.db. After a crash
// the copying begins again. Rows behind 20,000 unreadable ids in a row stay in the damaged file only.
//
// A damaged log. SQLite plays the log back up to the first frame with a wrong checksum and drops the rest
// without an error. After a power cut the rest is one commit that was not acknowledged. When the rest holds
// two commits of this log or more, acknowledged events are lost with it, and the log is kept as
// damaged-<time>.log. Damage in the last commit only cannot be told from a power cut.
#pragma once
#include "common/base/err.h"
#include "ingress/durable/message.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spool_file;

struct spool_size {
  int64_t events;
  int64_t last_id;    // new ids are above it, and above those given before: rows in flight are known by id
  int64_t oldest_ms;  // when the oldest event was received (Unix), -1 without any
  int64_t waiting_ms; // of those for the events topic that spool_file_refuse() was not called for
  int64_t used_bytes; // by rows
  int64_t room_bytes; // for rows in all: those used, and those free on the disk less what is still in the log
};

// The result of opening. The paths are new, the caller frees them, also after a failure.
struct spool_found {
  struct spool_size size;
  char *damaged_file, *damaged_log; // what is kept of them, or NULL
  int64_t rescued;                  // rows that were copied out of the damaged file
  int64_t unreadable;               // events that are only in what is kept; -1: unknown
};

// NULL with folder and cause: another process owns the folder, it cannot be written, a newer dochak wrote the
// file, or `*stop` (borrowed) became true while rows were copied. Damage is no failure.
MUST_CHECK struct spool_file *spool_file_open(const char *dir, int64_t max_bytes, const atomic_bool *stop,
                                              struct spool_found *found, struct err *err);
// Whether permissions allow to open it. Makes and changes nothing, and does not take the lock: for --check.
MUST_CHECK bool spool_file_check(const char *dir, struct err *err);
// Moves a damaged file to damaged.db, for the next spool_file_open(). NULL is let through.
void spool_file_close(struct spool_file *file);
// Whether a statement has met damage since the file was opened. Thread: any.
bool spool_file_is_damaged(const struct spool_file *file);

// A row to store, of a list.
struct spool_row {
  struct spool_row *next;
  struct publisher_message message;
};

// One transaction: deletes the rows with these ids and stores the others under the ids behind *last_id, which
// becomes the last of them. True: all of it is on the disk; false: none of it. Thread: the writer.
MUST_CHECK bool spool_file_write(struct spool_file *file, const struct spool_row *rows, int64_t *last_id,
                                 const int64_t *ids, size_t n_ids, struct err *err);
// Notes, until the file is closed, that Kafka refuses these rows for what they are. A row that cannot be
// noted counts as one that waits. Thread: the writer.
void spool_file_refuse(struct spool_file *file, const int64_t *ids, size_t n);
// Whether there is room for an event of some size again: writes one and removes it. Thread: the writer.
MUST_CHECK bool spool_file_probe(struct spool_file *file, struct err *err);
// Gives disk space back when less than 1 MiB is used: file and log are below 4 MiB each afterwards, and
// max_bytes holds again. Takes milliseconds, and up to a second for a file of 1 GiB. A reader in
// spool_file_read() delays it to the next call. Thread: the writer.
MUST_CHECK bool spool_file_shrink(struct spool_file *file, struct err *err);

MUST_CHECK bool spool_file_measure(struct spool_file *file, struct spool_size *size, struct err *err);

// Calls `take` for the rows from `first` to `last`, by ascending id, until it returns false or no row is
// left. The message is borrowed for the call. A row that is no event of this version (its topic is unknown,
// say) is skipped and stays in the file; a warning names it. Thread: the reader.
typedef bool spool_take_fn(void *arg, int64_t id, const struct publisher_message *message);
MUST_CHECK bool spool_file_read(struct spool_file *file, int64_t first, int64_t last, spool_take_fn *take,
                                void *arg, struct err *err);
