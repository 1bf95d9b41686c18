// SPDX-License-Identifier: MIT
// A provider's answer to a question, read with the provider files we ship. Lines: the form (or "token"), the
// status, the id that was asked about; then the body. Each element is one of the webhook's about this very
// id, and there is a reason for whatever is neither found nor "nothing yet". A token has an end, and makes a
// header or a reason why not.
#include "common/base/utf8.h"
#include "common/provider/provider_read.h"
#include "common/provider/providers.h"
#include "processor/ask/ask.h"
#include "tests/fuzz/cuts.h"

static const int64_t ASKED_AT_MS = 1735000000000;

// "v2", "v1" and "v5" are names of one provider each.
static const struct ask_account *account_of(const char *form) {
  static const struct {
    const char *form, *provider;
  } forms[] = {{"v2", "bizgo"}, {"v1", "bizgo"}, {"v5", "channeltalk"}};
  static struct ask_account accounts[COUNT_OF(forms)];
  static struct faults faults;
  static const struct providers *providers;
  if (!providers) {
    if (!(providers = providers_load("", &faults))) abort();
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
      accounts[i].provider = providers_find(providers, forms[i].provider);
      accounts[i].form = provider_ask_find(accounts[i].provider, forms[i].form);
      accounts[i].base = accounts[i].form->base;
    }
  }
  for (size_t i = 0; i < COUNT_OF(forms); i++)
    if (strcmp(form, forms[i].form) == 0) return &accounts[i];
  return NULL;
}

static void check_why(const char *why) {
  if (!*why) abort();
  for (; *why; why++)
    if (*why < ' ' || *why > '~') abort();
}

static void check_element(const struct ask_account *account, const char *id, const char *text) {
  struct err err = {0};
  struct provider_element element;
  AUTO_JSON *value = json_parse(text, strlen(text), &err);
  if (!value || !provider_classify(account->provider, value, &element, &err)) abort();
  bool is_contact = account->form->about == ASK_CONTACT;
  if (element.kind != (is_contact ? PROVIDER_CONTACT : PROVIDER_RECEIPT) || strcmp(element.id, id) != 0)
    abort();
  struct provider_contact contact;
  if (is_contact && provider_read_contact(account->provider, value, &contact, &err) &&
      contact.seen_ms != ASKED_AT_MS)
    abort();
}

static void read_answer(const struct ask_account *account, const char *id, int status, const char *body,
                        size_t len) {
  struct ask_reading reading;
  ask_read(account, id, ASKED_AT_MS, status, body, len, &reading);
  bool is_found = reading.result == ASK_RESULT_FOUND;
  if (is_found != (reading.n > 0) || reading.n > ASK_ELEMENTS_MAX) abort();
  if (!is_found && reading.result != ASK_RESULT_NOTHING) check_why(reading.why);
  for (size_t i = 0; i < reading.n; i++) check_element(account, id, reading.elements[i]);
  ask_reading_fini(&reading);
}

static void read_token(int status, const char *body, size_t len) {
  const struct ask_account *account = account_of("v1");
  struct ask_token_reading reading;
  ask_read_token(account, ASKED_AT_MS, status, body, len, &reading);
  if ((reading.result == ASK_RESULT_FOUND) != (reading.answer != NULL)) abort();
  if (!reading.answer) {
    check_why(reading.why);
    return;
  }
  if (reading.ends_at_ms <= ASKED_AT_MS) abort();
  struct err err = {0};
  AUTO_FREE char *header = ask_header(account, &account->form->headers.list[0], reading.answer, &err);
  check_why(header ? header : err.text); // nothing that would end the header
  json_decref(reading.answer);
}

// The next line, of `*len` bytes in all; NULL: there is none.
static char *line_of(const uint8_t **bytes, size_t *len) {
  const uint8_t *end = *len ? memchr(*bytes, '\n', *len) : NULL;
  if (!end) return NULL;
  size_t length = (size_t)(end - *bytes);
  char *line = mem_strndup((const char *)*bytes, length);
  *bytes += length + 1;
  *len -= length + 1;
  return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  AUTO_FREE char *form = line_of(&bytes, &len);
  AUTO_FREE char *status = line_of(&bytes, &len);
  AUTO_FREE char *id = line_of(&bytes, &len);
  if (!form || !status || !id || !*id || strlen(id) > PROVIDER_ID_MAX || !utf8_ok(id, strlen(id)) ||
      utf8_has_control(id))
    return 0;
  AUTO_FREE char *body = exact_copy(bytes, len);
  const struct ask_account *account = account_of(form);
  if (account)
    read_answer(account, id, atoi(status), body, len);
  else
    read_token(atoi(status), body, len);
  return 0;
}
