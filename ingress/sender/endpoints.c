// SPDX-License-Identifier: MIT
#include "ingress/sender/endpoints.h"

#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "common/json/schema.h"
#include "ingress/sender/endpoints_lint.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 1024 * 1024 };

// ---- loading: every fault is added to `faults`, and loading goes on

static json_t *read_document(const char *path, struct schema **schema, struct faults *faults) {
  struct err err;
  size_t len;
  AUTO_FREE char *text = file_read(path, FILE_MAX_BYTES, &len, &err);
  json_t *document = text ? json_parse(text, len, &err) : NULL;
  *schema = document ? schema_open("endpoints.schema.json", &err) : NULL;
  if (!*schema) faults_error(faults, "%s", err.text);
  return document;
}

// Whether an endpoint has the right form, in a file of which another part has not.
static bool is_well_formed(const struct schema *schema, json_t *endpoint) {
  AUTO_JSON *alone = json_pack("{s:[O]}", "endpoints", endpoint);
  return schema_check_all(schema, alone, NULL);
}

static bool meets(const struct endpoint *a, const struct endpoint *b) {
  size_t len = strlen(a->name);
  return a->path.n && strncmp(a->name, b->name, len) == 0 && b->name[len] == '/';
}

static void check_unique(const struct endpoints *all, const struct endpoint *fresh, struct faults *faults) {
  for (const struct endpoint *other = all->list; other < fresh; other++) {
    if (strcmp(other->name, fresh->name) == 0)
      faults_error(faults, "/endpoint: \"%s\" occurs twice", fresh->name);
    if (meets(other, fresh) || meets(fresh, other))
      faults_error(faults,
                   "/endpoint: \"%s\" and \"%s\" would share URLs, since a secret follows the shorter one",
                   fresh->name, other->name);
  }
}

// Without providers: their faults are reported already.
static const struct provider *find_provider(const struct providers *providers, const char *name,
                                            struct faults *faults) {
  const struct provider *provider = providers ? providers_find(providers, name) : NULL;
  if (provider || !providers) return provider;
  AUTO_FREE char *names = providers_names(providers);
  faults_error(faults, "/provider: \"%s\" is none of %s", name, names);
  return NULL;
}

// The provider's file may ask for a token that is not there, or not for one.
static void load_verify_token(struct endpoint *fresh, const json_t *names, struct faults *faults) {
  size_t from = faults->n;
  secrets_load(&fresh->verify_token, SECRETS_OURS, names, NULL, NULL, faults);
  faults_prefix(faults, from, "/verify_token");
  bool is_needed = fresh->provider && provider_challenge(fresh->provider);
  if (is_needed && !names)
    faults_warn(faults,
                ": the provider tries the URL out by a challenge, which is refused without a verify_token");
  if (fresh->provider && names && !is_needed)
    faults_warn(faults, "/verify_token: is not read, since the provider's file has no challenge");
}

// What a check compares must not travel with the elements.
static void check_headers(const struct endpoint *endpoint, const struct provider *provider,
                          struct faults *faults) {
  const char *header;
  for (size_t i = 0; (header = provider_header(provider, i)); i++)
    if (verify_reads_header(endpoint->checks, header))
      faults_error(
          faults,
          "/checks: the provider file %s reads /@header/%s, which a check compares: it would be stored",
          provider_name(provider), header);
}

static void check_all_headers(const struct endpoint *endpoint, struct faults *faults) {
  const struct provider_suffix *suffix;
  if (!endpoint->provider) return;
  check_headers(endpoint, endpoint->provider, faults);
  for (size_t i = 0; (suffix = provider_suffix_at(endpoint->provider, i)); i++)
    check_headers(endpoint, suffix->provider, faults);
}

static void add_endpoint(struct endpoints *all, const struct providers *providers, const json_t *node,
                         struct faults *faults) {
  struct endpoint *fresh = &all->list[all->n++];
  fresh->name = json_string_value(json_object_get(node, "endpoint"));
  fresh->source = mem_printf("/ingress/%s", fresh->name);
  fresh->body_max_bytes = (int64_t)json_number_value(json_object_get(node, "max_body_bytes"));
  fresh->trusted = &all->trusted;
  fresh->provider = find_provider(providers, json_string_value(json_object_get(node, "provider")), faults);
  size_t from = faults->n;
  secrets_load(&fresh->path, SECRETS_OURS, json_object_get(node, "secret_path"), NULL, NULL, faults);
  faults_prefix(faults, from, "/secret_path");
  load_verify_token(fresh, json_object_get(node, "verify_token"), faults);
  fresh->checks = verify_new(json_object_get(node, "checks"), faults);
  check_all_headers(fresh, faults);
  check_unique(all, fresh, faults);
}

static void load_proxies(struct endpoints *all, struct faults *faults) {
  size_t from = faults->n;
  networks_load(&all->trusted, json_object_get(all->document, "trusted_proxies"), faults);
  faults_prefix(faults, from, "/trusted_proxies");
}

