// SPDX-License-Identifier: MIT
// dochak-processor: turns events into statuses and alerts, or runs one of the commands of processor/commands.
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "common/kafka/kafka_properties.h"
#include "common/ops/admin.h"
#include "processor/api/api.h"
#include "processor/ask/ask_conf.h"
#include "processor/ask/schedule.h"
#include "processor/batch/worker.h"
#include "processor/commands/command.h"
#include "processor/processor.h"
#include "processor/tables/retention.h"
#include "processor/watch/front_door_check.h"
#include "processor/watch/watch.h"
#include "processor/watch/watched.h"
#include <errno.h>
#include <libpq-fe.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct metric metric_list[METRIC_COUNT] = {
    [METRIC_RECORDS] = {"dochak_processor_records_total", "Records taken in, by what they say.",
                        METRIC_COUNTER, "outcome"},
    [METRIC_BATCH_RECORDS] = {"dochak_processor_batch_records", "Records of a batch.", METRIC_SIZES, NULL},
    [METRIC_PHASE_SECONDS] = {"dochak_processor_phase_seconds",
                              "Time of a batch's phases: fetch, interpret, postgres, kafka.", METRIC_SECONDS,
                              "phase"},
    [METRIC_EVENT_AGE_SECONDS] = {"dochak_processor_event_age_seconds",
                                  "From an event's receipt by ingress to Postgres's commit.", METRIC_SECONDS,
                                  NULL},
    [METRIC_ALERT_AGE_SECONDS] = {"dochak_processor_alert_age_seconds",
                                  "From an event's receipt by ingress to the commit of its alert.",
                                  METRIC_SECONDS, NULL},
    [METRIC_ALERTS] = {"dochak_processor_alerts_total", "Alerts produced, by type.", METRIC_COUNTER, "type"},
    [METRIC_ALERTS_UNPUBLISHED] =
        {"dochak_processor_alerts_unpublished",
         "Alerts in Postgres that are older than a minute and not marked as published; "
         "10000 stands for more. Each processor shows the same.",
         METRIC_GAUGE, NULL},
    [METRIC_TRANSACTIONS] = {"dochak_processor_transactions_total",
                             "Kafka transactions, by result: committed, aborted, or left to the next one.",
                             METRIC_COUNTER, "result"},
    [METRIC_RETRIES] = {"dochak_processor_retries_total",
                        "Times a batch was done again, by the part that failed and the class of its error.",
                        METRIC_COUNTER, "part,class"},
    [METRIC_REFUSED] = {"dochak_processor_refused_total", "Records Postgres refused, quarantined.",
                        METRIC_COUNTER, NULL},
    [METRIC_EVENTS_LOST] = {"dochak_processor_events_lost_total",
                            "Records that Kafka deleted before a processor read them.", METRIC_COUNTER,
                            "topic"},
    [METRIC_READY] = {"dochak_processor_ready", "1 when /readyz says so.", METRIC_GAUGE, NULL},
    [METRIC_WORKERS_READY] = {"dochak_processor_workers_ready", "Workers that have joined the group.",
                              METRIC_GAUGE, NULL},
    [METRIC_PARTITION_OWNED] = {"dochak_processor_partition_owned", "1: a worker of this process reads it.",
                                METRIC_GAUGE, "topic,partition"},
    [METRIC_PARTITION_LAG] = {"dochak_processor_partition_lag",
                              "Records of a partition read here that are not in Postgres yet.", METRIC_GAUGE,
                              "topic,partition"},
    [METRIC_DELETED] = {"dochak_processor_retention_deleted_total", "Rows deleted because of their age.",
                        METRIC_COUNTER, "table"},
    [METRIC_DELETION_FAILURES] = {"dochak_processor_retention_failures_total",
                                  "Times retention ended early, to be tried again.", METRIC_COUNTER, NULL},
    [METRIC_WATCH_LEADS] = {"dochak_processor_watch_leads",
                            "1: the watch of this process leads; of all processes one does.", METRIC_GAUGE,
                            NULL},
    [METRIC_WATCH_SECONDS] = {"dochak_processor_watch_seconds", "Time of a look of the watch that leads.",
                              METRIC_SECONDS, NULL},
    [METRIC_WATCH_BEHIND] =
        {"dochak_processor_watch_behind_seconds",
         "How far the group is behind, as the watch that leads sees it. It judges nothing "
         "that it does not know yet.",
         METRIC_GAUGE, NULL},
    [METRIC_WATCH_HIDDEN] =
        {"dochak_processor_watch_partitions_hidden",
         "Partitions of the events topic of which no broker tells the watch that leads what they contain: "
         "they have no leader, or it does not answer.",
         METRIC_GAUGE, NULL},
    [METRIC_INCIDENTS_OPEN] = {"dochak_processor_incidents_open",
                               "Open incidents, as the watch that leads sees them.", METRIC_GAUGE,
                               "kind,provider"},
    [METRIC_PENDING_AGE] = {"dochak_processor_pending_age_seconds",
                            "Since when the oldest PENDING notification is known, by the watch that leads.",
                            METRIC_GAUGE, "provider"},
    [METRIC_SILENCE_SCORE] = {"dochak_processor_silence_score_hundredths",
                              "How much is missing of an endpoint's usual calls, in hundredths.",
                              METRIC_GAUGE, "endpoint"},
    [METRIC_CONTACTS] =
        {"dochak_processor_contacts_total",
         "Events about contacts, by what they did: changed, deleted, or same (a repeat, or older).",
         METRIC_COUNTER, "provider,change"},
    [METRIC_WITHDRAWN] = {"dochak_processor_consents_withdrawn_total",
                          "Consents that contacts have withdrawn.", METRIC_COUNTER, "provider,consent"},
    [METRIC_ASKED] = {"dochak_processor_asked_total",
                      "Ids that the schedule has asked a provider for, by the answer: found, nothing (no "
                      "result yet), or unclear.",
                      METRIC_COUNTER, "provider,result"},
    [METRIC_ASK_DIFFERED] = {"dochak_processor_ask_differed_total",
                             "Ids of which a provider that the schedule asked knew something else than was "
                             "known here.",
                             METRIC_COUNTER, "provider"},
    [METRIC_ASK_FAILURES] = {"dochak_processor_ask_failures_total",
                             "Times the schedule's asking of a provider ended early, to be tried again.",
                             METRIC_COUNTER, "provider"},
    [METRIC_EXPIRED_UNASKED] = {"dochak_processor_expired_unasked_total",
                                "Notifications that were given up without their provider having been asked, "
                                "though it should have been.",
                                METRIC_COUNTER, "provider"},
    [METRIC_API_REQUESTS] = {"dochak_processor_api_requests_total",
                             "Requests to the query API, by path and status.", METRIC_COUNTER, "path,status"},
    [METRIC_API_SECONDS] = {"dochak_processor_api_seconds",
                            "Time from a request to the query API to its answer.", METRIC_SECONDS, "path"},
    [METRIC_SILENCE_BAR] = {"dochak_processor_silence_bar_hundredths",
                            "The score at which the endpoint counts as silent, in hundredths.", METRIC_GAUGE,
                            "endpoint"},
};

