// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "common/json/json.h"
#include "processor/rules/incident.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t SINCE_MS = INT64_C(1795940100000); // 2026-11-29T08:15:00Z

static char bizgo[] = "bizgo", blux[] = "blux", alimtalk[] = "bizgo/alimtalk", account[] = "account",
            none[] = "";

static const struct incident account_fault = {.kind = INCIDENT_FAILING,
                                              .opens = true,
                                              .provider = bizgo,
                                              .endpoint = alimtalk,
                                              .scope = account,
                                              .since = SINCE_MS,
                                              .judged_until = SINCE_MS + 1500};

// ---- kinds ----

static void test_every_kind_opens_and_closes_by_a_type_of_its_own_side(void **state) {
  static const struct {
    enum incident_kind kind;
    const char *name, *opens, *closes;
  } rows[INCIDENT_KIND_COUNT] = {
      {INCIDENT_FAILING, "failing", "dochak.provider.failing.v1", "dochak.provider.restored.v1"},
      {INCIDENT_SILENT, "silent", "dochak.provider.silent.v1", "dochak.provider.restored.v1"},
      {INCIDENT_SLOW, "slow", "dochak.provider.slow.v1", "dochak.provider.restored.v1"},
      {INCIDENT_REFUSING, "refusing", "dochak.endpoint.refusing.v1", "dochak.endpoint.restored.v1"},
      {INCIDENT_UNREACHABLE, "unreachable", "dochak.endpoint.unreachable.v1", "dochak.endpoint.restored.v1"},
      {INCIDENT_AT_RISK, "at_risk", "dochak.endpoint.at_risk.v1", "dochak.endpoint.restored.v1"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    enum incident_kind kind = INCIDENT_KIND_COUNT;
    assert_true(incident_kind_parse(rows[i].name, &kind));
    assert_int_equal(kind, rows[i].kind);
    assert_string_equal(incident_kind_name(kind), rows[i].name);
    assert_string_equal(incident_type(kind, true), rows[i].opens);
    assert_string_equal(incident_type(kind, false), rows[i].closes);
  }
}

static void test_another_name_is_no_kind(void **state) {
  static const char *const names[] = {"", "fail", "failing ", "Silent", NULL};
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    enum incident_kind kind = INCIDENT_KIND_COUNT;
    assert_false(incident_kind_parse(names[i], &kind));
    assert_int_equal(kind, INCIDENT_KIND_COUNT);
  }
}

// ---- which incident it is ----

static const struct incident in_order[] = {
    {.kind = INCIDENT_FAILING, .provider = bizgo, .endpoint = none, .scope = none},
    {.kind = INCIDENT_FAILING, .provider = bizgo, .endpoint = none, .scope = account},
    {.kind = INCIDENT_FAILING, .provider = bizgo, .endpoint = alimtalk, .scope = none},
    {.kind = INCIDENT_FAILING, .provider = blux, .endpoint = none, .scope = none},
    {.kind = INCIDENT_SILENT, .provider = none, .endpoint = none, .scope = none},
};

static int sign_of(int order) {
  return (order > 0) - (order < 0);
}

static void test_incidents_differ_by_kind_provider_endpoint_and_scope(void **state) {
  for (int i = 0; i < (int)COUNT_OF(in_order); i++)
    for (int k = 0; k < (int)COUNT_OF(in_order); k++) {
      struct incident other = in_order[k];
      other.since = 7; // and by nothing else
      other.opens = true;
      assert_int_equal(sign_of(incident_compare(&in_order[i], &other)), sign_of(i - k));
    }
}

static void test_an_id_is_made_of_what_it_is_and_of_the_judgement(void **state) {
  struct incident later = account_fault, again = account_fault;
  later.judged_until++;
  again.since++;
  again.opens = false;
  struct uuid id = incident_make_id(&account_fault), same = incident_make_id(&again),
              other = incident_make_id(&later);
  assert_memory_equal(&id, &same, sizeof id);
  assert_memory_not_equal(&id, &other, sizeof id);
  for (size_t i = 0; i < COUNT_OF(in_order); i++)
    for (size_t k = 0; k < i; k++) {
      struct uuid a = incident_make_id(&in_order[i]), b = incident_make_id(&in_order[k]);
      assert_memory_not_equal(&a, &b, sizeof a);
    }
}

