// SPDX-License-Identifier: MIT
// The checks together, and each that has no test of its own in checks/. Vectors: providers' documents and
// SDKs, or computed with Python's hmac.
#include "common/base/mem.h"
#include "ingress/sender/checks/check.h"
#include "ingress/sender/endpoints.h"
#include "tests/unit/support/sender.h"
#include <openssl/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// ---- BizGo: hmac_timestamp ----

#define BIZGO_MS                    "1743381600000"
#define BIZGO_HEX                   "8d6322d3381e47f106b71e5223f4194fe80c7b6809f91d18e067e730798eba5c"
#define BIZGO_UPPER                 "8D6322D3381E47F106B71E5223F4194FE80C7B6809F91D18E067E730798EBA5C"
#define BIZGO_BASE64                "jWMi0zgeR/EGtx5SI/QZT+gMe2gJ+R0Y4GfnMHmOulw="
#define BIZGO_PAIR(time, signature) "X-IB-Timestamp: " time "\nX-IB-Signature: " signature
#define BIZGO(label, headers_, at, refused_)                                                                 \
  { .what = label, .headers = headers_, .now_ms = at, .refused = refused_ }

static const int64_t bizgo_now = 1743381600000;

static void test_hmac_timestamp(void **state) {
  static const char no[] = "hmac_timestamp";
  const struct sender rows[] = {
      BIZGO("hex", BIZGO_PAIR(BIZGO_MS, BIZGO_HEX), bizgo_now, NULL),
      BIZGO("upper case hex", BIZGO_PAIR(BIZGO_MS, BIZGO_UPPER), bizgo_now, NULL),
      BIZGO("base64", BIZGO_PAIR(BIZGO_MS, BIZGO_BASE64), bizgo_now, NULL),
      BIZGO("names in any case", "x-ib-TIMESTAMP: " BIZGO_MS "\nx-ib-signature: " BIZGO_HEX, bizgo_now, NULL),
      BIZGO("as late as allowed", BIZGO_PAIR(BIZGO_MS, BIZGO_HEX), bizgo_now + 300000, NULL),
      BIZGO("too late", BIZGO_PAIR(BIZGO_MS, BIZGO_HEX), bizgo_now + 300001, no),
      BIZGO("as early as allowed", BIZGO_PAIR(BIZGO_MS, BIZGO_HEX), bizgo_now - 300000, NULL),
      BIZGO("too early", BIZGO_PAIR(BIZGO_MS, BIZGO_HEX), bizgo_now - 300001, no),
      BIZGO("seconds", BIZGO_PAIR("1743381600", "aLaNCf5Zxvd5G3tp5XP/rdC54Q9unAO5pLZNLA0oTTg="), bizgo_now,
            NULL),
      BIZGO("another time", BIZGO_PAIR("1743381600001", BIZGO_HEX), bizgo_now, no),
      BIZGO("another signature",
            BIZGO_PAIR(BIZGO_MS, "9d6322d3381e47f106b71e5223f4194fe80c7b6809f91d18e067e730798eba5c"),
            bizgo_now, no),
      BIZGO("cut", BIZGO_PAIR(BIZGO_MS, "8d6322d3381e47f106b71e5223f4194f"), bizgo_now, no),
      BIZGO("longer", BIZGO_PAIR(BIZGO_MS, BIZGO_HEX "00"), bizgo_now, no),
      BIZGO("with a prefix", BIZGO_PAIR(BIZGO_MS, "sha256=" BIZGO_HEX), bizgo_now, no),
      BIZGO("base64 in lower case", BIZGO_PAIR(BIZGO_MS, "jwmi0zger/egtx5si/qzt+gme2gj+r0y4gfnmhmoulw="),
            bizgo_now, no),
      BIZGO("empty signature", BIZGO_PAIR(BIZGO_MS, ""), bizgo_now, no),
      BIZGO("empty time", BIZGO_PAIR("", BIZGO_HEX), bizgo_now, no),
      BIZGO("a sign", BIZGO_PAIR("+1743381600000", BIZGO_HEX), bizgo_now, no),
      BIZGO("negative", BIZGO_PAIR("-1743381600000", BIZGO_HEX), bizgo_now, no),
      BIZGO("a fraction", BIZGO_PAIR("1743381600000.0", BIZGO_HEX), bizgo_now, no),
      BIZGO("a fraction, signed",
            BIZGO_PAIR("1743381600000.0", "00b4ce3016769d28ccf107e632e32440707cd8565357632960488504a4646f26"),
            bizgo_now, no),
      BIZGO("17 digits", BIZGO_PAIR("17433816000000000", BIZGO_HEX), bizgo_now, no),
      BIZGO(
          "16 digits, signed",
          BIZGO_PAIR("1000000000000000", "6ca5800970350bd7e9ca5502456e3aefab6f49c19a3a928248f3dd3048245f6e"),
          INT64_C(1000000000000000), NULL),
      BIZGO(
          "17 digits, signed",
          BIZGO_PAIR("10000000000000000", "5bd30adf4779a2dd90a98434d84f2d5f1683d3b67acb9b0899517d46b7f8e4a6"),
          INT64_C(10000000000000000), no),
      BIZGO("signed with an empty secret",
            BIZGO_PAIR(BIZGO_MS, "2d591b7ee282db850a6437a7cd2093d5c4f6bb5be17e88312ff137f12cf221fe"),
            bizgo_now, no),
      BIZGO("no signature", "X-IB-Timestamp: " BIZGO_MS, bizgo_now, no),
      BIZGO("no time", "X-IB-Signature: " BIZGO_HEX, bizgo_now, no),
      BIZGO("nothing", "", bizgo_now, no),
      BIZGO("the same signature twice", BIZGO_PAIR(BIZGO_MS, BIZGO_HEX) "\nX-IB-Signature: " BIZGO_HEX,
            bizgo_now, no),
      BIZGO("two times", BIZGO_PAIR(BIZGO_MS, BIZGO_HEX) "\nX-IB-Timestamp: 1", bizgo_now, no),
  };
  RUN("{\"hmac_timestamp\":{\"secrets\":[\"DOCHAK_SECRET_BIZGO\"]}}", rows);
}

