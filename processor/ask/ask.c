// SPDX-License-Identifier: MIT
#include "processor/ask/ask.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/json/json.h"
#include "common/provider/provider_read.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- requests ----

struct text { // with a NUL behind it
  char *bytes;
  size_t len;
};

static void append(struct text *to, const char *bytes, size_t len) {
  to->bytes = mem_grow(to->bytes, to->len + len + 1, 1);
  memcpy(to->bytes + to->len, bytes, len);
  to->len += len;
  to->bytes[to->len] = '\0';
}

static void append_text(struct text *to, const char *text) {
  append(to, text, strlen(text));
}

// RFC 3986 section 2.3: all but the unreserved characters.
static void append_encoded(struct text *to, const char *text) {
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  for (; *text; text++) {
    char encoded[4];
    snprintf(encoded, sizeof encoded, "%%%02X", (unsigned char)*text);
    if (strchr(plain, *text))
      append(to, text, 1);
    else
      append_text(to, encoded);
  }
}

char *ask_url(const struct ask_account *account, const char *id) {
  const struct ask_text *path = &account->form->path;
  struct text url = {0};
  append_text(&url, account->base);
  for (size_t i = 0; i < path->n; i++) {
    append(&url, path->pieces[i].text, path->pieces[i].len);
    if (path->pieces[i].value == ASK_ID) append_encoded(&url, id);
  }
  return url.bytes;
}

char *ask_token_url(const struct ask_account *account) {
  return mem_printf("%s%s", account->base, account->form->token->path);
}

static bool is_printable(const char *text) {
  for (; *text; text++)
    if (*text < ' ' || *text > '~') return false;
  return true;
}

static const char *header_value(const struct ask_account *account, const struct ask_piece *piece,
                                const json_t *token, char buf[24], struct err *err) {
  bool is_secret = piece->value == ASK_SECRET;
  const char *value = is_secret ? ask_account_secret(account, piece->secret)
                                : json_scalar_text(json_at(token, &piece->place), buf);
  if (value && is_printable(value)) return value;
  if (is_secret)
    err_set(err, "the secret %s is not given", piece->secret); // ask_conf has looked at its characters
  else
    err_set(err, "the answer with the token has no text for a header at %s", piece->place.text);
  return NULL;
}

char *ask_header(const struct ask_account *account, const struct ask_header *header, const json_t *token,
                 struct err *err) {
  struct text line = {0};
  append_text(&line, header->name);
  append_text(&line, ": ");
  for (size_t i = 0; i < header->value.n; i++) {
    const struct ask_piece *piece = &header->value.pieces[i];
    char buf[24];
    append(&line, piece->text, piece->len);
    if (piece->value == ASK_NO_VALUE) continue;
    const char *value = header_value(account, piece, token, buf, err);
    if (!value) {
      free(line.bytes);
      return NULL;
    }
    append_text(&line, value);
  }
  return line.bytes;
}

// ---- answers ----

static enum ask_result result_of_status(int status) {
  if (status == 408 || status == 425 || status == 429 || status >= 500) return ASK_RESULT_AGAIN;
  if (status == 401 || status == 403 || (status >= 300 && status < 400)) return ASK_RESULT_STOP;
  return ASK_RESULT_UNCLEAR;
}

static enum ask_result result_of_means(enum ask_means means) {
  switch (means) {
  case ASK_FOUND:
    return ASK_RESULT_FOUND;
  case ASK_NOTHING:
    return ASK_RESULT_NOTHING;
  case ASK_AGAIN:
    return ASK_RESULT_AGAIN;
  case ASK_TOKEN:
    return ASK_RESULT_TOKEN;
  case ASK_STOP:
    return ASK_RESULT_STOP;
  }
  abort(); // not a meaning
}

