// SPDX-License-Identifier: MIT
// What is read is what reconcile would read (processor/ask/ask.h); the rest says which entry of `answers` is
// behind it.
#include "common/base/mem.h"
#include "processor/ask/ask.h"
#include "processor/commands/explain.h"
#include "processor/commands/explain_text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct answered {
  struct explain *explain;
  struct ask_account account; // without secrets
  const char *id;
  int status;
  const char *body; // with a NUL behind it
  size_t len;
  json_t *value; // NULL: it is no JSON
  size_t form;   // of `ask`
};

static const char *const meanings[] = {
    [ASK_RESULT_FOUND] = "found",
    [ASK_RESULT_NOTHING] = "nothing: there is no result yet",
    [ASK_RESULT_AGAIN] = "again: it is asked once more, later",
    [ASK_RESULT_TOKEN] = "token: it is asked once more, with a new token",
    [ASK_RESULT_STOP] = "stop: each further request would fail, too",
    [ASK_RESULT_UNCLEAR] = "unclear: it says nothing about this id, and the message stays as it is"};

// ---- no entry fits ----

static void print_unmet(const struct answered *a, size_t nth) {
  struct provider_unmet unmet = ask_when_unmet(a->account.form->answers[nth].when, a->status, a->value);
  AUTO_FREE char *expected = unmet.expected ? json_dumps(unmet.expected, 0) : NULL;
  AUTO_FREE char *found = strcmp(unmet.rule, "status") == 0 ? mem_printf("%d", a->status)
                          : *unmet.rule ? explain_found(a->value, a->value, unmet.place, "")
                                        : mem_strdup("the answer is no JSON");
  explain_line("rule", "/ask/%zu/answers/%zu/when%s%s: %s%s%s", a->form, nth, *unmet.rule ? "/" : "",
               unmet.rule, found, expected ? ", expected one of " : "", mem_or_empty(expected));
}

static void print_no_entry(const struct answered *a, bool is_unclear) {
  for (size_t i = 0; i < a->account.form->n_answers; i++) print_unmet(a, i);
  if (!is_unclear) return;
  AUTO_FREE char *places = a->value ? explain_places(a->value, "") : NULL;
  explain_line("mend", "change a \"when\", or add an entry that says what this answer means");
  if (places && *places) explain_line("it has", "%s", places);
}

// ---- elements ----

static bool explain_one(const struct answered *a, const struct ask_answer *answer, const char *text,
                        size_t i) {
  struct framing_element element = {.bytes = text, .len = strlen(text)};
  AUTO_FREE char *place =
      answer->has_each ? mem_printf("%s/%zu", answer->each.text, i) : mem_strdup("made of the answer");
  framing_read(a->explain->provider, &element);
  bool good =
      explain_element(a->explain, i + 1, place, &element, (struct json_span){text, text + element.len});
  enum ask_use use = ask_use_of(&a->account, a->id, text);
  if (use == ASK_PASSED_OVER) explain_line("note", "passed over: it is no result of what was asked about");
  if (good && use == ASK_REFUSED)
    explain_line("note", "its id is not the one of --id, so nothing of the whole answer is used");
  free(element.id);
  free(element.reason);
  return good && use != ASK_REFUSED;
}

// The reading has the elements that are used; shown are all.
static bool explain_elements(const struct answered *a, const struct ask_answer *answer) {
  struct ask_elements all;
  size_t n_bad = 0;
  bool is_list = ask_cut(answer, a->id, a->explain->now_ms, a->value ? a->body : NULL, a->len, &all);
  if (!is_list) {
    AUTO_FREE char *found = explain_found(a->value, a->value, answer->each.text, "");
    explain_line("rule", "/ask/%zu/answers/%zu/each: no list, or too long a one: %s", a->form,
                 (size_t)(answer - a->account.form->answers), found);
  }
  if (is_list && all.n == 0) explain_line("note", "no element: there is no result yet");
  for (size_t i = 0; i < all.n; i++) n_bad += !explain_one(a, answer, all.list[i], i);
  ask_elements_fini(&all);
  return is_list && n_bad == 0;
}

// ---- all of it ----

static bool explain_answer_of(const struct answered *a) {
  struct ask_reading reading;
  const struct ask_form *form = a->account.form;
  const struct ask_answer *answer = ask_form_answer(form, a->status, a->value);
  ask_read(&a->account, a->id, a->explain->now_ms, a->status, a->body, a->len, &reading);
  enum ask_result result = reading.result;
  ask_reading_fini(&reading);
  if (answer)
    printf("answer %d, by /ask/%zu/answers/%zu: %s\n", a->status, a->form, (size_t)(answer - form->answers),
           meanings[result]);
  else
    printf("answer %d, by its status, since no entry of /ask/%zu/answers fits: %s\n", a->status, a->form,
           meanings[result]);
  char buf[24];
  const char *code = ask_form_code(form, a->value, buf);
  AUTO_FREE char *shown = code ? explain_shown(code) : NULL;
  if (shown) explain_line("code", "%s", shown);
  if (!answer) print_no_entry(a, result == ASK_RESULT_UNCLEAR);
  if (answer && answer->means == ASK_FOUND && !explain_elements(a, answer)) return false;
  return result != ASK_RESULT_UNCLEAR;
}

bool explain_answered(struct explain *explain, const struct ask_form *form, const char *id, int status,
                      const char *body, size_t len) {
  struct answered a = {.explain = explain,
                       .account = {.provider = explain->provider, .form = form},
                       .id = id,
                       .status = status,
                       .body = body,
                       .len = len,
                       .value = len ? json_parse(body, len, NULL) : NULL,
                       .form = provider_ask_nth(explain->provider, form)};
  bool good = explain_answer_of(&a);
  json_decref(a.value);
  return good;
}
