// SPDX-License-Identifier: MIT
// dochak-processor explain: what dochak reads from a webhook's body, from the answer of a send API, or from
// that of an API which says what became of a message. For a person who writes a provider file. Asks no server
// and stores nothing.
#include "processor/commands/explain.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/config/settings.h"
#include "common/provider/provider_answer.h"
#include "common/provider/provider_ask.h"
#include "common/provider/provider_mask.h"
#include "processor/commands/command.h"
#include "processor/commands/explain_text.h"
#include "processor/commands/flags.h"
#include "processor/commands/terminal.h"
#include "processor/watch/watched.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct explain_options {
  const char *provider, *endpoint, *file;
  bool is_acceptance;
  const char *answer, *id; // the question's name, and what it was about
  int64_t status;
  struct flag_texts headers; // "Name: value"
};

// ---- what is asked for ----

static const char help[] =
    "dochak-processor explain: what dochak would read from this body, element by element, and why\n"
    "\n"
    "usage: dochak-processor explain --provider NAME [--endpoint NAME] [--header TEXT …] < BODY\n"
    "       dochak-processor explain --endpoint NAME [--header TEXT …] < BODY\n"
    "       dochak-processor explain --file FILE [--header TEXT …] < BODY\n"
    "       dochak-processor explain … --acceptance < BODY\n"
    "       dochak-processor explain … --answer FORM --id ID [--status NUMBER] < BODY\n"
    "\n"
    "  --provider NAME  by the provider file of this name, in DOCHAK_PROVIDERS_DIR or built in\n"
    "  --endpoint NAME  by the provider file of this endpoint, which DOCHAK_ENDPOINTS_FILE lists\n"
    "  --file FILE      by this provider file, wherever it is\n"
    "  --header TEXT    a header of the webhook, as \"X-Kakao-Resource-ID: 17\"; as many as there are\n"
    "  --acceptance     the body is what the send API answered, not a webhook's\n"
    "  --answer FORM    the body is what the provider answered to the form of this name in \"ask\"\n"
    "  --id ID          the id that was asked about\n"
    "  --status NUMBER  the HTTP status of that answer (200)\n"
    "\n"
    "BODY is the body of a webhook exactly as it was sent, or the query of a GET. No other setting is\n"
    "needed, no server is asked, and nothing is stored. Telephone numbers and e-mail addresses are shown "
    "masked. Times are\n"
    "those of your zone (TZ). The exit code is 0 when everything is understood, 1 when something is not,\n"
    "2 for wrong arguments.";

static bool read_arguments(int argc, char **argv, void *options, struct err *err) {
  struct explain_options *o = options;
  struct flag flags[] = {{"--provider", FLAG_TEXT, &o->provider, NULL},
                         {"--endpoint", FLAG_TEXT, &o->endpoint, NULL},
                         {"--file", FLAG_TEXT, &o->file, NULL},
                         {"--header", FLAG_TEXTS, &o->headers, NULL},
                         {"--acceptance", FLAG_SWITCH, &o->is_acceptance, NULL},
                         {"--answer", FLAG_TEXT, &o->answer, NULL},
                         {"--id", FLAG_TEXT, &o->id, NULL},
                         {"--status", FLAG_NUMBER, &o->status, NULL}};
  if (!flags_read(argc, argv, flags, COUNT_OF(flags), NULL, err)) return false;
  if (o->file && (o->provider || o->endpoint))
    return err_set(err, "--file names the provider file already; leave out --provider and --endpoint");
  if (o->answer && o->is_acceptance)
    return err_set(err, "--answer: the body is one answer; leave out --acceptance");
  if (!o->answer != !o->id)
    return err_set(err, "--answer FORM and --id ID belong together: an answer is read for one id");
  if (o->status && (!o->answer || o->status < 100 || o->status > 599))
    return err_set(err, "--status: the status of an answer of --answer, 100 to 599");
  for (size_t i = 0; i < o->headers.n; i++)
    if (!strchr(o->headers.list[i], ':'))
      return err_set(err,
                     "--header: expected a name, a colon and a value, such as \"X-Kakao-Resource-ID: 17\"");
  return o->file || o->provider || o->endpoint ||
         err_set(err, "expected --provider NAME, --endpoint NAME or --file FILE");
}

// ---- the provider ----

struct input { // what is read before the body
  struct settings settings;
  struct providers *providers;
  struct watched_list *watched;
};

static void input_fini(struct input *input) {
  watched_free(input->watched);
  providers_free(input->providers);
  settings_fini(&input->settings);
}

static void load(struct input *input, const struct explain_options *o, struct faults *faults) {
  if (!settings_load(SERVICE_EXPLAIN, &input->settings, faults)) return;
  size_t from = faults->n;
  if (o->file) {
    input->providers = providers_load_one(o->file, faults);
    return;
  }
  input->providers = providers_load(input->settings.providers_dir, faults);
  faults_prefix(faults, from, "DOCHAK_PROVIDERS_DIR: ");
  if (o->endpoint) input->watched = watched_load(input->settings.watched_file, "", faults);
}

