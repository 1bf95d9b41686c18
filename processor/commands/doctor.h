// SPDX-License-Identifier: MIT
// The parts of "dochak-processor doctor". Each looks at one server, judges what it finds by itself, adds its
// findings, and takes a bounded time also where the server does not answer. None changes anything.
#pragma once
#include "processor/commands/findings.h"
#include "processor/processor.h"

// Brokers, topics, the consumer group and what it has not read yet. Joins no group. About 10 s at most while
// no broker answers.
void doctor_ask_kafka(const struct processor *processor, struct findings *findings);

// The connection, the schema, and what the tables say of ingress and of each endpoint. About 5 s at most
// while the server does not answer, and 5 s a statement.
void doctor_ask_postgres(struct findings *findings);

// What the tables say of one endpoint. Calls are those of the last hour; the days are the last 14.
struct doctor_endpoint {
  const char *name;
  bool is_configured; // an ingress has it in its endpoints file
  int64_t calls;
  int64_t refused, failed; // calls: refused by a check; answered with no 2xx, which a refusal may be, too
  int64_t mended;          // calls with a 2xx in the minutes after the last one that was refused
  int64_t taken;           // those, and the ones in that minute
  const char *checks;      // "ip 3, header 1": the refusals by check, most first; ""
  const char *last_call;   // time as text; "": none in these days
  const char *last_report; // of the newest receipt; "": none in these days
};
void doctor_judge_endpoint(const struct doctor_endpoint *endpoint, struct findings *findings);
