// SPDX-License-Identifier: MIT
#include "common/base/mem.h"
#include "common/base/similar.h"
#include "common/provider/provider_value.h"
#include <string.h>
#include <strings.h>

static const char *text_at(const json_t *object, const char *key) {
  return json_string_value(json_object_get(object, key));
}

// ---- each text in a part of the file

struct lint {
  const struct provider *provider;
  struct faults *faults;
};

struct text {
  const char *text;
  const char *where; // the pointer to it
  bool is_key;       // of an object, else a value
};

typedef void visit_fn(const struct lint *lint, const struct text *text);

// Calls `visit` for each text in the node, which is at `where`.
static void each_text(const struct lint *lint, const json_t *node, const char *where, visit_fn *visit) {
  const char *key;
  json_t *inner;
  size_t i;
  if (json_is_string(node)) visit(lint, &(struct text){json_string_value(node), where, false});
  json_array_foreach(node, i, inner) {
    AUTO_FREE char *at = mem_printf("%s/%zu", where, i);
    each_text(lint, inner, at, visit);
  }
  json_object_foreach((json_t *)(uintptr_t)node, key, inner) {
    AUTO_FREE char *at = mem_printf("%s/%s", where, key);
    visit(lint, &(struct text){key, at, true});
    each_text(lint, inner, at, visit);
  }
}

// "/@levels/x": a place of the element itself, and probably not meant. "/@level3/x" of a file with two
// levels. The keys of `equals` are places, too.
static void lint_beside(const struct lint *lint, const struct text *text) {
  const char *place = text->text;
  size_t n_levels = lint->provider->n_levels;
  if (strncmp(place, "/@", 2) != 0) return;
  AUTO_FREE char *first = mem_strndup(place + 1, strcspn(place + 1, "/"));
  struct similar similar = {.given = first};
  similar_try(&similar, PROVIDER_ELEMENT);
  for (enum provider_source source = 0; source < PROVIDER_SOURCES; source++) {
    const char *name = provider_source_name(source);
    similar_try(&similar, name);
    if (strcmp(name, first) != 0) continue;
    if (source < PROVIDER_HEADER && source >= n_levels)
      faults_warn(lint->faults, "%s: nothing is ever at %s, since `elements` has %zu level%s", text->where,
                  place, n_levels, n_levels == 1 ? "" : "s");
    else if (strcmp(name, place + 1) == 0)
      faults_warn(lint->faults, "%s: %s is no value; name a place in it, such as %s/id", text->where, place,
                  place);
  }
  if (similar.best && strcmp(similar.best, first) != 0)
    faults_warn(lint->faults, "%s: %s is a place in the element itself; is it /%s?", text->where, place,
                similar.best);
}

// In an answer, and in a send answer, nothing stands outside of an element.
static void lint_no_element(const struct lint *lint, const struct text *text) {
  const char *name = strncmp(text->text, "${", 2) == 0 ? text->text + 2 : text->text;
  if (text->is_key || *name != '/') return;
  for (enum provider_source source = 0; source < PROVIDER_SOURCES; source++) {
    size_t len = strlen(provider_source_name(source));
    if (strncmp(name + 1, provider_source_name(source), len) == 0 && name[1 + len] == '/')
      faults_warn(lint->faults, "%s: nothing is ever at %.*s: only a kind of `webhook` can read it",
                  text->where, (int)strcspn(name, "}"), name);
  }
}

// A placeholder of another template language, which is sent unchanged.
static bool is_like_placeholder(const char *text) {
  return strstr(text, "{/") || strstr(text, "{{") || strncmp(text, "$/", 2) == 0 ||
         strncmp(text, "$.", 2) == 0;
}

static void lint_template(const struct lint *lint, const struct text *text) {
  if (!text->is_key && strncmp(text->text, "${", 2) != 0 && is_like_placeholder(text->text))
    faults_warn(lint->faults, "%s: \"%.40s\" is sent unchanged; a placeholder is ${/pointer}", text->where,
                text->text);
}

// An ack, or the answer to a refused sender, which `of` has.
static void lint_answer(const struct provider *provider, const json_t *of, const char *key, const char *where,
                        struct faults *faults) {
  const json_t *body = json_object_get(json_object_get(of, key), "body");
  AUTO_FREE char *at = mem_printf("%s/%s/body", where, key);
  const struct lint lint = {provider, faults};
  each_text(&lint, body, at, lint_template);
  each_text(&lint, body, at, lint_no_element);
}

