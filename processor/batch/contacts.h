// SPDX-License-Identifier: MIT
// What a batch does with what it says about contacts: locks and reads their rows, joins each fact into the
// row of its person, writes those that change, raises the alerts. All of it is part of the batch's
// transaction. Not for: which of two facts wins (rules/contact). Thread: one worker each.
#pragma once
#include "processor/postgres/pipeline.h"
#include "processor/processor.h"
#include "processor/rules/alert.h"

struct contacts;

// The facts are borrowed. Never NULL.
struct contacts *contacts_new(struct fact *const *facts, size_t n);
void contacts_free(struct contacts *contacts);
// Locks and reads the rows (contact_send_read()); has to be the first thing of the transaction. Returns the
// step whose result contacts_join() needs; nothing is sent if the batch has no such fact.
size_t contacts_send_read(struct contacts *contacts, struct pipeline *pipeline);
// Joins all facts into `rows`, which is borrowed until contacts_send().
void contacts_join(struct contacts *contacts, const PGresult *rows, const struct processor *processor);
// The alerts about withdrawn consents, if the settings ask for them: a new array, or NULL. Returns how many.
size_t contacts_take_alerts(struct contacts *contacts, struct alert **out);
// Sends what has changed. `processor` has the key for encryption.
void contacts_send(struct contacts *contacts, struct pipeline *pipeline, const struct processor *processor);
// Counts it, when it is committed.
void contacts_count(const struct contacts *contacts, struct metrics *metrics);
