// SPDX-License-Identifier: MIT
// One kind of sender check. A new kind is a row in verify.c, its form in endpoints.schema.json and one of
// these. A check refuses whatever it cannot decide. Thread: any.
#pragma once
#include "common/config/secrets.h"
#include "ingress/sender/network.h"
#include "ingress/sender/verify.h"

enum { CHECK_TEXTS = 5 };

// What a text of the endpoints file names, if that is compared with a secret or taken for a signature.
enum check_names { CHECK_NAMES_NOTHING, CHECK_NAMES_HEADER, CHECK_NAMES_PARAMETER };

// One check of one endpoint.
struct check_conf {
  const struct check *check;
  const char *texts[CHECK_TEXTS]; // borrowed from the file
  struct networks allowed;
  struct secrets secrets;
  int64_t tolerance_ms; // of a timestamp
};

struct check {
  const char *name; // its key in the endpoints file; also in logs and metrics
  struct {
    const char *key, *otherwise; // NULL: none; the value where the file leaves it out
  } texts[CHECK_TEXTS];
  enum check_names names[CHECK_TEXTS]; // of each text
  enum verify_stage stage;
  bool of_signature;     // it is not run for a call that the provider does not sign
  secrets_form_fn *form; // of its secrets; NULL: as they are
  bool (*passes)(const struct check_conf *conf, const struct request *req);
};

extern const struct check check_ip, check_query_token, check_header, check_header_sha1, check_hmac_timestamp,
    check_signed_body, check_jwt, check_standard_webhooks, check_twilio;

// The header's value. NULL: it does not occur exactly once, or has no value.
const char *check_header_once(const struct request *req, const char *name);

// The same without the prefix, of which the letter case does not count. NULL, too, if it does not begin so.
const char *check_header_behind(const struct request *req, const char *name, const char *prefix);

// Whether `text` is a Unix time, at most the tolerance before or after the request: 1 to 16 digits, from 13
// on milliseconds, else seconds.
bool check_fresh(const struct check_conf *conf, const struct request *req, const char *text);
