// SPDX-License-Identifier: MIT
// How a provider file's `ask` is read, and what can only be a mistake in it.
#include "common/base/mem.h"
#include "common/json/json.h"
#include "common/provider/provider_ask.h"
#include "common/provider/provider_load.h"
#include "tests/unit/support/lint.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define FILE_WITH(forms)                                                                                     \
  "{\"provider\":\"p\",\"webhook\":{\"elements\":\"\",\"kinds\":[{\"name\":\"r\",\"kind\":\"receipt\","      \
  "\"id\":\"/id\",\"code\":\"/c\",\"dedupe\":[\"/c\"]}],\"ack\":{\"status\":200},\"refused\":{\"status\":"   \
  "404},\"budget_ms\":1000},\"outcomes\":{\"0\":{\"outcome\":\"delivered\"}},\"ask\":[" forms "]}"
#define FILE_WITH_ID(id, forms)                                                                              \
  "{\"provider\":\"p\",\"webhook\":{\"elements\":\"\",\"kinds\":[{\"name\":\"r\",\"kind\":\"receipt\","      \
  "\"id\":" id ",\"recipient\":\"/to\",\"code\":\"/c\",\"dedupe\":[\"/c\"]}],\"ack\":{\"status\":200},"      \
  "\"refused\":{\"status\":404},\"budget_ms\":1000},\"outcomes\":{\"0\":{\"outcome\":\"delivered\"}},"       \
  "\"ask\":[" forms "]}"
#define FORM(name, rest, answers)                                                                            \
  "{\"name\":\"" name "\",\"about\":\"notification\",\"base\":\"https://a.example.com\",\"path\":\"/x/"      \
  "${id}\",\"per_second\":5" rest ",\"answers\":[" answers "]}"
#define FOUND   "{\"when\":{\"status\":[200]},\"means\":\"found\",\"each\":\"/list\"}"
#define HEADERS ",\"headers\":{\"Authorization\":\"Bearer ${token:/token}\"}"
#define TOKEN                                                                                                \
  ",\"token\":{\"path\":\"/t\",\"headers\":{\"X\":\"${secret:key}\"},\"when\":{\"present\":[\"/token\"]}}"

static const struct lint_row rows[] = {
    {FILE_WITH(FORM("v1", "", FOUND)), NULL},
    {FILE_WITH_ID("{\"parts\":[\"/id\",\"/n\"]}", FORM("v1", "", FOUND)), NULL},
    {FILE_WITH_ID("{\"parts\":[\"/id\",\"/to\"]}", FORM("v1", "", FOUND)),
     "warning: /ask/0/path: each id has a digest of the recipient in it*"},
    {FILE_WITH(FORM("v1", "", FOUND) "," FORM("v2", "", FOUND)), NULL},
    {FILE_WITH(FORM("v1", HEADERS TOKEN, FOUND ",{\"means\":\"token\"}")), NULL},
    {FILE_WITH(FORM("v1", "", FOUND) "," FORM("v1", "", FOUND)),
     "warning: /ask/1/name: another form has the same name"},
    {FILE_WITH(FORM("v1", "", "{\"means\":\"nothing\"}")), "warning: /ask/0/answers: none means found*"},
    {FILE_WITH(FORM("v1", "", "{\"means\":\"nothing\"}," FOUND)),
     "warning: /ask/0/answers/1: is never reached: an answer before it has no \"when\""},
    {FILE_WITH(FORM("v1", "", FOUND ",{\"means\":\"token\"}")),
     "warning: /ask/0/answers/1: means token, and the form has none*"},
    {FILE_WITH(FORM("v1", HEADERS, FOUND)),
     "warning: /ask/0/headers/Authorization: names a place of the token, and the form has no \"token\""},
    {FILE_WITH(
         FORM("v1",
              ",\"token\":{\"path\":\"/t\",\"headers\":{\"X\":\"${token:/token}\"},\"when\":{\"present\":"
              "[\"/token\"]}}",
              FOUND)),
     "warning: /ask/0/token/headers/X: names a place of the token that it is to fetch"},
};