// ---- the event ----

static char *details_of(const char *cause) {
  AUTO_JSON *counts = json_pack("{si}", "account_faults", 3);
  AUTO_JSON *codes = json_pack("[{ss sn si}]", "code", "64008", "reason", "count", 3);
  const struct incident_story story = {
      .summary = "bizgo: it fails", .cause = cause, .example = "key-17", .counts = counts, .codes = codes};
  return incident_details(&account_fault, &story);
}

static void test_details_tell_what_is_known_and_what_is_not(void **state) {
  AUTO_FREE char *text = details_of("refusing is open");
  AUTO_JSON *details = json_parse(text, strlen(text), NULL);
  assert_string_equal(json_string_value(json_object_get(details, "summary")), "bizgo: it fails");
  assert_string_equal(json_string_value(json_object_get(details, "cause")), "refusing is open");
  assert_string_equal(json_string_value(json_object_get(details, "example")), "key-17");
  assert_true(json_array_size(json_object_get(details, "check_first")) > 0);
  assert_int_equal(json_integer_value(json_object_get(json_object_get(details, "counts"), "account_faults")),
                   3);
  assert_int_equal(json_array_size(json_object_get(details, "codes")), 1);
  const struct incident_story little = {.summary = "s"};
  const struct incident slow = {
      .kind = INCIDENT_SLOW, .opens = true, .provider = bizgo, .endpoint = none, .scope = none};
  AUTO_FREE char *bare = incident_details(&slow, &little);
  AUTO_JSON *empty = json_parse(bare, strlen(bare), NULL);
  assert_true(json_is_null(json_object_get(empty, "cause")) &&
              json_is_null(json_object_get(empty, "example")));
  assert_int_equal(json_object_size(json_object_get(empty, "counts")), 0);
  assert_true(json_is_array(json_object_get(empty, "codes")));
}

static void test_one_that_closes_leaves_nothing_to_be_checked(void **state) {
  const struct incident_story story = {.summary = "it is over"};
  struct incident over = account_fault;
  over.opens = false;
  AUTO_FREE char *text = incident_details(&over, &story);
  AUTO_JSON *details = json_parse(text, strlen(text), NULL);
  assert_true(json_is_array(json_object_get(details, "check_first")));
  assert_int_equal(json_array_size(json_object_get(details, "check_first")), 0);
}

static void test_an_event_says_again_what_was_written(void **state) {
  static const struct incident rows[] = {
      {.kind = INCIDENT_FAILING, .opens = true, .provider = bizgo, .endpoint = alimtalk, .scope = account},
      {.kind = INCIDENT_SILENT, .opens = false, .provider = blux, .endpoint = none, .scope = none},
      {.kind = INCIDENT_UNREACHABLE, .opens = true, .provider = none, .endpoint = none, .scope = account},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct incident written = rows[i], read;
    struct err err;
    AUTO_FREE char *details = details_of(NULL);
    written.details = details;
    written.since = SINCE_MS;
    written.judged_until = SINCE_MS + 1500;
    written.id = incident_make_id(&written);
    AUTO_FREE char *text = incident_format(&written);
    if (!incident_parse(incident_type(written.kind, written.opens), text, strlen(text), &read, &err))
      fail_msg("%s: %s", text, err.text);
    assert_memory_equal(&read.id, &written.id, sizeof read.id);
    assert_int_equal(incident_compare(&read, &written), 0);
    assert_int_equal(read.opens, written.opens);
    assert_true(read.since == written.since && read.judged_until == written.judged_until);
    assert_string_equal(read.details, written.details);
    incident_fini(&read);
  }
}

static void test_what_it_is_not_about_is_null_in_the_event(void **state) {
  struct incident incident = {.kind = INCIDENT_SILENT, .provider = bizgo, .endpoint = none, .scope = none};
  AUTO_FREE char *details = details_of(NULL);
  incident.details = details;
  AUTO_FREE char *text = incident_format(&incident);
  AUTO_JSON *value = json_parse(text, strlen(text), NULL);
  assert_true(json_is_null(json_object_get(value, "endpoint")) &&
              json_is_null(json_object_get(value, "scope")));
  assert_string_equal(json_string_value(json_object_get(value, "provider")), "bizgo");
}

