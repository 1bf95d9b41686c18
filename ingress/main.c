// SPDX-License-Identifier: MIT
// dochak-ingress receives webhooks and registrations and answers when their events are durable. Reads its
// configuration once, starts its parts in the order of start(), serves until SIGTERM, and stops them in
// reverse order.
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/stop.h"
#include "common/base/uuid.h"
#include "common/kafka/kafka_properties.h"
#include "common/ops/admin.h"
#include "ingress/counters.h"
#include "ingress/durable/durability.h"
#include "ingress/durable/spool_file.h"
#include "ingress/server.h"
#include <malloc.h>
#include <stdlib.h>

enum { DRAIN_MS = 10000, FLUSH_MS = 5000, LOOK_MS = 500 };

// A setting that could not be read is NULL; the fault is reported already.
static void read_files(struct ingress *in, struct faults *faults) {
  const char *dir = in->settings.providers_dir, *file = in->settings.endpoints_file;
  struct err err;
  size_t from = faults->n;
  if (dir) in->providers = providers_load(dir, faults);
  faults_prefix(faults, from, "DOCHAK_PROVIDERS_DIR: ");
  from = faults->n;
  if (file) in->endpoints = endpoints_load(file, in->providers, faults);
  if (in->endpoints) endpoints_check_limits(in->endpoints, in->settings.bodies_max_bytes, faults);
  faults_prefix(faults, from, "DOCHAK_ENDPOINTS_FILE: ");
  if (in->endpoints && !endpoints_trust(&in->endpoints->trusted, in->settings.trusted_proxies, &err))
    faults_error(faults, "DOCHAK_TRUSTED_PROXIES: %s", err.text);
}

// For --check: parts that are not started. Kafka's only if all of its settings are good.
static void check_parts(const struct ingress *in, bool kafka_good, struct faults *faults) {
  struct err err;
  enum durability asked;
  const struct settings *settings = &in->settings;
  const char *dir = settings->spool_dir, *survives = settings->ack_survives;
  if (survives && !durability_parse(survives, &asked, &err)) faults_error(faults, "%s", err.text);
  if (dir && *dir && !spool_file_check(dir, &err)) faults_error(faults, "DOCHAK_SPOOL_DIR: %s", err.text);
  if (kafka_good && !publisher_check(settings, &err)) faults_error(faults, "%s", err.text);
}

// Finds all faults at once. False: at least one of them is an error.
static bool read_configuration(struct ingress *in, unsigned flags, struct faults *faults) {
  bool settings_good = settings_load(SERVICE_INGRESS, &in->settings, faults);
  if (flags == SETTINGS_PRINT || flags == SETTINGS_READY) return settings_good;
  read_files(in, faults);
  in->registrar = registrar_new(in->settings.ingress_key, faults);
  const char *properties = in->settings.kafka_properties;
  bool properties_good = properties && kafka_properties_check(properties, faults);
  if (flags & SETTINGS_CHECK) check_parts(in, settings_good && properties_good, faults);
  return faults->n_errors == 0;
}

static char *new_instance(const struct settings *settings) {
  char any_name[UUID_TEXT_SIZE];
  uuid_format(uuid_new_v7(), any_name);
  return mem_strdup(*settings->instance ? settings->instance : any_name);
}

static bool start(struct ingress *in, struct err *err) {
  const struct settings *settings = &in->settings;
  in->instance = new_instance(settings);
  in->metrics = metrics_new(counters, COUNTER_COUNT);
  if (!(in->publisher = publisher_open(settings, in->metrics, err))) return false;
  in->minutes = minutes_new(in->endpoints, in->instance, in->publisher, in->metrics, clock_wall_ms());
  return ((in->server = server_start(in, err)) || err_prefix(err, "DOCHAK_INGRESS_LISTEN: ")) &&
         ((in->admin =
               admin_start(settings->ingress_ops_listen, in->metrics, server_unready, in->server, err)) ||
          err_prefix(err, "DOCHAK_INGRESS_OPS_LISTEN: "));
}

static void stop(struct ingress *in) {
  server_drain(in->server, DRAIN_MS);
  if (in->server) minutes_leave(in->minutes, clock_wall_ms()); // it had calls only if it had a server
  minutes_free(in->minutes);
  publisher_close(in->publisher, FLUSH_MS);
  admin_stop(in->admin);
  server_free(in->server);
  registrar_free(in->registrar);
  endpoints_free(in->endpoints);
  providers_free(in->providers);
  metrics_free(in->metrics);
  free(in->instance);
  settings_fini(&in->settings);
}

static void print_checked(const struct ingress *in) {
  printf("settings: ok\nproviders: ok\nendpoints: ok, %zu\nkafka: ok, not connected\nspool: %s\n",
         in->endpoints->n, *in->settings.spool_dir ? "ok, not opened" : "none");
}

// Keeps the metric equal to /readyz, and logs each change. Returns the reason.
static const char *show_readiness(const struct ingress *in, const char *logged) {
  const char *reason = server_unready(in->server);
  metrics_set(in->metrics, COUNTER_READY, NULL, !reason);
  if (!reason && logged) log_info("ready=true", LOG_INT("ops_port", admin_port(in->admin)));
  if (reason && reason != logged) log_warn("ready=false", LOG_STR("reason", reason));
  return reason;
}

static int64_t next_look_ms(void) {
  int64_t left_ms = minutes_left_ms(clock_wall_ms());
  return left_ms < LOOK_MS ? left_ms : LOOK_MS;
}

static void watch(const struct ingress *in) {
  const char *logged = "starting";
  do {
    logged = show_readiness(in, logged);
    minutes_tick(in->minutes, clock_wall_ms());
  } while (!stop_wait_ms(next_look_ms()));
}

static void run(struct ingress *in, unsigned flags, struct faults *faults) {
  struct err err;
  if (flags & SETTINGS_PRINT) settings_print(SERVICE_INGRESS, &in->settings);
  if (flags & SETTINGS_CHECK) print_checked(in);
  if (flags & SETTINGS_READY && !admin_ask_ready(in->settings.ingress_ops_listen, &err))
    faults_error(faults, "not ready: %s", err.text);
  if (flags) return;
  log_init("ingress", in->settings.log_level);
  faults_log_warnings(faults);
  faults_fini(faults);
  stop_init();
  if (!start(in, &err)) {
    faults_error(faults, "%s", err.text);
    return;
  }
  log_info("listening", LOG_INT("port", server_port(in->server)), LOG_INT("ops_port", admin_port(in->admin)));
  watch(in);
  log_info("stopping", LOG_INT("drain_ms", DRAIN_MS));
}

int main(int argc, char **argv) {
  // Handler threads share four arenas: glibc's default would keep in each of many what its largest body
  // needed, and one would make the threads wait for each other.
  mallopt(M_ARENA_MAX, 4);
  unsigned flags;
  int code = settings_arguments(SERVICE_INGRESS, argc, argv, &flags);
  if (code >= 0) return code;
  struct ingress in = {0};
  struct faults faults = {0};
  if (read_configuration(&in, flags, &faults)) run(&in, flags, &faults);
  faults_print(&faults, "dochak-ingress");
  code = faults.n_errors > 0;
  faults_fini(&faults);
  stop(&in);
  return code;
}
