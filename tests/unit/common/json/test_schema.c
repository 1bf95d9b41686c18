// SPDX-License-Identifier: MIT
// The validator, keyword by keyword; that it agrees with a JSON Schema library is proven by tests/contract.
#include "common/base/embedded.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "common/json/schema.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static json_t *parse(const char *text) {
  struct err err = {0};
  json_t *value = json_parse(text, strlen(text), &err);
  if (!value) fail_msg("%s: %s", text, err.text);
  return value;
}

#define EITHER                                                                                               \
  "{\"anyOf\":[{\"properties\":{\"by\":{},\"first\":{\"type\":\"null\"},\"extra\":{}},"                      \
  "\"required\":[\"by\",\"first\"],\"additionalProperties\":false},"                                         \
  "{\"properties\":{\"by\":{},\"second\":{\"type\":\"null\"}},"                                              \
  "\"required\":[\"by\",\"second\"],\"additionalProperties\":false}]}"

static const struct {
  const char *schema, *document;
  const char *fault; // NULL: it holds
} checks[] = {
    // types; a number with nothing behind the point is a whole number
    {"{\"type\":\"integer\"}", "1.0", NULL},
    {"{\"type\":\"integer\"}", "1e300", NULL},
    {"{\"type\":\"integer\"}", "1.5", "expected a whole number, got a number"},
    {"{\"type\":\"number\"}", "3", NULL},
    {"{\"type\":[\"string\",\"null\"]}", "null", NULL},
    {"{\"type\":[\"string\",\"null\"]}", "true", "expected a string or null, got true or false"},
    {"{\"type\":\"boolean\"}", "false", NULL},

    // values
    {"{\"const\":1}", "1", NULL},
    {"{\"const\":\"a\"}", "\"b\"", "expected \"a\""},
    {"{\"enum\":[null,[1,{\"a\":2}]]}", "[1,{\"a\":2}]", NULL},
    {"{\"enum\":[\"a\",2]}", "0", "expected \"a\" or 2"},

    // keywords say nothing about other types
    {"{\"minLength\":3,\"minimum\":3,\"minItems\":3,\"required\":[\"a\"],\"pattern\":\"x\"}", "true", NULL},

    // text: characters, not bytes; a pattern may stand anywhere in it
    {"{\"maxLength\":2}", "\"알림\"", NULL},
    {"{\"minLength\":3}", "\"알림\"", "expected 3 or more characters, got 2"},
    {"{\"maxLength\":1}", "\"알림\"", "expected 1 characters at most, got 2"},
    {"{\"maxLength\":1}", "\"\\ud83d\\ude00\"", NULL},
    {"{\"pattern\":\"b+\"}", "\"abc\"", NULL},
    {"{\"pattern\":\"^b+$\"}", "\"abc\"", "expected text that matches ^b+$"},
    {"{\"pattern\":\"^[^\\u0001-\\u001f]*$\"}", "\"알림톡\"", NULL},
    {"{\"pattern\":\"^[^\\u0001-\\u001f]*$\"}", "\"a\\nb\"", "expected text that matches ^[^\x01-\x1f]*$"},
    {"{\"pattern\":\"^b+$\",\"title\":\"nothing but b\"}", "\"abc\"", "expected nothing but b"},

    // numbers
    {"{\"maximum\":9223372036854775807}", "9223372036854775807", NULL},
    {"{\"const\":9007199254740993}", "9007199254740992", "expected 9007199254740993"},
    {"{\"maximum\":1.5}", "2", "expected 1.5 at most"},
    {"{\"maximum\":1.5}", "1", NULL},
    {"{\"minimum\":-1.5}", "-2", "expected -1.5 or more"},

    // arrays
    {"{\"items\":{\"type\":\"string\"}}", "[\"a\",1]", "/1: expected a string, got a whole number"},
    {"{\"minItems\":1}", "[]", "expected 1 or more items, got 0"},
    {"{\"maxItems\":1}", "[1,2]", "expected 1 items at most, got 2"},
    {"{\"uniqueItems\":true}", "[1,2,1]", "expected items that differ, but 0 and 2 are the same"},
    {"{\"uniqueItems\":true}", "[1,true,\"1\"]", NULL},

    // objects
    {"{\"required\":[\"a\"]}", "{}", "expected a key \"a\""},
    {"{\"properties\":{\"a\":{\"type\":\"null\"}}}", "{\"a\":1}", "/a: expected null, got a whole number"},
    {"{\"properties\":{\"a\":{},\"b\":{}},\"additionalProperties\":false}", "{\"c\":1}",
     "unknown key \"c\"; expected one of a, b"},
    {"{\"additionalProperties\":{\"type\":\"null\"}}", "{\"a/b~\":1}",
     "/a~1b~0: expected null, got a whole number"},
    {"{\"propertyNames\":{\"maxLength\":1}}", "{\"ab\":1}", "/ab: expected 1 characters at most, got 2"},
    {"{\"minProperties\":1}", "{}", "expected 1 or more keys, got 0"},
    {"{\"maxProperties\":0}", "{\"a\":1}", "expected 0 keys at most, got 1"},

    // several schemas; the fault reported is that of the branch that was meant
    {"{\"allOf\":[{\"minimum\":1},{\"maximum\":2}]}", "3", "expected 2 at most"},
    {"{\"anyOf\":[{\"type\":\"null\"},{\"minimum\":1}]}", "1", NULL},
    {"{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"array\",\"items\":{\"type\":\"null\"}}]}", "[1]",
     "/0: expected null, got a whole number"},
    {"{\"anyOf\":[{\"properties\":{\"kind\":{\"const\":\"a\"}},\"required\":[\"x\"]},"
     "{\"properties\":{\"kind\":{\"const\":\"b\"}},\"required\":[\"y\"]}]}",
     "{\"kind\":\"b\"}", "expected a key \"y\""},
    {"{\"anyOf\":[{\"properties\":{\"a\":{\"type\":\"null\"}},\"required\":[\"a\"]},{\"required\":[\"b\"]}]}",
     "{\"a\":1}", "/a: expected null, got a whole number"},
    {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":[\"string\",\"array\"]},{\"type\":\"null\"}]}", "1",
     "expected a string, an array or null, got a whole number"},
    {"{\"anyOf\":[{\"properties\":{\"kind\":{\"const\":\"a\"}}},{\"properties\":{\"kind\":{\"const\":\"b\"}}}"
     "]}",
     "{\"kind\":\"c\"}", "/kind: expected \"a\" or \"b\""},
    {EITHER, "{\"by\":1}", "expected \"first\" or \"second\""},
    {EITHER, "{}", "expected a key \"by\""},
    {EITHER, "{\"by\":1,\"second\":\"x\"}", "/second: expected null, got a string"},
    {"{\"not\":{\"type\":\"null\"}}", "1", NULL},
    {"{\"not\":{\"required\":[\"a\",\"b\"]}}", "{\"a\":1,\"b\":1}", "expected \"a\" or \"b\", not both"},
    {"{\"not\":{\"required\":[\"a\",\"b\"]}}", "{\"a\":1}", NULL},
    {"{\"title\":\"no a\",\"not\":{\"pattern\":\"a\"}}", "\"a\"", "expected no a"},
    {"{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}", "expected a key \"b\" beside \"a\""},
    {"{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"b\":1}", NULL},
    {"{\"type\":\"string\"}", "9223372036854775808", "expected a string, got a whole number beyond 64 bits"},
    {"{\"type\":\"string\"}", "1e300", "expected a string, got a whole number beyond 64 bits"},
    {"{\"type\":\"string\"}", "9223372036854775807", "expected a string, got a whole number"},
    {"{\"type\":\"string\"}", "0.5", "expected a string, got a number"},
    {"{\"$ref\":\"#/$defs/n\",\"maximum\":1,\"$defs\":{\"n\":{\"type\":\"number\"}}}", "2",
     "expected 1 at most"},
    {"{\"$defs\":{\"t\":{\"items\":{\"$ref\":\"#/$defs/t\"},\"type\":\"array\"}},\"$ref\":\"#/$defs/t\"}",
     "[[[]],[[1]]]", "/1/0/0: expected an array, got a whole number"},

    // a key is shown, shortened and without control characters; a value never
    {"{\"properties\":{\"known\":{}},\"additionalProperties\":false}",
     "{\"a\\nb c\\u001f\\u007f~1/\":\"secret\"}", "unknown key \"a?b c??~01~1\"; expected only known"},
    {"{\"properties\":{\"known\":{}},\"additionalProperties\":false}",
     "{\"0123456789012345678901234567890123456789012345678901234567890123456789\":1}",
     "unknown key \"0123456789012345678901234567890123456789012345678901234567890123...\"; expected only "
     "known"},
};