static void test_hmac_timestamp_with_other_names_tolerance_and_secrets(void **state) {
  static const char no[] = "hmac_timestamp";
  const struct sender rows[] = {
      BIZGO("other names", "T: " BIZGO_MS "\nS: " BIZGO_HEX, bizgo_now, NULL),
      BIZGO("the usual names", BIZGO_PAIR(BIZGO_MS, BIZGO_HEX), bizgo_now, no),
      BIZGO("a second", "T: " BIZGO_MS "\nS: " BIZGO_HEX, bizgo_now + 1000, NULL),
      BIZGO("and a bit", "T: " BIZGO_MS "\nS: " BIZGO_HEX, bizgo_now + 1001, no),
  };
  RUN("{\"hmac_timestamp\":{\"secrets\":[\"DOCHAK_SECRET_OTHER\",\"DOCHAK_SECRET_BIZGO\"],\"tolerance_s\":1,"
      "\"timestamp_header\":\"T\",\"signature_header\":\"S\"}}",
      rows);
  const struct sender wrong[] = {
      BIZGO("another secret", BIZGO_PAIR(BIZGO_MS, BIZGO_HEX), bizgo_now, no),
      BIZGO("another secret, base64", BIZGO_PAIR(BIZGO_MS, BIZGO_BASE64), bizgo_now, no),
  };
  RUN("{\"hmac_timestamp\":{\"secrets\":[\"DOCHAK_SECRET_OTHER\"]}}", wrong);
}

// ---- Standard Webhooks ----

#define SW_ID        "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\n"
#define SW_TIME      "webhook-timestamp: 1614265330\n"
#define SW_SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define SW_BODY      "{\"test\": 2432232314}"
#define SW_OTHER     "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define SW_ID_64     "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii"
#define SW_LONG_ID   SW_ID_64 SW_ID_64 SW_ID_64 SW_ID_64
#define SW_8                                                                                                 \
  SW_OTHER " " SW_OTHER " " SW_OTHER " " SW_OTHER " " SW_OTHER " " SW_OTHER " " SW_OTHER " " SW_OTHER " "
#define SW(label, headers_, body_, refused_)                                                                 \
  { .what = label, .headers = headers_, .body = body_, .now_ms = 1614265330000, .refused = refused_ }
#define SW_GOOD SW_ID SW_TIME "webhook-signature: " SW_SIGNATURE