static bool is_older(_Atomic int64_t *since_ms, int64_t max_ms) {
  int64_t since = atomic_load(since_ms);
  return since && clock_mono_ms() - since > max_ms;
}

static const char *why_not_ready(void *arg) {
  // A transaction that cannot be committed fails every 10 to 20 s: its time-out, and the worker's backoff.
  // A rebalance takes as long as the slowest member. Were it to make every other one unready, so would each
  // scaling.
  enum { BATCH_MAX_MS = 30000, REBALANCE_MAX_MS = 30000, FAULT_MAX_AGE_MS = 30000 };
  struct processor *p = arg;
  if (stop_requested()) return "stopping";
  static _Thread_local char text[sizeof p->faults->text]; // until the listener's thread has answered
  for (int64_t i = 0; i < p->settings->workers; i++)
    if (publish_fault_copy(&p->faults[i], FAULT_MAX_AGE_MS, text, sizeof text)) return text;
  for (int64_t i = 0; i < p->settings->workers; i++) {
    if (is_older(&p->batch_since_ms[i], BATCH_MAX_MS))
      return "a batch has been waiting for Kafka or Postgres for more than 30 s";
    if (is_older(&p->rebalance_since_ms[i], REBALANCE_MAX_MS))
      return "a rebalance of the consumer group has taken more than 30 s";
  }
  if (atomic_load(&p->workers_ready) == (int)p->settings->workers) return NULL;
  for (int64_t i = 0; i < p->settings->workers; i++)
    if (publish_fault_copy(&p->waits[i], INT64_MAX, text, sizeof text)) return text;
  return "a worker has not joined the consumer group yet";
}