static void test_a_fault_names_the_place_and_what_was_expected(void **state) {
  for (size_t i = 0; i < COUNT_OF(checks); i++) {
    struct err err = {0};
    AUTO_JSON *document = parse(checks[i].document);
    AUTO_JSON *node = parse(checks[i].schema);
    struct schema *schema = schema_new(node, &err);
    if (!schema) fail_msg("%s: %s", checks[i].schema, err.text);
    bool holds = schema_check(schema, document, &err);
    if (holds != !checks[i].fault) fail_msg("%s over %s: %s", checks[i].schema, checks[i].document, err.text);
    if (!holds) assert_string_equal(err.text, checks[i].fault);
    schema_free(schema);
  }
}

// What the people who write our documents get wrong.
static const struct {
  const char *schema, *document, *fault;
} shipped[] = {
    {"registration", "{\"provider\":\"bizgo\"}", "expected \"response\" or \"notification_id\""},
    {"registration", "[{\"provider\":\"bizgo\"}]", "/0: expected \"response\" or \"notification_id\""},
    {"registration", "{\"provider\":\"bizgo\",\"notificationId\":\"x\"}",
     "unknown key \"notificationId\"; did you mean \"notification_id\"?"},
    {"registration", "{\"provider\":\"bizgo\",\"notification_id\":5}",
     "/notification_id: expected a string, got a whole number"},
    {"registration", "{\"provider\":\"bizgo\",\"notification_id\":\"\"}",
     "/notification_id: expected 1 or more characters, got 0"},
    {"registration", "{\"provider\":\"bizgo\",\"notification_id\":\"x\",\"response\":{}}",
     "expected \"response\" or \"notification_id\", not both"},
    {"registration", "{\"provider\":\"bizgo\",\"notification_id\":\"x\",\"chanel\":\"SMS\"}",
     "unknown key \"chanel\"; did you mean \"channel\"?"},
    {"registration", "{\"notification_id\":\"x\"}", "expected a key \"provider\""},
    {"registration", "5", "expected an object or an array, got a whole number"},
    {"provider", "{\"outcomes\":{\"D\":{\"outcome\":\"deliverd\"}}}",
     "/outcomes/D/outcome: expected \"delivered\", \"failed\", \"account_fault\", \"unconfirmed\" or "
     "\"on_its_way\""},
    {"provider", "{\"outcomes\":{\"D\":{\"outcome\":\"failed\"}}}", "/outcomes/D: expected a key \"reason\""},
    {"provider", "{\"outcomes\":{\"D\":{\"outcome\":\"failed\",\"raeson\":\"x\"}}}",
     "/outcomes/D: unknown key \"raeson\"; did you mean \"reason\"?"},
    {"provider", "{\"webhook\":{\"bugdet_ms\":800}}",
     "/webhook: unknown key \"bugdet_ms\"; did you mean \"budget_ms\"?"},
    {"provider",
     "{\"webhook\":{\"kinds\":[{\"name\":\"r\",\"kind\":\"recipt\",\"id\":\"/id\",\"code\":\"/c\"}]}}",
     "/webhook/kinds/0/kind: expected \"receipt\", \"contact\" or \"other\""},
    {"provider",
     "{\"webhook\":{\"kinds\":[{\"name\":\"r\",\"id\":\"/id\",\"code\":\"/c\",\"dedupe\":[\"/c\"]}]}}",
     "/webhook/kinds/0: expected a key \"kind\""},
    {"provider", "{\"webhook\":{\"kinds\":[{\"name\":\"r\",\"kind\":\"receipt\",\"id\":\"/id\"}]}}",
     "/webhook/kinds/0: expected a key \"code\""},
    {"provider", "{\"webhook\":{\"kinds\":[{\"name\":\"r\",\"kind\":\"receipt\",\"code\":5}]}}",
     "/webhook/kinds/0/code: expected a string, an array or an object, got a whole number"},
    {"provider", "{\"acceptance\":{\"shapes\":[{\"id\":\"/id\",\"code\":\"/c\"}]}}",
     "/acceptance/shapes/0: expected a key \"accepted\" beside \"code\""},
    {"endpoints", "{\"endpoints\":[{\"endpoint\":\"a\",\"provider\":\"b\",\"secret\":\"s\"}]}",
     "/endpoints/0: unknown key \"secret\"; expected one of endpoint, provider, secret_path, verify_token, "
     "max_body_bytes, "
     "checks, zone, floor"},
};

