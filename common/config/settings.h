// SPDX-License-Identifier: MIT
// Every setting of both services in one table, since a deployment may give both the same environment. --help,
// --print-config and the table in docs/operations.md are printed from it.
#pragma once
#include "common/base/log.h"
#include "common/config/options.h"

enum { SERVICE_INGRESS = 1, SERVICE_PROCESSOR = 2 };

struct settings {
  // both
  char *kafka_bootstrap;
  char *kafka_properties; // path, or ""
  char *topic_prefix;
  char *providers_dir; // "" = the provider files built in
  enum log_level log_level;
  // ingress
  char *endpoints_file;
  char *ingress_listen;
  char *ingress_ops_listen;
  char *ingress_key; // bearer keys for POST /v1/notifications, comma-separated for rotation
  int64_t ingress_threads;
  int64_t body_max_bytes;
  int64_t bodies_max_bytes;
  int64_t ack_budget_ms;
  char *ack_survives; // process, machine, broker: ingress/durable/durability.h
  char *spool_dir;    // "" = no spool
  int64_t spool_max_bytes;
  int64_t spool_ready_percent;
  // processor
  char *processor_ops_listen;
  int64_t workers;
  char *group_id;
  char *instance; // "" = a new one at each start
  int64_t batch_max_records;
  int64_t batch_max_ms;
  char *recipient_key; // secret of the keyed hash of recipients
  int64_t topic_partitions;
  int64_t topic_replication; // -1 = the broker's default
  int64_t topic_retention_days;
  char *runtime_role;     // to which migrate grants what a processor needs, or ""
  int64_t retention_days; // 0 = for ever; processor/tables/retention.h
};

// Loads from the environment. `service` is one of the SERVICE_ bits. False with one error for every setting
// that is wrong; its field stays zero.
MUST_CHECK bool settings_load(unsigned service, struct settings *out, struct faults *faults);
void settings_fini(struct settings *settings);

// The common command line: handles --help, --help-markdown, --version and unknown arguments. Returns -1 to go
// on, else the exit code. --check and --print-config are left to the caller, in *flags.
enum { SETTINGS_CHECK = 1, SETTINGS_PRINT = 2 };
int settings_arguments(unsigned service, int argc, char **argv, unsigned *flags);
void settings_print(unsigned service, const struct settings *settings);