static void add_all(struct endpoints *all, const struct providers *providers, const struct schema *schema,
                    struct faults *faults) {
  const json_t *nodes = json_object_get(all->document, "endpoints");
  bool good = schema_check_all(schema, all->document, faults);
  if (good) load_proxies(all, faults);
  all->list = mem_array(json_array_size(nodes), sizeof *all->list);
  for (size_t i = 0; i < json_array_size(nodes); i++) {
    size_t from = faults->n;
    if (good || is_well_formed(schema, json_array_get(nodes, i)))
      add_endpoint(all, providers, json_array_get(nodes, i), faults);
    faults_prefix(faults, from, "/endpoints/%zu", i);
  }
  if (good) endpoints_lint(all->document, faults);
}

struct endpoints *endpoints_load(const char *file, const struct providers *providers, struct faults *faults) {
  struct endpoints *all = mem_alloc(sizeof *all);
  struct schema *schema;
  size_t from = faults->n, errors = faults->n_errors;
  all->document = read_document(file, &schema, faults);
  if (schema) add_all(all, providers, schema, faults);
  schema_free(schema);
  faults_prefix(faults, from, "%s: ", file);
  if (faults->n_errors == errors && providers) return all;
  endpoints_free(all);
  return NULL;
}

// A network of all addresses would let every sender write X-Forwarded-For.
static bool trust(struct networks *trusted, const char *text, struct err *err) {
  if (network_is_all(text)) return err_set(err, "trusts every sender; name the proxies' addresses");
  return networks_add(trusted, text, err);
}

bool endpoints_trust(struct networks *trusted, const char *list, struct err *err) {
  enum { ONE_MAX = 64 };
  for (size_t len; *list; list += len) {
    char one[ONE_MAX];
    list += strspn(list, ", ");
    len = strcspn(list, ", ");
    if (len == 0) break;
    snprintf(one, sizeof one, "%.*s", (int)len, list);
    if (!trust(trusted, one, err)) return err_prefix(err, "\"%s\": ", one);
  }
  return true;
}

// A body is held as it came, inflated, as the JSON that is made of it, and as elements that were joined with
// what is read beside them.
void endpoints_check_limits(const struct endpoints *endpoints, int64_t bodies_max_bytes,
                            struct faults *faults) {
  enum { HELD_PARTS = 4 };
  for (size_t i = 0; i < endpoints->n; i++) {
    int64_t needed = HELD_PARTS * endpoints->list[i].body_max_bytes;
    if (needed > bodies_max_bytes)
      faults_error(faults, "/endpoints/%zu/max_body_bytes: needs a DOCHAK_BODIES_MAX_BYTES of %lld or more",
                   i, (long long)needed);
  }
}

void endpoints_free(struct endpoints *endpoints) {
  if (!endpoints) return;
  for (size_t i = 0; i < endpoints->n; i++) {
    free(endpoints->list[i].source);
    secrets_fini(&endpoints->list[i].path);
    secrets_fini(&endpoints->list[i].verify_token);
    verify_free(endpoints->list[i].checks);
  }
  networks_fini(&endpoints->trusted);
  free(endpoints->list);
  json_decref(endpoints->document);
  free(endpoints);
}

// ---- finding ----

// Whether path[0, len) is the endpoint's name and, where it has one, a secret behind it.
static enum endpoints_match match(const struct endpoint *endpoint, const char *path, size_t len) {
  size_t name_len = strlen(endpoint->name);
  if (len < name_len || memcmp(path, endpoint->name, name_len) != 0) return ENDPOINTS_NONE;
  if (len > name_len && path[name_len] != '/') return ENDPOINTS_NONE;
  if (!endpoint->path.n) return len == name_len ? ENDPOINTS_FOUND : ENDPOINTS_NONE;
  size_t at = len > name_len ? name_len + 1 : name_len;
  return secrets_hold(&endpoint->path, path + at, len - at) ? ENDPOINTS_FOUND : ENDPOINTS_REFUSED;
}

// The URL with what the provider appends to it.
static enum endpoints_match match_suffix(const struct endpoint *endpoint, const char *path,
                                         const struct provider_suffix **suffix) {
  size_t len;
  const struct provider_suffix *found = provider_suffix_find(endpoint->provider, path, &len);
  enum endpoints_match result = found ? match(endpoint, path, len) : ENDPOINTS_NONE;
  if (result != ENDPOINTS_NONE) *suffix = found;
  return result;
}

// First all URLs as registered, then those with a suffix. At most one endpoint can refuse, since a name with
// a secret behind it is no prefix of another name (check_unique()).
enum endpoints_match endpoints_find(const struct endpoints *endpoints, const char *path,
                                    const struct endpoint **out, const struct provider_suffix **suffix) {
  size_t len = strlen(path);
  if (len > 0 && path[len - 1] == '/') len--; // a trailing slash
  enum endpoints_match result = ENDPOINTS_NONE;
  *suffix = NULL;
  for (size_t i = 0; i < 2 * endpoints->n && result != ENDPOINTS_FOUND; i++) {
    const struct endpoint *endpoint = &endpoints->list[i < endpoints->n ? i : i - endpoints->n];
    enum endpoints_match one =
        i < endpoints->n ? match(endpoint, path, len) : match_suffix(endpoint, path, suffix);
    if (one == ENDPOINTS_NONE) continue;
    result = one;
    *out = endpoint;
  }
  return result;
}