#define SHIPPED_KINDS                                                                                        \
  "{\"provider\":\"Bad\",\"webhook\":{\"kinds\":[{\"name\":\"r\",\"kind\":\"recipt\"},"                      \
  "{\"kind\":\"other\",\"id\":5}],\"bugdet_ms\":1},\"outcomes\":{\"a\":{\"outcome\":\"x\"},"                 \
  "\"b\":{\"outcome\":\"failed\"}}}"

static void test_all_faults_of_a_document_are_reported_and_none_that_only_follows(void **state) {
  static const char *const expected[] = {
      ("/provider: expected a name of lower-case letters, digits, _ and -, a letter first, 32 characters at "
       "most"),
      "/webhook/kinds/0/kind: expected \"receipt\", \"contact\" or \"other\"",
      "/webhook/kinds/1/id: expected a string, an array or an object, got a whole number",
      "/webhook/kinds/1: expected a key \"name\"",
      "/webhook: unknown key \"bugdet_ms\"; did you mean \"budget_ms\"?",
      "/outcomes/a/outcome: expected \"delivered\", \"failed\", \"account_fault\", \"unconfirmed\" or "
      "\"on_its_way\"",
      "/outcomes/b: expected a key \"reason\"",
  };
  struct err err = {0};
  struct faults faults = {0};
  AUTO_JSON *document = parse(SHIPPED_KINDS);
  struct schema *schema = schema_open("provider.schema.json", &err);
  assert_false(schema_check_all(schema, document, &faults));
  for (size_t i = 0; i < faults.n && i < COUNT_OF(expected); i++)
    assert_string_equal(faults.list[i].text, expected[i]);
  assert_int_equal(faults.n, COUNT_OF(expected));
  faults_fini(&faults);
  schema_free(schema);
}

