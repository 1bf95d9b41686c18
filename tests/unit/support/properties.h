// SPDX-License-Identifier: MIT
// A kafka.properties file of the test.
#pragma once
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char properties_path[] = "/tmp/dochak-properties-XXXXXX";

static inline int properties_create(void **state) {
  (void)state;
  int fd = mkstemp(properties_path);
  return fd < 0 ? -1 : close(fd);
}

static inline int properties_remove(void **state) {
  (void)state;
  return unlink(properties_path);
}

static inline void properties_write(const char *content) {
  int fd = open(properties_path, O_WRONLY | O_TRUNC | O_CLOEXEC);
  assert_int_equal(write(fd, content, strlen(content)), strlen(content));
  close(fd);
}
