// SPDX-License-Identifier: MIT
// Which setting is to be changed where a broker refuses us or we refuse its certificate. librdkafka names
// some of its settings; these texts name also where they are written. Not for: what an error means for a
// batch (processor/batch/kafkaerror.h). Thread: any.
#pragma once
#include "common/base/err.h"
#include <librdkafka/rdkafka.h>
#include <stdbool.h>

// By the code of an error, or by librdkafka's text about a connection, which may be NULL. NULL: no setting is
// known to be wrong.
const char *kafka_hint(rd_kafka_resp_err_t code, const char *text);

// By OpenSSL's X509_V_ERR_… about a broker's certificate. Never NULL.
const char *kafka_hint_certificate(int x509_error);

// An error of a connection (rd_kafka_conf_set_error_cb()) for which there is a hint: sets the error to its
// text, without its times, and the hint. False: there is no hint.
bool kafka_refusal(rd_kafka_resp_err_t code, const char *text, struct err *err);
