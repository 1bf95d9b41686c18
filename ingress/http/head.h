// SPDX-License-Identifier: MIT
// The head of an HTTP/1 request, read strictly (RFC 9112): what two readers could understand in two ways is
// refused, so that no proxy in front can be made to see other requests than we do. Pure. Not for: what the
// request wants.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  HTTP_HEAD_MAX_BYTES = 16384,
  HTTP_TARGET_MAX_BYTES = 8192,
  HTTP_HEADERS_MAX = 100,
  HTTP_METHOD_MAX_BYTES = 32,
};

struct http_header {
  const char *name, *value;
};

// Why a request cannot be read; the texts are fixed and quote nothing.
struct http_fault {
  int status;
  const char *code, *message;
};

enum http_body { HTTP_BODY_NONE, HTTP_BODY_SIZED, HTTP_BODY_CHUNKED };

struct http_head {
  const char *method;
  const char *path, *query; // as sent, nothing decoded; query NULL: none. Of http://host/path the path.
  const char *version;      // "1.1"
  struct http_header headers[HTTP_HEADERS_MAX];
  size_t n_headers;
  enum http_body body;
  int64_t content_length; // of a sized body
  bool keep_alive, expects_continue;
};

enum http_scan { HTTP_SCAN_MORE, HTTP_SCAN_WHOLE, HTTP_SCAN_FAULT };
// Looks for the end of the head in what has come so far. `*seen` is how much has been looked at already (0 at
// first); WHOLE: `*seen` is the length of the head, with its empty line. FAULT is told as early as possible,
// so that nobody waits for the rest of what is no request.
enum http_scan http_head_scan(const char *bytes, size_t len, size_t *seen, struct http_fault *fault);

// Reads a whole head, and writes NULs into it; `out` points into it. False with the fault.
bool http_head_read(struct http_head *out, char *bytes, size_t len, struct http_fault *fault);

// What names are made of (RFC 9110, section 5.6.2), and what may stand in a value (section 5.5).
bool http_is_token(unsigned char c);
bool http_is_text(unsigned char c);

// The first header of that name, in any case; NULL: none.
const char *http_header(const struct http_head *head, const char *name);
size_t http_header_count(const struct http_head *head, const char *name);
// Whether a list such as Connection's holds the token, in any case (RFC 9110, section 5.6.1).
bool http_list_holds(const char *list, const char *token);