// What alert rules watch. A counter that appeared with its first event would hide it: Prometheus sees no
// increase.
static void start_counters(const struct processor *p) {
  static const char *const outcomes[] = {"account_fault", "unclear"};
  for (size_t i = 0; i < COUNT_OF(outcomes); i++) metrics_at(p->metrics, METRIC_RECORDS, outcomes[i]);
  metrics_at(p->metrics, METRIC_EVENTS_LOST, p->topics[KAFKA_TOPIC_EVENTS]);
  metrics_at(p->metrics, METRIC_EVENTS_LOST, p->topics[KAFKA_TOPIC_QUARANTINE]);
}

static void processor_init(struct processor *p, const struct settings *settings, struct providers *providers,
                           const struct watched_list *watched, const struct ask_conf *ask) {
  char any_name[UUID_TEXT_SIZE];
  uuid_format(uuid_new_v7(), any_name);
  *p = (struct processor){.settings = settings, .providers = providers, .watched = watched, .ask = ask};
  p->metrics = metrics_new(metric_list, METRIC_COUNT);
  p->batch_since_ms = mem_array((size_t)settings->workers, sizeof *p->batch_since_ms);
  p->rebalance_since_ms = mem_array((size_t)settings->workers, sizeof *p->rebalance_since_ms);
  p->faults = mem_array((size_t)settings->workers, sizeof *p->faults);
  p->waits = mem_array((size_t)settings->workers, sizeof *p->waits);
  for (int64_t i = 0; i < settings->workers; i++) {
    publish_fault_init(&p->faults[i]);
    publish_fault_init(&p->waits[i]);
  }
  for (enum kafka_topic t = 0; t < KAFKA_TOPIC_COUNT; t++)
    p->topics[t] = kafka_topic_name(settings->topic_prefix, t);
  start_counters(p);
  p->instance = mem_strdup(*settings->instance ? settings->instance : any_name);
  p->interpreter = (struct interpreter){.providers = providers,
                                        .recipient_key = settings->recipient_key,
                                        .quarantine_topic = p->topics[KAFKA_TOPIC_QUARANTINE],
                                        .keeps_whole = *settings->contact_key};
  if (*settings->contact_key && !seal_key_parse(settings->contact_key, &p->contact_key, NULL))
    abort(); // the settings have parsed it
}

static void processor_fini(struct processor *p) {
  for (enum kafka_topic t = 0; t < KAFKA_TOPIC_COUNT; t++) free(p->topics[t]);
  free(p->instance);
  free(p->batch_since_ms);
  free(p->rebalance_since_ms);
  free(p->faults);
  free(p->waits);
  metrics_free(p->metrics);
}

// A thread that hangs in a call to a server that does not answer is left where it is: what it has begun is
// done again at the next start, as after a crash. Whoever asked for the stop does not wait.
static void join(struct worker **workers, size_t n, struct retention *retention, struct watch *watch,
                 struct schedule *schedule, int exit_code) {
  enum { GRACE_MS = 6000 };
  int64_t until_ms = clock_mono_ms() + GRACE_MS;
  size_t hanging = 0;
  for (size_t i = 0; i < n; i++) hanging += !worker_join(workers[i], until_ms);
  hanging += !retention_join(retention, until_ms);
  hanging += !watch_join(watch, until_ms);
  hanging += !schedule_join(schedule, until_ms);
  if (!hanging) return;
  log_warn("stopped while threads wait for Kafka or Postgres; what they have begun is done again",
           LOG_INT("threads", hanging));
  _exit(exit_code);
}