static void test_standard_webhooks(void **state) {
  static const char no[] = "standard_webhooks";
  struct sender rows[] = {
      SW("the specification's vector", SW_GOOD, SW_BODY, NULL),
      SW("second of a list", SW_ID SW_TIME "webhook-signature: " SW_OTHER " " SW_SIGNATURE, SW_BODY, NULL),
      SW("behind other kinds", SW_ID SW_TIME "webhook-signature: v1a,abc v2,def x " SW_SIGNATURE, SW_BODY,
         NULL),
      SW("two spaces", SW_ID SW_TIME "webhook-signature: " SW_OTHER "  " SW_SIGNATURE, SW_BODY, NULL),
      SW("the 25th of a list", SW_ID SW_TIME "webhook-signature: " SW_8 SW_8 SW_8 SW_SIGNATURE, SW_BODY,
         NULL),
      SW("the 33rd of a list", SW_ID SW_TIME "webhook-signature: " SW_8 SW_8 SW_8 SW_8 SW_SIGNATURE, SW_BODY,
         no),
      SW("names in any case",
         "Webhook-Id: msg_p5jXN8AQM9LWM0D4loKWxJek\nWEBHOOK-TIMESTAMP: "
         "1614265330\nWebhook-Signature: " SW_SIGNATURE,
         SW_BODY, NULL),
      SW("another body", SW_GOOD, "{\"test\": 2432232315}", no),
      SW("the same JSON in other bytes", SW_GOOD, "{\"test\":2432232314}", no),
      SW("no body", SW_GOOD, "", no),
      SW("another id", "webhook-id: msg_x\n" SW_TIME "webhook-signature: " SW_SIGNATURE, SW_BODY, no),
      SW("another time", SW_ID "webhook-timestamp: 1614265331\nwebhook-signature: " SW_SIGNATURE, SW_BODY,
         no),
      SW("milliseconds", SW_ID "webhook-timestamp: 1614265330000\nwebhook-signature: " SW_SIGNATURE, SW_BODY,
         no),
      SW("a long id",
         "webhook-id: " SW_LONG_ID "\n" SW_TIME
         "webhook-signature: v1,UmyRTXjCa1YCWwWsGfb7lz82LUgjm53UXPHNecotoio=",
         SW_BODY, NULL),
      SW("not a number", SW_ID "webhook-timestamp: now\nwebhook-signature: " SW_SIGNATURE, SW_BODY, no),
      SW("another signature", SW_ID SW_TIME "webhook-signature: " SW_OTHER, SW_BODY, no),
      SW("without its version",
         SW_ID SW_TIME "webhook-signature: g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", SW_BODY, no),
      SW("as another version",
         SW_ID SW_TIME "webhook-signature: v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", SW_BODY, no),
      SW("as version 2",
         SW_ID SW_TIME "webhook-signature: v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", SW_BODY, no),
      SW("in hex",
         SW_ID SW_TIME
         "webhook-signature: v1,83484cf52b04f8e4cf2531adfed9882ad4b2665137b852442d594d20e2c9d4e1",
         SW_BODY, no),
      SW("only a version", SW_ID SW_TIME "webhook-signature: v1,", SW_BODY, no),
      SW("without its padding",
         SW_ID SW_TIME "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE", SW_BODY, no),
      SW("spaces", SW_ID SW_TIME "webhook-signature:   ", SW_BODY, no),
      SW("no id", SW_TIME "webhook-signature: " SW_SIGNATURE, SW_BODY, no),
      SW("no time", SW_ID "webhook-signature: " SW_SIGNATURE, SW_BODY, no),
      SW("no signature", SW_ID SW_TIME, SW_BODY, no),
      SW("id twice", SW_GOOD "\n" SW_ID, SW_BODY, no),
      SW("time twice", SW_GOOD "\n" SW_TIME, SW_BODY, no),
      SW("signature twice", SW_GOOD "\nwebhook-signature: " SW_SIGNATURE, SW_BODY, no),
      {.what = "12 digits",
       .headers = "webhook-id: msg\nwebhook-timestamp: 100000000000\nwebhook-signature: "
                  "v1,2MojE9Vnttw8P/o7CkDb+tjmgW5PWDzV9IXa/Y+1VZQ=",
       .body = SW_BODY,
       .now_ms = INT64_C(100000000000000)},
      SW("as late as allowed", SW_GOOD, SW_BODY, NULL),
      SW("too late", SW_GOOD, SW_BODY, no),
      SW("too early", SW_GOOD, SW_BODY, no),
  };
  rows[COUNT_OF(rows) - 3].now_ms += 300000;
  rows[COUNT_OF(rows) - 2].now_ms += 300001;
  rows[COUNT_OF(rows) - 1].now_ms -= 300001;
  RUN("{\"standard_webhooks\":{\"secrets\":[\"DOCHAK_SECRET_SW\"]}}", rows);
  RUN("{\"standard_webhooks\":{\"secrets\":[\"DOCHAK_SECRET_SW_BARE\"]}}", rows);
  RUN("{\"standard_webhooks\":{\"secrets\":[\"DOCHAK_SECRET_SW_NEXT\",\"DOCHAK_SECRET_SW\"]}}", rows);
  const struct sender wrong[] = {SW("another secret", SW_GOOD, SW_BODY, no)};
  RUN("{\"standard_webhooks\":{\"secrets\":[\"DOCHAK_SECRET_SW_LONGEST\"]}}", wrong);
  RUN("{\"standard_webhooks\":{\"secrets\":[\"DOCHAK_SECRET_SW_NEXT\"]}}", wrong);
}

// ---- Twilio ----

#define FORM "Content-Type: application/x-www-form-urlencoded\n"
#define TWILIO_FORM                                                                                          \
  "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"
// Made with the secret below by twilio.request_validator of PyPI.
#define TW_FORM_SIGNATURE "sYX5c7Okd05hG0T3rfBuOx2IvG0="
#define TW_PORT_SIGNATURE "x1zY8gKbtvvbS0Fsy7rC84+c/d8="
#define TW_MANY_SIGNATURE "hbkVNyoYUPcmQIxQyhg7dIRa03o="
#define TW_JSON_SIGNATURE "hCWXrm980picViFJUdEWVJ9qA6M="
#define TW_BARE_SIGNATURE "mglXHbAQXUKUImywditXjl6U+tE="
#define TW_HASH           "bodySHA256=f9d86028c6e0d64e225186f96acb69338b2c59764df79162107f5c4bb34d1310"
#define TW(label, headers_, query_, body_, refused_)                                                         \
  { .what = label, .headers = headers_, .query = query_, .body = body_, .refused = refused_ }

static void test_the_signature_of_twilios_documentation(void **state) {
  char token[] = "12345", body[] = TWILIO_FORM;
  struct mg_request_info info = {.query_string = "foo=1&bar=2",
                                 .num_headers = 2,
                                 .http_headers = {{"Content-Type", "application/x-www-form-urlencoded"}}};
  struct request req = {.info = &info, .rest = "", .body = {body, strlen(body)}};
  struct secret secret = {token, strlen(token)};
  struct check_conf conf = {
      .check = &check_twilio, .texts = {"https://mycompany.com/myapp.php"}, .secrets = {&secret, 1}};
  info.http_headers[1] = (struct mg_header){"X-Twilio-Signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8="};
  assert_true(check_twilio.passes(&conf, &req));
  info.http_headers[1].value = "RSOYDt4T1cUTdK1PDd93/VVr8B9=";
  assert_false(check_twilio.passes(&conf, &req));
}

