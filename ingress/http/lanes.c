// SPDX-License-Identifier: MIT
#include "ingress/http/lanes.h"

#include "common/base/mem.h"
#include "ingress/http/request.h"
#include <stdlib.h>

// Of bodies, in one turn of one lane: some tens of small ones, or a single large one, are about a
// millisecond. What a packed one will be is not known before it is opened, so it counts as a large one.
enum { TURN_BYTES = 65536, REQUEST_BYTES = 1024 };

void lanes_init(struct lanes *lanes, size_t n) {
  *lanes = (struct lanes){.list = mem_array(n, sizeof *lanes->list), .n = n};
}

void lanes_fini(struct lanes *lanes) {
  free(lanes->list);
}

void lanes_add(struct lanes *lanes, struct request *req) {
  struct lane *lane = &lanes->list[req->lane];
  req->next = NULL;
  if (lane->first)
    lane->last->next = req;
  else
    lane->first = req;
  lane->last = req;
  lanes->waiting++;
}

static size_t weight(const struct request *req) {
  return REQUEST_BYTES + (request_encoding(req) == REQUEST_GZIP ? TURN_BYTES : req->body.len);
}

bool lanes_serve(struct lanes *lanes, void (*handle)(void *arg, struct request *req), void *arg) {
  if (!lanes->waiting) return false;
  for (size_t i = 0; i < lanes->n; i++) {
    struct lane *lane = &lanes->list[i];
    size_t done = 0;
    while (lane->first && done < TURN_BYTES) {
      struct request *req = lane->first;
      lane->first = req->next;
      lanes->waiting--;
      done += weight(req);
      handle(arg, req);
    }
  }
  return lanes->waiting;
}
