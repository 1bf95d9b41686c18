// SPDX-License-Identifier: MIT
// What is sick, and no more than that: which error closes what to live events, and what opens it again.
#include "ingress/durable/breaker.h"

#include "common/base/log.h"
#include "common/base/mem.h"
#include "ingress/counters.h"
#include "tests/unit/support/output.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EVENTS     KAFKA_TOPIC_EVENTS
#define QUARANTINE KAFKA_TOPIC_QUARANTINE
enum { PARTITIONS = 12 };

struct fixture {
  struct metrics *metrics;
  struct breaker *breaker;
};

static int set_up(void **state) {
  struct fixture *f = mem_alloc(sizeof *f);
  f->metrics = metrics_new(counters, COUNTER_COUNT);
  f->breaker = breaker_new("t.", f->metrics);
  breaker_note_cluster(f->breaker);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  free(f->breaker);
  metrics_free(f->metrics);
  free(f);
  return 0;
}

static int64_t n_open(const struct fixture *f) {
  return atomic_load(metrics_at(f->metrics, COUNTER_BREAKER, NULL));
}

// ---- what a failure opens ----

// One of each kind: what it says, and so for whom Kafka is away.
static const struct {
  rd_kafka_resp_err_t code;
  enum breaker_scope scope;
} failures[] = {
    {RD_KAFKA_RESP_ERR__QUEUE_FULL, BREAKER_NOTHING},       // our own queue: Kafka was not asked
    {RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, BREAKER_NOTHING},   // our own purge
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, BREAKER_RECORD}, // refused for itself, and again
    {RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, BREAKER_RECORD},
    {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, BREAKER_PARTITION},
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, BREAKER_PARTITION},
    {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, BREAKER_PARTITION},
    {RD_KAFKA_RESP_ERR_UNKNOWN, BREAKER_PARTITION},                    // in doubt no more than the partition
    {RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, BREAKER_PARTITION}, // of its broker
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, BREAKER_TOPIC},
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, BREAKER_TOPIC},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, BREAKER_CLUSTER},
    {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, BREAKER_CLUSTER},
};

static bool is_open_as(const struct fixture *f, enum breaker_scope scope) {
  bool same = breaker_is_open(f->breaker, EVENTS, 3) == (scope >= BREAKER_PARTITION);
  bool neighbour = breaker_is_open(f->breaker, EVENTS, 4) == (scope >= BREAKER_TOPIC);
  bool other = breaker_is_open(f->breaker, QUARANTINE, 3) == (scope >= BREAKER_CLUSTER);
  return same && neighbour && other;
}

static void test_a_failure_opens_its_scope_alone(void **state) {
  struct fixture *f = *state;
  for (size_t i = 0; i < COUNT_OF(failures); i++) {
    breaker_fail(f->breaker, EVENTS, 3, failures[i].code, 5);
    if (!is_open_as(f, failures[i].scope)) fail_msg("%s opens what?", rd_kafka_err2name(failures[i].code));
    breaker_succeed(f->breaker, EVENTS, 3);
  }
}

static void test_only_a_record_that_is_refused_for_itself_steps_aside(void **state) {
  for (size_t i = 0; i < COUNT_OF(failures); i++)
    assert_int_equal(breaker_scope_of(failures[i].code) == BREAKER_RECORD,
                     failures[i].scope == BREAKER_RECORD);
}

// Also for an error that a later librdkafka adds.
static void test_whatever_error_opens_is_counted_once_and_closed_by_a_success(void **state) {
  struct fixture *f = *state;
  const struct rd_kafka_err_desc *errors;
  size_t n;
  rd_kafka_get_err_descs(&errors, &n);
  for (size_t i = 0; i < n; i++) {
    breaker_fail(f->breaker, EVENTS, 3, errors[i].code, 5);
    assert_int_equal(n_open(f), breaker_is_open(f->breaker, EVENTS, 3));
    breaker_fail(f->breaker, EVENTS, 3, errors[i].code, 5);
    assert_int_equal(n_open(f), breaker_is_open(f->breaker, EVENTS, 3));
    breaker_succeed(f->breaker, EVENTS, 3);
    assert_true(is_open_as(f, BREAKER_NOTHING));
    assert_int_equal(n_open(f), 0);
  }
}