static void test_twilio(void **state) {
  static const char no[] = "twilio";
  const struct sender rows[] = {
      TW("form", FORM "X-Twilio-Signature: " TW_FORM_SIGNATURE, "foo=1&bar=2", TWILIO_FORM, NULL),
      TW("form in another order", FORM "X-Twilio-Signature: " TW_FORM_SIGNATURE, "foo=1&bar=2",
         "To=%2B18005551212&Digits=1234&Caller=%2B14158675309&From=%2B14158675309&CallSid=CA1234567890ABCDE",
         NULL),
      TW("with a character set",
         "Content-Type: application/x-www-form-urlencoded; "
         "charset=UTF-8\nX-Twilio-Signature: " TW_FORM_SIGNATURE,
         "foo=1&bar=2", TWILIO_FORM, NULL),
      TW("with the port", FORM "X-Twilio-Signature: " TW_PORT_SIGNATURE, "foo=1&bar=2", TWILIO_FORM, NULL),
      TW("repeated and empty values", FORM "X-Twilio-Signature: " TW_MANY_SIGNATURE, NULL,
         "b=2&a=&b=1&b=2&c=x+y", NULL),
      TW("JSON", "Content-Type: application/json\nX-Twilio-Signature: " TW_JSON_SIGNATURE, TW_HASH,
         "{\"a\": 1}", NULL),
      TW("another JSON", "Content-Type: application/json\nX-Twilio-Signature: " TW_JSON_SIGNATURE, TW_HASH,
         "{\"a\": 2}", no),
      TW("no JSON", "Content-Type: application/json\nX-Twilio-Signature: " TW_JSON_SIGNATURE, TW_HASH, "",
         no),
      TW("two hashes", "X-Twilio-Signature: " TW_JSON_SIGNATURE, TW_HASH "&" TW_HASH, "{\"a\": 1}", no),
      TW("JSON that nothing signs", "Content-Type: application/json\nX-Twilio-Signature: " TW_BARE_SIGNATURE,
         NULL, "{\"a\": 1}", no),
      TW("nothing at all, signed", "X-Twilio-Signature: " TW_BARE_SIGNATURE, NULL, "", NULL),
      TW("another query", FORM "X-Twilio-Signature: " TW_FORM_SIGNATURE, "foo=1&bar=3", TWILIO_FORM, no),
      TW("no query", FORM "X-Twilio-Signature: " TW_FORM_SIGNATURE, NULL, TWILIO_FORM, no),
      TW("another value", FORM "X-Twilio-Signature: " TW_FORM_SIGNATURE, "foo=1&bar=2",
         "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1235&From=%2B14158675309&To=%2B18005551212",
         no),
      TW("a value more", FORM "X-Twilio-Signature: " TW_FORM_SIGNATURE, "foo=1&bar=2", TWILIO_FORM "&x=y",
         no),
      TW("an ill-formed escape", FORM "X-Twilio-Signature: " TW_FORM_SIGNATURE, "foo=1&bar=2",
         TWILIO_FORM "&%", no),
      TW("an ill-formed form that the signature leaves out", FORM "X-Twilio-Signature: " TW_BARE_SIGNATURE,
         NULL, "%", no),
      TW("no content type", "X-Twilio-Signature: " TW_FORM_SIGNATURE, "foo=1&bar=2", TWILIO_FORM, no),
      TW("a content type that only begins so",
         "Content-Type: application/x-www-form-urlencodedx\nX-Twilio-Signature: " TW_FORM_SIGNATURE,
         "foo=1&bar=2", TWILIO_FORM, no),
      TW("no signature", FORM, "foo=1&bar=2", TWILIO_FORM, no),
      TW("empty signature", FORM "X-Twilio-Signature: ", "foo=1&bar=2", TWILIO_FORM, no),
      TW("two signatures",
         FORM "X-Twilio-Signature: " TW_FORM_SIGNATURE "\nX-Twilio-Signature: " TW_FORM_SIGNATURE,
         "foo=1&bar=2", TWILIO_FORM, no),
  };
  RUN("{\"twilio\":{\"url\":\"https://mycompany.com/myapp.php\",\"secrets\":[\"DOCHAK_SECRET_TWILIO\"]}}",
      rows);
  RUN("{\"twilio\":{\"url\":\"https://mycompany.com:443/myapp.php\",\"secrets\":[\"DOCHAK_SECRET_OTHER\","
      "\"DOCHAK_SECRET_TWILIO\"]}}",
      rows);
  static const struct sender wrong[] = {TW("wrong secret or URL",
                                           FORM "X-Twilio-Signature: " TW_FORM_SIGNATURE, "foo=1&bar=2",
                                           TWILIO_FORM, "twilio")};
  RUN("{\"twilio\":{\"url\":\"https://mycompany.com/myapp.php\",\"secrets\":[\"DOCHAK_SECRET_OTHER\"]}}",
      wrong);
  RUN("{\"twilio\":{\"url\":\"http://mycompany.com/myapp.php\",\"secrets\":[\"DOCHAK_SECRET_TWILIO\"]}}",
      wrong);
  RUN("{\"twilio\":{\"url\":\"https://mycompany.com\",\"secrets\":[\"DOCHAK_SECRET_TWILIO\"]}}", wrong);
  static const struct sender secret_part[] = {{.what = "the secret part of the path is signed too",
                                               .headers = FORM "X-Twilio-Signature: " TW_FORM_SIGNATURE,
                                               .query = "foo=1&bar=2",
                                               .body = TWILIO_FORM,
                                               .rest = "/myapp.php"}};
  RUN("{\"twilio\":{\"url\":\"https://mycompany.com\",\"secrets\":[\"DOCHAK_SECRET_TWILIO\"]}}", secret_part);
}

// ---- secrets shown as they are ----

#define ROW(label, headers_, query_, refused_)                                                               \
  { .what = label, .headers = headers_, .query = query_, .refused = refused_ }