static void test_a_mistake_in_our_own_documents_is_called_by_its_name(void **state) {
  for (size_t i = 0; i < COUNT_OF(shipped); i++) {
    struct err err = {0};
    AUTO_JSON *document = parse(shipped[i].document);
    AUTO_FREE char *name = mem_printf("%s.schema.json", shipped[i].schema);
    struct schema *schema = schema_open(name, &err);
    if (!schema) fail_msg("%s", err.text);
    assert_false(schema_check(schema, document, &err));
    assert_string_equal(err.text, shipped[i].fault);
    schema_free(schema);
  }
}

static const struct {
  const char *schema, *fault;
} refused[] = {
    {"{\"format\":\"date\"}", "format: a keyword that is not implemented"},
    {"{\"properties\":{\"a\":{\"dependentSchemas\":{}}}}",
     "properties: a: dependentSchemas: a keyword that is not implemented"},
    {"{\"$defs\":{\"unused\":{\"if\":{}}}}", "$defs: unused: if: a keyword that is not implemented"},
    {"{\"$ref\":\"#/$defs/none\"}", "$ref: expected #/$defs/<name> that exists"},
    {"{\"$ref\":\"other.json\"}", "$ref: expected #/$defs/<name> that exists"},
    {"{\"$ref\":\"#/$dexx/a\",\"$defs\":{\"a\":{}}}", "$ref: expected #/$defs/<name> that exists"},
    {"{\"$ref\":5,\"$defs\":{\"a\":{}}}", "$ref: expected #/$defs/<name> that exists"},
    {"{\"anyOf\":[{},{\"format\":\"date\"}]}", "anyOf: format: a keyword that is not implemented"},
    {"{\"pattern\":\"(\"}", "pattern: pattern (: not understood"},
    {"{\"items\":[{}]}", "items: expected a schema"},
};

static void test_a_schema_with_a_rule_we_cannot_check_is_refused(void **state) {
  for (size_t i = 0; i < COUNT_OF(refused); i++) {
    struct err err = {0};
    AUTO_JSON *node = parse(refused[i].schema);
    assert_null(schema_new(node, &err));
    assert_string_equal(err.text, refused[i].fault);
  }
}

static void test_every_schema_we_ship_can_be_opened(void **state) {
  for (const struct embedded *file = embedded_schemas; file->name; file++) {
    struct err err = {0};
    struct schema *schema = schema_open(file->name, &err);
    assert_string_equal(err.text, "");
    assert_non_null(schema);
    schema_free(schema);
  }
}

static void test_a_schema_that_is_not_built_in_is_named(void **state) {
  struct err err = {0};
  assert_null(schema_open("nothing.schema.json", &err));
  assert_string_equal(err.text, "nothing.schema.json: no such schema is built in");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_fault_names_the_place_and_what_was_expected),
      cmocka_unit_test(test_all_faults_of_a_document_are_reported_and_none_that_only_follows),
      cmocka_unit_test(test_a_mistake_in_our_own_documents_is_called_by_its_name),
      cmocka_unit_test(test_a_schema_with_a_rule_we_cannot_check_is_refused),
      cmocka_unit_test(test_every_schema_we_ship_can_be_opened),
      cmocka_unit_test(test_a_schema_that_is_not_built_in_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
