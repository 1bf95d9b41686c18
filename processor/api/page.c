// SPDX-License-Identifier: MIT
#include "processor/api/page.h"
#include "common/base/mem.h"
#include <string.h>

// Nothing of the page comes from elsewhere, and nothing is inline but its icon.
#define GUARDED                                                                                              \
  "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "   \
  "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"                    \
  "X-Content-Type-Options: nosniff\r\n"                                                                      \
  "Referrer-Policy: no-referrer\r\n"                                                                         \
  "Cache-Control: no-cache\r\n"

static const struct row {
  const char *path, *file, *content_type;
} rows[] = {
    {"/", "index.html.gz", "text/html; charset=utf-8"},
    {"/app.js", "app.js.gz", "text/javascript; charset=utf-8"},
    {"/app.css", "app.css.gz", "text/css; charset=utf-8"},
};

static const char absent[] = "The dashboard was not built into this program: npm was missing when it was "
                             "built.\nThe query API is here all the same.\n";

static const struct embedded *file_named(const struct embedded *files, const char *name) {
  while (files->name && strcmp(files->name, name) != 0) files++;
  return files->name ? files : NULL;
}

bool page_find(const struct embedded *built_in, const char *method, const char *path,
               struct http_answer *out) {
  const struct row *row = rows;
  while (row < rows + COUNT_OF(rows) && strcmp(row->path, path) != 0) row++;
  if (row == rows + COUNT_OF(rows) || (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0))
    return false;
  const struct embedded *file = file_named(built_in, row->file);
  if (file)
    *out = (struct http_answer){.status = 200,
                                .content_type = row->content_type,
                                .body = file->text,
                                .body_len = file->len,
                                .headers = GUARDED "Content-Encoding: gzip\r\n"};
  else
    *out = (struct http_answer){.status = 404,
                                .content_type = "text/plain; charset=utf-8",
                                .body = absent,
                                .body_len = sizeof absent - 1,
                                .headers = GUARDED};
  return true;
}
