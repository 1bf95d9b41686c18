// SPDX-License-Identifier: MIT
// One kind of sender check, and what several kinds share. A new kind is a row in verify.c, its form in
// endpoints.schema.json and one of these.
#pragma once
#include "ingress/sender/verify.h"

struct check {
  const char *name; // its key in the endpoints file; also in logs and metrics
  bool wants_body;
  void *(*new)(const json_t *conf, struct err *err); // NULL with "/key: rule"
  bool (*passes)(const void *self, const struct verify_request *req);
  void (*free)(void *self);
};

extern const struct check check_ip, check_query_token, check_header, check_header_sha1, check_hmac_timestamp,
    check_standard_webhooks, check_twilio;

// The header's value; NULL when it is not there exactly once, is empty, or longer than anything we look for.
const char *check_header_once(const struct verify_request *req, const char *name);

// A Unix time in digits, and near enough to the request's: both ways, the bound included.
enum check_time {
  CHECK_TIME_SECONDS,  // 1 to 12 digits
  CHECK_TIME_BY_DIGITS // 1 to 16 digits: from 13 on milliseconds, else seconds
};
bool check_fresh(const struct verify_request *req, const char *text, enum check_time unit,
                 int64_t tolerance_ms);

// Members of a check's configuration; the schema has seen to their type and range.
const char *check_text(const json_t *conf, const char *name, const char *otherwise);
int64_t check_tolerance_ms(const json_t *conf);
