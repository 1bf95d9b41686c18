// SPDX-License-Identifier: MIT
#include "ingress/sender/verify.h"

#include "common/base/mem.h"
#include "ingress/sender/checks/check.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TOLERANCE_S = 300, MS_DIGITS = 13, DIGITS_MAX = 16 };

// They run in this order: first what costs and reveals least.
static const struct check *const table[] = {
    &check_ip,          &check_query_token,       &check_header,
    &check_header_sha1, &check_hmac_timestamp,    &check_jwt,
    &check_signed_body, &check_standard_webhooks, &check_twilio,
};

struct verify {
  json_t *json; // the texts of the list point into it
  struct check_conf list[COUNT_OF(table)];
  size_t n;
};

// ---- loading ----

static void load_texts(struct check_conf *conf, const json_t *json) {
  for (size_t i = 0; i < CHECK_TEXTS; i++) {
    const char *given = json_string_value(json_object_get(json, conf->check->texts[i].key));
    conf->texts[i] = given ? given : conf->check->texts[i].otherwise;
  }
}

static void load(struct check_conf *conf, const json_t *json, struct faults *faults) {
  const json_t *tolerance = json_object_get(json, "tolerance_s");
  conf->tolerance_ms = 1000 * (tolerance ? json_integer_value(tolerance) : TOLERANCE_S);
  load_texts(conf, json);
  size_t from = faults->n;
  networks_load(&conf->allowed, json_object_get(json, "allow"), faults);
  faults_prefix(faults, from, "/allow");
  from = faults->n;
  secrets_load(&conf->secrets, SECRETS_PROVIDER, json_object_get(json, "secrets"), conf->check->form, json,
               faults);
  faults_prefix(faults, from, "/secrets");
}

struct verify *verify_new(json_t *checks, struct faults *faults) {
  struct verify *verify = mem_alloc(sizeof *verify);
  verify->json = json_incref(checks);
  for (size_t i = 0; i < COUNT_OF(table); i++) {
    const json_t *json = json_object_get(checks, table[i]->name);
    size_t from = faults->n;
    if (!json) continue;
    verify->list[verify->n].check = table[i];
    load(&verify->list[verify->n++], json, faults);
    faults_prefix(faults, from, "/checks/%s", table[i]->name);
  }
  // A key that is not in the table would be a check that never runs.
  if (verify->n != json_object_size(checks)) faults_error(faults, "/checks: expected only checks that exist");
  return verify;
}

void verify_free(struct verify *verify) {
  if (!verify) return;
  for (size_t i = 0; i < verify->n; i++) {
    networks_fini(&verify->list[i].allowed);
    secrets_fini(&verify->list[i].secrets);
  }
  json_decref(verify->json);
  free(verify);
}

// ---- running ----

const char *verify_name(size_t i) {
  return i < COUNT_OF(table) ? table[i]->name : NULL;
}

const char *verify_run(const struct verify *verify, const struct request *req, enum verify_stage stage) {
  for (size_t i = 0; i < verify->n; i++) {
    const struct check *check = verify->list[i].check;
    if (check->stage != stage || (check->of_signature && req->is_unsigned)) continue;
    if (!check->passes(&verify->list[i], req)) return check->name;
  }
  return NULL;
}

// The nth text, from 0, that names one of these. NULL: there are fewer.
static const char *nth_named(const struct verify *verify, enum check_names what, size_t nth) {
  for (size_t i = 0; i < verify->n; i++)
    for (size_t k = 0; k < CHECK_TEXTS; k++)
      if (verify->list[i].check->names[k] == what && verify->list[i].texts[k] && nth-- == 0)
        return verify->list[i].texts[k];
  return NULL;
}

bool verify_reads_header(const struct verify *verify, const char *name) {
  const char *header;
  for (size_t nth = 0; (header = nth_named(verify, CHECK_NAMES_HEADER, nth)); nth++)
    if (strcasecmp(header, name) == 0) return true;
  return false;
}

const char *verify_query_parameter(const struct verify *verify) {
  return nth_named(verify, CHECK_NAMES_PARAMETER, 0);
}

// ---- what several checks use ----

const char *check_header_once(const struct request *req, const char *name) {
  size_t count;
  const char *value = request_header(req, name, &count);
  return count == 1 && *value ? value : NULL;
}

const char *check_header_behind(const struct request *req, const char *name, const char *prefix) {
  const char *value = check_header_once(req, name);
  size_t len = strlen(prefix);
  return value && strncasecmp(value, prefix, len) == 0 ? value + len : NULL;
}

bool check_fresh(const struct check_conf *conf, const struct request *req, const char *text) {
  size_t digits = strspn(text, "0123456789");
  if (digits == 0 || digits > DIGITS_MAX || text[digits]) return false;
  int64_t then = strtoll(text, NULL, 10);
  if (digits < MS_DIGITS) then *= 1000;
  return llabs(then - req->received_ms) <= conf->tolerance_ms;
}
