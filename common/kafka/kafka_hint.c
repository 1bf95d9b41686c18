// SPDX-License-Identifier: MIT
#include "common/kafka/kafka_hint.h"

#include "common/base/mem.h"
#include <openssl/x509_vfy.h>
#include <string.h>

#define E(name) RD_KAFKA_RESP_ERR_##name
#define IN_FILE " in DOCHAK_KAFKA_PROPERTIES "
#define ACL     "the user" IN_FILE "lacks an ACL (docs/deployment.md lists them): "

static const char client_certificate[] =
    "ssl.certificate.location and ssl.key.location" IN_FILE
    "must name a certificate that is valid and issued by a CA that the broker trusts";
static const char password[] = "sasl.username and sasl.password" IN_FILE
                               "(or DOCHAK_KAFKA_PASSWORD) must be those of a user of the broker";
// librdkafka before 2.6.1 repeats its own nonce in SCRAM's last message; Kafka 4.0 and newer compare it.
enum { VERSION_OF_SCRAM = 0x020601ff };
static const char old_scram[] = "this librdkafka cannot use SCRAM with Kafka 4.0 or newer (2.6.1 can); with "
                                "an older Kafka, sasl.username "
                                "or sasl.password" IN_FILE "(or DOCHAK_KAFKA_PASSWORD) is wrong";
// librdkafka has the same text for a broker that stops while somebody connects.
static const char listener[] =
    "security.protocol" IN_FILE "must be that of the broker's listener, unless the broker is just stopping";

// A row has a code or a text. The first row that fits is used.
static const struct {
  rd_kafka_resp_err_t code;
  const char *text, *hint;
} hints[] = {
    {E(TOPIC_AUTHORIZATION_FAILED), NULL, ACL "on the topic"},
    {E(GROUP_AUTHORIZATION_FAILED), NULL, ACL "Read on the group of DOCHAK_GROUP_ID"},
    {E(TRANSACTIONAL_ID_AUTHORIZATION_FAILED), NULL,
     ACL "Write on the transactional ids that begin with DOCHAK_TOPIC_PREFIX and DOCHAK_GROUP_ID"},
    {E(CLUSTER_AUTHORIZATION_FAILED), NULL, ACL "on the cluster"},
    {E(NO_ERROR), "certificate verify failed",
     "ssl.ca.location" IN_FILE
     "must name its CA, and it must hold the name that DOCHAK_KAFKA_BOOTSTRAP and the "
     "broker's advertised.listeners use; the log line SSLCERTVRFY says what is wrong"},
    {E(NO_ERROR), "alert bad certificate", client_certificate},
    {E(NO_ERROR), "alert certificate", client_certificate}, // required, expired, unknown, revoked
    {E(NO_ERROR), "alert unknown ca", client_certificate},
    {E(NO_ERROR), "mechanism handshake failed",
     "sasl.mechanism" IN_FILE "must be one that the broker supports"},
    {E(_AUTHENTICATION), NULL, password},
    {E(SASL_AUTHENTICATION_FAILED), NULL, password},
    {E(NO_ERROR), "SASL authentication error", password},
    {E(NO_ERROR), "security.protocol", listener},
    {E(NO_ERROR), "PLAINTEXT broker listener", listener},
    {E(NO_ERROR), "Failed to resolve",
     "DOCHAK_KAFKA_BOOTSTRAP or the broker's advertised.listeners has a name that is not known here"},
};

static bool fits(rd_kafka_resp_err_t row_code, const char *row_text, rd_kafka_resp_err_t code,
                 const char *text) {
  return row_text ? text && strstr(text, row_text) : row_code == code;
}

const char *kafka_hint(rd_kafka_resp_err_t code, const char *text) {
  if (text && strstr(text, "credentials with SASL mechanism SCRAM") && rd_kafka_version() < VERSION_OF_SCRAM)
    return old_scram;
  for (size_t i = 0; i < COUNT_OF(hints); i++)
    if (fits(hints[i].code, hints[i].text, code, text)) return hints[i].hint;
  return NULL;
}

const char *kafka_hint_certificate(int x509_error) {
  switch (x509_error) {
  case X509_V_ERR_HOSTNAME_MISMATCH:
  case X509_V_ERR_IP_ADDRESS_MISMATCH:
    return "the certificate must hold the name that DOCHAK_KAFKA_BOOTSTRAP and the broker's "
           "advertised.listeners use";
  case X509_V_ERR_CERT_HAS_EXPIRED:
  case X509_V_ERR_CERT_NOT_YET_VALID:
    return "the broker needs a certificate that is valid now";
  default:
    return "ssl.ca.location" IN_FILE "must name the CA that issued it";
  }
}

// Of librdkafka's text what stands before its own hint, and before how long the connection was in which
// state.
static size_t length_of(const char *text) {
  static const char *const ends[] = {": broker certificate could not be verified", " (after "};
  size_t len = strlen(text);
  for (size_t i = 0; i < COUNT_OF(ends); i++) {
    const char *end = strstr(text, ends[i]);
    if (end && (size_t)(end - text) < len) len = (size_t)(end - text);
  }
  return len;
}

bool kafka_refusal(rd_kafka_resp_err_t code, const char *text, struct err *err) {
  const char *hint = kafka_hint(code, text);
  if (!hint) return false;
  err_set(err, "%.*s", (int)length_of(text), text);
  (void)err_hint(err, hint);
  return true;
}
