// SPDX-License-Identifier: MIT
// A test's own folder.
#pragma once
#include <ftw.h>
#include <stdio.h>

static inline int folder_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
  (void)st, (void)type, (void)ftw;
  return remove(path);
}

// With everything in it.
static inline void folder_remove(const char *path) {
  nftw(path, folder_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