// ---- kinds

static bool is_named_before(const struct provider *provider, size_t nth) {
  for (size_t i = 0; i < nth; i++)
    if (strcmp(provider->kinds[i].name, provider->kinds[nth].name) == 0) return true;
  return false;
}

// A receipt's code that is listed as its type has to have an outcome as well.
static void lint_types(const struct provider *provider, size_t nth, struct faults *faults) {
  const struct provider_kind_rule *kind = &provider->kinds[nth];
  const json_t *value;
  size_t j;
  for (size_t i = 0; i < kind->when.n_equals; i++) {
    const struct provider_equals *equals = &kind->when.equals[i];
    if (!provider_where_has(&kind->code, &equals->pointer)) continue;
    json_array_foreach(equals->values, j, value) {
      const char *code = json_string_value(value);
      if (!kind->otherwise && !provider_code_listed(provider, code))
        faults_warn(faults, "/webhook/kinds/%zu/when/equals: \"%s\" has no outcome, so it is a failure", nth,
                    code);
    }
  }
}

// What a replay reads again in a stored element must not be masked.
static void lint_masked(const struct provider_kind_rule *kind, size_t nth, struct faults *faults) {
  const struct {
    const char *name;
    const struct provider_where *where;
  } read[] = {{"channel", &kind->channel},
              {"reason", &kind->reason},
              {"time", &kind->time},
              {"reference", &kind->reference}};
  for (size_t i = 0; i < kind->masked.n; i++)
    for (size_t j = 0; j < COUNT_OF(read); j++)
      if (provider_where_has(read[j].where, &kind->masked.pointers[i]))
        faults_warn(faults, "/webhook/kinds/%zu/masked/%zu: is read as %s, too, so a replay finds it masked",
                    nth, i, read[j].name);
}

static void lint_contact(const struct provider_kind_rule *kind, size_t nth, struct faults *faults) {
  if (!kind->phone.n && !kind->email.n && !kind->n_consents)
    faults_warn(faults, "/webhook/kinds/%zu: reads no phone, email or consents, so nothing is kept", nth);
  if (!kind->version.n && !kind->time.n)
    faults_warn(
        faults,
        "/webhook/kinds/%zu: reads no version and no time, so the element that comes last wins, also if "
        "it is the older one",
        nth);
}

static void lint_kinds(const struct provider *provider, struct faults *faults) {
  const json_t *kinds = json_object_get(json_object_get(provider->document, "webhook"), "kinds");
  for (size_t i = 0; i < provider->n_kinds; i++) {
    const json_t *kind = json_array_get(kinds, i);
    AUTO_FREE char *where = mem_printf("/webhook/kinds/%zu", i);
    if (is_named_before(provider, i)) faults_warn(faults, "%s/name: another kind has the same name", where);
    lint_types(provider, i, faults);
    lint_masked(&provider->kinds[i], i, faults);
    each_text(&(struct lint){provider, faults}, kind, where, lint_beside);
    lint_answer(provider, kind, "ack", where, faults);
    if (provider->kinds[i].kind == PROVIDER_CONTACT) lint_contact(&provider->kinds[i], i, faults);
  }
}

// The body of a refused sender is not made into JSON.
static void lint_refused(const struct provider *provider, struct faults *faults) {
  for (size_t i = 0; provider->reads_forms && i < provider->refused.n; i++)
    if (provider->refused.pieces[i].has_place)
      faults_warn(faults, "/webhook/refused/body: ${%s} is always \"\", since a refused form is not read",
                  provider->refused.pieces[i].place.text);
}

// Whether a code that is not listed is a failure: a kind without `otherwise`.
static bool fails_unlisted_codes(const struct provider *provider) {
  for (size_t i = 0; i < provider->n_kinds; i++)
    if (provider->kinds[i].kind == PROVIDER_RECEIPT && !provider->kinds[i].otherwise) return true;
  return false;
}