#define ID    "\"incident_id\":\"5a8cfb1e-93b4-5f8a-9a56-0a4ea1c9b6aa\","
#define KIND  "\"kind\":\"silent\","
#define WHERE "\"provider\":\"bizgo\",\"endpoint\":null,\"scope\":null,"
#define TIMES "\"since\":\"2026-11-29T08:15:00Z\",\"judged_until\":\"2026-11-29T08:25:00Z\""

static const struct {
  const char *type, *value, *fault;
} faults[] = {
    {EVENT_SILENT, "", "empty"},
    {EVENT_SILENT, "not JSON", "not JSON"},
    {EVENT_SILENT, "[]", "expected an object"},
    {EVENT_SILENT, "{" ID WHERE TIMES "}", "/kind"},
    {EVENT_SILENT, "{" ID "\"kind\":\"loud\"," WHERE TIMES "}", "/kind"},
    {EVENT_SILENT, "{" ID "\"kind\":7," WHERE TIMES "}", "/kind"},
    {EVENT_SLOW, "{" ID KIND WHERE TIMES "}", "/kind: silent does not belong"},
    {EVENT_ENDPOINT_GOOD, "{" ID KIND WHERE TIMES "}", "/kind: silent does not belong"},
    {EVENT_SILENT, "{" KIND WHERE TIMES "}", "/incident_id"},
    {EVENT_SILENT, "{\"incident_id\":\"7\"," KIND WHERE TIMES "}", "/incident_id"},
    {EVENT_SILENT, "{" ID KIND "\"provider\":7,\"endpoint\":null,\"scope\":null," TIMES "}", "/provider"},
    {EVENT_SILENT, "{" ID KIND "\"provider\":\"bizgo\",\"endpoint\":[],\"scope\":null," TIMES "}",
     "/endpoint"},
    {EVENT_SILENT, "{" ID KIND "\"provider\":\"bizgo\",\"endpoint\":null,\"scope\":true," TIMES "}",
     "/scope"},
    {EVENT_SILENT, "{" ID KIND WHERE "\"judged_until\":\"2026-11-29T08:25:00Z\"}", "/since"},
    {EVENT_SILENT, "{" ID KIND WHERE "\"since\":\"2026-11-29T08:15:00Z\"}", "/judged_until"},
    {EVENT_SILENT, "{" ID KIND WHERE "\"since\":\"soon\",\"judged_until\":\"2026-11-29T08:25:00Z\"}",
     "/since"},
};

static void test_what_is_no_incident_names_the_member(void **state) {
  for (size_t i = 0; i < COUNT_OF(faults); i++) {
    struct incident incident, zeroed = {0};
    struct err err = {0};
    memset(&incident, 1, sizeof incident);
    if (incident_parse(faults[i].type, faults[i].value, strlen(faults[i].value), &incident, &err))
      fail_msg("%s", faults[i].value);
    if (!strstr(err.text, faults[i].fault)) fail_msg("%s: %s", faults[i].value, err.text);
    assert_memory_equal(&incident, &zeroed, sizeof incident);
  }
}

static void test_members_that_are_left_out_are_about_nothing(void **state) {
  static const char value[] = "{" ID KIND TIMES ",\"summary\":\"s\"}";
  struct incident incident;
  struct err err;
  assert_true(incident_parse(EVENT_PROVIDER_GOOD, value, strlen(value), &incident, &err));
  assert_false(incident.opens);
  assert_true(!*incident.provider && !*incident.endpoint && !*incident.scope);
  assert_string_equal(incident.details, "{\"summary\":\"s\"}");
  incident_fini(&incident);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_kind_opens_and_closes_by_a_type_of_its_own_side),
      cmocka_unit_test(test_another_name_is_no_kind),
      cmocka_unit_test(test_incidents_differ_by_kind_provider_endpoint_and_scope),
      cmocka_unit_test(test_an_id_is_made_of_what_it_is_and_of_the_judgement),
      cmocka_unit_test(test_details_tell_what_is_known_and_what_is_not),
      cmocka_unit_test(test_one_that_closes_leaves_nothing_to_be_checked),
      cmocka_unit_test(test_an_event_says_again_what_was_written),
      cmocka_unit_test(test_what_it_is_not_about_is_null_in_the_event),
      cmocka_unit_test(test_what_is_no_incident_names_the_member),
      cmocka_unit_test(test_members_that_are_left_out_are_about_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
