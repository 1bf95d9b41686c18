// SPDX-License-Identifier: MIT
// Ed25519. The key and the signature of "r" are test 2 of RFC 8032, section 7.1; the other signatures were
// made with that key by the openssl program.
#include "ingress/sender/checks/public_key.h"
#include "tests/unit/support/sender.h"

#define KEY       "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="
#define KEY_DER   "MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="
#define OTHER_KEY "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" // test 1
#define X25519    "MCowBQYDK2VuAyEAnY9BkMZGVCIsVKnrV7k8oojbpPCq0c5Xz03lv+vBqRY="
#define P256                                                                                                 \
  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENDWkP7yJ3L2288yU3aDYjoHnJ7NE7rOsO6kBawpBdoU1vS8+cSOA/"                \
  "ODUIjd1SD9jHxHjm7kehI+5/2WugRXvEA=="
#define SIGNED_R "kqAJqfDUyrhyDoILX2QlQKKye1QWUD+Ps3YiI+vbadoIWsHkPhWZbkWPNhPQ8R2MOHsurrQwKu6wDSkWErsMAA=="
#define ROW(label, headers_, body_, refused_)                                                                \
  { .what = label, .headers = headers_, .body = body_, .now_ms = INT64_C(1767225600000), .refused = refused_ }

// ---- signed_body ----

static const char no[] = "signed_body";

#define CONF(secrets)                                                                                        \
  "{\"signed_body\":{\"header\":\"S\",\"algorithm\":\"ed25519\",\"secrets\":[" secrets "]}}"

static void test_the_vector_of_the_rfc(void **state) {
  static const struct sender rows[] = {
      ROW("good", "S: " SIGNED_R, "r", NULL),
      ROW("another body", "S: " SIGNED_R, "s", no),
      ROW("no body", "S: " SIGNED_R, "", no),
      ROW("a longer body", "S: " SIGNED_R, "rr", no),
      ROW("no signature", "T: x", "r", no),
      ROW("no base64", "S: ***=", "r", no),
      ROW("too short", "S: AAAA", "r", no),
      ROW("nothing but zeros",
          "S: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", "r",
          no),
      ROW("twice", "S: " SIGNED_R "\nS: " SIGNED_R, "r", no),
  };
  static const struct sender wrong[] = {ROW("by another key", "S: " SIGNED_R, "r", no)};
  RUN(CONF("\"DOCHAK_SECRET_ED\""), rows);
  RUN(CONF("\"DOCHAK_SECRET_ED_DER\""), rows);
  RUN(CONF("\"DOCHAK_SECRET_ED_OTHER\",\"DOCHAK_SECRET_ED\""), rows);
  RUN(CONF("\"DOCHAK_SECRET_ED_OTHER\""), wrong);
}

// ---- Telnyx: time|body ----

#define TELNYX(time)                                                                                         \
  "telnyx-timestamp: " time "\ntelnyx-signature-ed25519: "                                                   \
  "T/jRdp/j5JGHk7lCQhjhg84X5HnQUyNQF2vpYcvCNVjlEWdQHGL+BYZOyI0UkSaSm3T+yfW1+FoXT1iK2aiFBg=="
#define TELNYX_BODY "{\"data\":{\"event_type\":\"message.finalized\"}}"

static void test_headers_beside_the_body(void **state) {
  static const struct sender rows[] = {
      ROW("good", TELNYX("1767225600"), TELNYX_BODY, NULL),
      ROW("another time", TELNYX("1767225601"), TELNYX_BODY, no),
      ROW("another body", TELNYX("1767225600"), TELNYX_BODY "\n", no),
  };
  RUN("{\"signed_body\":{\"header\":\"telnyx-signature-ed25519\",\"algorithm\":\"ed25519\",\"signs\":"
      "\"${header:telnyx-timestamp}|${body}\",\"timestamp_header\":\"telnyx-timestamp\",\"secrets\":"
      "[\"DOCHAK_SECRET_ED\"]}}",
      rows);
}

// ---- standard_webhooks, v1a ----

