// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "common/kafka/kafka_hint.h"
#include <openssl/x509_vfy.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// Texts of librdkafka 2.0.2 with OpenSSL 3.0 and Kafka 4.1.
static const struct {
  rd_kafka_resp_err_t code;
  const char *text, *setting; // NULL: no hint
} cases[] = {
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, NULL, "ACL"},
    {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, "JoinGroup failed", "DOCHAK_GROUP_ID"},
    {RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, NULL, "DOCHAK_TOPIC_PREFIX"},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, NULL, "on the cluster"},
    {RD_KAFKA_RESP_ERR__SSL,
     "ssl://b:1/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: "
     "broker certificate could not be verified, verify that ssl.ca.location is correctly configured or root "
     "CA certificates are installed (install ca-certificates package)",
     "ssl.ca.location in DOCHAK_KAFKA_PROPERTIES"},
    {RD_KAFKA_RESP_ERR__TRANSPORT,
     "ssl://b:1/bootstrap: Receive failed: error:0A000412:SSL routines::sslv3 alert bad certificate: SSL "
     "alert "
     "number 42",
     "ssl.certificate.location and ssl.key.location in DOCHAK_KAFKA_PROPERTIES"},
    {RD_KAFKA_RESP_ERR__SSL, "error:0A00045C:SSL routines::tlsv13 alert certificate required",
     "ssl.certificate.location"},
    {RD_KAFKA_RESP_ERR__SSL, "error:0A000415:SSL routines::sslv3 alert certificate expired",
     "ssl.certificate.location"},
    {RD_KAFKA_RESP_ERR__SSL, "error:0A000418:SSL routines::tlsv1 alert unknown ca",
     "ssl.certificate.location"},
    {RD_KAFKA_RESP_ERR__AUTHENTICATION,
     "sasl_ssl://b:1/bootstrap: SASL authentication error: Authentication failed during authentication due "
     "to "
     "invalid credentials with SASL mechanism SCRAM-SHA-512",
     "sasl.password in DOCHAK_KAFKA_PROPERTIES"},
    {RD_KAFKA_RESP_ERR__AUTHENTICATION,
     "sasl_ssl://b:1/bootstrap: SASL authentication error: Authentication failed: Invalid username or "
     "password",
     "sasl.username and sasl.password in DOCHAK_KAFKA_PROPERTIES"},
    {RD_KAFKA_RESP_ERR_NO_ERROR, "SASL authentication error: Authentication failed", "sasl.password"},
    {RD_KAFKA_RESP_ERR__AUTHENTICATION,
     "SASL PLAIN mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's supported "
     "mechanisms: SCRAM-SHA-512",
     "sasl.mechanism in DOCHAK_KAFKA_PROPERTIES"},
    {RD_KAFKA_RESP_ERR__TRANSPORT,
     "b:1/bootstrap: Disconnected while requesting ApiVersion: might be caused by incorrect "
     "security.protocol "
     "configuration (connecting to a SSL listener?) or broker version is < 0.10 (see api.version.request)",
     "security.protocol in DOCHAK_KAFKA_PROPERTIES"},
    {RD_KAFKA_RESP_ERR__TRANSPORT,
     "b:1/1: Disconnected: verify that security.protocol is correctly configured, broker might require SASL "
     "authentication",
     "security.protocol"},
    {RD_KAFKA_RESP_ERR__TRANSPORT,
     "SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener?", "security.protocol"},
    {RD_KAFKA_RESP_ERR__RESOLVE, "b:1/bootstrap: Failed to resolve 'b:1': Name or service not known",
     "DOCHAK_KAFKA_BOOTSTRAP"},
    {RD_KAFKA_RESP_ERR__TRANSPORT, "b:1/1: Connect to ipv4#127.0.0.1:1 failed: Connection refused", NULL},
    {RD_KAFKA_RESP_ERR__TRANSPORT, "b:1/1: Disconnected", NULL},
    {RD_KAFKA_RESP_ERR__TRANSPORT, NULL, NULL},
    {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "1/1 brokers are down", NULL},
    {RD_KAFKA_RESP_ERR_NO_ERROR, NULL, NULL},
};

static void test_each_refusal_names_the_setting(void **state) {
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    const char *hint = kafka_hint(cases[i].code, cases[i].text);
    bool as_expected = cases[i].setting ? hint && strstr(hint, cases[i].setting) : !hint;
    if (!as_expected) fail_msg("row %zu: %s", i, hint ? hint : "no hint");
  }
}

static void test_a_certificate_is_of_the_wrong_ca_or_name_or_time(void **state) {
  static const struct {
    int x509_error;
    const char *setting;
  } rows[] = {
      {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "ssl.ca.location in DOCHAK_KAFKA_PROPERTIES"},
      {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "ssl.ca.location in DOCHAK_KAFKA_PROPERTIES"},
      {X509_V_ERR_HOSTNAME_MISMATCH, "DOCHAK_KAFKA_BOOTSTRAP"},
      {X509_V_ERR_IP_ADDRESS_MISMATCH, "DOCHAK_KAFKA_BOOTSTRAP"},
      {X509_V_ERR_CERT_HAS_EXPIRED, "valid now"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++)
    if (!strstr(kafka_hint_certificate(rows[i].x509_error), rows[i].setting)) fail_msg("row %zu", i);
}

static void test_a_refusal_is_the_text_without_its_times_and_the_hint(void **state) {
  struct err err = {0};
  assert_true(kafka_refusal(RD_KAFKA_RESP_ERR__AUTHENTICATION,
                            "b:1/1: SASL authentication error: no (after 3ms in state AUTH_REQ, 4 identical "
                            "error(s) suppressed)",
                            &err));
  assert_string_equal(err.text,
                      "b:1/1: SASL authentication error: no; sasl.username and sasl.password in "
                      "DOCHAK_KAFKA_PROPERTIES (or DOCHAK_KAFKA_PASSWORD) must be those of a user of the "
                      "broker");
  assert_true(
      kafka_refusal(RD_KAFKA_RESP_ERR__SSL,
                    "b:1/1: SSL handshake failed: certificate verify failed: broker certificate could "
                    "not be verified, verify that ssl.ca.location is right (after 3ms in state X)",
                    &err));
  assert_memory_equal(err.text, "b:1/1: SSL handshake failed: certificate verify failed; ssl.ca.location in ",
                      75);
  struct err before = err;
  assert_false(
      kafka_refusal(RD_KAFKA_RESP_ERR__TRANSPORT, "b:1/1: Disconnected (after 3ms in state UP)", &err));
  assert_string_equal(err.text, before.text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_refusal_names_the_setting),
      cmocka_unit_test(test_a_certificate_is_of_the_wrong_ca_or_name_or_time),
      cmocka_unit_test(test_a_refusal_is_the_text_without_its_times_and_the_hint),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
