// SPDX-License-Identifier: MIT
// What cannot be meant in a provider file: the ill-formed is an error of the schema, the odd a warning.
#include "common/base/mem.h"
#include "common/json/json.h"
#include "common/provider/provider.h"
#include "common/provider/provider_load.h"
#include "tests/unit/support/lint.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RECEIPT(name, id, rest)                                                                              \
  "{\"name\":\"" name "\",\"kind\":\"receipt\",\"id\":\"" id "\",\"code\":\"/c\",\"dedupe\":[\"/c\"]" rest "}"
#define FILE_WITH(kinds, ack, outcomes, rest)                                                                \
  "{\"provider\":\"p\",\"webhook\":{\"elements\":\"\",\"kinds\":[" kinds                                     \
  "],\"ack\":{\"status\":200,\"body\":{" ack "}},\"refused\":{\"status\":404},\"budget_ms\":1000" rest       \
  "},\"outcomes\":{" outcomes "}}"
#define DELIVERED   "\"0\":{\"outcome\":\"delivered\"}"
#define ABOUT       "\"about\":\"recipient\",\"reason\":\"x\""
#define WITH_ID(id) FILE_WITH(RECEIPT("r", id, ""), "", DELIVERED, "")
#define WITH_ACK(t) FILE_WITH(RECEIPT("r", "/id", ""), "\"a\":\"" t "\"", DELIVERED, "")
#define WITH_KIND_ACK(t)                                                                                     \
  FILE_WITH(RECEIPT("r", "/id", ",\"ack\":{\"status\":200,\"body\":{\"a\":\"" t "\"}}"), "", DELIVERED, "")
#define EXPECTING(receipt, end)                                                                              \
  FILE_WITH(RECEIPT("r", "/id", ""), "", DELIVERED,                                                          \
            "},\"expects\":{\"receipt_within_s\":" receipt ",\"expires_after_s\":" end)
#define CONTACT(rest)  "{\"name\":\"c\",\"kind\":\"contact\",\"id\":\"/id\"" rest "}"
#define OTHERWISE(row) FILE_WITH(RECEIPT("r", "/id", ",\"otherwise\":{" row "}"), "", DELIVERED, "")
#define IGNORING(what, outcomes, listed)                                                                     \
  FILE_WITH(RECEIPT("r", "/id", ",\"when\":{\"equals\":{\"/c\":[\"" listed "\"]}}"), "", outcomes,           \
            "},\"codes_ignore\":[" what "],\"expects\":{")
#define OF_FORM(refused)                                                                                     \
  "{\"provider\":\"p\",\"webhook\":{\"body\":\"form\",\"elements\":\"\",\"kinds\":[" RECEIPT(                \
      "r", "/id", "") "],\"ack\":{\"status\":200},\"refused\":{\"status\":404,\"body\":{\"a\":" refused      \
                      "}},\"budget_ms\":1000},"                                                              \
                      "\"outcomes\":{" DELIVERED "}}"
#define HEADER "/webhook/kinds/0/id: expected /@header/ and the name of a header in lower case*"
#define WITH_LEVELS(id)                                                                                      \
  "{\"provider\":\"p\",\"webhook\":{\"elements\":{\"levels\":[\"/a\",\"/b\"]},\"kinds\":[" RECEIPT(          \
      "r", id, "") "],\"ack\":{\"status\":200},\"refused\":{\"status\":404},\"budget_ms\":1000},"            \
                   "\"outcomes\":{" DELIVERED "}}"
#define WHEN(rest)        ",\"when\":{" rest "}"
#define PARTS(a, b)       "{\"parts\":[\"" a "\",\"" b "\"]}"
#define KIND_OF(id, rest) KIND_AS("r", id, rest)
#define KIND_AS(name, id, rest)                                                                              \
  "{\"name\":\"" name "\",\"kind\":\"receipt\",\"id\":" id ",\"code\":\"/c\",\"dedupe\":[\"/c\"]" rest "}"
#define SENDING(kind, shape) FILE_WITH(kind, "", DELIVERED, "},\"acceptance\":{\"shapes\":[{" shape "}]")
#define POINTER              "/webhook/kinds/0/id: expected a JSON Pointer*"
#define TEMPLATE             "/webhook/ack/body/a: expected ${/pointer} and nothing else*"

