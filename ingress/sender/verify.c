// SPDX-License-Identifier: MIT
#include "ingress/sender/verify.h"

#include "common/base/mem.h"
#include "ingress/sender/checks/check.h"
#include <stdlib.h>

// They run in this order: first what costs and reveals least.
static const struct check *const table[] = {
    &check_ip,          &check_query_token,    &check_header,
    &check_header_sha1, &check_hmac_timestamp, &check_standard_webhooks,
    &check_twilio,
};

struct verify {
  struct {
    const struct check *check;
    struct check_conf conf;
  } list[COUNT_OF(table)];
  size_t n;
};

static bool add(struct verify *verify, const struct check *check, const json_t *json, struct faults *faults) {
  struct err err;
  size_t i = verify->n++;
  verify->list[i].check = check;
  return check->load(&verify->list[i].conf, json, &err) ||
         faults_error(faults, "/checks/%s%s", check->name, err.text);
}

// A key that is not in the table would be a check that never runs.
static bool add_all(struct verify *verify, const json_t *checks, struct faults *faults) {
  bool good = true;
  for (size_t i = 0; i < COUNT_OF(table); i++) {
    const json_t *json = json_object_get(checks, table[i]->name);
    if (json && !add(verify, table[i], json, faults)) good = false;
  }
  if (verify->n == json_object_size(checks)) return good;
  return faults_error(faults, "/checks: expected only checks that exist");
}

struct verify *verify_new(const json_t *checks, struct faults *faults) {
  struct verify *verify = mem_alloc(sizeof *verify);
  if (add_all(verify, checks, faults)) return verify;
  verify_free(verify);
  return NULL;
}

static void conf_fini(struct check_conf *conf) {
  networks_fini(&conf->allowed);
  secrets_fini(&conf->secrets);
  keys_fini(&conf->keys);
  for (size_t i = 0; i < COUNT_OF(conf->names); i++) free(conf->names[i]);
}

void verify_free(struct verify *verify) {
  if (!verify) return;
  for (size_t i = 0; i < verify->n; i++) conf_fini(&verify->list[i].conf);
  free(verify);
}

static const char *run(const struct verify *verify, const struct verify_request *req, bool with_body) {
  if (!verify) return "checks";
  for (size_t i = 0; i < verify->n; i++) {
    const struct check *check = verify->list[i].check;
    if (check->of_signature && req->unsigned_call) continue;
    if (check->wants_body == with_body && !check->passes(&verify->list[i].conf, req)) return check->name;
  }
  return NULL;
}

const char *verify_head(const struct verify *verify, const struct verify_request *req) {
  return run(verify, req, false);
}

const char *verify_body(const struct verify *verify, const struct verify_request *req) {
  return run(verify, req, true);
}