// The code is the provider's own text, so no more than a short word of it is shown.
static void say(const struct ask_form *form, int status, const json_t *body, const char *what,
                char why[160]) {
  enum { CODE_SHOWN = 32 };
  char buf[24];
  const char *code = ask_form_code(form, body, buf);
  if (code && (strlen(code) > CODE_SHOWN || !is_printable(code))) code = NULL;
  snprintf(why, 160, "answer %d%s%s%s%s", status, code ? ", " : "", code ? code : "", *what ? ": " : "",
           what);
}

static void add_element(struct ask_elements *out, char *element) {
  out->list = mem_grow(out->list, out->n + 1, sizeof *out->list);
  out->list[out->n++] = element;
}

void ask_elements_fini(struct ask_elements *elements) {
  for (size_t i = 0; i < elements->n; i++) free(elements->list[i]);
  free(elements->list);
  *elements = (struct ask_elements){0};
}

static bool is_on_its_way(const struct provider *provider, const json_t *element) {
  struct provider_receipt receipt;
  struct err err;
  bool is = provider_read_receipt(provider, element, &receipt, &err) && receipt.outcome == OUTCOME_ON_ITS_WAY;
  provider_receipt_fini(&receipt);
  return is;
}

enum ask_use ask_use_of(const struct ask_account *account, const char *id, const char *text) {
  struct err err;
  struct provider_element element;
  AUTO_JSON *value = json_parse(text, strlen(text), &err);
  if (!value || !provider_classify(account->provider, value, &element, &err)) return ASK_REFUSED;
  if (element.kind != (account->form->about == ASK_CONTACT ? PROVIDER_CONTACT : PROVIDER_RECEIPT))
    return ASK_PASSED_OVER;
  if (!element.id || strcmp(element.id, id) != 0) return ASK_REFUSED;
  return is_on_its_way(account->provider, value) ? ASK_PASSED_OVER : ASK_USED;
}

// The exact bytes of each element of the array. False: there is no array, and more than null.
static bool cut_each(const struct ask_answer *answer, struct json_span body, struct ask_elements *out) {
  struct json_span array, element;
  const char *cursor = NULL;
  size_t n = 0;
  enum json_found found = json_span_at(body, &answer->each, &array);
  if (found == JSON_ABSENT) return true;
  if (found == JSON_FOUND && array.to - array.from == 4 && memcmp(array.from, "null", 4) == 0) return true;
  if (found != JSON_FOUND || !json_span_count(array, &n) || n > ASK_ELEMENTS_MAX) return false;
  while (json_span_next(array, &cursor, &element))
    add_element(out, mem_strndup(element.from, (size_t)(element.to - element.from)));
  return true;
}

static void append_id(struct text *to, const char *id) {
  AUTO_JSON *value = json_string(id);
  if (!value) abort(); // an id is UTF-8
  AUTO_FREE char *text = json_text(value);
  append_text(to, text);
}

// What stands at the place, as it was sent, or null.
static void append_place(struct text *to, struct json_span body, const struct json_pointer *place) {
  struct json_span value;
  if (json_span_at(body, place, &value) == JSON_FOUND)
    append(to, value.from, (size_t)(value.to - value.from));
  else
    append_text(to, "null");
}

static char *make_element(const struct ask_text *element, const char *id, int64_t asked_at_ms,
                          struct json_span body) {
  struct text out = {0};
  for (size_t i = 0; i < element->n; i++) {
    const struct ask_piece *piece = &element->pieces[i];
    append(&out, piece->text, piece->len);
    char number[24];
    snprintf(number, sizeof number, "%" PRId64, asked_at_ms);
    if (piece->value == ASK_ID) append_id(&out, id);
    if (piece->value == ASK_ASKED_AT) append_text(&out, number);
    if (piece->value == ASK_PLACE) append_place(&out, body, &piece->place);
  }
  return out.bytes;
}

bool ask_cut(const struct ask_answer *answer, const char *id, int64_t asked_at_ms, const char *body,
             size_t len, struct ask_elements *out) {
  static const char none[] = "null";
  const struct json_span text = {body ? body : none, body ? body + len : none + strlen(none)};
  *out = (struct ask_elements){0};
  if (answer->has_each) return cut_each(answer, text, out);
  add_element(out, make_element(&answer->element, id, asked_at_ms, text));
  return true;
}

