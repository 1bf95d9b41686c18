// SPDX-License-Identifier: MIT
#include "common/base/file.h"

#include "common/base/mem.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

// One byte more than the limit is enough to know that it is too long.
char *file_read(const char *path, size_t max_bytes, size_t *len, struct err *err) {
  FILE *file = fopen(path, "re");
  if (!file) {
    err_set(err, "%s", strerror(errno));
    return NULL;
  }
  AUTO_FREE char *text = mem_alloc(max_bytes + 1);
  *len = fread(text, 1, max_bytes + 1, file);
  int broken = ferror(file) ? errno : 0;
  fclose(file);
  if (!broken && *len <= max_bytes) return take(text);
  if (broken)
    err_set(err, "%s", strerror(broken));
  else
    err_set(err, "expected %zu bytes at most", max_bytes);
  return NULL;
}
