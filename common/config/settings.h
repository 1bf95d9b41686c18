// SPDX-License-Identifier: MIT
// Settings from the environment: those of both services in one table, since a deployment may give both the
// same environment. --help, --print-config and the table in docs/operations.md are printed from it. Every
// setting NAME may also be given as NAME_FILE, a file that contains the value (one trailing newline is cut),
// or as the file NAME in the folder DOCHAK_SECRETS_DIR. Two at once, an unknown DOCHAK_* name, or an
// ill-formed value is an error that names it; names beginning with DOCHAK_SECRET_ belong to the endpoints
// file and are accepted. Not for: anything read after start.
#pragma once
#include "common/base/err.h"
#include "common/base/faults.h"
#include "common/base/log.h"
#include <stdint.h>

// SERVICE_EXPLAIN is `dochak-processor explain`, which needs no server and no secret.
enum { SERVICE_INGRESS = 1, SERVICE_PROCESSOR = 2, SERVICE_EXPLAIN = 4 };

struct settings {
  // both
  char *kafka_bootstrap;
  char *kafka_properties; // path, or ""
  char *kafka_password;   // "" = as the properties say
  char *topic_prefix;
  char *providers_dir; // "" = the provider files built in
  enum log_level log_level;
  char *secrets_dir; // ""
  char *instance;    // "" = a new one at each start
  char *ping_key;    // secret, or ""
  // ingress
  char *endpoints_file;
  char *watched_file, *holidays_file;
  char *trusted_proxies; // "" or comma-separated
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
  int64_t batch_max_records;
  int64_t batch_max_ms;
  char *recipient_key; // secret of the keyed hash of recipients
  char *contact_key;   // secret, or "": contacts are kept only masked
  bool consent_alerts; // whether a consent that is withdrawn raises an alert
  char *pg_password;   // "": libpq's own
  int64_t topic_partitions;
  int64_t topic_replication; // -1 = the broker's default
  int64_t topic_retention_days;
  char *runtime_role;     // to which migrate grants what a processor needs, or ""
  int64_t retention_days; // 0 = for ever; processor/tables/retention.h
  char *public_url;       // "http[s]://host[:port][/path]", or "": the front door is not called
  char *public_ca;        // path, or "": the system's
  char *api_listen;
  char *api_key;          // bearer keys of the query API, comma-separated; "": there is no query API
  char *api_postgres_url; // secret, or "": the PG* environment
  char *api_role;         // to which migrate grants what the query API reads, or ""
};

// Loads what `service`, a set of the SERVICE_ bits, reads; of the other settings only the names are known.
// False with one error for every setting that is wrong; the fields of those stay zero, the others are filled.
// Free it in any case.
MUST_CHECK bool settings_load(unsigned service, struct settings *out, struct faults *faults);
void settings_fini(struct settings *settings);

// The common command line: handles --help, --help-markdown, --version and unknown arguments. Returns -1 to go
// on, else the exit code. --check, --print-config and --ready are left to the caller, in *flags.
enum { SETTINGS_CHECK = 1, SETTINGS_PRINT = 2, SETTINGS_READY = 4 };
int settings_arguments(unsigned service, int argc, char **argv, unsigned *flags);
void settings_print(unsigned service, const struct settings *settings); // NAME=value lines, secrets masked

// The value of the setting NAME, wherever it is given, as a new string; false with an error naming it when it
// is not given, given twice, or its file cannot be read. For the secrets that the endpoints file
// names.
MUST_CHECK bool settings_secret(const char *name, char **out, struct err *err);
