// SPDX-License-Identifier: MIT
// A command of dochak-processor that does something once and ends: its answer on stdout, all else on stderr.
#pragma once
#include "processor/processor.h"

struct command {
  const char *name, *help;
  size_t options_size;
  // Reads argv[1] onwards into `options`, which is zeroed and borrows from argv.
  bool (*read)(int argc, char **argv, void *options, struct err *err);
  // Does it.
  bool (*run)(struct processor *processor, const void *options, struct err *err);
  bool is_alone; // it reads its own settings: `processor` is NULL
};

extern const struct command migrate_command;    // the schema and the topics
extern const struct command replay_command;     // status once more, from what Postgres stores
extern const struct command quarantine_command; // what is in quarantine, and back from there
extern const struct command doctor_command;     // why no webhook comes
extern const struct command incidents_command;  // what is wrong with a provider or an endpoint
extern const struct command contact_command;    // what is known of one person
extern const struct command reconcile_command;  // what webhooks should have brought
extern const struct command explain_command;    // what a provider file reads from a body
