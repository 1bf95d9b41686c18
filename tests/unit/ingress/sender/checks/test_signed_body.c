// SPDX-License-Identifier: MIT
// Vectors: HMACs computed with Python's hmac (Sinch's is the one of its Java SDK's rule), ECDSA signatures
// made with the openssl program; the keys were made for this test.
#include "tests/unit/support/sender.h"
#include <openssl/crypto.h>

#define META_BODY   "{\"object\":\"whatsapp_business_account\",\"entry\":[]}"
#define META_HEX    "0ca28c0f1996234eb6829e59ad3c11a18161f6eb043943d601e420c312432cdf"
#define META_UPPER  "0CA28C0F1996234EB6829E59AD3C11A18161F6EB043943D601E420C312432CDF"
#define META_BASE64 "DKKMDxmWI062gp5ZrTwRoYFh9usEOUPWAeQgwxJDLN8="
#define META_SHA1   "eb6072e7a30271eb1e3f4fac9c589e84f3ecc944"
#define META_SHA512 "pehXgDjTgFsZ+DgDoohNl1XkWk3Ppq3esTeWwzaq0jmE8JdmqhxjfAQv5oRGz17qrekGej8it0nlwB41Psfmrg=="
#define META        "X-Hub-Signature-256: "
#define ROW(label, headers_, body_, refused_)                                                                \
  { .what = label, .headers = headers_, .body = body_, .refused = refused_ }

static const char no[] = "signed_body";

static void test_meta(void **state) {
  static const struct sender rows[] = {
      ROW("hex", META "sha256=" META_HEX, META_BODY, NULL),
      ROW("upper case hex", META "sha256=" META_UPPER, META_BODY, NULL),
      ROW("base64", META "sha256=" META_BASE64, META_BODY, NULL),
      ROW("prefix in upper case", META "SHA256=" META_HEX, META_BODY, NULL),
      ROW("name in any case", "x-hub-signature-256: sha256=" META_HEX, META_BODY, NULL),
      ROW("without its prefix", META META_HEX, META_BODY, no),
      ROW("another prefix", META "sha1=" META_HEX, META_BODY, no),
      ROW("only a prefix", META "sha256=", META_BODY, no),
      ROW("a shorter value than the prefix", META "sha", META_BODY, no),
      ROW("another body", META "sha256=" META_HEX, META_BODY " ", no),
      ROW("no body", META "sha256=" META_HEX, "", no),
      ROW("cut", META "sha256=0ca28c0f1996234eb6829e59ad3c11a1", META_BODY, no),
      ROW("longer", META "sha256=" META_HEX "00", META_BODY, no),
      ROW("by another algorithm", META "sha256=" META_SHA1, META_BODY, no),
      ROW("twice", META "sha256=" META_HEX "\n" META "sha256=" META_HEX, META_BODY, no),
      ROW("nothing", "", META_BODY, no),
  };
#define META_CONF(more)                                                                                      \
  "{\"signed_body\":{\"header\":\"X-Hub-Signature-256\",\"prefix\":\"sha256=\",\"secrets\":[" more           \
  "\"DOCHAK_SECRET_META\"]}}"
  RUN(META_CONF(""), rows);
  RUN(META_CONF("\"DOCHAK_SECRET_SINCH\","), rows);
  static const struct sender wrong[] = {ROW("wrong key", META "sha256=" META_HEX, META_BODY, no)};
  RUN("{\"signed_body\":{\"header\":\"X-Hub-Signature-256\",\"prefix\":\"sha256=\",\"secrets\":[\"DOCHAK_"
      "SECRET_SINCH\"]}}",
      wrong);
}

static void test_other_hashes(void **state) {
  static const struct sender sha1[] = {
      ROW("sha1", "S: " META_SHA1, META_BODY, NULL),
      ROW("sha256 for sha1", "S: " META_HEX, META_BODY, no),
  };
  static const struct sender sha512[] = {
      ROW("sha512", "S: " META_SHA512, META_BODY, NULL),
      ROW("sha256 for sha512", "S: " META_HEX, META_BODY, no),
  };
#define BY(algorithm)                                                                                        \
  "{\"signed_body\":{\"header\":\"S\",\"algorithm\":\"" algorithm "\",\"secrets\":[\"DOCHAK_SECRET_META\"]}" \
  "}"
  RUN(BY("hmac_sha1"), sha1);
  RUN(BY("hmac_sha512"), sha512);
}

