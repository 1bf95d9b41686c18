// SPDX-License-Identifier: MIT
#include "processor/batch/kafkaerror.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_each_code_has_its_class_and_is_transient_or_not(void **state) {
  static const struct {
    rd_kafka_resp_err_t code;
    bool is_transient;
    const char *name;
  } cases[] = {
      {RD_KAFKA_RESP_ERR__TRANSPORT, true, "connection"},
      {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, true, "connection"},
      {RD_KAFKA_RESP_ERR_NOT_COORDINATOR, true, "coordinator"},
      {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, true, "leader"},
      {RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED, false, "too_slow"},
      {RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, false, "fenced"},
      {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, false, "fenced"},
      {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, false, "no_topic"},
      {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, false, "access"},
      {RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, false, "offset"}, // records are gone: said, not passed by
      {RD_KAFKA_RESP_ERR__BAD_MSG, false, "corrupted"},        // a record is never passed by
      {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, false, "other"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const struct kafka_class *class = kafka_class_of(cases[i].code);
    assert_int_equal(class->is_transient, cases[i].is_transient);
    assert_string_equal(class->name, cases[i].name);
  }
}

static void test_an_error_says_what_to_do(void **state) {
  struct err err = {0};
  assert_false(kafka_fail(&err, "consumer", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "no such thing"));
  assert_string_equal(err.text, "consumer: no such thing; \"dochak-processor migrate\" creates it");
  assert_string_equal(err.class, "no_topic");
  kafka_fail(&err, "commit", RD_KAFKA_RESP_ERR__TIMED_OUT, NULL);
  assert_string_equal(err.text, "commit: Local: Timed out");
  kafka_fail(&err, "consumer", RD_KAFKA_RESP_ERR__AUTHENTICATION, "refused");
  assert_string_equal(err.text,
                      "consumer: refused; sasl.username and sasl.password in DOCHAK_KAFKA_PROPERTIES "
                      "(or DOCHAK_KAFKA_PASSWORD) must be those of a user of the broker");
  assert_string_equal(err.class, "access");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_code_has_its_class_and_is_transient_or_not),
      cmocka_unit_test(test_an_error_says_what_to_do),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
