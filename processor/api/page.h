// SPDX-License-Identifier: MIT
// The dashboard's files (dashboard/), which the build packs with gzip into the program. Anybody may read
// them: they contain no data. The page asks the query API, with the key. Thread: any.
#pragma once
#include "common/base/embedded.h"
#include "common/ops/listen.h"

extern const struct embedded embedded_page[]; // empty where the program was built without npm

// Whether a request is for a file of the page. `*out` is what to send: borrowed, for as long as the program
// runs. Where `built_in` is empty, / is a text that says so.
bool page_find(const struct embedded *built_in, const char *method, const char *path,
               struct http_answer *out);