// ---- Sinch: body.nonce.time ----

#define SINCH_BODY "{\"batch_id\":\"b1\"}"
#define SINCH_HEADERS(nonce, time)                                                                           \
  "x-sinch-webhook-signature: EEMAvONa6UQIjSz754LOHw/EhvgG7RKIoI4p6LKTqMo=\n"                                \
  "x-sinch-webhook-signature-nonce: " nonce "\nx-sinch-webhook-signature-timestamp: " time
#define SINCH(label, headers_, body_, at, refused_)                                                          \
  { .what = label, .headers = headers_, .body = body_, .now_ms = at, .refused = refused_ }
#define SINCH_CONF(more)                                                                                     \
  "{\"signed_body\":{\"header\":\"x-sinch-webhook-signature\",\"signs\":\"${body}.${header:x-sinch-webhook-" \
  "signature-nonce}.${header:x-sinch-webhook-signature-timestamp}\",\"secrets\":[\"DOCHAK_SECRET_"           \
  "SINCH\"]" more "}}"

static void test_headers_beside_the_body(void **state) {
  static const int64_t then = INT64_C(1634579353000);
  const struct sender rows[] = {
      SINCH("good", SINCH_HEADERS("n1", "1634579353"), SINCH_BODY, then, NULL),
      SINCH("another nonce", SINCH_HEADERS("n2", "1634579353"), SINCH_BODY, then, no),
      SINCH("another time", SINCH_HEADERS("n1", "1634579354"), SINCH_BODY, then, no),
      SINCH("another body", SINCH_HEADERS("n1", "1634579353"), "{\"batch_id\":\"b2\"}", then, no),
      SINCH("no nonce", SINCH_HEADERS("", "1634579353"), SINCH_BODY, then, no),
      SINCH("no time", SINCH_HEADERS("n1", ""), SINCH_BODY, then, no),
      SINCH("two nonces", SINCH_HEADERS("n1", "1634579353") "\nx-sinch-webhook-signature-nonce: n1",
            SINCH_BODY, then, no),
  };
  const struct sender late[] = {
      SINCH("300 s late", SINCH_HEADERS("n1", "1634579353"), SINCH_BODY, then + 300000, NULL),
      SINCH("later", SINCH_HEADERS("n1", "1634579353"), SINCH_BODY, then + 300001, no),
      SINCH("300 s early", SINCH_HEADERS("n1", "1634579353"), SINCH_BODY, then - 300000, NULL),
      SINCH("earlier", SINCH_HEADERS("n1", "1634579353"), SINCH_BODY, then - 300001, no),
  };
  const struct sender at_any_time[] = {
      SINCH("a day late", SINCH_HEADERS("n1", "1634579353"), SINCH_BODY, then + 86400000, NULL)};
  const struct sender a_minute[] = {
      SINCH("60 s late", SINCH_HEADERS("n1", "1634579353"), SINCH_BODY, then + 60000, NULL),
      SINCH("later", SINCH_HEADERS("n1", "1634579353"), SINCH_BODY, then + 60001, no)};
#define SINCH_TIMED ",\"timestamp_header\":\"X-Sinch-Webhook-Signature-Timestamp\""
  RUN(SINCH_CONF(""), rows);
  RUN(SINCH_CONF(""), at_any_time);
  RUN(SINCH_CONF(SINCH_TIMED), rows);
  RUN(SINCH_CONF(SINCH_TIMED), late);
  RUN(SINCH_CONF(SINCH_TIMED ",\"tolerance_s\":60"), a_minute);
}

// ---- SendGrid: ECDSA of the time and the body ----

#define SG_KEY                                                                                               \
  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENDWkP7yJ3L2288yU3aDYjoHnJ7NE7rOsO6kBawpBdoU1vS8+cSOA/"                \
  "ODUIjd1SD9jHxHjm7kehI+5/2WugRXvEA=="