static void test_query_token(void **state) {
  static const char no[] = "query_token";
  static const struct sender rows[] = {
      ROW("the token", NULL, "token=channel+token/0", NULL),
      ROW("the token, encoded", NULL, "token=channel%2Btoken%2f0", NULL),
      ROW("the name, encoded", NULL, "%74oken=channel+token/0", NULL),
      ROW("among others", NULL, "a=b&&token=channel+token/0&c", NULL),
      ROW("the next token", NULL, "token=next-token-0123", NULL),
      ROW("twice", NULL, "token=channel+token/0&token=channel+token/0", no),
      ROW("twice, one encoded", NULL, "token=channel+token/0&%74oken=x", no),
      ROW("no query", NULL, NULL, no),
      ROW("empty query", NULL, "", no),
      ROW("no token", NULL, "a=b", no),
      ROW("empty", NULL, "token=", no),
      ROW("no value", NULL, "token", no),
      ROW("another case", NULL, "token=Channel+token/0", no),
      ROW("another name", NULL, "Token=channel+token/0", no),
      ROW("longer", NULL, "token=channel+token/0x", no),
      ROW("with a NUL", NULL, "token=channel+token/0%00", no),
      ROW("shorter", NULL, "token=channel+token/", no),
      ROW("a space for a plus", NULL, "token=channel%20token/0", no),
      ROW("an ill-formed escape", NULL, "token=channel+token/0&a=%zz", no),
      ROW("an escape cut off", NULL, "token=channel+token/0&a=%2", no),
      ROW("in a header", "token: channel+token/0", NULL, no),
  };
  RUN("{\"query_token\":{\"secrets\":[\"DOCHAK_SECRET_CHANNEL\",\"DOCHAK_SECRET_CHANNEL_NEXT\"]}}", rows);
  static const struct sender named[] = {ROW("other name", NULL, "key=channel+token/0", NULL),
                                        ROW("usual name", NULL, "token=channel+token/0", no)};
  RUN("{\"query_token\":{\"parameter\":\"key\",\"secrets\":[\"DOCHAK_SECRET_CHANNEL\"]}}", named);
}

static void test_header(void **state) {
  static const char no[] = "header";
  static const struct sender nhn[] = {
      ROW("the secret", "X-Toast-Webhook-Signature: nhn secret!", NULL, NULL),
      ROW("name in any case", "x-toast-webhook-signature: nhn secret!", NULL, NULL),
      ROW("the next one", "X-Toast-Webhook-Signature: next-token-0123", NULL, NULL),
      ROW("twice", "X-Toast-Webhook-Signature: nhn secret!\nX-Toast-Webhook-Signature: nhn secret!", NULL,
          no),
      ROW("missing", "", NULL, no),
      ROW("empty", "X-Toast-Webhook-Signature:", NULL, no),
      ROW("another case", "X-Toast-Webhook-Signature: NHN secret!", NULL, no),
      ROW("longer", "X-Toast-Webhook-Signature: nhn secret!!", NULL, no),
      ROW("shorter", "X-Toast-Webhook-Signature: nhn secret", NULL, no),
      ROW("another header", "X-Signature: nhn secret!", NULL, no),
      ROW("no secret, printed", "X-Toast-Webhook-Signature: (null)", NULL, no),
  };
  RUN("{\"header\":{\"header\":\"X-Toast-Webhook-Signature\",\"secrets\":[\"DOCHAK_SECRET_NHN\","
      "\"DOCHAK_SECRET_CHANNEL_NEXT\"]}}",
      nhn);
  static const struct sender kakao[] = {
      ROW("with the prefix", "Authorization: KakaoAK kakao-admin-key", NULL, NULL),
      ROW("without", "Authorization: kakao-admin-key", NULL, no),
      ROW("another prefix", "Authorization: Bearer kakao-admin-key", NULL, no),
      ROW("only the prefix", "Authorization: KakaoAK ", NULL, no),
      ROW("two spaces", "Authorization: KakaoAK  kakao-admin-key", NULL, no),
  };
  RUN("{\"header\":{\"header\":\"Authorization\",\"prefix\":\"KakaoAK "
      "\",\"secrets\":[\"DOCHAK_SECRET_KAKAO\"]}}",
      kakao);
}

static void test_header_sha1(void **state) {
  static const char no[] = "header_sha1";
  static const struct sender rows[] = {
      // printf solapi-secret | sha1sum
      ROW("hex", "X-Solapi-Secret: 1bf11fe1809d136b62376d1a0936604901f64066", NULL, NULL),
      ROW("upper case", "X-Solapi-Secret: 1BF11FE1809D136B62376D1A0936604901F64066", NULL, NULL),
      ROW("another", "X-Solapi-Secret: 0bf11fe1809d136b62376d1a0936604901f64066", NULL, no),
      ROW("the secret itself", "X-Solapi-Secret: solapi-secret", NULL, no),
      ROW("the hash of nothing", "X-Solapi-Secret: da39a3ee5e6b4b0d3255bfef95601890afd80709", NULL, no),
      ROW("shorter", "X-Solapi-Secret: 1bf11fe1809d136b62376d1a0936604901f6406", NULL, no),
      ROW("longer", "X-Solapi-Secret: 1bf11fe1809d136b62376d1a0936604901f640660", NULL, no),
      ROW("missing", "", NULL, no),
      ROW("twice", "X-Solapi-Secret: 1bf11fe1809d136b62376d1a0936604901f64066\nX-Solapi-Secret: x", NULL, no),
  };
  RUN("{\"header_sha1\":{\"secrets\":[\"DOCHAK_SECRET_OTHER\",\"DOCHAK_SECRET_SOLAPI\"]}}", rows);
}