static bool find_endpoint(const struct input *input, const struct explain_options *o, const char **provider,
                          struct err *err) {
  const char *file = input->settings.watched_file;
  const struct watched *watched = watched_find(input->watched, o->endpoint);
  if (watched->endpoint && (!o->provider || strcmp(o->provider, watched->provider) == 0)) {
    *provider = watched->provider;
    return true;
  }
  if (watched->endpoint)
    return err_set(err, "--endpoint: %s has the provider %s, not %s", o->endpoint, watched->provider,
                   o->provider);
  if (*file) return err_set(err, "--endpoint: %s lists no endpoint \"%s\"", file, o->endpoint);
  return o->provider || err_set(err, "--endpoint: DOCHAK_ENDPOINTS_FILE is not set; give --provider instead");
}

static const struct provider *find_provider(const struct input *input, const struct explain_options *o,
                                            struct err *err) {
  const char *name = o->provider;
  if (o->file) return providers_at(input->providers, 0);
  if (o->endpoint && !find_endpoint(input, o, &name, err)) return NULL;
  const struct provider *provider = providers_find(input->providers, name);
  AUTO_FREE char *names = providers_names(input->providers);
  if (!provider)
    err_set(err, "there is no provider file \"%s\", but %s; --file takes one that is elsewhere", name, names);
  return provider;
}

// ---- the body ----

// New, of *len bytes. NULL: it cannot be read, or ingress would not take it.
static char *read_body(int64_t max_bytes, const char *limit, size_t *len, struct err *err) {
  size_t room = (size_t)max_bytes + 1;
  AUTO_FREE char *body = mem_alloc(room);
  if (isatty(STDIN_FILENO)) fputs("reading the body from the terminal; Ctrl-D ends it\n", stderr);
  *len = fread(body, 1, room, stdin);
  if (ferror(stdin)) {
    err_set(err, "the body cannot be read: %s", strerror(errno));
    return NULL;
  }
  if (*len == room) {
    err_set(err, "the body has more than %lld bytes (%s): ingress would answer 413 and keep nothing",
            (long long)max_bytes, limit);
    return NULL;
  }
  return take(body);
}

// ---- a webhook ----

// As ingress reads it: of a header that occurs twice nothing is known.
static const char *header_once(const void *options, const char *name) {
  const struct explain_options *o = options;
  const char *found = NULL;
  for (size_t i = 0; i < o->headers.n; i++) {
    const char *text = o->headers.list[i];
    size_t len = strcspn(text, ":");
    if (len != strlen(name) || strncasecmp(text, name, len) != 0) continue;
    if (found) return NULL;
    found = text + len + 1;
    found += strspn(found, " \t");
  }
  return found;
}

// The body as JSON, with its elements as they are stored, since the answer may repeat a part of one. New; the
// body itself if it is not JSON.
static char *masked_body(const struct provider *provider, const struct framing *framing) {
  const char *text = framing->text.from;
  size_t len = (size_t)(framing->text.to - text);
  AUTO_JSON *document = json_parse(text, len, NULL);
  if (!document) return mem_strndup(text, len);
  for (size_t i = 0; i < framing->n; i++) {
    if (framing->elements[i].n_steps == 0) continue;
    AUTO_FREE char *place = framing_place(provider, &framing->elements[i]);
    json_t *element = explain_at(document, place);
    if (json_is_object(element)) provider_mask_element(provider, element);
  }
  return json_text(document);
}

static void print_answer(const struct explain *explain, const struct framing *framing) {
  const struct provider *provider = explain->provider;
  const struct provider_answer *own = framing_ack(framing);
  AUTO_FREE char *masked = masked_body(provider, framing);
  struct provider_ack ack = provider_ack(provider, own, masked, strlen(masked));
  AUTO_FREE char *shown = explain_shown(mem_or_empty(ack.body));
  printf("answer: %d ", ack.status);
  terminal_print(ack.body ? shown : "with an empty body");
  puts(ack.is_text ? " (text/plain)" : "");
  explain_answer(explain, own, masked);
  free(ack.body);
}

static bool explain_framed(struct explain *explain, const struct framing *framing, size_t i) {
  const struct framing_element *element = &framing->elements[i];
  if (element->n_steps == 0) {
    AUTO_JSON *document =
        json_parse(framing->text.from, (size_t)(framing->text.to - framing->text.from), NULL);
    AUTO_FREE char *text = mem_strndup(framing->text.from, (size_t)(framing->text.to - framing->text.from));
    explain_uncut(explain, document, text, element->reason);
    return false;
  }
  AUTO_FREE char *place = framing_place(explain->provider, element);
  struct json_span text = {element->bytes, element->bytes + element->len};
  if (!*place && !element->joined)
    text = framing->text; // in quarantine the bytes are the body's, which may be a form
  return explain_element(explain, i + 1, *place ? place : "the whole body", element, text);
}