// ---- opening and closing ----

static void test_the_metric_counts_partitions_topics_and_the_cluster(void **state) {
  struct fixture *f = *state;
  breaker_fail(f->breaker, EVENTS, 1, RD_KAFKA_RESP_ERR__TIMED_OUT, 0);
  breaker_fail(f->breaker, EVENTS, 2, RD_KAFKA_RESP_ERR__TIMED_OUT, 0);
  breaker_fail(f->breaker, QUARANTINE, 1, RD_KAFKA_RESP_ERR__TIMED_OUT, 0);
  assert_int_equal(n_open(f), 3);
  breaker_fail(f->breaker, EVENTS, 2, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 0);
  assert_int_equal(n_open(f), 4);
  breaker_note_error(f->breaker, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, 0);
  assert_int_equal(n_open(f), 5);
}

// A record that was acknowledged shows that its topic and the cluster are well, and nothing about the other
// partitions.
static void test_a_success_closes_partition_topic_and_cluster_and_leaves_the_others(void **state) {
  struct fixture *f = *state;
  breaker_fail(f->breaker, EVENTS, 1, RD_KAFKA_RESP_ERR__TIMED_OUT, 0);
  breaker_fail(f->breaker, EVENTS, 2, RD_KAFKA_RESP_ERR__TIMED_OUT, 0);
  breaker_fail(f->breaker, QUARANTINE, 2, RD_KAFKA_RESP_ERR__TIMED_OUT, 0);
  breaker_fail(f->breaker, EVENTS, 1, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, 0);
  breaker_fail(f->breaker, QUARANTINE, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 0);
  breaker_note_error(f->breaker, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, 0);
  breaker_succeed(f->breaker, EVENTS, 2);
  assert_false(breaker_is_open(f->breaker, EVENTS, 0));
  assert_true(breaker_is_open(f->breaker, EVENTS, 1));
  assert_false(breaker_is_open(f->breaker, EVENTS, 2));
  assert_true(breaker_is_open(f->breaker, QUARANTINE, 0)); // its topic
  assert_int_equal(n_open(f), 3);
  breaker_succeed(f->breaker, QUARANTINE, 1);
  assert_false(breaker_is_open(f->breaker, QUARANTINE, 0));
  assert_true(breaker_is_open(f->breaker, QUARANTINE, 2));
  assert_int_equal(n_open(f), 2);
}

static void test_only_news_about_all_brokers_opens_the_cluster(void **state) {
  struct fixture *f = *state;
  breaker_note_error(f->breaker, RD_KAFKA_RESP_ERR__TRANSPORT, 0); // one broker of several
  breaker_note_error(f->breaker, RD_KAFKA_RESP_ERR__RESOLVE, 0);
  breaker_note_error(f->breaker, RD_KAFKA_RESP_ERR__AUTHENTICATION, 0);
  assert_true(is_open_as(f, BREAKER_NOTHING));
  breaker_note_error(f->breaker, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, 0);
  assert_true(is_open_as(f, BREAKER_CLUSTER));
}

static void test_a_new_breaker_is_open_until_the_cluster_has_answered(void **state) {
  const struct fixture *f = *state;
  struct breaker *fresh = breaker_new("t.", f->metrics);
  assert_true(breaker_is_open(fresh, EVENTS, 3));
  assert_int_equal(n_open(f), 1);
  free(fresh);
}

static void test_a_topic_that_cannot_be_seen_is_open_until_its_partitions_are_known(void **state) {
  struct fixture *f = *state;
  breaker_learn_partitions(f->breaker, EVENTS, 6);
  breaker_note_unseen(f->breaker, QUARANTINE, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, 0);
  assert_true(breaker_is_open(f->breaker, QUARANTINE, 0));
  assert_false(breaker_is_open(f->breaker, EVENTS, 0));
  assert_int_equal(n_open(f), 1);
  breaker_learn_partitions(f->breaker, QUARANTINE, 2);
  assert_false(breaker_is_open(f->breaker, QUARANTINE, 0));
  assert_int_equal(n_open(f), 0);
  breaker_fail(f->breaker, QUARANTINE, 0, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 0);
  breaker_learn_partitions(f->breaker, QUARANTINE, 2); // says nothing about writing
  assert_true(breaker_is_open(f->breaker, QUARANTINE, 1));
}

