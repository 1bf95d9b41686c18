// SPDX-License-Identifier: MIT
// One kind of sender check, and what several kinds share. A new kind is a row in verify.c, its form in
// endpoints.schema.json and one of these. A check refuses whatever it cannot decide. Thread: any.
#pragma once
#include "ingress/sender/checks/keys.h"
#include "ingress/sender/secrets.h"
#include "ingress/sender/verify.h"

// What one check of one endpoint is configured with. Each kind uses some of it.
struct check_conf {
  struct networks allowed; // the sender's address is in one of them
  struct secrets secrets;  // the sender shows one of them
  struct keys keys;        // the sender signs with one of them
  char *names[2];          // of headers or of a parameter; for Twilio the endpoint's URLs
  int64_t tolerance_ms;    // of a timestamp
};

struct check {
  const char *name; // its key in the endpoints file; also in logs and metrics
  bool wants_body;
  bool of_signature; // it is not run for a call that the provider does not sign
  // `json` has passed the schema. False with "/key: rule".
  bool (*load)(struct check_conf *out, const json_t *json, struct err *err);
  bool (*passes)(const struct check_conf *conf, const struct verify_request *req);
};

extern const struct check check_ip, check_query_token, check_header, check_header_sha1, check_hmac_timestamp,
    check_standard_webhooks, check_twilio;

// Members of the configuration.
const char *check_text(const json_t *json, const char *name, const char *otherwise);
int64_t check_tolerance_ms(const json_t *json);

// The header's value. NULL: it does not occur exactly once, or has no value, or one of over 4096 bytes.
const char *check_header_once(const struct verify_request *req, const char *name);

// Whether `text` is a Unix time in digits, at most the tolerance before or after the request.
enum check_time {
  CHECK_TIME_SECONDS,  // 1 to 12 digits
  CHECK_TIME_BY_DIGITS // 1 to 16 digits: from 13 on milliseconds, else seconds
};
bool check_fresh(const struct verify_request *req, const char *text, enum check_time unit,
                 int64_t tolerance_ms);