static const struct lint_row rows[] = {
    // pointers
    {WITH_ID("/id"), NULL},
    {WITH_ID("/list/0/id"), NULL},
    {WITH_ID("/a~1b/~0"), NULL},
    {WITH_ID("/a b/$.id/x-y/*z"), NULL},
    {WITH_ID("/results/*/id"), POINTER},
    {WITH_ID("/results/*"), POINTER},
    {WITH_ID("/results/-"), POINTER},
    {WITH_ID("/results[0]/id"), POINTER},
    {WITH_ID("/results[*]/id"), POINTER},
    {WITH_ID("/id/"), POINTER},
    {WITH_ID("/"), POINTER},
    {WITH_ID("//id"), POINTER},
    {WITH_ID("/id "), POINTER},
    {WITH_ID("/ id"), POINTER},
    {WITH_ID("$.id"), POINTER},
    {WITH_ID("#/id"), POINTER},
    {WITH_ID("id"), POINTER},
    // placeholders
    {WITH_ACK("${/x}"), NULL},
    {WITH_ACK("5 $ and {}"), NULL},
    {WITH_ACK(""), NULL},
    {WITH_ACK("id=${/x}"), TEMPLATE},
    {WITH_ACK("${/x}."), TEMPLATE},
    {WITH_ACK("${x}"), TEMPLATE},
    {WITH_ACK("${/x/}"), TEMPLATE},
    {WITH_ACK("${/x/*}"), TEMPLATE},
    {WITH_ACK("$${/x}"), TEMPLATE},
    {WITH_ACK("${"), TEMPLATE},
    {FILE_WITH(RECEIPT("r", "/id", ""), "\"${/x}\":1", DELIVERED, ""),
     "/webhook/ack/body/${~1x}: expected a key without ${*"},
    {WITH_ACK("{/x}"), "warning: /webhook/ack/body/a: \"{/x}\" is sent unchanged*"},
    {WITH_ACK("{{x}}"), "warning: /webhook/ack/body/a: \"{{x}}\" is sent unchanged*"},
    {WITH_ACK("$/x"), "warning: /webhook/ack/body/a: \"$/x\" is sent unchanged*"},
    {FILE_WITH(RECEIPT("r", "/id", ""), "\"a\":[{\"b\":\"$.x\"}]", DELIVERED, ""),
     "warning: /webhook/ack/body/a/0/b: \"$.x\" is sent unchanged*"},
    // what stands outside of an element
    {WITH_ID("/@body/id"), NULL},
    {WITH_ID("/@header/webhook-id"), NULL},
    {WITH_ID("/@element"), NULL},
    {WITH_ID("/@element/0"), NULL},
    {WITH_ID("/@body"),
     "warning: /webhook/kinds/0/id: /@body is no value; name a place in it, such as /@body/id"},
    {WITH_ID("/@type"), NULL},
    {WITH_ID("/@header/authorization"), HEADER},
    {WITH_ID("/@header/proxy-authorization"), HEADER},
    {WITH_ID("/@header/cookie"), HEADER},
    {WITH_ID("/@header/x-solapi-secret"), HEADER},
    {WITH_ID("/@header/x-hub-signature-256"), HEADER},
    {WITH_ID("/@header/x-api-key"), HEADER},
    {WITH_ID("/@header/Webhook-Id"), HEADER},
    {WITH_ID("/@header/webhook-id/0"), HEADER},
    {WITH_ID("/@header"), HEADER},
    {WITH_ID("/@headers/webhook-id"),
     "warning: /webhook/kinds/0/id: /@headers/webhook-id is a place in the element itself; is it /@header?"},
    {WITH_ID("/@Body/id"),
     "warning: /webhook/kinds/0/id: /@Body/id is a place in the element itself; is it /@body?"},
    {WITH_ID("/@level1/id"),
     "warning: /webhook/kinds/0/id: nothing is ever at /@level1/id, since `elements` has 1 level"},
    {WITH_LEVELS("/@level1/id"), NULL},
    {WITH_LEVELS("/@level2/id"),
     "warning: /webhook/kinds/0/id: nothing is ever at /@level2/id, since `elements` has 2 levels"},
    {WITH_LEVELS("/@level4/id"),
     "warning: /webhook/kinds/0/id: /@level4/id is a place in the element itself*"},
    {WITH_ACK("${/@header/webhook-id}"),
     "warning: /webhook/ack/body/a: nothing is ever at /@header/webhook-id: only*"},
    {WITH_KIND_ACK("${/x}"), NULL},
    {WITH_KIND_ACK("{{x}}"), "warning: /webhook/kinds/0/ack/body/a: \"{{x}}\" is sent unchanged*"},
    {WITH_KIND_ACK("${/@level1/x}"),
     "warning: /webhook/kinds/0/ack/body/a: nothing is ever at /@level1/x: only*"},
    // forms
    {OF_FORM("\"x\""), NULL},
    {OF_FORM("\"${/id}\""),
     "warning: /webhook/refused/body: ${/id} is always \"\", since a refused form is not read"},
    // rules that never apply
    {FILE_WITH(RECEIPT("r", "/id", "") "," RECEIPT("s", "/id", ""), "", DELIVERED, ""),
     "warning: /webhook/kinds/1: is never reached: /webhook/kinds/0 takes all that it would"},
    {FILE_WITH(RECEIPT("r", "/id", WHEN("\"present\":[\"/x\"]")) "," RECEIPT(
                   "s", "/id", WHEN("\"present\":[\"/y\",\"/x\"]")),
               "", DELIVERED, ""),
     "warning: /webhook/kinds/1: is never reached*"},
    {FILE_WITH(RECEIPT("r", "/id", WHEN("\"present\":[\"/x\",\"/y\"]")) "," RECEIPT(
                   "s", "/id", WHEN("\"present\":[\"/x\"]")),
               "", DELIVERED, ""),
     NULL},
    {FILE_WITH(RECEIPT("r", "/id", WHEN("\"absent\":[\"/x\"]")) "," RECEIPT(
                   "s", "/id", WHEN("\"absent\":[\"/x\"],\"present\":[\"/y\"]")),
               "", DELIVERED, ""),
     "warning: /webhook/kinds/1: is never reached*"},
    {FILE_WITH(RECEIPT("r", "/id", WHEN("\"absent\":[\"/x\"]")) "," RECEIPT("s", "/id",
                                                                            WHEN("\"present\":[\"/x\"]")),
               "", DELIVERED, ""),
     NULL},
    {FILE_WITH(RECEIPT("r", "/id", WHEN("\"present\":[\"/t\"]")) "," RECEIPT(
                   "s", "/id", WHEN("\"equals\":{\"/t\":[\"a\"]}")),
               "", DELIVERED, ""),
     "warning: /webhook/kinds/1: is never reached*"},
    {FILE_WITH(RECEIPT("r", "/id", WHEN("\"equals_any_case\":{\"/t\":[\"A\"]}")) "," RECEIPT(
                   "s", "/id", WHEN("\"equals\":{\"/t\":[\"a\"]}")),
               "", DELIVERED, ""),
     "warning: /webhook/kinds/1: is never reached*"},
    {FILE_WITH(RECEIPT("r", "/id", WHEN("\"equals\":{\"/t\":[\"a\"]}")) "," RECEIPT(
                   "s", "/id", WHEN("\"equals_any_case\":{\"/t\":[\"a\"]}")),
               "", DELIVERED, ""),
     NULL},
    {FILE_WITH(RECEIPT("r", "/id", WHEN("\"equals\":{\"/t\":[\"a\",\"b\"]}")) "," RECEIPT(
                   "s", "/id", WHEN("\"equals\":{\"/t\":[\"c\",\"b\"]}")),
               "", DELIVERED, ""),
     "warning: /webhook/kinds/1/when: \"b\" at /t is taken by /webhook/kinds/0 before it"},
    {FILE_WITH(RECEIPT("r", "/id", WHEN("\"equals\":{\"/t\":[\"a\"],\"/u\":[\"x\"]}")) "," RECEIPT(
                   "s", "/id", WHEN("\"equals\":{\"/t\":[\"a\",\"b\"]}")),
               "", DELIVERED, ""),
     NULL},
    {"{\"provider\":\"p\",\"webhook\":{\"elements\":\"/l/0\",\"kinds\":[" RECEIPT(
         "r", "/id", "") "],\"ack\":{\"status\":200},\"refused\":{\"status\":404},\"budget_ms\":1000},"
                         "\"outcomes\":{" DELIVERED "}}",
     "warning: /webhook/elements: /l/0 is one entry of a list, and the others would not be read*"},
    // ids that never meet, and people in them
    {SENDING(KIND_OF("\"/id\"", ""), "\"id\":\"/m\""), NULL},
    {SENDING(KIND_OF(PARTS("/id", "/n"), ""), "\"id\":\"/n\",\"shared_id\":\"/id\",\"each\":\"/l\""), NULL},
    {SENDING(KIND_OF(PARTS("/id", "/n"), ""), "\"id\":\"/m\""),
     "warning: /acceptance/shapes/0/id: is of one part, and no receipt has such an id, so no result would "
     "come; give both the same parts in the same order"},
    {SENDING(KIND_OF("\"/id\"", WHEN("\"present\":[\"/x\"]")) "," KIND_AS("s", PARTS("/id", "/n"), ""),
             "\"id\":\"/m\""),
     "warning: /webhook/kinds/1/id: is of 2 parts, and no send response has such an id, so it would be of an "
     "unknown message; give both the same parts in the same order"},
    {SENDING(KIND_OF(PARTS("/id", "/a"), ",\"recipient\":\"/a\""),
             "\"id\":\"/a\",\"shared_id\":\"/id\",\"each\":\"/l\",\"recipient\":\"/a\""),
     NULL},
    {SENDING(KIND_OF(PARTS("/id", "/a"), WHEN("\"present\":[\"/x\"]")) "," KIND_AS("s", PARTS("/id", "/b"),
                                                                                   ",\"recipient\":\"/b\""),
             "\"id\":\"/a\",\"shared_id\":\"/id\",\"each\":\"/l\""),
     "warning: /webhook/kinds/1/id: is of 2 parts, of which the 2nd is a digest of the recipient, and no "
     "send response*"},
    {SENDING(KIND_OF("\"/id\"", ",\"recipient\":\"/a\""), "\"id\":\"/a\""),
     "warning: /acceptance/shapes/0/id: the number or address at /a would stand in the id as it is*"},
    {FILE_WITH(KIND_OF(PARTS("/id", "/d/Phone_Number"), ""), "", DELIVERED, ""),
     "warning: /webhook/kinds/0/id: the number or address at /d/Phone_Number would stand in the id as it "
     "is*"},
    {FILE_WITH(RECEIPT("r", "/to", ",\"recipient\":\"/to\""), "", DELIVERED, ""), NULL},
    // a text where a place is expected
    {FILE_WITH(RECEIPT("r", "/id", ",\"channel\":\"SMS\""), "", DELIVERED, ""),
     "/webhook/kinds/0/channel: expected a JSON Pointer such as /payload/id or /list/0, or {\"value\": "
     "\"SMS\"}*"},
    {FILE_WITH(RECEIPT("r", "/id", ",\"channel\":{\"value\":\"SMS\"}"), "", DELIVERED, ""), NULL},
    {FILE_WITH(RECEIPT("r", "/id", ",\"when\":{\"present\":[\"/x\"]}") "," RECEIPT("r", "/id", ""), "",
               DELIVERED, ""),
     "warning: /webhook/kinds/1/name: another kind has the same name"},
    {FILE_WITH(RECEIPT("r", "/id", ""), "", "", ""), "warning: /outcomes: no code means delivered*"},
    {FILE_WITH(RECEIPT("r", "/id", ",\"otherwise\":{\"outcome\":\"unconfirmed\",\"reason\":\"x\"}"), "", "",
               ""),
     NULL},
    {FILE_WITH(RECEIPT("r", "/id", ""), "",
               DELIVERED ",\"1\":{\"outcome\":\"failed\",\"reason\":\"x\",\"scope\":\"sender\"}", ""),
     "warning: /outcomes/1/scope: is not read, since the outcome is not account_fault"},
    {FILE_WITH(RECEIPT("r", "/id", ""), "", DELIVERED ",\"1\":{\"outcome\":\"failed\"," ABOUT "}", ""), NULL},
    {FILE_WITH(RECEIPT("r", "/id", ""), "", DELIVERED ",\"1\":{\"outcome\":\"unconfirmed\"," ABOUT "}", ""),
     NULL},
    {FILE_WITH(RECEIPT("r", "/id", ""), "", "\"0\":{\"outcome\":\"delivered\"," ABOUT "}", ""),
     "warning: /outcomes/0/about: is not read, since the outcome is delivered"},
    {FILE_WITH(RECEIPT("r", "/id", ""), "", DELIVERED ",\"1\":{\"outcome\":\"account_fault\"," ABOUT "}", ""),
     "warning: /outcomes/1/about: is not read, since the outcome is account_fault"},
    {FILE_WITH(RECEIPT("r", "/id", ""), "", DELIVERED ",\"1\":{\"outcome\":\"on_its_way\"}", ""), NULL},
    {FILE_WITH(RECEIPT("r", "/id", ""), "", DELIVERED ",\"1\":{\"outcome\":\"on_its_way\"," ABOUT "}", ""),
     "warning: /outcomes/1/about: is not read, since the outcome is on_its_way"},
    {FILE_WITH(RECEIPT("r", "/id", ""), "", DELIVERED ",\"1\":{\"outcome\":\"on_the_way\"}", ""),
     "/outcomes/1/outcome: expected \"delivered\", *\"on_its_way\"*"},
    {OTHERWISE("\"outcome\":\"unconfirmed\"," ABOUT), NULL},
    {OTHERWISE("\"outcome\":\"on_its_way\""), NULL},
    {OTHERWISE("\"outcome\":\"delivered\""),
     "/webhook/kinds/0/otherwise/outcome: expected \"failed\", \"account_fault\", \"unconfirmed\" or *"},
    {OTHERWISE("\"outcome\":\"unconfirmed\""), "/webhook/kinds/0/otherwise: expected a key \"reason\"*"},
    {OTHERWISE("\"outcome\":\"account_fault\"," ABOUT),
     "warning: /webhook/kinds/0/otherwise/about: is not read, since the outcome is account_fault"},
    {OTHERWISE("\"outcome\":\"failed\",\"reason\":\"x\",\"scope\":\"sender\""),
     "warning: /webhook/kinds/0/otherwise/scope: is not read, since the outcome is not account_fault"},
    {FILE_WITH("{\"name\":\"o\",\"kind\":\"other\",\"otherwise\":{\"outcome\":\"on_its_way\"}}", "", "", ""),
     "/webhook/kinds/0*otherwise*"},
    {FILE_WITH(RECEIPT("r", "/id", ""), "", "\"Sent\":{\"outcome\":\"delivered\"}", ""),
     "warning: /outcomes/Sent: this word seldom means that the message reached the handset*"},
    {FILE_WITH(RECEIPT("r", "/id", ""), "", DELIVERED ",\"sent\":{\"outcome\":\"on_its_way\"}", ""), NULL},
    // codes that are the same
    {IGNORING("\"case\"", "\"A\":{\"outcome\":\"delivered\"},\"3\":{\"outcome\":\"on_its_way\"}", "a"), NULL},
    {IGNORING("\"leading_zeros\"", "\"03\":{\"outcome\":\"delivered\"}", "3"), NULL},
    {IGNORING("\"case\"", "\"03\":{\"outcome\":\"delivered\"}", "3"),
     "warning: /webhook/kinds/0/when/equals: \"3\" has no outcome, so it is a failure"},
    {IGNORING("\"case\"", "\"A\":{\"outcome\":\"delivered\"},\"a\":{\"outcome\":\"on_its_way\"}", "a"),
     "warning: /outcomes/a: is \"A\", too, by codes_ignore; remove one of them"},
    {IGNORING("\"leading_zeros\"", "\"3\":{\"outcome\":\"delivered\"},\"003\":{\"outcome\":\"on_its_way\"}",
              "3"),
     "warning: /outcomes/003: is \"3\", too, by codes_ignore; remove one of them"},
    {IGNORING("\"zeros\"", "\"3\":{\"outcome\":\"delivered\"}", "3"),
     "/codes_ignore/0: expected \"case\" or \"leading_zeros\"*"},
    {IGNORING("", "\"3\":{\"outcome\":\"delivered\"}", "3"), "/codes_ignore: expected 1 *"},
    // times
    {FILE_WITH(RECEIPT("r", "/id", ",\"time\":\"/t\",\"time_format\":\"epoch_s\""), "", DELIVERED, ""), NULL},
    {FILE_WITH(RECEIPT("r", "/id", ",\"time_format\":\"epoch_s\""), "", DELIVERED, ""),
     "/webhook/kinds/0: expected a key \"time\" beside \"time_format\""},
    {FILE_WITH(RECEIPT("r", "/id", ",\"time\":\"/t\",\"time_format\":\"YYYYMMDDHHmmss\""), "", DELIVERED, ""),
     "/webhook/kinds/0/time_format: expected \"epoch_s\", \"epoch_ms\", \"yyyyMMddHHmmss\" or "
     "\"yyMMddHHmm\"*"},
    // masked places
    {FILE_WITH(RECEIPT("r", "/id", ",\"reason\":\"/x\",\"masked\":[\"/y\"]"), "", DELIVERED, ""), NULL},
    {FILE_WITH(RECEIPT("r", "/id", ",\"reason\":[\"/w\",\"/x\"],\"masked\":[\"/y\",\"/x\"]"), "", DELIVERED,
               ""),
     "warning: /webhook/kinds/0/masked/1: is read as reason, too, so a replay finds it masked"},
    // a type that is the code, too
    {FILE_WITH(RECEIPT("r", "/id", ",\"when\":{\"equals\":{\"/c\":[\"0\"]}}"), "", DELIVERED, ""), NULL},
    {FILE_WITH(RECEIPT("r", "/id", ",\"when\":{\"equals\":{\"/c\":[\"0\",\"sent\"]}}"), "", DELIVERED, ""),
     "warning: /webhook/kinds/0/when/equals: \"sent\" has no outcome, so it is a failure"},
    {FILE_WITH(
         RECEIPT(
             "r", "/id",
             ",\"when\":{\"equals\":{\"/c\":[\"0\",\"sent\"]}},\"otherwise\":{\"outcome\":\"on_its_way\"}"),
         "", DELIVERED, ""),
     NULL},
    {FILE_WITH(RECEIPT("r", "/id", ",\"when\":{\"equals\":{\"/d\":[\"sent\"]}}"), "", DELIVERED, ""), NULL},
    {FILE_WITH("{\"name\":\"o\",\"kind\":\"other\"}", "", "", ""), NULL},
    // contacts
    {FILE_WITH(CONTACT(",\"phone\":\"/p\",\"time\":\"/t\""), "", "", ""), NULL},
    {FILE_WITH(CONTACT(",\"email\":\"/e\",\"version\":\"/v\""), "", "", ""), NULL},
    {FILE_WITH(CONTACT(",\"consents\":{\"a\":{\"at\":\"/a\",\"withdrawn\":true}},\"time\":\"/t\""), "", "",
               ""),
     NULL},
    {FILE_WITH(CONTACT(",\"time\":\"/t\""), "", "", ""),
     "warning: /webhook/kinds/0: reads no phone, email or consents, so nothing is kept"},
    {FILE_WITH(CONTACT(",\"phone\":\"/p\""), "", "", ""),
     "warning: /webhook/kinds/0: reads no version and no time, so the element that comes last wins*"},
    {FILE_WITH(RECEIPT("r", "/id", ""), "", DELIVERED, ",\"deadline_ms\":1000"),
     "warning: /webhook/deadline_ms: is not longer than budget_ms*"},
    {FILE_WITH(RECEIPT("r", "/id", ""), "", DELIVERED, ",\"deadline_ms\":1001"), NULL},
    {FILE_WITH(RECEIPT("r", "/id", ""), "", DELIVERED,
               ",\"handshake\":{\"challenge\":{\"answer\":\"a\",\"token\":\"t\"}}"),
     NULL},
    {FILE_WITH(RECEIPT("r", "/id", ""), "", DELIVERED, ",\"handshake\":{\"empty\":[\"GET\"]}"), NULL},
    {FILE_WITH(RECEIPT("r", "/id", ""), "", DELIVERED,
               ",\"handshake\":{\"empty\":[\"GET\"],\"challenge\":{\"answer\":\"a\",\"token\":\"t\"}}"),
     "warning: /webhook/handshake/empty: GET is answered by the challenge*"},
    {FILE_WITH(RECEIPT("r", "/id", ""), "", DELIVERED,
               ",\"methods\":[\"GET\"],\"handshake\":{\"empty\":[\"HEAD\"]}"),
     NULL},
    {FILE_WITH(RECEIPT("r", "/id", ""), "", DELIVERED,
               ",\"methods\":[\"GET\"],\"handshake\":{\"challenge\":{\"answer\":\"a\",\"token\":\"t\"}}"),
     "warning: /webhook/handshake: GET is one of `methods`*"},
    {FILE_WITH(RECEIPT("r", "/id", ""), "", DELIVERED,
               ",\"methods\":[\"GET\",\"POST\"],\"handshake\":{\"empty\":[\"GET\"]}"),
     "warning: /webhook/handshake: GET is one of `methods`*"},
    {EXPECTING("300", "301"), NULL},
    {EXPECTING("300", "300"), "warning: /expects/expires_after_s: is not longer than receipt_within_s*"},
    {EXPECTING("300", "299"), "warning: /expects/expires_after_s: is not longer than receipt_within_s*"},
};

static void test_what_can_only_be_a_mistake_is_found(void **state) {
  struct err err;
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct faults faults = {0};
    AUTO_JSON *document = json_parse(rows[i].document, strlen(rows[i].document), &err);
    if (!document) fail_msg("%s: %s", rows[i].document, err.text);
    provider_free(provider_new(document, &faults));
    lint_assert(&rows[i], &faults);
    faults_fini(&faults);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_can_only_be_a_mistake_is_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
