// SPDX-License-Identifier: MIT
#include "ingress/http/request.h"

#include "common/base/mem.h"
#include "common/ops/listen.h"
#include "ingress/http/inflate.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void set_reply(struct request *req, struct reply reply) {
  free(req->reply.body);
  req->reply = reply;
}

bool reply_error(struct request *req, int status, const char *code, const char *message) {
  reply_ok(req, status, http_error_body(code, message), REPLY_NONE);
  return false;
}

bool reply_closing(struct request *req, int status, const char *code, const char *message) {
  reply_error(req, status, code, message);
  req->reply.close = true;
  return false;
}

bool reply_not_allowed(struct request *req, const char *methods, const char *allow) {
  AUTO_FREE char *message = mem_printf("this path takes %s", methods);
  reply_error(req, 405, "method_not_allowed", message);
  req->reply.headers = allow;
  return false;
}

bool reply_too_large(struct request *req, const char *what) {
  AUTO_FREE char *message =
      mem_printf("%s is over the limit of %zu bytes (%s)", what, req->body_max_bytes, req->body_limit);
  return reply_closing(req, 413, "too_large", message);
}

bool reply_unavailable(struct request *req) {
  reply_error(req, 503, "unavailable", "the request could not be stored; send it again");
  req->reply.headers = "Retry-After: 5\r\n";
  return false;
}

bool reply_overload(struct request *req) {
  reply_closing(req, 503, "overload", "too many requests at once; send it again");
  req->reply.headers = "Retry-After: 1\r\n";
  return false;
}

void reply_ok(struct request *req, int status, char *json, enum reply_way way) {
  set_reply(
      req, (struct reply){
               .status = status, .body = json, .content_type = json ? "application/json" : NULL, .way = way});
}

void reply_text(struct request *req, int status, char *text, enum reply_way way) {
  set_reply(req, (struct reply){.status = status,
                                .body = text,
                                .content_type = text ? "text/plain; charset=utf-8" : NULL,
                                .headers = text ? "X-Content-Type-Options: nosniff\r\n" : NULL,
                                .way = way});
}

const char *request_header(const struct request *req, const char *name, size_t *count) {
  const char *value = NULL;
  *count = 0;
  for (int i = 0; i < req->info->num_headers; i++) {
    if (strcasecmp(req->info->http_headers[i].name, name) != 0) continue;
    value = req->info->http_headers[i].value;
    ++*count;
  }
  return value;
}

bool request_hold(struct request *req, size_t bytes) {
  if (!req->quota) return true;
  if (!quota_hold(req->quota, (int64_t)bytes, req->held_bytes)) return false;
  req->held_bytes += (int64_t)bytes;
  return true;
}

// Beginnings of what senders write into Content-Encoding although it is no content coding (RFC 9110 section
// 8.4.1): names of character sets (a habit of Java clients), of media types, of MIME's transfer encodings.
static const char *const no_codings[] = {
    "identity", "none",  "charset", "utf",    "ucs",          "unicode", "iso-", "iso_",  "iso8859",
    "latin",    "ascii", "us-",     "ansi",   "win",          "cp",      "ibm",  "ms949", "ms932",
    "euc",      "ks",    "korean",  "uhc",    "gb",           "big5",    "koi8", "shift", "sjis",
    "binary",   "7bit",  "8bit",    "quoted", "application/", "text/",
};

static bool is_no_coding(const char *name, size_t len) {
  bool quoted = len && (*name == '"' || *name == '\'');
  name += quoted;
  len -= quoted;
  for (size_t i = 0; i < COUNT_OF(no_codings); i++) {
    size_t n = strlen(no_codings[i]);
    if (len >= n && strncasecmp(name, no_codings[i], n) == 0) return true;
  }
  return len == 0;
}

static bool is_gzip(const char *name, size_t len) {
  return (len == 4 && strncasecmp(name, "gzip", 4) == 0) || (len == 6 && strncasecmp(name, "x-gzip", 6) == 0);
}

// The encoding after one more list such as "gzip, utf-8". Gzip twice is not supported.
static enum request_encoding add_codings(enum request_encoding encoding, const char *list) {
  static const char around[] = ",;= \t";
  for (list += strspn(list, around); *list; list += strspn(list, around)) {
    size_t len = strcspn(list, around);
    if (!is_no_coding(list, len))
      encoding = is_gzip(list, len) && encoding == REQUEST_PLAIN ? REQUEST_GZIP : REQUEST_FOREIGN;
    list += len;
  }
  return encoding;
}

enum request_encoding request_encoding(const struct request *req) {
  enum request_encoding encoding = REQUEST_PLAIN;
  for (int i = 0; i < req->info->num_headers; i++) {
    const struct mg_header *header = &req->info->http_headers[i];
    if (strcasecmp(header->name, "Content-Encoding") == 0) encoding = add_codings(encoding, header->value);
  }
  return encoding;
}

static bool hold(void *req, size_t bytes) {
  return request_hold(req, bytes);
}

// Inflating asks for room in steps; what it did not need is given back.
static void give_back(struct request *req, int64_t held_bytes) {
  if (!req->quota || req->held_bytes <= held_bytes) return;
  quota_release(req->quota, req->held_bytes - held_bytes);
  req->held_bytes = held_bytes;
}

bool request_decode(struct request *req, const char **fault) {
  enum request_encoding encoding = request_encoding(req);
  req->content = req->body;
  *fault =
      encoding == REQUEST_FOREIGN ? "the body has a Content-Encoding other than identity and gzip" : NULL;
  if (encoding != REQUEST_GZIP) return true;
  struct request_body inflated;
  int64_t held_bytes = req->held_bytes;
  enum inflate_result result = inflate_gzip(req->body.bytes, req->body.len, req->body_max_bytes, hold, req,
                                            &inflated.bytes, &inflated.len);
  give_back(req, held_bytes + (int64_t)inflated.len);
  if (result == INFLATE_BROKEN) *fault = "the body is not the gzip that its Content-Encoding says";
  if (inflated.bytes) req->content = inflated;
  if (result == INFLATE_OVER) return reply_too_large(req, "the inflated body");
  return result != INFLATE_NO_ROOM || reply_overload(req);
}
