// SPDX-License-Identifier: MIT
// The validator, keyword by keyword; that it agrees with a JSON Schema library is proven by tests/contract.
#include "common/embedded.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/schema.h"
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

static const struct {
  const char *schema, *document;
  const char *fault; // NULL: it holds
} checks[] = {
    // types; a number with nothing behind the point is a whole number
    {"true", "1", NULL},
    {"false", "1", "(root): expected nothing here"},
    {"{\"type\":\"integer\"}", "1.0", NULL},
    {"{\"type\":\"integer\"}", "1e300", NULL},
    {"{\"type\":\"integer\"}", "1.5", "(root): expected a whole number, got a number"},
    {"{\"type\":\"number\"}", "3", NULL},
    {"{\"type\":[\"string\",\"null\"]}", "null", NULL},
    {"{\"type\":[\"string\",\"null\"]}", "true", "(root): expected a string or null, got true or false"},
    {"{\"type\":\"boolean\"}", "false", NULL},

    // values
    {"{\"const\":1}", "1.0", NULL},
    {"{\"const\":\"a\"}", "\"b\"", "(root): expected \"a\""},
    {"{\"enum\":[null,[1,{\"a\":2}]]}", "[1.0,{\"a\":2.0}]", NULL},
    {"{\"enum\":[\"a\",2]}", "0", "(root): expected one of \"a\", 2"},

    // keywords say nothing about other types
    {"{\"minLength\":3,\"minimum\":3,\"minItems\":3,\"required\":[\"a\"],\"pattern\":\"x\"}", "true", NULL},

    // text: characters, not bytes; a pattern may stand anywhere in it
    {"{\"maxLength\":2}", "\"알림\"", NULL},
    {"{\"minLength\":3}", "\"알림\"", "(root): expected 3 or more characters, got 2"},
    {"{\"maxLength\":1}", "\"알림\"", "(root): expected 1 characters at most, got 2"},
    {"{\"maxLength\":1}", "\"\\ud83d\\ude00\"", NULL},
    {"{\"pattern\":\"b+\"}", "\"abc\"", NULL},
    {"{\"pattern\":\"^b+$\"}", "\"abc\"", "(root): expected text that matches ^b+$"},
    {"{\"pattern\":\"^[^\\u0001-\\u001f]*$\"}", "\"알림톡\"", NULL},
    {"{\"pattern\":\"^[^\\u0001-\\u001f]*$\"}", "\"a\\nb\"",
     "(root): expected text that matches ^[^\x01-\x1f]*$"},
    {"{\"pattern\":\"^b+$\",\"title\":\"nothing but b\"}", "\"abc\"", "(root): expected nothing but b"},

    // numbers, exactly, where a double would not do
    {"{\"minimum\":9007199254740993}", "9007199254740992", "(root): expected 9.00719925474099e+15 or more"},
    {"{\"maximum\":9223372036854775807}", "9223372036854775807", NULL},
    {"{\"maximum\":9223372036854775807}", "9223372036854775808",
     "(root): expected 9.22337203685478e+18 at most"},
    {"{\"const\":9007199254740993}", "9007199254740992", "(root): expected 9007199254740993"},
    {"{\"maximum\":1.5}", "2", "(root): expected 1.5 at most"},
    {"{\"maximum\":1.5}", "1", NULL},
    {"{\"minimum\":-1.5}", "-2", "(root): expected -1.5 or more"},

    // arrays
    {"{\"items\":{\"type\":\"string\"}}", "[\"a\",1]", "/1: expected a string, got a whole number"},
    {"{\"minItems\":1}", "[]", "(root): expected 1 or more items, got 0"},
    {"{\"maxItems\":1}", "[1,2]", "(root): expected 1 items at most, got 2"},
    {"{\"uniqueItems\":true}", "[1,2,1.0]", "(root): expected items that differ, but 0 and 2 are the same"},
    {"{\"uniqueItems\":true}", "[1,true,\"1\"]", NULL},
    {"{\"uniqueItems\":false}", "[1,1]", NULL},

    // objects
    {"{\"required\":[\"a\"]}", "{}", "(root): expected a key \"a\""},
    {"{\"properties\":{\"a\":{\"type\":\"null\"}}}", "{\"a\":1}", "/a: expected null, got a whole number"},
    {"{\"properties\":{\"a\":true,\"b\":true},\"additionalProperties\":false}", "{\"c\":1}",
     "/c: unknown key, expected one of a, b"},
    {"{\"additionalProperties\":{\"type\":\"null\"}}", "{\"a/b~\":1}",
     "/a~1b~0: expected null, got a whole number"},
    {"{\"patternProperties\":{\"^x\":{\"type\":\"null\"}},\"additionalProperties\":false}", "{\"xa\":null}",
     NULL},
    {"{\"patternProperties\":{\"^x\":{\"type\":\"null\"}}}", "{\"xa\":1}",
     "/xa: expected null, got a whole number"},
    {"{\"patternProperties\":{\"^x\":true},\"additionalProperties\":false}", "{\"y\":1}",
     "/y: unknown key, expected no such key"},
    {"{\"propertyNames\":{\"maxLength\":1}}", "{\"ab\":1}", "/ab: expected 1 characters at most, got 2"},
    {"{\"minProperties\":1}", "{}", "(root): expected 1 or more keys, got 0"},
    {"{\"maxProperties\":0}", "{\"a\":1}", "(root): expected 0 keys at most, got 1"},

    // several schemas; what is told is the branch that was meant
    {"{\"allOf\":[{\"minimum\":1},{\"maximum\":2}]}", "3", "(root): expected 2 at most"},
    {"{\"anyOf\":[{\"type\":\"null\"},{\"minimum\":1}]}", "1", NULL},
    {"{\"oneOf\":[{\"type\":\"null\"},{\"type\":\"array\",\"items\":{\"type\":\"null\"}}]}", "[1]",
     "/0: expected null, got a whole number"},
    {"{\"oneOf\":[{\"minimum\":1},{\"maximum\":2}]}", "1",
     "(root): expected exactly one of the forms, but more than one fits"},
    {"{\"anyOf\":[{\"properties\":{\"kind\":{\"const\":\"a\"}},\"required\":[\"x\"]},"
     "{\"properties\":{\"kind\":{\"const\":\"b\"}},\"required\":[\"y\"]}]}",
     "{\"kind\":\"b\"}", "(root): expected a key \"y\""},
    {"{\"anyOf\":[{\"properties\":{\"a\":{\"type\":\"null\"}},\"required\":[\"a\"]},{\"required\":[\"b\"]}]}",
     "{\"a\":1}", "/a: expected null, got a whole number"},
    {"{\"not\":{\"type\":\"null\"}}", "null", "(root): expected another form: this one is ruled out"},
    {"{\"not\":{\"pattern\":\"^a\"}}", "\"ab\"", "(root): expected text that does not match ^a"},
    {"{\"not\":{\"type\":\"null\"}}", "1", NULL},
    {"{\"$ref\":\"#/$defs/n\",\"maximum\":1,\"$defs\":{\"n\":{\"type\":\"number\"}}}", "2",
     "(root): expected 1 at most"},
    {"{\"$defs\":{\"t\":{\"items\":{\"$ref\":\"#/$defs/t\"},\"type\":\"array\"}},\"$ref\":\"#/$defs/t\"}",
     "[[[]],[[1]]]", "/1/0/0: expected an array, got a whole number"},

    // a key is shown, shortened and without control characters; a value never
    {"{\"additionalProperties\":false}", "{\"a\\nb\":\"secret\"}", "/a?b: unknown key, expected no such key"},
    {"{\"additionalProperties\":false}",
     "{\"0123456789012345678901234567890123456789012345678901234567890123456789\":1}",
     "/0123456789012345678901234567890123456789012345678901234567890123...: unknown key, expected no such "
     "key"},
};

