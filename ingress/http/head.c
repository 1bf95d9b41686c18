// SPDX-License-Identifier: MIT
#include "ingress/http/head.h"

#include <string.h>
#include <strings.h>

// The longest request line that can be good, and the empty one that may stand in front of it.
enum { LINE_MAX_BYTES = 2 + HTTP_METHOD_MAX_BYTES + 1 + HTTP_TARGET_MAX_BYTES + sizeof " HTTP/1.1\r\n" - 1 };

static bool fail(struct http_fault *fault, int status, const char *code, const char *message) {
  *fault = (struct http_fault){status, code, message};
  return false;
}

static bool fail_bad(struct http_fault *fault, const char *message) {
  return fail(fault, 400, "bad_request", message);
}

static bool fail_framing(struct http_fault *fault, const char *message) {
  return fail(fault, 400, "bad_framing", message);
}

bool http_is_token(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         (c && strchr("!#$%&'*+-.^_`|~", c));
}

bool http_is_text(unsigned char c) {
  return c == '\t' || (c >= ' ' && c != 0x7f);
}

// ---- where the head ends ----

static enum http_scan scan_fault(struct http_fault *fault, const char *message) {
  fail_bad(fault, message);
  return HTTP_SCAN_FAULT;
}

static enum http_scan scan_too_large(struct http_fault *fault, size_t at) {
  if (at == LINE_MAX_BYTES)
    fail(fault, 414, "target_too_long", "the request line is longer than 8 KiB");
  else
    fail(fault, 431, "head_too_large", "the request's head is larger than 16 KiB");
  return HTTP_SCAN_FAULT;
}

// Without an end where the longest line has one; the empty line in front of it does not count.
static bool line_is_too_long(const char *bytes, size_t at) {
  return at == LINE_MAX_BYTES && !memchr(bytes + 2, '\n', at - 2);
}

// An empty line in front of the request is let pass (RFC 9112, section 2.2): it does not end the head.
static bool ends_head(const char *bytes, size_t at) {
  return at >= 3 && bytes[at - 1] == '\r' && bytes[at - 2] == '\n' && bytes[at - 3] == '\r';
}

enum http_scan http_head_scan(const char *bytes, size_t len, size_t *seen, struct http_fault *fault) {
  for (size_t at = *seen; at < len; at++) {
    unsigned char c = (unsigned char)bytes[at];
    bool after_cr = at > 0 && bytes[at - 1] == '\r';
    if (line_is_too_long(bytes, at) || at == HTTP_HEAD_MAX_BYTES) return scan_too_large(fault, at);
    if (c == '\n' && !after_cr) return scan_fault(fault, "a line ends without CR");
    if (c != '\n' && after_cr) return scan_fault(fault, "a CR without LF");
    if (c != '\n' && c != '\r' && !http_is_text(c))
      return scan_fault(fault, "a control character in the head");
    if (at == 0 && c != '\r' && !http_is_token(c)) return scan_fault(fault, "this is no HTTP request");
    if (c != '\n') continue;
    if (at == 3 && bytes[1] == '\n') return scan_fault(fault, "more than one empty line before the request");
    if (!ends_head(bytes, at)) continue;
    *seen = at + 1;
    return HTTP_SCAN_WHOLE;
  }
  *seen = len;
  return HTTP_SCAN_MORE;
}

// ---- the request line ----

static bool all_tokens(const char *text) {
  for (; *text; text++)
    if (!http_is_token((unsigned char)*text)) return false;
  return true;
}

static bool read_method(struct http_head *out, const char *method, struct http_fault *fault) {
  size_t len = strlen(method);
  if (len == 0 || len > HTTP_METHOD_MAX_BYTES || !all_tokens(method))
    return fail_bad(fault, "the request line does not begin with a method");
  out->method = method;
  return true;
}

// RFC 9112, section 3.2.2: a server takes the absolute form, too.
static char *skip_authority(char *target) {
  static const char *const schemes[] = {"http://", "https://"};
  for (size_t i = 0; i < 2; i++) {
    size_t len = strlen(schemes[i]);
    if (strncasecmp(target, schemes[i], len) != 0 || strchr("/?", target[len])) continue;
    return target + len + strcspn(target + len, "/?");
  }
  return NULL;
}

static bool read_target(struct http_head *out, char *target, struct http_fault *fault) {
  size_t len = strlen(target);
  if (len > HTTP_TARGET_MAX_BYTES)
    return fail(fault, 414, "target_too_long", "the request's target is longer than 8 KiB");
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)target[i] <= ' ' || (unsigned char)target[i] >= 0x7f || target[i] == '#')
      return fail_bad(fault, "the request's target holds a character that has to be encoded");
  char *path = *target == '/' || strcmp(target, "*") == 0 ? target : skip_authority(target);
  if (!path) return fail_bad(fault, "the request's target is no path");
  char *query = strchr(path, '?');
  if (query) *query++ = '\0';
  out->path = *path ? path : "/";
  out->query = query;
  return true;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool read_version(struct http_head *out, const char *version, struct http_fault *fault) {
  if (strlen(version) != 8 || strncmp(version, "HTTP/", 5) != 0 || !is_digit(version[5]) ||
      version[6] != '.' || !is_digit(version[7]))
    return fail_bad(fault, "the request line does not end in HTTP/1.1");
  if (version[5] != '1') return fail(fault, 505, "http_version", "HTTP/1.0 and HTTP/1.1 only");
  out->version = version + 5;
  return true;
}

static bool is_http_1_0(const struct http_head *head) {
  return strcmp(head->version, "1.0") == 0;
}

