// SPDX-License-Identifier: MIT
#include "common/base/faults.h"

#include "common/base/log.h"
#include "common/base/mem.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static PRINTF_LIKE(1, 0) char *format(const char *fmt, va_list args) {
  char *text;
  if (vasprintf(&text, fmt, args) < 0) abort(); // out of memory, as in mem.c
  return text;
}

static PRINTF_LIKE(3, 0) void add(struct faults *faults, bool is_warning, const char *fmt, va_list args) {
  faults->n_errors += !is_warning;
  if (faults->n < FAULTS_MAX) faults->list[faults->n++] = (struct fault){format(fmt, args), is_warning};
}

bool faults_error(struct faults *faults, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  add(faults, false, fmt, args);
  va_end(args);
  return false;
}

void faults_warn(struct faults *faults, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  add(faults, true, fmt, args);
  va_end(args);
}

void faults_prefix(struct faults *faults, size_t from, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  AUTO_FREE char *prefix = format(fmt, args);
  va_end(args);
  for (size_t i = from; i < faults->n; i++) {
    AUTO_FREE char *old = faults->list[i].text;
    faults->list[i].text = mem_printf("%s%s", prefix, old);
  }
}

void faults_print(const struct faults *faults, const char *program) {
  size_t errors = 0;
  for (size_t i = 0; i < faults->n; i++) {
    const struct fault *fault = &faults->list[i];
    errors += !fault->is_warning;
    fprintf(stderr, "%s: %s%s\n", program, fault->is_warning ? "warning: " : "", fault->text);
  }
  if (faults->n_errors > errors) fprintf(stderr, "%s: and %zu more\n", program, faults->n_errors - errors);
}

void faults_log_warnings(const struct faults *faults) {
  for (size_t i = 0; i < faults->n; i++)
    if (faults->list[i].is_warning)
      log_warn("the configuration was hardly meant so", LOG_STR("warning", faults->list[i].text));
}

void faults_fini(struct faults *faults) {
  for (size_t i = 0; i < faults->n; i++) free(faults->list[i].text);
  *faults = (struct faults){0};
}
