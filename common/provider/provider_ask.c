// SPDX-License-Identifier: MIT
#include "common/provider/provider_ask.h"
#include "common/base/mem.h"
#include "common/provider/provider_value.h"
#include <stdlib.h>
#include <string.h>

enum { IN_FLIGHT = 4, TIMEOUT_S = 20, TOKEN_LASTS_S = 3600 };

struct ask_when {
  const json_t *status; // array of integers, or NULL: any
  struct provider_conditions body;
  bool asks_body;
};

static const char *const about_names[] = {[ASK_NOTIFICATION] = "notification", [ASK_CONTACT] = "contact"};

const char *ask_about_name(enum ask_about about) {
  return about_names[about];
}

// ---- loading; the schema has accepted every node ----

static const char *text_at(const json_t *object, const char *key) {
  return json_string_value(json_object_get(object, key));
}

static int64_t whole_at(const json_t *object, const char *key, int64_t otherwise) {
  const json_t *number = json_object_get(object, key);
  return number ? (int64_t)json_number_value(number) : otherwise;
}

// What stands between ${ and }.
static void value_load(struct provider *provider, struct ask_piece *piece, const char *name) {
  static const char secret[] = "secret:", token[] = "token:";
  if (strcmp(name, "id") == 0) {
    piece->value = ASK_ID;
  } else if (strcmp(name, "asked_at_ms") == 0) {
    piece->value = ASK_ASKED_AT;
  } else if (strncmp(name, secret, strlen(secret)) == 0) {
    piece->value = ASK_SECRET;
    piece->secret = provider_keep(provider, mem_strdup(name + strlen(secret)));
  } else if (strncmp(name, token, strlen(token)) == 0) {
    piece->value = ASK_TOKEN_PLACE;
    piece->place = provider_pointer(provider, name + strlen(token));
  } else {
    piece->value = ASK_PLACE;
    piece->place = provider_pointer(provider, name);
  }
}

// The name within ${…}; in JSON text it is written as a string is.
static char *name_of(const char *from, const char *to, bool is_json) {
  AUTO_FREE char *raw = mem_strndup(from, (size_t)(to - from));
  if (!is_json) return take(raw);
  AUTO_FREE char *quoted = mem_printf("\"%s\"", raw);
  AUTO_JSON *name = json_parse(quoted, strlen(quoted), NULL); // never fails: json_text() wrote it
  return mem_strdup(json_string_value(name));
}

// In JSON text a value takes the place of a whole string, quotes included.
static struct ask_text text_load(struct provider *provider, const char *text, bool is_json) {
  const char *open = is_json ? "\"${" : "${", *close = is_json ? "}\"" : "}";
  struct ask_text out = {0};
  const char *at = provider_keep(provider, mem_strdup(text)), *mark;
  do {
    out.pieces = mem_grow(out.pieces, out.n + 1, sizeof *out.pieces);
    struct ask_piece *piece = &out.pieces[out.n++];
    mark = strstr(at, open);
    *piece = (struct ask_piece){.text = at, .len = mark ? (size_t)(mark - at) : strlen(at)};
    if (!mark) break;
    const char *from = mark + strlen(open), *to = strstr(from, close);
    AUTO_FREE char *name = name_of(from, to, is_json);
    value_load(provider, piece, name);
    at = to + strlen(close);
  } while (*at);
  provider_keep(provider, out.pieces);
  return out;
}

static struct ask_headers headers_load(struct provider *provider, json_t *node) {
  struct ask_headers out = {0};
  const char *name;
  json_t *value;
  out.list = provider_keep(provider, mem_array(json_object_size(node), sizeof *out.list));
  json_object_foreach(node, name, value) out.list[out.n++] =
      (struct ask_header){name, text_load(provider, json_string_value(value), false)};
  return out;
}

static const struct ask_when *when_load(struct provider *provider, const json_t *node) {
  struct ask_when *when = provider_keep(provider, mem_alloc(sizeof *when));
  when->status = json_object_get(node, "status");
  provider_conditions_load(provider, &when->body, node);
  when->asks_body = when->body.present.n || when->body.absent.n || when->body.n_equals;
  return when;
}