#define SW_CONF(secrets)     "{\"standard_webhooks\":{\"algorithm\":\"ed25519\",\"secrets\":[" secrets "]}}"
#define SW(list)             "webhook-id: msg_1\nwebhook-timestamp: 1767225600\nwebhook-signature: " list
#define SW_BODY              "{\"data\":{\"id\":\"m-1\"}}"
#define SW_SIGNED            "+pO4ap3c2GPQ49p4RHBSRURgrJyYrGiSNePVYS6nx1/ta4/nioUk+ruHObm2TwFH68vTI667/4PzHSoyMtkbAg=="
#define SW_BY_THE_PUBLIC_KEY "ccJtymaNIIxu1izcfm3eMRe9zHpw4uNnN3VYpKSb6Os=" // an HMAC: everybody can make it

static void test_standard_webhooks(void **state) {
  static const char refused[] = "standard_webhooks";
  static const struct sender rows[] = {
      ROW("good", SW("v1a," SW_SIGNED), SW_BODY, NULL),
      ROW("in a list", SW("v1," SW_BY_THE_PUBLIC_KEY " v1a,AAAA v1a," SW_SIGNED), SW_BODY, NULL),
      ROW("another body", SW("v1a," SW_SIGNED), "{}", refused),
      ROW("as the other kind", SW("v1," SW_SIGNED), SW_BODY, refused),
      ROW("an HMAC by the public key", SW("v1," SW_BY_THE_PUBLIC_KEY), SW_BODY, refused),
      ROW("an HMAC by the public key as the other kind", SW("v1a," SW_BY_THE_PUBLIC_KEY), SW_BODY, refused),
  };
  static const struct sender by_hmac[] = {ROW("v1a where v1 is due", SW("v1a," SW_SIGNED), SW_BODY, refused)};
  RUN(SW_CONF("\"DOCHAK_SECRET_ED\""), rows);
  RUN(SW_CONF("\"DOCHAK_SECRET_ED_NAMED\""), rows);
  RUN("{\"standard_webhooks\":{\"secrets\":[\"DOCHAK_SECRET_ED\"]}}", by_hmac);
}

// ---- keys ----

static void test_only_keys_of_the_kind_are_keys(void **state) {
  static const struct {
    const char *name, *value;
  } rows[] = {{"DOCHAK_SECRET_X25519", X25519},
              {"DOCHAK_SECRET_P256", P256},
              {"DOCHAK_SECRET_SHORT", "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zg=="},
              {"DOCHAK_SECRET_LONG", "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0ZgwA"},
              {"DOCHAK_SECRET_WHSEC", "whsec_PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="}};
  for (size_t i = 0; i < COUNT_OF(rows); i++)
    for (int is_standard = 0; is_standard < 2; is_standard++) {
      struct err err;
      setenv(rows[i].name, rows[i].value, 1);
      AUTO_FREE char *conf = is_standard ? mem_printf(SW_CONF("\"%s\""), rows[i].name)
                                         : mem_printf(CONF("\"%s\""), rows[i].name);
      assert_null(configure(conf, &err));
      assert_non_null(
          strstr(err.text, "expected a public key of Ed25519, as base64 of its 32 bytes or of its DER"));
    }
}

static void test_a_kind_has_its_name(void **state) {
  assert_int_equal(public_key_kind_of("ecdsa_p256_sha256"), PUBLIC_KEY_P256);
  assert_int_equal(public_key_kind_of("ed25519"), PUBLIC_KEY_ED25519);
  assert_int_equal(public_key_kind_of("hmac_sha256"), PUBLIC_KEY_NONE);
  assert_int_equal(public_key_kind_of(NULL), PUBLIC_KEY_NONE);
}

int main(void) {
  setenv("DOCHAK_SECRET_ED", KEY, 1);
  setenv("DOCHAK_SECRET_ED_DER", KEY_DER, 1);
  setenv("DOCHAK_SECRET_ED_OTHER", OTHER_KEY, 1);
  setenv("DOCHAK_SECRET_ED_NAMED", "whpk_" KEY, 1);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_vector_of_the_rfc), cmocka_unit_test(test_headers_beside_the_body),
      cmocka_unit_test(test_standard_webhooks),     cmocka_unit_test(test_only_keys_of_the_kind_are_keys),
      cmocka_unit_test(test_a_kind_has_its_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
