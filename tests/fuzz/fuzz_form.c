// SPDX-License-Identifier: MIT
// Forms and queries, and Twilio's check over both. Sorted, a form is sorted, and every piece lies in its
// text.
#include "common/ops/form.h"
#include "tests/fuzz/checks.h"
#include "tests/fuzz/input.h"

static void look_at(struct form *form, size_t len) {
  size_t total = 0;
  for (size_t i = 0; i < form->n; i++) total += form->pairs[i].name.len + form->pairs[i].value.len;
  if (total > len || form->n > FORM_PAIRS_MAX) abort();
  form_sort(form);
  for (size_t i = 1; i < form->n; i++) {
    const struct piece *a = &form->pairs[i - 1].name, *b = &form->pairs[i].name;
    int order = memcmp(a->bytes, b->bytes, a->len < b->len ? a->len : b->len);
    if (order > 0 || (order == 0 && a->len > b->len)) abort();
  }
}

static void parse(const uint8_t *bytes, size_t len, enum form_plus plus) {
  struct form form;
  // A copy of exactly this size, so that one byte too far is seen.
  char *text = mem_alloc(len);
  if (len) memcpy(text, bytes, len);
  if (form_parse(&form, text, len, plus)) {
    look_at(&form, len);
    form_fini(&form);
  }
  free(text);
}

static void check(const uint8_t *bytes, size_t len) {
  static const struct verify *verify;
  if (!verify)
    verify = checks_of("{\"twilio\":{\"url\":\"https://h\",\"secrets\":[\"DOCHAK_SECRET_FUZZ\"]}}");
  struct input input = input_open(bytes, len);
  const char *signature = input_line(&input), *query = input_line(&input);
  struct mg_header headers[] = {{"X-Twilio-Signature", signature},
                                {"Content-Type", "application/x-www-form-urlencoded"}};
  if (checks_pass(verify, headers, 2, *query ? query : NULL, input.rest, 0))
    abort(); // nobody guesses the key
  free(input.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  parse(bytes, len, FORM_PLUS_IS_SPACE);
  parse(bytes, len, FORM_PLUS_IS_PLUS);
  check(bytes, len);
  return 0;
}
