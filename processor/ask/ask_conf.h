// SPDX-License-Identifier: MIT
// With what providers may be asked: the member `ask` of the endpoints file (endpoints.schema.json), with the
// secrets that it names. Read once. Thread: any, once loaded.
#pragma once
#include "common/base/faults.h"
#include "common/provider/provider_ask.h"
#include "common/provider/providers.h"

enum { ASK_SECRETS_MAX = 8 }; // endpoints.schema.json

struct ask_account {
  const struct provider *provider; // borrowed
  const struct ask_form *form;     // likewise
  const char *base, *ca;           // ca is NULL: the system's
  struct ask_secret {
    const char *name;
    char *value;
  } secrets[ASK_SECRETS_MAX];
  size_t n_secrets;
  int64_t every_s; // the processors ask by themselves, of notifications so often; 0: never
  int64_t wait_s;  // for so long at most an expired notification waits for that
};
const char *ask_account_secret(const struct ask_account *account, const char *name); // or NULL

struct ask_conf;

// `file` is the endpoints file; "": no provider may be asked. NULL with every fault as "file: pointer: rule":
// a provider or form that does not exist, a secret that is missing, not used, or no text for a header.
MUST_CHECK struct ask_conf *ask_conf_load(const char *file, const struct providers *providers,
                                          struct faults *faults);
void ask_conf_free(struct ask_conf *conf); // wipes the secrets
size_t ask_conf_count(const struct ask_conf *conf);
const struct ask_account *ask_conf_at(const struct ask_conf *conf, size_t i);
// NULL: the provider may not be asked.
const struct ask_account *ask_conf_find(const struct ask_conf *conf, const char *provider);
