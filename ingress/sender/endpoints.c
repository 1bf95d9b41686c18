// SPDX-License-Identifier: MIT
#include "ingress/sender/endpoints.h"

#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/config/options.h"
#include "common/json/json.h"
#include "common/json/schema.h"
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 1024 * 1024 };

struct endpoints {
  struct endpoint *list;
  size_t n;
  struct networks trusted;
};

// ---- loading ----

static bool check_form(const json_t *document, struct err *err) {
  struct schema *schema = schema_open("endpoints.schema.json", err);
  bool good = schema && schema_check(schema, document, err);
  schema_free(schema);
  return good;
}

static json_t *read_document(const char *path, struct err *err) {
  size_t len;
  AUTO_FREE char *text = file_read(path, FILE_MAX_BYTES, &len, err);
  if (!text) return NULL;
  AUTO_JSON *document = json_parse(text, len, err);
  if (!document || !check_form(document, err)) return NULL;
  return take(document);
}

static bool add_secret(struct secrets *secrets, const char *name, struct err *err) {
  AUTO_FREE char *text = NULL;
  if (!options_secret(name, &text, err)) return false;
  if (!secrets_add(secrets, text, strlen(text), err)) return err_prefix(err, "%s: ", name);
  return true;
}

static bool add_secrets(struct secrets *secrets, const json_t *names, struct err *err) {
  for (size_t i = 0; i < json_array_size(names); i++)
    if (!add_secret(secrets, json_string_value(json_array_get(names, i)), err))
      return err_prefix(err, "/secret_path/%zu: ", i);
  return true;
}

static bool meets(const struct endpoint *a, const struct endpoint *b) {
  size_t len = strlen(a->name);
  return a->path.n && strncmp(a->name, b->name, len) == 0 && b->name[len] == '/';
}

static bool check_unique(const struct endpoints *all, const struct endpoint *fresh, struct err *err) {
  for (const struct endpoint *other = all->list; other < fresh; other++) {
    if (strcmp(other->name, fresh->name) == 0)
      return err_set(err, "/endpoint: \"%s\" is there twice", fresh->name);
    if (meets(other, fresh) || meets(fresh, other))
      return err_set(err,
                     "/endpoint: \"%s\" and \"%s\" would share URLs, since a secret follows the shorter one",
                     fresh->name, other->name);
  }
  return true;
}

static bool err_provider(struct err *err, const char *name, const struct providers *providers) {
  AUTO_FREE char *names = providers_names(providers);
  return err_set(err, "/provider: \"%s\" is none of %s", name, names);
}

static bool add_endpoint(struct endpoints *all, const struct providers *providers, const json_t *node,
                         struct err *err) {
  const char *name = json_string_value(json_object_get(node, "endpoint"));
  const char *provider = json_string_value(json_object_get(node, "provider"));
  struct endpoint *fresh = &all->list[all->n++];
  fresh->name = mem_strdup(name);
  fresh->source = mem_printf("/ingress/%s", name);
  fresh->provider = providers_find(providers, provider);
  if (!fresh->provider) return err_provider(err, provider, providers);
  return add_secrets(&fresh->path, json_object_get(node, "secret_path"), err) &&
         (fresh->checks = verify_new(json_object_get(node, "checks"), err)) && check_unique(all, fresh, err);
}

static bool add_proxies(struct endpoints *all, const json_t *proxies, struct err *err) {
  return networks_load(&all->trusted, proxies, err) || err_prefix(err, "/trusted_proxies");
}

static bool add_all(struct endpoints *all, const struct providers *providers, const json_t *nodes,
                    struct err *err) {
  all->list = mem_array(json_array_size(nodes), sizeof *all->list);
  for (size_t i = 0; i < json_array_size(nodes); i++)
    if (!add_endpoint(all, providers, json_array_get(nodes, i), err))
      return err_prefix(err, "/endpoints/%zu", i);
  return true;
}

struct endpoints *endpoints_load(const char *file, const struct providers *providers, struct err *err) {
  struct endpoints *all = mem_alloc(sizeof *all);
  AUTO_JSON *document = read_document(file, err);
  if (document && add_proxies(all, json_object_get(document, "trusted_proxies"), err) &&
      add_all(all, providers, json_object_get(document, "endpoints"), err))
    return all;
  err_prefix(err, "%s: ", file);
  endpoints_free(all);
  return NULL;
}

void endpoints_free(struct endpoints *endpoints) {
  if (!endpoints) return;
  for (size_t i = 0; i < endpoints->n; i++) {
    free(endpoints->list[i].name);
    free(endpoints->list[i].source);
    secrets_fini(&endpoints->list[i].path);
    verify_free(endpoints->list[i].checks);
  }
  networks_fini(&endpoints->trusted);
  free(endpoints->list);
  free(endpoints);
}

size_t endpoints_count(const struct endpoints *endpoints) {
  return endpoints->n;
}

size_t endpoints_index(const struct endpoints *endpoints, const struct endpoint *endpoint) {
  return (size_t)(endpoint - endpoints->list);
}

const struct networks *endpoints_trusted_proxies(const struct endpoints *endpoints) {
  return &endpoints->trusted;
}

// ---- finding ----

// No name with a secret behind it begins another's, so the first that fits is the only one.
enum endpoints_match endpoints_find(const struct endpoints *endpoints, const char *path,
                                    const struct endpoint **out) {
  for (size_t i = 0; i < endpoints->n; i++) {
    const struct endpoint *endpoint = &endpoints->list[i];
    size_t len = strlen(endpoint->name);
    if (strncmp(path, endpoint->name, len) != 0 || (path[len] && path[len] != '/')) continue;
    if (path[len] && !endpoint->path.n) continue;
    *out = endpoint;
    if (!endpoint->path.n) return ENDPOINTS_FOUND;
    const char *given = path[len] ? path + len + 1 : "";
    return secrets_hold(&endpoint->path, given, strlen(given)) ? ENDPOINTS_FOUND : ENDPOINTS_REFUSED;
  }
  return ENDPOINTS_NONE;
}