#define OTHER_KEY                                                                                            \
  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEBb4XssbwmjQlKqhCDCKcxAf0dyNJSxkbCCg2ozHXcqT5ugtd1xGPXkzrIJUEPw8UlN1" \
  "fR3mFPuMTNlxdcWceg=="
#define KEY_ON_P384                                                                                          \
  "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEyB3VhyHOXfzWe1XNo8YcXM59z/Rz+oWNI+SiCJDDQmG5TE9Pfx/fS/"                   \
  "FBn7ELqsmPoJLaBuzEweqfOyksuLYp7IRBG/SyJ02jfMTSwZ07R0QHzBP21RAZW7YLd0tglfWa"
#define RSA_KEY                                                                                              \
  "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAmYwiwvXSosvgIThHdOyUDyehWPTXTfQGvLCPvadYAItINSTKHkgE11APQ99M" \
  "Q0q65k5XCNXcz9czzKh1c8+dR8flnTkDpka0RZqZZtbQxV5Q46XpL42E2CF7LL3Rmw37QwZXvxQhPXfJQux5O+"                   \
  "KH0HQg8GYHn4lSL3TqQet12WSnMCrib5/8y/"                                                                     \
  "5wUT3Fm76M4WZO+Bktz9g79RvT3Vq50mtnk9FafzNZR2431jF31SpNSQCJ6QaKVdXfJjfyiZ9W4PWZi1sjIY1B2aTbAmfIoEuyLGMpxJ" \
  "87lQJwtPfc3/N6c3k4SlhkWl4zanjXWlxJYrdJbY0WJ8iRjLtUglkKXQIDAQAB"
#define SG_SIGNATURE                                                                                         \
  "MEYCIQDFKmduISQTtX1SgfKguV+G6RBwF+TjjZn7YrFJPOKKzAIhAISmeoBqmHKn0EG2zdGj/nzA0vH2bpRkr3OYg4mykoC4"
#define SG_BODY "[{\"event\":\"delivered\",\"sg_event_id\":\"E1\"}]\r\n"
#define SG_HEADERS(time, signature)                                                                          \
  "X-Twilio-Email-Event-Webhook-Timestamp: " time "\nX-Twilio-Email-Event-Webhook-Signature: " signature
#define SG_CONF(secrets)                                                                                     \
  "{\"signed_body\":{\"header\":\"X-Twilio-Email-Event-Webhook-Signature\",\"algorithm\":\"ecdsa_p256_"      \
  "sha256\",\"signs\":\"${header:X-Twilio-Email-Event-Webhook-Timestamp}${body}\",\"secrets\":[" secrets     \
  "]}}"

static const struct sender sendgrid[] = {
    ROW("good", SG_HEADERS("1767225600", SG_SIGNATURE), SG_BODY, NULL),
    ROW("without the last line break", SG_HEADERS("1767225600", SG_SIGNATURE),
        "[{\"event\":\"delivered\",\"sg_event_id\":\"E1\"}]", no),
    ROW("another body", SG_HEADERS("1767225600", SG_SIGNATURE), "[{\"event\":\"bounce\"}]\r\n", no),
    ROW("another time", SG_HEADERS("1767225601", SG_SIGNATURE), SG_BODY, no),
    ROW("no time", "X-Twilio-Email-Event-Webhook-Signature: " SG_SIGNATURE, SG_BODY, no),
    ROW("no signature", "X-Twilio-Email-Event-Webhook-Timestamp: 1767225600", SG_BODY, no),
    ROW("empty signature", SG_HEADERS("1767225600", ""), SG_BODY, no),
    ROW("no base64", SG_HEADERS("1767225600", "***="), SG_BODY, no),
    ROW("base64 of no signature", SG_HEADERS("1767225600", "AAAA"), SG_BODY, no),
    ROW("cut", SG_HEADERS("1767225600", "MEYCIQDFKmduISQTtX1SgfKguV+G6RBwF+TjjZn7"), SG_BODY, no),
    ROW("bytes behind it",
        SG_HEADERS("1767225600", "MEYCIQDFKmduISQTtX1SgfKguV+G6RBwF+TjjZn7YrFJPOKKzAIhAISmeoBqmHKn0EG2zdGj/"
                                 "nzA0vH2bpRkr3OYg4mykoC4AAAA"),
        SG_BODY, no),
    ROW("twice",
        SG_HEADERS("1767225600", SG_SIGNATURE) "\nX-Twilio-Email-Event-Webhook-Signature: " SG_SIGNATURE,
        SG_BODY, no),
};

