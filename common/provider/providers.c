// SPDX-License-Identifier: MIT
#include "common/provider/providers.h"
#include "common/base/embedded.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/provider/provider_file.h"
#include "common/provider/provider_load.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 1024 * 1024 };

struct providers {
  struct provider **list;
  size_t n;
};

static void add_document(struct providers *providers, const char *file, const json_t *document,
                         struct faults *faults) {
  struct provider *provider = provider_new(document, faults);
  if (!provider) return;
  const struct provider *same = providers_find(providers, provider->name);
  if (same) {
    faults_error(faults, "/provider: \"%s\" is already taken by %s", same->name, same->file);
    provider_free(provider);
    return;
  }
  provider->file = mem_strdup(file);
  providers->list = mem_grow(providers->list, providers->n + 1, sizeof(struct provider *));
  providers->list[providers->n++] = provider;
}

static void add_text(struct providers *providers, const char *file, const char *text, size_t len,
                     struct faults *faults) {
  struct err err;
  size_t from = faults->n;
  AUTO_JSON *document = json_parse(text, len, &err);
  if (document)
    add_document(providers, file, document, faults);
  else
    faults_error(faults, "%s", err.text);
  faults_prefix(faults, from, "%s: ", file);
}

static void add_built_in(struct providers *providers, struct faults *faults) {
  for (const struct embedded *file = embedded_providers; file->name; file++)
    add_text(providers, file->name, file->text, file->len, faults);
}

static int is_provider_file(const struct dirent *entry) {
  size_t len = strlen(entry->d_name);
  return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0;
}

static void add_file(struct providers *providers, const char *path, struct faults *faults) {
  struct err err;
  size_t len;
  AUTO_FREE char *text = file_read(path, FILE_MAX_BYTES, &len, &err);
  if (text)
    add_text(providers, path, text, len, faults);
  else
    faults_error(faults, "%s: %s", path, err.text);
}

static void add_folder(struct providers *providers, const char *dir, struct faults *faults) {
  struct dirent **entries;
  int n = scandir(dir, &entries, is_provider_file, alphasort);
  if (n < 0) {
    faults_error(faults, "%s: %s", dir, strerror(errno));
    return;
  }
  if (n == 0) faults_error(faults, "%s: expected provider files (*.json), found none", dir);
  for (int i = 0; i < n; i++) {
    AUTO_FREE char *path = mem_printf("%s/%s", dir, entries[i]->d_name);
    add_file(providers, path, faults);
    free(entries[i]);
  }
  free(entries);
}

static void suffixes_resolve(const struct providers *providers, struct provider *provider,
                             struct faults *faults) {
  const json_t *names = json_object_get(json_object_get(provider->document, "webhook"), "suffixes");
  for (size_t i = 0; i < provider->n_suffixes; i++) {
    struct provider_suffix *suffix = &provider->suffixes[i];
    const char *name = json_string_value(json_object_get(names, suffix->text));
    suffix->provider = providers_find(providers, name);
    if (suffix->provider) continue;
    AUTO_FREE char *known = providers_names(providers);
    faults_error(faults, "%s: /webhook/suffixes: %s: \"%s\" is none of %s", provider->file, suffix->text,
                 name, known);
  }
}

struct providers *providers_load(const char *dir, struct faults *faults) {
  struct providers *providers = mem_alloc(sizeof *providers);
  size_t errors = faults->n_errors;
  if (*dir)
    add_folder(providers, dir, faults);
  else
    add_built_in(providers, faults);
  bool all_read = faults->n_errors == errors;
  for (size_t i = 0; all_read && i < providers->n; i++)
    suffixes_resolve(providers, providers->list[i], faults);
  if (faults->n_errors == errors) return providers;
  providers_free(providers);
  return NULL;
}

struct providers *providers_load_one(const char *file, struct faults *faults) {
  struct providers *providers = mem_alloc(sizeof *providers);
  size_t errors = faults->n_errors;
  add_file(providers, file, faults);
  if (faults->n_errors == errors) return providers;
  providers_free(providers);
  return NULL;
}

void providers_free(struct providers *providers) {
  if (!providers) return;
  for (size_t i = 0; i < providers->n; i++) provider_free(providers->list[i]);
  free(providers->list);
  free(providers);
}

const struct provider *providers_find(const struct providers *providers, const char *name) {
  for (size_t i = 0; i < providers->n; i++) {
    if (strcmp(providers->list[i]->name, name) == 0) return providers->list[i];
  }
  return NULL;
}

size_t providers_count(const struct providers *providers) {
  return providers->n;
}

const struct provider *providers_at(const struct providers *providers, size_t i) {
  return providers->list[i];
}

char *providers_names(const struct providers *providers) {
  char *names = mem_strdup("");
  for (size_t i = 0; i < providers->n; i++) {
    char *longer = mem_printf("%s%s%s", names, i ? ", " : "", provider_name(providers->list[i]));
    free(names);
    names = longer;
  }
  return names;
}
