// SPDX-License-Identifier: MIT
// A place for text that ends where a page ends, and behind it a page that cannot be read: one byte too far
// ends the test in every build, not only under a sanitizer.
#pragma once
#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guarded {
  char *page, *end;
};

static inline void guarded_init(struct guarded *guarded) {
  size_t size = (size_t)sysconf(_SC_PAGESIZE);
  void *pages = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert(pages != MAP_FAILED);
  guarded->page = pages;
  guarded->end = guarded->page + size;
  int failed = mprotect(guarded->end, size, PROT_NONE);
  assert(!failed);
}

// A copy, valid until the next one.
static inline const char *guarded_copy(const struct guarded *guarded, const char *bytes, size_t len) {
  assert(len <= (size_t)(guarded->end - guarded->page));
  return memcpy(guarded->end - len, bytes, len);
}

static inline void guarded_fini(struct guarded *guarded) {
  munmap(guarded->page, 2 * (size_t)(guarded->end - guarded->page));
}