static void read_found(const struct ask_account *account, const struct ask_answer *answer, const char *id,
                       int64_t asked_at_ms, const char *body, size_t len, struct ask_reading *out) {
  struct ask_elements all;
  bool is_read = ask_cut(answer, id, asked_at_ms, body, len, &all), is_wrong = false;
  for (size_t i = 0; i < all.n; i++) {
    enum ask_use use = ask_use_of(account, id, all.list[i]);
    if (use == ASK_USED) add_element(&out->elements, take(all.list[i]));
    is_wrong |= use == ASK_REFUSED;
  }
  ask_elements_fini(&all);
  if (is_read && !is_wrong && out->elements.n > 0) {
    out->doubt_after = answer->doubt_after;
    return;
  }
  ask_reading_fini(out);
  out->result = is_read && !is_wrong ? ASK_RESULT_NOTHING : ASK_RESULT_UNCLEAR;
  snprintf(out->why, sizeof out->why, "%s",
           is_wrong ? "it holds an element that is not about this id, or that the provider file does not read"
                    : "what it holds at the place of the elements is no list, or too long a one");
}

void ask_read(const struct ask_account *account, const char *id, int64_t asked_at_ms, int status,
              const char *body, size_t len, struct ask_reading *out) {
  struct err err;
  const struct ask_form *form = account->form;
  AUTO_JSON *value = len ? json_parse(body, len, &err) : NULL;
  const struct ask_answer *answer = ask_form_answer(form, status, value);
  *out = (struct ask_reading){.result = answer ? result_of_means(answer->means) : result_of_status(status)};
  // A good answer that was cut off on the way, or that a proxy has replaced.
  if (!answer && !value && status >= 200 && status < 300) out->result = ASK_RESULT_AGAIN;
  if (answer && out->result == ASK_RESULT_FOUND)
    read_found(account, answer, id, asked_at_ms, value ? body : NULL, len, out);
  bool is_plain = out->result == ASK_RESULT_FOUND || out->result == ASK_RESULT_NOTHING;
  AUTO_FREE char *what = mem_strdup(*out->why ? out->why : !value && status < 300 ? "no JSON" : "");
  if (is_plain)
    *out->why = '\0';
  else
    say(form, status, value, what, out->why);
}

void ask_reading_fini(struct ask_reading *reading) {
  ask_elements_fini(&reading->elements);
}

// ---- tokens ----

static int64_t token_end(const struct ask_token *token, const json_t *answer, int64_t asked_at_ms) {
  int64_t ends_at_ms = asked_at_ms + token->lasts_s * 1000, said_ms;
  const char *text = token->has_expires ? json_string_value(json_at(answer, &token->expires)) : NULL;
  return text && clock_parse_time(text, 0, &said_ms) && said_ms > asked_at_ms ? said_ms : ends_at_ms;
}

void ask_read_token(const struct ask_account *account, int64_t asked_at_ms, int status, const char *body,
                    size_t len, struct ask_token_reading *out) {
  struct err err;
  const struct ask_token *token = account->form->token;
  AUTO_JSON *value = len ? json_parse(body, len, &err) : NULL;
  *out = (struct ask_token_reading){.result = ASK_RESULT_STOP};
  if (value && ask_when_holds(token->when, status, value)) {
    out->result = ASK_RESULT_FOUND;
    out->ends_at_ms = token_end(token, value, asked_at_ms);
    out->answer = json_incref(value);
    return;
  }
  bool is_cut = !value && status >= 200 && status < 300;
  if (is_cut || result_of_status(status) == ASK_RESULT_AGAIN) out->result = ASK_RESULT_AGAIN;
  say(account->form, status, value, is_cut ? "no JSON" : "no token", out->why);
}
