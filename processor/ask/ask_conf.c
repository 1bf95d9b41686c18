// SPDX-License-Identifier: MIT
#include "processor/ask/ask_conf.h"
#include "common/base/mem.h"
#include "common/config/settings.h"
#include "common/json/json.h"
#include "common/json/schema.h"
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SECRET_MIN = 8, SECRET_MAX = 4096, EVERY_S = 600, WAIT_S = 3600 };

struct ask_conf {
  json_t *document; // the accounts point into it; NULL: no file
  struct ask_account *list;
  size_t n;
};

const char *ask_account_secret(const struct ask_account *account, const char *name) {
  for (size_t i = 0; i < account->n_secrets; i++)
    if (strcmp(account->secrets[i].name, name) == 0) return account->secrets[i].value;
  return NULL;
}

// ---- secrets ----

// It becomes part of a header.
static bool check_secret(const char *text, struct err *err) {
  size_t len = strlen(text);
  if (len < SECRET_MIN) return err_set(err, "expected at least %d characters, got %zu", SECRET_MIN, len);
  if (len > SECRET_MAX) return err_set(err, "expected at most %d characters, got %zu", SECRET_MAX, len);
  for (size_t i = 0; i < len; i++)
    if (text[i] <= ' ' || text[i] > '~')
      return err_set(err, "expected only printable ASCII without spaces, such as no line break");
  return true;
}

static void wipe(char *text) {
  if (text) OPENSSL_cleanse(text, strlen(text));
  free(text);
}

static void add_secret(struct ask_account *account, const char *name, const char *setting,
                       struct faults *faults) {
  struct err err;
  char *value = NULL;
  if (!settings_secret(setting, &value, &err)) {
    faults_error(faults, "/secrets/%s: %s", name, err.text);
  } else if (!check_secret(value, &err)) {
    faults_error(faults, "/secrets/%s: %s: %s", name, setting, err.text);
  } else {
    account->secrets[account->n_secrets++] = (struct ask_secret){name, value};
    return;
  }
  wipe(value);
}

static bool headers_name(const struct ask_headers *headers, const char *secret) {
  for (size_t i = 0; i < headers->n; i++)
    for (size_t k = 0; k < headers->list[i].value.n; k++) {
      const struct ask_piece *piece = &headers->list[i].value.pieces[k];
      if (piece->value == ASK_SECRET && strcmp(piece->secret, secret) == 0) return true;
    }
  return false;
}

static bool form_names(const struct ask_form *form, const char *secret) {
  return headers_name(&form->headers, secret) || (form->token && headers_name(&form->token->headers, secret));
}

static void check_wanted(const struct ask_form *form, const struct ask_headers *headers, const json_t *given,
                         struct faults *faults) {
  for (size_t i = 0; i < headers->n; i++)
    for (size_t k = 0; k < headers->list[i].value.n; k++) {
      const struct ask_piece *piece = &headers->list[i].value.pieces[k];
      if (piece->value == ASK_SECRET && !json_object_get(given, piece->secret))
        faults_error(faults, "/secrets: the form \"%s\" needs %s", form->name, piece->secret);
    }
}

static void load_secrets(struct ask_account *account, json_t *given, struct faults *faults) {
  const struct ask_form *form = account->form;
  const char *name;
  json_t *setting;
  json_object_foreach(given, name, setting) {
    if (form_names(form, name))
      add_secret(account, name, json_string_value(setting), faults);
    else
      faults_error(faults, "/secrets/%s: the form \"%s\" names no such secret", name, form->name);
  }
  check_wanted(form, &form->headers, given, faults);
  if (form->token) check_wanted(form, &form->token->headers, given, faults);
}

// ---- accounts ----

static const struct provider *find_provider(const struct providers *providers, const char *name,
                                            struct faults *faults) {
  const struct provider *provider = providers_find(providers, name);
  if (provider) return provider;
  AUTO_FREE char *names = providers_names(providers);
  faults_error(faults, ": there is no provider file of that name, but %s", names);
  return NULL;
}

static const struct ask_form *find_form(const struct provider *provider, const char *name,
                                        struct faults *faults) {
  const struct ask_form *form = provider_ask_find(provider, name);
  if (form) return form;
  AUTO_FREE char *names = provider_ask_names(provider);
  if (*names)
    faults_error(faults, "/form: \"%s\" is none of %s", name, names);
  else
    faults_error(faults, "/form: the provider file has no \"ask\"");
  return NULL;
}

static int64_t number_or(const json_t *node, const char *name, int64_t otherwise) {
  const json_t *value = json_object_get(node, name);
  return value ? json_integer_value(value) : otherwise;
}

static void add_account(struct ask_conf *conf, const struct providers *providers, const char *name,
                        const json_t *node, struct faults *faults) {
  struct ask_account *account = &conf->list[conf->n++];
  const char *base = json_string_value(json_object_get(node, "base"));
  account->provider = find_provider(providers, name, faults);
  if (!account->provider) return;
  account->form = find_form(account->provider, json_string_value(json_object_get(node, "form")), faults);
  if (!account->form) return;
  account->base = base ? base : account->form->base;
  account->ca = json_string_value(json_object_get(node, "ca"));
  account->every_s = number_or(node, "every_s", EVERY_S);
  account->wait_s = number_or(node, "wait_s", WAIT_S);
  if (account->ca && access(account->ca, R_OK) != 0)
    faults_error(faults, "/ca: %s: cannot be read", account->ca);
  load_secrets(account, json_object_get(node, "secrets"), faults);
}

static void add_all(struct ask_conf *conf, const struct providers *providers, struct faults *faults) {
  json_t *nodes = json_object_get(conf->document, "ask"), *node;
  const char *name;
  conf->list = mem_array(json_object_size(nodes), sizeof *conf->list);
  json_object_foreach(nodes, name, node) {
    size_t from = faults->n;
    add_account(conf, providers, name, node, faults);
    faults_prefix(faults, from, "/ask/%s", name);
  }
}

struct ask_conf *ask_conf_load(const char *file, const struct providers *providers, struct faults *faults) {
  struct ask_conf *conf = mem_alloc(sizeof *conf);
  size_t from = faults->n, errors = faults->n_errors;
  if (*file) conf->document = schema_read_file("endpoints.schema.json", file, faults);
  if (conf->document) add_all(conf, providers, faults);
  faults_prefix(faults, from, "%s: ", file);
  if (faults->n_errors == errors) return conf;
  ask_conf_free(conf);
  return NULL;
}

void ask_conf_free(struct ask_conf *conf) {
  if (!conf) return;
  for (size_t i = 0; i < conf->n; i++)
    for (size_t k = 0; k < conf->list[i].n_secrets; k++) wipe(conf->list[i].secrets[k].value);
  free(conf->list);
  json_decref(conf->document);
  free(conf);
}

size_t ask_conf_count(const struct ask_conf *conf) {
  return conf->n;
}

const struct ask_account *ask_conf_at(const struct ask_conf *conf, size_t i) {
  return &conf->list[i];
}

const struct ask_account *ask_conf_find(const struct ask_conf *conf, const char *provider) {
  for (size_t i = 0; i < conf->n; i++)
    if (strcmp(provider_name(conf->list[i].provider), provider) == 0) return &conf->list[i];
  return NULL;
}