static void end_try(atomic_bool *trying) {
  assert_non_null(trying);
  atomic_store(trying, false);
}

static void test_one_request_at_a_time_tries_each_of_what_is_open(void **state) {
  struct fixture *f = *state;
  breaker_fail(f->breaker, EVENTS, 1, RD_KAFKA_RESP_ERR__TIMED_OUT, 0);
  breaker_fail(f->breaker, EVENTS, 2, RD_KAFKA_RESP_ERR__TIMED_OUT, 0);
  atomic_bool *first = breaker_try(f->breaker, EVENTS, 1);
  assert_null(breaker_try(f->breaker, EVENTS, 1));
  end_try(breaker_try(f->breaker, EVENTS, 2));
  end_try(first);
  end_try(breaker_try(f->breaker, EVENTS, 1));
  breaker_note_error(f->breaker, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, 0);
  first = breaker_try(f->breaker, EVENTS, 1);
  assert_null(breaker_try(f->breaker, EVENTS, 2));
  assert_null(breaker_try(f->breaker, QUARANTINE, 0));
  end_try(first);
}

static void test_a_partition_is_silent_until_it_acknowledges(void **state) {
  struct fixture *f = *state;
  assert_true(breaker_is_silent(f->breaker, EVENTS, 3, 1));
  breaker_note_ack(f->breaker, EVENTS, 3, 1000);
  assert_false(breaker_is_silent(f->breaker, EVENTS, 3, 999));
  assert_true(breaker_is_silent(f->breaker, EVENTS, 3, 1000)); // as old as the request itself
  assert_true(breaker_is_silent(f->breaker, EVENTS, 4, 999));
  assert_true(breaker_is_silent(f->breaker, QUARANTINE, 3, 999));
}

static void test_a_cluster_that_answers_is_not_away_and_its_partitions_stay_as_they_are(void **state) {
  struct fixture *f = *state;
  breaker_fail(f->breaker, EVENTS, 1, RD_KAFKA_RESP_ERR__TIMED_OUT, 0);
  assert_false(breaker_is_cluster_open(f->breaker));
  breaker_note_error(f->breaker, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, 0);
  assert_true(breaker_is_cluster_open(f->breaker));
  breaker_note_cluster(f->breaker);
  assert_false(breaker_is_cluster_open(f->breaker));
  assert_true(breaker_is_open(f->breaker, EVENTS, 1));
  assert_false(breaker_is_open(f->breaker, EVENTS, 2));
  assert_int_equal(n_open(f), 1);
}

static void test_a_time_out_says_nothing_about_a_partition_while_the_cluster_is_away(void **state) {
  struct fixture *f = *state;
  breaker_note_error(f->breaker, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, 0);
  breaker_fail(f->breaker, EVENTS, 1, RD_KAFKA_RESP_ERR__TIMED_OUT, 0);
  breaker_fail(f->breaker, EVENTS, 2, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 0);
  breaker_note_cluster(f->breaker);
  assert_false(breaker_is_open(f->breaker, EVENTS, 1));
  assert_true(breaker_is_open(f->breaker, EVENTS, 2));
}