static void test_ecdsa(void **state) {
  RUN(SG_CONF("\"DOCHAK_SECRET_SG\""), sendgrid);
  RUN(SG_CONF("\"DOCHAK_SECRET_SG_OTHER\",\"DOCHAK_SECRET_SG\""), sendgrid);
  static const struct sender wrong[] = {
      ROW("wrong key", SG_HEADERS("1767225600", SG_SIGNATURE), SG_BODY, no)};
  RUN(SG_CONF("\"DOCHAK_SECRET_SG_OTHER\""), wrong);
}

static void test_only_public_keys_on_p256_are_keys(void **state) {
  static const char *const wrong[] = {"META", "SG_384", "SG_RSA", "SG_CUT"};
  for (size_t i = 0; i < COUNT_OF(wrong); i++) {
    struct err err;
    AUTO_FREE char *name = mem_printf("\"DOCHAK_SECRET_%s\"", wrong[i]);
    AUTO_FREE char *conf = mem_printf(SG_CONF("%s"), name);
    AUTO_FREE char *expected =
        mem_printf("/checks/signed_body/secrets/0: DOCHAK_SECRET_%s: expected a public key on "
                   "P-256, as base64 of its DER",
                   wrong[i]);
    assert_null(configure(conf, &err));
    assert_string_equal(err.text, expected);
  }
}

// ---- OpenSSL without memory ----

enum { NEVER = -1 };
static int fails_after = NEVER; // after so many allocations, once

static bool can(void) {
  return fails_after == NEVER || fails_after-- != 0;
}

static void *failing_malloc(size_t size, const char *file, int line) {
  return can() ? malloc(size) : NULL;
}

static void *failing_realloc(void *old, size_t size, const char *file, int line) {
  return can() ? realloc(old, size) : NULL;
}

static void plain_free(void *old, const char *file, int line) {
  free(old);
}

static void test_a_failure_at_any_moment_lets_no_forged_body_in(void **state) {
  struct err err;
  struct verify *verify = configure(SG_CONF("\"DOCHAK_SECRET_SG\""), &err);
  assert_non_null(verify);
  int n = 0;
  for (bool failed = true; failed; n++) {
    fails_after = n;
    const char *refused = ask(verify, &sendgrid[2]);
    failed = fails_after == NEVER;
    fails_after = NEVER;
    assert_string_equal(refused, no);
  }
  assert_true(n > 1); // it has failed at least once
  assert_null(ask(verify, &sendgrid[0]));
  verify_free(verify);
}

int main(void) {
  if (!CRYPTO_set_mem_functions(failing_malloc, failing_realloc, plain_free)) return 1;
  setenv("DOCHAK_SECRET_META", "app-secret-1", 1);
  setenv("DOCHAK_SECRET_SINCH", "foo_secret1234", 1);
  setenv("DOCHAK_SECRET_SG", SG_KEY, 1);
  setenv("DOCHAK_SECRET_SG_OTHER", OTHER_KEY, 1);
  setenv("DOCHAK_SECRET_SG_384", KEY_ON_P384, 1);
  setenv("DOCHAK_SECRET_SG_RSA", RSA_KEY, 1);
  setenv("DOCHAK_SECRET_SG_CUT", "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE", 1);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_meta),
      cmocka_unit_test(test_other_hashes),
      cmocka_unit_test(test_headers_beside_the_body),
      cmocka_unit_test(test_ecdsa),
      cmocka_unit_test(test_only_public_keys_on_p256_are_keys),
      cmocka_unit_test(test_a_failure_at_any_moment_lets_no_forged_body_in),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
