// SPDX-License-Identifier: MIT
// dochak-ingress: takes in webhooks and registrations and answers when they are durable. It reads its
// configuration once, builds its parts in the order below, serves until it is told to stop, and takes them
// down in the other order.
#include "common/base/stop.h"
#include "common/ops/admin.h"
#include "ingress/counters.h"
#include "ingress/durable/spool_file.h"
#include "ingress/server.h"
#include <malloc.h>

enum { DRAIN_MS = 10000, FLUSH_MS = 5000, LOOK_MS = 500 };

static bool read_configuration(struct ingress *in, struct err *err) {
  const struct settings *settings = &in->settings;
  return ((in->providers = providers_load(settings->providers_dir, err)) ||
          err_prefix(err, "DOCHAK_PROVIDERS_DIR: ")) &&
         ((in->endpoints = endpoints_load(settings->endpoints_file, in->providers, err)) ||
          err_prefix(err, "DOCHAK_ENDPOINTS_FILE: ")) &&
         (in->registrar = registrar_new(settings->ingress_key, err));
}

static bool start(struct ingress *in, struct err *err) {
  const struct settings *settings = &in->settings;
  in->metrics = metrics_new(counters, COUNTER_COUNT);
  return (in->publisher = publisher_open(settings, in->metrics, err)) &&
         ((in->server = server_start(in, err)) || err_prefix(err, "DOCHAK_INGRESS_LISTEN: ")) &&
         ((in->admin =
               admin_start(settings->ingress_ops_listen, in->metrics, server_unready, in->server, err)) ||
          err_prefix(err, "DOCHAK_INGRESS_OPS_LISTEN: "));
}

static void stop(struct ingress *in) {
  server_drain(in->server, DRAIN_MS);
  publisher_close(in->publisher, FLUSH_MS);
  admin_stop(in->admin);
  server_free(in->server);
  registrar_free(in->registrar);
  endpoints_free(in->endpoints);
  providers_free(in->providers);
  metrics_free(in->metrics);
  settings_fini(&in->settings);
}

static bool check(const struct ingress *in, struct err *err) {
  const char *dir = in->settings.spool_dir;
  if (!publisher_check(&in->settings, err)) return false;
  if (*dir && !spool_file_check(dir, err)) return err_prefix(err, "DOCHAK_SPOOL_DIR: ");
  printf("settings: ok\nproviders: ok\nendpoints: ok, %zu\nkafka: ok, not connected\nspool: %s\n",
         endpoints_count(in->endpoints), *dir ? "ok, not opened" : "none");
  return true;
}

// The metric says what /readyz says, asked or not; the log says when it changes.
static void watch_readiness(const struct ingress *in) {
  const char *told = "starting";
  do {
    const char *reason = server_unready(in->server);
    metrics_set(in->metrics, COUNTER_READY, NULL, !reason);
    if (!reason && told) log_info("/readyz says yes", LOG_INT("ops_port", admin_port(in->admin)));
    if (reason && reason != told) log_warn("/readyz says no", LOG_STR("reason", reason));
    told = reason;
  } while (!stop_wait_ms(LOOK_MS));
}

static bool run(struct ingress *in, unsigned flags, struct err *err) {
  if (!settings_load(SERVICE_INGRESS, &in->settings, err)) return false;
  if (flags & SETTINGS_PRINT) settings_print(SERVICE_INGRESS, &in->settings);
  if (flags == SETTINGS_PRINT) return true;
  if (!read_configuration(in, err)) return false;
  if (flags & SETTINGS_CHECK) return check(in, err);
  log_init("ingress", in->settings.log_level);
  stop_init();
  if (!start(in, err)) return false;
  log_info("listening", LOG_INT("port", server_port(in->server)), LOG_INT("ops_port", admin_port(in->admin)));
  watch_readiness(in);
  log_info("stopping", LOG_INT("drain_ms", DRAIN_MS));
  return true;
}

int main(int argc, char **argv) {
  // All threads share two arenas: glibc's default would keep what the largest body needed in each of many.
  mallopt(M_ARENA_MAX, 2);
  unsigned flags;
  int code = settings_arguments(SERVICE_INGRESS, argc, argv, &flags);
  if (code >= 0) return code;
  struct ingress in = {0};
  struct err err;
  bool good = run(&in, flags, &err);
  if (!good) fprintf(stderr, "dochak-ingress: %s\n", err.text);
  stop(&in);
  return good ? 0 : 1;
}
