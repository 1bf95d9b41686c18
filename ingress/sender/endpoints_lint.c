// SPDX-License-Identifier: MIT
#include "ingress/sender/endpoints_lint.h"

#include "common/base/mem.h"
#include "common/config/settings.h"
#include "common/json/json.h"
#include "ingress/sender/network.h"
#include <string.h>

// ---- secrets ----

// One name may be used by several checks: a provider signs all its calls with one key. A secret path that
// opens two endpoints, or one secret under two names, makes a rotation miss one of them. `seen` has a use of
// each secret, in a path if there is one.
static void lint_secret(json_t *seen, const char *name, size_t endpoint, bool in_path,
                        struct faults *faults) {
  AUTO_FREE char *text = NULL;
  if (!settings_secret(name, &text, NULL)) return; // an error already (endpoints.c)
  const json_t *before = json_object_get(seen, text);
  const char *other = before ? json_string_value(json_object_get(before, "name")) : name;
  if (strcmp(name, other) != 0)
    faults_warn(faults, "/endpoints/%zu: %s holds the same secret as %s", endpoint, name, other);
  else if (in_path && json_is_true(json_object_get(before, "in_path")))
    faults_warn(faults, "/endpoints/%zu/secret_path: %s opens /endpoints/%d, too", endpoint, name,
                (int)json_integer_value(json_object_get(before, "endpoint")));
  if (!before || in_path)
    json_object_set_new(
        seen, text, json_pack("{s:s,s:b,s:i}", "name", name, "in_path", in_path, "endpoint", (int)endpoint));
}

static void lint_names(json_t *seen, const json_t *names, size_t endpoint, bool in_path,
                       struct faults *faults) {
  for (size_t i = 0; i < json_array_size(names); i++)
    lint_secret(seen, json_string_value(json_array_get(names, i)), endpoint, in_path, faults);
}

static void lint_secrets(const json_t *endpoints, struct faults *faults) {
  AUTO_JSON *seen = json_object();
  for (size_t i = 0; i < json_array_size(endpoints); i++) {
    const json_t *endpoint = json_array_get(endpoints, i);
    lint_names(seen, json_object_get(endpoint, "secret_path"), i, true, faults);
    lint_names(seen, json_object_get(endpoint, "verify_token"), i, false, faults);
    const char *key;
    json_t *check;
    json_object_foreach(json_object_get(endpoint, "checks"), key, check)
        lint_names(seen, json_object_get(check, "secrets"), i, false, faults);
  }
}

// ---- checks ----

// The first network that holds every address, or NULL.
static const char *everyone(const json_t *networks) {
  for (size_t i = 0; i < json_array_size(networks); i++) {
    const char *text = json_string_value(json_array_get(networks, i));
    if (network_is_all(text)) return text;
  }
  return NULL;
}

// A time that is not signed is one that everybody can write.
static void lint_signed_body(const json_t *check, struct faults *faults) {
  const char *clock = json_string_value(json_object_get(check, "timestamp_header"));
  const char *signs = json_string_value(json_object_get(check, "signs"));
  if (!clock) return;
  AUTO_FREE char *value = mem_printf("${header:%s}", clock);
  if (!signs || !strcasestr(signs, value))
    faults_warn(faults,
                "/checks/signed_body/timestamp_header: is not in \"signs\", so anybody can write this time");
}

// Our own URL is signed as well. Behind a proxy that rewrites paths it may end in another way.
static void lint_url(const char *name, const json_t *check, const json_t *endpoint, struct faults *faults) {
  const char *url = json_string_value(json_object_get(check, "url"));
  if (!url) return;
  AUTO_FREE char *end = mem_printf("/webhook/%s", json_string_value(json_object_get(endpoint, "endpoint")));
  size_t len = strlen(url), end_len = strlen(end);
  if (len < end_len || strcmp(url + len - end_len, end) != 0)
    faults_warn(faults,
                "/checks/%s/url: does not end in %s; every call is refused if this is not the URL that the "
                "provider has, without the secret",
                name, end);
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
  lint_signed_body(json_object_get(checks, "signed_body"), faults);
  lint_url("jwt", json_object_get(checks, "jwt"), endpoint, faults);
  lint_url("twilio", json_object_get(checks, "twilio"), endpoint, faults);
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