static const struct ask_token *token_load(struct provider *provider, const json_t *node) {
  if (!node) return NULL;
  struct ask_token *token = provider_keep(provider, mem_alloc(sizeof *token));
  const char *expires = text_at(node, "expires");
  token->path = text_at(node, "path");
  token->headers = headers_load(provider, json_object_get(node, "headers"));
  token->when = when_load(provider, json_object_get(node, "when"));
  token->has_expires = expires != NULL;
  if (expires) token->expires = provider_pointer(provider, expires);
  token->lasts_s = whole_at(node, "lasts_s", TOKEN_LASTS_S);
  return token;
}

static enum ask_means means_of(const char *name) {
  static const char *const names[] = {[ASK_FOUND] = "found",
                                      [ASK_NOTHING] = "nothing",
                                      [ASK_AGAIN] = "again",
                                      [ASK_TOKEN] = "token",
                                      [ASK_STOP] = "stop"};
  enum ask_means means = ASK_FOUND;
  while (strcmp(names[means], name) != 0) means++; // the schema allows these names only
  return means;
}

static void answer_load(struct provider *provider, struct ask_answer *answer, const json_t *node) {
  const char *each = text_at(node, "each");
  const json_t *element = json_object_get(node, "element");
  answer->when = when_load(provider, json_object_get(node, "when"));
  answer->means = means_of(text_at(node, "means"));
  answer->has_each = each != NULL;
  if (each) answer->each = provider_pointer(provider, each);
  answer->doubt_after = whole_at(node, "doubt_after", 0);
  if (!element) return;
  AUTO_FREE char *text = json_text(element);
  answer->element = text_load(provider, text, true);
}

static void form_load(struct provider *provider, struct ask_form *form, const json_t *node) {
  const json_t *rates = json_object_get(node, "rate_headers"), *answers = json_object_get(node, "answers");
  form->name = text_at(node, "name");
  form->about =
      strcmp(text_at(node, "about"), about_names[ASK_CONTACT]) == 0 ? ASK_CONTACT : ASK_NOTIFICATION;
  form->base = text_at(node, "base");
  form->path = text_load(provider, text_at(node, "path"), false);
  form->headers = headers_load(provider, json_object_get(node, "headers"));
  form->token = token_load(provider, json_object_get(node, "token"));
  form->per_second = json_number_value(json_object_get(node, "per_second"));
  form->in_flight = whole_at(node, "in_flight", IN_FLIGHT);
  form->timeout_s = whole_at(node, "timeout_s", TIMEOUT_S);
  form->within_s = whole_at(node, "within_s", 0);
  form->remaining_header = text_at(rates, "remaining");
  form->reset_header = text_at(rates, "reset");
  form->code = provider_keep(provider, mem_alloc(sizeof *form->code));
  *form->code = provider_where_at(provider, json_object_get(node, "code"));
  form->n_answers = json_array_size(answers);
  form->answers = provider_keep(provider, mem_array(form->n_answers, sizeof *form->answers));
  for (size_t i = 0; i < form->n_answers; i++)
    answer_load(provider, &form->answers[i], json_array_get(answers, i));
}

void provider_ask_load(struct provider *provider, const json_t *forms) {
  provider->n_forms = json_array_size(forms);
  provider->forms = provider_keep(provider, mem_array(provider->n_forms, sizeof *provider->forms));
  for (size_t i = 0; i < provider->n_forms; i++)
    form_load(provider, &provider->forms[i], json_array_get(forms, i));
}

// ---- probable mistakes ----

static bool asks_nothing(const struct ask_when *when) {
  return !when->status && !when->asks_body;
}