static struct provider *load(const char *text, struct faults *faults) {
  struct err err;
  AUTO_JSON *document = json_parse(text, strlen(text), &err);
  if (!document) fail_msg("%s: %s", text, err.text);
  return provider_new(document, faults);
}

static void test_what_can_only_be_a_mistake_is_found(void **state) {
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    struct faults faults = {0};
    provider_free(load(rows[i].document, &faults));
    lint_assert(&rows[i], &faults);
    faults_fini(&faults);
  }
}

// Pieces as the text that they were read from.
static void assert_text(const struct ask_text *text, const char *expected) {
  AUTO_FREE char *got = mem_strdup("");
  for (size_t i = 0; i < text->n; i++) {
    static const char *const names[] = {"", "<id>", "<asked>", "<place>", "<secret>", "<token>"};
    char *longer = mem_printf("%s%.*s%s", got, (int)text->pieces[i].len, text->pieces[i].text,
                              names[text->pieces[i].value]);
    mem_free_cleanup(&got);
    got = longer;
  }
  assert_string_equal(got, expected);
}

static void test_values_stand_where_the_file_says(void **state) {
  struct faults faults = {0};
  struct provider *provider = load(
      FILE_WITH(FORM("v1", ",\"headers\":{\"A\":\"x ${secret:a}:${secret:b}\",\"B\":\"${token:/t}\"}" TOKEN,
                     "{\"means\":\"found\",\"element\":{\"id\":\"${id}\",\"at\":\"${asked_at_ms}\",\"n\":[1,"
                     "\"${/a~1b}\",\"$ and {}\"],\"o\":{\"u\":\"${/u}\"}}}")),
      &faults);
  assert_non_null(provider);
  const struct ask_form *form = provider_ask_find(provider, "v1");
  assert_non_null(form);
  assert_null(provider_ask_find(provider, "v2"));
  assert_text(&form->path, "/x/<id>");
  assert_text(&form->headers.list[0].value, "x <secret>:<secret>");
  assert_string_equal(form->headers.list[0].value.pieces[1].secret, "b");
  assert_text(&form->headers.list[1].value, "<token>");
  assert_text(&form->answers[0].element,
              "{\"id\":<id>,\"at\":<asked>,\"n\":[1,<place>,\"$ and {}\"],\"o\":{\"u\":<place>}}");
  assert_string_equal(form->answers[0].element.pieces[2].place.parts[0], "a/b");
  assert_int_equal(form->in_flight, 4);
  assert_int_equal(form->timeout_s, 20);
  assert_int_equal(form->token->lasts_s, 3600);
  provider_free(provider);
  faults_fini(&faults);
}

static void test_the_first_answer_that_fits_counts(void **state) {
  struct faults faults = {0};
  struct provider *provider =
      load(FILE_WITH(FORM(
               "v1", "",
               "{\"when\":{\"status\":[200],\"equals\":{\"/code\":[\"0\"]}},\"means\":\"found\",\"each\":"
               "\"\"},{\"when\":{\"status\":[200,201]},\"means\":\"nothing\"},{\"when\":{\"absent\":[\"/"
               "code\"]},\"means\":\"stop\"}")),
           &faults);
  const struct ask_form *form = provider_ask_find(provider, "v1");
  AUTO_JSON *good = json_pack("{si}", "code", 0);
  AUTO_JSON *other = json_pack("{ss}", "code", "1");
  AUTO_JSON *none = json_object();
  assert_ptr_equal(ask_form_answer(form, 200, good), &form->answers[0]);
  assert_ptr_equal(ask_form_answer(form, 200, other), &form->answers[1]);
  assert_ptr_equal(ask_form_answer(form, 201, good), &form->answers[1]);
  assert_ptr_equal(ask_form_answer(form, 200, NULL), &form->answers[1]); // a condition on the status alone
  assert_ptr_equal(ask_form_answer(form, 500, none), &form->answers[2]);
  assert_null(ask_form_answer(form, 500, NULL)); // "absent" needs a body that can be read
  assert_null(ask_form_answer(form, 500, other));
  provider_free(provider);
  faults_fini(&faults);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_can_only_be_a_mistake_is_found),
      cmocka_unit_test(test_values_stand_where_the_file_says),
      cmocka_unit_test(test_the_first_answer_that_fits_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