// ---- all together ----

static void test_all_that_are_configured_have_to_pass(void **state) {
  static const char checks[] = "{\"ip\":{\"allow\":[\"192.0.2.0/24\",\"2001:db8::/32\"]},"
                               "\"query_token\":{\"secrets\":[\"DOCHAK_SECRET_CHANNEL\"]},"
                               "\"standard_webhooks\":{\"secrets\":[\"DOCHAK_SECRET_SW\"]}}";
  static const struct sender rows[] = {
      {"all", SW_GOOD, "token=channel+token/0", SW_BODY, NULL, 1614265330000, "192.0.2.9", NULL},
      {"all, IPv6", SW_GOOD, "token=channel+token/0", SW_BODY, NULL, 1614265330000, "2001:db8::7", NULL},
      {"address", SW_GOOD, "token=channel+token/0", SW_BODY, NULL, 1614265330000, "192.0.3.9", "ip"},
      {"token", SW_GOOD, "token=wrong", SW_BODY, NULL, 1614265330000, "192.0.2.9", "query_token"},
      {"body", SW_GOOD, "token=channel+token/0", "x", NULL, 1614265330000, "192.0.2.9", "standard_webhooks"},
      {"a peer without an address", SW_GOOD, "token=channel+token/0", SW_BODY, NULL, 1614265330000, "", "ip"},
  };
  RUN(checks, rows);
}

#define SECRETS(name) "\"secrets\":[\"DOCHAK_SECRET_" name "\"]"

static void test_one_endpoint_can_have_every_check(void **state) {
  static const char checks[] = "{\"ip\":{\"allow\":[\"192.0.2.0/24\"]},\"query_token\":{" SECRETS(
      "CHANNEL") "},"
                 "\"header\":{\"header\":\"H\"," SECRETS("NHN") "},\"header_sha1\":{" SECRETS(
                     "SOLAPI") "},"
                               "\"hmac_timestamp\":{" SECRETS("BIZGO") "},\"standard_webhooks\":{" SECRETS(
                                   "SW") "},"
                                         "\"twilio\":{\"url\":\"https://mycompany.com\"," SECRETS(
                                             "TWILIO") "}}";
  static const struct sender rows[] = {
      ROW("no token", NULL, NULL, "query_token"),
      ROW("no more than a token", NULL, "token=channel+token/0", "header"),
      ROW("no more than a header", "H: nhn secret!", "token=channel+token/0", "header_sha1"),
  };
  RUN(checks, rows);
}

static void test_no_checks_let_everyone_in(void **state) {
  struct faults faults = {0};
  struct verify *none = verify_new(NULL, &faults);
  assert_non_null(none);
  assert_null(ask(none, &(struct sender){.what = "anyone"}));
  verify_free(none);
  verify_free(NULL);
}

static void test_of_more_than_four_keys_the_first_four_sign(void **state) {
  static const struct sender rows[] = {
      BIZGO("behind the fourth", BIZGO_PAIR(BIZGO_MS, BIZGO_HEX), INT64_C(1743381600000), "hmac_timestamp")};
  static const struct sender fourth[] = {
      BIZGO("the fourth", BIZGO_PAIR(BIZGO_MS, BIZGO_HEX), INT64_C(1743381600000), NULL)};
#define OTHERS "\"DOCHAK_SECRET_OTHER\",\"DOCHAK_SECRET_OTHER\",\"DOCHAK_SECRET_EIGHT\","
  RUN("{\"hmac_timestamp\":{\"secrets\":[" OTHERS "\"DOCHAK_SECRET_BIZGO\"]}}", fourth);
  RUN("{\"hmac_timestamp\":{\"secrets\":[" OTHERS "\"DOCHAK_SECRET_OTHER\",\"DOCHAK_SECRET_BIZGO\"]}}", rows);
}

static void test_without_a_secret_nobody_is_let_in(void **state) {
  static const struct sender signed_call[] = {
      BIZGO("signed", BIZGO_PAIR(BIZGO_MS, BIZGO_HEX), INT64_C(1743381600000), "hmac_timestamp")};
  static const struct sender token[] = {ROW("token", NULL, "token=", "query_token"),
                                        ROW("no token", NULL, NULL, "query_token")};
  RUN("{\"hmac_timestamp\":{\"secrets\":[]}}", signed_call);
  RUN("{\"query_token\":{}}", token);
}

static void test_only_keys_and_signatures_within_the_count_are_used(void **state) {
  char first[] = "first", second[] = "second", hex[DIGEST_HEX_SIZE];
  struct secret list[] = {{first, 5}, {second, 6}};
  struct secrets keys = {.list = list, .n = 1};
  struct signatures signatures;
  const struct piece text = {"text", 4};
  secrets_sign(&keys, DIGEST_SHA256, &text, 1, &signatures);
  assert_int_equal(signatures.n, 1);
  keys.n = 2;
  secrets_sign(&keys, DIGEST_SHA256, &text, 1, &signatures);
  assert_int_equal(signatures.n, 2);
  digest_hex(&signatures.list[1], hex);
  assert_true(signatures_hold(&signatures, SIGNATURE_HEX, hex, strlen(hex)));
  signatures.n = 1;
  assert_false(signatures_hold(&signatures, SIGNATURE_HEX, hex, strlen(hex)));
}

// OpenSSL's allocator, which can be made to fail, for good or once: then no digest can be computed.
enum { NEVER = -1 };
static bool openssl_fails;
static int openssl_fails_after = NEVER; // after so many allocations, once
static size_t openssl_allocations;