static bool read_request_line(struct http_head *out, char *line, struct http_fault *fault) {
  char *target = strchr(line, ' '), *version = target ? strchr(target + 1, ' ') : NULL;
  if (!version || strchr(version + 1, ' '))
    return fail_bad(fault, "the request line is not METHOD target HTTP/1.1");
  *target++ = '\0';
  *version++ = '\0';
  return read_method(out, line, fault) && read_version(out, version, fault) &&
         read_target(out, target, fault);
}

// ---- headers ----

static char *trim(char *value) {
  value += strspn(value, " \t");
  char *end = value + strlen(value);
  while (end > value && (end[-1] == ' ' || end[-1] == '\t')) end--;
  *end = '\0';
  return value;
}

// A line that begins with a space continues the one before in old HTTP, and in some readers still.
static bool read_header(struct http_head *out, char *line, struct http_fault *fault) {
  char *colon = strchr(line, ':');
  if (out->n_headers == HTTP_HEADERS_MAX)
    return fail(fault, 431, "head_too_large", "more than 100 header fields");
  if (!colon || colon == line) return fail_bad(fault, "a header line without a name");
  *colon = '\0';
  if (!all_tokens(line)) return fail_bad(fault, "a header's name holds what no name may hold");
  out->headers[out->n_headers++] = (struct http_header){line, trim(colon + 1)};
  return true;
}

// Ends the line at its CRLF, which the scan has made sure of. The last one is empty.
static char *next_line(char **at, const char *end) {
  char *line = *at, *cr = memchr(line, '\r', (size_t)(end - line));
  *cr = '\0';
  *at = cr + 2;
  return line;
}

const char *http_header(const struct http_head *head, const char *name) {
  for (size_t i = 0; i < head->n_headers; i++)
    if (strcasecmp(head->headers[i].name, name) == 0) return head->headers[i].value;
  return NULL;
}

size_t http_header_count(const struct http_head *head, const char *name) {
  size_t n = 0;
  for (size_t i = 0; i < head->n_headers; i++) n += strcasecmp(head->headers[i].name, name) == 0;
  return n;
}

bool http_list_holds(const char *list, const char *token) {
  size_t len = strlen(token);
  while (list && *list) {
    list += strspn(list, " \t,");
    size_t item = strcspn(list, " \t,");
    if (item == len && strncasecmp(list, token, len) == 0) return true;
    list += item;
  }
  return false;
}

// ---- what the headers say about the message ----

// RFC 9112, section 3.2
static bool check_host(const struct http_head *head, struct http_fault *fault) {
  size_t n = http_header_count(head, "Host");
  if (n > 1 || (n == 0 && !is_http_1_0(head))) return fail_bad(fault, "expected one Host header");
  const char *host = http_header(head, "Host");
  if (host && strpbrk(host, " \t/?#@,")) return fail_bad(fault, "the Host header is not a host");
  return true;
}

static bool read_length(struct http_head *out, const char *value, struct http_fault *fault) {
  size_t digits = strspn(value, "0123456789");
  if (digits == 0 || digits > 18 || value[digits])
    return fail_framing(fault, "Content-Length is not a number");
  out->content_length = 0;
  for (; *value; value++) out->content_length = 10 * out->content_length + (*value - '0');
  out->body = out->content_length ? HTTP_BODY_SIZED : HTTP_BODY_NONE;
  return true;
}

// RFC 9112, section 6.3. A length given twice is refused even where both are the same.
static bool read_framing(struct http_head *out, struct http_fault *fault) {
  size_t lengths = http_header_count(out, "Content-Length");
  size_t codings = http_header_count(out, "Transfer-Encoding");
  if (lengths + codings > 1)
    return fail_framing(fault, "expected one Content-Length, or Transfer-Encoding: chunked, and not both");
  if (lengths) return read_length(out, http_header(out, "Content-Length"), fault);
  if (!codings) return true;
  if (strcasecmp(http_header(out, "Transfer-Encoding"), "chunked") != 0 || is_http_1_0(out))
    return fail_framing(fault, "the one Transfer-Encoding we read is chunked, in HTTP/1.1");
  out->body = HTTP_BODY_CHUNKED;
  return true;
}

static bool read_expectation(struct http_head *out, struct http_fault *fault) {
  const char *expect = http_header(out, "Expect");
  if (!expect) return true;
  if (http_header_count(out, "Expect") > 1 || strcasecmp(expect, "100-continue") != 0)
    return fail(fault, 417, "expectation_failed", "the one expectation we meet is 100-continue");
  out->expects_continue = !is_http_1_0(out); // RFC 9110, section 10.1.1
  return true;
}

static void read_persistence(struct http_head *out) {
  bool closes = false, keeps = false;
  for (size_t i = 0; i < out->n_headers; i++) {
    if (strcasecmp(out->headers[i].name, "Connection") != 0) continue;
    closes |= http_list_holds(out->headers[i].value, "close");
    keeps |= http_list_holds(out->headers[i].value, "keep-alive");
  }
  out->keep_alive = !closes && (keeps || !is_http_1_0(out));
}

bool http_head_read(struct http_head *out, char *bytes, size_t len, struct http_fault *fault) {
  out->n_headers = 0;
  out->body = HTTP_BODY_NONE;
  out->content_length = 0;
  out->expects_continue = false;
  char *at = bytes;
  const char *end = bytes + len;
  if (len > 4 && *at == '\r') at += 2;
  if (!read_request_line(out, next_line(&at, end), fault)) return false;
  for (char *line = next_line(&at, end); *line; line = next_line(&at, end))
    if (!read_header(out, line, fault)) return false;
  read_persistence(out);
  return check_host(out, fault) && read_framing(out, fault) && read_expectation(out, fault);
}