static void lint_answers(const struct ask_form *form, size_t nth, struct faults *faults) {
  bool all_taken = false, finds = false;
  for (size_t i = 0; i < form->n_answers; i++) {
    const struct ask_answer *answer = &form->answers[i];
    if (all_taken)
      faults_warn(faults, "/ask/%zu/answers/%zu: is never reached: an answer before it has no \"when\"", nth,
                  i);
    if (answer->means == ASK_TOKEN && !form->token)
      faults_warn(faults, "/ask/%zu/answers/%zu: means token, and the form has none, so the asking stops",
                  nth, i);
    all_taken |= asks_nothing(answer->when);
    finds |= answer->means == ASK_FOUND;
  }
  if (!finds) faults_warn(faults, "/ask/%zu/answers: none means found, so asking brings nothing", nth);
}

static void lint_token_places(const struct ask_form *form, size_t nth, struct faults *faults) {
  for (size_t i = 0; i < form->headers.n; i++)
    for (size_t k = 0; k < form->headers.list[i].value.n; k++)
      if (form->headers.list[i].value.pieces[k].value == ASK_TOKEN_PLACE && !form->token)
        faults_warn(faults, "/ask/%zu/headers/%s: names a place of the token, and the form has no \"token\"",
                    nth, form->headers.list[i].name);
  for (size_t i = 0; form->token && i < form->token->headers.n; i++)
    for (size_t k = 0; k < form->token->headers.list[i].value.n; k++)
      if (form->token->headers.list[i].value.pieces[k].value == ASK_TOKEN_PLACE)
        faults_warn(faults, "/ask/%zu/token/headers/%s: names a place of the token that it is to fetch", nth,
                    form->token->headers.list[i].name);
}

void provider_ask_lint(const struct provider *provider, struct faults *faults) {
  for (size_t i = 0; i < provider->n_forms; i++) {
    const struct ask_form *form = &provider->forms[i];
    if (provider_ask_find(provider, form->name) != form)
      faults_warn(faults, "/ask/%zu/name: another form has the same name", i);
    lint_answers(form, i, faults);
    lint_token_places(form, i, faults);
  }
}

// ---- a loaded form ----

static bool has_status(const json_t *list, int status) {
  for (size_t i = 0; i < json_array_size(list); i++)
    if ((int)json_number_value(json_array_get(list, i)) == status) return true;
  return false;
}

bool ask_when_holds(const struct ask_when *when, int status, const json_t *body) {
  return (!when->status || has_status(when->status, status)) &&
         (!when->asks_body || (body && provider_conditions_hold(&when->body, body)));
}

struct provider_unmet ask_when_unmet(const struct ask_when *when, int status, const json_t *body) {
  if (when->status && !has_status(when->status, status))
    return (struct provider_unmet){"status", "", when->status};
  return body ? provider_conditions_unmet(&when->body, body) : (struct provider_unmet){"", "", NULL};
}

const struct ask_answer *ask_form_answer(const struct ask_form *form, int status, const json_t *body) {
  for (size_t i = 0; i < form->n_answers; i++)
    if (ask_when_holds(form->answers[i].when, status, body)) return &form->answers[i];
  return NULL;
}

const char *ask_form_code(const struct ask_form *form, const json_t *body, char buf[24]) {
  return provider_where_text(form->code, body, PROVIDER_TEXT_MAX, buf);
}

size_t provider_ask_count(const struct provider *provider) {
  return provider->n_forms;
}

const struct ask_form *provider_ask_find(const struct provider *provider, const char *name) {
  for (size_t i = 0; i < provider->n_forms; i++)
    if (strcmp(provider->forms[i].name, name) == 0) return &provider->forms[i];
  return NULL;
}

size_t provider_ask_nth(const struct provider *provider, const struct ask_form *form) {
  return (size_t)(form - provider->forms);
}

char *provider_ask_names(const struct provider *provider) {
  char *names = mem_strdup("");
  for (size_t i = 0; i < provider->n_forms; i++) {
    char *longer = mem_printf("%s%s%s", names, i ? ", " : "", provider->forms[i].name);
    free(names);
    names = longer;
  }
  return names;
}
