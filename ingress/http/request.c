// SPDX-License-Identifier: MIT
#include "ingress/http/request.h"

#include "common/ops/http.h"
#include <strings.h>

struct reply reply_error(int status, const char *code, const char *message) {
  return (struct reply){.status = status, .body = http_error_body(code, message)};
}

struct reply reply_closing(int status, const char *code, const char *message) {
  struct reply reply = reply_error(status, code, message);
  reply.close = true;
  return reply;
}

struct reply reply_unavailable(void) {
  struct reply reply = reply_error(503, "unavailable", "it could not be stored now; send it again");
  reply.headers = "Retry-After: 5\r\n";
  return reply;
}

struct reply reply_overload(void) {
  struct reply reply = reply_closing(503, "overload", "too much is being worked on already; send it again");
  reply.headers = "Retry-After: 1\r\n";
  return reply;
}

struct reply reply_inflates_too_much(void) {
  return reply_closing(413, "too_large", "the body inflates to more than DOCHAK_BODY_MAX_BYTES");
}

struct reply reply_ack(struct provider_ack ack) {
  return (struct reply){.status = ack.status, .body = ack.body};
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

enum request_encoding request_encoding(const struct request *req) {
  enum request_encoding encoding = REQUEST_PLAIN;
  for (int i = 0; i < req->info->num_headers; i++) {
    const struct mg_header *header = &req->info->http_headers[i];
    if (strcasecmp(header->name, "Content-Encoding") != 0 || !*header->value ||
        strcasecmp(header->value, "identity") == 0)
      continue;
    bool gzip = strcasecmp(header->value, "gzip") == 0 || strcasecmp(header->value, "x-gzip") == 0;
    encoding = gzip && encoding == REQUEST_PLAIN ? REQUEST_GZIP : REQUEST_FOREIGN;
  }
  return encoding;
}
