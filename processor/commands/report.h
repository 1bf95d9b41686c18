// SPDX-License-Identifier: MIT
// What a command has changed, or would, as a table: from what to what, how often, and a few examples. Not
// for: deciding anything.
#pragma once
#include "processor/rules/ledger.h"
#include <stddef.h>
#include <stdio.h>

enum { REPORT_TEXTS = 3, REPORT_EXAMPLES = 3 };
struct report {
  struct report_row {
    char *texts[REPORT_TEXTS];       // provider, from, to
    char *examples[REPORT_EXAMPLES]; // ids
    size_t count;
  } * rows;
  size_t n;
};

void report_add_texts(struct report *report, const char *provider, const char *from, const char *to,
                      const char *id);
// From which status, outcome and code to which.
void report_add(struct report *report, const struct notification *before, const struct notification *after);
// The most frequent first. Nothing when nothing was added.
void report_print(struct report *report, FILE *to);
void report_fini(struct report *report);
