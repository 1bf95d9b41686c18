// SPDX-License-Identifier: MIT
// The faults of a configuration as a list, so that one run of --check reports all of them. An error prevents
// the start. A warning is a valid setting that is probably a mistake. Not for: faults of requests (err.h).
#pragma once
#include "common/base/err.h"
#include <stddef.h>

enum { FAULTS_MAX = 100 }; // further faults are only counted

struct faults {
  struct fault {
    char *text;
    bool is_warning;
  } list[FAULTS_MAX];
  size_t n;        // of the list
  size_t n_errors; // with those beyond FAULTS_MAX
};

// faults_error() returns false, so that `return faults_error(...)` reads well.
bool faults_error(struct faults *faults, const char *fmt, ...) PRINTF_LIKE(2, 3);
void faults_warn(struct faults *faults, const char *fmt, ...) PRINTF_LIKE(2, 3);
// Puts context in front of every fault from list[from] on.
void faults_prefix(struct faults *faults, size_t from, const char *fmt, ...) PRINTF_LIKE(3, 4);

void faults_print(const struct faults *faults, const char *program); // on stderr, a line each
void faults_log_warnings(const struct faults *faults);
void faults_fini(struct faults *faults); // leaves an empty list