static void test_a_document_is_told_where_and_what_was_expected(void **state) {
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

static const struct {
  const char *schema, *fault;
} refused[] = {
    {"{\"format\":\"date\"}", "format: a keyword that is not implemented"},
    {"{\"properties\":{\"a\":{\"dependentRequired\":{}}}}",
     "properties: a: dependentRequired: a keyword that is not implemented"},
    {"{\"$defs\":{\"unused\":{\"if\":true}}}", "$defs: unused: if: a keyword that is not implemented"},
    {"{\"$ref\":\"#/$defs/none\"}", "$ref: expected #/$defs/<name> that exists"},
    {"{\"$ref\":\"other.json\"}", "$ref: expected #/$defs/<name> that exists"},
    {"{\"pattern\":\"(\"}", "pattern: pattern (: not understood"},
    {"{\"type\":\"text\"}", "type: no such type"},
    {"{\"anyOf\":[]}", "anyOf: expected a list of schemas"},
    {"{\"items\":[true]}", "items: expected a schema"},
    {"{\"minLength\":-1}", "minLength: expected a count"},
    {"{\"required\":\"a\"}", "required: expected a list of names"},
    {"{\"uniqueItems\":1}", "uniqueItems: expected true or false"},
};

static void test_a_schema_with_a_rule_we_cannot_check_is_refused(void **state) {
  for (size_t i = 0; i < COUNT_OF(refused); i++) {
    struct err err = {0};
    AUTO_JSON *node = parse(refused[i].schema);
    assert_null(schema_new(node, &err));
    assert_string_equal(err.text, refused[i].fault);
  }
}

static void test_a_schema_that_refers_to_itself_ends(void **state) {
  struct err err = {0};
  AUTO_JSON *node = parse("{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"$ref\":\"#/$defs/a\"}}}");
  struct schema *schema = schema_new(node, &err);
  assert_non_null(schema);
  assert_false(schema_check(schema, json_true(), &err));
  assert_string_equal(err.text, "(root): expected less nesting");
  schema_free(schema);
}

static void test_every_schema_we_ship_can_be_opened(void **state) {
  for (const struct embedded *file = embedded_schemas; file->name; file++) {
    struct err err = {0};
    struct schema *schema = schema_open(file->name, &err);
    if (!schema) fail_msg("%s", err.text);
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
      cmocka_unit_test(test_a_document_is_told_where_and_what_was_expected),
      cmocka_unit_test(test_a_schema_with_a_rule_we_cannot_check_is_refused),
      cmocka_unit_test(test_a_schema_that_refers_to_itself_ends),
      cmocka_unit_test(test_every_schema_we_ship_can_be_opened),
      cmocka_unit_test(test_a_schema_that_is_not_built_in_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
