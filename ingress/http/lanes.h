// SPDX-License-Identifier: MIT
// Requests that wait to be handled, in lanes that take turns: one endpoint's flood of large bodies holds up
// the next request of another for one of them and no more. Thread: the loop's.
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct request;

struct lane {
  struct request *first, *last;
};
struct lanes {
  struct lane *list;
  size_t n, waiting;
};

void lanes_init(struct lanes *lanes, size_t n);
void lanes_fini(struct lanes *lanes);
void lanes_add(struct lanes *lanes, struct request *req); // to the end of its lane
// Each lane's turn: its requests in order, until their bodies are a good piece of work. True: some are left.
bool lanes_serve(struct lanes *lanes, void (*handle)(void *arg, struct request *req), void *arg);
