// SPDX-License-Identifier: MIT
// A list of contact ids that the operator gives: a file with one id a line.
#pragma once
#include "processor/tables/ask_run.h"

// Reads the file, or stdin where it is "-": in the order of the ids, each once, numbered from 1.
MUST_CHECK bool members_read(const char *path, struct ask_questions *out, struct err *err);
