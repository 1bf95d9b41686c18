// SPDX-License-Identifier: MIT
// A request's head: the same verdict however it was cut, and what is read from it lies in it, NUL-terminated,
// and holds nothing that another reader could take for something else.
#include "ingress/http/head.h"
#include "tests/fuzz/cuts.h"

static bool same(const struct http_fault *a, const struct http_fault *b) {
  return a->status == b->status && a->code == b->code && a->message == b->message;
}

static enum http_scan scan_cut(char *bytes, size_t len, uint32_t cut, size_t *seen,
                               struct http_fault *fault) {
  enum http_scan scan = HTTP_SCAN_MORE;
  *seen = 0;
  for (size_t come = 0; come < len && scan == HTTP_SCAN_MORE;) {
    come += cut_next(&cut, len - come);
    char *so_far = exact_copy(bytes, come);
    scan = http_head_scan(so_far, come, seen, fault);
    free(so_far);
  }
  return scan;
}

static void look_at_text(const char *text, const char *from, const char *to) {
  if (text < from || text >= to || !memchr(text, '\0', (size_t)(to - text))) abort();
  for (; *text; text++)
    if ((unsigned char)*text < ' ' ? *text != '\t' : *text == 0x7f) abort();
}

static void look_at_headers(const struct http_head *head, const char *from, const char *to) {
  if (head->n_headers > HTTP_HEADERS_MAX) abort();
  for (size_t i = 0; i < head->n_headers; i++) {
    const char *name = head->headers[i].name, *value = head->headers[i].value;
    look_at_text(name, from, to);
    look_at_text(value, from, to);
    size_t len = strlen(value);
    if (!*name || strpbrk(name, " \t:")) abort();
    if (len && (strchr(" \t", value[0]) || strchr(" \t", value[len - 1]))) abort();
  }
}

static void look_at_framing(const struct http_head *head) {
  size_t lengths = http_header_count(head, "content-length");
  size_t codings = http_header_count(head, "transfer-encoding");
  if (lengths + codings > 1 || (head->body == HTTP_BODY_CHUNKED) != codings) abort();
  if ((head->content_length > 0) != (head->body == HTTP_BODY_SIZED) || head->content_length < 0) abort();
}

static void look_at(const struct http_head *head, const char *from, const char *to) {
  look_at_text(head->method, from, to);
  look_at_text(head->version, from, to);
  if (strcmp(head->path, "/") != 0) look_at_text(head->path, from, to); // of http://host it is in no head
  if (head->query) look_at_text(head->query, from, to);
  if (strlen(head->method) > HTTP_METHOD_MAX_BYTES || strlen(head->path) > HTTP_TARGET_MAX_BYTES) abort();
  if (head->path[0] != '/' && strcmp(head->path, "*") != 0) abort();
  if (strpbrk(head->path, " ?#\t") || strncmp(head->version, "1.", 2) != 0) abort();
  look_at_headers(head, from, to);
  look_at_framing(head);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  if (len < 1) return 0;
  char *text = exact_copy(bytes + 1, len - 1);
  struct http_fault fault = {0}, fault_cut = {0};
  size_t seen = 0, seen_cut;
  enum http_scan scan = http_head_scan(text, len - 1, &seen, &fault);
  if (scan != scan_cut(text, len - 1, bytes[0], &seen_cut, &fault_cut)) abort();
  if (scan != HTTP_SCAN_FAULT && seen != seen_cut) abort();
  if (!same(&fault, &fault_cut)) abort();
  if (scan == HTTP_SCAN_WHOLE) {
    if (seen > len - 1 || seen > HTTP_HEAD_MAX_BYTES) abort();
    char *whole = exact_copy(text, seen);
    struct http_head head = {0};
    if (http_head_read(&head, whole, seen, &fault))
      look_at(&head, whole, whole + seen);
    else if (fault.status < 400 || !fault.message)
      abort();
    free(whole);
  }
  free(text);
  return 0;
}