// Keeps the metric equal to /readyz.
static void watch_readiness(struct processor *p) {
  enum { LOOK_MS = 1000 };
  do metrics_set(p->metrics, METRIC_READY, NULL, !why_not_ready(p));
  while (!stop_wait_ms(LOOK_MS));
  metrics_set(p->metrics, METRIC_READY, NULL, 0);
}

static bool work(struct processor *p, struct err *err) {
  size_t n = (size_t)p->settings->workers;
  AUTO_FREE struct worker **workers = mem_array(n, sizeof(struct worker *));
  struct retention *retention = NULL;
  struct watch *watch = NULL;
  struct schedule *schedule = NULL;
  bool started = (retention = retention_start(p, err)) && (watch = watch_start(p, err)) &&
                 (schedule = schedule_start(p, err));
  for (size_t i = 0; started && i < n; i++) started = (workers[i] = worker_start(p, (int)i, err)) != NULL;
  if (started)
    log_info("started", LOG_STR("version", DOCHAK_VERSION), LOG_INT("workers", n));
  else
    stop_request();
  watch_readiness(p);
  join(workers, n, retention, watch, schedule, started ? 0 : 1);
  if (started) log_info("stopped", LOG_INT("workers", n));
  return started;
}

static bool serve(struct processor *p, struct err *err) {
  struct api *api = NULL;
  struct admin *admin = admin_start(p->settings->processor_ops_listen, p->metrics, why_not_ready, p, err);
  bool worked =
      (admin || err_prefix(err, "DOCHAK_PROCESSOR_OPS_LISTEN: ")) && api_start(p, &api, err) && work(p, err);
  api_stop(api);
  admin_stop(admin);
  return worked;
}

// A command's answer goes to stdout. Where that is a file, the disk may be full.
static bool run_command(const struct command *command, struct processor *p, const void *options,
                        struct err *err) {
  bool done = command->run(p, options, err);
  if (!done || (fflush(stdout) == 0 && !ferror(stdout))) return done;
  return err_set(err, "what was written to stdout is incomplete: %s", strerror(errno));
}

static int exit_code_of(bool done, const struct err *err) {
  if (!done) fprintf(stderr, "dochak-processor: %s\n", err->text);
  return done ? 0 : 1;
}

static int run_alone(const struct command *command, const void *options) {
  struct err err = {0};
  bool done = run_command(command, NULL, options, &err);
  return exit_code_of(done, &err);
}

// `command`: NULL is to serve.
static int run(const struct command *command, const void *options, const struct settings *settings,
               struct providers *providers, const struct watched_list *watched, const struct ask_conf *ask) {
  struct err err = {0};
  struct processor p;
  processor_init(&p, settings, providers, watched, ask);
  bool done = command ? run_command(command, &p, options, &err) : serve(&p, &err);
  processor_fini(&p);
  return exit_code_of(done, &err);
}

static struct providers *read_providers(const struct settings *settings, struct faults *faults) {
  size_t from = faults->n;
  struct providers *providers = NULL; // a setting that could not be read is NULL, and reported already
  if (settings->providers_dir) providers = providers_load(settings->providers_dir, faults);
  faults_prefix(faults, from, "DOCHAK_PROVIDERS_DIR: ");
  return providers;
}

static struct watched_list *read_watched(const struct settings *settings, struct faults *faults) {
  if (!settings->watched_file || !settings->holidays_file) return NULL;
  return watched_load(settings->watched_file, settings->holidays_file, faults);
}

static void check_parts(const struct settings *settings, struct faults *faults) {
  struct err err;
  if (!retention_check(settings, &err)) faults_error(faults, "%s", err.text);
  if (!worker_check(settings, &err)) faults_error(faults, "%s", err.text);
  if (!front_door_check_settings(settings, &err)) faults_error(faults, "%s", err.text);
  if (!api_check(settings, &err)) faults_error(faults, "%s", err.text);
}