static void test_partitions_beyond_the_room_share_a_place(void **state) {
  struct fixture *f = *state;
  breaker_fail(f->breaker, EVENTS, BREAKER_PARTITIONS_MAX + 2, RD_KAFKA_RESP_ERR__TIMED_OUT, 0);
  assert_true(breaker_is_open(f->breaker, EVENTS, 2));
  assert_true(breaker_is_open(f->breaker, EVENTS, BREAKER_PARTITIONS_MAX + 2));
  assert_false(breaker_is_open(f->breaker, EVENTS, 1));
  assert_false(breaker_is_open(f->breaker, EVENTS, BREAKER_PARTITIONS_MAX + 1));
  assert_int_equal(n_open(f), 1);
  breaker_succeed(f->breaker, EVENTS, 2);
  assert_false(breaker_is_open(f->breaker, EVENTS, BREAKER_PARTITIONS_MAX + 2));
  breaker_fail(f->breaker, EVENTS, BREAKER_PARTITIONS_MAX - 1, RD_KAFKA_RESP_ERR__TIMED_OUT, 0);
  assert_true(breaker_is_open(f->breaker, EVENTS, BREAKER_PARTITIONS_MAX - 1));
  assert_false(breaker_is_open(f->breaker, EVENTS, 0));
}

// ---- partitions ----

static void test_a_topic_that_is_not_known_yet_has_no_partition(void **state) {
  struct fixture *f = *state;
  assert_int_equal(breaker_partitions(f->breaker, EVENTS), 0);
  assert_int_equal(breaker_partition_of(0, "k", 0), RD_KAFKA_PARTITION_UA);
  assert_int_equal(breaker_partition_of(0, NULL, 5), RD_KAFKA_PARTITION_UA);
  breaker_learn_partitions(f->breaker, EVENTS, 3);
  assert_int_equal(breaker_partitions(f->breaker, EVENTS), 3);
  assert_int_equal(breaker_partitions(f->breaker, QUARANTINE), 0);
}

static void test_partitions_that_a_topic_has_no_more_are_not_sick(void **state) {
  struct fixture *f = *state;
  breaker_learn_partitions(f->breaker, EVENTS, 3);
  breaker_fail(f->breaker, EVENTS, 0, RD_KAFKA_RESP_ERR__TIMED_OUT, 0);
  breaker_fail(f->breaker, EVENTS, 2, RD_KAFKA_RESP_ERR__TIMED_OUT, 0);
  assert_int_equal(n_open(f), 2);
  breaker_learn_partitions(f->breaker, EVENTS, 2);
  assert_false(breaker_is_open(f->breaker, EVENTS, 2));
  assert_true(breaker_is_open(f->breaker, EVENTS, 0));
  assert_int_equal(n_open(f), 1);
}

// The reference is the partitioner that librdkafka and every Java client choose by, called by itself, and a
// few places that Java's own (Utils.murmur2) gives.
static void test_a_key_has_the_partition_of_murmur2(void **state) {
  size_t used[PARTITIONS] = {0};
  for (int i = 0; i < 2000; i++) {
    AUTO_FREE char *key = mem_printf("key-%d", i);
    int32_t want = rd_kafka_msg_partitioner_murmur2(NULL, key, strlen(key), PARTITIONS, NULL, NULL);
    for (uint64_t n = 0; n < 3; n++) assert_int_equal(breaker_partition_of(PARTITIONS, key, n), want);
    used[want]++;
  }
  for (size_t i = 0; i < PARTITIONS; i++) assert_in_range(used[i], 2000 / PARTITIONS / 2, 2000);
  // Utils.toPositive(Utils.murmur2("21")) and ("foobar"), as Kafka's own UtilsTest has them.
  assert_int_equal(breaker_partition_of(INT32_MAX, "21", 0), (-973932308 & 0x7fffffff) % INT32_MAX);
  assert_int_equal(breaker_partition_of(INT32_MAX, "foobar", 0), (-790332482 & 0x7fffffff) % INT32_MAX);
}

static void test_without_a_key_the_partitions_take_turns(void **state) {
  for (uint64_t n = 0; n < 9; n++) assert_int_equal(breaker_partition_of(3, NULL, n), n % 3);
  assert_int_equal(breaker_partition_of(3, NULL, UINT64_MAX), UINT64_MAX % 3);
}

// ---- the log ----

static const char *log_of(struct output *output, struct fixture *f, int32_t partition,
                          rd_kafka_resp_err_t code) {
  output_begin(output);
  log_init("test", LOG_LEVEL_INFO);
  breaker_fail(f->breaker, EVENTS, partition, code, 17);
  log_init("test", LOG_LEVEL_ERROR);
  output_end(output);
  return output->text;
}