static bool check_sizes(const struct explain *explain, const struct framing *framing, struct err *err) {
  size_t nth = framing_too_large(framing, explain->element_max_bytes);
  return nth == 0 || err_set(err,
                             "explain: element %zu has more than %zu bytes (DOCHAK_BODY_MAX_BYTES): ingress "
                             "would answer 413 and keep nothing",
                             nth, explain->element_max_bytes);
}

// What stands around a query becomes a part of its first name and its last value, also where all is
// understood.
static void print_query(const char *body, size_t len) {
  AUTO_FREE char *text = mem_strndup(body, len);
  const char *query = explain_query(text);
  if (query)
    explain_line("mend", "the query begins behind the ?%s",
                 strstr(query, " HTTP/") ? ", and ends in front of HTTP" : "");
}

static bool explain_webhook(struct explain *explain, const char *body, size_t len, struct err *err) {
  struct framing framing;
  size_t n_bad = 0;
  framing_init(&framing, explain->provider, body, len, &explain->head);
  for (size_t i = 0; i < framing.n; i++) n_bad += !explain_framed(explain, &framing, i);
  print_query(body, len);
  if (framing.n == 0) puts("no element: the list is empty, and nothing is stored");
  print_answer(explain, &framing);
  size_t n = framing.n;
  bool fits = check_sizes(explain, &framing, err);
  framing_fini(&framing);
  if (!fits) return false;
  return n_bad == 0 ||
         err_set(err, "explain: %zu of %zu element%s would go to quarantine", n_bad, n, n == 1 ? "" : "s");
}

// ---- a send answer ----

static bool explain_response(struct explain *explain, const char *body, size_t len, struct err *err) {
  size_t n, n_bad = 0;
  AUTO_JSON *response = json_parse(body, len, err);
  if (!response) return err_prefix(err, "the send answer: ");
  AUTO_FREE struct provider_acceptance *list = NULL;
  if (!provider_read_acceptance(explain->provider, response, &list, &n, err)) {
    explain_no_acceptance(explain, response, err->text);
    return err_set(err, "explain: the send answer cannot be read");
  }
  for (size_t i = 0; i < n; i++) n_bad += !explain_acceptance(explain, response, list, i);
  return n_bad == 0 || err_set(err, "explain: %zu of %zu recipients would go to quarantine", n_bad, n);
}

// ---- an answer of ask ----

static bool explain_ask(struct explain *explain, const struct explain_options *o, const char *body,
                        size_t len, struct err *err) {
  const struct ask_form *form = provider_ask_find(explain->provider, o->answer);
  AUTO_FREE char *names = provider_ask_names(explain->provider);
  if (!form && !*names)
    return err_set(err, "--answer: the provider file has no question in \"ask\", so not %s", o->answer);
  if (!form) return err_set(err, "--answer: the provider file has %s in \"ask\", not %s", names, o->answer);
  return explain_answered(explain, form, o->id, o->status ? (int)o->status : 200, body, len) ||
         err_set(err, "explain: nothing of the answer would be used");
}

// ---- all of it ----

static bool explain_body(const struct input *input, const struct explain_options *o, struct err *err) {
  const struct provider *provider = find_provider(input, o, err);
  if (!provider) return false;
  size_t len;
  bool is_call = o->endpoint && !o->is_acceptance && !o->answer; // the others are no calls of the provider
  int64_t max_bytes = is_call ? watched_find(input->watched, o->endpoint)->body_max_bytes : 0;
  AUTO_FREE char *body = max_bytes
                             ? read_body(max_bytes, "max_body_bytes of the endpoint", &len, err)
                             : read_body(input->settings.body_max_bytes, "DOCHAK_BODY_MAX_BYTES", &len, err);
  if (!body) return false;
  struct explain explain = {
      .provider = provider,
      .interpreter = {.providers = input->providers, .recipient_key = "not stored", .quarantine_topic = ""},
      .head = {header_once, o},
      .now_ms = clock_wall_ms(),
      .element_max_bytes = (size_t)input->settings.body_max_bytes};
  bool good = o->answer ? explain_ask(&explain, o, body, len, err)
                        : (o->is_acceptance ? explain_response : explain_webhook)(&explain, body, len, err);
  explain_fini(&explain);
  fflush(stdout); // before the error
  return good;
}

static bool run(struct processor *processor, const void *options, struct err *err) {
  (void)processor;
  struct faults faults = {0};
  struct input input = {0};
  load(&input, options, &faults);
  bool is_loaded = faults.n_errors == 0;
  faults_print(&faults, "dochak-processor");
  faults_fini(&faults);
  bool good = is_loaded ? explain_body(&input, options, err)
                        : err_set(err, "explain: the body was not read; mend the above first");
  input_fini(&input);
  return good;
}

const struct command explain_command = {"explain",      help, sizeof(struct explain_options),
                                        read_arguments, run,  true};
