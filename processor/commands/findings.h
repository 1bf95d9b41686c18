// SPDX-License-Identifier: MIT
// What doctor finds, part by part: a line for each, printed when it is known, or all of them as one JSON
// object. Not for: looking.
#pragma once
#include "common/base/err.h"
#include <stdbool.h>
#include <stddef.h>

enum finding_state {
  FINDING_GOOD,
  FINDING_NOTE,  // to look at, or what could not be judged
  FINDING_WRONG, // something is to be done
};

struct findings {
  bool is_json; // print nothing before findings_end()
  struct finding {
    enum finding_state state;
    char *part;   // "kafka", "endpoint bizgo/alimtalk"
    char *text;   // what is so
    char *advice; // what to do about it; NULL: nothing
  } * list;
  size_t n, n_wrong;
};

// `advice` may be NULL. The text is made of fmt.
void findings_add(struct findings *findings, enum finding_state state, const char *part, const char *advice,
                  const char *fmt, ...) PRINTF_LIKE(5, 6);
void findings_end(const struct findings *findings); // prints the JSON object, or what to do where all is well
void findings_fini(struct findings *findings);
