// SPDX-License-Identifier: MIT
#include "ingress/sender/endpoints_lint.h"

#include "common/base/mem.h"
#include "common/config/options.h"
#include <stdlib.h>
#include <string.h>

// ---- secrets ----

struct use {
  const char *name;
  char *text;
  size_t endpoint; // its index in the file
  bool in_path;
};

struct uses {
  struct use *list;
  size_t n;
};

static void add_uses(struct uses *uses, const json_t *names, size_t endpoint, bool in_path) {
  for (size_t i = 0; i < json_array_size(names); i++) {
    struct use use = {json_string_value(json_array_get(names, i)), NULL, endpoint, in_path};
    if (!options_secret(use.name, &use.text, NULL)) continue; // an error already (endpoints.c)
    uses->list = mem_grow(uses->list, uses->n + 1, sizeof *uses->list);
    uses->list[uses->n++] = use;
  }
}

static void find_uses(struct uses *uses, const json_t *endpoints) {
  for (size_t i = 0; i < json_array_size(endpoints); i++) {
    const json_t *endpoint = json_array_get(endpoints, i);
    add_uses(uses, json_object_get(endpoint, "secret_path"), i, true);
    const char *key;
    json_t *check;
    json_object_foreach(json_object_get(endpoint, "checks"), key, check)
        add_uses(uses, json_object_get(check, "secrets"), i, false);
  }
}

// One name may be used by several checks: a provider signs all its calls with one key. A secret path that
// opens two endpoints, or one secret under two names, makes a rotation miss one of them.
static void lint_pair(const struct use *use, const struct use *before, struct faults *faults) {
  if (strcmp(use->text, before->text) != 0) return;
  if (strcmp(use->name, before->name) != 0)
    faults_warn(faults, "/endpoints/%zu: %s holds the same secret as %s", use->endpoint, use->name,
                before->name);
  else if (use->in_path && before->in_path)
    faults_warn(faults, "/endpoints/%zu/secret_path: %s opens /endpoints/%zu, too", use->endpoint, use->name,
                before->endpoint);
}

static void lint_secrets(const json_t *endpoints, struct faults *faults) {
  struct uses uses = {0};
  find_uses(&uses, endpoints);
  for (size_t i = 0; i < uses.n; i++)
    for (size_t j = 0; j < i; j++) lint_pair(&uses.list[i], &uses.list[j], faults);
  for (size_t i = 0; i < uses.n; i++) free(uses.list[i].text);
  free(uses.list);
}

// ---- checks ----

// The first network that holds every address, or NULL.
static const char *everyone(const json_t *networks) {
  for (size_t i = 0; i < json_array_size(networks); i++) {
    const char *text = json_string_value(json_array_get(networks, i)), *slash = strchr(text, '/');
    if (slash && strcmp(slash, "/0") == 0) return text;
  }
  return NULL;
}

static void lint_endpoint(const json_t *endpoint, struct faults *faults) {
  const json_t *checks = json_object_get(endpoint, "checks");
  bool has_path = json_object_get(endpoint, "secret_path") != NULL;
  const char *all = everyone(json_object_get(json_object_get(checks, "ip"), "allow"));
  if (!checks && !has_path)
    faults_warn(faults, ": has neither secret_path nor checks, so everyone can post to it");
  if (json_object_get(checks, "hmac_timestamp") && json_object_size(checks) == 1 && !has_path)
    faults_warn(faults, "/checks/hmac_timestamp: does not cover the body and stands alone; a secret_path or "
                        "another check belongs beside it");
  if (all) faults_warn(faults, "/checks/ip/allow: %s holds every address, so the check refuses nobody", all);
}

void endpoints_lint(const json_t *document, struct faults *faults) {
  const json_t *endpoints = json_object_get(document, "endpoints");
  const char *all = everyone(json_object_get(document, "trusted_proxies"));
  if (all)
    faults_error(faults,
                 "/trusted_proxies: %s trusts every sender to write X-Forwarded-For; name the proxies' own "
                 "addresses",
                 all);
  for (size_t i = 0; i < json_array_size(endpoints); i++) {
    size_t from = faults->n;
    lint_endpoint(json_array_get(endpoints, i), faults);
    faults_prefix(faults, from, "/endpoints/%zu", i);
  }
  lint_secrets(endpoints, faults);
}