static bool openssl_can(void) {
  openssl_allocations++;
  if (openssl_fails_after > NEVER && openssl_fails_after-- == 0) return false;
  return !openssl_fails;
}

static void *openssl_malloc(size_t size, const char *file, int line) {
  (void)file, (void)line;
  return openssl_can() ? malloc(size) : NULL;
}

static void *openssl_realloc(void *old, size_t size, const char *file, int line) {
  (void)file, (void)line;
  return openssl_can() ? realloc(old, size) : NULL;
}

static void openssl_free(void *old, const char *file, int line) {
  (void)file, (void)line;
  free(old);
}

// Without a digest every sender of a signature is refused, and no check with a digest is configured.
static void test_a_check_that_cannot_run_refuses(void **state) {
  static const struct {
    const char *checks;
    struct sender sender;
  } rows[] = {
      {"{\"hmac_timestamp\":{\"secrets\":[\"DOCHAK_SECRET_BIZGO\"]}}",
       BIZGO("hmac", BIZGO_PAIR(BIZGO_MS, BIZGO_HEX), 1743381600000, "hmac_timestamp")},
      {"{\"standard_webhooks\":{\"secrets\":[\"DOCHAK_SECRET_SW\"]}}",
       SW("standard", SW_GOOD, SW_BODY, "standard_webhooks")},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct err err;
    struct verify *verify = configure(rows[i].checks, &err);
    assert_non_null(verify);
    assert_null(ask(verify, &rows[i].sender));
    openssl_fails = true;
    const char *got = ask(verify, &rows[i].sender);
    struct verify *more = configure("{\"header_sha1\":{\"secrets\":[\"DOCHAK_SECRET_OTHER\"]}}", &err);
    openssl_fails = false;
    assert_non_null(got);
    assert_string_equal(got, rows[i].sender.refused);
    assert_null(more);
    verify_free(verify);
  }
}

// The URL holds the hash of another body. OpenSSL fails at each of its allocations in turn.
static void test_a_failure_at_any_moment_lets_no_forged_body_in(void **state) {
  static const struct sender forged =
      TW("forged", "Content-Type: application/json\nX-Twilio-Signature: " TW_JSON_SIGNATURE, TW_HASH,
         "{\"a\": 2}", "twilio");
  struct err err;
  struct verify *verify = configure(
      "{\"twilio\":{\"url\":\"https://mycompany.com/myapp.php\",\"secrets\":[\"DOCHAK_SECRET_TWILIO\"]}}",
      &err);
  assert_non_null(verify);
  int n = 0;
  for (bool failed = true; failed; n++) {
    openssl_fails_after = n;
    assert_string_equal(ask(verify, &forged), forged.refused);
    failed = openssl_fails_after == NEVER;
    openssl_fails_after = NEVER;
  }
  assert_true(n > 1); // it has failed at least once
  verify_free(verify);
}

