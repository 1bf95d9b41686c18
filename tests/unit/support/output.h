// SPDX-License-Identifier: MIT
// What a test, and all its threads, write to stdout in between.
#pragma once
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

struct output {
  int saved, file;
  char text[65536]; // after output_end()
};

static inline void output_begin(struct output *output) {
  output->saved = dup(STDOUT_FILENO);
  output->file = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  dup2(output->file, STDOUT_FILENO);
}

static inline void output_end(struct output *output) {
  dup2(output->saved, STDOUT_FILENO);
  close(output->saved);
  ssize_t len = pread(output->file, output->text, sizeof output->text - 1, 0);
  close(output->file);
  output->text[len > 0 ? len : 0] = '\0';
}
