// SPDX-License-Identifier: MIT
// Quarantined records, once more: cut and read as ingress and the processor do with today's provider files,
// and what these understand is put on the events topic. What was taken in already, or still makes no sense,
// is only counted. What is neither receipt nor acceptance has no row to show that: it goes there each time,
// and changes nothing. An event that the processor has put aside goes back as the type that it was; one of a
// type that it did not know goes back as it was, if this program knows the type. Thread: one.
#pragma once
#include "processor/processor.h"

struct redrive;

// `dry`: puts nothing there.
MUST_CHECK struct redrive *redrive_open(struct processor *processor, bool dry, struct err *err);
// One record of the quarantine topic; the event is zero where it is none of ours.
MUST_CHECK bool redrive_take(struct redrive *redrive, const struct event *ev, const rd_kafka_message_t *rkm,
                             struct err *err);
// What was done. All but the first and the last one are elements.
struct redrive_counts {
  int64_t records, sent, known, unclear;
  int64_t unknown; // events of types that this program does not know
};
// Waits until Kafka has it all, marks in table quarantine the records of which nothing stays, and frees it.
// `ok`: whether all went well so far; returned, or false when Kafka has not taken something.
MUST_CHECK bool redrive_close(struct redrive *redrive, bool ok, struct redrive_counts *counts,
                              struct err *err);