static void test_a_bad_configuration_is_refused_with_its_place(void **state) {
  static const struct {
    const char *checks, *fault;
  } rows[] = {
      {"{\"ip\":{\"allow\":[\"10.0.0.0/8\",\"10.0.0.1/8\"]}}",
       "/checks/ip/allow/1: expected no bits set behind the prefix"},
      {"{\"ip\":{\"allow\":[\"10.0.0.0/33\"]}}", "/checks/ip/allow/0: expected a prefix of 0 to 32 bits"},
      {"{\"header\":{\"header\":\"H\",\"secrets\":[\"DOCHAK_SECRET_NONE\"]}}",
       "/checks/header/secrets/0: DOCHAK_SECRET_NONE: not set; give it or DOCHAK_SECRET_NONE_FILE"},
      {"{\"header\":{\"header\":\"H\",\"secrets\":[\"DOCHAK_SECRET_OTHER\",\"DOCHAK_SECRET_SHORT\"]}}",
       "/checks/header/secrets/1: DOCHAK_SECRET_SHORT: expected at least 8 characters, got 7"},
      {"{\"twilio\":{\"url\":\"https://h\",\"secrets\":[\"DOCHAK_SECRET_LINES\"]}}",
       "/checks/twilio/secrets/0: DOCHAK_SECRET_LINES: expected no control characters such as a line break"},
      {"{\"standard_webhooks\":{\"secrets\":[\"DOCHAK_SECRET_OTHER\"]}}",
       "/checks/standard_webhooks/secrets/0: DOCHAK_SECRET_OTHER: expected whsec_ and the base64 of 24 to 64 "
       "bytes"},
      {"{\"standard_webhooks\":{\"secrets\":[\"DOCHAK_SECRET_SW_SHORT\"]}}",
       "/checks/standard_webhooks/secrets/0: DOCHAK_SECRET_SW_SHORT: expected whsec_ and the base64 of 24 to "
       "64 bytes"},
      {"{\"standard_webhooks\":{\"secrets\":[\"DOCHAK_SECRET_SW_LONG\"]}}",
       "/checks/standard_webhooks/secrets/0: DOCHAK_SECRET_SW_LONG: expected whsec_ and the base64 of 24 to "
       "64 bytes"},
      {"{\"standard_webhooks\":{\"secrets\":[\"DOCHAK_SECRET_SW_TOO_LONG\"]}}",
       "/checks/standard_webhooks/secrets/0: DOCHAK_SECRET_SW_TOO_LONG: expected whsec_ and the base64 of 24 "
       "to 64 bytes"},
      {"{\"standard_webhooks\":{\"secrets\":[\"DOCHAK_SECRET_SW_FAR_TOO_LONG\"]}}",
       "/checks/standard_webhooks/secrets/0: DOCHAK_SECRET_SW_FAR_TOO_LONG: expected whsec_ and the base64 "
       "of 24 to 64 bytes"},
      {"{\"standard_webhooks\":{\"secrets\":[\"DOCHAK_SECRET_SW_LOOSE\"]}}",
       "/checks/standard_webhooks/secrets/0: DOCHAK_SECRET_SW_LOOSE: expected whsec_ and the base64 of 24 to "
       "64 bytes"},
      {"{\"standard_webhooks\":{\"secrets\":[\"DOCHAK_SECRET_NONE\"]}}",
       "/checks/standard_webhooks/secrets/0: DOCHAK_SECRET_NONE: not set; give it or "
       "DOCHAK_SECRET_NONE_FILE"},
      {"{\"jws\":{}}", "/checks: expected only checks that exist"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct err err;
    assert_null(configure(rows[i].checks, &err));
    assert_string_equal(err.text, rows[i].fault);
  }
}

static size_t allocations_of(const struct verify *verify, const struct sender *row) {
  openssl_allocations = 0;
  assert_null(ask(verify, row));
  return openssl_allocations;
}

static void test_a_long_list_costs_no_more_hmacs_than_a_short_one(void **state) {
  static const struct sender one = SW("one", SW_GOOD, SW_BODY, NULL);
  static const struct sender many =
      SW("25", SW_ID SW_TIME "webhook-signature: " SW_8 SW_8 SW_8 SW_SIGNATURE, SW_BODY, NULL);
  struct err err;
  struct verify *verify = configure("{\"standard_webhooks\":{\"secrets\":[\"DOCHAK_SECRET_SW\"]}}", &err);
  assert_non_null(verify);
  assert_null(ask(verify, &one)); // what OpenSSL loads the first time
  size_t few = allocations_of(verify, &one);
  assert_true(few > 0);
  assert_int_equal(allocations_of(verify, &many), few);
  verify_free(verify);
}

int main(void) {
  if (!CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free)) return 1;
  static const char *const secrets[][2] = {
      {"DOCHAK_SECRET_BIZGO", "test-webhook-secret"},
      {"DOCHAK_SECRET_OTHER", "other-secret-0123"},
      {"DOCHAK_SECRET_SW", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
      {"DOCHAK_SECRET_SW_BARE", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
      {"DOCHAK_SECRET_SW_NEXT", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
      {"DOCHAK_SECRET_SW_SHORT", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRY="},
      {"DOCHAK_SECRET_SW_LONG",
       "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXAAECAwQFBgcICQoLDA0ODxAREhMUFRYXAAECAwQFBgcICQ"
       "oLDA0ODxA="},
      {"DOCHAK_SECRET_SW_LONGEST",
       "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="},
      {"DOCHAK_SECRET_SW_TOO_LONG",
       "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0A="},
      {"DOCHAK_SECRET_SW_FAR_TOO_LONG",
       "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+"
       "P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5fYGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn+"
       "AgYKDhIWGh4iJiouMjY6PkJGSk5SVlpeYmZqbnJ2en6ChoqOkpaanqKmqq6ytrq+wsbKztLW2t7i5uru8vb6/"
       "wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t/g4eLj5OXm5+jp6uvs7e7v"},
      {"DOCHAK_SECRET_SW_LOOSE", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=="},
      {"DOCHAK_SECRET_TWILIO", "twilio-token-0123456789"},
      {"DOCHAK_SECRET_CHANNEL", "channel+token/0"},
      {"DOCHAK_SECRET_CHANNEL_NEXT", "next-token-0123"},
      {"DOCHAK_SECRET_NHN", "nhn secret!"},
      {"DOCHAK_SECRET_KAKAO", "kakao-admin-key"},
      {"DOCHAK_SECRET_SOLAPI", "solapi-secret"},
      {"DOCHAK_SECRET_SHORT", "1234567"},
      {"DOCHAK_SECRET_EIGHT", "12345678"},
      {"DOCHAK_SECRET_LINES", "12345678\nx"},
  };
  for (size_t i = 0; i < COUNT_OF(secrets); i++) setenv(secrets[i][0], secrets[i][1], 1);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_hmac_timestamp),
      cmocka_unit_test(test_hmac_timestamp_with_other_names_tolerance_and_secrets),
      cmocka_unit_test(test_standard_webhooks),
      cmocka_unit_test(test_a_long_list_costs_no_more_hmacs_than_a_short_one),
      cmocka_unit_test(test_the_signature_of_twilios_documentation),
      cmocka_unit_test(test_twilio),
      cmocka_unit_test(test_query_token),
      cmocka_unit_test(test_header),
      cmocka_unit_test(test_header_sha1),
      cmocka_unit_test(test_all_that_are_configured_have_to_pass),
      cmocka_unit_test(test_one_endpoint_can_have_every_check),
      cmocka_unit_test(test_no_checks_let_everyone_in),
      cmocka_unit_test(test_of_more_than_four_keys_the_first_four_sign),
      cmocka_unit_test(test_without_a_secret_nobody_is_let_in),
      cmocka_unit_test(test_only_keys_and_signatures_within_the_count_are_used),
      cmocka_unit_test(test_a_check_that_cannot_run_refuses),
      cmocka_unit_test(test_a_failure_at_any_moment_lets_no_forged_body_in),
      cmocka_unit_test(test_a_bad_configuration_is_refused_with_its_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