static void assert_says(const char *text, const char *part) {
  if (!strstr(text, part)) fail_msg("expected %s in: %s", part, text);
}

static void test_the_log_names_topic_partition_error_and_queue(void **state) {
  static struct output output;
  struct fixture *f = *state;
  breaker_note_error(f->breaker, RD_KAFKA_RESP_ERR__TRANSPORT, 0);
  const char *text = log_of(&output, f, 9, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
  assert_says(text, "\"message\":\"kafka breaker opened\"");
  assert_says(text, "\"topic\":\"t.events\"");
  assert_says(text, "\"partition\":9");
  assert_says(text, "\"error\":\"NOT_ENOUGH_REPLICAS\"");
  assert_says(text, "\"last_client_error\":\"_TRANSPORT\"");
  assert_says(text, "\"queued\":17");
  assert_string_equal(log_of(&output, f, 9, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS), ""); // open already
  text = log_of(&output, f, 9, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  assert_says(text, "\"topic\":\"t.events\"");
  assert_says(text, "\"partition\":-1");
  assert_says(text, "\"error\":\"TOPIC_AUTHORIZATION_FAILED\"");
  text = log_of(&output, f, 9, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN);
  assert_says(text, "\"topic\":\"all\"");
  assert_says(text, "\"error\":\"_ALL_BROKERS_DOWN\"");
}

static void test_the_log_names_what_is_closed(void **state) {
  static struct output output;
  struct fixture *f = *state;
  breaker_fail(f->breaker, EVENTS, 7, RD_KAFKA_RESP_ERR__TIMED_OUT, 0);
  breaker_fail(f->breaker, EVENTS, 8, RD_KAFKA_RESP_ERR__TIMED_OUT, 0);
  output_begin(&output);
  log_init("test", LOG_LEVEL_INFO);
  breaker_succeed(f->breaker, EVENTS, 7);
  breaker_succeed(f->breaker, EVENTS, 7);
  log_init("test", LOG_LEVEL_ERROR);
  output_end(&output);
  assert_says(output.text, "\"message\":\"kafka breaker closed\"");
  assert_says(output.text, "\"topic\":\"t.events\"");
  assert_says(output.text, "\"partition\":7");
  assert_says(output.text, "\"still_open\":1");
  assert_ptr_equal(strchr(output.text, '\n'), strrchr(output.text, '\n')); // one line
}

int main(void) {
  log_init("test", LOG_LEVEL_ERROR);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_a_failure_opens_its_scope_alone),
      cmocka_unit_test(test_only_a_record_that_is_refused_for_itself_steps_aside),
      TEST(test_whatever_error_opens_is_counted_once_and_closed_by_a_success),
      TEST(test_the_metric_counts_partitions_topics_and_the_cluster),
      TEST(test_a_success_closes_partition_topic_and_cluster_and_leaves_the_others),
      TEST(test_only_news_about_all_brokers_opens_the_cluster),
      TEST(test_a_new_breaker_is_open_until_the_cluster_has_answered),
      TEST(test_a_topic_that_cannot_be_seen_is_open_until_its_partitions_are_known),
      TEST(test_one_request_at_a_time_tries_each_of_what_is_open),
      TEST(test_a_partition_is_silent_until_it_acknowledges),
      TEST(test_a_cluster_that_answers_is_not_away_and_its_partitions_stay_as_they_are),
      TEST(test_a_time_out_says_nothing_about_a_partition_while_the_cluster_is_away),
      TEST(test_partitions_beyond_the_room_share_a_place),
      TEST(test_a_topic_that_is_not_known_yet_has_no_partition),
      TEST(test_partitions_that_a_topic_has_no_more_are_not_sick),
      cmocka_unit_test(test_a_key_has_the_partition_of_murmur2),
      cmocka_unit_test(test_without_a_key_the_partitions_take_turns),
      TEST(test_the_log_names_topic_partition_error_and_queue),
      TEST(test_the_log_names_what_is_closed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
