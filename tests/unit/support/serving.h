// SPDX-License-Identifier: MIT
// The public listener on a real socket, with the mock broker behind it: one for all tests of a program.
#pragma once
#ifndef SERVING_THREADS
#define SERVING_THREADS 0 // as mock.h says
#endif
#include "common/base/clock.h"
#include "common/base/log.h"
#include "ingress/counters.h"
#include "ingress/server.h"
#include "tests/unit/support/mock.h"
#include "tests/unit/support/wire.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define KEY       "key-0123456789abcdef"
#define SECRET    "secret-0123456789abc"
#define BIZGO     "/webhook/bizgo/alimtalk"
#define BLUX      "/webhook/blux/sms/" SECRET
#define ACME      "/webhook/acme/query"
#define REGISTER  "/v1/notifications"
#define BEARER    "Authorization: Bearer " KEY "\r\n"
#define REPORT    "{\"msgKey\":\"k1\",\"serviceType\":\"ALIMTALK\",\"reportCode\":\"10000\"}"
#define GOOD_ITEM "{\"provider\":\"blux\",\"notification_id\":\"x1\"}"

static struct mock mock;
static struct ingress in;
static int port;

static inline void write_endpoints(void) {
  static char path[] = "/tmp/dochak-server-XXXXXX";
  int fd = mkstemp(path);
  FILE *file = fdopen(fd, "w");
  fputs(
      "{\"endpoints\":[{\"endpoint\":\"bizgo/alimtalk\",\"provider\":\"bizgo\"},"
      "{\"endpoint\":\"bizgo/hidden\",\"provider\":\"bizgo\",\"secret_path\":[\"DOCHAK_SECRET_T\"]},"
      "{\"endpoint\":\"bizgo/signed\",\"provider\":\"bizgo\",\"secret_path\":[\"DOCHAK_SECRET_T\"],"
      "\"checks\":{\"hmac_timestamp\":{\"secrets\":[\"DOCHAK_SECRET_T\"]}}},"
      "{\"endpoint\":\"bizgo/bare\",\"provider\":\"bizgo\","
      "\"checks\":{\"hmac_timestamp\":{\"secrets\":[\"DOCHAK_SECRET_T\"]}}},"
      "{\"endpoint\":\"blux/sms\",\"provider\":\"blux\",\"secret_path\":[\"DOCHAK_SECRET_T\"]},"
      "{\"endpoint\":\"acme/headers\",\"provider\":\"acme-headers\"},"
      "{\"endpoint\":\"acme/query\",\"provider\":\"acme-query\","
      "\"checks\":{\"query_token\":{\"parameter\":\"key\",\"secrets\":[\"DOCHAK_SECRET_T\"]}}},"
      "{\"endpoint\":\"blux/signed\",\"provider\":\"blux\",\"checks\":{\"ip\":{\"allow\":[\"127.0.0.0/8\"]},"
      "\"twilio\":{\"url\":\"https://h/webhook/blux/signed\",\"secrets\":[\"DOCHAK_SECRET_T\"]}}}]}",
      file);
  fclose(file);
  setenv("DOCHAK_SECRET_T", SECRET, 1);
  in.settings.endpoints_file = mem_strdup(path);
}

// The provider files that we ship, and some of the examples.
static inline struct providers *load_providers(struct faults *faults) {
  static const char *const examples[] = {"methods-and-a-query", "headers"};
  char dir[] = "/tmp/dochak-providers-XXXXXX";
  assert_non_null(mkdtemp(dir));
  AUTO_FREE char *copy = mem_printf("cp " SCHEMAS_DIR "/providers/*.json %s", dir);
  assert_int_equal(system(copy), 0); // NOLINT(cert-env33-c): a test
  for (size_t i = 0; i < COUNT_OF(examples); i++) {
    AUTO_FREE char *from = mem_printf(SCHEMAS_DIR "/examples/provider/valid/%s.json", examples[i]);
    AUTO_FREE char *to = mem_printf("%s/%s.json", dir, examples[i]);
    assert_int_equal(symlink(from, to), 0);
  }
  struct providers *providers = providers_load(dir, faults);
  AUTO_FREE char *remove = mem_printf("rm -r %s", dir);
  assert_int_equal(system(remove), 0); // NOLINT(cert-env33-c)
  return providers;
}

static inline int serve(void **state) {
  struct err err = {.text = "nothing"};
  struct faults faults = {0};
  mock_init(&mock);
  in.settings = mock.settings;
  if (SERVING_THREADS) in.settings.ingress_threads = SERVING_THREADS;
  in.settings.body_max_bytes = 524288;
  in.settings.bodies_max_bytes = 2 * 1024 * 1024;
  mock.settings = (struct settings){.kafka_bootstrap = mem_strdup(in.settings.kafka_bootstrap)};
  write_endpoints();
  in.instance = mem_strdup("test");
  in.metrics = metrics_new(counters, COUNTER_COUNT);
  if (!(in.providers = load_providers(&faults)) ||
      !(in.endpoints = endpoints_load(in.settings.endpoints_file, in.providers, &faults)) ||
      !(in.registrar = registrar_new(KEY, &faults)) ||
      !(in.publisher = publisher_open(&in.settings, in.metrics, &err)) ||
      !(in.minutes = minutes_new(in.endpoints, in.instance, in.publisher, in.metrics, clock_wall_ms())) ||
      !(in.server = server_start(&in, &err)))
    fail_msg("%s, %s", faults.n ? faults.list[0].text : "no fault", err.text);
  faults_fini(&faults);
  port = server_port(in.server);
  int64_t deadline = clock_mono_ms() + 10000;
  while (server_unready(in.server) && clock_mono_ms() < deadline) clock_sleep_ms(5);
  assert_null(server_unready(in.server));
  return 0;
}

static inline int stop_serving(void **state) {
  server_drain(in.server, 5000);
  minutes_free(in.minutes);
  publisher_close(in.publisher, 1000);
  server_free(in.server);
  registrar_free(in.registrar);
  endpoints_free(in.endpoints);
  providers_free(in.providers);
  metrics_free(in.metrics);
  free(in.instance);
  unlink(in.settings.endpoints_file);
  settings_fini(&in.settings);
  mock_fini(&mock);
  return 0;
}

static inline int64_t counted(enum counter id, const char *label) {
  return atomic_load(metrics_at(in.metrics, id, label));
}

static inline void assert_answer(const char *what, const char *answer, int status, const char *text) {
  if (wire_status(answer) != status) fail_msg("%s: expected %d, got: %s", what, status, answer);
  if (text && !strstr(answer, text)) fail_msg("%s: expected %s in: %s", what, text, answer);
}
