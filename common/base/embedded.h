// SPDX-License-Identifier: MIT
// Files built into the binary by cmake/Embed.cmake: schemas, provider files, SQL.
#pragma once
#include <stddef.h>

struct embedded {
  const char *name; // the file's own name, no folder; NULL ends the table
  const char *text; // bytes, with a NUL behind them
  size_t len;       // without that NUL
};

// Of schemas/*.schema.json those that common/json/schema.h checks.
extern const struct embedded embedded_schemas[];
extern const struct embedded embedded_providers[]; // schemas/providers/*.json