static bool report(struct faults *faults, unsigned flags) {
  bool good = faults->n_errors == 0;
  if (flags || !good)
    faults_print(faults, "dochak-processor");
  else
    faults_log_warnings(faults);
  faults_fini(faults);
  return good;
}

// libpq reads the password from the environment, at each connection.
static void set_password(const struct settings *settings, struct faults *faults) {
  if (!settings->pg_password || !*settings->pg_password) return;
  const char *other = getenv("PGPASSWORD");
  if (other && *other)
    faults_error(faults, "DOCHAK_PG_PASSWORD and PGPASSWORD are both set; one is enough");
  else
    setenv("PGPASSWORD", settings->pg_password, 1);
}

static const struct command *find_command(const char *name) {
  static const struct command *const commands[] = {
      &migrate_command,   &replay_command,  &quarantine_command, &doctor_command,
      &incidents_command, &contact_command, &reconcile_command,  &explain_command};
  for (size_t i = 0; name && i < COUNT_OF(commands); i++)
    if (strcmp(name, commands[i]->name) == 0) return commands[i];
  return NULL;
}

// As settings_arguments(): -1 to go on, else the exit code.
static int command_arguments(const struct command *command, int argc, char **argv, void *options) {
  struct err err = {0};
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--help") != 0) continue;
    puts(command->help);
    return 0;
  }
  if (command->read(argc, argv, options, &err)) return -1;
  fprintf(stderr, "dochak-processor %s: %s; --help lists what there is\n", command->name, err.text);
  return 2;
}

// For --ready. Only the settings are read. Returns the exit code.
static int ask_ready(struct settings *settings, struct faults *faults) {
  struct err err;
  if (!faults->n_errors && !admin_ask_ready(settings->processor_ops_listen, &err))
    faults_error(faults, "not ready: %s", err.text);
  faults_print(faults, "dochak-processor");
  int exit_code = faults->n_errors > 0;
  faults_fini(faults);
  settings_fini(settings);
  return exit_code;
}

int main(int argc, char **argv) {
  mallopt(M_MXFAST, 0); // the small ones that a batch frees by the thousand would be merged again and again
  const struct command *command = find_command(argv[1]);
  AUTO_FREE void *options = command ? mem_alloc(command->options_size) : NULL;
  unsigned flags = 0;
  int exit_code = command ? command_arguments(command, argc - 1, argv + 1, options)
                          : settings_arguments(SERVICE_PROCESSOR, argc, argv, &flags);
  if (exit_code >= 0) return exit_code;
  if (command && command->is_alone) return run_alone(command, options);
  struct faults faults = {0};
  struct settings settings = {0};
  bool settings_good = settings_load(SERVICE_PROCESSOR, &settings, &faults);
  if (flags & SETTINGS_READY) return ask_ready(&settings, &faults);
  set_password(&settings, &faults);
  log_init("processor", settings.log_level);
  if (command) log_to_stderr();
  stop_init();
  struct providers *providers = read_providers(&settings, &faults);
  struct watched_list *watched = command ? NULL : read_watched(&settings, &faults); // only the watch reads it
  bool properties_good =
      settings.kafka_properties && kafka_properties_check(settings.kafka_properties, &faults);
  if (settings_good) retention_warn(&settings, &faults);
  if (settings_good && properties_good && flags & SETTINGS_CHECK) check_parts(&settings, &faults);
  // Faults of the file as a whole are reported already.
  struct ask_conf *ask = NULL;
  if (providers && watched && !(flags & SETTINGS_PRINT))
    ask = ask_conf_load(settings.watched_file, providers, &faults);
  if (!report(&faults, flags))
    exit_code = 1;
  else if (flags & SETTINGS_PRINT)
    settings_print(SERVICE_PROCESSOR, &settings);
  else if (flags & SETTINGS_CHECK)
    puts("settings: ok\nproviders: ok\nkafka: ok, not connected");
  else
    exit_code = run(command, options, &settings, providers, watched, ask);
  ask_conf_free(ask);
  watched_free(watched);
  providers_free(providers);
  settings_fini(&settings);
  return exit_code < 0 ? 0 : exit_code;
}
