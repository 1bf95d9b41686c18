// SPDX-License-Identifier: MIT
#include "ingress/durable/reason.h"

#include "common/base/mem.h"
#include <stdlib.h>
#include <string.h>

struct reason_text {
  struct reason_text *older;
  char text[];
};

static const char *keep(struct reason *reason, const char *text) {
  for (const struct reason_text *known = reason->texts; known; known = known->older)
    if (strcmp(known->text, text) == 0) return known->text;
  size_t size = strlen(text) + 1;
  struct reason_text *added = mem_alloc(sizeof *added + size);
  added->older = reason->texts;
  memcpy(added->text, text, size);
  reason->texts = added;
  return added->text;
}

void reason_set(struct reason *reason, const char *text) {
  atomic_store(&reason->now, text ? keep(reason, text) : NULL);
}

void reason_fini(struct reason *reason) {
  for (struct reason_text *text = reason->texts, *older; text; text = older) {
    older = text->older;
    free(text);
  }
}