// Keys of an outcome that apply to some outcomes only.
static void lint_outcome(const char *where, const json_t *row, struct faults *faults) {
  const char *outcome = text_at(row, "outcome");
  bool did_not_arrive = strcmp(outcome, "failed") == 0 || strcmp(outcome, "unconfirmed") == 0;
  if (json_object_get(row, "scope") && strcmp(outcome, "account_fault") != 0)
    faults_warn(faults, "%s/scope: is not read, since the outcome is not account_fault", where);
  if (json_object_get(row, "about") && !did_not_arrive)
    faults_warn(faults, "%s/about: is not read, since the outcome is %s", where, outcome);
}

static void lint_otherwise(const struct provider *provider, struct faults *faults) {
  for (size_t i = 0; i < provider->n_kinds; i++) {
    if (!provider->kinds[i].otherwise) continue;
    AUTO_FREE char *where = mem_printf("/webhook/kinds/%zu/otherwise", i);
    lint_outcome(where, provider->kinds[i].otherwise, faults);
  }
}

// What most providers say before the handset has it.
static void lint_word(const char *where, const char *code, const json_t *row, struct faults *faults) {
  static const char *const words[] = {"sent", "queued", "accepted", "submitted", "pending", "processed"};
  if (strcmp(text_at(row, "outcome"), "delivered") != 0) return;
  for (size_t i = 0; i < COUNT_OF(words); i++)
    if (strcasecmp(code, words[i]) == 0)
      faults_warn(faults,
                  "%s: this word seldom means that the message reached the handset; if it does not, the "
                  "outcome is on_its_way",
                  where);
}

// Two codes of which the file itself says that they are the same.
static void lint_same_code(const struct provider *provider, const char *code, struct faults *faults) {
  AUTO_FREE char *key = mem_alloc(strlen(code) + 1);
  if (!provider->listed) return;
  provider_code_key(provider, code, key);
  const char *first = json_string_value(json_object_get(provider->listed, key));
  if (strcmp(first, code) != 0)
    faults_warn(faults, "/outcomes/%s: is \"%s\", too, by codes_ignore; remove one of them", code, first);
}

static void lint_outcomes(const struct provider *provider, struct faults *faults) {
  bool delivers = false;
  const char *code;
  json_t *row;
  json_object_foreach((json_t *)(uintptr_t)provider->outcomes, code, row) {
    delivers |= strcmp(text_at(row, "outcome"), "delivered") == 0;
    AUTO_FREE char *where = mem_printf("/outcomes/%s", code);
    lint_outcome(where, row, faults);
    lint_word(where, code, row, faults);
    lint_same_code(provider, code, faults);
  }
  lint_otherwise(provider, faults);
  if (!delivers && fails_unlisted_codes(provider))
    faults_warn(faults, "/outcomes: no code means delivered, so every receipt is a failure");
}

static void lint_times(const struct provider *provider, struct faults *faults) {
  const struct provider_expects *expects = &provider->expects;
  if (provider->deadline_ms <= provider->budget_ms)
    faults_warn(faults,
                "/webhook/deadline_ms: is not longer than budget_ms, so no time is left for the body");
  if (expects->expires_after_s <= expects->receipt_within_s)
    faults_warn(faults, "/expects/expires_after_s: is not longer than receipt_within_s, so a notification is "
                        "given up before it is overdue");
}

static void lint_handshake(const struct provider *provider, struct faults *faults) {
  bool challenges = provider_challenge(provider) != NULL, is_empty = provider_answers_empty(provider, "GET");
  if (challenges && is_empty)
    faults_warn(faults, "/webhook/handshake/empty: GET is answered by the challenge; leave it out");
  if ((challenges || is_empty) && provider_takes(provider, "GET"))
    faults_warn(faults, "/webhook/handshake: GET is one of `methods`, so each GET is read as a webhook");
}

void provider_lint(const struct provider *provider, struct faults *faults) {
  const json_t *webhook = json_object_get(provider->document, "webhook");
  lint_kinds(provider, faults);
  provider_lint_kinds(provider, faults);
  lint_outcomes(provider, faults);
  lint_answer(provider, webhook, "ack", "/webhook", faults);
  lint_answer(provider, webhook, "refused", "/webhook", faults);
  each_text(&(struct lint){provider, faults}, json_object_get(provider->document, "acceptance"),
            "/acceptance", lint_no_element);
  lint_refused(provider, faults);
  lint_times(provider, faults);
  lint_handshake(provider, faults);
  provider_ask_lint(provider, faults);
}
