// SPDX-License-Identifier: MIT
// A fuzzer's input as several texts: its lines. The last one is all that is left.
#pragma once
#include "common/base/mem.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct input {
  char *text;
  char *rest;
};

static inline struct input input_open(const uint8_t *bytes, size_t len) {
  struct input input = {.text = mem_strndup((const char *)bytes, len)};
  input.rest = input.text;
  return input;
}

static inline char *input_line(struct input *input) {
  char *line = strsep(&input->rest, "\n");
  if (!input->rest) input->rest = line + strlen(line);
  return line;
}
