// SPDX-License-Identifier: MIT
// For tests of provider files: those that we ship, those of schemas/examples/provider/valid, and the examples
// of what providers send.
#pragma once
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/provider/provider_load.h"
#include "common/provider/provider_read.h"
#include "common/provider/providers.h"
#include "tests/unit/support/faults.h"
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct providers *providers; // those that we ship

static inline struct providers *load_folder(const char *dir, struct err *err) {
  struct faults faults = {0};
  struct providers *loaded = providers_load(dir, &faults);
  faults_first(&faults, err);
  return loaded;
}

static inline int load_built_in(void **state) {
  struct err err = {0};
  providers = load_folder("", &err);
  if (!providers) puts(err.text);
  return providers ? 0 : -1;
}

static inline int unload_built_in(void **state) {
  providers_free(providers);
  return 0;
}

static inline json_t *read_json(const char *folder, const char *name) {
  size_t len;
  struct err err = {0};
  AUTO_FREE char *path = mem_printf("%s/%s", folder, name);
  AUTO_FREE char *text = file_read(path, 1 << 20, &len, &err);
  json_t *value = text ? json_parse(text, len, &err) : NULL;
  if (!value) fail_msg("%s: %s", path, err.text);
  return value;
}

static inline int is_visible(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

// Calls `run` for <examples>/<what>/<provider>/<case>; returns how many cases there were.
static inline size_t each_case(const char *what,
                               void run(const struct provider *provider, const char *folder)) {
  size_t n_cases = 0;
  AUTO_FREE char *root = mem_printf("%s/examples/%s", SCHEMAS_DIR, what);
  struct dirent **names, **cases;
  int n_names = scandir(root, &names, is_visible, alphasort);
  for (int i = 0; i < n_names; i++) {
    const struct provider *provider = providers_find(providers, names[i]->d_name);
    if (!provider) fail_msg("%s/%s: no such provider file", what, names[i]->d_name);
    AUTO_FREE char *of_provider = mem_printf("%s/%s", root, names[i]->d_name);
    int n = scandir(of_provider, &cases, is_visible, alphasort);
    for (int j = 0; j < n; j++, n_cases++) {
      AUTO_FREE char *folder = mem_printf("%s/%s", of_provider, cases[j]->d_name);
      run(provider, folder);
      free(cases[j]);
    }
    if (n >= 0) free(cases);
    free(names[i]);
  }
  if (n_names >= 0) free(names);
  return n_cases;
}

static inline json_t *text_or_null(const char *text) {
  return text ? json_string(text) : json_null();
}

static inline void compare(const char *folder, size_t nth, json_t *expected, const json_t *actual) {
  const char *key;
  json_t *want;
  json_object_foreach(expected, key, want) {
    const json_t *got = json_object_get(actual, key);
    if (got && json_equal(want, got)) continue;
    AUTO_FREE char *text = got ? json_text(got) : mem_strdup("nothing");
    AUTO_FREE char *wanted = json_text(want);
    fail_msg("%s: %zu: %s: expected %s, got %s", folder, nth, key, wanted, text);
  }
}

static inline bool is_about_recipient(const struct provider *provider, json_t *element) {
  struct err err = {0};
  struct provider_receipt receipt;
  assert_true(provider_read_receipt(provider, element, &receipt, &err));
  provider_receipt_fini(&receipt);
  json_decref(element);
  return receipt.about_recipient;
}

static inline json_t *parsed(const char *text) {
  struct err err = {0};
  json_t *value = json_parse(text, strlen(text), &err);
  if (!value) fail_msg("%s: %s", text, err.text);
  return value;
}

static inline struct provider *provider_of(const char *name) {
  struct faults faults = {0};
  AUTO_JSON *document = read_json(SCHEMAS_DIR "/examples/provider/valid", name);
  struct provider *provider = provider_new(document, &faults);
  if (!provider) fail_msg("%s: %s", name, faults.list[0].text);
  faults_fini(&faults);
  return provider;
}

// A text of so many bytes; NULL: none.
static inline json_t *text_of(int bytes) {
  AUTO_FREE char *text = mem_printf("%0*d", bytes, 0);
  return bytes ? json_string(text) : NULL;
}

// Texts of so many bytes.
#define TEN   "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
#define N_250 FIFTY FIFTY FIFTY FIFTY FIFTY
